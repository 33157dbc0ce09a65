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
      () => ({ photo: context.files.photo(params.source('photo')), ...captionContent(caption) }),
      'photos',
    );
  },

  sendDocument: (context, params) => {
    const caption = parseFormatted(params, 'caption', 'caption_entities');
    const make = () => ({ document: context.files.document(params.source('document')), ...captionContent(caption) });
    return send(context, params, 'media', make, 'documents');
  },

  sendMediaGroup: (context, params) => {
    const { type, items } = albumItems(params);
    const { files, world } = context;
    const media_group_id = world.random.bytes(6).readUIntBE(0, 6).toString();
    const contents = () =>
      items.map((item): MessageContent => {
        const caption = captionContent(parseFormatted(params.with(item), 'caption', 'caption_entities'));
        const source = params.attached(params.with(item).text('media'));
        const body = type === 'photo' ? { photo: files.photo(source) } : { document: files.document(source) };
        return { ...body, ...caption, media_group_id };
      });
    return sendAll(context, params, 'media', contents, type === 'photo' ? 'photos' : 'documents');
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

/** The common way of everything that is sent: markup, chat, rights, topic, reply, budget, and only then the messages. */
function sendAll(
  { world, flood }: Context,
  params: Params,
  kind: Stored['kind'],
  contents: () => readonly MessageContent[],
  media?: 'photos' | 'documents',
): readonly Message[] {
  const markup = parseMarkup(params);
  const chat = world.target(params);
  checkRight(chat, 'can_send_messages', `send ${media ?? 'text messages'} to the chat`);
  if (media !== undefined) checkRight(chat, 'can_send_media', `send ${media} to the chat`);
  const topic = checkThread(chat, params.integer('message_thread_id'));
  const reply = replyTarget(chat, params);
  const bodies = contents();
  flood.spend(chat.id, bodies.length);
  checkMarkup(markup, chat.type);
  const thread = topic ?? threadOf(chat, reply);
  const common: MessageContent = {
    ...replyContent(reply),
    ...(params.bool('protect_content') ? { has_protected_content: true } : {}),
    ...inline(markup),
  };
  const options = { kind, thread, fixed: markup.reply === true };
  return bodies.map((body) => world.post(chat, world.bot, { ...body, ...common }, options));
}

function send(
  context: Context,
  params: Params,
  kind: Stored['kind'],
  content: () => MessageContent,
  media?: 'photos' | 'documents',
): Message | undefined {
  return sendAll(context, params, kind, () => [content()], media)[0];
}

/** The items of `sendMediaGroup`: 2 to 10, all photos or all documents. */
function albumItems(params: Params): { type: 'photo' | 'document'; items: readonly Record<string, unknown>[] } {
  const media = params.json('media', 'media');
  if (media === undefined) throw badRequest('parameter "media" is required');
  if (!Array.isArray(media)) throw badRequest('expected an Array of InputMedia');
  if (media.length === 0) throw badRequest('there are no messages to send');
  if (media.length > 10) throw badRequest('too many messages to send as an album');
  // The documentation asks for two at least; how the server words its refusal is not known.
  if (media.length < 2) throw badRequest('too few messages to send as an album');
  const items = media.filter(isRecord);
  const type = items[0]?.['type'];
  if (type !== 'photo' && type !== 'document') {
    throw badRequest(`can't parse InputMedia: type "${params.with(items[0] ?? {}).text('type')}" is unsupported`);
  }
  if (items.length < media.length || items.some((item) => item['type'] !== type)) {
    throw badRequest("document can't be mixed with other media types");
  }
  return { type, items };
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
