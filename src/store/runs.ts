import { z } from 'zod';
import { VakhtaError } from '../core/error.ts';
import { toJson } from '../core/json.ts';
import type { Actor } from '../core/people.ts';
import { isFinal, mayFollow, RUN_STATES, type RunState } from '../core/run.ts';
import { pressedFix } from './actions.ts';
import type { Queryable } from './db.ts';
import { at, first, int, jsonObject, many, optional, touched } from './rows.ts';

const KINDS = ['operator', 'schedule', 'cli', 'http', 'system', 'outsider'] as const satisfies readonly Actor['kind'][];

/** Where a run was asked for: its card and its answers go there. */
const origin = z.object({
  chat: int.exactOptional(),
  thread: int.exactOptional(),
  replyTo: int.exactOptional(),
  incident: int.exactOptional(),
  /** It is to mend that incident. */
  fix: pressedFix.exactOptional(),
  /** Asked for on a card that itself shows what comes of it. */
  shown: z.boolean().exactOptional(),
  /** On the card of this walk through a disaster runbook. */
  dr: z.string().exactOptional(),
  /** Draw for this operator (language and zone) instead of the chat. */
  reader: z.string().exactOptional(),
});
export type Origin = z.output<typeof origin>;

const maybeJson = z.unknown().transform((value) => value ?? undefined);

/** A sentence by catalogue key, put into words for each reader. */
const text = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
});

const plan = z.object({
  target: z.string(),
  lines: z.array(text),
  bound: jsonObject.exactOptional(),
});

const progress = z.object({
  step: text,
  percent: z.number().exactOptional(),
  remainingMs: z.number().exactOptional(),
});

/** Why a run did not succeed: the id is for quoting, the rest of the story stands in the log under it. */
const runError = z.object({
  id: z.string().exactOptional(),
  kind: z.enum(['usage', 'denied', 'transient', 'permanent', 'bug']),
  code: z.string(),
  text: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type RunError = z.output<typeof runError>;

/** A step-up code on its way: the digest of what was typed and when, then only whether it was right. */
const stepUp = z.object({
  digest: z.string().exactOptional(),
  at: z.string().exactOptional(),
  failures: z.number(),
  checked: z.boolean().exactOptional(),
});

const run_ = z.object({
  id: z.string(),
  /** Short number for people: /run 42. */
  number: int,
  operation: z.string(),
  args: jsonObject,
  actor: z.object({ kind: z.enum(KINDS), id: z.string() }),
  origin,
  state: z.enum(RUN_STATES),
  rev: int,
  idempotencyKey: optional(z.string()),
  plan: optional(plan),
  confirmedBy: optional(z.string()),
  approvedBy: optional(z.string()),
  stepUp: optional(stepUp),
  cancelAskedBy: optional(z.string()),
  progress: optional(progress),
  external: optional(jsonObject),
  result: maybeJson,
  verified: optional(z.object({ ok: z.boolean(), text })),
  error: optional(runError),
  worker: optional(z.string()),
  heartbeatAt: optional(at),
  notBefore: optional(at),
  expiresAt: optional(at),
  createdAt: at,
  startedAt: optional(at),
  finishedAt: optional(at),
});

/** One execution of an operation. `plan`, `result` and the like are checked by the operation that they belong to. */
export type Run = z.output<typeof run_>;

const columns = `id, number, operation, args, actor, origin, state, rev, idempotency_key as "idempotencyKey", plan,
  confirmed_by as "confirmedBy", approved_by as "approvedBy", step_up as "stepUp", cancel_asked_by as "cancelAskedBy",
  progress, external, result, verified, error, worker, heartbeat_at as "heartbeatAt", not_before as "notBefore",
  expires_at as "expiresAt", created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"`;

const OPEN = `state in ('planning', 'confirming', 'approving', 'queued', 'running', 'verifying', 'reconciling')`;

export interface NewRun {
  readonly id: string;
  readonly operation: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly actor: Actor;
  readonly origin?: Origin;
  readonly state: RunState;
  readonly idempotencyKey?: string | undefined;
}

/** The new run; `undefined` when the idempotency key belongs to an earlier one (see `runByKey`). */
export async function insertRun(q: Queryable, run: NewRun, now: Date): Promise<Run | undefined> {
  const inserted = await first(
    q,
    run_,
    `insert into runs (id, operation, args, actor, origin, state, idempotency_key, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (idempotency_key) do nothing returning ${columns}`,
    [
      run.id,
      run.operation,
      toJson(run.args),
      toJson(run.actor),
      toJson(run.origin ?? {}),
      run.state,
      run.idempotencyKey,
      now,
    ],
  );
  if (inserted)
    await appendRunEvent(q, inserted.id, { kind: run.state, actor: `${run.actor.kind}:${run.actor.id}` }, now);
  return inserted;
}

export function run(q: Queryable, id: string): Promise<Run | undefined> {
  return first(q, run_, `select ${columns} from runs where id = $1`, [id]);
}

/** The run as it is now, locked until the transaction ends: nobody moves it meanwhile. */
export function lockRun(tx: Queryable, id: string): Promise<Run | undefined> {
  return first(tx, run_, `select ${columns} from runs where id = $1 for update`, [id]);
}

export function runByNumber(q: Queryable, number: number): Promise<Run | undefined> {
  return first(q, run_, `select ${columns} from runs where number = $1`, [number]);
}

export function runByKey(q: Queryable, idempotencyKey: string): Promise<Run | undefined> {
  return first(q, run_, `select ${columns} from runs where idempotency_key = $1`, [idempotencyKey]);
}

/** Runs that have not ended, oldest first. */
export function openRuns(q: Queryable, states?: readonly RunState[], limit = 200): Promise<Run[]> {
  return many(
    q,
    run_,
    `select ${columns} from runs where ${OPEN} and ($2::text[] is null or state = any ($2))
     order by created_at, number limit $1`,
    [limit, states],
  );
}

export interface RunFilter {
  readonly operation?: string;
  readonly states?: readonly RunState[];
  /** Made at or after. */
  readonly since?: Date;
  /** Made before. */
  readonly until?: Date;
  readonly limit?: number;
}

/** Newest first, at most 50 unless the filter says otherwise. */
export function recentRuns(q: Queryable, filter: RunFilter = {}): Promise<Run[]> {
  return many(
    q,
    run_,
    `select ${columns} from runs
     where ($1::text is null or operation = $1) and ($2::text[] is null or state = any ($2))
       and ($3::timestamptz is null or created_at >= $3) and ($4::timestamptz is null or created_at < $4)
     order by created_at desc, number desc limit $5`,
    [filter.operation, filter.states, filter.since, filter.until, filter.limit ?? 50],
  );
}

/** What changes with a step. A field that is left out stays; `null` clears it. */
export interface RunPatch {
  readonly plan?: z.input<typeof plan> | { readonly target: string; readonly lines: readonly unknown[] };
  readonly confirmedBy?: string;
  readonly approvedBy?: string;
  readonly stepUp?: z.output<typeof stepUp>;
  readonly progress?: z.output<typeof progress> | null;
  readonly external?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly verified?: unknown;
  readonly error?: RunError | null;
  readonly worker?: string | null;
  readonly notBefore?: Date | null;
  readonly expiresAt?: Date | null;
  /** Takes the step only while the run is this worker's: a worker that was given up for dead must not end another's work. */
  readonly onlyBy?: string;
  /** Who moved it, for the history. */
  readonly by?: string;
  /** Anything else for the history. */
  readonly note?: Readonly<Record<string, unknown>>;
}

/**
 * Takes one step of the life cycle, if the run still stands where `from` says; `undefined` when somebody was faster. Sets
 * `startedAt` and the heartbeat on `running`, `finishedAt` on an end, and releases the locks there. Throws a bug when
 * core/run.ts knows no such step.
 */
export async function moveRun(
  q: Queryable,
  id: string,
  from: RunState | readonly RunState[],
  to: RunState,
  patch: RunPatch,
  now: Date,
): Promise<Run | undefined> {
  const states = typeof from === 'string' ? [from] : from;
  for (const state of states) {
    if (mayFollow(state, to)) continue;
    throw new VakhtaError('bug', 'run-move', `a run cannot go from ${state} to ${to}`, { args: { from: state, to } });
  }
  const cleared = Object.entries(patch).flatMap(([name, value]) => (value === null ? [name] : []));
  return first(
    q,
    run_,
    `with before as (select id, state from runs where id = $1 and state = any ($2)
       and ($21::text is null or worker = $21) for update),
     event as (
       insert into run_events (run_id, at, kind, actor, data)
       select id, $4, $3, $5, $6::jsonb || jsonb_build_object('from', state) from before
     ),
     unlocked as (delete from run_locks where $7 and run_id in (select id from before))
     update runs set state = $3, rev = rev + 1,
       plan = coalesce($8, plan), confirmed_by = coalesce($9, confirmed_by), approved_by = coalesce($10, approved_by),
       step_up = coalesce($11, step_up),
       progress = case when 'progress' = any ($19) then null else coalesce($12, progress) end,
       external = coalesce($13, external), result = coalesce($14, result), verified = coalesce($15, verified),
       error = case when 'error' = any ($19) then null else coalesce($16, error) end,
       worker = case when 'worker' = any ($19) then null else coalesce($17, worker) end,
       not_before = case when 'notBefore' = any ($19) then null else coalesce($18, not_before) end,
       expires_at = case when 'expiresAt' = any ($19) then null else coalesce($20, expires_at) end,
       heartbeat_at = case when $3 in ('running', 'verifying') then $4 else heartbeat_at end,
       started_at = case when $3 = 'running' then coalesce(started_at, $4) else started_at end,
       finished_at = case when $7 then $4 else finished_at end
     where id in (select id from before) returning ${columns}`,
    [
      id,
      states,
      to,
      now,
      patch.by,
      toJson(patch.note ?? {}),
      isFinal(to),
      json(patch.plan),
      patch.confirmedBy,
      patch.approvedBy,
      json(patch.stepUp),
      json(patch.progress),
      json(patch.external),
      json(patch.result),
      json(patch.verified),
      json(patch.error),
      patch.worker,
      patch.notBefore,
      cleared,
      patch.expiresAt,
      patch.onlyBy,
    ],
  );
}

/**
 * News of a run that is under way. Bumps `rev` unless only the heartbeat beats; `undefined` when the run has ended, or with
 * `onlyBy` when it is not that worker's any more.
 */
export function patchRun(
  q: Queryable,
  id: string,
  patch: {
    readonly progress?: unknown;
    readonly external?: Readonly<Record<string, unknown>>;
    /** Just true, or the worker's name when another one took over. */
    readonly heartbeat?: boolean | string;
    /** Only while this worker executes it. */
    readonly onlyBy?: string;
  },
  now: Date,
): Promise<Run | undefined> {
  const news = patch.progress !== undefined || patch.external !== undefined;
  return first(
    q,
    run_,
    `update runs set progress = coalesce($2, progress), external = coalesce($3, external),
       heartbeat_at = $4, worker = coalesce($5, worker), rev = rev + $6
     where id = $1 and ${OPEN} and ($7::text is null or (worker = $7 and state in ('running', 'verifying')))
     returning ${columns}`,
    [
      id,
      json(patch.progress),
      json(patch.external),
      now,
      typeof patch.heartbeat === 'string' ? patch.heartbeat : null,
      news ? 1 : 0,
      patch.onlyBy,
    ],
  );
}

/** Notes who wants a run under way to stop, and tells its worker. False when it has ended or somebody asked before. */
export async function askCancel(q: Queryable, id: string, by: string, now: Date): Promise<boolean> {
  const asked = await touched(
    q,
    `with asked as (
       update runs set cancel_asked_by = $2, rev = rev + 1 where id = $1 and cancel_asked_by is null and ${OPEN} returning id
     )
     insert into run_events (run_id, at, kind, actor) select id, $3, 'cancel-asked', $2 from asked`,
    [id, by, now],
  );
  if (asked === 0) return false;
  await q.query('select pg_notify($1, $2)', ['vakhta_cancel', id]);
  return true;
}

const event_ = z.object({ at, kind: z.string(), actor: optional(z.string()), data: jsonObject });
export type RunEvent = z.output<typeof event_>;

export async function appendRunEvent(
  q: Queryable,
  id: string,
  event: {
    readonly kind: string;
    readonly actor?: string | undefined;
    readonly data?: Readonly<Record<string, unknown>>;
  },
  now: Date,
): Promise<void> {
  await q.query('insert into run_events (run_id, at, kind, actor, data) values ($1, $2, $3, $4, $5)', [
    id,
    now,
    event.kind,
    event.actor,
    toJson(event.data ?? {}),
  ]);
}

/** The history of a run, oldest first. */
export function runEvents(q: Queryable, id: string): Promise<RunEvent[]> {
  return many(q, event_, 'select at, kind, actor, data from run_events where run_id = $1 order by id', [id]);
}

/** Runs that a worker should be doing, but has not shown a sign of since. */
export function staleRunning(q: Queryable, heartbeatBefore: Date): Promise<Run[]> {
  return many(
    q,
    run_,
    `select ${columns} from runs where state in ('running', 'verifying') and heartbeat_at < $1 order by heartbeat_at limit 200`,
    [heartbeatBefore],
  );
}

/** Runs that wait for a worker since before `olderThan`; the queue may never have heard of them. */
export function unqueued(q: Queryable, olderThan: Date): Promise<Run[]> {
  return many(
    q,
    run_,
    `select ${columns} from runs where created_at < $1 and coalesce(not_before, created_at) < $1
       and (state in ('planning', 'queued') or (state = 'confirming' and step_up ? 'digest' and not step_up ? 'checked'))
     order by created_at limit 200`,
    [olderThan],
  );
}

/** Runs whose question was not answered in time. */
export function expirable(q: Queryable, now: Date): Promise<Run[]> {
  return many(
    q,
    run_,
    `select ${columns} from runs where state in ('planning', 'confirming', 'approving') and expires_at <= $1
     order by expires_at limit 200`,
    [now],
  );
}

export async function countRuns(q: Queryable): Promise<Readonly<Record<string, number>>> {
  const rows = await many(
    q,
    z.object({ state: z.enum(RUN_STATES), n: int }),
    `select state, count(*) as n from runs where ${OPEN} group by state`,
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** Forgets runs that ended before, with their history; the audit stays. */
export function purgeRuns(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from runs where finished_at < $1', [before]);
}

const json = (value: unknown): string | null => (value === undefined || value === null ? null : toJson(value));

/** When the newest run of these operations ended. */
export async function lastFinished(q: Queryable, operations: readonly string[]): Promise<Date | undefined> {
  const last = await first(
    q,
    z.object({ at: optional(at) }),
    'select max(finished_at) as at from runs where operation = any($1)',
    [operations],
  );
  return last?.at;
}
