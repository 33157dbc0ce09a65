import type { Labels } from '../../../core/alertmanager.ts';
import { code, type Inline, type Inlines, strike } from '../../../core/doc.ts';
import { type IncidentAlert, type IncidentData, sentenceOf, shared } from '../../../core/incident.ts';
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
const SAID = new Set([
  'alertname',
  'severity',
  'priority',
  'runbook',
  'runbook_url',
  '__name__',
  'monitor',
  'prometheus',
  'replica',
]);

const SENTENCE_MAX = 160;
const LABELS_MAX = 3;

export const alertsOf = (data: IncidentData): IncidentAlert[] =>
  Object.values(data.alerts).toSorted(
    (a, b) => RANK[a.status] - RANK[b.status] || compare(place(a), place(b)) || compare(a.fingerprint, b.fingerprint),
  );

const RANK = { firing: 0, gone: 1, resolved: 2 } as const;
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
  return Object.entries(common)
    .filter(([name, value]) => !SAID.has(name) && value.trim() !== '' && !title.includes(value))
    .toSorted(byTelling)
    .slice(0, 4);
}

/** What tells this alert from its neighbours: its own labels, and its sentence unless the card already says it. */
export function alertLine(alert: IncidentAlert, common: Labels, title: string): Inlines {
  const names = ownLabels(alert, common);
  const said = ownSentence(alert, title);
  const parts: Inline[] = [];
  if (names !== '') parts.push(code(names));
  if (said !== '') parts.push(names === '' ? said : ` ${said}`);
  return alert.status === 'firing' || parts.length === 0 ? parts : [strike(...parts)];
}

/** A few words for one alert of the incident, as its history names it. */
export function alertName(alert: IncidentAlert | undefined, common: Labels): string {
  if (!alert) return '?';
  return ownLabels(alert, common) || (alert.labels['alertname'] ?? alert.fingerprint);
}

function ownLabels({ labels }: IncidentAlert, common: Labels): string {
  const own = Object.entries(labels).filter(([name, value]) => value !== '' && common[name] !== value);
  const best = own.filter(([name]) => name === 'alertname' || !SAID.has(name));
  const order = ([a, x]: [string, string], [b, y]: [string, string]): number =>
    Number(b === 'alertname') - Number(a === 'alertname') || byTelling([a, x], [b, y]);
  return (best.length > 0 ? best : own)
    .toSorted(order)
    .slice(0, LABELS_MAX)
    .map(([name, value]) => clip(BARE.has(name) ? value : `${name}=${value}`, 60))
    .join(' ');
}

function ownSentence({ annotations }: IncidentAlert, title: string): string {
  const sentence = sentenceOf(annotations) ?? annotations['description']?.trim().split('\n')[0] ?? '';
  const flat = sentence.replace(/\s+/gu, ' ');
  return flat === title ? '' : clip(flat, SENTENCE_MAX);
}
