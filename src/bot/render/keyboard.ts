import type { Block, Button, ButtonStyle, Doc, Press } from '../../core/doc.ts';
import { code, line } from '../../core/doc.ts';
import { isLinkable } from './builder.ts';
import { codePoints, firstCodePoints, visibleLine } from './text.ts';
import type { Reader } from './time.ts';

export const MAX_BUTTONS = 100;
const MAX_ROW = 3;
const MAX_LABEL = 64;
const MAX_COPY = 256;

interface Labelled {
  readonly label: string;
}

/** A button as it will be sent, but for the token that stands for its press. */
export type KeyboardButton =
  | (Labelled & {
      readonly kind: 'press';
      readonly style?: ButtonStyle;
      readonly press: Press;
      readonly ttlMinutes?: number;
    })
  | (Labelled & { readonly kind: 'url'; readonly url: string })
  | (Labelled & { readonly kind: 'copy'; readonly text: string });

/** Rows of at most three and a hundred in all; what cannot be a button becomes lines of text, so that nothing is lost. */
export function layKeyboard(doc: Doc, { t }: Reader): { keyboard: KeyboardButton[][]; extra: Block[] } {
  const keyboard: KeyboardButton[][] = [];
  const extra: Block[] = [];
  let count = 0;
  let dropped = 0;
  for (const row of doc.buttons ?? []) {
    const kept: KeyboardButton[] = [];
    for (const button of row) {
      const asText = instead(button);
      if (asText) extra.push(asText);
      else if (count >= MAX_BUTTONS) dropped++;
      else {
        count++;
        kept.push({ ...button, label: shortLabel(button.label) });
      }
    }
    for (let i = 0; i < kept.length; i += MAX_ROW) keyboard.push(kept.slice(i, i + MAX_ROW));
  }
  if (dropped > 0) extra.push(line(t('render-more-buttons', { n: dropped })));
  return { keyboard, extra };
}

function instead(button: Button): Block | undefined {
  if (button.kind === 'url' && !isLinkable(button.url)) return line(`${button.label}: `, code(button.url));
  if (button.kind === 'copy' && (button.text === '' || codePoints(button.text) > MAX_COPY)) {
    return line(`${button.label}: `, code(button.text));
  }
  return undefined;
}

function shortLabel(label: string): string {
  const clean = visibleLine(label).trim();
  if (clean === '') return '…';
  return codePoints(clean) > MAX_LABEL ? `${firstCodePoints(clean, MAX_LABEL - 1)}…` : clean;
}
