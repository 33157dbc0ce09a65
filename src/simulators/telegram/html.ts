import { badRequest } from './api-error.ts';
import type { Entity, FormattedText } from './types.ts';

const PLAIN: Readonly<Record<string, string>> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  'tg-spoiler': 'spoiler',
  code: 'code',
  pre: 'pre',
};
const WITH_ATTRIBUTES = ['a', 'span', 'tg-emoji', 'tg-time', 'blockquote'];

interface Open {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Where it begins in the resulting text, in UTF-16 units. */
  readonly start: number;
}

const isSpace = (c: string | undefined): boolean => c !== undefined && /\s/.test(c);

/** `parse_mode: HTML`, after TDLib's parse_html (td/telegram/MessageEntity.cpp), with its error texts. */
export function parseHtml(source: string): FormattedText {
  const entities: Entity[] = [];
  const open: Open[] = [];
  let text = '';
  let i = 0;
  /** Offsets in errors count bytes of UTF-8, as the server sees the text. */
  const at = (index: number) => `at byte offset ${Buffer.byteLength(source.slice(0, index))}`;
  const fail = (what: string) => badRequest(`can't parse entities: ${what}`);

  const startTag = (begin: number) => {
    const nameStart = i;
    while (i < source.length && !isSpace(source[i]) && source[i] !== '>') i++;
    if (i >= source.length) throw fail(`Unclosed start tag ${at(begin)}`);
    const tag = source.slice(nameStart, i).toLowerCase();
    if (PLAIN[tag] === undefined && !WITH_ATTRIBUTES.includes(tag))
      throw fail(`Unsupported start tag "${tag}" ${at(begin)}`);
    const attributes = readAttributes(tag, begin);
    if (tag === 'span' && attributes.get('class') !== 'tg-spoiler') {
      throw fail(`Tag "span" must have class "tg-spoiler" ${at(begin)}`);
    }
    open.push({ tag, attributes, start: text.length });
  };

  const readAttributes = (tag: string, begin: number): Map<string, string> => {
    const attributes = new Map<string, string>();
    while (source[i] !== '>') {
      while (isSpace(source[i])) i++;
      if (source[i] === '>') break;
      const nameStart = i;
      while (i < source.length && !isSpace(source[i]) && source[i] !== '=' && source[i] !== '>') i++;
      const name = source.slice(nameStart, i).toLowerCase();
      if (i >= source.length) throw fail(`Unclosed start tag ${at(begin)}`);
      if (name === '') throw fail(`Empty attribute name in the tag "${tag}" ${at(begin)}`);
      while (isSpace(source[i])) i++;
      if (source[i] !== '=') {
        // Without a value, as `expandable` of a quotation is written.
        attributes.set(name, '');
        continue;
      }
      i++;
      while (isSpace(source[i])) i++;
      if (i >= source.length) throw fail(`Unclosed start tag "${tag}" ${at(begin)}`);
      attributes.set(name, readValue(begin));
    }
    i++;
    return attributes;
  };

  const readValue = (begin: number): string => {
    const quote = source[i];
    if (quote !== '"' && quote !== "'") {
      const start = i;
      while (i < source.length && /[A-Za-z0-9.-]/.test(source[i] ?? '')) i++;
      if (!isSpace(source[i]) && source[i] !== '>') throw fail(`Unexpected end of name token ${at(start)}`);
      return source.slice(start, i).toLowerCase();
    }
    const end = source.indexOf(quote, i + 1);
    if (end < 0) throw fail(`Unclosed start tag ${at(begin)}`);
    const value = source.slice(i + 1, end);
    i = end + 1;
    return decode(value);
  };

  const endTag = (begin: number) => {
    const top = open.pop();
    if (top === undefined) throw fail(`Unexpected end tag ${at(begin)}`);
    const nameStart = ++i;
    while (i < source.length && !isSpace(source[i]) && source[i] !== '>') i++;
    const name = source.slice(nameStart, i).toLowerCase();
    while (isSpace(source[i])) i++;
    if (source[i] !== '>') throw fail(`Unclosed end tag ${at(begin)}`);
    i++;
    if (name !== '' && name !== top.tag) {
      throw fail(`Unmatched end tag ${at(begin)}, expected "</${top.tag}>", found "</${name}>"`);
    }
    close(top, text, entities, open);
  };

  while (i < source.length) {
    const char = source[i];
    if (char === '<') {
      const begin = i++;
      if (source[i] === '/') endTag(begin);
      else startTag(begin);
    } else if (char === '&') {
      const [decoded, length] = entityAt(source, i);
      text += decoded;
      i += length;
    } else {
      text += char;
      i++;
    }
  }
  const left = open.at(-1);
  if (left !== undefined) throw fail(`Can't find end tag corresponding to start tag "${left.tag}"`);
  if (!text.isWellFormed()) {
    throw fail(
      'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
    );
  }
  return { text, entities };
}

function close(tag: Open, text: string, entities: Entity[], open: readonly Open[]): void {
  const range = { offset: tag.start, length: text.length - tag.start };
  if (range.length === 0) return;
  const { attributes } = tag;
  switch (tag.tag) {
    case 'a': {
      const shown = text.slice(tag.start);
      const entity = linkEntity(attributes.get('href') ?? shown, range);
      if (entity !== undefined) entities.push(entity);
      return;
    }
    case 'span':
      entities.push({ type: 'spoiler', ...range });
      return;
    case 'tg-emoji':
      entities.push({ type: 'custom_emoji', ...range, custom_emoji_id: attributes.get('emoji-id') ?? '' });
      return;
    case 'tg-time': {
      const format = attributes.get('format');
      entities.push({
        type: 'date_time',
        ...range,
        unix_time: Number(attributes.get('unix') ?? 0),
        ...(format === undefined ? {} : { date_time_format: format }),
      });
      return;
    }
    case 'blockquote':
      entities.push({ type: attributes.has('expandable') ? 'expandable_blockquote' : 'blockquote', ...range });
      return;
    case 'code': {
      const language = /^language-(.+)$/.exec(attributes.get('class') ?? '')?.[1];
      // <pre><code class="language-x"> is one block: the inner tag only names the language.
      if (language !== undefined && open.at(-1)?.tag === 'pre') entities.push({ type: 'code', ...range, language });
      else entities.push({ type: 'code', ...range });
      return;
    }
    case 'pre': {
      const last = entities.at(-1);
      if (last?.language !== undefined && last.offset === range.offset && last.length === range.length) {
        entities.pop();
        entities.push({ type: 'pre', ...range, language: last.language });
      } else entities.push({ type: 'pre', ...range });
      return;
    }
    default:
      entities.push({ type: PLAIN[tag.tag] ?? tag.tag, ...range });
  }
}

function linkEntity(url: string, range: { offset: number; length: number }): Entity | undefined {
  const full = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `http://${url}`;
  if (!URL.canParse(full)) return undefined;
  const user = /^tg:\/\/user\?id=(\d+)$/.exec(full)?.[1];
  if (user !== undefined) {
    return { type: 'text_mention', ...range, user: { id: Number(user), is_bot: false, first_name: '' } };
  }
  // Telegram drops what it does not take for a link: the text stays, without an entity.
  if (!/^(https?|tg|ton|tonsite):/i.test(full)) return undefined;
  return { type: 'text_link', ...range, url: new URL(full).href };
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

/** The character reference at `index` and its length; an unknown one stays as it is written. */
function entityAt(source: string, index: number): [string, number] {
  const match = /^&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));?/i.exec(source.slice(index, index + 12));
  if (match === null) return ['&', 1];
  const [whole, hex, decimal, name] = match;
  if (name !== undefined) {
    const char = NAMED[name];
    return char === undefined ? ['&', 1] : [char, whole.length];
  }
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff ? [String.fromCodePoint(code), whole.length] : ['&', 1];
}

function decode(value: string): string {
  let out = '';
  for (let i = 0; i < value.length; ) {
    if (value[i] === '&') {
      const [decoded, length] = entityAt(value, i);
      out += decoded;
      i += length;
    } else out += value[i++] ?? '';
  }
  return out;
}
