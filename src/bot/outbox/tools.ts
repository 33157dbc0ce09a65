import { PRIORITY } from '../../core/budget.ts';
import type { DocPicture } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { recordSend } from '../../store/chats.ts';
import type { Queryable } from '../../store/db.ts';
import { enqueue, type OutboxRow } from '../../store/outbox.ts';
import type { Picture } from '../../store/pictures.ts';
import type { DeleteBody, MessageBody, Wire } from './body.ts';
import { classify } from './classify.ts';
import type { Destination } from './sender.ts';
import type { DeliverOptions, Task } from './task.ts';

/** What the delivery of cards and of messages share. */
export type Tools = ReturnType<typeof createTools>;

/** How a message is to be shown: a new one (`messageId` absent), or in place of what stands there. */
export interface Showing {
  readonly to: Destination;
  readonly messageId: number | undefined;
  readonly wire: Wire;
  /** The picture that the message is to be; absent for text. */
  readonly picture?: { readonly image: Picture | undefined; readonly isShown: boolean } | undefined;
}

export function createTools(options: DeliverOptions) {
  const { db, config, sender, now } = options;

  /** Notes what Telegram has taken. When even that fails, the message has arrived all the same, and the error says so. */
  const note = async (work: () => Promise<unknown>): Promise<void> => {
    await options.persist(work).catch((cause: unknown) => {
      throw new VakhtaError('bug', 'internal', 'a message was sent, but that could not be noted', { cause });
    });
  };

  const counted = async <T>(chat: number, call: () => Promise<T>): Promise<T> => {
    const ended = options.count(chat);
    try {
      return await call();
    } finally {
      ended();
    }
  };

  /** The id of the message that shows it now. */
  const show = async ({ to, messageId, wire, picture }: Showing): Promise<number> => {
    if (messageId === undefined) {
      return picture?.image === undefined ? sender.send(to, wire) : sender.photo(to, picture.image, wire);
    }
    const edit = (): Promise<void> => {
      if (picture === undefined) return sender.edit(to.chat, messageId, wire);
      if (picture.isShown || picture.image === undefined) return sender.editCaption(to.chat, messageId, wire);
      return sender.editPhoto(to.chat, messageId, picture.image, wire);
    };
    await edit().catch(unlessSame);
    return messageId;
  };

  const parcel = (row: OutboxRow, thread: number | undefined) => ({
    chat: row.chat,
    thread,
    priority: row.priority,
    kind: 'message' as const,
    sound: false,
  });
  const EMPTY = { text: '', plain: '', entities: [], keyboard: [], files: [] };

  return {
    note,
    counted,
    show,

    /** Without a sound when `sound` says so, or else the configuration for that urgency. Answers to people are heard. */
    destination: (
      { row, modes, thread }: Task,
      replyTo: number | undefined,
      sound: boolean | undefined,
    ): Destination => ({
      chat: row.chat,
      thread: modes.has('general') ? undefined : thread,
      replyTo: modes.has('no-reply') ? undefined : replyTo,
      silent: !(sound ?? isLoud(row.priority, config.loudness)),
    }),

    /** Files go as messages of their own, each within the chat's budget, in reply to what they belong to. */
    queueFiles: async (
      q: Queryable,
      row: OutboxRow,
      thread: number | undefined,
      files: Wire['files'],
      replyTo: number,
      key: string,
    ): Promise<void> => {
      for (const [n, file] of files.entries()) {
        const body: MessageBody = { ...EMPTY, replyTo, document: file };
        await enqueue(q, { ...parcel(row, thread), body, dedupeKey: `file:${key}:${n}` }, now());
      }
    },

    /** A picture under a text that is too long to be its caption. */
    queuePicture: async (
      q: Queryable,
      row: OutboxRow,
      thread: number | undefined,
      picture: DocPicture,
      replyTo: number,
      key: string,
    ): Promise<void> => {
      const body: MessageBody = { ...EMPTY, text: picture.alt, plain: picture.alt, replyTo, picture };
      await enqueue(q, { ...parcel(row, thread), body, dedupeKey: `picture:${key}:${picture.id}` }, now());
    },

    /**
     * Nobody keeps this message equal to anything: it goes. One too old to be deleted says what stands for it, and loses its
     * buttons.
     */
    remove: async (q: Queryable, row: OutboxRow, messageId: number, instead: string): Promise<void> => {
      const body: DeleteBody = { messageId, instead };
      const { chat, priority } = row;
      await enqueue(q, { chat, priority, kind: 'delete', body, dedupeKey: `orphan:${chat}:${messageId}` }, now());
    },

    recordSend: (chat: number) => recordSend(db, chat, now()),
  };
}

function isLoud(priority: number, loudness: DeliverOptions['config']['loudness']): boolean {
  if (priority === PRIORITY.critical) return loudness.critical === 'sound';
  if (priority === PRIORITY.answer) return true;
  return (priority === PRIORITY.warning ? loudness.warning : loudness.info) === 'sound';
}

/** "Not modified" means that the chat shows it already. */
function unlessSame(error: unknown): void {
  if (classify(error).kind !== 'same') throw error;
}
