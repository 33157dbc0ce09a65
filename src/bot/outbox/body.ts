import { createHash } from 'node:crypto';
import type { InlineKeyboardButton, MessageEntity } from '@grammyjs/types';
import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import type { Doc, Press } from '../../core/doc.ts';
import { newToken, type Random } from '../../core/random.ts';
import { openAction } from '../../store/actions.ts';
import type { Queryable } from '../../store/db.ts';
import { enqueueTaken } from '../../store/direct.ts';
import { enqueue, type OutboxRow } from '../../store/outbox.ts';
import { type KeyboardButton, plain, type Reader, type Rendered, render } from '../render.ts';
import { callbackData } from '../callback.ts';

const DEFAULT_TTL_MINUTES = 24 * 60;

/** What goes over the wire: rendered, with the tokens of its buttons. */
export interface Wire {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
  readonly keyboard: readonly (readonly InlineKeyboardButton[])[];
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Asks the person that it replies to for an answer; not together with buttons. */
  readonly forceReply?: boolean;
}

/** A row of kind `message` as stored: ready to be sent, with its plain form for the case that entities are refused. */
const messageBody = z.object({
  text: z.string(),
  plain: z.string(),
  entities: z.array(z.custom<MessageEntity>((value) => typeof value === 'object' && value !== null)),
  keyboard: z.array(z.array(z.custom<InlineKeyboardButton>((value) => typeof value === 'object' && value !== null))),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
  replyTo: z.int().exactOptional(),
  forceReply: z.boolean().exactOptional(),
  /** Just this file, instead of text. */
  document: z.object({ name: z.string(), text: z.string() }).exactOptional(),
  /** Replaces this message instead of sending a new one. */
  edits: z.int().exactOptional(),
  /** The message that is replaced is a picture, and stays the same one: the text is its caption. */
  isCaption: z.literal(true).exactOptional(),
  /** Shown above the text. */
  picture: z.object({ id: z.string(), alt: z.string() }).exactOptional(),
});
export type MessageBody = z.output<typeof messageBody>;

export const parseMessageBody = (body: unknown): MessageBody => messageBody.parse(body);

const deleteBody = z.object({
  messageId: z.int(),
  /** What it says from then on when it may not be deleted any more. */
  instead: z.string().exactOptional(),
});
export type DeleteBody = z.output<typeof deleteBody>;
export const parseDeleteBody = (body: unknown): DeleteBody => deleteBody.parse(body);

export interface Opening {
  readonly q: Queryable;
  readonly random: Random;
  readonly now: Date;
  readonly chat: number;
  /** The card that carries the buttons; absent for a plain message. */
  readonly cardId?: string;
  /** The only operator who may press. */
  readonly onlyFor?: string | undefined;
}

/** Buttons as Telegram takes them; each press gets a row in `actions`, an open one of the same card is used again. */
export function openKeyboard(
  keyboard: readonly (readonly KeyboardButton[])[],
  opening: Opening,
): Promise<InlineKeyboardButton[][]> {
  return Promise.all(keyboard.map((row) => Promise.all(row.map((button) => openButton(button, opening)))));
}

async function openButton(button: KeyboardButton, opening: Opening): Promise<InlineKeyboardButton> {
  if (button.kind === 'url') return { text: button.label, url: button.url };
  if (button.kind === 'copy') return { text: button.label, copy_text: { text: button.text } };
  const { q, random, now, chat, cardId, onlyFor } = opening;
  const token = await openAction(
    q,
    {
      token: newToken(random),
      press: button.press,
      specHash: pressHash(button.press),
      chat,
      expiresAt: new Date(now.getTime() + minutes(button.ttlMinutes ?? DEFAULT_TTL_MINUTES)),
      onlyFor,
      ...(cardId === undefined ? {} : { cardId }),
    },
    now,
  );
  const style = button.style === undefined ? {} : { style: button.style };
  return { text: button.label, ...style, callback_data: callbackData(token) };
}

/** Equal for presses that do the same. */
export const pressHash = (press: Press): string =>
  createHash('sha256').update(JSON.stringify(press)).digest('base64url').slice(0, 22);

export interface Letter {
  readonly chat: number;
  readonly thread?: number | undefined;
  readonly doc: Doc;
  readonly reader: Reader;
  readonly priority: number;
  readonly replyTo?: number | undefined;
  /** A second letter with the same key is never sent. */
  readonly dedupeKey?: string;
  /** The only operator who may press its buttons. */
  readonly onlyFor?: string;
  /** Opens the answer field of the person it replies to. */
  readonly forceReply?: boolean;
  /** With or without a sound; absent: by severity. */
  readonly sound?: boolean | undefined;
}

/** The short way out, open while this process leads the outbox and the chat is free. */
export interface Lane {
  /** Keeps the chat for one message; the answer takes its row, or nothing when it goes the long way after all. */
  readonly reserve: (chat: number, priority: number) => ((row: OutboxRow | undefined) => void) | undefined;
  readonly leaseMs: number;
}

/**
 * Queues a message that is not a card; rendered now. `known` when its key was used before; `taken` when the given lane
 * sends it at this moment, so that nobody needs to be woken.
 */
export async function post(
  q: Queryable,
  random: Random,
  letter: Letter,
  lane?: Lane,
): Promise<'queued' | 'taken' | 'known'> {
  const { chat, thread, doc, reader, priority, replyTo, dedupeKey, onlyFor } = letter;
  const rendered = render(doc, reader);
  const keyboard = await openKeyboard(rendered.keyboard, { q, random, now: reader.now, chat, onlyFor });
  const body: MessageBody = {
    ...wireOf(rendered, keyboard),
    plain: plain(doc, reader).text,
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(doc.picture === undefined ? {} : { picture: doc.picture }),
    ...(letter.forceReply && keyboard.length === 0 ? { forceReply: true } : {}),
  };
  const take = dedupeKey === undefined && letter.sound === undefined ? lane?.reserve(chat, priority) : undefined;
  if (lane && take) {
    let row: OutboxRow | undefined;
    try {
      const parcel = { chat, thread, priority, kind: 'message', body } as const;
      row = await enqueueTaken(q, parcel, { now: reader.now, leaseMs: lane.leaseMs });
    } finally {
      take(row);
    }
    return row === undefined ? 'queued' : 'taken';
  }
  const id = await enqueue(
    q,
    {
      chat,
      ...(thread === undefined ? {} : { thread }),
      priority,
      kind: 'message',
      body,
      sound: letter.sound,
      ...(dedupeKey === undefined ? {} : { dedupeKey }),
    },
    reader.now,
  );
  return id === undefined ? 'known' : 'queued';
}

export const wireOf = (rendered: Rendered, keyboard: InlineKeyboardButton[][]) => ({
  text: rendered.text,
  entities: [...rendered.entities],
  keyboard,
  files: [...rendered.files],
});
