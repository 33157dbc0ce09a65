import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Actor } from '../core/people.ts';
import { RUN_STATES, type RunState } from '../core/run.ts';
import { pressedFix } from './actions.ts';
import type { Queryable } from './db.ts';
import { at, first, int, jsonObject, many, optional } from './rows.ts';
import { appendRunEvent } from './run-events.ts';

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

/** A row of `runs`, for the files of this family of tables. */
export const runRow = z.object({
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
export type Run = z.output<typeof runRow>;

export const RUN_COLUMNS = `id, number, operation, args, actor, origin, state, rev, idempotency_key as "idempotencyKey", plan,
  confirmed_by as "confirmedBy", approved_by as "approvedBy", step_up as "stepUp", cancel_asked_by as "cancelAskedBy",
  progress, external, result, verified, error, worker, heartbeat_at as "heartbeatAt", not_before as "notBefore",
  expires_at as "expiresAt", created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"`;

export const OPEN_RUN = `state in ('planning', 'confirming', 'approving', 'queued', 'running', 'verifying', 'reconciling')`;

export type RunPlan = z.input<typeof plan>;
export type RunProgress = z.output<typeof progress>;
export type StepUp = z.output<typeof stepUp>;

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
    runRow,
    `insert into runs (id, operation, args, actor, origin, state, idempotency_key, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (idempotency_key) do nothing returning ${RUN_COLUMNS}`,
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
  return first(q, runRow, `select ${RUN_COLUMNS} from runs where id = $1`, [id]);
}

/** The run as it is now, locked until the transaction ends: nobody moves it meanwhile. */
export function lockRun(tx: Queryable, id: string): Promise<Run | undefined> {
  return first(tx, runRow, `select ${RUN_COLUMNS} from runs where id = $1 for update`, [id]);
}

export function runByNumber(q: Queryable, number: number): Promise<Run | undefined> {
  return first(q, runRow, `select ${RUN_COLUMNS} from runs where number = $1`, [number]);
}

export function runByKey(q: Queryable, idempotencyKey: string): Promise<Run | undefined> {
  return first(q, runRow, `select ${RUN_COLUMNS} from runs where idempotency_key = $1`, [idempotencyKey]);
}

/** Runs that have not ended, oldest first. */
export function openRuns(q: Queryable, states?: readonly RunState[], limit = 200): Promise<Run[]> {
  return many(
    q,
    runRow,
    `select ${RUN_COLUMNS} from runs where ${OPEN_RUN} and ($2::text[] is null or state = any ($2))
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
    runRow,
    `select ${RUN_COLUMNS} from runs
     where ($1::text is null or operation = $1) and ($2::text[] is null or state = any ($2))
       and ($3::timestamptz is null or created_at >= $3) and ($4::timestamptz is null or created_at < $4)
     order by created_at desc, number desc limit $5`,
    [filter.operation, filter.states, filter.since, filter.until, filter.limit ?? 50],
  );
}
