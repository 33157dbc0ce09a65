import { DateTime } from 'luxon';
import {
  bold,
  type Button,
  code,
  type Doc,
  facts,
  type Inline,
  type Inlines,
  line,
  link,
  quote,
  title,
} from '../../core/doc.ts';
import type { Translate } from '../../core/i18n.ts';
import { incidentData } from '../../core/incident.ts';
import { incident } from '../../store/incidents.ts';
import { titleFor } from '../../tasks/incidents.ts';
import { defineCard } from './define.ts';
import { viewButton } from './incident/common.ts';
import { loadLedger, type Step } from './why/ledger.ts';
import { messages } from './why/messages.ts';

/** Steps in the message: the first ones, how it began, and the last ones. */
const FIRST = 10;
const LAST = 14;
const STEP_MAX = 160;
/** Steps on a page of a long one. */
const PAGE = FIRST + LAST;

export default defineCard({
  kind: 'why',
  messages,
  render: async (context, card): Promise<Doc | 'gone'> => {
    const { t, zone } = context;
    const id = Number(card.ref.split(' ')[1]);
    const row = Number.isSafeInteger(id) ? await incident(context.q, id) : undefined;
    if (!row) return 'gone';
    const { steps, edits, seenAfterMs, isComplete } = await loadLedger(context, row, incidentData.parse(row.data));
    const isLong = steps.length > FIRST + LAST || steps.some(({ text }) => text.length > STEP_MAX);
    const hidden = Math.max(0, steps.length - FIRST - LAST);
    const shown = steps.map((one, n) => stepLine(one, steps[n - 1], zone));
    const gap: Inlines[] = hidden > 0 ? [t('why-hidden', { n: hidden })] : [];
    const pages = Math.ceil(steps.length / PAGE);
    const page = hidden > 0 && card.view !== '' ? Math.min(pages, Math.max(1, Number.parseInt(card.view, 10) || 1)) : 0;
    const part =
      page > 0
        ? shown.slice((page - 1) * PAGE, page * PAGE)
        : hidden > 0
          ? [...shown.slice(0, FIRST), ...gap, ...shown.slice(-LAST)]
          : shown;
    const name = `why-${row.id}.txt`;
    return {
      blocks: [
        title(row.state === 'resolved' ? 'resolved' : row.severity, [titleFor(t, row), ' · ', code(`#${row.id}`)]),
        facts(
          [
            t('why-seen'),
            seenAfterMs === undefined
              ? t('why-not-seen')
              : t('why-seen-after', { seconds: (seenAfterMs / 1000).toFixed(1) }),
          ],
          [t('why-edits'), String(edits)],
        ),
        quote(part, part.length > 12),
        ...(isComplete ? [] : [line(t('why-week'))]),
        ...(isLong ? [line(t('why-file', { file: name }))] : []),
      ],
      buttons: turning(t, page, pages, hidden > 0 ? steps.length : 0),
      ...(isLong ? { file: { name, text: wholeText(steps, zone) } } : {}),
    };
  },
});

/** A long ledger is shown from both ends, and by pages; `page` 0 is the former. */
function turning(t: Translate, page: number, pages: number, steps: number): Button[][] {
  const refresh = viewButton(t('why-refresh'), page === 0 ? '' : String(page));
  if (steps === 0) return [[refresh]];
  if (page === 0) return [[refresh, viewButton(t('why-all', { n: steps }), '1')]];
  const to = (label: string, number: number): Button => viewButton(label, String(number));
  return [
    [
      to('‹', page === 1 ? pages : page - 1),
      to(t('why-page', { page, pages }), page),
      to('›', page === pages ? 1 : page + 1),
    ],
    [viewButton(t('why-overview'), ''), refresh],
  ];
}

/** The day stands where it changes. */
function stepLine(step: Step, before: Step | undefined, zone: string): Inline[] {
  const at = DateTime.fromJSDate(step.at, { zone });
  const isSameDay = before && DateTime.fromJSDate(before.at, { zone }).hasSame(at, 'day');
  const points = Array.from(step.text);
  const text = points.length > STEP_MAX ? `${points.slice(0, STEP_MAX - 1).join('')}…` : step.text;
  return [
    ...(isSameDay ? [] : [bold(at.toFormat('dd.MM')), ' ']),
    code(at.toFormat('HH:mm:ss')),
    ' ',
    step.url === undefined ? text : link(step.url, text),
  ];
}

const wholeText = (steps: readonly Step[], zone: string): string =>
  `${steps
    .map(({ at, text, url }) =>
      [DateTime.fromJSDate(at, { zone }).toFormat('yyyy-MM-dd HH:mm:ss.SSS ZZ'), text, url ?? ''].join(' ').trimEnd(),
    )
    .join('\n')}\n`;
