import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, first, int, jsonObject, many, optional, touched } from './rows.ts';

const row = z.object({
  id: z.string(),
  runId: z.string(),
  kind: z.string(),
  place: z.string(),
  what: jsonObject,
  claimedAt: at,
  failures: int,
  nextTryAt: optional(at),
  error: optional(z.string()),
  releasedAt: optional(at),
});

/** Something temporary outside; `failures` counts the vain tries to remove it. */
export type ScratchRow = z.output<typeof row>;

const columns = `id::text as id, run_id as "runId", kind, place, what, claimed_at as "claimedAt", failures,
  next_try_at as "nextTryAt", error, released_at as "releasedAt"`;

export interface NewScratch {
  readonly runId: string;
  readonly kind: string;
  readonly place: string;
  readonly what: Readonly<Record<string, unknown>>;
}

/** Its id; `undefined` when its run is over: nothing may be made any more. */
export async function claimScratch(q: Queryable, thing: NewScratch, now: Date): Promise<string | undefined> {
  const claimed = await first(
    q,
    z.object({ id: z.string() }),
    `insert into scratch_things (run_id, kind, place, what, claimed_at) select $1, $2, $3, $4, $5
     where not exists (select from runs where id = $1 and finished_at is not null) returning id::text as id`,
    [thing.runId, thing.kind, thing.place, toJson(thing.what), now],
  );
  return claimed?.id;
}

/** False when it was released before. */
export async function releaseScratch(q: Queryable, id: string, now: Date): Promise<boolean> {
  const released = 'update scratch_things set released_at = $2, error = null where id = $1 and released_at is null';
  return (await touched(q, released, [id, now])) > 0;
}

/** What was noted and not released, oldest first. */
export function openScratch(q: Queryable): Promise<ScratchRow[]> {
  return many(q, row, `select ${columns} from scratch_things where released_at is null order by id`);
}

/**
 * What outlived its run, oldest first: the run is over, forgotten, or has been without a living worker since `lostBefore`. What
 * is to stay for a while (`what.until`) comes when that is over, and so does what the same run noted of it before it was to stay.
 * Those not to be tried again yet are left out.
 */
export function leftOver(q: Queryable, now: Date, lostBefore: Date): Promise<ScratchRow[]> {
  return many(
    q,
    row,
    `select ${columns} from (
       select t.*, r.state, r.finished_at, r.heartbeat_at from scratch_things t left join runs r on r.id = t.run_id
       where released_at is null
     ) t
     where (next_try_at is null or next_try_at <= $1)
       and (state is null or finished_at is not null
         or (state in ('running', 'verifying', 'reconciling') and heartbeat_at <= $2))
       and (what ->> 'until' is null or (what ->> 'until')::timestamptz <= $1)
       and not exists (
         select from scratch_things k where k.run_id = t.run_id and k.kind = t.kind and k.place = t.place
           and k.released_at is null and (k.what ->> 'until')::timestamptz > $1)
     order by t.id`,
    [now, lostBefore],
  );
}

/** Notes a vain try; how many there were. None when it was released meanwhile. */
export async function failedScratch(q: Queryable, id: string, error: string, nextTryAt: Date): Promise<number> {
  const failed = await first(
    q,
    z.object({ failures: int }),
    `update scratch_things set failures = failures + 1, error = $2, next_try_at = $3
     where id = $1 and released_at is null returning failures`,
    [id, error, nextTryAt],
  );
  return failed?.failures ?? 0;
}

/** Notes that people hear of it; false when they have heard already. */
export async function tellScratch(q: Queryable, id: string): Promise<boolean> {
  return (await touched(q, 'update scratch_things set told = true where id = $1 and not told', [id])) > 0;
}

/** Of what people were told, and what is gone since: each is given once. */
export function takeToldAndGone(q: Queryable): Promise<ScratchRow[]> {
  const gone = `update scratch_things set told = false where told and released_at is not null returning ${columns}`;
  return many(q, row, gone);
}

/** Forgets what has been gone since before then. */
export function purgeScratch(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from scratch_things where released_at < $1', [before]);
}
