import type { Labels } from '../../../core/alertmanager.ts';
import { code, type Inline, type Inlines, strike } from '../../../core/doc.ts';
import {
  type IncidentAlert,
  type IncidentData,
  sentenceOf,
  SEVERITIES,
  severityOf,
  shared,
} from '../../../core/incident.ts';
import type { CardContext } from '../define.ts';
import { codePoints, firstCodePoints } from '../../render/text.ts';

/** What drawing an incident takes of a card's context: it reads nothing itself. */
export type DrawingContext = Omit<CardContext, 'q' | 'config' | 'operations'>;

/** Labels that say where it burns, the most telling first. */
const TELLING = [
  'instance',
  'host',
  'node',
  'guest',
  'vm',
  'name',
  'service',
  'container',
  'pod',
  'namespace',
  'database',
  'datname',
  'stanza',
  'device',
  'mountpoint',
  'target',
  'endpoint',
  'job',
  'cluster',
  'site',
  'env',
];
/** Values that explain themselves. */
const BARE = new Set(['instance', 'host', 'node', 'guest', 'vm', 'name', 'service', 'container', 'alertname']);
/** Said elsewhere on the card, or of interest to machines only. */
const SAID = new Set(
  'alertname severity priority level vakhta_operation vakhta_args runbook runbook_url summary description message title __name__ monitor prometheus replica'.split(
    ' ',
  ),
);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

const SENTENCE_MAX = 160;
const VALUE_MAX = 60;
const LABELS_MAX = 3;
const WHERE_MAX = 4;

export const alertsOf = (data: IncidentData): IncidentAlert[] =>
  Object.values(data.alerts).toSorted(
    (a, b) =>
      RANK[a.status] - RANK[b.status] ||
      severityRank(a) - severityRank(b) ||
      compare(place(a), place(b)) ||
      compare(a.fingerprint, b.fingerprint),
  );

const RANK = { firing: 0, gone: 1, resolved: 2 } as const;
const severityRank = ({ labels }: IncidentAlert): number => SEVERITIES.indexOf(severityOf(labels));
const place = ({ labels }: IncidentAlert): string => TELLING.map((name) => labels[name] ?? '').join('\n');
const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

const rank = (name: string): number => (TELLING.includes(name) ? TELLING.indexOf(name) : TELLING.length);
const byTelling = ([a]: [string, string], [b]: [string, string]): number => rank(a) - rank(b);

/** At most `max` code points. */
export const clip = (text: string, max: number): string =>
  codePoints(text) > max ? `${firstCodePoints(text, max - 1)}…` : text;

/** Labels that all alerts share and that tell where it burns; one that the title names already is left out. */
export function whereLabels(data: IncidentData, title: string): [string, string][] {
  const all = Object.values(data.alerts).map(({ labels }) => labels);
  const common: Labels = { ...shared(all), ...data.groupLabels };
  const isTold = ([name, value]: [string, string]): boolean =>
    SAID.has(name) || value.trim() === '' || title.includes(value) || UUID.test(value);
  const told = new Set<string>();
  return Object.entries(common)
    .filter((label) => !isTold(label) && (TELLING.includes(label[0]) || label[1].length <= VALUE_MAX))
    .toSorted(byTelling)
    .filter(([, value]) => !told.has(value) && told.add(value))
    .slice(0, WHERE_MAX);
}

/** One line for each alert: the labels that tell it from its neighbours, and its sentence unless the card says it already. */
export function alertLines(alerts: readonly IncidentAlert[], said: readonly string[], isOver: boolean): Inlines[] {
  const names = distinctive(alerts);
  return alerts.flatMap((alert): Inlines[] => {
    const sentence = ownSentence(alert, said);
    const values = valuesOf(alert, names).filter(({ value }) => !sentence.includes(value));
    const label = values.map(({ text }) => text).join(' ');
    const parts: Inline[] = [];
    if (label !== '') parts.push(code(label));
    if (sentence !== '') parts.push(label === '' ? sentence : ` ${sentence}`);
    if (parts.length === 0) return [];
    return [isOver || alert.status === 'firing' ? parts : [strike(...parts)]];
  });
}

/** A few words for one alert of the incident, as its history names it. */
export function alertName(alert: IncidentAlert | undefined, alerts: readonly IncidentAlert[]): string {
  if (!alert) return '?';
  const values = valuesOf(alert, distinctive(alerts)).map(({ text }) => text);
  return clip(values.join(' ') || (alert.labels['alertname'] ?? alert.fingerprint), VALUE_MAX);
}

/** The fewest labels that tell these alerts apart: the name of the alert first, then what tells where. */
function distinctive(alerts: readonly IncidentAlert[]): string[] {
  const names = new Set(alerts.flatMap(({ labels }) => Object.keys(labels)));
  const order = (name: string): number =>
    name === 'alertname' ? -1 : SAID.has(name) ? TELLING.length + 1 : rank(name);
  const tuples = (chosen: readonly string[]): number =>
    new Set(alerts.map(({ labels }) => JSON.stringify(chosen.map((name) => labels[name] ?? '')))).size;
  const chosen: string[] = [];
  let apart = 1;
  for (const name of [...names].toSorted((a, b) => order(a) - order(b))) {
    const now = tuples([...chosen, name]);
    if (now <= apart) continue;
    chosen.push(name);
    apart = now;
    if (chosen.length === LABELS_MAX || apart === alerts.length) break;
  }
  return chosen;
}

function valuesOf({ labels }: IncidentAlert, names: readonly string[]): { value: string; text: string }[] {
  return names.flatMap((name) => {
    const value = labels[name] ?? '';
    return value === '' ? [] : [{ value, text: clip(BARE.has(name) ? value : `${name}=${value}`, VALUE_MAX) }];
  });
}

function ownSentence({ annotations }: IncidentAlert, said: readonly string[]): string {
  const sentence = sentenceOf(annotations) ?? annotations['description']?.trim().split('\n')[0] ?? '';
  const flat = sentence.replace(/\s+/gu, ' ');
  return said.includes(flat) ? '' : clip(flat, SENTENCE_MAX);
}
