import type { Labels } from './alertmanager.ts';
import { SEVERITIES, type Severity } from './incident.ts';

/**
 * When many incidents begin at once, one card collects them: a group takes twenty messages a minute, and nobody reads two
 * hundred. Pure rules; the store keeps who is in a storm, `tasks/watch` does what is decided here.
 */
export interface StormPolicy {
  /** New incidents of one chat within a minute, or not shown yet, that still have cards of their own. */
  readonly cards: number;
  /** During a storm this many critical ones within a minute, or not shown yet, still have cards of their own. */
  readonly criticalCards: number;
  /** Without a new incident for this long it is over, in milliseconds. */
  readonly calmMs: number;
}

/** Counted together: new incidents of this stretch, in milliseconds. */
export const STORM_WINDOW_MS = 60_000;

/** What decides which incident is told first. */
export interface Weighty {
  readonly id: number;
  readonly severity: Severity;
  /** How many alerts it has. */
  readonly alerts: number;
  readonly startedAt: Date;
}

/** The heaviest first: the more severe, then the one with more alerts, then the older one. */
export const byWeight = (a: Weighty, b: Weighty): number =>
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  b.alerts - a.alerts ||
  a.startedAt.getTime() - b.startedAt.getTime() ||
  a.id - b.id;

/** Cards of new incidents in a chat, of the last minute and those that it does not show yet. */
export interface Recent {
  readonly total: number;
  readonly critical: number;
}

export interface Sorted<T> {
  /** Whether there is a storm now. */
  readonly isStorm: boolean;
  /** Have cards of their own, heaviest first. */
  readonly own: readonly T[];
  /** Are shown by the storm card alone. */
  readonly collected: readonly T[];
}

/**
 * Which of the newcomers of a chat have cards of their own. Below the threshold all of them; in a storm only the first
 * critical ones of each minute. Nobody is left out: `own` and `collected` together are the newcomers.
 */
export function sortNewcomers<T extends Weighty>(
  newcomers: readonly T[],
  recent: Recent,
  isRaging: boolean,
  policy: Pick<StormPolicy, 'cards' | 'criticalCards'>,
): Sorted<T> {
  const sorted = newcomers.toSorted(byWeight);
  const isFew = sorted.length === 0 || recent.total + sorted.length <= policy.cards;
  if (!isRaging && isFew) return { isStorm: false, own: sorted, collected: [] };
  let slots = isRaging ? 0 : Math.max(0, policy.cards - recent.total);
  let criticals = recent.critical;
  const own: T[] = [];
  const collected: T[] = [];
  for (const one of sorted) {
    const isCritical = one.severity === 'critical';
    const hasCard = slots > 0 || (isCritical && criticals < policy.criticalCards);
    (hasCard ? own : collected).push(one);
    if (!hasCard) continue;
    slots -= 1;
    if (isCritical) criticals += 1;
  }
  return { isStorm: true, own, collected };
}

export const isCalm = (lastAt: Date, now: Date, { calmMs }: Pick<StormPolicy, 'calmMs'>): boolean =>
  now.getTime() - lastAt.getTime() >= calmMs;

/**
 * How many collected incidents may get cards of their own now that it is calm. A few at a time, so that whatever is new
 * does not wait behind them; none while the chat takes nothing.
 */
export const releasable = (waiting: number, { cards }: Pick<StormPolicy, 'cards'>): number =>
  Math.max(0, Math.ceil(cards / 2) - waiting);

/** An incident of a storm, as far as it is counted. */
export interface StormIncident extends Weighty {
  readonly state: 'firing' | 'resolved';
  /** Alerts that the sender left out. */
  readonly truncated: number;
  readonly all: readonly { readonly status: 'firing' | 'resolved' | 'gone'; readonly labels: Labels }[];
}

export interface StormCount {
  readonly incidents: number;
  readonly firing: number;
  readonly alerts: number;
  readonly firingAlerts: number;
}

export interface StormCounts extends StormCount {
  readonly bySeverity: readonly (StormCount & { readonly severity: Severity })[];
}

/** Every incident is counted under one severity and every alert under one incident, so that the parts add up to the whole. */
export function countStorm(incidents: readonly StormIncident[]): StormCounts {
  const bySeverity = SEVERITIES.map((severity) => ({
    severity,
    ...countOf(incidents.filter((one) => one.severity === severity)),
  }));
  return { ...countOf(incidents), bySeverity: bySeverity.filter((one) => one.incidents > 0) };
}

function countOf(incidents: readonly StormIncident[]): StormCount {
  const burning = incidents.filter(({ state }) => state === 'firing');
  const sum = (of: readonly StormIncident[], count: (one: StormIncident) => number): number =>
    of.reduce((total, one) => total + count(one), 0);
  return {
    incidents: incidents.length,
    firing: burning.length,
    alerts: sum(incidents, ({ all, truncated }) => all.length + truncated),
    firingAlerts: sum(
      burning,
      ({ all, truncated }) => all.filter(({ status }) => status === 'firing').length + truncated,
    ),
  };
}

export interface SharedLabel {
  readonly name: string;
  readonly value: string;
  readonly alerts: number;
}

/** Says nothing about where it burns, or is said elsewhere. */
const UNTELLING = new Set(
  'severity priority level runbook runbook_url monitor prometheus replica __name__ receiver team env'.split(' '),
);
/** Less than this share of the alerts is no group worth naming. */
const WORTH = 0.1;

/**
 * The labels that group most of the alerts, the largest group first: at most one value of a name that nearly everything
 * shares, at most three of another. A group that is the same alerts as a named one is not named again.
 */
export function sharedLabels(incidents: readonly StormIncident[], max: number): SharedLabel[] {
  const groups = new Map<string, { name: string; value: string; members: Set<number> }>();
  let n = 0;
  for (const { all } of incidents) {
    for (const { labels } of all) {
      n += 1;
      for (const [name, value] of Object.entries(labels)) {
        if (UNTELLING.has(name) || value.trim() === '') continue;
        const key = `${name}\0${value}`;
        const group = groups.get(key) ?? { name, value, members: new Set<number>() };
        group.members.add(n);
        groups.set(key, group);
      }
    }
  }
  const found = [...groups.values()]
    .filter(({ members }) => members.size > 1 && members.size >= n * WORTH)
    .toSorted((a, b) => b.members.size - a.members.size || rank(a.name) - rank(b.name) || compare(a.value, b.value));
  const chosen: typeof found = [];
  for (const group of found) {
    if (chosen.length === max) break;
    const isSaid = chosen.some(
      ({ members }) => members.size === group.members.size && [...group.members].every((one) => members.has(one)),
    );
    if (!isSaid && chosen.filter(({ name }) => name === group.name).length < 3) chosen.push(group);
  }
  return chosen.map(({ name, value, members }) => ({ name, value, alerts: members.size }));
}

/** Of equal groups the most telling name stands for them. */
const TELLING = ['alertname', 'node', 'host', 'instance', 'service', 'guest', 'cluster', 'job'];
const rank = (name: string): number => (TELLING.includes(name) ? TELLING.indexOf(name) : TELLING.length);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
