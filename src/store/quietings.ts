import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { RUN_STATES } from '../core/run.ts';
import type { Queryable } from './db.ts';
import { at, first, many, optional, touched } from './rows.ts';

const matcher = z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() });

const text = z.object({ key: z.string(), args: z.record(z.string(), z.union([z.string(), z.number()])) });

const quieting_ = z.object({
  runId: z.string(),
  /** `settling`: the work is done, its alerts have a moment to end; `failed`: nothing could be muted. */
  state: z.enum(['open', 'settling', 'closed', 'failed']),
  /** Lists of matchers, one silence each. */
  scopes: z.array(z.array(matcher)),
  /** What still fired when it ended. */
  still: z.array(z.string()),
  /** Why it failed. */
  error: optional(text),
  openedAt: at,
  closeAt: optional(at),
  closedAt: optional(at),
});

/** The silences around the work of one run. */
export type Quieting = z.output<typeof quieting_>;

const columns = `w.run_id as "runId", w.state, w.scopes, w.still, w.error, w.opened_at as "openedAt", w.close_at as "closeAt",
  w.closed_at as "closedAt"`;

/** Notes that silences are about to be made; a run that starts again keeps its first ones. */
export async function openQuieting(q: Queryable, runId: string, scopes: Quieting['scopes'], now: Date): Promise<void> {
  await q.query(
    `insert into quietings (run_id, state, scopes, opened_at) values ($1, 'open', $2, $3)
     on conflict (run_id) do update set state = 'open', scopes = excluded.scopes, error = null, close_at = null, closed_at = null`,
    [runId, toJson(scopes), now],
  );
}

export function quieting(q: Queryable, runId: string): Promise<Quieting | undefined> {
  return first(q, quieting_, `select ${columns} from quietings w where run_id = $1`, [runId]);
}

/** The run's alerts have until then to end by themselves. False when it is not open. */
export async function settleQuieting(q: Queryable, runId: string, closeAt: Date): Promise<boolean> {
  const n = await touched(
    q,
    `update quietings set state = 'settling', close_at = $2 where run_id = $1 and state = 'open'`,
    [runId, closeAt],
  );
  return n > 0;
}

/** Over, with what still fires. False when somebody else has closed it. */
export async function closeQuieting(
  q: Queryable,
  runId: string,
  still: readonly string[],
  now: Date,
): Promise<boolean> {
  const n = await touched(
    q,
    `update quietings set state = 'closed', still = $2, closed_at = $3 where run_id = $1 and state in ('open', 'settling')`,
    [runId, toJson(still), now],
  );
  return n > 0;
}

/** Nothing could be muted. */
export async function failQuieting(
  q: Queryable,
  runId: string,
  error: z.output<typeof text>,
  now: Date,
): Promise<void> {
  await q.query(
    `update quietings set state = 'failed', error = $2, closed_at = $3 where run_id = $1 and state = 'open'`,
    [runId, toJson(error), now],
  );
}

const open_ = quieting_.extend({ runState: z.enum(RUN_STATES) });

/** Those that are not over, with the state of their run. */
export function openQuietings(q: Queryable): Promise<z.output<typeof open_>[]> {
  return many(
    q,
    open_,
    `select ${columns}, r.state as "runState" from quietings w join runs r on r.id = w.run_id
     where w.state in ('open', 'settling') order by w.run_id`,
  );
}
