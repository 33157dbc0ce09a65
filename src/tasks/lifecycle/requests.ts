import { minutes, type Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { actorName, holds, type Actor, type Operator, type Role } from '../../core/people.ts';
import { gateAfterConfirm, mayApprove, needsDelay, needsStepUp } from '../../core/policy.ts';
import { newId, type Random } from '../../core/random.ts';
import { stepUpDigest } from '../../core/step-up.ts';
import { appendAudit } from '../../store/audit.ts';
import type { Database, Tx } from '../../store/db.ts';
import { askCancel, insertRun, type Origin, run as findRun, runByKey, type Run } from '../../store/runs.ts';
import type { Log } from '../../core/log.ts';
import type { Operation } from '../define.ts';
import { type People, showRun, step } from './shared.ts';

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

  const authorise = async (
    actor: Actor,
    role: Role,
    action: string,
    subject: string,
  ): Promise<Operator | undefined> => {
    const operator = actor.kind === 'operator' ? people(actor.id) : undefined;
    const trusted =
      actor.kind === 'cli' || actor.kind === 'schedule' || actor.kind === 'system' || actor.kind === 'http';
    if (trusted || (operator && holds(operator.role, role))) return operator;
    await db.tx((tx) =>
      appendAudit(
        tx,
        { actor: actorName(actor), action: 'denied', subject, detail: { action, needs: role } },
        clock.now(),
      ),
    );
    throw new VakhtaError('denied', 'no-role', `${actorName(actor)} needs ${role} for ${subject}`, { args: { role } });
  };

  const requestWithin: Requests['requestWithin'] = async (tx, actor, name, raw, given = {}) => {
    const operation = find(name);
    const args = operation.parse(raw);
    const now = clock.now();
    const run = await insertRun(
      tx,
      {
        id: newId(random, now),
        operation: name,
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
      if (earlier) return earlier;
      throw new VakhtaError('bug', 'internal', 'a run was neither inserted nor found');
    }
    await appendAudit(
      tx,
      {
        actor: actorName(actor),
        action: 'run.requested',
        subject: `run:${run.number}`,
        detail: { operation: name, args },
      },
      now,
    );
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

  const request: Requests['request'] = async (actor, name, raw, given = {}) => {
    const operation = find(name);
    await authorise(actor, operation.role, 'request', name);
    const run = await db.tx((tx) => requestWithin(tx, actor, name, raw, given));
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

  const confirm = async (run: Run, operation: Operation, actor: Actor, given: Given): Promise<Run> => {
    if (run.state !== 'confirming') throw tooLate(run);
    if (actorName(run.actor) !== actorName(actor)) {
      throw new VakhtaError('denied', 'not-requester', 'only the requester confirms', {
        args: { requester: run.actor.id },
      });
    }
    const now = clock.now();
    if (!needsStepUp(operation.approval, policy.solo)) {
      const to = gateAfterConfirm(operation.approval, policy.solo);
      return advance(run, to, { confirmedBy: actorName(actor), expiresAt: null }, actor, 'run.confirmed');
    }
    const target = run.plan?.target ?? '';
    if (given.typed?.trim() !== target) {
      throw new VakhtaError('usage', 'typed-name', 'typed name differs', { args: { target } });
    }
    if (actor.kind === 'operator' && people(actor.id)?.hasTotp !== true) {
      throw new VakhtaError('denied', 'no-totp', `${actorName(actor)} has no TOTP secret`);
    }
    if (!given.code) throw new VakhtaError('usage', 'step-up-needed', 'a step-up code is needed');
    const stepUp = {
      digest: stepUpDigest(run.id, given.code),
      at: now.toISOString(),
      failures: run.stepUp?.failures ?? 0,
    };
    const moved = await db.tx((tx) => step(tx, run, 'confirming', { stepUp }, now, { actor, action: 'run.step-up' }));
    if (!moved) throw tooLate((await findRun(db, run.id)) ?? run);
    // The worker alone knows the TOTP secrets, so it says whether the code is right.
    await dispatch(moved);
    return moved;
  };

  const approve = async (run: Run, operation: Operation, actor: Actor): Promise<Run> => {
    if (run.state !== 'approving') throw tooLate(run);
    const person = await authorise(
      actor,
      operation.risk === 'destroy' ? 'admin' : operation.role,
      'approve',
      operation.name,
    );
    const verdict = person
      ? mayApprove(person, run.actor.id, operation)
      : actorName(run.actor) === actorName(actor)
        ? 'own-run'
        : 'ok';
    if (verdict === 'own-run') throw new VakhtaError('denied', 'own-run', 'nobody approves their own run');
    if (verdict === 'role') {
      throw new VakhtaError('denied', 'no-role', 'role is too low to approve', { args: { role: operation.role } });
    }
    const delay = needsDelay(operation.approval, policy.solo);
    const notBefore = delay ? new Date(clock.now().getTime() + minutes(policy.soloDelayMinutes)) : null;
    return advance(run, 'queued', { approvedBy: actorName(actor), expiresAt: null, notBefore }, actor, 'run.approved');
  };

  const cancel = async (run: Run, actor: Actor): Promise<Run> => {
    if (['planning', 'confirming', 'approving', 'queued'].includes(run.state)) {
      const patch = { error: cancelled(actor) };
      return advance(run, 'cancelled', patch, actor, 'run.cancelled');
    }
    if (run.state !== 'running' && run.state !== 'verifying') throw tooLate(run);
    const by = actorName(actor);
    await db.tx(async (tx) => {
      await askCancel(tx, run.id, by, clock.now());
      await appendAudit(
        tx,
        { actor: by, action: 'run.cancel-asked', subject: `run:${run.number}`, detail: {} },
        clock.now(),
      );
    });
    return (await findRun(db, run.id)) ?? run;
  };

  return {
    request,
    requestWithin,
    dispatch,
    answer: async (runId, verb, actor, given = {}) => {
      const { run, operation } = await load(runId);
      await authorise(actor, operation.role, verb, operation.name);
      switch (verb) {
        case 'confirm':
          return confirm(run, operation, actor, given);
        case 'approve':
          return approve(run, operation, actor);
        case 'reject':
          if (run.state !== 'confirming' && run.state !== 'approving') throw tooLate(run);
          return advance(run, 'rejected', {}, actor, 'run.rejected');
        case 'cancel':
          return cancel(run, actor);
      }
    },
  };
}

/** What a cancelled run carries as its error. */
export const cancelled = (actor: Actor) => ({
  kind: 'usage' as const,
  code: 'cancelled',
  text: 'err-cancelled',
  args: { by: actor.id },
});
