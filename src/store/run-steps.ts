import { VakhtaError } from '../core/error.ts';
import { toJson } from '../core/json.ts';
import { isFinal, mayFollow, type RunState } from '../core/run.ts';
import type { Queryable } from './db.ts';
import { first, touched } from './rows.ts';
import {
  OPEN_RUN,
  type Run,
  RUN_COLUMNS,
  type RunError,
  type RunPlan,
  type RunProgress,
  runRow,
  type StepUp,
} from './runs.ts';

/** What changes with a step. A field that is left out stays; `null` clears it. */
export interface RunPatch {
  readonly plan?: RunPlan | { readonly target: string; readonly lines: readonly unknown[] };
  readonly confirmedBy?: string;
  readonly approvedBy?: string;
  readonly stepUp?: StepUp;
  readonly progress?: RunProgress | null;
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
    runRow,
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
     where id in (select id from before) returning ${RUN_COLUMNS}`,
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
    runRow,
    `update runs set progress = coalesce($2, progress), external = coalesce($3, external),
       heartbeat_at = $4, worker = coalesce($5, worker), rev = rev + $6
     where id = $1 and ${OPEN_RUN} and ($7::text is null or (worker = $7 and state in ('running', 'verifying')))
     returning ${RUN_COLUMNS}`,
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
       update runs set cancel_asked_by = $2, rev = rev + 1 where id = $1 and cancel_asked_by is null and ${OPEN_RUN} returning id
     )
     insert into run_events (run_id, at, kind, actor) select id, $3, 'cancel-asked', $2 from asked`,
    [id, by, now],
  );
  if (asked === 0) return false;
  await q.query('select pg_notify($1, $2)', ['vakhta_cancel', id]);
  return true;
}

const json = (value: unknown): string | null => (value === undefined || value === null ? null : toJson(value));
