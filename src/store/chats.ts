import { z } from 'zod';
import { notify, type Queryable, type Tx } from './db.ts';
import { at, int, many, optional } from './rows.ts';

const state = z.object({
  chat: int,
  /** Telegram takes nothing before (`retry_after`). */
  blockedUntil: optional(at),
  /** Instants of the sends of the last minute, oldest first. */
  sends: z.array(at),
  migratedTo: optional(int),
  disabledAt: optional(at),
  disabledReason: optional(z.string()),
  /** Name → message_thread_id. */
  topics: z.record(z.string(), int),
});

/** What the transport knows of a chat. */
export type ChatState = z.output<typeof state>;

/** The states of these chats, by id; a chat without a state has never been written to. Without ids: all. */
export async function chatStates(q: Queryable, ids?: readonly number[]): Promise<Map<number, ChatState>> {
  const rows = await many(
    q,
    state,
    `select chat_id as chat, blocked_until as "blockedUntil", sends, migrated_to as "migratedTo", disabled_at as "disabledAt",
       disabled_reason as "disabledReason", topics from chat_state where $1::bigint[] is null or chat_id = any ($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.chat, row]));
}

/**
 * Nothing goes to the chat before; a later end that is known already stays. Survives a restart. Whoever else writes to the chat
 * hears of it at once.
 */
export async function block(q: Queryable, chat: number, until: Date): Promise<void> {
  await q.query(
    `insert into chat_state as s (chat_id, blocked_until) values ($1, $2)
     on conflict (chat_id) do update set blocked_until = greatest(s.blocked_until, excluded.blocked_until)`,
    [chat, until],
  );
  await notify(q, 'vakhta_outbox', `chat:${chat}`);
}

/** Counts a send against the chat's budget; keeps those of the last minute. */
export async function recordSend(q: Queryable, chat: number, sentAt: Date): Promise<void> {
  await q.query(
    `insert into chat_state as s (chat_id, sends) values ($1, array[$2::timestamptz])
     on conflict (chat_id) do update
       set sends = array(select t from unnest(s.sends || $2::timestamptz) t where t > $2::timestamptz - interval '1 minute' order by t)`,
    [chat, sentAt],
  );
}

/**
 * The group became a supergroup: cards, waiting deliveries and buttons move to its new id in the same transaction. The old
 * messages cannot be edited under the new id, so each card becomes a new message at its next delivery.
 */
export async function migrateChat(tx: Tx, from: number, to: number, now: Date): Promise<void> {
  if (from === to) return;
  await tx.query(
    `insert into chat_state (chat_id, migrated_to) values ($1, $2)
     on conflict (chat_id) do update set migrated_to = excluded.migrated_to`,
    [from, to],
  );
  // Of two cards of one state, the one that the new chat shows already stays.
  await tx.query(
    `delete from cards c where c.chat_id = $1
       and exists (select from cards n where n.chat_id = $2 and n.kind = c.kind and n.ref = c.ref)`,
    [from, to],
  );
  await tx.query(
    `update cards set chat_id = $2, thread_id = null, reply_to = null, message_id = null, delivered_hash = null,
       shown_picture = null
     where chat_id = $1`,
    [from, to],
  );
  await tx.query("update actions set chat_id = $2 where chat_id = $1 and state = 'open'", [from, to]);
  await tx.query(
    `update outbox set chat_id = $2, thread_id = null, not_before = least(not_before, $3)
     where chat_id = $1 and state in ('queued', 'sending')`,
    [from, to, now],
  );
  await notify(tx, 'vakhta_outbox');
}

/** The bot may not write there any more (it was removed, or blocked): nothing is tried until `enable`. */
export async function disable(q: Queryable, chat: number, reason: string, now: Date): Promise<void> {
  await q.query(
    `insert into chat_state as s (chat_id, disabled_at, disabled_reason) values ($1, $2, $3)
     on conflict (chat_id) do update set disabled_at = coalesce(s.disabled_at, $2), disabled_reason = $3`,
    [chat, now, reason],
  );
}

/** The bot may write again; true when it could not before. */
export async function enable(q: Queryable, chat: number): Promise<boolean> {
  const { rowCount } = await q.query(
    'update chat_state set disabled_at = null, disabled_reason = null where chat_id = $1 and disabled_at is not null',
    [chat],
  );
  if (rowCount > 0) await notify(q, 'vakhta_outbox');
  return rowCount > 0;
}
