import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { matchesEach, type Matcher } from '../../integrations/alertmanager/matchers.ts';
import type { Alert } from '../../integrations/alertmanager/port.ts';
import type { Queryable } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';

const ALERTS = 'alertmanager.alerts';
/** The last time that Alertmanager answered: the list itself is written only when it has changed. */
const ASKED = 'alertmanager.asked';

const seenAlert = z.object({
  fingerprint: z.string(),
  labels: z.record(z.string(), z.string()),
  state: z.enum(['active', 'suppressed', 'unprocessed']),
  silencedBy: z.array(z.string()),
  inhibitedBy: z.array(z.string()),
  startsAt: z.coerce.date(),
});
/** An alert that Alertmanager holds: it fires, muted or not. */
export type SeenAlert = Readonly<z.output<typeof seenAlert>>;

const stored = z.object({ alerts: z.array(seenAlert) });

/** All alerts of Alertmanager as last heard, and when that was. */
export interface SeenAlerts {
  readonly at: Date;
  readonly alerts: readonly SeenAlert[];
}

/** Undefined when Alertmanager has never answered. */
export async function seenAlerts(q: Queryable): Promise<SeenAlerts | undefined> {
  const [alerts, asked] = await Promise.all([observation(q, ALERTS), observation(q, ASKED)]);
  const parsed = stored.safeParse(alerts?.data);
  if (!alerts || !parsed.success) return undefined;
  return { at: asked && asked.at > alerts.at ? asked.at : alerts.at, alerts: parsed.data.alerts };
}

/** Keeps what Alertmanager answered, for cards and commands. */
export async function keepAlerts(q: Queryable, answer: readonly Alert[], now: Date): Promise<SeenAlert[]> {
  const alerts = answer
    .map(({ fingerprint, labels, state, silencedBy, inhibitedBy, startsAt }): SeenAlert => {
      return { fingerprint, labels, state, silencedBy: [...silencedBy], inhibitedBy: [...inhibitedBy], startsAt };
    })
    .toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  const before = stored.safeParse((await observation(q, ALERTS))?.data);
  if (!before.success || !isDeepStrictEqual(before.data.alerts, alerts))
    await observe(q, ALERTS, true, { alerts }, now);
  await observe(q, ASKED, true, {}, now);
  return alerts;
}

const PLACES = ['instance', 'host', 'guest', 'node', 'pod', 'container', 'name', 'service', 'job'] as const;

/** `DiskFull db1`: what it is called, and where. */
export function nameOf(labels: Readonly<Record<string, string>>): string {
  const name = labels['alertname'] ?? '';
  const place = PLACES.map((label) => labels[label] ?? '').find((value) => value !== '') ?? '';
  return [name, place].filter((part) => part !== '').join(' ') || '{}';
}

/** The first names of a list, each once, alphabetical. */
export const namesOf = (alerts: readonly { readonly labels: SeenAlert['labels'] }[], max = 6): string[] =>
  [...new Set(alerts.map(({ labels }) => nameOf(labels)))].toSorted().slice(0, max);

/** The alerts that a silence with these matchers mutes. */
export const under = <T extends { readonly labels: SeenAlert['labels'] }>(
  matchers: readonly Matcher[],
  alerts: readonly T[],
): T[] => alerts.filter(({ labels }) => matchesEach(matchers, labels));
