import {
  type Block,
  bold,
  type Doc,
  gap,
  type Inline,
  type Inlines,
  italic,
  line,
  quote,
  time,
} from '../../../core/doc.ts';
import { type IncidentAlert, type IncidentData, shared } from '../../../core/incident.ts';
import type { Incident, IncidentEvent } from '../../../store/incidents.ts';
import { alertsOf, clip, type DrawingContext } from './alerts.ts';
import { eventText } from './event-text.ts';

/** Alerts that are told in full in the message; a file has them all when there are more. */
const SHOWN = 5;
/** Code points of one value, of all alerts together, and of the history: with room for the rest of a message. */
const VALUE_MAX = 400;
const NAME_MAX = 80;
const TOTAL_MAX = 2600;
const HISTORY_LINES = 12;

type Pair = readonly [name: string, value: string];

/** Everything that was reported, without loss: what does not fit is in the file. */
export function details(
  context: DrawingContext,
  row: Incident,
  data: IncidentData,
  history: readonly IncidentEvent[],
): Pick<Doc, 'blocks' | 'file'> {
  const { t } = context;
  const alerts = alertsOf(data);
  const common = alerts.length > 1 ? pairs(shared(alerts.map(flat))) : [];
  const isCommon = new Set(common.map(([name]) => name));
  const blocks: Block[] = [];
  let left = TOTAL_MAX;
  let cut = false;
  /** As lines, shortened when there is no room; that something was shortened is remembered. */
  const lines = (all: readonly Pair[]): Inlines[] =>
    all.flatMap(([name, value]): Inlines[] => {
      const label = clip(name, NAME_MAX);
      const max = Math.min(VALUE_MAX, left - label.length - 2);
      const short = clip(value, Math.max(0, max));
      cut ||= short !== value || label !== name;
      if (max < 1) return [];
      left -= label.length + short.length + 2;
      return [`${label}: ${short}`];
    });

  const group: Pair[] = [
    ...(data.receiver === '' ? [] : [['receiver', data.receiver] as const]),
    ...pairs(data.groupLabels).filter(([name, value]) => !alerts.some(({ labels }) => labels[name] === value)),
    ...pairs(data.commonLabels).filter(([name, value]) => !alerts.some(({ labels }) => labels[name] === value)),
    ...pairs(data.commonAnnotations).filter(([name, value]) => !alerts.some((one) => one.annotations[name] === value)),
    ...(data.externalUrl === '' ? [] : [['externalURL', data.externalUrl] as const]),
  ];
  if (common.length > 0) blocks.push(quote([[bold(t('incident-in-common'))], ...lines(common)]));
  const shown = alerts.slice(0, SHOWN).filter(() => left > 0);
  for (const alert of shown) {
    cut ||= (alert.labels['alertname'] ?? '').length > NAME_MAX;
    const own = pairs(flat(alert)).filter(([name]) => !isCommon.has(name));
    blocks.push(quote([heading(context, alert), ...lines(own)], own.length > 8));
  }
  if (group.length > 0) blocks.push(quote([[bold(t('incident-group'))], ...lines(group)], group.length > 4));
  const hidden = alerts.length - shown.length;
  const past = historyLines(context, data, history);
  if (past.length > 0) blocks.push(quote([[bold(t('incident-history'))], ...past], past.length > 4));
  if (!cut && hidden === 0) return { blocks };
  const file = { name: `incident-${row.id}.txt`, text: wholeText(row, data, alerts, group) };
  return { blocks: [...blocks, gap, line(italic(t('incident-in-file', { n: hidden, file: file.name })))], file };
}

const pairs = (values: Readonly<Record<string, string>>): Pair[] => Object.entries(values);

/** Labels, annotations and the rest under one roof; a name that both have keeps both values. */
function flat({ labels, annotations, generatorUrl, extra }: IncidentAlert): Record<string, string> {
  const all: Record<string, string> = { ...labels };
  const add = (name: string, value: string): void => {
    if (all[name] === value || value === '') return;
    all[name in all ? `${name}*` : name] = value;
  };
  for (const [name, value] of [...pairs(annotations), ...pairs(extra)]) add(name, value);
  add('generatorURL', generatorUrl);
  return all;
}

function heading({ t }: DrawingContext, alert: IncidentAlert): Inline[] {
  const start = time(new Date(alert.startsAt));
  const name = bold(clip(alert.labels['alertname'] ?? alert.fingerprint, NAME_MAX));
  const status = ` · ${t(`incident-status-${alert.status}`)} `;
  if (alert.status === 'firing') return [name, status, start];
  if (alert.status === 'gone') return [name, status, time(new Date(alert.lastSeen))];
  return [name, status, time(new Date(alert.endsAt ?? alert.lastSeen)), ' (', start, ')'];
}

/** The newest last; what happened to several alerts at once is one line. */
function historyLines(context: DrawingContext, data: IncidentData, history: readonly IncidentEvent[]): Inlines[] {
  const steps: { event: IncidentEvent; n: number }[] = [];
  for (const event of history.toReversed()) {
    if (event.kind === 'repeated') continue;
    const last = steps.at(-1);
    const at = event.at.getTime();
    // The first alerts of an incident and the last ones to end are the incident's own beginning and end.
    if (last?.event.kind === 'opened' && event.kind !== 'resolved' && last.event.at.getTime() === at) continue;
    if (last?.event.kind === event.kind && last.event.at.getTime() === at) last.n += 1;
    else if (event.kind === 'resolved' && last?.event.kind === 'alert-resolved' && last.event.at.getTime() === at)
      steps.splice(-1, 1, { event, n: 1 });
    else steps.push({ event, n: 1 });
  }
  return steps
    .slice(-HISTORY_LINES)
    .map(({ event, n }): Inlines => [time(event.at), ` ${eventText(context, event, data.alerts, n)}`]);
}

/** Values stand as they came; further lines of one are indented. */
function wholeText(
  row: Incident,
  data: IncidentData,
  alerts: readonly IncidentAlert[],
  group: readonly Pair[],
): string {
  const entry = ([name, value]: Pair): string => `  ${name}: ${value.replaceAll('\n', '\n    ')}`;
  const part = (alert: IncidentAlert): string =>
    [
      `${alert.labels['alertname'] ?? alert.fingerprint} · ${alert.status}`,
      ...pairs({ startsAt: alert.startsAt, endsAt: alert.endsAt ?? '', fingerprint: alert.fingerprint })
        .filter(([, value]) => value !== '')
        .map(entry),
      '',
      ...pairs(alert.labels).map(entry),
      '',
      ...pairs(alert.annotations).map(entry),
      '',
      ...pairs(alert.extra).map(entry),
      ...(alert.generatorUrl === '' ? [] : [entry(['generatorURL', alert.generatorUrl])]),
    ].join('\n');
  const head = [
    `#${row.id} ${row.title}`,
    ...group.map(entry),
    ...(data.truncated > 0 ? [`  truncatedAlerts: ${data.truncated}`] : []),
  ];
  return `${[head.join('\n'), ...alerts.map(part)].join('\n\n').replaceAll(/\n{3,}/gu, '\n\n')}\n`;
}
