import { DateTime } from 'luxon';
import {
  type Block,
  type Button,
  code,
  type Doc,
  facts,
  type Inline,
  type Inlines,
  line,
  list,
  quote,
  time,
  title,
} from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { type IncidentAlert, type IncidentData, incidentData, sentenceOf, shared } from '../../core/incident.ts';
import { incidentIn } from '../../core/own-alert.ts';
import { incident, type Incident } from '../../store/incidents.ts';
import { defineCard } from './define.ts';
import { alertLines, alertsOf, clip, type DrawingContext, whereLabels } from './incident/alerts.ts';
import { loadChanges } from './incident/changes.ts';
import { clock, viewButton } from './incident/common.ts';
import { evidence } from './incident/evidence.ts';
import { loadExtras } from './incident/extras.ts';
import { folding } from './incident/folding.ts';
import { fixes, loadFixes } from './incident/fixes.ts';
import { messages } from './incident/messages.ts';
import { owner } from './incident/owner.ts';
import { loadPeople } from './incident/people.ts';
import { type Drawing, type Extras, type IncidentPart, NO_EXTRAS } from './incident/part.ts';
import { isUrl } from './incident/runbook.ts';
import { activeSilence, silence } from './incident/silence.ts';

/** Alerts named on the card itself; the rest is one press away. */
const SHOWN = 6;
const DESCRIPTION_MAX = 700;
const NOTES_MAX = 6;
const NAME_MAX = 80;
const MINUTE_MS = 60_000;

/** In the order in which they show. */
const PARTS: readonly IncidentPart[] = [owner, folding, fixes, silence, evidence];

export default defineCard({
  kind: 'incident',
  messages,
  render: async (context, card) => {
    const row = await incident(context.q, Number(card.ref));
    if (!row) return 'gone';
    // Another card shows it; one that nobody has seen is not worth a message.
    if (row.foldedInto !== undefined && card.messageId === undefined && card.reader === undefined) return 'gone';
    const read = incidentData.parse(row.data);
    const { title: name, data } = incidentIn(context.t, row.source, { title: row.title, data: read });
    const extras = await loadExtras(context.q, row, data, card.view);
    const all = {
      ...extras,
      fixes: await loadFixes(context, row, data),
      people: await loadPeople(context, row),
      ...(card.view === 'changes' ? { changes: await loadChanges(context, row, data) } : {}),
    };
    return drawIncident(context, { ...row, title: name }, data, card.view, all);
  },
});

/** The card in one of its views; an unknown one is the face. */
export function drawIncident(
  context: DrawingContext,
  row: Incident,
  data: IncidentData,
  view = '',
  extras: Extras = NO_EXTRAS,
): Doc {
  const drawing: Drawing = { context, row, data, extras };
  const head = headOf(context, row, data);
  const primary = PARTS.flatMap((part) => part.primary?.(drawing) ?? []);
  const usual = PARTS.flatMap((part) => part.rows?.(drawing) ?? []);
  const [name = '', ...argument] = view.split(':');
  const other = PARTS.flatMap((part) => part.views?.[name] ?? [])[0]?.(drawing, argument.join(':'));
  if (other) {
    const { blocks, file, look = [], further = [], rows = [primary, ...usual] } = other;
    const back = viewButton(context.t('incident-back'), '');
    return {
      blocks: [head, ...blocks],
      buttons: filled([back, ...look], ...further, ...rows),
      ...(file ? { file } : {}),
    };
  }
  const secondary = PARTS.flatMap((part) => part.secondary?.(drawing) ?? []);
  return { blocks: [head, ...face(drawing)], buttons: filled(primary, secondary, ...usual) };
}

const filled = (...all: (readonly Button[])[]): (readonly Button[])[] => all.filter((row) => row.length > 0);

/** Severity as icon and word, what it is, and the number that commands take. */
function headOf({ t, now }: DrawingContext, row: Incident, data: IncidentData): Block {
  const name: Inline[] = [row.title, ' · ', code(`#${row.id}`)];
  if (row.state === 'resolved') {
    // Nobody said that these are over, so this is not green.
    const isUnseen = Object.values(data.alerts).some(({ status }) => status === 'gone');
    return isUnseen ? title('unknown', [`${t('incident-unconfirmed')} · `, ...name]) : title('resolved', name);
  }
  if (activeSilence(row, now)) return title('silenced', [`${t(`incident-word-${row.severity}`)} · `, ...name]);
  return title(row.severity, name);
}

function face(drawing: Drawing): Block[] {
  const { context, row, data } = drawing;
  const { t } = context;
  const alerts = alertsOf(data);
  const isOver = row.state === 'resolved';
  const count = (status: IncidentAlert['status']): number => alerts.filter((alert) => alert.status === status).length;
  const blocks: Block[] = [
    facts(...summary(context, row, data, alerts, count), ...PARTS.flatMap((part) => part.facts?.(drawing) ?? [])),
    ...PARTS.flatMap((part) => part.blocks?.(drawing) ?? []),
  ];
  const only = alerts.length === 1 ? alerts[0] : undefined;
  if (!only) {
    const notes = shared(alerts.map(({ annotations }) => annotations));
    const said = [row.title, sentenceOf(notes) ?? '', notes['description'] ?? ''].map((text) =>
      text.replace(/\s+/gu, ' '),
    );
    const items = alertLines(alerts, said, isOver);
    const hidden = items.length - SHOWN;
    if (items.length > 0) {
      blocks.push(hidden > 0 ? list(items.slice(0, SHOWN), t('incident-more', { n: hidden })) : list(items));
    }
  }
  blocks.push(...words(row, data, alerts, only));
  if (isOver && count('gone') > 0) blocks.push(line(t('incident-ended-unseen', { n: count('gone') })));
  if (!isOver && count('firing') === 0) blocks.push(line(t('incident-only-unnamed', { n: data.truncated })));
  return blocks;
}

/** What the rule's author has to say, unless the card says it already. */
function words(row: Incident, data: IncidentData, alerts: readonly IncidentAlert[], only?: IncidentAlert): Block[] {
  const notes = only?.annotations ?? shared(alerts.map(({ annotations }) => annotations));
  const description = (notes['description'] ?? data.commonAnnotations['description'])?.trim() ?? '';
  if (description !== '' && description.replace(/\s+/gu, ' ') !== row.title) {
    const text = clip(description, DESCRIPTION_MAX);
    return [quote(text.split('\n'), text.length > 300)];
  }
  if (!only || sentenceOf(notes) !== undefined || description !== '') return [];
  // Without a sentence the notes of the rule are all there is to go by.
  const lines = Object.entries(notes)
    .filter(([name, value]) => value.trim() !== '' && !name.startsWith('runbook') && !isUrl(value))
    .slice(0, NOTES_MAX)
    .map(([name, value]) => clip(`${name}: ${value.replace(/\s+/gu, ' ')}`, 200));
  return lines.length > 0 ? [quote(lines)] : [];
}

function summary(
  context: DrawingContext,
  row: Incident,
  data: IncidentData,
  alerts: readonly IncidentAlert[],
  count: (status: IncidentAlert['status']) => number,
): (readonly [string, Inlines])[] {
  const { t } = context;
  const isOver = row.state === 'resolved';
  const facts_: (readonly [string, Inlines])[] = [isOver ? lasted(context, row) : since(context, row)];
  const names = new Set(alerts.map(({ labels }) => labels['alertname'] ?? ''));
  const [name = ''] = names.size === 1 ? names : [];
  const named: Inline[] = name === '' || name === row.title ? [] : [code(clip(name, NAME_MAX))];
  if (alerts.length > 1 || data.truncated > 0) {
    const isAllOver = isOver && count('gone') === 0;
    const parts = (['firing', 'resolved', 'gone'] as const)
      .filter((status) => count(status) > 0)
      .map((status) => t(`incident-n-${status}`, { n: count(status) }));
    if (data.truncated > 0 && !isOver) parts.push(t('incident-n-unnamed', { n: data.truncated }));
    const counts = isAllOver ? t('incident-all-over', { n: alerts.length }) : parts.join(' · ');
    facts_.push([t('incident-alerts'), named.length > 0 ? [...named, ` · ${counts}`] : counts]);
  } else if (named.length > 0) facts_.push([t('incident-alert'), named]);
  const where = whereLabels(data, row.title);
  if (where.length > 0) {
    const parts = where.map(([label, value]) => clip(`${label}=${value}`, NAME_MAX));
    facts_.push([
      t('incident-where'),
      parts.flatMap((part, n): Inline[] => (n > 0 ? [' ', code(part)] : [code(part)])),
    ]);
  }
  return facts_;
}

/** How long it has lasted is true at the time of drawing only, so the time stands beside it. */
function since(context: DrawingContext, { startedAt }: Incident): readonly [string, Inlines] {
  const { t, now } = context;
  const ms = now.getTime() - startedAt.getTime();
  if (ms < MINUTE_MS) return [t('incident-since'), time(startedAt)];
  const lasts = t('incident-for', { time: roughly(context, ms), clock: clock(context, now) });
  return [t('incident-since'), [time(startedAt), ` · ${lasts}`]];
}

function lasted(context: DrawingContext, { startedAt, resolvedAt }: Incident): readonly [string, Inlines] {
  const { t, now, zone } = context;
  const end = resolvedAt ?? now;
  const ms = end.getTime() - startedAt.getTime();
  const day = (at: Date): string => DateTime.fromJSDate(at, { zone }).toISODate() ?? '';
  const until = time(end, day(startedAt) === day(end) ? 'clock' : 'date');
  if (ms < 1000) return [t('incident-since'), time(startedAt)];
  return [t('incident-lasted'), [`${roughly(context, ms)} · `, time(startedAt), ' – ', until]];
}

/** To the minute once it is one. */
const roughly = ({ t }: DrawingContext, ms: number): string =>
  formatDuration(ms < MINUTE_MS ? ms : Math.floor(ms / MINUTE_MS) * MINUTE_MS, t);
