import type { MessageEntity } from '@grammyjs/types';
import type { Inline, Inlines } from '../../core/doc.ts';
import { isRightToLeft, visible, visibleLine } from './text.ts';
import { formatTime, type Reader } from './time.ts';

type Style = 'bold' | 'italic' | 'strikethrough';

/** A stretch of text with one look. `code` and `url` exclude other looks: Telegram refuses entities inside code. */
interface Segment {
  readonly text: string;
  readonly styles: readonly Style[];
  readonly code?: boolean;
  readonly url?: string;
}

/** Can Telegram open it? Others are dropped silently by clients, or the whole message is refused because of a button. */
export function isLinkable(url: string): boolean {
  if (url.length > 2048 || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'tg:') return true;
  return (protocol === 'http:' || protocol === 'https:') && (hostname.includes('.') || hostname.startsWith('['));
}

/** Text with entities, built front to back; offsets in UTF-16 units as the Bot API wants them. */
export class TextBuilder {
  readonly #reader: Reader;
  /** Without entities: addresses of links are written out. */
  readonly #plain: boolean;
  text = '';
  readonly entities: MessageEntity[] = [];

  constructor(reader: Reader, plain: boolean) {
    this.#reader = reader;
    this.#plain = plain;
  }

  /** Starts a new line unless at the very beginning. */
  newLine(): void {
    if (this.text !== '') this.text += '\n';
  }

  inlines(of: Inlines, styles: readonly Style[] = []): void {
    const list: readonly Inline[] = isList(of) ? of : [of];
    for (const one of list) this.#inline(one, styles);
  }

  #inline(one: Inline, styles: readonly Style[]): void {
    if (typeof one === 'string') return this.#add({ text: visible(one), styles });
    switch (one.kind) {
      case 'bold':
      case 'italic':
        return this.inlines(one.of, withStyle(styles, one.kind));
      case 'strike':
        return this.inlines(one.of, withStyle(styles, 'strikethrough'));
      case 'code':
        return this.#add({ text: visibleLine(one.text), styles: [], code: true });
      case 'time':
        return this.#add({ text: formatTime(one.at, one.as, this.#reader), styles });
      case 'link':
        return this.#link(plainText(one.of, this.#reader), one.url, styles);
    }
  }

  #link(label: string, url: string, styles: readonly Style[]): void {
    if (!this.#plain && isLinkable(url)) return this.#add({ text: visible(label), styles, url: new URL(url).href });
    this.#add({ text: visible(label), styles });
    if (label !== url) this.#add({ text: ` (${visibleLine(url)})`, styles: [] });
  }

  #add(segment: Segment): void {
    if (segment.text === '') return;
    const around = isRightToLeft(segment.text);
    // The marks stay outside of the entity, so that a copied name does not carry them.
    if (around) this.text += '\u2068';
    const offset = this.text.length;
    this.text += segment.text;
    const length = segment.text.length;
    if (around) this.text += '\u2069';
    if (this.#plain || segment.text.trim() === '') return;
    if (segment.code) this.entities.push({ type: 'code', offset, length });
    else if (segment.url !== undefined) this.entities.push({ type: 'text_link', offset, length, url: segment.url });
    if (segment.code) return;
    for (const type of segment.styles) this.#style(type, offset, length);
  }

  /** One entity for neighbours of the same look; but two looks never overlap by halves. */
  #style(type: Style, offset: number, length: number): void {
    const before = this.entities.at(-1);
    if (before !== undefined && before.type === type && before.offset + before.length === offset)
      before.length += length;
    else this.entities.push({ type, offset, length });
  }

  /** Puts everything written since `start` into one entity around what it already holds. */
  wrap(type: 'blockquote' | 'expandable_blockquote' | 'pre', start: number): void {
    const length = this.text.length - start;
    if (this.#plain || this.text.slice(start).trim() === '') return;
    this.entities.push({ type, offset: start, length });
  }

  pre(text: string): void {
    const start = this.text.length;
    this.text += visible(text);
    this.wrap('pre', start);
  }
}

const isList = (of: Inlines): of is readonly Inline[] => Array.isArray(of);

const withStyle = (styles: readonly Style[], style: Style): readonly Style[] =>
  styles.includes(style) ? styles : [...styles, style];

/** The words alone. */
export function plainText(of: Inlines, reader: Reader): string {
  const list: readonly Inline[] = isList(of) ? of : [of];
  return list
    .map((one) => {
      if (typeof one === 'string') return one;
      if (one.kind === 'code') return one.text;
      if (one.kind === 'time') return formatTime(one.at, one.as, reader);
      return plainText(one.of, reader);
    })
    .join('');
}
