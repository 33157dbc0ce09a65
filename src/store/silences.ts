import { z } from 'zod';
import { cleanText, toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const STATES = ['pending', 'active', 'expired'] as const;
const PURPOSES = ['incident', 'maintenance', 'work', 'other'] as const;

const matchers = z.array(z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() }));

const silence_ = z.object({
  id: z.string(),
  state: z.enum(STATES),
  matchers,
  startsAt: at,
  endsAt: at,
  createdBy: z.string(),
  comment: z.string(),
  /** How many alerts it mutes, as last seen; once it is over, how many of them fire. */
  covers: int,
  names: z.array(z.string()),
  /** `other`: not made by this program. */
  purpose: z.enum(PURPOSES),
  incident: optional(int),
  runId: optional(z.string()),
  /** What a maintenance is of. */
  target: optional(z.string()),
  untilResolved: z.boolean(),
  replacedBy: optional(z.string()),
  endedBy: optional(z.string()),
  warnedAt: optional(at),
  toldAt: optional(at),
  /** When it was last written: what Alertmanager said before is older news. */
  seenAt: at,
});

/** A silence of Alertmanager as last seen there, with what this program knows of its own beyond that. */
export type SilenceRow = z.output<typeof silence_>;

const columns = `id, state, matchers, starts_at as "startsAt", ends_at as "endsAt", created_by as "createdBy", comment, covers, names,
  purpose, incident_id as incident, run_id as "runId", target, until_resolved as "untilResolved", replaced_by as "replacedBy",
  ended_by as "endedBy", warned_at as "warnedAt", told_at as "toldAt", seen_at as "seenAt"`;

/** What Alertmanager says of a silence. */
export type SeenSilence = Pick<
  SilenceRow,
  'id' | 'state' | 'matchers' | 'startsAt' | 'endsAt' | 'createdBy' | 'comment' | 'covers' | 'names'
>;

/**
 * Notes what Alertmanager says of these, in one statement; what this program knows of its own stays. `now` is when Alertmanager was
 * asked: what was written after that is newer than its answer.
 */
export async function noteSeen(q: Queryable, rows: readonly SeenSilence[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  await q.query(
    `insert into silences as s (id, state, matchers, starts_at, ends_at, created_by, comment, covers, names, seen_at)
     select id, state, matchers, "startsAt", "endsAt", "createdBy", comment, covers, names, $2
     from jsonb_to_recordset($1::jsonb) as r (id text, state text, matchers jsonb, "startsAt" timestamptz, "endsAt" timestamptz,
       "createdBy" text, comment text, covers int, names jsonb) order by id
     on conflict (id) do update set state = excluded.state, matchers = excluded.matchers, starts_at = excluded.starts_at,
       ends_at = excluded.ends_at, created_by = excluded.created_by, comment = excluded.comment, covers = excluded.covers,
       names = excluded.names, seen_at = excluded.seen_at where s.seen_at <= excluded.seen_at`,
    [toJson(rows), now],
  );
}

/** A silence that this program has made. */
export type OwnSilence = Pick<
  SilenceRow,
  'id' | 'matchers' | 'startsAt' | 'endsAt' | 'createdBy' | 'comment' | 'purpose' | 'untilResolved'
> & {
  readonly incident?: number | undefined;
  readonly runId?: string | undefined;
  readonly target?: string | undefined;
  readonly covers?: number | undefined;
  readonly names?: readonly string[] | undefined;
};

/** Notes a silence of our own; again is fine, and what was seen of it meanwhile stays. */
export async function noteOwn(q: Queryable, own: OwnSilence, now: Date): Promise<void> {
  await q.query(
    `insert into silences (id, state, matchers, starts_at, ends_at, created_by, comment, purpose, incident_id, run_id, target,
       until_resolved, covers, names, seen_at)
     values ($1, 'active', $2, $3, $4, $5, $6, $7, (select id from incidents where id = $8), (select id from runs where id = $9), $10, $11,
       $12, $13, $14)
     on conflict (id) do update set purpose = excluded.purpose, incident_id = excluded.incident_id, run_id = excluded.run_id,
       target = excluded.target, until_resolved = excluded.until_resolved`,
    [
      own.id,
      toJson(own.matchers),
      own.startsAt,
      own.endsAt,
      own.createdBy,
      cleanText(own.comment),
      own.purpose,
      own.incident,
      own.runId,
      own.target,
      own.untilResolved,
      own.covers ?? 0,
      toJson(own.names ?? []),
      now,
    ],
  );
}

export function silence(q: Queryable, id: string): Promise<SilenceRow | undefined> {
  return first(q, silence_, `select ${columns} from silences where id = $1`, [id]);
}

/** Those that are not over, and those that ended at or after `endedSince`; the next to end first. */
export function silences(q: Queryable, endedSince: Date): Promise<SilenceRow[]> {
  return many(
    q,
    silence_,
    `select ${columns} from silences where state <> 'expired' or ends_at >= $1 order by ends_at, id limit 2000`,
    [endedSince],
  );
}

/** All silences that one run has made, those in their place too. */
export function silencesOfRun(q: Queryable, runId: string): Promise<SilenceRow[]> {
  return many(q, silence_, `select ${columns} from silences where run_id = $1 order by ends_at, id`, [runId]);
}

/** True for the first who warns that it ends soon. */
export async function claimWarning(q: Queryable, id: string, now: Date): Promise<boolean> {
  return (await touched(q, 'update silences set warned_at = $2 where id = $1 and warned_at is null', [id, now])) > 0;
}

/** True for the first who tells that it has ended. */
export async function claimEnd(q: Queryable, id: string, now: Date): Promise<boolean> {
  return (await touched(q, 'update silences set told_at = $2 where id = $1 and told_at is null', [id, now])) > 0;
}

/** It is over: ended by somebody, or because another has taken its place. False when that was known. */
export async function noteEnd(
  q: Queryable,
  id: string,
  how: { readonly by?: string | undefined; readonly replacedBy?: string | undefined },
  now: Date,
): Promise<boolean> {
  const n = await touched(
    q,
    `update silences set state = 'expired', ends_at = least(ends_at, $4::timestamptz), ended_by = coalesce(ended_by, $2::text),
       replaced_by = coalesce(replaced_by, $3::text), seen_at = $4::timestamptz
     where id = $1 and (state <> 'expired' or (replaced_by is null and $3::text is not null))`,
    [id, how.by, how.replacedBy, now],
  );
  return n > 0;
}

/** Ids of the incidents on which this silence is noted. */
export async function incidentsUnder(q: Queryable, id: string): Promise<number[]> {
  const found = await many(
    q,
    z.object({ id: int }),
    "select id from incidents where state = 'firing' and silence->>'id' = $1 order by id",
    [id],
  );
  return found.map((row) => row.id);
}

/** Cards of this state that are in a view of this name go back to their face. */
export async function leaveView(q: Queryable, kind: string, ref: string, view: string): Promise<void> {
  await q.query(
    `update cards set view = '' where kind = $1 and ref = $2 and (view = $3 or starts_with(view, $3 || ':'))`,
    [kind, ref, view],
  );
}

/** Forgets silences that were over before. */
export function purgeSilences(q: Queryable, before: Date): Promise<number> {
  return touched(q, "delete from silences where state = 'expired' and ends_at < $1", [before]);
}
