import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const text_ = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});
/** A sentence by catalogue key. */
export type Why = Readonly<{ key: string; args?: Readonly<Record<string, string | number>> }>;

const SEVERITIES = ['critical', 'warning', 'info'] as const;

const page_ = z.object({
  id: int,
  incident: int,
  person: optional(z.string()),
  step: optional(int),
  why: text_,
  owedAt: at,
  toldAt: optional(at),
  lead: optional(int),
});

/** A call of a person (or, without one, in the chat) to an incident. */
export type Page = z.output<typeof page_>;

const columns = `p.id, p.incident_id as incident, p.person, p.step, p.why, p.owed_at as "owedAt", p.told_at as "toldAt", p.lead`;

/** An incident that escalates: nobody has it, and it is neither silenced nor folded into another one. $1 now, $2 severities. */
const ESCALATES = `i.state = 'firing' and i.owner is null and i.folded_into is null and i.severity = any ($2)
  and coalesce((i.silence->>'until')::timestamptz <= $1, true)`;

export interface PageRow {
  readonly incident: number;
  readonly person: string | null;
  readonly step: number | null;
  readonly why: Why;
}

/** Notes calls to be made; one that is owed already stays as it is. */
export async function owePages(q: Queryable, rows: readonly PageRow[], now: Date): Promise<void> {
  if (rows.length === 0) return;
  await q.query(
    `insert into pages (incident_id, person, step, why, owed_at)
     select incident, person, step, why, $2 from jsonb_to_recordset($1::jsonb)
       as r (n int, incident bigint, person text, step int, why jsonb) order by n
     on conflict do nothing`,
    [toJson(rows.map((row, n) => ({ ...row, n }))), now],
  );
}

/** Its escalation begins anew, and its first step at once. */
export async function restartEscalation(q: Queryable, incident: number, now: Date): Promise<void> {
  await q.query(
    `insert into escalations (incident_id, since, at_once) values ($1, $2, true)
     on conflict (incident_id) do update set since = $2, at_once = true, done = 0, last_at = null`,
    [incident, now],
  );
}

const escalation_ = z.object({
  incident: int,
  since: at,
  atOnce: z.boolean(),
  done: int,
  lastAt: optional(at),
});
export type Escalation = z.output<typeof escalation_>;

/** Forgets escalations of incidents that need none any more; answers their incidents. */
export async function stopEscalations(q: Queryable, severities: readonly string[], now: Date): Promise<number[]> {
  const rows = await many(
    q,
    z.object({ incident: int }),
    `delete from escalations e using incidents i where i.id = e.incident_id and not (${ESCALATES})
     returning e.incident_id as incident`,
    [now, severities],
  );
  return rows.map(({ incident }) => incident);
}

/** Begins those that are missing. */
export function startEscalations(q: Queryable, severities: readonly string[], now: Date): Promise<number> {
  return touched(
    q,
    `insert into escalations (incident_id, since) select i.id, $1 from incidents i
     where ${ESCALATES} and not exists (select from escalations e where e.incident_id = i.id)
     on conflict do nothing`,
    [now, severities],
  );
}

export function escalations(q: Queryable): Promise<Escalation[]> {
  return many(
    q,
    escalation_,
    `select incident_id as incident, since, at_once as "atOnce", done, last_at as "lastAt" from escalations
     order by incident_id limit 5000`,
  );
}

/** Notes steps as done, if nobody else did; the incidents of those that were. */
export async function stepsDone(
  q: Queryable,
  rows: readonly { readonly incident: number; readonly was: number; readonly done: number }[],
  now: Date,
): Promise<number[]> {
  const moved = await many(
    q,
    z.object({ incident: int }),
    `update escalations e set done = r.done, last_at = $2
     from jsonb_to_recordset($1::jsonb) as r (incident bigint, was int, done int)
     where e.incident_id = r.incident and e.done = r.was returning e.incident_id as incident`,
    [toJson(rows), now],
  );
  return moved.map(({ incident }) => incident);
}

const owed_ = page_.extend({
  severity: z.enum(SEVERITIES),
  startedAt: at,
  /** Nothing is to be said any more. */
  needless: z.boolean(),
});
export type OwedPage = z.output<typeof owed_>;

/** Calls not made yet, worst incident first, then in the order in which they came due. */
export function owedPages(q: Queryable, now: Date): Promise<OwedPage[]> {
  return many(
    q,
    owed_,
    `select ${columns}, i.severity, i.started_at as "startedAt",
       (i.state <> 'firing' or (p.step is not null and (i.owner is not null or i.folded_into is not null
         or coalesce((i.silence->>'until')::timestamptz > $1, false)))) as needless
     from pages p join incidents i on i.id = p.incident_id
     where p.told_at is null and p.dropped_at is null
     order by array_position(array['critical', 'warning', 'info'], i.severity), p.id limit 5000`,
    [now],
  );
}

/** Those of them that were still owed are told now, by the message of `lead`; answers them. */
export async function tellPages(q: Queryable, ids: readonly number[], lead: number, now: Date): Promise<number[]> {
  const rows = await many(
    q,
    z.object({ id: int }),
    `update pages set told_at = $3, lead = nullif($2, id)
     where id = any ($1) and told_at is null and dropped_at is null returning id`,
    [ids, lead, now],
  );
  return rows.map(({ id }) => id);
}

export async function dropPages(q: Queryable, ids: readonly number[], now: Date): Promise<void> {
  if (ids.length === 0) return;
  await q.query('update pages set dropped_at = $2 where id = any ($1) and told_at is null', [ids, now]);
}

/** When each person was last called, since a time. */
export async function lastCalls(q: Queryable, since: Date): Promise<ReadonlyMap<string, Date>> {
  const rows = await many(
    q,
    z.object({ person: z.string(), at }),
    `select person, max(told_at) as at from pages where person is not null and lead is null and told_at > $1 group by person`,
    [since],
  );
  return new Map(rows.map(({ person, at: last }) => [person, last]));
}

export function page(q: Queryable, id: number): Promise<Page | undefined> {
  return first(q, page_, `select ${columns} from pages p where p.id = $1`, [id]);
}

/** How many other incidents the message of this page speaks for. */
export async function ledBy(q: Queryable, id: number): Promise<number> {
  const row = await first(q, z.object({ n: int }), 'select count(*) as n from pages where lead = $1', [id]);
  return row?.n ?? 0;
}

/** The newest call of a person to an incident by a message of its own. */
export function lastPage(q: Queryable, incident: number, person: string): Promise<Page | undefined> {
  return first(
    q,
    page_,
    `select ${columns} from pages p
     where p.incident_id = $1 and p.person = $2 and p.told_at is not null and p.lead is null order by p.id desc limit 1`,
    [incident, person],
  );
}

/** Who was called to an incident so far, each with the newest time, the newest first. */
export function calledPeople(q: Queryable, incident: number, since: Date): Promise<{ person: string; at: Date }[]> {
  return many(
    q,
    z.object({ person: z.string(), at }),
    `select person, max(told_at) as at from pages
     where incident_id = $1 and person is not null and told_at >= $2 group by person order by 2 desc limit 10`,
    [incident, since],
  );
}

/** Calls and messages after quiet hours, delivered since a time, that show an incident as it was before its last change. */
export function outdatedCalls(q: Queryable, since: Date): Promise<{ kind: string; ref: string }[]> {
  return many(
    q,
    z.object({ kind: z.string(), ref: z.string() }),
    `select distinct c.kind, c.ref from cards c
       left join pages p on p.id = case when c.kind = 'page' then c.ref::bigint end
       left join held h on c.kind = 'quiet' and h.person = split_part(c.ref, ':', 1)
         and h.released_at = case when c.kind = 'quiet' then to_timestamp(split_part(c.ref, ':', 2)::bigint / 1000.0) end
       join incidents i on i.id = coalesce(p.incident_id, h.incident_id)
     where c.kind in ('page', 'quiet') and c.gone_at is null and c.created_at > $1 and c.message_id is not null
       and i.updated_at > c.delivered_at and c.delivered_rev >= c.rev
     limit 100`,
    [since],
  );
}

/** Forgets calls made before. */
export function purgePages(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from pages where owed_at < $1', [before]);
}
