import type { Chat, Update, User } from '@grammyjs/types';
import type { Config } from '../config/schema.ts';
import { ANONYMOUS_ADMIN, type Operator } from '../core/people.ts';

/** Where an update comes from. `thread` is absent in General and where there are no topics. */
export interface Place {
  readonly chat: Chat;
  readonly thread: number | undefined;
  readonly messageId: number;
}

export type Who =
  | { readonly kind: 'operator'; readonly operator: Operator; readonly user: User }
  | { readonly kind: 'outsider'; readonly user: User }
  /** An anonymous group admin, or a channel: nobody in particular, so never with a role. */
  | { readonly kind: 'anonymous' };

/** Who is behind an update; by the numeric id alone, names can be changed by everybody. */
export function identify(update: Update, config: Config): Who {
  const message = update.message;
  if (message?.sender_chat !== undefined) return { kind: 'anonymous' };
  const user = update.callback_query?.from ?? message?.from ?? update.my_chat_member?.from;
  if (user === undefined || user.id === ANONYMOUS_ADMIN || user.is_bot) return { kind: 'anonymous' };
  const operator = config.operators.find((one) => one.telegramId === user.id);
  return operator ? { kind: 'operator', operator, user } : { kind: 'outsider', user };
}

export function placeOf(update: Update): Place | undefined {
  const message = update.callback_query?.message ?? update.message;
  if (message === undefined) return undefined;
  const thread = 'is_topic_message' in message && message.is_topic_message ? message.message_thread_id : undefined;
  return { chat: message.chat, thread, messageId: message.message_id };
}

/** Chats that the configuration names, and the private ones of its people. Elsewhere nothing is said about the work. */
export const isKnownChat = (config: Config, chat: Chat): boolean =>
  chat.type === 'private' || config.chats.some((one) => one.chatId === chat.id);

/** `chat:thread:user`; absent when a part of it is not known, so that it never becomes a key that many share. */
export function formKey(update: Update): string | undefined {
  const place = placeOf(update);
  const user = update.callback_query?.from.id ?? update.message?.from?.id;
  if (place === undefined || user === undefined || user === ANONYMOUS_ADMIN) return undefined;
  return `${place.chat.id}:${place.thread ?? 0}:${user}`;
}
