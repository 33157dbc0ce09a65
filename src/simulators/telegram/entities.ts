import { codePoints } from './code-points.ts';
import { badRequest } from './api-error.ts';
import { parseHtml } from './html.ts';
import { isRecord, type Params } from './params.ts';
import type { Entity, FormattedText, User } from './types.ts';

const TYPES = new Set([
  'mention',
  'hashtag',
  'cashtag',
  'bot_command',
  'url',
  'email',
  'phone_number',
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'blockquote',
  'expandable_blockquote',
  'code',
  'pre',
  'text_link',
  'text_mention',
  'custom_emoji',
  'date_time',
]);
/** What Telegram finds by itself; sent by a bot, these types are ignored and found again. */
const AUTOMATIC = new Set(['mention', 'hashtag', 'cashtag', 'bot_command', 'url', 'email', 'phone_number']);
const MAX_RAW_BYTES = 32_768;
const MAX_ENTITIES = 100;

/** Text with entities from `text`/`caption`, `parse_mode` and `entities`/`caption_entities`. */
export function parseFormatted(
  params: Params,
  textName: 'text' | 'caption',
  entitiesName: 'entities' | 'caption_entities',
): FormattedText {
  const raw = params.text(textName);
  if (textName === 'text' && raw === '') throw badRequest('message text is empty');
  if (Buffer.byteLength(raw) > MAX_RAW_BYTES)
    throw badRequest(textName === 'text' ? 'text is too long' : 'message caption is too long');
  const mode = params.text('parse_mode').toLowerCase();
  const parsed =
    mode === '' || mode === 'none'
      ? { text: raw, entities: givenEntities(params, entitiesName, raw) }
      : parseMode(mode, raw);
  const formatted = normalise(parsed);
  const length = codePoints(formatted.text);
  if (textName === 'text') {
    if (length === 0) throw badRequest('message text is empty');
    if (length > 4096) throw badRequest('message is too long');
  } else if (length > 1024) throw badRequest('message caption is too long');
  return formatted;
}

function parseMode(mode: string, raw: string): FormattedText {
  if (mode === 'html') return parseHtml(raw);
  if (mode === 'markdown' || mode === 'markdownv2') {
    throw badRequest('the simulator does not parse Markdown; send HTML or an array of entities');
  }
  throw badRequest('unsupported parse_mode');
}

function givenEntities(params: Params, name: string, text: string): Entity[] {
  const given = params.json(name, 'entities');
  if (given === undefined) return [];
  const fail = (what: string) => badRequest(`can't parse MessageEntity: ${what}`);
  if (!Array.isArray(given)) throw badRequest('expected an Array of MessageEntity');
  return given.flatMap((entity: unknown): Entity[] => {
    if (!isRecord(entity)) throw fail('expected an Object');
    const { type, offset, length } = entity;
    if (typeof type !== 'string') throw fail(`Can't find field "type"`);
    if (!Number.isInteger(offset)) throw fail(`Can't find field "offset"`);
    if (!Number.isInteger(length)) throw fail(`Can't find field "length"`);
    if (!TYPES.has(type)) throw fail('Unsupported type specified');
    if (type === 'text_link' && typeof entity['url'] !== 'string') throw fail(`Can't find field "url"`);
    if (type === 'date_time' && !Number.isInteger(entity['unix_time'])) throw fail(`Can't find field "unix_time"`);
    if (AUTOMATIC.has(type)) return [];
    const checked = { ...entity, type, offset: Number(offset), length: Number(length) };
    if (checked.length <= 0 || checked.offset < 0) return [];
    checkRange(text, checked);
    return [checked];
  });
}

function checkRange(text: string, { offset, length }: Entity): void {
  const end = offset + length;
  if (offset >= text.length) throw badRequest(`entity begins after the end of the text at UTF-16 offset ${offset}`);
  if (end > text.length) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${end}`,
    );
  }
  for (const [at, verb] of [
    [offset, 'begins'],
    [end, 'ends'],
  ] as const) {
    const unit = text.charCodeAt(at);
    if (at < text.length && unit >= 0xdc00 && unit <= 0xdfff) {
      throw badRequest(
        `entity ${verb} in a middle of a UTF-16 symbol at byte offset ${Buffer.byteLength(text.slice(0, at - 1))}`,
      );
    }
  }
}

/** Cuts the white space at both ends, drops what became empty, sorts, adds what Telegram finds by itself, keeps 100. */
function normalise({ text, entities }: FormattedText): FormattedText {
  const cut = text.length - text.trimStart().length;
  const trimmed = text.trim();
  const shifted = entities.flatMap((entity): Entity[] => {
    const offset = Math.max(0, entity.offset - cut);
    const length = Math.min(entity.offset - cut + entity.length, trimmed.length) - offset;
    return length > 0 ? [{ ...entity, offset, length }] : [];
  });
  const all = [...shifted, ...findEntities(trimmed, shifted)].toSorted(
    (a, b) => a.offset - b.offset || b.length - a.length,
  );
  return { text: trimmed, entities: all.slice(0, MAX_ENTITIES) };
}

const FOUND: readonly (readonly [type: string, pattern: RegExp])[] = [
  [
    'url',
    /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|ru|me|info)(?:\/[^\s<>"']*)?(?![\w@-])/gi,
  ],
  ['email', /[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}/gi],
  ['bot_command', /(?<![\w/<>@.:])\/[a-zA-Z0-9_]{1,32}(?:@\w{3,32})?(?![\w/])/g],
  ['mention', /(?<![\w@./])@[a-zA-Z]\w{2,31}\b/g],
];

/** Links, addresses, commands and mentions that Telegram finds in plain text, outside of code and of given links. */
export function findEntities(text: string, given: readonly Entity[] = []): Entity[] {
  if (!/[/@.]/.test(text)) return [];
  const taken = given.filter((entity) =>
    ['code', 'pre', 'text_link', 'text_mention', 'date_time'].includes(entity.type),
  );
  const found: Entity[] = [];
  for (const [type, pattern] of FOUND) {
    for (const match of text.matchAll(pattern)) {
      const range = { offset: match.index, length: match[0].length };
      const overlaps = (other: Entity) =>
        range.offset < other.offset + other.length && other.offset < range.offset + range.length;
      if (!taken.some(overlaps) && !found.some(overlaps)) found.push({ type, ...range });
    }
  }
  return found;
}

/** Whether a person's message speaks to this bot: a command for it or for any, or its name. */
export function addresses(text: string, entities: readonly Entity[], bot: User): boolean {
  const name = `@${bot.username ?? ''}`.toLowerCase();
  return entities.some((entity) => {
    const part = text.slice(entity.offset, entity.offset + entity.length).toLowerCase();
    if (entity.type === 'mention') return part === name;
    if (entity.type !== 'bot_command') return false;
    const at = part.indexOf('@');
    return at < 0 || part.slice(at) === name;
  });
}
