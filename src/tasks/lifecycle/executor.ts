import { minutes, seconds, type Clock } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { actorName, holds, type Actor } from '../../core/people.ts';
import { firstGate, gateAfterConfirm, needsDelay, needsStepUp } from '../../core/policy.ts';
import { newErrorId, type Random } from '../../core/random.ts';
import { isFinal } from '../../core/run.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database } from '../../store/db.ts';
import { acquireLocks, releaseLocks } from '../../store/run-locks.ts';
import { patchRun, run as findRun, type Run, type RunError } from '../../store/runs.ts';
import type { Log } from '../../core/log.ts';
import type { Context, Operation, Plan, Progress, RunContext } from '../define.ts';
import type { Ports } from '../ports.ts';
import { cancelled } from './requests.ts';
import { type People, showRun, step } from './shared.ts';
import type { StepUp } from './step-up.ts';

export interface ExecutorOptions {
  readonly db: Database;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly ports: Ports;
  readonly people: People;
  readonly policy: {
    readonly solo: boolean;
    readonly confirmMinutes: number;
    readonly approveMinutes: number;
    readonly soloDelayMinutes: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Name of this process, written into the run while it works on it. */
  readonly worker: string;
  readonly stepUp: StepUp;
  readonly enqueue: (run: Run, delayMs?: number) => Promise<void>;
  /** Counts how runs ended. */
  readonly onEnd?: (operation: string, state: Run['state'], durationMs: number) => void;
}

export interface Executor {
  /** Takes the run as far as it can go now: plan, check a code, execute, or find out what became of it. */
  process(runId: string, shutdown?: AbortSignal): Promise<void>;
  /** Aborts the run if it is executing in this process. */
  cancel(runId: string): void;
}

/** How often a run under way says that its worker lives; the reconciler looks after those that fell silent. */
export const HEARTBEAT_MS = seconds(10);
const LOCK_RETRY_MS = seconds(2);
const READ_ATTEMPTS = 3;
const STEP_UP_TRIES = 3;
const SYSTEM: Actor = { kind: 'system', id: 'vakhta' };
const NO_PLAN: Plan = { target: '', lines: [] };

type Stop = 'cancel' | 'timeout' | 'shutdown';

export function createExecutor(options: ExecutorOptions): Executor {
  const { db, operations, people, policy, clock, log } = options;
  const active = new Map<string, AbortController>();

  const contextOf = (run: Run, signal: AbortSignal): Context<keyof Ports> => {
    const operator = run.actor.kind === 'operator' ? people(run.actor.id) : undefined;
    return {
      runId: run.id,
      actor: run.actor,
      ...(operator ? { operator } : {}),
      ports: options.ports,
      clock,
      log,
      signal,
    };
  };

  /** An error as the run keeps it: with an id that the operator can quote, and the cause in the log only. */
  const record = (thrown: unknown, run: Run): RunError => {
    const error = toVakhtaError(thrown);
    const id = newErrorId(options.random);
    const level = error.kind === 'bug' ? 'error' : 'warn';
    log[level]({ run: run.id, number: run.number, operation: run.operation, errorId: id, err: thrown }, error.message);
    return { id, kind: error.kind, code: error.code, text: error.text, args: error.args };
  };

  const finish = async (run: Run, to: Run['state'], patch: Parameters<typeof step>[3]): Promise<Run | undefined> => {
    const now = clock.now();
    const operation = operations.get(run.operation);
    const moved = await db.tx(async (tx) => {
      const after = await step(tx, run, to, patch, now, { actor: SYSTEM, action: `run.${to}` });
      if (after && operation) await showRun(tx, after, operation, now, to !== 'succeeded');
      return after;
    });
    if (moved) options.onEnd?.(run.operation, to, now.getTime() - (run.startedAt ?? run.createdAt).getTime());
    return moved;
  };

  const plan = async (run: Run, operation: Operation, signal: AbortSignal): Promise<Run | undefined> => {
    let planned;
    try {
      planned = await operation.plan(contextOf(run, signal), run.args);
    } catch (thrown) {
      return finish(run, 'failed', { error: record(thrown, run) });
    }
    const now = clock.now();
    const gate = firstGate(operation.approval, policy.solo);
    const wait = gate === 'confirming' ? policy.confirmMinutes : policy.approveMinutes;
    const patch = { plan: planned, expiresAt: gate === 'queued' ? null : new Date(now.getTime() + minutes(wait)) };
    return db.tx(async (tx) => {
      const moved = await step(tx, run, gate, patch, now);
      if (moved && gate !== 'queued') await showRun(tx, moved, operation, now, true);
      return moved;
    });
  };

  const checkStepUp = async (run: Run, operation: Operation): Promise<Run | undefined> => {
    const given = run.stepUp;
    if (!given || run.actor.kind !== 'operator') return undefined;
    const now = clock.now();
    const good = await options.stepUp.check(run.actor.id, run.id, given);
    if (good) {
      const to = gateAfterConfirm(operation.approval, policy.solo);
      const delay = needsDelay(operation.approval, policy.solo) && to === 'queued';
      const notBefore = delay ? new Date(now.getTime() + minutes(policy.soloDelayMinutes)) : null;
      const expiresAt = to === 'approving' ? new Date(now.getTime() + minutes(policy.approveMinutes)) : null;
      return db.tx((tx) =>
        step(
          tx,
          run,
          to,
          {
            confirmedBy: actorName(run.actor),
            stepUp: { failures: given.failures, checked: true },
            notBefore,
            expiresAt,
            error: null,
          },
          now,
          {
            actor: run.actor,
            action: 'run.confirmed',
          },
        ),
      );
    }
    const failures = given.failures + 1;
    const error = record(
      new VakhtaError('denied', 'step-up-wrong', 'step-up code is wrong', { args: { left: STEP_UP_TRIES - failures } }),
      run,
    );
    if (failures >= STEP_UP_TRIES) return finish(run, 'rejected', { error });
    await db.tx((tx) =>
      step(tx, run, 'confirming', { stepUp: { failures }, error }, now, {
        actor: run.actor,
        action: 'run.step-up-wrong',
      }),
    );
    return undefined;
  };

  /** Everything that has to hold at the moment of acting, whatever was checked before. */
  const stillAllowed = (run: Run, operation: Operation): VakhtaError | undefined => {
    const lost = (who: string) =>
      new VakhtaError('denied', 'role-lost', `${who} lost the role for ${operation.name}`, { args: { who } });
    if (run.actor.kind === 'outsider') return lost(run.actor.id);
    if (run.actor.kind === 'operator') {
      const operator = people(run.actor.id);
      if (!operator || !holds(operator.role, operation.role)) return lost(run.actor.id);
    }
    const needsSecond = operation.approval === 'second' || operation.approval === 'destroy';
    const secondMissing = needsSecond && !policy.solo && !run.approvedBy;
    const confirmMissing = firstGate(operation.approval, policy.solo) === 'confirming' && !run.confirmedBy;
    const codeMissing = needsStepUp(operation.approval, policy.solo) && run.stepUp?.checked !== true;
    if (secondMissing || confirmMissing || codeMissing) {
      return new VakhtaError('bug', 'internal', `run ${run.id} reached the worker without its approval`);
    }
    if (run.approvedBy?.startsWith('operator:')) {
      const approver = people(run.approvedBy.slice('operator:'.length));
      if (!approver || !holds(approver.role, operation.risk === 'destroy' ? 'admin' : operation.role))
        return lost(run.approvedBy);
    }
    return undefined;
  };

  /** Queued → running, with all locks, or undefined when it has to wait or somebody else has it. */
  const start = async (run: Run, operation: Operation): Promise<Run | undefined> => {
    const now = clock.now();
    if (run.notBefore && run.notBefore > now) {
      await options.enqueue(run, run.notBefore.getTime() - now.getTime());
      return undefined;
    }
    const refusal = stillAllowed(run, operation);
    if (refusal) return finish(run, 'failed', { error: record(refusal, run) });
    const keys = operation.locks(run.args, run.plan ?? NO_PLAN);
    return db.tx(async (tx) => {
      const got = keys.length === 0 ? ({ ok: true } as const) : await acquireLocks(tx, run.id, keys, now);
      if (!got.ok) {
        const holder = `#${got.holder.number}`;
        await patchRun(
          tx,
          run.id,
          { progress: { step: { key: 'run-waits-lock', args: { holder, key: got.key } } } },
          now,
        );
        await touchCards(tx, 'run', run.id, now);
        await options.enqueue(run, LOCK_RETRY_MS);
        return undefined;
      }
      const patch = { worker: options.worker, progress: null, error: null };
      return step(tx, run, 'running', patch, now, { actor: run.actor, action: 'run.started' });
    });
  };

  const execute = async (run: Run, operation: Operation, controller: AbortController): Promise<void> => {
    const { signal } = controller;
    const base = contextOf(run, signal);
    const pump = progressPump(options, run);
    const context: RunContext<keyof Ports> = {
      ...base,
      plan: run.plan ?? NO_PLAN,
      progress: pump.push,
      remember: async (external) => {
        await patchRun(db, run.id, { external }, clock.now());
      },
    };
    const heart = heartbeat(options, run);
    let outcome;
    try {
      outcome = await attempt(operation, context, run);
    } catch (thrown) {
      await pump.stop();
      heart();
      return failed(run, operation, thrown, signal);
    }
    await pump.stop();
    try {
      if (!operation.verifies) {
        await finish(run, outcome.state, { result: outcome.result });
        return;
      }
      const verifying = await db.tx((tx) => step(tx, run, 'verifying', { result: outcome.result }, clock.now()));
      if (!verifying) return;
      const verified = await operation.verify(contextOf(verifying, signal), run.args, outcome.result);
      if (verified && !verified.ok) {
        const error = record(
          new VakhtaError('permanent', 'not-verified', 'verification failed', { args: { why: verified.text.key } }),
          run,
        );
        await finish(verifying, 'failed', { verified, error });
        return;
      }
      await finish(verifying, outcome.state, verified ? { verified } : {});
    } catch (thrown) {
      const current = await findRun(db, run.id);
      if (current) await failed(current, operation, thrown, signal);
    } finally {
      heart();
    }
  };

  /** Reads are tried again when the fault is passing; what changes things never is. */
  const attempt = async (operation: Operation, context: RunContext<keyof Ports>, run: Run) => {
    for (let n = 1; ; n++) {
      try {
        return await operation.run(context, run.args);
      } catch (thrown) {
        const passing = toVakhtaError(thrown).kind === 'transient' && !context.signal.aborted;
        if (operation.risk !== 'read' || !passing || n >= READ_ATTEMPTS) throw thrown;
        await clock.sleep(n * 500, context.signal);
      }
    }
  };

  const failed = async (run: Run, operation: Operation, thrown: unknown, signal: AbortSignal): Promise<void> => {
    const reason = signal.aborted ? (signal.reason as Stop) : undefined;
    switch (reason) {
      case 'cancel': {
        const current = await findRun(db, run.id);
        const by = current?.cancelAskedBy ?? 'vakhta';
        await finish(current ?? run, 'cancelled', {
          error: cancelled({ kind: 'system', id: by.replace(/^operator:/u, '') }),
        });
        return;
      }
      case 'shutdown':
        // Handed back: a read starts again elsewhere; of a change it has to be found out first how far it came.
        await db.tx(async (tx) => {
          const moved = await step(tx, run, operation.risk === 'read' ? 'queued' : 'reconciling', {}, clock.now());
          if (moved) await releaseLocksIfRead(moved, operation, tx);
        });
        return;
      case 'timeout': {
        const args = { minutes: Math.round(operation.timeoutMs / 60_000) };
        const error = record(
          new VakhtaError('permanent', 'timed-out', 'time limit reached', { args, cause: thrown }),
          run,
        );
        await finish(run, 'failed', { error });
        return;
      }
      case undefined:
        await finish(run, 'failed', { error: record(thrown, run) });
    }
  };

  const releaseLocksIfRead = async (run: Run, operation: Operation, tx: Parameters<typeof releaseLocks>[0]) => {
    if (operation.risk === 'read') await releaseLocks(tx, run.id);
  };

  const reconcile = async (run: Run, operation: Operation, signal: AbortSignal): Promise<void> => {
    let found;
    try {
      found = await operation.reconcile(contextOf(run, signal), run.args, run.external ?? undefined);
    } catch (thrown) {
      const error = toVakhtaError(thrown);
      // The outside cannot be asked now: the reconciler comes back. Anything else is told as lost.
      if (error.kind === 'transient') return;
      const lost = new VakhtaError('permanent', 'lost', error.message, { args: { why: error.code }, cause: thrown });
      await finish(run, 'failed', { error: record(lost, run) });
      return;
    }
    switch (found.state) {
      case 'busy': {
        await db.tx(async (tx) => {
          await patchRun(tx, run.id, { progress: { step: found.text } }, clock.now());
          await touchCards(tx, 'run', run.id, clock.now());
        });
        return;
      }
      case 'again': {
        const moved = await db.tx(async (tx) => {
          await releaseLocks(tx, run.id);
          return step(tx, run, 'queued', { worker: null }, clock.now(), { actor: SYSTEM, action: 'run.requeued' });
        });
        if (moved) await options.enqueue(moved);
        return;
      }
      case 'failed': {
        const error = record(
          new VakhtaError('permanent', 'lost', 'reconciled as failed', {
            text: found.text.key,
            ...(found.text.args ? { args: found.text.args } : {}),
          }),
          run,
        );
        await finish(run, 'failed', { error });
        return;
      }
      case 'succeeded':
      case 'warning':
        await finish(run, found.state, { result: found.result });
    }
  };

  const process: Executor['process'] = async (runId, shutdown) => {
    // One run is worked on once per process; the database keeps other processes away.
    if (active.has(runId)) return;
    const controller = new AbortController();
    active.set(runId, controller);
    const onShutdown = () => controller.abort('shutdown' satisfies Stop);
    shutdown?.addEventListener('abort', onShutdown, { once: true });
    let cancelTimeout: (() => void) | undefined;
    try {
      let run = await findRun(db, runId);
      for (let turn = 0; run && !isFinal(run.state) && turn < 5; turn++) {
        const operation = operations.get(run.operation);
        if (!operation) {
          const unknown = new VakhtaError('usage', 'unknown-operation', `run of unknown operation ${run.operation}`, {
            args: { operation: run.operation },
          });
          await finish(run, 'failed', { error: record(unknown, run) });
          return;
        }
        cancelTimeout ??= clock.after(operation.timeoutMs, () => controller.abort('timeout' satisfies Stop));
        if (run.state === 'planning') run = await plan(run, operation, controller.signal);
        else if (run.state === 'confirming') run = run.stepUp?.digest ? await checkStepUp(run, operation) : undefined;
        else if (run.state === 'reconciling') return await reconcile(run, operation, controller.signal);
        else if (run.state === 'queued') {
          const running: Run | undefined = await start(run, operation);
          if (running?.state === 'running') await execute(running, operation, controller);
          return;
        } else return;
      }
    } finally {
      cancelTimeout?.();
      shutdown?.removeEventListener('abort', onShutdown);
      active.delete(runId);
    }
  };

  return { process, cancel: (runId) => active.get(runId)?.abort('cancel' satisfies Stop) };
}

/** Writes the newest progress once a second at most, and never lets a slow database hold up the work. */
function progressPump({ db, clock, log }: ExecutorOptions, run: Run) {
  let latest: Progress | undefined;
  let writing: Promise<void> | undefined;
  let last = 0;
  let cancelTimer: (() => void) | undefined;
  const write = async (): Promise<void> => {
    const progress = latest;
    if (!progress) return;
    latest = undefined;
    last = clock.now().getTime();
    try {
      await db.tx(async (tx) => {
        await patchRun(tx, run.id, { progress }, clock.now());
        await touchCards(tx, 'run', run.id, clock.now());
      });
    } catch (error) {
      log.warn({ run: run.id, err: error }, 'progress was not stored');
    }
  };
  const kick = (): void => {
    if (writing || cancelTimer) return;
    const wait = last + seconds(1) - clock.now().getTime();
    const go = () => {
      cancelTimer = undefined;
      writing = write().finally(() => {
        writing = undefined;
        if (latest) kick();
      });
    };
    if (wait <= 0) go();
    else cancelTimer = clock.after(wait, go);
  };
  return {
    push: (progress: Progress): void => {
      latest = progress;
      kick();
    },
    stop: async (): Promise<void> => {
      cancelTimer?.();
      latest = undefined;
      await writing;
    },
  };
}

/** Says every few seconds that the worker lives, and obeys a cancel that was asked for in another process. */
function heartbeat({ db, clock, log }: ExecutorOptions, run: Run): () => void {
  let stopped = false;
  let cancelTimer: (() => void) | undefined;
  const beat = (): void => {
    cancelTimer = clock.after(HEARTBEAT_MS, () => {
      patchRun(db, run.id, { heartbeat: true }, clock.now())
        .catch((error: unknown) => log.warn({ run: run.id, err: error }, 'heartbeat was not stored'))
        .finally(() => {
          if (!stopped) beat();
        });
    });
  };
  beat();
  return () => {
    stopped = true;
    cancelTimer?.();
  };
}
