import { DateTime } from 'luxon';
import type { Block, Doc, Icon, Inlines } from '../core/doc.ts';

const ICONS: Record<Icon, string> = {
  critical: '!!',
  warning: '! ',
  info: 'i ',
  ok: 'ok',
  resolved: 'ok',
  done: 'ok',
  running: '..',
  waiting: '? ',
  failed: 'x ',
  cancelled: '- ',
  unknown: '? ',
  silenced: 'zz',
  owned: '* ',
  question: '? ',
  digest: '= ',
  lock: '# ',
  bell: '! ',
};

/** A document for a terminal: no markup, no colour, times in this zone. */
export function terminalText(doc: Doc, view: { readonly zone: string; readonly language: string }): string {
  const picture = doc.picture ? [`[${doc.picture.alt}]`] : [];
  const text = [...picture, ...doc.blocks.map((block) => blockText(block, view))].join('\n');
  return doc.file ? `${text}\n\n${doc.file.text}` : text;
}

type Place = { readonly zone: string; readonly language: string };

function blockText(block: Block, place: Place): string {
  switch (block.kind) {
    case 'title':
      return `[${ICONS[block.icon]}] ${plain(block.of, place)}`;
    case 'line':
      return plain(block.of, place);
    case 'facts': {
      const width = Math.max(0, ...block.rows.map(([label]) => label.length));
      return block.rows.map(([label, value]) => `  ${label.padEnd(width)}  ${plain(value, place)}`).join('\n');
    }
    case 'list':
      return [
        ...block.items.map((item) => `  - ${plain(item, place)}`),
        ...(block.more ? [`  ${block.more}`] : []),
      ].join('\n');
    case 'quote':
      return block.lines.map((one) => `  | ${plain(one, place)}`).join('\n');
    case 'pre':
      return block.text;
    case 'table': {
      const rows = [...(block.head ? [block.head] : []), ...block.rows];
      const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
      return rows
        .map((row) =>
          row
            .map((cell, n) => cell.padEnd(widths[n] ?? 0))
            .join('  ')
            .trimEnd(),
        )
        .join('\n');
    }
    case 'gap':
      return '';
  }
}

function plain(inlines: Inlines, place: Place): string {
  if (typeof inlines === 'string') return inlines;
  if (Array.isArray(inlines)) return inlines.map((one: Inlines) => plain(one, place)).join('');
  const inline = inlines as Exclude<Inlines, string | readonly unknown[]>;
  switch (inline.kind) {
    case 'code':
      return inline.text;
    case 'link':
      return `${plain(inline.of, place)} <${inline.url}>`;
    case 'time': {
      const at = DateTime.fromJSDate(inline.at, { zone: place.zone }).setLocale(place.language);
      if (inline.as === 'clock') return at.toFormat('HH:mm');
      if (inline.as === 'seconds') return at.toFormat('HH:mm:ss');
      return inline.as === 'ago' ? (at.toRelative() ?? at.toISO() ?? '') : at.toFormat('yyyy-MM-dd HH:mm');
    }
    case 'bold':
    case 'italic':
    case 'strike':
      return plain(inline.of, place);
  }
}
