import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { notify, type Queryable } from './db.ts';
import { at, first, int, many, only, optional, touched } from './rows.ts';

const columns = `id, dedupe_key as "dedupeKey", coalesce_key as "coalesceKey", chat_id as chat, thread_id as thread, priority,
  kind, card_id as "cardId", body, state, attempts, not_before as "notBefore", lease_until as "leaseUntil",
  message_id as "messageId", error, created_at as "createdAt", settled_at as "settledAt", sound, waited`;

const row = z.object({
  id: int,
  dedupeKey: optional(z.string()),
  coalesceKey: optional(z.string()),
  chat: int,
  thread: optional(int),
  priority: int,
  kind: z.enum(['card', 'message', 'delete']),
  cardId: optional(z.string()),
  body: z.unknown(),
  state: z.enum(['queued', 'sending', 'sent', 'unknown', 'dropped', 'failed']),
  attempts: int,
  notBefore: at,
  leaseUntil: optional(at),
  messageId: optional(int),
  error: optional(z.string()),
  createdAt: at,
  settledAt: optional(at),
  /** With or without a sound; absent: by severity. */
  sound: optional(z.boolean()),
  waited: optional(z.enum(['unreachable', 'flood', 'budget'])),
});

/** Something to tell Telegram. `unknown`: it may have been sent, and is never sent again by itself. */
export type OutboxRow = z.output<typeof row>;

/** Why a row had to wait: nobody was reached, Telegram asked for it (429), or the chat's budget was spent. */
export type Waited = NonNullable<OutboxRow['waited']>;

/**
 * A row as one sender took it. What that sender has to say counts only while nobody else has taken the row since: it may come
 * late, from a process that lost its leadership in the middle of a call.
 */
export type Attempt = Pick<OutboxRow, 'id' | 'attempts'>;

export interface Parcel {
  /** A second row with the same key is never queued, not even after the first was sent. */
  readonly dedupeKey?: string;
  /** While a row with the same key waits, this one merges into it. */
  readonly coalesceKey?: string;
  readonly chat: number;
  readonly thread?: number | undefined;
  /** 0 is the most urgent, 3 the least. */
  readonly priority: number;
  readonly kind: OutboxRow['kind'];
  readonly cardId?: string;
  readonly body?: unknown;
  readonly notBefore?: Date;
  /** With or without a sound; absent: by severity. */
  readonly sound?: boolean | undefined;
}

/** The id of the row (of the waiting one when it was merged); `undefined` when the dedupe key is known already. */
export async function enqueue(q: Queryable, parcel: Parcel, now: Date): Promise<number | undefined> {
  const known = parcel.dedupeKey === undefined ? undefined : await byDedupeKey(q, parcel.dedupeKey);
  if (known !== undefined) return undefined;
  // Only one conflict target is possible: with both keys the dedupe key was looked up above, and a race ends as 23505.
  const conflict =
    parcel.coalesceKey === undefined
      ? 'on conflict (dedupe_key) do nothing'
      : `on conflict (coalesce_key) where state = 'queued' and coalesce_key is not null do update set
           priority = least(o.priority, excluded.priority), body = excluded.body,
           not_before = case when o.attempts > 0 then o.not_before else least(o.not_before, excluded.not_before) end`;
  const queued = await first(
    q,
    z.object({ id: int }),
    `insert into outbox as o
       (dedupe_key, coalesce_key, chat_id, thread_id, priority, kind, card_id, body, not_before, created_at, sound)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ${conflict} returning id`,
    [
      parcel.dedupeKey,
      parcel.coalesceKey,
      parcel.chat,
      parcel.thread,
      parcel.priority,
      parcel.kind,
      parcel.cardId,
      parcel.body === undefined ? null : toJson(parcel.body),
      parcel.notBefore ?? now,
      now,
      parcel.sound,
    ],
  );
  if (queued) await notify(q, 'vakhta_outbox');
  return queued?.id;
}

async function byDedupeKey(q: Queryable, key: string): Promise<number | undefined> {
  return (await first(q, z.object({ id: int }), 'select id from outbox where dedupe_key = $1', [key]))?.id;
}

/**
 * Takes up to `limit` rows that are due, most urgent first, one for each chat: what becomes urgent meanwhile goes before the
 * rest of the chat. First in, first out: a row waits while an older one of the same chat that is as urgent or more is being sent, is due, or waits for its next
 * attempt; a row that is only scheduled for later holds up nobody. Taken rows are `sending` until the lease ends.
 */
export async function claimDue(
  q: Queryable,
  options: {
    readonly now: Date;
    readonly leaseMs: number;
    readonly limit: number;
    readonly exceptChats?: readonly number[];
  },
): Promise<OutboxRow[]> {
  const { now, leaseMs, limit, exceptChats = [] } = options;
  // Walks from chat to chat over the index (a "loose index scan"), so that a long queue of one chat costs nothing.
  const rows = await many(
    q,
    row,
    `with recursive chat as (
       (select chat_id from outbox where state in ('queued', 'sending') order by chat_id limit 1)
       union all
       select (select o.chat_id from outbox o where o.state in ('queued', 'sending') and o.chat_id > chat.chat_id
               order by o.chat_id limit 1)
       from chat where chat.chat_id is not null
     ),
     head as materialized (
       select h.*, min(h.id) over (partition by h.chat_id order by h.priority) as oldest
       from chat cross join generate_series(0, 3) as p (priority)
       cross join lateral (
         select o.id, o.chat_id, o.priority, o.state, o.not_before from outbox o
         where o.state in ('queued', 'sending') and o.chat_id = chat.chat_id and o.priority = p.priority
           and (o.state = 'sending' or o.attempts > 0 or o.not_before <= $1)
         order by o.id limit 1
       ) h
       where chat.chat_id is not null and chat.chat_id <> all ($4::bigint[])
     ),
     due as (
       select o.id from outbox o
       where o.state = 'queued' and o.not_before <= $1
         and o.id in (select distinct on (chat_id) id from head
                      where id = oldest and state = 'queued' and not_before <= $1 order by chat_id, priority)
       order by o.priority, o.id limit $3 for update skip locked
     ),
     taken as (
       update outbox o set state = 'sending', attempts = o.attempts + 1, lease_until = $2
       from due where o.id = due.id returning o.*
     )
     select ${columns} from taken`,
    [now, new Date(now.getTime() + leaseMs), limit, exceptChats],
  );
  return rows.sort((a, b) => a.priority - b.priority || a.id - b.id);
}

/**
 * Telegram took it; the answer is the message that stands for the row. It is another one than `messageId` when somebody else
 * sent the row meanwhile and said so first: then `messageId` is a duplicate. `undefined`: the row is not there any more.
 * What went wrong before stays in `error`: it is the reason when the chat shows a message twice.
 */
export async function settleSent(
  q: Queryable,
  { id, attempts }: Attempt,
  now: Date,
  messageId?: number,
): Promise<{ readonly kept: number | undefined } | undefined> {
  // A card's row that waits again may stand for a newer wish: it is left alone, and finds that the card has a message. So is a
  // row that somebody else is sending at this moment: that sender is told by the message id.
  const settled = await first(
    q,
    z.object({ kept: optional(int) }),
    `update outbox set
       state = case when state = 'sending' and attempts > $2 then state else 'sent' end,
       settled_at = case when state = 'sending' and attempts > $2 then settled_at else $3 end,
       lease_until = case when state = 'sending' and attempts > $2 then lease_until end,
       message_id = coalesce(message_id, $4)
     where id = $1 and (state = 'sending' and attempts = $2 or state = 'unknown'
       or kind <> 'card' and state in ('sending', 'queued') and attempts >= $2)
     returning message_id as kept`,
    [id, attempts, now, messageId],
  );
  if (settled) return settled;
  return first(q, z.object({ kept: optional(int) }), 'select message_id as kept from outbox where id = $1', [id]);
}

/** It will not be sent: refused (`failed`), not needed any more (`dropped`), or perhaps sent, nobody knows (`unknown`). */
export async function settleFailed(
  q: Queryable,
  { id, attempts }: Attempt,
  state: 'unknown' | 'dropped' | 'failed',
  now: Date,
  error: string,
): Promise<boolean> {
  const rows = await touched(
    q,
    `update outbox set state = case when message_id is null then $3 else 'sent' end, settled_at = $4, lease_until = null,
       error = $5
     where id = $1 and state = 'sending' and attempts = $2`,
    [id, attempts, state, now, error],
  );
  return rows > 0;
}

/**
 * Back into the queue, in its old place, for another attempt not before `notBefore`. When a newer row with the same coalesce
 * key waits by now, this one merges into it. False when somebody else has decided on the row since.
 */
export async function retryAt(
  q: Queryable,
  { id, attempts }: Attempt,
  notBefore: Date,
  error: string,
  waited?: Waited,
): Promise<boolean> {
  // Taken out and put in again, since only an insert can say what happens when the place is taken.
  const rows = await touched(
    q,
    `with mine as (delete from outbox where id = $1 and state = 'sending' and attempts = $2 returning *)
     insert into outbox as o (id, dedupe_key, coalesce_key, chat_id, thread_id, priority, kind, card_id, body, attempts,
       not_before, error, created_at, message_id, sound, waited)
     overriding system value
     select id, dedupe_key, coalesce_key, chat_id, thread_id, priority, kind, card_id, body, attempts, $3, $4, created_at,
       message_id, sound, coalesce($5, waited)
     from mine
     on conflict (coalesce_key) where state = 'queued' and coalesce_key is not null do update set
       priority = least(o.priority, excluded.priority), attempts = greatest(o.attempts, excluded.attempts),
       not_before = greatest(o.not_before, excluded.not_before), error = excluded.error,
       sound = coalesce(o.sound, excluded.sound), waited = coalesce(excluded.waited, o.waited)`,
    [id, attempts, notBefore, error, waited],
  );
  return rows > 0;
}

/** Whether a message of this card may have arrived without anybody knowing its id. */
export async function perhapsSent(q: Queryable, cardId: string): Promise<boolean> {
  const { found } = await only(
    q,
    z.object({ found: z.boolean() }),
    `select exists (select from outbox where card_id = $1 and state = 'unknown') as found`,
    [cardId],
  );
  return found;
}

/** The chats of rows that somebody is sending, or was when it vanished; one entry a row. */
export async function chatsSending(q: Queryable): Promise<number[]> {
  const rows = await many(q, z.object({ chat: int }), `select chat_id as chat from outbox where state = 'sending'`);
  return rows.map(({ chat }) => chat);
}

/** Notes that everything due before `now` had to wait because nobody was reached. */
export async function markUnreachable(q: Queryable, now: Date): Promise<void> {
  await q.query(`update outbox set waited = 'unreachable' where state = 'queued' and not_before <= $1`, [now]);
}

/** Nobody but a former sender can be sending these now: it has until `until` to say what came of it. */
export async function shortenLeases(q: Queryable, until: Date): Promise<void> {
  await q.query(`update outbox set lease_until = $1 where state = 'sending' and lease_until > $1`, [until]);
}

/** Rows whose sender vanished while sending: whether Telegram has them is not known. Oldest first. */
export function expiredLeases(q: Queryable, now: Date): Promise<OutboxRow[]> {
  return many(
    q,
    row,
    `select ${columns} from outbox where state = 'sending' and lease_until < $1 order by lease_until, id limit 1000`,
    [now],
  );
}

export function outboxRow(q: Queryable, id: number): Promise<OutboxRow | undefined> {
  return first(q, row, `select ${columns} from outbox where id = $1`, [id]);
}

/** When the next row that waits only for its time is due; the sender sleeps until then. */
export async function nextDue(q: Queryable, now: Date): Promise<Date | undefined> {
  const { due } = await only(
    q,
    z.object({ due: optional(at) }),
    `select min(not_before) as due from outbox where state = 'queued' and not_before > $1`,
    [now],
  );
  return due;
}

export interface OutboxStats {
  readonly queued: number;
  /** By priority 0–3: milliseconds since the oldest waiting row was made; absent when none waits. */
  readonly oldestAgeMs: Readonly<Record<number, number>>;
  readonly unknown: number;
}

export async function stats(q: Queryable, now: Date): Promise<OutboxStats> {
  const rows = await many(
    q,
    z.object({ priority: int, queued: int, oldest: at }),
    `select priority, count(*) as queued, min(created_at) as oldest from outbox
     where state in ('queued', 'sending') group by priority`,
  );
  const { unknown } = await only(
    q,
    z.object({ unknown: int }),
    `select count(*) as unknown from outbox where state = 'unknown'`,
  );
  return {
    queued: rows.reduce((sum, { queued }) => sum + queued, 0),
    oldestAgeMs: Object.fromEntries(rows.map(({ priority, oldest }) => [priority, now.getTime() - oldest.getTime()])),
    unknown,
  };
}

/** Forgets rows that were settled before; how many. */
export function purge(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from outbox where settled_at < $1', [before]);
}
