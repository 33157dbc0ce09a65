import { z } from 'zod';
import { VakhtaError } from '../core/error.ts';
import { toJson } from '../core/json.ts';
import { notify, type Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const columns = `id, kind, ref, chat_id as chat, thread_id as thread, reply_to as "replyTo", reader, view, priority,
  message_id as "messageId", rev, delivered_rev as "deliveredRev", delivered_hash as "deliveredHash",
  delivered_at as "deliveredAt", created_at as "createdAt", gone_at as "goneAt", wanted_at as "wantedAt",
  first_delivered_at as "firstDeliveredAt", delayed_by as "delayedBy", topic, sound, shown_picture as "shownPicture"`;

/** Why a card was seen late: Telegram was not reached, asked to wait, had no room; `late`: nobody was there to send it. */
const DELAYS = ['unreachable', 'flood', 'budget', 'late'] as const;

const card_ = z.object({
  id: z.string(),
  kind: z.string(),
  ref: z.string(),
  chat: int,
  thread: optional(int),
  replyTo: optional(int),
  /** Operator whose language and zone the card has; absent: those of the chat. */
  reader: optional(z.string()),
  view: z.string(),
  priority: int,
  messageId: optional(int),
  rev: int,
  deliveredRev: int,
  deliveredHash: optional(z.string()),
  deliveredAt: optional(at),
  createdAt: at,
  goneAt: optional(at),
  /** Since when it is to be seen, and since when it is. */
  wantedAt: optional(at),
  firstDeliveredAt: optional(at),
  /** It came late, for this reason; shown for good. */
  delayedBy: optional(z.enum(DELAYS)),
  /** Name of the topic where it belongs, found or made when it is sent; goes before `thread`. */
  topic: optional(z.string()),
  /** With or without a sound; absent: by severity. */
  sound: optional(z.boolean()),
  /** The picture that the message is; absent: it is text. */
  shownPicture: optional(z.string()),
});

/** A Telegram message that is kept equal to a state: `rev` is wanted, `deliveredRev` is what the chat shows. */
export type Card = z.output<typeof card_>;

export interface CardWish {
  readonly kind: string;
  readonly ref: string;
  readonly chat: number;
  readonly thread?: number | undefined;
  readonly replyTo?: number | undefined;
  readonly reader?: string | undefined;
  /** 0 is the most urgent, 3 the least. */
  readonly priority: number;
  /** Name of the topic where it belongs: looked up when it is sent, made when there is none. Goes before `thread`. */
  readonly topic?: string | undefined;
  /** With or without a sound; absent: by severity, as the configuration says. */
  readonly sound?: boolean | undefined;
}

/** While a delivery waits, a newer wish only makes it more urgent, never one more message. */
const MERGE = `on conflict (coalesce_key) where state = 'queued' and coalesce_key is not null do update set
  priority = least(o.priority, excluded.priority),
  not_before = case when o.attempts > 0 then o.not_before else least(o.not_before, excluded.not_before) end`;

/**
 * The cards of these states in these chats, in one statement however many they are: made where there is none, else wanted
 * anew. A more urgent priority stays; one that was gone comes back as a new message. Queues one coalesced delivery a card.
 */
export async function wantCards(q: Queryable, wishes: readonly CardWish[], now: Date): Promise<Card[]> {
  if (wishes.length === 0) return [];
  return many(
    q,
    card_,
    `with w as (
       select * from jsonb_to_recordset($1::jsonb) as w (n int, kind text, ref text, chat bigint, thread bigint,
         "replyTo" bigint, reader text, priority smallint, topic text, sound boolean)
     ),
     wanted as (
       insert into cards as c (id, kind, ref, chat_id, thread_id, reply_to, reader, priority, created_at, wanted_at, topic,
         sound)
       select gen_random_uuid(), kind, ref, chat, thread, "replyTo", reader, priority, $2, $2, topic, sound from w order by n
       on conflict (kind, ref, chat_id) do update set
         rev = c.rev + 1,
         priority = least(c.priority, excluded.priority),
         message_id = case when c.gone_at is null then c.message_id end,
         delivered_hash = case when c.gone_at is null then c.delivered_hash end,
         shown_picture = case when c.gone_at is null then c.shown_picture end,
         wanted_at = case when c.gone_at is null then c.wanted_at else excluded.wanted_at end,
         first_delivered_at = case when c.gone_at is null then c.first_delivered_at end,
         delayed_by = case when c.gone_at is null then c.delayed_by end,
         sound = coalesce(excluded.sound, c.sound),
         gone_at = null
       returning *
     ),
     deliveries as (
       insert into outbox as o (coalesce_key, chat_id, thread_id, priority, kind, card_id, not_before, created_at)
       select 'card:' || c.id, c.chat_id, c.thread_id, w.priority, 'card', c.id, $2, $2
       from wanted c join w on w.kind = c.kind and w.ref = c.ref and w.chat = c.chat_id order by w.n
       ${MERGE}
     )
     select ${columns} from wanted cross join pg_notify('vakhta_outbox', '')`,
    [toJson(wishes.map((wish, n) => ({ ...wish, n }))), now],
  );
}

/** One card; see `wantCards`. */
export async function wantCard(q: Queryable, wish: CardWish, now: Date): Promise<Card> {
  const [wanted] = await wantCards(q, [wish], now);
  if (!wanted) throw new VakhtaError('bug', 'internal', 'a card was neither made nor found');
  return wanted;
}

/**
 * Every card of this state is wanted anew; answers the chats that show it. `priority` is that of the delivery alone, for an
 * update that is less (or more) urgent than the card itself.
 */
export async function touchCards(
  q: Queryable,
  kind: string,
  ref: string,
  now: Date,
  options: { readonly priority?: number } = {},
): Promise<number[]> {
  const cards = await many(
    q,
    z.object({ id: z.string(), chat: int, priority: int }),
    // Not FOR UPDATE: the foreign key of a delivery that is put back at this moment would wait for it, and it for that row.
    `with locked as (
       select id from cards where kind = $1 and ref = $2 and gone_at is null order by id for no key update
     )
     update cards set rev = rev + 1 from locked where cards.id = locked.id
     returning cards.id, chat_id as chat, priority`,
    [kind, ref],
  );
  await queueDeliveries(
    q,
    cards.map(({ id, priority }) => ({ id, priority: options.priority ?? priority })),
    now,
  );
  return cards.map(({ chat }) => chat);
}

export function card(q: Queryable, id: string): Promise<Card | undefined> {
  return first(q, card_, `select ${columns} from cards where id = $1`, [id]);
}

/** The card that is this message, for replies and presses. */
export function cardByMessage(q: Queryable, chat: number, messageId: number): Promise<Card | undefined> {
  return first(q, card_, `select ${columns} from cards where chat_id = $1 and message_id = $2`, [chat, messageId]);
}

/** All cards of one state, one a chat. */
export function cardsOf(q: Queryable, kind: string, ref: string): Promise<Card[]> {
  return many(q, card_, `select ${columns} from cards where kind = $1 and ref = $2 order by created_at, id`, [
    kind,
    ref,
  ]);
}

/** The cards of many states of one kind that are not gone, in one statement. */
export function liveCards(q: Queryable, kind: string, refs: readonly string[]): Promise<Card[]> {
  return many(
    q,
    card_,
    `select ${columns} from cards where kind = $1 and ref = any ($2) and gone_at is null order by created_at, id`,
    [kind, refs],
  );
}

/** Shows the card in another view and queues its delivery, which waits for no frame; `undefined` when there is no such card any more. */
export async function setView(q: Queryable, id: string, view: string, now: Date): Promise<Card | undefined> {
  const changed = await first(
    q,
    card_,
    `update cards set view = $2, rev = rev + 1, delivered_hash = null where id = $1 and gone_at is null
     returning ${columns}`,
    [id, view],
  );
  if (changed) await queueDeliveries(q, [{ id, priority: changed.priority }], now);
  return changed;
}

/** What a sender made of a card's message. */
export interface Shown {
  readonly rev: number;
  readonly hash: string;
  readonly messageId: number;
  /** The card's message and chat as the sender found them: a new message was sent when there was none. */
  readonly was: number | undefined;
  readonly chat: number;
  readonly picture?: string | undefined;
  /** Kept from the first time on. */
  readonly firstAt?: Date;
  readonly delayedBy?: Card['delayedBy'];
}

/**
 * `noted`; or the sender was overtaken: `superseded`, the card has another message by now (or none, or lives in another chat);
 * `outdated`, a newer drawing went to the same message, and perhaps was covered by this one.
 */
export type Noted = 'noted' | 'superseded' | 'outdated';

/** Notes what the chat shows now, unless somebody else has said something newer since the sender looked. */
export async function delivered(q: Queryable, id: string, what: Shown, now: Date): Promise<Noted> {
  const { rev, hash, messageId, was, chat, picture, firstAt, delayedBy } = what;
  const rows = await touched(
    q,
    `update cards set delivered_rev = $2, delivered_hash = $3, message_id = $4, delivered_at = $5, shown_picture = $8,
       first_delivered_at = coalesce(first_delivered_at, $9), delayed_by = coalesce(delayed_by, $10)
     where id = $1 and chat_id = $7 and delivered_rev <= $2 and (message_id is not distinct from $6 or message_id = $4)`,
    [id, rev, hash, messageId, now, was, chat, picture, firstAt ?? now, delayedBy],
  );
  if (rows > 0) return 'noted';
  const found = await card(q, id);
  return found?.messageId === messageId && found.chat === chat ? 'outdated' : 'superseded';
}

/** What the chat shows is to be looked at again, though nothing new is wanted. */
export async function redeliver(q: Queryable, id: string, now: Date): Promise<void> {
  const found = await card(q, id);
  if (found && found.goneAt === undefined) await queueDeliveries(q, [{ id, priority: found.priority }], now);
}

/** What the cards of this state show next is a person's doing: it does not wait for their next frame. */
export async function showAtOnce(q: Queryable, kind: string, ref: string): Promise<void> {
  await q.query('update cards set delivered_hash = null where kind = $1 and ref = $2 and gone_at is null', [kind, ref]);
}

/** The card has to be drawn anew even if it looks the same: its buttons stand for nothing any more. */
export async function forgetDrawing(q: Queryable, id: string): Promise<void> {
  await q.query('update cards set delivered_hash = null where id = $1', [id]);
}

/** The message (`messageId`, when given) is not there any more: the next delivery sends a new one. */
export async function forgetMessage(q: Queryable, id: string, messageId?: number): Promise<void> {
  await q.query(
    `update cards set message_id = null, delivered_hash = null, shown_picture = null
     where id = $1 and ($2::bigint is null or message_id = $2)`,
    [id, messageId],
  );
}

/** The state behind the card is gone: nothing is delivered until it is wanted again. */
export async function gone(q: Queryable, id: string, now: Date): Promise<void> {
  await q.query('update cards set gone_at = $2 where id = $1 and gone_at is null', [id, now]);
}

/** Forgets cards made before, with their deliveries and buttons, except those that `kinds` still keep alive by a newer delivery. */
export function purgeCards(q: Queryable, before: Date): Promise<number> {
  return touched(
    q,
    'delete from cards where created_at < $1 and coalesce(delivered_at, created_at) < $1 and delivered_rev >= rev',
    [before],
  );
}

/** One coalesced row a card. */
async function queueDeliveries(
  q: Queryable,
  cards: readonly { readonly id: string; readonly priority: number }[],
  now: Date,
): Promise<void> {
  if (cards.length === 0) return;
  await q.query(
    `insert into outbox as o (coalesce_key, chat_id, thread_id, priority, kind, card_id, not_before, created_at)
     select 'card:' || c.id, c.chat_id, c.thread_id, w.priority, 'card', c.id, $3, $3
     from unnest($1::uuid[], $2::smallint[]) as w (id, priority) join cards c on c.id = w.id order by c.id
     ${MERGE}`,
    [cards.map(({ id }) => id), cards.map(({ priority }) => priority), now],
  );
  await notify(q, 'vakhta_outbox');
}
