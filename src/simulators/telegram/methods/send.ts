import { badRequest } from '../api-error.ts';
import { type ChatState, checkRight, checkThread, type Stored, type Topic } from '../chats.ts';
import { parseFormatted } from '../entities.ts';
import { checkMarkup, parseMarkup, type ReplyMarkup } from '../markup.ts';
import { isRecord, type Params } from '../params.ts';
import type { FormattedText, Message, MessageContent } from '../types.ts';
import type { Context, Methods } from './define.ts';

export const sendMethods: Methods = {
  sendMessage: (context, params) => {
    const formatted = parseFormatted(params, 'text', 'entities');
    const preview = params.object('link_preview_options', 'link preview options');
    return send(context, params, 'text', () => ({
      ...textContent(formatted),
      ...(preview ? { link_preview_options: preview } : {}),
    }));
  },

  sendPhoto: (context, params) => {
    const caption = parseFormatted(params, 'caption', 'caption_entities');
    return send(
      context,
      params,
      'media',
      () => ({ photo: context.files.photo(params), ...captionContent(caption) }),
      'photos',
    );
  },

  sendDocument: (context, params) => {
    const caption = parseFormatted(params, 'caption', 'caption_entities');
    const make = () => ({ document: context.files.document(params), ...captionContent(caption) });
    return send(context, params, 'media', make, 'documents');
  },

  sendChatAction: ({ world, flood }, params) => {
    const action = params.text('action').toLowerCase();
    if (!CHAT_ACTIONS.has(action)) throw badRequest('wrong parameter action in request');
    const chat = world.target(params);
    const topic = checkThread(chat, params.integer('message_thread_id'));
    flood.respect(chat.id);
    const thread = topic === undefined ? {} : { thread: topic.thread_id };
    world.emit({ type: 'chat_action', chat: chat.id, text: action, ...thread });
    return true;
  },
};

const CHAT_ACTIONS = new Set([
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
]);

export const textContent = ({ text, entities }: FormattedText): MessageContent => ({
  text,
  ...(entities.length > 0 ? { entities } : {}),
});

export const captionContent = ({ text, entities }: FormattedText): MessageContent => ({
  ...(text === '' ? {} : { caption: text }),
  ...(entities.length > 0 ? { caption_entities: entities } : {}),
});

/** The common way of everything that is sent: markup, chat, rights, topic, reply, budget, and only then the message. */
function send(
  { world, flood }: Context,
  params: Params,
  kind: Stored['kind'],
  content: () => MessageContent,
  media?: 'photos' | 'documents',
): Message {
  const markup = parseMarkup(params);
  const chat = world.target(params);
  checkRight(chat, 'can_send_messages', `send ${media ?? 'text messages'} to the chat`);
  if (media !== undefined) checkRight(chat, 'can_send_media', `send ${media} to the chat`);
  const topic = checkThread(chat, params.integer('message_thread_id'));
  const reply = replyTarget(chat, params);
  const body = content();
  flood.spend(chat.id);
  checkMarkup(markup, chat.type);
  const thread = topic ?? threadOf(chat, reply);
  const all: MessageContent = {
    ...body,
    ...replyContent(reply),
    ...(params.bool('protect_content') ? { has_protected_content: true } : {}),
    ...inline(markup),
  };
  return world.post(chat, world.bot, all, { kind, thread, fixed: markup.reply === true });
}

const inline = (markup: ReplyMarkup): MessageContent =>
  markup.inline === undefined ? {} : { reply_markup: markup.inline };

/** The message replied to; undefined when none is asked for, or it is gone and may be missing. */
function replyTarget(chat: ChatState, params: Params): Stored | undefined {
  const reply = params.object('reply_parameters', 'reply parameters');
  const asked = isRecord(reply) ? Number(reply['message_id']) : params.integer('reply_to_message_id');
  if (asked === 0 || Number.isNaN(asked)) return undefined;
  const optional = isRecord(reply)
    ? reply['allow_sending_without_reply'] === true
    : params.bool('allow_sending_without_reply');
  const target = chat.messages.get(asked);
  if (target === undefined && !optional) throw badRequest('message to be replied not found');
  return target;
}

/** A reply without a thread goes to the topic of what it answers. */
function threadOf(chat: ChatState, reply: Stored | undefined): Topic | undefined {
  const thread = reply?.message.message_thread_id;
  return thread === undefined ? undefined : checkThread(chat, thread);
}

/** Replies are one level deep: the message inside does not show what it answered. */
export function replyContent(reply: Stored | undefined): { reply_to_message?: Message } {
  if (reply === undefined) return {};
  const { reply_to_message: _deeper, ...message } = reply.message;
  return { reply_to_message: message };
}
