import type { Labels } from './alertmanager.ts';
import { type IncidentData, shared } from './incident.ts';

/** By what incidents are alike: the name of their alerts, and what they are about. Empty where there is none. */
export interface Traits {
  readonly alertname: string;
  readonly target: string;
}

/** Labels that name a thing, the most exact first. */
const NAMING = [
  'guest',
  'vm',
  'container',
  'name',
  'stanza',
  'database',
  'endpoint',
  'instance',
  'host',
  'node',
  'service',
];
const MAX = 200;

export function traitsOf(data: IncidentData): Traits {
  const labels = commonLabels(data);
  const names = new Set(Object.values(data.alerts).map((alert) => alert.labels['alertname'] ?? ''));
  const [only = ''] = names.size === 1 ? names : [];
  const alertname = labels['alertname'] ?? only;
  const name = NAMING.find((one) => (labels[one] ?? '') !== '');
  return {
    alertname: alertname.slice(0, MAX),
    target: name === undefined ? '' : bare(labels[name] ?? '').slice(0, MAX),
  };
}

/** What all alerts of an incident share, and what it is grouped by. */
export const commonLabels = (data: IncidentData): Labels => ({
  ...shared(Object.values(data.alerts).map(({ labels }) => labels)),
  ...data.groupLabels,
});

/** Labels whose values are no names of things. */
const NO_NAMES = new Set(
  'alertname severity priority level job env environment site cluster team monitor prometheus replica phase mode device fstype mountpoint'.split(
    ' ',
  ),
);

/** Every name by which something else may speak of what the incident is about, in small letters. */
export function namesOf(data: IncidentData): string[] {
  const labels = [commonLabels(data), ...Object.values(data.alerts).map((alert) => alert.labels)];
  const values = labels.flatMap((one) =>
    Object.entries(one)
      .filter(([name]) => !NO_NAMES.has(name))
      .flatMap(([, value]) => [value, bare(value)]),
  );
  return [...new Set(values.map((value) => value.trim().toLowerCase()).filter((value) => value.length > 1))].slice(
    0,
    100,
  );
}

/** An address without its port. */
const bare = (value: string): string => value.replace(/^(.+):\d{1,5}$/u, '$1');
