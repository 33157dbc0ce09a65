import { minutes, type Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { actorName, holds, type Actor, type Role } from '../../core/people.ts';
import { gateAfterConfirm, mayApprove, mayAsk, needsDelay, needsStepUp } from '../../core/policy.ts';
import { newId, type Random } from '../../core/random.ts';
import { isFinal } from '../../core/run.ts';
import { stepUpDigest } from '../../core/step-up.ts';
import { appendAudit } from '../../store/audit.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import { askCancel } from '../../store/run-steps.ts';
import { insertRun, lockRun, type Origin, run as findRun, runByKey, type Run } from '../../store/runs.ts';
import type { Log } from '../../core/log.ts';
import type { Args, Operation } from '../define.ts';
import { beginFix } from '../fixes/begin.ts';
import { cancelled, type People, showRun, step } from './shared.ts';

export type { Origin } from '../../store/runs.ts';

export interface RequestOptions {
  readonly origin?: Origin;
  /** The same key gives the same run: a press that arrives twice, a schedule that two replicas fire. */
  readonly idempotencyKey?: string;
}

export type Verb = 'confirm' | 'approve' | 'reject' | 'cancel';

/** What a person typed along with an answer to a `destroy`. */
export interface Given {
  readonly typed?: string;
  readonly code?: string;
}

/** The one way to ask for an operation, whoever asks: command, button, form, schedule, command line, HTTP. */
export interface Requests {
  /**
   * Checks role and arguments, writes run, audit and card in one transaction, then hands the run on. Inline operations
   * are finished when this returns. Throws `usage` for arguments and `denied` for a missing role (both audited).
   */
  request(actor: Actor, operation: string, raw: unknown, options?: RequestOptions): Promise<Run>;
  /** The same inside the caller's transaction; call `dispatch` with the run once it is committed. */
  requestWithin(tx: Tx, actor: Actor, operation: string, raw: unknown, options?: RequestOptions): Promise<Run>;
  dispatch(run: Run): Promise<void>;
  /** Answers a waiting run, or cancels one. Who may do so is checked now. */
  answer(runId: string, verb: Verb, actor: Actor, given?: Given): Promise<Run>;
}

export interface RequestsOptions {
  readonly db: Database;
  readonly operations: ReadonlyMap<string, Operation>;
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
  /** Puts a run's id into the queue. May fail: the reconciler queues again what was committed but never queued. */
  readonly enqueue: (run: Run, delayMs?: number) => Promise<void>;
  /** Executes an inline operation in this process. */
  readonly processInline: (runId: string) => Promise<void>;
}

export function createRequests(options: RequestsOptions): Requests {
  const { db, operations, people, policy, clock, random, log } = options;

  const find = (name: string): Operation => {
    const operation = operations.get(name);
    if (!operation) {
      throw new VakhtaError('usage', 'unknown-operation', `unknown operation ${name}`, { args: { operation: name } });
    }
    return operation;
  };

  /** Nothing happens, and the audit says who tried; with the incident on whose card it was, so that its ledger can tell. */
  const deny = async (
    actor: Actor,
    subject: string,
    action: string,
    error: VakhtaError,
    { incident }: Origin = {},
  ): Promise<VakhtaError> => {
    const detail = { action, why: error.code, ...error.args, ...(incident === undefined ? {} : { incident }) };
    const entry = { actor: actorName(actor), action: 'denied', subject, detail };
    await db.tx((tx) => appendAudit(tx, entry, clock.now()));
    return error;
  };

  /** Whoever comes in otherwise than by a person's account is let in by the configuration or by access to the machine. */
  const authorise = async (
    actor: Actor,
    role: Role,
    action: string,
    subject: string,
    origin: Origin | undefined,
  ): Promise<void> => {
    const operator = actor.kind === 'operator' ? people(actor.id) : undefined;
    const isTrusted = actor.kind !== 'operator' && actor.kind !== 'outsider';
    if (isTrusted || (operator && holds(operator.role, role))) return;
    const error = new VakhtaError('denied', 'no-role', `${actorName(actor)} needs ${role} for ${subject}`, {
      args: { role },
    });
    throw await deny(actor, subject, action, error, origin);
  };

  const admit = async (actor: Actor, operation: Operation, origin: Origin | undefined): Promise<void> => {
    await authorise(actor, operation.role, 'request', operation.name, origin);
    if (mayAsk(actor.kind, operation.approval, policy.solo)) return;
    const error = new VakhtaError('denied', 'needs-person', `${actorName(actor)} could not confirm ${operation.name}`);
    throw await deny(actor, operation.name, 'request', error, origin);
  };

  const insert = async (
    tx: Tx,
    actor: Actor,
    operation: Operation,
    args: Args,
    given: RequestOptions,
  ): Promise<Run> => {
    const now = clock.now();
    const run = await insertRun(
      tx,
      {
        id: newId(random, now),
        operation: operation.name,
        args,
        actor,
        origin: { ...given.origin },
        state: 'planning',
        ...(given.idempotencyKey === undefined ? {} : { idempotencyKey: given.idempotencyKey }),
      },
      now,
    );
    if (!run) {
      const earlier = given.idempotencyKey === undefined ? undefined : await runByKey(tx, given.idempotencyKey);
      if (!earlier) throw new VakhtaError('bug', 'internal', 'a run was neither inserted nor found');
      if (earlier.operation === operation.name && actorName(earlier.actor) === actorName(actor)) return earlier;
      throw new VakhtaError('usage', 'key-reused', `idempotency key of run ${earlier.id} used for something else`);
    }
    await appendAudit(
      tx,
      {
        actor: actorName(actor),
        action: 'run.requested',
        subject: `run:${run.number}`,
        detail: { operation: operation.name, args },
      },
      now,
    );
    await beginFix(tx, run, now);
    await showRun(tx, run, operation, now, false);
    return run;
  };

  const dispatch = async (run: Run, delayMs?: number): Promise<void> => {
    const operation = find(run.operation);
    if (operation.inline) return options.processInline(run.id);
    try {
      await options.enqueue(run, delayMs);
    } catch (error) {
      log.warn({ run: run.id, err: error }, 'run is committed but not queued; the reconciler will queue it');
    }
  };

  const requestWithin: Requests['requestWithin'] = async (tx, actor, name, raw, given = {}) => {
    const operation = find(name);
    await admit(actor, operation, given.origin);
    return insert(tx, actor, operation, operation.parse(raw), given);
  };

  const request: Requests['request'] = async (actor, name, raw, given = {}) => {
    const operation = find(name);
    await admit(actor, operation, given.origin);
    const args = operation.parse(raw);
    const run = await db.tx((tx) => insert(tx, actor, operation, args, given));
    if (run.state !== 'planning') return run;
    await dispatch(run);
    return operation.inline ? ((await findRun(db, run.id)) ?? run) : run;
  };

  const load = async (runId: string): Promise<{ run: Run; operation: Operation }> => {
    const run = await findRun(db, runId);
    if (!run) throw new VakhtaError('usage', 'no-run', `no run ${runId}`);
    return { run, operation: find(run.operation) };
  };

  const tooLate = (run: Run): VakhtaError =>
    new VakhtaError('usage', 'run-moved', `run ${run.id} is ${run.state}`, {
      args: { number: String(run.number), state: run.state },
    });

  /** Moves the run or says who was faster; hands it on where it now waits for the worker. */
  const advance = async (
    run: Run,
    to: Parameters<typeof step>[2],
    patch: Parameters<typeof step>[3],
    actor: Actor,
    action: string,
  ): Promise<Run> => {
    const moved = await db.tx((tx) => step(tx, run, to, patch, clock.now(), { actor, action }));
    if (!moved) throw tooLate((await findRun(db, run.id)) ?? run);
    if (to === 'queued') {
      await dispatch(
        moved,
        moved.notBefore ? Math.max(0, moved.notBefore.getTime() - clock.now().getTime()) : undefined,
      );
    }
    return moved;
  };

  /** The reconciler has not come by yet, but the time to answer is over. */
  const checkOpen = (run: Run): void => {
    if (run.expiresAt && run.expiresAt <= clock.now()) throw tooLate({ ...run, state: 'expired' });
  };

  const confirm = async (run: Run, operation: Operation, actor: Actor, given: Given): Promise<Run> => {
    if (run.state !== 'confirming') throw tooLate(run);
    checkOpen(run);
    const subject = `run:${run.number}`;
    if (actorName(run.actor) !== actorName(actor)) {
      const args = { requester: run.actor.id };
      const error = new VakhtaError('denied', 'not-requester', 'only the requester confirms', { args });
      throw await deny(actor, subject, 'confirm', error, run.origin);
    }
    const now = clock.now();
    if (!needsStepUp(operation.approval, policy.solo)) {
      const to = gateAfterConfirm(operation.approval, policy.solo);
      return advance(run, to, { confirmedBy: actorName(actor), expiresAt: null }, actor, 'run.confirmed');
    }
    if (actor.kind !== 'operator' || people(actor.id)?.hasTotp !== true) {
      const error = new VakhtaError('denied', 'no-totp', `${actorName(actor)} has no TOTP secret`);
      throw await deny(actor, subject, 'confirm', error, run.origin);
    }
    // Already on its way to the worker: a second code would take the place of the first one, unseen.
    if (run.stepUp?.digest !== undefined) throw new VakhtaError('usage', 'step-up-checking', 'a code is being checked');
    const target = run.plan?.target ?? '';
    if (target === '' || given.typed?.trim() !== target) {
      throw new VakhtaError('usage', 'typed-name', 'typed name differs', { args: { target } });
    }
    if (!/^\s*\d{3}\s?\d{3}\s*$/u.test(given.code ?? '')) {
      throw new VakhtaError('usage', 'step-up-needed', 'a six-digit step-up code is needed');
    }
    const stepUp = {
      digest: await stepUpDigest(run.id, given.code ?? ''),
      at: now.toISOString(),
      failures: run.stepUp?.failures ?? 0,
    };
    const moved = await db.tx(async (tx) => {
      const current = await lockRun(tx, run.id);
      if (current?.state !== 'confirming' || current.stepUp?.digest !== undefined) return undefined;
      return step(tx, current, 'confirming', { stepUp, error: null }, now, { actor, action: 'run.step-up' });
    });
    if (!moved) throw tooLate((await findRun(db, run.id)) ?? run);
    // The worker alone knows the TOTP secrets, so it says whether the code is right.
    await dispatch(moved);
    return moved;
  };

  const approve = async (run: Run, operation: Operation, actor: Actor): Promise<Run> => {
    if (run.state !== 'approving') throw tooLate(run);
    checkOpen(run);
    const subject = `run:${run.number}`;
    // A second person has a name: access to the machine alone does not make anybody one.
    const person = actor.kind === 'operator' ? people(actor.id) : undefined;
    if (!person) {
      const error = new VakhtaError('denied', 'approver-unnamed', `${actorName(actor)} is nobody who could approve`);
      throw await deny(actor, subject, 'approve', error, run.origin);
    }
    const verdict = mayApprove(person, run.actor.id, operation);
    if (verdict === 'own-run') {
      const error = new VakhtaError('denied', 'own-run', 'nobody approves their own run');
      throw await deny(actor, subject, 'approve', error, run.origin);
    }
    if (verdict === 'role') {
      const role = operation.risk === 'destroy' ? 'admin' : operation.role;
      const error = new VakhtaError('denied', 'no-role', `approving ${operation.name} needs ${role}`, {
        args: { role },
      });
      throw await deny(actor, subject, 'approve', error, run.origin);
    }
    const delay = needsDelay(operation.approval, policy.solo);
    const notBefore = delay ? new Date(clock.now().getTime() + minutes(policy.soloDelayMinutes)) : null;
    return advance(run, 'queued', { approvedBy: actorName(actor), expiresAt: null, notBefore }, actor, 'run.approved');
  };

  /** What is left of a code that was never looked at does not outlive the question. */
  const forgetCode = ({ stepUp }: Run) => (stepUp ? { stepUp: { failures: stepUp.failures } } : {});

  const reject = (run: Run, actor: Actor): Promise<Run> => {
    if (run.state !== 'confirming' && run.state !== 'approving') throw tooLate(run);
    return advance(run, 'rejected', forgetCode(run), actor, 'run.rejected');
  };

  const cancel = async (asked: Run, actor: Actor): Promise<Run> => {
    const by = actorName(actor);
    let run = asked;
    for (;;) {
      const { state } = run;
      if (isFinal(state)) throw tooLate(run);
      if (state === 'running' || state === 'verifying') {
        const now = clock.now();
        const current = run;
        await db.tx(async (tx) => {
          if (!(await askCancel(tx, current.id, by, now))) return;
          const subject = `run:${current.number}`;
          await appendAudit(tx, { actor: by, action: 'run.cancel-asked', subject, detail: {} }, now);
          await touchCards(tx, 'run', current.id, now);
        });
        return (await findRun(db, run.id)) ?? run;
      }
      const moved = await db.tx((tx) => {
        const decision = { actor, action: state === 'reconciling' ? 'run.abandoned' : 'run.cancelled' };
        // While it is being found out what happened, nobody may say that nothing did.
        if (state === 'reconciling') return step(tx, run, 'failed', { error: abandoned(actor) }, clock.now(), decision);
        return step(tx, run, 'cancelled', { error: cancelled(by), ...forgetCode(run) }, clock.now(), decision);
      });
      if (moved) return moved;
      // It went on while we looked: started, perhaps, and is then cancelled in another way.
      const after = await findRun(db, run.id);
      if (!after || after.state === state) throw tooLate(after ?? run);
      run = after;
    }
  };

  return {
    request,
    requestWithin,
    dispatch,
    answer: async (runId, verb, actor, given = {}) => {
      const { run, operation } = await load(runId);
      await authorise(actor, operation.role, verb, operation.name, run.origin);
      switch (verb) {
        case 'confirm':
          return confirm(run, operation, actor, given);
        case 'approve':
          return approve(run, operation, actor);
        case 'reject':
          return reject(run, actor);
        case 'cancel':
          return cancel(run, actor);
      }
    },
  };
}

/** What a run carries that somebody gave up while it was being found out what became of it. */
const abandoned = (actor: Actor) => ({
  kind: 'permanent' as const,
  code: 'abandoned',
  text: 'err-abandoned',
  args: { by: actor.id },
});
