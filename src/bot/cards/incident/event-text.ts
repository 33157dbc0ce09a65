import { DateTime } from 'luxon';
import type { IncidentAlert } from '../../../core/incident.ts';
import type { IncidentEvent } from '../../../store/incidents.ts';
import { alertName, type DrawingContext } from './alerts.ts';

/** Fields of an event that hold the id of an operator. */
const PERSONS = new Set(['person', 'who', 'from', 'to', 'by', 'owner', 'actor']);
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/u;
const DAY_MS = 86_400_000;
const TEXT_MAX = 300;

/** What an event of an incident says; `n` how many such happened at once. Its data are arguments of the text. */
export function eventText(
  context: Pick<DrawingContext, 't' | 'people' | 'zone'>,
  { kind, actor, data, at }: IncidentEvent,
  alerts: Readonly<Record<string, IncidentAlert>>,
  n = 1,
): string {
  const { t, people, zone } = context;
  const key = `incident-event-${kind}`;
  // One of a newer version of the program.
  if (!t.has(key)) return kind;
  const { fingerprint } = data;
  const said = (name: string, value: string): string => {
    if (kind === 'severity') return t.has(`incident-word-${value}`) ? t(`incident-word-${value}`) : value;
    if (PERSONS.has(name)) return people(value)?.name ?? value;
    if (!INSTANT.test(value)) return Array.from(value).slice(0, TEXT_MAX).join('');
    const then = DateTime.fromISO(value, { zone });
    return then.toFormat(Math.abs(then.toMillis() - at.getTime()) < DAY_MS ? 'HH:mm' : 'dd.MM HH:mm');
  };
  const rest = Object.entries(data).flatMap(([name, value]): [string, string | number][] => {
    if (typeof value === 'number') return [[name, value]];
    return typeof value === 'string' ? [[name, said(name, value)]] : [];
  });
  return t(key, {
    ...Object.fromEntries(rest),
    n,
    one: n === 1 ? 'yes' : 'no',
    what: typeof fingerprint === 'string' ? alertName(alerts[fingerprint], Object.values(alerts)) : '',
    actor: actor ? (people(actor)?.name ?? actor) : '',
  });
}
