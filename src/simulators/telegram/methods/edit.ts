import { isDeepStrictEqual } from 'node:util';
import { badRequest } from '../api-error.ts';
import type { ChatState, Stored } from '../chats.ts';
import { parseFormatted } from '../entities.ts';
import { checkMarkup, parseMarkup, type ReplyMarkup } from '../markup.ts';
import type { Params } from '../params.ts';
import type { Message, MessageContent } from '../types.ts';
import type { Context, Methods } from './define.ts';
import { captionContent, textContent } from './send.ts';

const NOT_MODIFIED =
  'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';

/** What a message loses when it becomes another picture or document. */
const MEDIA_FIELDS = [
  'text',
  'entities',
  'link_preview_options',
  'photo',
  'document',
  'caption',
  'caption_entities',
] as const satisfies readonly (keyof MessageContent)[];

export const editMethods: Methods = {
  editMessageText: (context, params) => {
    const formatted = parseFormatted(params, 'text', 'entities');
    const preview = params.object('link_preview_options', 'link preview options');
    const content = { ...textContent(formatted), ...(preview ? { link_preview_options: preview } : {}) };
    return edit(context, params, ['text', 'entities', 'link_preview_options'], content, ({ message }) => {
      if (message.text === undefined) throw badRequest('there is no text in the message to edit');
    });
  },

  editMessageCaption: (context, params) => {
    const content = captionContent(parseFormatted(params, 'caption', 'caption_entities'));
    return edit(context, params, ['caption', 'caption_entities'], content, ({ kind }) => {
      if (kind !== 'media') throw badRequest('there is no caption in the message to edit');
    });
  },

  /** Replaces photo or document, or adds one to a text message; a picture never becomes text again. */
  editMessageMedia: (context, params) => {
    const media = params.object('media', 'InputMedia');
    if (media === undefined) throw badRequest('parameter "media" is required');
    const item = params.with(media);
    const type = item.text('type');
    if (type !== 'photo' && type !== 'document')
      throw badRequest(`can't parse InputMedia: type "${type}" is unsupported`);
    const caption = captionContent(parseFormatted(item, 'caption', 'caption_entities'));
    const source = params.attached(item.text('media'));
    const file =
      type === 'photo' ? { photo: context.files.photo(source) } : { document: context.files.document(source) };
    let target: Stored | undefined;
    const message = edit(context, params, MEDIA_FIELDS, { ...file, ...caption }, (stored) => {
      if (stored.message.media_group_id !== undefined && stored.message[type] === undefined)
        throw badRequest("message can't be edited");
      target = stored;
    });
    if (target) target.kind = 'media';
    return message;
  },

  editMessageReplyMarkup: (context, params) => edit(context, params, [], {}, () => undefined),

  deleteMessage: ({ world, flood }, params) => {
    const chat = world.target(params);
    const id = messageId(params);
    flood.respect(chat.id);
    const stored = chat.messages.get(id);
    if (stored === undefined) throw badRequest('message to delete not found');
    if (!world.deletable(chat, stored)) throw badRequest("message can't be deleted");
    world.remove(chat, id);
    return true;
  },

  deleteMessages: ({ world, flood }, params) => {
    const ids = params.json('message_ids', 'message identifiers');
    if (!Array.isArray(ids)) throw badRequest('expected an Array of message identifiers');
    if (ids.length === 0) throw badRequest('message identifiers are not specified');
    if (ids.length > 100) throw badRequest('too many message identifiers specified');
    const chat = world.target(params);
    flood.respect(chat.id);
    // What is missing is skipped; what may not be deleted fails the call before anything is.
    const present = ids.map(Number).filter((id) => chat.messages.has(id));
    const refused = present.some((id) => {
      const stored = chat.messages.get(id);
      return stored !== undefined && !world.deletable(chat, stored);
    });
    if (refused) throw badRequest("message can't be deleted");
    for (const id of new Set(present)) world.remove(chat, id);
    return true;
  },
};

function edit(
  { world, flood }: Context,
  params: Params,
  fields: readonly (keyof MessageContent)[],
  content: MessageContent,
  check: (stored: Stored) => void,
): Message {
  const markup = parseMarkup(params);
  if (params.has('inline_message_id') && !params.has('chat_id')) throw badRequest('message to edit not found');
  const chat = world.target(params);
  const stored = editable(chat, messageId(params));
  check(stored);
  flood.spend(chat.id);
  checkMarkup(markup, chat.type);
  if (markup.reply === true) throw badRequest("message can't be edited");
  if (isSame(stored.message, fields, content, markup)) throw badRequest(NOT_MODIFIED);
  return world.edit(chat, stored, cleared(fields, content), markup.inline);
}

function messageId(params: Params): number {
  const id = params.integer('message_id');
  if (id === 0) throw badRequest('message identifier is not specified');
  return id;
}

function editable(chat: ChatState, id: number): Stored {
  const stored = chat.messages.get(id);
  if (stored === undefined) throw badRequest('message to edit not found');
  if (!stored.byBot || stored.kind === 'service' || stored.fixed) throw badRequest("message can't be edited");
  return stored;
}

function isSame(
  message: Message,
  fields: readonly (keyof MessageContent)[],
  content: MessageContent,
  markup: ReplyMarkup,
): boolean {
  return (
    fields.every((field) => isDeepStrictEqual(message[field], content[field])) &&
    isDeepStrictEqual(message.reply_markup, markup.inline)
  );
}

/** The new content, with those fields of the old one that it does not have set to undefined (JSON leaves them out). */
const cleared = (fields: readonly (keyof MessageContent)[], content: MessageContent): Partial<MessageContent> => ({
  ...Object.fromEntries(fields.map((field) => [field, undefined])),
  ...content,
});
