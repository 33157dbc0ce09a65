import type { Block, Inlines } from '../../core/doc.ts';
import { plainText, type TextBuilder } from './builder.ts';
import { codePoints, firstCodePoints, padEnd, padStart, visibleLine, width } from './text.ts';
import type { Reader } from './time.ts';

/** Columns that a narrow phone shows without breaking lines. */
const TABLE_COLUMNS = 34;

/** How much of long blocks is shown. `Infinity` is everything. */
export interface Fold {
  /** Lines of a quote, items of a list, rows of a table, lines of preformatted text. */
  readonly items: number;
  /** Code points of one line of text. */
  readonly line: number;
}

export const UNFOLDED: Fold = { items: Infinity, line: Infinity };

export function drawBlock(out: TextBuilder, block: Block, reader: Reader, fold: Fold): void {
  const inlines = (of: Inlines, style?: 'bold') => drawInlines(out, of, reader, fold, style);
  switch (block.kind) {
    case 'title':
      out.newLine();
      out.inlines(`${reader.t(`icon-${block.icon}`)} · `, ['bold']);
      return inlines(block.of, 'bold');
    case 'line':
      out.newLine();
      return inlines(block.of);
    case 'facts':
      for (const [label, value] of block.rows) {
        out.newLine();
        out.inlines(`${visibleLine(label)}: `);
        inlines(value);
      }
      return;
    case 'list': {
      const shown = block.items.slice(0, fold.items);
      for (const item of shown) {
        out.newLine();
        out.inlines('• ');
        inlines(item);
      }
      more(out, reader, block.items.length - shown.length);
      if (block.more !== undefined) {
        out.newLine();
        out.inlines(block.more, ['italic']);
      }
      return;
    }
    case 'quote': {
      if (block.lines.length === 0) return;
      const shown = block.lines.slice(0, fold.items);
      out.newLine();
      const start = out.text.length;
      shown.forEach((one, index) => {
        if (index > 0) out.newLine();
        inlines(one);
      });
      more(out, reader, block.lines.length - shown.length, out.text.length === start);
      return out.wrap(block.expandable ? 'expandable_blockquote' : 'blockquote', start);
    }
    case 'pre':
      return drawPre(out, block.text.split('\n'), reader, fold);
    case 'table':
      return drawTable(out, block.head, block.rows, reader, fold);
    case 'gap':
      return out.newLine();
  }
}

function drawInlines(out: TextBuilder, of: Inlines, reader: Reader, fold: Fold, style?: 'bold'): void {
  const styles = style ? [style] : [];
  if (fold.line !== Infinity) {
    const words = plainText(of, reader);
    // A line that must be shortened loses its looks: the whole of it is in the file.
    if (codePoints(words) > fold.line) return out.inlines(`${firstCodePoints(words, fold.line - 1)}…`, styles);
  }
  out.inlines(of, styles);
}

function more(out: TextBuilder, reader: Reader, hidden: number, first = false): void {
  if (hidden <= 0) return;
  if (!first) out.newLine();
  out.inlines(reader.t('render-more', { n: hidden }));
}

function drawPre(out: TextBuilder, lines: readonly string[], reader: Reader, fold: Fold): void {
  const shown = lines
    .slice(0, fold.items)
    .map((one) => (codePoints(one) > fold.line ? `${firstCodePoints(one, fold.line - 1)}…` : one));
  if (shown.length > 0) {
    out.newLine();
    out.pre(shown.join('\n'));
  }
  more(out, reader, lines.length - shown.length);
}

function drawTable(
  out: TextBuilder,
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  reader: Reader,
  fold: Fold,
): void {
  const all = [...(head ? [head] : []), ...rows].map((row) => row.map(visibleLine));
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...all.map((row) => width(row[i] ?? ''))));
  const total = widths.reduce((sum, one) => sum + one, 0) + 2 * Math.max(0, columns - 1);
  if (columns === 0) return;
  if (total <= TABLE_COLUMNS) {
    const numeric = widths.map((_, i) => rows.every((row) => /^[-+]?[\d.,]+\s?[%\p{L}]*$/u.test(row[i] ?? '0')));
    const lines = all.map((row) =>
      widths
        .map((size, i) => (numeric[i] ? padStart : padEnd)(row[i] ?? '', size))
        .join('  ')
        .trimEnd(),
    );
    return drawPre(out, lines, reader, { ...fold, line: Infinity });
  }
  const shown = rows.slice(0, fold.items);
  for (const row of shown) {
    out.newLine();
    row.forEach((cell, i) => {
      const label = i > 0 && head?.[i] ? `${visibleLine(head[i])}: ` : '';
      if (i > 0) out.inlines(' · ');
      drawInlines(out, `${label}${visibleLine(cell)}`, reader, fold, i === 0 ? 'bold' : undefined);
    });
  }
  more(out, reader, rows.length - shown.length);
}
