import type { Config } from '../../config/schema.ts';
import { PRIORITY } from '../../core/budget.ts';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { card as findCard, wantCard } from '../../store/cards.ts';
import type { Queryable } from '../../store/db.ts';
import { enqueue, type OutboxRow } from '../../store/outbox.ts';
import { type Doc, doc, line } from '../../core/doc.ts';
import type { Addressee, Readers } from '../readers.ts';
import { post } from './body.ts';

/** What cannot be said where it belongs is said to the administrators in private. */
export function createFallback(options: {
  readonly db: Queryable;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly readers: Readers;
}) {
  const { db, config, clock, random, readers } = options;
  const admins = (except: number) =>
    config.operators.filter((one) => one.role === 'admin' && one.telegramId !== except).map((one) => one.telegramId);

  /** The same content for the administrators: a card becomes a living card there, a message a copy. */
  const forward = async (row: OutboxRow): Promise<void> => {
    if (row.priority >= PRIORITY.information || row.kind === 'delete') return;
    const now = clock.now();
    for (const chat of admins(row.chat)) {
      if (row.kind === 'message') {
        const dedupeKey = `fallback:${row.id}:${chat}`;
        await enqueue(
          db,
          { dedupeKey, chat, priority: row.priority, kind: 'message', body: withoutButtons(row.body) },
          now,
        );
        continue;
      }
      const card = row.cardId === undefined ? undefined : await findCard(db, row.cardId);
      if (card === undefined || card.goneAt !== undefined) continue;
      await wantCard(db, { kind: card.kind, ref: card.ref, chat, priority: row.priority }, now);
    }
  };

  return {
    /** The administrators learn of it once a day, and of what was urgent in it. A private chat that is lost concerns nobody else. */
    chatLost: async (row: OutboxRow, reason: string): Promise<void> => {
      if (row.chat > 0 && !config.chats.some((one) => one.chatId === row.chat)) return;
      const title = config.chats.find((one) => one.chatId === row.chat)?.title ?? String(row.chat);
      for (const chat of admins(row.chat)) {
        const reader = await readers.chat(chat);
        const day = reader.now.toISOString().slice(0, 10);
        await post(db, random, {
          chat,
          doc: lostChatDoc(reader, title, reason),
          reader,
          priority: PRIORITY.critical,
          dedupeKey: `chat-lost:${row.chat}:${chat}:${day}`,
        });
      }
      await forward(row);
    },
    refused: forward,
    /** Would sending this row again be an edit of a message that is known? */
    isEdit: async (row: OutboxRow): Promise<boolean> =>
      row.cardId !== undefined && (await findCard(db, row.cardId))?.messageId !== undefined,
  };
}

/** Buttons are bound to the chat they were made for. */
function withoutButtons(body: unknown): unknown {
  return typeof body === 'object' && body !== null ? { ...body, keyboard: [], replyTo: undefined } : body;
}

const lostChatDoc = (reader: Addressee, chat: string, reason: string): Doc =>
  doc(
    { kind: 'title', icon: 'warning', of: reader.t('outbox-chat-lost', { chat }) },
    line(reader.t('outbox-chat-lost-why', { reason })),
    line(reader.t('outbox-chat-lost-do')),
  );
