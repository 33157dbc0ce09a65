import { z } from 'zod';
import type { Card } from './cards.ts';
import type { Queryable } from './db.ts';
import { SAYS_OF } from './incidents.ts';
import { page } from './pages.ts';
import { at, first, int, jsonObject, many, optional } from './rows.ts';

/** How many of the newest incidents are looked through where no index helps. */
const RECENT = 500;

const candidate_ = z.object({
  id: int,
  title: z.string(),
  says: optional(z.string()).optional(),
  state: z.enum(['firing', 'resolved']),
  startedAt: at,
});
/** An incident that somebody may mean. */
export type Candidate = z.output<typeof candidate_>;

/** Incidents with an alert of this name, or whose fingerprint begins so; newest first. */
export function incidentsMeant(q: Queryable, what: string, limit: number): Promise<Candidate[]> {
  const fingerprint = /^[0-9a-f]{4,16}$/iu.test(what) ? what.toLowerCase() : null;
  return many(
    q,
    candidate_,
    `with recent as (select id, data from incidents order by id desc limit $4),
     found as (
       select incident_id as id from
         (select incident_id from incident_traits where lower(alertname) = lower($1) order by incident_id desc limit $3) t
       union
       select r.id from recent r where exists (
         select from jsonb_each(r.data -> 'alerts') a
         where lower(a.value -> 'labels' ->> 'alertname') = lower($1) or starts_with(a.key, $2)
       )
     )
     select i.id, i.title, ${SAYS_OF} as says, i.state, i.started_at as "startedAt" from incidents i join found using (id)
     order by i.id desc limit $3`,
    [what, fingerprint, limit, RECENT],
  );
}

const card_ = z.object({
  id: z.string(),
  kind: z.string(),
  chat: int,
  thread: optional(int),
  topic: optional(z.string()),
  messageId: optional(int),
  createdAt: at,
  firstDeliveredAt: optional(at),
  deliveredAt: optional(at),
  delayedBy: optional(z.string()),
  goneAt: optional(at),
});
/** A card that shows, or showed, the incident: its own, or that of a storm. */
export type WhyCard = z.output<typeof card_>;

export function cardsShowing(q: Queryable, incident: number): Promise<WhyCard[]> {
  return many(
    q,
    card_,
    `select id, kind, chat_id as chat, thread_id as thread, topic, message_id as "messageId", created_at as "createdAt",
       first_delivered_at as "firstDeliveredAt", delivered_at as "deliveredAt", delayed_by as "delayedBy", gone_at as "goneAt"
     from cards
     where (kind = 'incident' and ref = $1::bigint::text)
       or (kind = 'storm' and ref in (select storm_id::text from storm_incidents where incident_id = $1))
     order by created_at, id`,
    [incident],
  );
}

const delivery_ = z.object({
  id: int,
  cardId: z.string(),
  state: z.enum(['queued', 'sending', 'sent', 'unknown', 'dropped', 'failed']),
  attempts: int,
  error: optional(z.string()),
  waited: optional(z.string()),
  messageId: optional(int),
  createdAt: at,
  settledAt: optional(at),
});
/** What became of one delivery of a card; kept for a week. */
export type WhyDelivery = z.output<typeof delivery_>;

export function deliveriesOf(q: Queryable, cards: readonly string[], limit: number): Promise<WhyDelivery[]> {
  return many(
    q,
    delivery_,
    `select id, card_id as "cardId", state, attempts, error, waited, message_id as "messageId", created_at as "createdAt",
       settled_at as "settledAt"
     from outbox where card_id = any ($1::uuid[]) order by id limit $2`,
    [cards, limit],
  );
}

const run_ = z.object({
  number: int,
  operation: z.string(),
  args: jsonObject,
  target: optional(z.string()),
  state: z.string(),
  actor: z.object({ kind: z.string(), id: z.string() }),
  createdAt: at,
  finishedAt: optional(at),
  /** Why it came to nothing; the id is for quoting. */
  error: optional(
    z.object({
      id: z.string().exactOptional(),
      text: z.string(),
      args: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
  /** Asked for by a button. */
  pressed: z.boolean(),
});
export type WhyRun = z.output<typeof run_>;

/** Runs that were asked for from the incident's card, or with its number, oldest first. */
export function runsAbout(q: Queryable, incident: number, since: Date, limit: number): Promise<WhyRun[]> {
  return many(
    q,
    run_,
    `with own as (
       select * from runs where origin ? 'incident' and (origin ->> 'incident')::bigint = $1
       union
       select * from runs where created_at between $2 and $2 + interval '14 days' and args ->> 'incident' = $1::bigint::text
     )
     select number, operation, args, plan ->> 'target' as target, state, actor, created_at as "createdAt",
       finished_at as "finishedAt", error,
       exists (select from actions a where a.token = own.idempotency_key) as pressed
     from own order by created_at, number limit $3`,
    [incident, since, limit],
  );
}

const audited_ = z.object({
  at,
  /** Kind and id: `operator:anna`. */
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: jsonObject,
});
export type Audited = z.output<typeof audited_>;

/** What the audit holds of these actions about an incident or about its runs (by number), oldest first. */
export function auditedAbout(
  q: Queryable,
  incident: number,
  runs: readonly number[],
  actions: readonly string[],
  limit: number,
): Promise<Audited[]> {
  const subjects = [`incident:${incident}`, ...runs.map((number) => `run:${number}`)];
  return many(
    q,
    audited_,
    `with about as (
       select seq from audit where subject = any ($1)
       union
       select seq from audit where detail ? 'incident' and detail ->> 'incident' = $2::bigint::text
     )
     select at, actor, action, subject, detail from audit join about using (seq) where action = any ($3) order by seq limit $4`,
    [subjects, incident, actions, limit],
  );
}

/** The one incident that a card is about: its own, the one that it calls somebody to, or the one that its run was asked for from. */
export async function incidentOfCard(
  q: Queryable,
  { kind, ref }: Pick<Card, 'kind' | 'ref'>,
): Promise<number | undefined> {
  if (kind === 'incident') return Number(ref);
  if (kind === 'page') return (await page(q, Number(ref)))?.incident;
  if (kind !== 'run') return undefined;
  const found = await first(
    q,
    z.object({ incident: optional(int) }),
    "select (origin ->> 'incident')::bigint as incident from runs where id = $1",
    [ref],
  );
  return found?.incident;
}
