/** Widths of DejaVu Sans in parts of the font size, by kinds of characters: exact enough to leave room. */
function charWidth(char: string): number {
  if ("ijlI.,:;'|!".includes(char)) return 0.32;
  if (' ()[]{}ftr/\\-"'.includes(char)) return 0.39;
  if (/[mwMW@%шщжюмыфШЩЖЮМЫФ]/u.test(char)) return 0.95;
  if (/[\d=+<>~_*$#a-zа-яё]/u.test(char)) return 0.635;
  if (/[A-ZА-ЯЁ…—∞]/u.test(char)) return 0.74;
  return char.charCodeAt(0) < 0x24_00 ? 0.66 : 1.05;
}

/** In the unit of `size`; a little too much rather than too little. */
export function textWidth(text: string, size: number, isBold = false): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width * size * (isBold ? 1.12 : 1);
}

/** Shortened in the end to fit. */
export function clipText(text: string, width: number, size: number, isBold = false): string {
  const flat = text.replaceAll(/\s+/gu, ' ').trim();
  if (textWidth(flat, size, isBold) <= width) return flat;
  const chars = Array.from(flat);
  while (chars.length > 0 && textWidth(`${chars.join('')}…`, size, isBold) > width) chars.pop();
  return `${chars.join('').trimEnd()}…`;
}

/** What XML does not allow would make the whole picture unreadable. */
function isAllowed(char: string): boolean {
  const code = char.charCodeAt(0);
  return code >= 0x20 || code === 9 || code === 10 || code === 13;
}

export const escapeXml = (text: string): string =>
  Array.from(text.toWellFormed())
    .filter((char) => isAllowed(char) && char !== '\uFFFE' && char !== '\uFFFF')
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
