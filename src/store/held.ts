import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { SAYS_OF } from './incidents.ts';
import { at, int, many, optional, touched } from './rows.ts';

export interface HeldRow {
  readonly person: string;
  readonly incident: number;
  readonly until: Date;
}

/** Notes what quiet hours hold back; answers those that were not held already. */
export async function hold(q: Queryable, rows: readonly HeldRow[], now: Date): Promise<HeldRow[]> {
  if (rows.length === 0) return [];
  return many(
    q,
    z.object({ person: z.string(), incident: int, until: at }),
    `insert into held (person, incident_id, held_at, until_at)
     select person, incident, $2, until from jsonb_to_recordset($1::jsonb) as r (person text, incident bigint, until timestamptz)
     order by incident, person
     on conflict (person, incident_id) where released_at is null do nothing
     returning person, incident_id as incident, until_at as until`,
    [toJson(rows), now],
  );
}

/** People of whom something is held beyond its time. */
export async function heldPeople(q: Queryable, now: Date): Promise<string[]> {
  const rows = await many(
    q,
    z.object({ person: z.string() }),
    'select distinct person from held where released_at is null and until_at <= $1 order by person',
    [now],
  );
  return rows.map(({ person }) => person);
}

/** Lets go of everything that is held of a person, as one message; how many. Only what is due, and what was held beside it. */
export function release(q: Queryable, person: string, now: Date): Promise<number> {
  return touched(q, 'update held set released_at = $2 where person = $1 and released_at is null', [person, now]);
}

/** They are quiet for longer than was known. */
export async function holdOn(q: Queryable, person: string, until: Date): Promise<void> {
  await q.query('update held set until_at = $2 where person = $1 and released_at is null', [person, until]);
}

const released_ = z.object({
  id: int,
  severity: z.enum(['critical', 'warning', 'info']),
  title: z.string(),
  says: optional(z.string()).optional(),
  state: z.enum(['firing', 'resolved']),
  owner: optional(z.string()),
  startedAt: at,
  isFolded: z.boolean(),
  isSilenced: z.boolean(),
});
export type ReleasedIncident = z.output<typeof released_>;

/** The incidents of one message after quiet hours, as they are now: worst first, then oldest first. */
export function releasedIncidents(
  q: Queryable,
  person: string,
  releasedAt: Date,
  now: Date,
): Promise<ReleasedIncident[]> {
  return many(
    q,
    released_,
    `select i.id, i.severity, i.title, ${SAYS_OF} as says, i.state, i.owner, i.started_at as "startedAt", i.folded_into is not null as "isFolded",
       coalesce((i.silence->>'until')::timestamptz > $3, false) as "isSilenced"
     from held h join incidents i on i.id = h.incident_id where h.person = $1 and h.released_at = $2
     order by array_position(array['critical', 'warning', 'info'], i.severity), i.started_at, i.id`,
    [person, releasedAt, now],
  );
}

/** Forgets what was held before. */
export function purgeHeld(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from held where held_at < $1', [before]);
}
