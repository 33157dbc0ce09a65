import { createHash } from 'node:crypto';
import type { MessageEntity } from '@grammyjs/types';
import { type Block, type Doc, type Icon, italic, line } from '../core/doc.ts';
import { drawBlock, type Fold, UNFOLDED } from './render/blocks.ts';
import { TextBuilder } from './render/builder.ts';
import { type KeyboardButton, layKeyboard } from './render/keyboard.ts';
import { codePoints, MAX_ENTITIES, MAX_TEXT } from './render/text.ts';
import type { Reader } from './render/time.ts';

export type { KeyboardButton } from './render/keyboard.ts';
export { formatTime, type Reader } from './render/time.ts';

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

/** A document as Telegram takes it: plain text, entities with UTF-16 offsets, buttons without their tokens. */
export interface Rendered {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
  readonly keyboard: readonly (readonly KeyboardButton[])[];
  /** The document's own file, and the whole text when it did not fit. */
  readonly files: readonly TextFile[];
  /** The verdict's icon: another one means another state, which people should see at once. */
  readonly icon: Icon | 'none';
}

const OVERFLOW_FILE = 'message.txt';
/** Tried in this order until the text fits. */
const FOLDS: readonly Fold[] = [
  UNFOLDED,
  ...[60, 30, 15, 8, 4, 2, 1].map((items): Fold => ({ items, line: Infinity })),
  ...[600, 200, 80].map((max): Fold => ({ items: 1, line: max })),
];

/** Renders for a reader. What does not fit into `max` code points is folded visibly, and the whole comes along as a text file. */
export function render(doc: Doc, reader: Reader, max = MAX_TEXT): Rendered {
  return renderAs(doc, reader, false, max);
}

/** The same without entities: addresses are written out. For when Telegram does not accept the entities. */
export function plain(doc: Doc, reader: Reader, max = MAX_TEXT): Rendered {
  return renderAs(doc, reader, true, max);
}

function renderAs(doc: Doc, reader: Reader, asPlain: boolean, max: number): Rendered {
  const { keyboard, extra } = layKeyboard(doc, reader);
  const blocks = [...doc.blocks, ...extra];
  const own = doc.file ? [doc.file] : [];
  const icon = doc.blocks.find((block) => block.kind === 'title')?.icon ?? 'none';
  for (const fold of FOLDS) {
    const note = fold === UNFOLDED ? [] : [cutNote(reader)];
    const drawn = draw([...blocks, ...note], reader, asPlain, fold, max);
    if (drawn === undefined) continue;
    const files = fold === UNFOLDED ? own : [whole(blocks, reader), ...own];
    return { ...drawn, keyboard, files, icon };
  }
  return { ...drawFewer(blocks, reader, asPlain, max), keyboard, files: [whole(blocks, reader), ...own], icon };
}

const cutNote = ({ t }: Reader): Block => line(italic(t('render-cut', { file: OVERFLOW_FILE })));

function whole(blocks: readonly Block[], reader: Reader): TextFile {
  const out = new TextBuilder(reader, true);
  for (const block of blocks) drawBlock(out, block, reader, UNFOLDED);
  return { name: OVERFLOW_FILE, text: out.text };
}

/** The last resort: as many whole blocks from the front as fit. Their number is bounded, so halving is quick enough. */
function drawFewer(
  blocks: readonly Block[],
  reader: Reader,
  asPlain: boolean,
  max: number,
): Pick<Rendered, 'text' | 'entities'> {
  const fold: Fold = { items: 1, line: 80 };
  for (let count = blocks.length - 1; count > 0; count = Math.floor(count * 0.9)) {
    const hidden = line(reader.t('render-more', { n: blocks.length - count }));
    const drawn = draw([...blocks.slice(0, count), hidden, cutNote(reader)], reader, asPlain, fold, max);
    if (drawn !== undefined) return drawn;
  }
  const alone = draw([cutNote(reader)], reader, asPlain, fold, max);
  return alone ?? { text: reader.t('render-empty'), entities: [] };
}

function draw(
  blocks: readonly Block[],
  reader: Reader,
  asPlain: boolean,
  fold: Fold,
  max: number,
): Pick<Rendered, 'text' | 'entities'> | undefined {
  const out = new TextBuilder(reader, asPlain);
  for (const block of blocks) drawBlock(out, block, reader, fold);
  if (codePoints(out.text) > max) return undefined;
  const entities = fewEnough(out.entities);
  if (entities === undefined) return undefined;
  const trimmed = trim(out.text, entities);
  // Telegram refuses text without a visible character.
  if (!/[^\s\u2068\u2069\u200b-\u200d\ufeff\u2800\u3164\u00ad]/u.test(trimmed.text)) {
    return { text: reader.t('render-empty'), entities: [] };
  }
  return trimmed;
}

/** A hundred at most. Looks (bold, code) go first, from the end; links and blocks carry meaning and stay. */
function fewEnough(entities: readonly MessageEntity[]): MessageEntity[] | undefined {
  const sorted = entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
  if (sorted.length <= MAX_ENTITIES) return sorted;
  const matters = (one: MessageEntity) => one.type === 'text_link' || one.type === 'pre' || one.type.endsWith('quote');
  let spare = MAX_ENTITIES - sorted.filter(matters).length;
  if (spare < 0) return undefined;
  return sorted.filter((one) => matters(one) || spare-- > 0);
}

/** Telegram trims the ends of a message; done here, so that what was sent equals what is shown. */
function trim(text: string, entities: readonly MessageEntity[]): { text: string; entities: MessageEntity[] } {
  const start = text.length - text.trimStart().length;
  const result = text.trim();
  const moved = entities.flatMap((one): MessageEntity[] => {
    const from = Math.max(0, one.offset - start);
    const to = Math.min(result.length, one.offset + one.length - start);
    return to > from ? [{ ...one, offset: from, length: to - from }] : [];
  });
  return { text: result, entities: moved };
}

const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);

/** `icon.message.files`: equal when a person would see the same, with the picture of that id. */
export function renderingHash(rendered: Rendered, picture?: string): string {
  const files = rendered.files.length === 0 ? '' : digest(rendered.files);
  return `${rendered.icon}.${digest([rendered.text, rendered.entities, rendered.keyboard, ...(picture === undefined ? [] : [picture])])}.${files}`;
}
