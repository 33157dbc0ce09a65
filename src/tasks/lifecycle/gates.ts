import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { actorName, holds } from '../../core/people.ts';
import { firstGate, gateAfterConfirm, mayAsk, needsDelay, needsStepUp } from '../../core/policy.ts';
import { touchCards } from '../../store/cards.ts';
import { acquireLocks } from '../../store/run-locks.ts';
import { patchRun } from '../../store/run-steps.ts';
import { lockRun, type Run } from '../../store/runs.ts';
import { useStep } from '../../store/stepup.ts';
import type { Operation } from '../define.ts';
import { showRun, step } from './shared.ts';
import { stopOf } from './stop.ts';
import { SYSTEM, type Tools, WAITS_FOR_LOCK } from './tools.ts';

const STEP_UP_TRIES = 3;

/** Everything that stands between asking and doing, as the worker sees it. Each answers the run after its step. */
export interface Gates {
  plan(run: Run, operation: Operation, signal: AbortSignal): Promise<Run | undefined>;
  checkStepUp(run: Run, operation: Operation): Promise<Run | undefined>;
  /** Queued → running, with all its locks; undefined when it has to wait, or somebody else has it. */
  start(run: Run, operation: Operation): Promise<Run | undefined>;
}

/** A lock that another run has, as the card of who waits tells it. */
interface Held {
  /** `#12` */
  readonly holder: string;
  /** Its command, which is the same in all languages: `/backup pg main`. */
  readonly what: string;
  readonly kind: Run['actor']['kind'];
  /** Who asked for it. */
  readonly by: string;
  readonly key: string;
}

export function createGates(tools: Tools): Gates {
  const { db, people, policy, clock, record, finish } = tools;

  const plan: Gates['plan'] = async (run, operation, signal) => {
    let planned;
    try {
      planned = await operation.plan(tools.contextOf(run, signal), run.args);
      if (needsStepUp(operation.approval, policy.solo) && planned.target === '') {
        throw new VakhtaError('bug', 'internal', `${operation.name} plans without a target that could be typed`);
      }
    } catch (thrown) {
      const stop = stopOf(signal);
      // It stays as it is and is planned again: looking changed nothing.
      if (stop === 'shutdown' || stop === 'superseded') return undefined;
      const error = stop === 'timeout' ? timedOut(operation, thrown) : thrown;
      return finish(run, 'failed', { error: record(error, run) });
    }
    const now = clock.now();
    const gate = firstGate(operation.approval, policy.solo);
    const wait = gate === 'confirming' ? policy.confirmMinutes : policy.approveMinutes;
    const patch = {
      plan: { ...planned, lines: planned.lines.map(tools.clean) },
      expiresAt: gate === 'queued' ? null : new Date(now.getTime() + minutes(wait)),
    };
    return db.tx(async (tx) => {
      const moved = await step(tx, run, gate, patch, now);
      if (moved && gate !== 'queued') await showRun(tx, moved, operation, now, true);
      return moved;
    });
  };

  const checkStepUp: Gates['checkStepUp'] = async (run, operation) => {
    const { digest, at } = run.stepUp ?? {};
    if (digest === undefined || at === undefined || run.actor.kind !== 'operator') return undefined;
    const operator = run.actor.id;
    const matched = await tools.stepUp.match(operator, run.id, { digest, at });
    const now = clock.now();
    return db.tx(async (tx) => {
      // Locked, so that two deliveries of the same job cannot judge one code twice: the second would find it used.
      const current = await lockRun(tx, run.id);
      if (current?.state !== 'confirming' || current.stepUp?.digest !== digest) return undefined;
      const { failures } = current.stepUp;
      if (matched !== undefined && (await useStep(tx, operator, matched, now))) {
        const to = gateAfterConfirm(operation.approval, policy.solo);
        const delay = needsDelay(operation.approval, policy.solo) && to === 'queued';
        const patch = {
          confirmedBy: actorName(run.actor),
          stepUp: { failures, checked: true },
          notBefore: delay ? new Date(now.getTime() + minutes(policy.soloDelayMinutes)) : null,
          expiresAt: to === 'approving' ? new Date(now.getTime() + minutes(policy.approveMinutes)) : null,
          error: null,
        };
        const moved = await step(tx, current, to, patch, now, { actor: run.actor, action: 'run.confirmed' });
        if (moved) await showRun(tx, moved, operation, now, true);
        return moved;
      }
      const left = STEP_UP_TRIES - failures - 1;
      const wrong = new VakhtaError('denied', 'step-up-wrong', 'step-up code is wrong or used', { args: { left } });
      const patch = { stepUp: { failures: failures + 1 }, error: record(wrong, run) };
      const audited = { actor: run.actor, action: 'run.step-up-wrong', detail: { left } };
      await step(tx, current, left > 0 ? 'confirming' : 'rejected', patch, now, audited);
      if (left <= 0) tools.onEnd?.(run.operation, 'rejected', now.getTime() - run.createdAt.getTime());
      return undefined;
    });
  };

  /** Everything that has to hold at the moment of acting, whatever was checked before. */
  const refusal = (run: Run, operation: Operation): VakhtaError | undefined => {
    const lost = (who: string) =>
      new VakhtaError('denied', 'role-lost', `${who} lost the role for ${operation.name}`, { args: { who } });
    if (run.actor.kind === 'operator') {
      const operator = people(run.actor.id);
      if (!operator || !holds(operator.role, operation.role)) return lost(run.actor.id);
    } else if (!mayAsk(run.actor.kind, operation.approval, policy.solo)) return lost(run.actor.id);
    const requester = actorName(run.actor);
    const needsSecond = (operation.approval === 'second' || operation.approval === 'destroy') && !policy.solo;
    const confirmMissing = firstGate(operation.approval, policy.solo) === 'confirming' && run.confirmedBy !== requester;
    const codeMissing = needsStepUp(operation.approval, policy.solo) && run.stepUp?.checked !== true;
    const secondMissing = needsSecond && (run.approvedBy === undefined || run.approvedBy === requester);
    if (secondMissing || confirmMissing || codeMissing) {
      return new VakhtaError('denied', 'approval-missing', `run ${run.id} reached the worker without its approval`);
    }
    if (run.approvedBy !== undefined) {
      const id = run.approvedBy.replace(/^operator:/u, '');
      const approver = people(id);
      if (!approver || !holds(approver.role, operation.risk === 'destroy' ? 'admin' : operation.role)) return lost(id);
    }
    return undefined;
  };

  const isNoted = ({ progress }: Run, held: Held): boolean => {
    const { key: text, args } = progress?.step ?? {};
    return text === WAITS_FOR_LOCK && Object.entries(held).every(([name, value]) => args?.[name] === value);
  };

  const heldBy = ({ number, operation, plan: planned, actor }: Run, key: string): Held => ({
    holder: `#${number}`,
    what: shorten(`/${operation.replaceAll('.', ' ')} ${planned?.target ?? ''}`.trim()),
    kind: actor.kind,
    by: (actor.kind === 'operator' ? people(actor.id)?.name : undefined) ?? actor.id,
    key,
  });

  /** Says on the card whom the run waits for; who holds the lock finds the run by this, too. */
  const note = (run: Run, held: Held): Promise<Run | undefined> =>
    db.tx(async (tx) => {
      const now = clock.now();
      const progress = { step: { key: WAITS_FOR_LOCK, args: { ...held } } };
      const noted = await patchRun(tx, run.id, { progress }, now);
      await touchCards(tx, 'run', run.id, now);
      return noted;
    });

  const start: Gates['start'] = async (run, operation) => {
    const now = clock.now();
    if (run.notBefore && run.notBefore > now) {
      await tools.enqueue(run, run.notBefore.getTime() - now.getTime());
      return undefined;
    }
    const refused = refusal(run, operation);
    if (refused) return finish(run, 'failed', { error: record(refused, run) });
    const keys = tools.locksOf(run, operation);
    let waiting = run;
    for (;;) {
      const got = await take(waiting, keys);
      if (got === 'elsewhere') return undefined;
      if ('run' in got) return got.run;
      // Only a refusal that the card already tells of is the end: who let go before the note was there could not wake us.
      if (isNoted(waiting, got)) return undefined;
      const noted = await note(waiting, got);
      if (noted?.state !== 'queued') return undefined;
      waiting = noted;
    }
  };

  type Taken = { readonly run: Run } | Held | 'elsewhere';

  const take = async (run: Run, keys: readonly string[]): Promise<Taken> => {
    const now = clock.now();
    try {
      return await db.tx(async (tx): Promise<Taken> => {
        const got = await acquireLocks(tx, run.id, keys, now);
        if (!got.ok) return heldBy(got.holder, got.key);
        const patch = { worker: tools.worker, progress: null, error: null };
        const started = await step(tx, run, 'running', patch, now, { actor: SYSTEM, action: 'run.started' });
        // Rolled back: locks of a run that was cancelled meanwhile would be held for ever.
        if (!started) throw new Elsewhere();
        return { run: started };
      });
    } catch (thrown) {
      if (thrown instanceof Elsewhere) return 'elsewhere';
      throw thrown;
    }
  };

  return { plan, checkStepUp, start };
}

/** A target may be a whole matcher; the card of who waits needs the beginning of it. */
const shorten = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 59)}…`);

/** Rolls a transaction back when somebody else has the run already; never leaves this file. */
class Elsewhere extends Error {}

export const timedOut = (operation: Operation, cause: unknown): VakhtaError =>
  new VakhtaError('permanent', 'timed-out', 'time limit reached', {
    args: { minutes: Math.max(1, Math.round(operation.timeoutMs / 60_000)) },
    cause,
  });
