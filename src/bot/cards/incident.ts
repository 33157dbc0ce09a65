import { DateTime } from 'luxon';
import {
  type Block,
  bold,
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
import { events, incident, type Incident } from '../../store/incidents.ts';
import { type IncidentSilence, silenceSchema } from '../../tasks/incidents.ts';
import { defineCard } from './define.ts';
import { alertLines, alertsOf, clip, type DrawingContext, whereLabels } from './incident/alerts.ts';
import { details } from './incident/details.ts';
import { messages } from './incident/messages.ts';
import { isUrl, runbookBlocks, runbookOf } from './incident/runbook.ts';

/** Alerts named on the card itself; the rest is one press away. */
const SHOWN = 6;
const HISTORY = 300;
const SILENCES = ['1h', '4h', '24h'] as const;
const DESCRIPTION_MAX = 700;
const NOTES_MAX = 6;
const NAME_MAX = 80;
const MINUTE_MS = 60_000;

export default defineCard({
  kind: 'incident',
  messages,
  render: async (context, card) => {
    const row = await incident(context.q, Number(card.ref));
    if (!row) return 'gone';
    const data = incidentData.parse(row.data);
    const history = card.view === 'details' ? await events(context.q, row.id, HISTORY) : [];
    return drawIncident(context, row, data, card.view, history);
  },
});

/** The card in one of its views: the face, `details` with everything that was reported, `runbook`. */
export function drawIncident(
  context: DrawingContext,
  row: Incident,
  data: IncidentData,
  view = '',
  history: Parameters<typeof details>[3] = [],
): Doc {
  const { t } = context;
  const head = headOf(context, row, data);
  const back: Button = { kind: 'press', label: t('incident-back'), press: { kind: 'view', view: '' } };
  const handle = handleButtons(context, row);
  if (view === 'details') {
    const { blocks, file } = details(context, row, data, history);
    const source = alertsOf(data).find(({ generatorUrl }) => isUrl(generatorUrl))?.generatorUrl;
    const look: Button[] =
      source === undefined ? [back] : [back, { kind: 'url', label: t('incident-source'), url: source }];
    return { blocks: [head, ...blocks], buttons: rows(look, ...handle), ...(file ? { file } : {}) };
  }
  const runbook = runbookOf(context, data);
  if (view === 'runbook' && runbook && 'text' in runbook) {
    return { blocks: [head, ...runbookBlocks(runbook.text)], buttons: rows([back], ...handle) };
  }
  const look: Button[] = [{ kind: 'press', label: t('incident-details'), press: { kind: 'view', view: 'details' } }];
  if (runbook) {
    const label = t('incident-runbook');
    if ('url' in runbook) look.push({ kind: 'url', label, url: runbook.url });
    else look.push({ kind: 'press', label, press: { kind: 'view', view: 'runbook' } });
  }
  const [own = [], ...quiet] = handle;
  return { blocks: [head, ...face(context, row, data)], buttons: rows([...own, ...look], ...quiet) };
}

const rows = (...all: Button[][]): Button[][] => all.filter((row) => row.length > 0);

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

function face(context: DrawingContext, row: Incident, data: IncidentData): Block[] {
  const { t } = context;
  const alerts = alertsOf(data);
  const isOver = row.state === 'resolved';
  const count = (status: IncidentAlert['status']): number => alerts.filter((alert) => alert.status === status).length;
  const blocks: Block[] = [facts(...summary(context, row, data, alerts, count))];
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
  const { t, now, people } = context;
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
  if (row.owner) {
    const owner = bold(people(row.owner)?.name ?? row.owner);
    const at = row.ackedAt && clock(context, row.ackedAt);
    const when = at === undefined || isOver ? [] : [` ${t('incident-since-clock', { clock: at })}`];
    facts_.push([t(isOver ? 'incident-was-owner' : 'incident-owner'), [owner, ...when]]);
  }
  const silence = activeSilence(row, now);
  if (silence) {
    facts_.push([t('incident-silenced'), [time(silence.until), ` · ${people(silence.by)?.name ?? silence.by}`]]);
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

const clock = ({ zone }: DrawingContext, at: Date): string => DateTime.fromJSDate(at, { zone }).toFormat('HH:mm');

function activeSilence(row: Incident, now: Date): IncidentSilence | undefined {
  const silence = row.silence ? silenceSchema.parse(row.silence) : undefined;
  return silence && silence.until > now ? silence : undefined;
}

/** First who has it, then how long to be quiet. What is over can only be made audible again. */
function handleButtons({ t, now }: DrawingContext, row: Incident): Button[][] {
  const press = (label: string, operation: string, more: Record<string, unknown> = {}, style?: 'primary'): Button => ({
    kind: 'press',
    label,
    ...(style ? { style } : {}),
    press: { kind: 'operation', operation, args: { incident: row.id, ...more } },
  });
  const unsilence = activeSilence(row, now) ? [press(t('incident-unsilence'), 'unsilence')] : [];
  if (row.state === 'resolved') return [[], unsilence];
  const own = row.owner ? press(t('incident-unack'), 'unack') : press(t('incident-ack'), 'ack', {}, 'primary');
  const silence = SILENCES.map((duration) =>
    press(t('incident-silence', { hours: Number.parseInt(duration, 10) }), 'silence', { duration }),
  );
  return [[own], unsilence.length > 0 ? unsilence : silence];
}
