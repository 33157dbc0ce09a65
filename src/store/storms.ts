import { z } from 'zod';
import { VakhtaError } from '../core/error.ts';
import { toJson } from '../core/json.ts';
import type { Queryable, Tx } from './db.ts';
import { SAYS_OF } from './incidents.ts';
import { at, first, int, many, only, optional, touched } from './rows.ts';

const columns = `id, chat_id as chat, thread_id as thread, topic, started_at as "startedAt", last_at as "lastAt",
  calm_at as "calmAt", ended_at as "endedAt"`;

const storm_ = z.object({
  id: int,
  chat: int,
  thread: optional(int),
  topic: optional(z.string()),
  startedAt: at,
  /** When the last new incident came. */
  lastAt: at,
  /** Nothing new came for a while: those that still fire get cards of their own. */
  calmAt: optional(at),
  endedAt: optional(at),
});

/** Many incidents of one chat at once, shown by one card. */
export type Storm = z.output<typeof storm_>;

export function storm(
  q: Queryable,
  id: number,
  options: { readonly forUpdate?: boolean } = {},
): Promise<Storm | undefined> {
  return first(q, storm_, `select ${columns} from storms where id = $1 ${options.forUpdate ? 'for update' : ''}`, [id]);
}

/** Storms that are not over, at most one a chat. */
export function openStorms(q: Queryable): Promise<Storm[]> {
  return many(q, storm_, `select ${columns} from storms where ended_at is null order by id`);
}

const situation_ = z.object({
  storms: z.array(
    z.object({
      id: int,
      chat: int,
      thread: optional(int),
      topic: optional(z.string()),
      isCalm: z.boolean(),
      members: z.array(z.object({ id: int, own: z.boolean() })),
    }),
  ),
  recent: z.array(z.object({ chat: int, total: int, critical: int })),
});

/** What placing needs to know: open storms with those of `incidents` that are in them, and new cards of each chat. */
export type Situation = z.output<typeof situation_>;

/** Cards of new incidents, made since `$2` or not shown yet; those that a storm let go count no more. */
const RECENT = `
  select c.id, c.ref, c.priority, c.created_at from cards c
  where c.kind = 'incident' and c.chat_id = w.chat and c.created_at > $2 and c.reader is null and c.gone_at is null
    and not exists (select from storm_incidents m where m.incident_id = c.ref::bigint and m.released_at is not null)
  union
  select c.id, c.ref, c.priority, c.created_at from outbox o join cards c on c.id = o.card_id
  where o.chat_id = w.chat and o.state in ('queued', 'sending') and c.kind = 'incident' and c.message_id is null
    and c.reader is null
    and not exists (select from storm_incidents m where m.incident_id = c.ref::bigint and m.released_at is not null)`;

/** Until the transaction ends, nobody else ends an open storm of these chats: what joins it would be shown by nothing. */
export async function situation(
  tx: Tx,
  asked: { readonly chats: readonly number[]; readonly since: Date; readonly incidents: readonly number[] },
): Promise<Situation> {
  // Both statements travel together: the second begins, and sees what there is, when the first has its turn.
  const turn = tx.query(
    'select id from storms where chat_id = any ($1) and ended_at is null order by id for no key update',
    [asked.chats],
  );
  const found = only(
    tx,
    situation_,
    `select
       coalesce((select jsonb_agg(jsonb_build_object('id', s.id, 'chat', s.chat_id, 'thread', s.thread_id, 'topic', s.topic,
           'isCalm', s.calm_at is not null, 'members', coalesce((
             select jsonb_agg(jsonb_build_object('id', m.incident_id, 'own', m.own_card)) from storm_incidents m
             where m.storm_id = s.id and m.incident_id = any ($3)), '[]')))
         from storms s where s.ended_at is null), '[]') as storms,
       coalesce((select jsonb_agg(jsonb_build_object('chat', w.chat, 'total', r.total, 'critical', r.critical))
         from unnest($1::bigint[]) as w (chat) cross join lateral (
           select count(*) as total, count(*) filter (where priority = 0) as critical from (${RECENT}) n) r), '[]') as recent`,
    [asked.chats, asked.since, asked.incidents],
  );
  const [answer] = await Promise.all([found, turn]);
  return answer;
}

/** A storm begins in this chat, with the incidents whose cards made it one; the open one when there is one already. */
export async function beginStorm(
  tx: Tx,
  where: { readonly chat: number; readonly thread?: number | undefined; readonly topic?: string | undefined },
  since: Date,
  now: Date,
): Promise<Pick<Storm, 'id' | 'thread' | 'topic'>> {
  const begun = await first(
    tx,
    z.object({ id: int, thread: optional(int), topic: optional(z.string()) }),
    `insert into storms as s (chat_id, thread_id, topic, started_at, last_at)
     select $1, $3, $4, least(min(r.created_at), $5), $5 from unnest(array[$1::bigint]) as w (chat)
       left join lateral (${RECENT}) r on true
     on conflict (chat_id) where ended_at is null do update set last_at = excluded.last_at, calm_at = null
     returning id, thread_id as thread, topic`,
    [where.chat, since, where.thread, where.topic, now],
  );
  if (!begun) throw new VakhtaError('bug', 'internal', 'a storm was neither begun nor found');
  await tx.late.query(
    `insert into storm_incidents (storm_id, incident_id, own_card)
     select $3, r.ref::bigint, true from unnest(array[$1::bigint]) as w (chat) cross join lateral (${RECENT}) r
     on conflict (storm_id, incident_id) do nothing`,
    [where.chat, since, begun.id],
  );
  return begun;
}

export interface Member {
  readonly incident: number;
  readonly ownCard: boolean;
}

/** These incidents are in the storm too; one that has a card of its own keeps it. The storm goes on. */
export async function joinStorm(q: Queryable, id: number, members: readonly Member[], now: Date): Promise<void> {
  await q.query('update storms set last_at = $2, calm_at = null where id = $1 and ended_at is null', [id, now]);
  await q.query(
    `insert into storm_incidents as m (storm_id, incident_id, own_card)
     select $1, incident, "ownCard" from jsonb_to_recordset($2::jsonb) as r (incident bigint, "ownCard" boolean)
     on conflict (storm_id, incident_id) do update set own_card = m.own_card or excluded.own_card`,
    [id, toJson(members)],
  );
}

const alert = z.object({ status: z.enum(['firing', 'resolved', 'gone']), labels: z.record(z.string(), z.string()) });

/** Status and labels of an incident's alerts, without their texts. */
export const SLIM_ALERTS = `coalesce((select jsonb_agg(jsonb_build_object('status', a.value -> 'status',
  'labels', a.value -> 'labels')) from jsonb_each(i.data -> 'alerts') a), '[]')`;
export const slimAlerts = z.array(alert);

const member_ = z.object({
  id: int,
  state: z.enum(['firing', 'resolved']),
  severity: z.enum(['critical', 'warning', 'info']),
  title: z.string(),
  says: optional(z.string()).optional(),
  owner: optional(z.string()),
  startedAt: at,
  resolvedAt: optional(at),
  folded: z.boolean(),
  truncated: int,
  all: slimAlerts,
  ownCard: z.boolean(),
  released: z.boolean(),
});

/** An incident of a storm with what its card and its release need of it. */
export type StormMember = z.output<typeof member_>;

/** All incidents of a storm. */
export function stormMembers(q: Queryable, id: number): Promise<StormMember[]> {
  return many(
    q,
    member_,
    `select i.id, i.state, i.severity, i.title, ${SAYS_OF} as says, i.owner, i.started_at as "startedAt", i.resolved_at as "resolvedAt",
       i.folded_into is not null as folded, coalesce((i.data ->> 'truncated')::int, 0) as truncated,
       ${SLIM_ALERTS} as "all", m.own_card as "ownCard", m.released_at is not null as released
     from storm_incidents m join incidents i on i.id = m.incident_id where m.storm_id = $1 order by i.id`,
    [id],
  );
}

/** Cards of incidents that wait to be shown in this chat for the first time. */
export async function waitingCards(q: Queryable, chat: number): Promise<number> {
  const { n } = await only(
    q,
    z.object({ n: int }),
    `select count(distinct c.id) as n from outbox o join cards c on c.id = o.card_id
     where o.chat_id = $1 and o.state in ('queued', 'sending') and c.kind = 'incident' and c.message_id is null`,
    [chat],
  );
  return n;
}

/** Cards of incidents in this chat whose incidents changed since; while it stormed they were not drawn at each change. */
export function changedCards(
  q: Queryable,
  chat: number,
  since: Date,
): Promise<{ ref: string; thread?: number | undefined; priority: number }[]> {
  return many(
    q,
    z.object({ ref: z.string(), thread: optional(int), priority: int }),
    `select c.ref, c.thread_id as thread, c.priority from cards c join incidents i on i.id = c.ref::bigint
     where c.kind = 'incident' and c.chat_id = $1 and c.gone_at is null and c.message_id is not null and i.updated_at >= $2
     order by c.priority, c.created_at, c.id`,
    [chat, since],
  );
}

/** Nothing new since `lastAt`: it calms down. False when somebody else saw something new meanwhile. */
export async function calmDown(q: Queryable, id: number, lastAt: Date, now: Date): Promise<boolean> {
  const rows = await touched(
    q,
    'update storms set calm_at = $3 where id = $1 and last_at = $2 and calm_at is null and ended_at is null',
    [id, lastAt, now],
  );
  return rows > 0;
}

/** These have cards of their own from now on. */
export async function release(q: Queryable, id: number, incidents: readonly number[], now: Date): Promise<void> {
  await q.query(
    `update storm_incidents set own_card = true, released_at = $3
     where storm_id = $1 and incident_id = any ($2) and not own_card`,
    [id, incidents, now],
  );
}

/** Over; false when it has begun again, or was over. */
export async function endStorm(q: Queryable, id: number, now: Date): Promise<boolean> {
  const rows = await touched(
    q,
    'update storms set ended_at = $2 where id = $1 and calm_at is not null and ended_at is null',
    [id, now],
  );
  return rows > 0;
}

/** Takes on every firing incident of the storm that nobody has; answers which. */
export async function claimStorm(q: Queryable, id: number, owner: string, now: Date): Promise<number[]> {
  const rows = await many(
    q,
    z.object({ id: int }),
    `with mine as (
       select i.id from incidents i join storm_incidents m on m.incident_id = i.id
       where m.storm_id = $1 and i.state = 'firing' and i.owner is null order by i.id for update of i
     )
     update incidents i set owner = $2, acked_at = $3, updated_at = $3, rev = i.rev + 1 from mine
     where i.id = mine.id and i.state = 'firing' and i.owner is null returning i.id`,
    [id, owner, now],
  );
  return rows.map((row) => row.id).toSorted((a, b) => a - b);
}

/** How many firing incidents of the storm nobody has. */
export async function unowned(q: Queryable, id: number): Promise<number> {
  const { n } = await only(
    q,
    z.object({ n: int }),
    `select count(*) as n from storm_incidents m join incidents i on i.id = m.incident_id
     where m.storm_id = $1 and i.state = 'firing' and i.owner is null`,
    [id],
  );
  return n;
}

/** Forgets storms that were over before. */
export function purgeStorms(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from storms where ended_at < $1', [before]);
}
