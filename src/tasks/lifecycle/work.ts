import { seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { touchCards } from '../../store/cards.ts';
import { releaseLocks } from '../../store/run-locks.ts';
import { patchRun } from '../../store/run-steps.ts';
import { run as findRun, type Run, type RunError } from '../../store/runs.ts';
import type { Operation, Outcome, RunContext, Text } from '../define.ts';
import type { Ports } from '../ports.ts';
import { timedOut } from './gates.ts';
import { heartbeat, progressPump } from './pulse.ts';
import { cancelled, showRun, step } from './shared.ts';
import { stopOf, stopped } from './stop.ts';
import { NO_PLAN, SYSTEM, type Tools } from './tools.ts';

const READ_ATTEMPTS = 3;
const STORE_ATTEMPTS = 3;
/** How long the outside may take to say what became of a run; the reconciler asks again. */
export const RECONCILE_LIMIT_MS = seconds(60);

/** Does the work of a run, and finds out what became of work that nobody saw the end of. */
export interface Work {
  execute(run: Run, operation: Operation, controller: AbortController): Promise<void>;
  /** Answers the run when it provably never started, and is to be queued again. */
  reconcile(run: Run, operation: Operation, signal: AbortSignal): Promise<Run | undefined>;
}

export function createWork(tools: Tools): Work {
  const { db, clock, log, worker, record, finish } = tools;

  /** The work is done, so what came of it is worth a few tries; after those, the reconciler finds it out. */
  const persist = async <T>(write: () => Promise<T>): Promise<T> => {
    for (let n = 1; ; n++) {
      try {
        return await write();
      } catch (error) {
        if (n >= STORE_ATTEMPTS || toVakhtaError(error).kind !== 'transient') throw error;
        log.warn({ err: error }, 'the end of a run was not stored, trying again');
        await clock.sleep(seconds(n));
      }
    }
  };

  /** Reads are tried again when the fault is passing; what changes things never is. */
  const attempt = async (operation: Operation, context: RunContext<keyof Ports>, run: Run) => {
    for (let n = 1; ; n++) {
      context.signal.throwIfAborted();
      try {
        return await operation.run(context, run.args);
      } catch (thrown) {
        const passing = toVakhtaError(thrown).kind === 'transient' && !context.signal.aborted;
        if (operation.risk !== 'read' || !passing || n >= READ_ATTEMPTS) throw thrown;
        await clock.sleep(n * 500, context.signal);
      }
    }
  };

  const execute: Work['execute'] = async (run, operation, controller) => {
    const { signal } = controller;
    if (run.cancelAskedBy !== undefined && !signal.aborted) controller.abort(stopped('cancel'));
    const pump = progressPump(tools, run);
    const stopBeating = heartbeat(tools, run, controller);
    const context: RunContext<keyof Ports> = {
      ...tools.contextOf(run, signal),
      plan: run.plan ?? NO_PLAN,
      progress: pump.push,
      remember: async (external) => {
        const ours = await patchRun(db, run.id, { external, onlyBy: worker }, clock.now());
        if (ours) return;
        // Given up for dead, and perhaps done by somebody else by now: what has not been done yet must not be done.
        if (!signal.aborted) controller.abort(stopped('superseded'));
        throw stopped('superseded');
      },
    };
    try {
      if (operation.isNoisy) await tools.quieter?.open(run, operation, signal);
      let outcome: Outcome<unknown>;
      try {
        outcome = await attempt(operation, context, run);
      } catch (thrown) {
        await pump.stop();
        await fell(run, operation, thrown, signal);
        return;
      }
      await pump.stop();
      await conclude(run, operation, outcome, signal);
    } finally {
      stopBeating();
      if (operation.isNoisy) await tools.quieter?.after(run.id);
    }
  };

  const conclude = async (
    run: Run,
    operation: Operation,
    { state, result: raw }: Outcome<unknown>,
    signal: AbortSignal,
  ) => {
    const result = tools.cleanJson(raw);
    if (!operation.verifies) {
      await persist(() => finish(run, state, { result }, 'mine'));
      return;
    }
    const verifying = await persist(() =>
      db.tx((tx) => step(tx, run, 'verifying', { result, onlyBy: worker }, clock.now())),
    );
    if (!verifying) return;
    let verified;
    try {
      verified = await operation.verify(tools.contextOf(verifying, signal), run.args, raw);
    } catch (thrown) {
      const stop = stopOf(signal);
      if (stop === 'superseded') return;
      if (stop === 'shutdown') {
        await handBack(verifying, operation);
        return;
      }
      // Done, but nobody has seen it: amber, because green would be a guess and red would ask for it a second time.
      if (stop === undefined) record(thrown, run);
      const unseen = { ok: false, text: { key: stop === undefined ? 'run-verify-unable' : 'run-verify-stopped' } };
      await persist(() => finish(verifying, 'warning', { verified: unseen }, 'mine'));
      return;
    }
    if (verified === undefined || verified.ok) {
      const seen = verified && { verified: { ok: true, text: tools.clean(verified.text) } };
      await persist(() => finish(verifying, state, seen ?? {}, 'mine'));
      return;
    }
    const error = record(new VakhtaError('permanent', 'not-verified', `not verified: ${verified.text.key}`), run);
    const not = { ok: false, text: tools.clean(verified.text) };
    await persist(() => finish(verifying, 'failed', { verified: not, error }, 'mine'));
  };

  /** Given up in order: a read starts again elsewhere; of a change it has to be found out first how far it came. */
  const handBack = async (run: Run, operation: Operation): Promise<void> => {
    const isRead = operation.risk === 'read';
    const moved = await db.tx(async (tx) => {
      const patch = { progress: null, onlyBy: worker };
      const decision = { actor: SYSTEM, action: isRead ? 'run.requeued' : 'run.reconciling' };
      const after = await step(tx, run, isRead ? 'queued' : 'reconciling', patch, clock.now(), decision);
      if (after && isRead) await releaseLocks(tx, run.id);
      return after;
    });
    if (!moved || !isRead) return;
    await tools.enqueue(moved).catch((error: unknown) => {
      log.warn({ run: run.id, err: error }, 'handed back but not queued; the reconciler will queue it');
    });
    await tools.wake(tools.locksOf(run, operation));
  };

  const fell = async (run: Run, operation: Operation, thrown: unknown, signal: AbortSignal): Promise<void> => {
    const stop = stopOf(signal);
    if (stop === 'superseded') {
      log.warn({ run: run.id, number: run.number }, 'the run is not ours any more; left alone');
      return;
    }
    if (stop === 'shutdown') return handBack(run, operation);
    const error =
      stop === 'cancel'
        ? await askedToStop(run)
        : record(stop === 'timeout' ? timedOut(operation, thrown) : thrown, run);
    const { kind } = toVakhtaError(thrown);
    const isKnown = stop === undefined && (kind === 'usage' || kind === 'denied' || kind === 'permanent');
    if (operation.risk === 'read' || isKnown) {
      await persist(() => finish(run, error.code === 'cancelled' ? 'cancelled' : 'failed', { error }, 'mine'));
      return;
    }
    // Broken off somewhere in a change: nobody may claim that it failed before the outside was asked.
    const patch = { error, progress: { step: { key: 'run-reconciling' } }, onlyBy: worker };
    const moved = await persist(() =>
      db.tx(async (tx) => {
        const decision = { actor: SYSTEM, action: 'run.reconciling' };
        const after = await step(tx, run, 'reconciling', patch, clock.now(), decision);
        // Also what was asked for in passing shows now: somebody waits for an effect that may not have come.
        if (after) await showRun(tx, after, operation, clock.now(), true);
        return after;
      }),
    );
    if (!moved) return;
    const limit = new AbortController();
    const stopLimit = clock.after(RECONCILE_LIMIT_MS, () => limit.abort(stopped('timeout')));
    try {
      await reconcile(moved, operation, limit.signal);
    } finally {
      stopLimit();
    }
  };

  const askedToStop = async (run: Run): Promise<RunError> =>
    cancelled((await findRun(db, run.id))?.cancelAskedBy ?? SYSTEM.id);

  /** How a run ends that came to nothing: as cancelled when that is why, else with the first thing that went wrong. */
  const nothing = async (run: Run, otherwise: () => RunError): Promise<undefined> => {
    const error = run.error ?? (run.cancelAskedBy === undefined ? otherwise() : cancelled(run.cancelAskedBy));
    await finish(run, error.code === 'cancelled' ? 'cancelled' : 'failed', { error, progress: null });
  };

  const note = async (run: Run, text: Text): Promise<undefined> => {
    const progress = { step: tools.clean(text) };
    if (JSON.stringify(progress) === JSON.stringify(run.progress)) return;
    await db.tx(async (tx) => {
      if (await patchRun(tx, run.id, { progress }, clock.now())) await touchCards(tx, 'run', run.id, clock.now());
    });
  };

  const reconcile: Work['reconcile'] = async (run, operation, signal) => {
    let found;
    try {
      found = await operation.reconcile(tools.contextOf(run, signal), run.args, run.external);
    } catch (thrown) {
      const cause = toVakhtaError(thrown);
      if (stopOf(signal) === 'shutdown') return undefined;
      // The outside cannot be asked now: the reconciler comes back. Anything else is told as lost.
      if (cause.kind === 'transient') return note(run, { key: 'run-reconciling-later' });
      const lost = new VakhtaError('permanent', 'lost', cause.message, { cause: thrown });
      await finish(run, 'failed', { error: record(lost, run), progress: null });
      return undefined;
    }
    switch (found.state) {
      case 'busy':
        return note(run, found.text);
      case 'again': {
        const unstarted = () => record(new VakhtaError('permanent', 'lost', 'never started'), run);
        if (run.error !== undefined || run.cancelAskedBy !== undefined) return nothing(run, unstarted);
        const moved = await db.tx(async (tx) => {
          const patch = { worker: null, progress: null };
          const after = await step(tx, run, 'queued', patch, clock.now(), { actor: SYSTEM, action: 'run.requeued' });
          if (after) await releaseLocks(tx, run.id);
          return after;
        });
        if (moved) await tools.wake(tools.locksOf(run, operation));
        return moved;
      }
      case 'failed': {
        const { key, args } = found.text;
        return nothing(run, () => {
          const details = { text: key, ...(args ? { args } : {}) };
          return record(new VakhtaError('permanent', 'lost', `reconciled as failed: ${key}`, details), run);
        });
      }
      case 'succeeded':
      case 'warning':
        await finish(run, found.state, { result: tools.cleanJson(found.result), error: null, progress: null });
        return undefined;
    }
  };

  return { execute, reconcile };
}
