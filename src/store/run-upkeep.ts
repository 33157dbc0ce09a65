import { z } from 'zod';
import { RUN_STATES } from '../core/run.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';
import { OPEN_RUN, type Run, RUN_COLUMNS, runRow } from './runs.ts';

/** Runs that a worker should be doing, but has not shown a sign of since. */
export function staleRunning(q: Queryable, heartbeatBefore: Date): Promise<Run[]> {
  return many(
    q,
    runRow,
    `select ${RUN_COLUMNS} from runs where state in ('running', 'verifying') and heartbeat_at < $1 order by heartbeat_at limit 200`,
    [heartbeatBefore],
  );
}

/** Runs that wait for a worker since before `olderThan`; the queue may never have heard of them. */
export function unqueued(q: Queryable, olderThan: Date): Promise<Run[]> {
  return many(
    q,
    runRow,
    `select ${RUN_COLUMNS} from runs where created_at < $1 and coalesce(not_before, created_at) < $1
       and (state in ('planning', 'queued') or (state = 'confirming' and step_up ? 'digest' and not step_up ? 'checked'))
     order by created_at limit 200`,
    [olderThan],
  );
}

/** Runs whose question was not answered in time. */
export function expirable(q: Queryable, now: Date): Promise<Run[]> {
  return many(
    q,
    runRow,
    `select ${RUN_COLUMNS} from runs where state in ('planning', 'confirming', 'approving') and expires_at <= $1
     order by expires_at limit 200`,
    [now],
  );
}

export async function countRuns(q: Queryable): Promise<Readonly<Record<string, number>>> {
  const rows = await many(
    q,
    z.object({ state: z.enum(RUN_STATES), n: int }),
    `select state, count(*) as n from runs where ${OPEN_RUN} group by state`,
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

/** Forgets runs that ended before, with their history; the audit stays. */
export function purgeRuns(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from runs where finished_at < $1', [before]);
}

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
