import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const override_ = z.object({
  id: int,
  runId: z.string(),
  person: z.string(),
  by: z.string(),
  from: at,
  to: optional(at),
  endedAt: optional(at),
});

/** The watch, taken or given by command. */
export type WatchOverride = z.output<typeof override_>;

const columns = `id, run_id as "runId", person, by_person as by, from_at as "from", to_at as "to", ended_at as "endedAt"`;

/** Those in force at `now` or later, in the order in which they were made. */
export function watchOverrides(q: Queryable, now: Date): Promise<WatchOverride[]> {
  return many(
    q,
    override_,
    `select ${columns} from watch_overrides where ended_at is null and (to_at is null or to_at > $1) order by id`,
    [now],
  );
}

/** Notes that somebody has it; a second time for the same run changes nothing. */
export async function addWatchOverride(
  q: Queryable,
  one: {
    readonly runId: string;
    readonly person: string;
    readonly by: string;
    readonly from: Date;
    readonly to?: Date | undefined;
  },
): Promise<void> {
  await q.query(
    `insert into watch_overrides (run_id, person, by_person, from_at, to_at) values ($1, $2, $3, $4, $5)
     on conflict (run_id) do nothing`,
    [one.runId, one.person, one.by, one.from, one.to],
  );
}

export function watchOverrideOf(q: Queryable, runId: string): Promise<WatchOverride | undefined> {
  return first(q, override_, `select ${columns} from watch_overrides where run_id = $1`, [runId]);
}

/** Ends those in force, so that the rotation holds again; how many. */
export function endWatchOverrides(q: Queryable, now: Date): Promise<number> {
  return touched(
    q,
    'update watch_overrides set ended_at = $1 where ended_at is null and from_at <= $1 and (to_at is null or to_at > $1)',
    [now],
  );
}

/** Watches that were given to somebody else, in force and not told yet; they are told by whoever gets them here. */
export function takeUntold(q: Queryable, now: Date): Promise<WatchOverride[]> {
  return many(
    q,
    override_,
    `update watch_overrides set told_at = $1
     where told_at is null and ended_at is null and person <> by_person and from_at <= $1 and (to_at is null or to_at > $1)
     returning ${columns}`,
    [now],
  );
}

export function watchOverride(q: Queryable, id: number): Promise<WatchOverride | undefined> {
  return first(q, override_, `select ${columns} from watch_overrides where id = $1`, [id]);
}

/** Forgets what was over before. */
export function purgeWatchOverrides(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from watch_overrides where coalesce(ended_at, to_at) < $1', [before]);
}
