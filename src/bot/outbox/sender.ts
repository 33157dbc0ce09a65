import type { InlineKeyboardMarkup } from '@grammyjs/types';
import { type Api, InputFile } from 'grammy';
import type { BotMetrics } from '../metrics.ts';
import { abortable } from '../intake/poller.ts';
import { classify } from './classify.ts';
import type { Picture } from '../../store/pictures.ts';
import type { Wire } from './body.ts';

export interface Destination {
  readonly chat: number;
  readonly thread?: number | undefined;
  readonly replyTo?: number | undefined;
  /** Without a sound. */
  readonly silent: boolean;
}

/** The calls that the outbox makes. Errors of the Bot API come through as they are, for `classify`. */
export interface Sender {
  /** The new message's id. */
  send(to: Destination, wire: Wire): Promise<number>;
  edit(chat: number, messageId: number, wire: Wire): Promise<void>;
  /** A new message that is a picture; its text is the caption. The new message's id. */
  photo(to: Destination, image: Picture, wire: Wire): Promise<number>;
  /** Makes a message, text or picture, this picture with this caption. */
  editPhoto(chat: number, messageId: number, image: Picture, wire: Wire): Promise<void>;
  editCaption(chat: number, messageId: number, wire: Wire): Promise<void>;
  /** The new message's id. */
  document(to: Destination, file: { readonly name: string; readonly text: string }): Promise<number>;
  delete(chat: number, messageId: number): Promise<void>;
  /** A new forum topic's thread id. */
  createTopic(chat: number, name: string): Promise<number>;
  /** Is anybody there? A call that changes nothing and counts against no budget; throws when there is no answer. */
  probe(signal: AbortSignal): Promise<void>;
}

export function createSender(api: Api, metrics: BotMetrics): Sender {
  const counted = async <T>(method: Parameters<BotMetrics['call']>[0], call: () => Promise<T>): Promise<T> => {
    try {
      const result = await call();
      metrics.call(method, 'ok');
      return result;
    } catch (error) {
      const failure = classify(error);
      metrics.call(method, failure.kind);
      if (failure.kind === 'flood') metrics.flood(failure.retryAfterMs);
      throw error;
    }
  };
  const options = ({ thread, replyTo, silent }: Destination) => ({
    ...(thread === undefined ? {} : { message_thread_id: thread }),
    ...(replyTo === undefined ? {} : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }),
    ...(silent ? { disable_notification: true } : {}),
  });
  return {
    send: async (to, wire) => {
      const message = await counted('send', () =>
        api.sendMessage(to.chat, wire.text, {
          ...options(to),
          entities: [...wire.entities],
          link_preview_options: { is_disabled: true },
          ...replyMarkup(wire),
        }),
      );
      return message.message_id;
    },
    edit: async (chat, messageId, wire) => {
      await counted('edit', () =>
        api.editMessageText(chat, messageId, wire.text, {
          entities: [...wire.entities],
          link_preview_options: { is_disabled: true },
          // Always given: an edit without markup drops the keyboard, and dropping it should be a decision.
          reply_markup: markup(wire),
        }),
      );
    },
    photo: async (to, image, wire) => {
      const message = await counted('photo', () =>
        api.sendPhoto(to.chat, photo(image), { ...options(to), ...caption(wire), ...replyMarkup(wire) }),
      );
      return message.message_id;
    },
    editPhoto: async (chat, messageId, image, wire) => {
      await counted('edit', () =>
        api.editMessageMedia(
          chat,
          messageId,
          { type: 'photo', media: photo(image), ...caption(wire) },
          { reply_markup: markup(wire) },
        ),
      );
    },
    editCaption: async (chat, messageId, wire) => {
      await counted('edit', () =>
        api.editMessageCaption(chat, messageId, { ...caption(wire), reply_markup: markup(wire) }),
      );
    },
    document: async (to, file) => {
      // With a byte order mark, phones open Cyrillic text files without guessing the encoding.
      const content = new InputFile(Buffer.from(`\ufeff${file.text}`, 'utf8'), file.name);
      return (await counted('document', () => api.sendDocument(to.chat, content, options(to)))).message_id;
    },
    delete: async (chat, messageId) => {
      await counted('delete', () => api.deleteMessage(chat, messageId));
    },
    createTopic: async (chat, name) =>
      (await counted('topic', () => api.createForumTopic(chat, name))).message_thread_id,
    probe: async (signal) => {
      await api.getMe(abortable(signal));
    },
  };
}

const photo = (image: Picture): InputFile => new InputFile(image.bytes, `${image.id}.png`);

const caption = (wire: Wire) => ({ caption: wire.text, caption_entities: [...wire.entities] });

function replyMarkup(wire: Wire) {
  if (wire.keyboard.length > 0) return { reply_markup: markup(wire) };
  return wire.forceReply ? { reply_markup: { force_reply: true as const, selective: true } } : {};
}

const markup = (wire: Wire): InlineKeyboardMarkup => ({ inline_keyboard: wire.keyboard.map((row) => [...row]) });
