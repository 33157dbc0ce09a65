import type { Config } from '../../config/schema.ts';
import { type Doc, doc, line, quote } from '../../core/doc.ts';
import { PRIORITY, nextFrame } from '../../core/budget.ts';
import type { Operator } from '../../core/people.ts';
import { VakhtaError } from '../../core/error.ts';
import { newErrorId, type Random } from '../../core/random.ts';
import type { Log } from '../../core/log.ts';
import { type Card, card as findCard, delivered, gone } from '../../store/cards.ts';
import { recordSend } from '../../store/chats.ts';
import type { Database } from '../../store/db.ts';
import { enqueue, type OutboxRow, perhapsSent, settleFailed, settleSent } from '../../store/outbox.ts';
import type { Operation } from '../../tasks/define.ts';
import type { Runbooks } from '../../tasks/runbooks.ts';
import type { CardKind } from '../cards/define.ts';
import type { Addressee, Readers } from '../readers.ts';
import { plain, render, type Rendered, renderingHash } from '../render.ts';
import { type MessageBody, openKeyboard, parseDeleteBody, parseMessageBody, type Wire, wireOf } from './body.ts';
import { classify } from './classify.ts';
import type { Mode } from './modes.ts';
import type { Persist } from './persist.ts';
import type { Destination, Sender } from './sender.ts';
import { isGroup } from './traffic.ts';

export interface DeliverOptions {
  readonly db: Database;
  readonly config: Config;
  readonly cards: ReadonlyMap<string, CardKind>;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly people: (id: string) => Operator | undefined;
  readonly readers: Readers;
  readonly runbooks?: Runbooks | undefined;
  readonly random: Random;
  readonly log: Log;
  readonly sender: Sender;
  readonly now: () => Date;
  /** Counts a message against the chat's budget, just before the call; the answer is called when it ended. */
  readonly count: (chat: number) => () => void;
  /** For what has to be noted after Telegram took a message. */
  readonly persist: Persist;
}

export type Delivered =
  | { readonly kind: 'sent' }
  /** Nothing was done: the card's next frame is not due. */
  | { readonly kind: 'early'; readonly until: Date };

/** One row and how it is to be sent this time. */
export interface Task {
  readonly row: OutboxRow;
  readonly modes: ReadonlySet<Mode>;
  readonly thread: number | undefined;
  /** Somebody waits for this card (a press): no pacing, and sent even if it looks the same. */
  readonly urgent: boolean;
  /** Told before an edit, so that a failure is judged as one. */
  readonly isEdit: (edit: boolean) => void;
}

/** Sends what a row stands for and notes it in the database. Errors of the Bot API come through. */
export function createDeliver(options: DeliverOptions): (task: Task) => Promise<Delivered> {
  const { db, sender, random, now } = options;

  /** Notes what Telegram has taken. When even that fails, the message has arrived all the same, and the error says so. */
  const note = async (work: () => Promise<unknown>): Promise<void> => {
    await options.persist(work).catch((cause: unknown) => {
      throw new VakhtaError('bug', 'internal', 'a message was sent, but that could not be noted', { cause });
    });
  };

  const destination = ({ row, modes, thread }: Task, replyTo: number | undefined): Destination => ({
    chat: row.chat,
    thread: modes.has('general') ? undefined : thread,
    replyTo: modes.has('no-reply') ? undefined : replyTo,
    silent: row.priority >= PRIORITY.information,
  });

  const counted = async <T>(chat: number, call: () => Promise<T>): Promise<T> => {
    const ended = options.count(chat);
    try {
      return await call();
    } finally {
      ended();
    }
  };

  /** The id of the message that shows it now. */
  const sendOrEdit = async (to: Destination, messageId: number | undefined, wire: Wire): Promise<number> => {
    if (messageId === undefined) return sender.send(to, wire);
    await sender.edit(to.chat, messageId, wire).catch(unlessSame);
    return messageId;
  };

  /** Files go as messages of their own, each within the chat's budget, in reply to what they belong to. */
  const queueFiles = async (row: OutboxRow, files: Wire['files'], replyTo: number, key: string): Promise<void> => {
    const { chat, thread, priority } = row;
    for (const [n, file] of files.entries()) {
      const body: MessageBody = { text: '', plain: '', entities: [], keyboard: [], files: [], replyTo, document: file };
      await enqueue(db, { chat, thread, priority, kind: 'message', body, dedupeKey: `file:${key}:${n}` }, now());
    }
  };

  const message = async (task: Task): Promise<Delivered> => {
    const { row, modes } = task;
    const body = parseMessageBody(row.body);
    const { document } = body;
    if (document !== undefined) {
      await counted(row.chat, () => sender.document(destination(task, body.replyTo), document));
      await note(() => Promise.all([settleSent(db, row.id, now()), recordSend(db, row.chat, now())]));
      return { kind: 'sent' };
    }
    const reader = await options.readers.chat(row.chat);
    const notes = notesFor(task, reader, options.config);
    const asPlain = modes.has('plain') || modes.has('document');
    const text = asPlain ? body.plain : body.text;
    const wire: Wire = {
      text: [modes.has('document') ? text.slice(0, 1000).toWellFormed() : text, ...notes].join('\n'),
      entities: asPlain ? [] : body.entities,
      // Whatever Telegram did not like may have been a button.
      keyboard: asPlain ? body.keyboard.map((keys) => keys.filter((key) => 'callback_data' in key)) : body.keyboard,
      files: modes.has('document') ? [{ name: 'message.txt', text }, ...body.files] : body.files,
      ...(body.forceReply ? { forceReply: true } : {}),
    };
    const to = destination(task, body.replyTo);
    task.isEdit(body.edits !== undefined);
    const messageId = await counted(row.chat, () => sendOrEdit(to, body.edits, wire));
    await note(async () => {
      await queueFiles(row, wire.files, messageId, String(row.id));
      const at = now();
      await Promise.all([settleSent(db, row.id, at, messageId), recordSend(db, row.chat, at)]);
    });
    return { kind: 'sent' };
  };

  const remove = async ({ row }: Task): Promise<Delivered> => {
    const { messageId } = parseDeleteBody(row.body);
    await counted(row.chat, () => sender.delete(row.chat, messageId));
    await settleSent(db, row.id, now());
    return { kind: 'sent' };
  };

  const draw = async (card: Card, reader: Addressee): Promise<Doc | 'gone'> => {
    const kind = options.cards.get(card.kind);
    if (!kind) throw new Error(`no card of kind ${card.kind}`);
    const { t, language, zone, operator } = reader;
    const { config, operations, people } = options;
    try {
      return await kind.render(
        {
          q: db,
          t,
          language,
          zone,
          now: reader.now,
          ...(operator ? { reader: operator } : {}),
          config,
          operations,
          people,
          ...(options.runbooks ? { runbooks: options.runbooks } : {}),
        },
        card,
      );
    } catch (error) {
      const id = newErrorId(random);
      options.log.error(
        { errorId: id, card: card.id, kind: card.kind, ref: card.ref, err: error },
        'a card was not drawn',
      );
      // Better a card that says so than a chat that looks quiet.
      return doc({ kind: 'title', icon: 'unknown', of: t('outbox-not-drawn', { id }) });
    }
  };

  const card = async (task: Task): Promise<Delivered> => {
    const { row, modes } = task;
    const found = row.cardId === undefined ? undefined : await findCard(db, row.cardId);
    if (found === undefined || found.goneAt !== undefined) return drop(row, 'card is gone');
    const reader = await options.readers.chat(found.chat, found.reader);
    const drawn = await draw(found, reader);
    if (drawn === 'gone') {
      await gone(db, found.id, now());
      return drop(row, 'state is gone');
    }
    const { messageId } = found;
    if (messageId === undefined && !task.urgent && drawn.hold !== undefined && drawn.hold > reader.now) {
      return { kind: 'early', until: drawn.hold };
    }
    // Information is not repeated when nobody knows whether it arrived; what its card shows next says so instead.
    const repeats = messageId === undefined && !modes.has('repeat') && (await perhapsSent(db, found.id));
    const notes = notesFor(repeats ? { ...task, modes: new Set([...modes, 'repeat']) } : task, reader, options.config);
    const noted = notes.length === 0 ? drawn : { ...drawn, blocks: [...drawn.blocks, quote(notes)] };
    const rendered = modes.has('plain') ? plain(noted, reader) : render(noted, reader);
    const hash = renderingHash(rendered);
    if (messageId !== undefined && !task.urgent) {
      if (found.deliveredHash === hash) return settleCard(found, row, hash, messageId);
      const due = frameDue(found, rendered);
      if (due !== undefined && due > reader.now.getTime()) return { kind: 'early', until: new Date(due) };
    }
    const keyboard = await openKeyboard(rendered.keyboard, {
      q: db,
      random,
      now: reader.now,
      chat: found.chat,
      cardId: found.id,
    });
    const wire = wireOf(rendered, keyboard);
    const to = destination(task, found.replyTo);
    task.isEdit(messageId !== undefined);
    const shown = await counted(row.chat, () => sendOrEdit(to, messageId, wire));
    await note(async () => {
      if (filesPart(hash) !== filesPart(found.deliveredHash)) {
        await queueFiles(row, wire.files, shown, `${found.id}:${filesPart(hash)}`);
      }
      await settleCard(found, row, hash, shown, true);
    });
    return { kind: 'sent' };
  };

  /** The message id is stored before the row ends: a crash in between repeats an edit, never a message. */
  const settleCard = async (
    found: Card,
    row: OutboxRow,
    hash: string,
    messageId: number,
    sent = false,
  ): Promise<Delivered> => {
    const at = now();
    await delivered(db, found.id, { rev: found.rev, hash, messageId }, at);
    await Promise.all([settleSent(db, row.id, at, messageId), sent ? recordSend(db, row.chat, at) : undefined]);
    return { kind: 'sent' };
  };

  const drop = async (row: OutboxRow, reason: string): Promise<Delivered> => {
    await settleFailed(db, row.id, 'dropped', now(), reason);
    return { kind: 'sent' };
  };

  return (task) => {
    switch (task.row.kind) {
      case 'message':
        return message(task);
      case 'card':
        return card(task);
      case 'delete':
        return remove(task);
    }
  };
}

/** "Not modified" means that the chat shows it already. */
function unlessSame(error: unknown): void {
  if (classify(error).kind !== 'same') throw error;
}

/** When a card that still shows the same state may be drawn again; `undefined` when its state changed, so at once. */
function frameDue(card: Card, rendered: Rendered): number | undefined {
  if (card.deliveredAt === undefined || card.deliveredHash?.split('.')[0] !== rendered.icon) return undefined;
  return nextFrame({
    group: isGroup(card.chat),
    firstAt: card.createdAt.getTime(),
    lastAt: card.deliveredAt.getTime(),
  });
}

const filesPart = (hash: string | undefined): string => hash?.split('.')[2] ?? '';

/** What people should know of the way this message took. */
function notesFor({ row, modes }: Task, { t }: Addressee, config: Config): string[] {
  const notes: string[] = [];
  if (modes.has('repeat')) notes.push(t('outbox-repeat'));
  if (modes.has('general') && row.thread !== undefined) {
    notes.push(t('outbox-no-topic', { topic: topicName(config, row.chat, row.thread) ?? String(row.thread) }));
  }
  return notes;
}

/** The configured name of a thread. */
export function topicName(config: Config, chat: number, thread: number): string | undefined {
  const topics = config.chats.find((one) => one.chatId === chat)?.topics ?? {};
  return Object.entries(topics).find(([, id]) => id === thread)?.[0];
}

export const lostChatDoc = (reader: Addressee, chat: string, reason: string): Doc =>
  doc(
    { kind: 'title', icon: 'warning', of: reader.t('outbox-chat-lost', { chat }) },
    line(reader.t('outbox-chat-lost-why', { reason })),
    line(reader.t('outbox-chat-lost-do')),
  );
