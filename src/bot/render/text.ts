/** Telegram's limit of a message, in code points after entity parsing. */
export const MAX_TEXT = 4096;
/** The same of the text under a picture. */
export const MAX_CAPTION = 1024;
/** Telegram ignores entities beyond this number. */
export const MAX_ENTITIES = 100;

const RTL = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Marks that turn the direction of the rest of the line: a host name could be made to read as another one. */
const BIDI_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Length as Telegram counts it: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The first `count` code points; never half a surrogate pair. */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text;
  let units = 0;
  let seen = 0;
  for (const point of text) {
    if (seen === count) break;
    units += point.length;
    seen++;
  }
  return text.slice(0, units);
}

/**
 * Text as it may be shown: half surrogates, control characters and direction marks become visible signs, because
 * Telegram would drop them silently or refuse the message. Line ends become `\n`, tabs stay.
 */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/(?![\n\t])\p{Cc}/gu, picture)
    .replace(BIDI_CONTROL, '\ufffd');
}

/** U+2400 and following are pictures of the control characters. */
function picture(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** As `visible`, on one line. */
export const visibleLine = (text: string): string => visible(text).replace(/\n+/g, ' ⏎ ');

export const isRightToLeft = (text: string): boolean => RTL.test(text);

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\ufe0f/u;

/** Columns taken in a monospaced font. */
export function width(text: string): number {
  // Too long for any column, whatever its characters are.
  if (text.length > 500) return text.length;
  if (/^[\u0020-\u007e\u00a0-\u04ff]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += WIDE.test(segment) ? 2 : 1;
  return columns;
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - width(text))) + text;
}
