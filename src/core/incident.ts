import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Alert, AlertGroup, Labels } from './alertmanager.ts';

/** Most severe first. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

const labels = z.record(z.string(), z.string());

const incidentAlert = z.object({
  fingerprint: z.string(),
  /** `gone`: no longer reported, though its end was never said (silenced or inhibited). */
  status: z.enum(['firing', 'resolved', 'gone']),
  labels,
  annotations: labels,
  startsAt: z.string(),
  endsAt: z.string().nullable(),
  generatorUrl: z.string(),
  /** Fields of the sender beyond the format. */
  extra: labels.default({}),
  lastSeen: z.string(),
});
/** An alert within an incident. */
export type IncidentAlert = Readonly<z.output<typeof incidentAlert>>;

/** What the reducer keeps of a group from its first firing to its end. Stored as JSON. */
export const incidentData = z.object({
  receiver: z.string(),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: labels,
  externalUrl: z.string(),
  /** How many alerts the sender left out. */
  truncated: z.number(),
  /** By fingerprint. */
  alerts: z.record(z.string(), incidentAlert),
  /** `seq` of the last webhook that was applied; 0 when none had one. */
  seq: z.number().default(0),
});
export type IncidentData = Readonly<z.output<typeof incidentData>>;

export interface Incident {
  readonly state: 'firing' | 'resolved';
  readonly severity: Severity;
  readonly title: string;
  readonly startedAt: Date;
  readonly resolvedAt: Date | null;
  readonly data: IncidentData;
}

export type IncidentEvent =
  | { readonly kind: 'opened' | 'resolved' | 'reopened' }
  | { readonly kind: 'alert-fired' | 'alert-resolved' | 'alert-gone'; readonly fingerprint: string }
  | { readonly kind: 'severity'; readonly from: Severity; readonly to: Severity }
  | { readonly kind: 'repeated' };

export interface Reduction {
  readonly incident: Incident;
  /** A new episode: the row before it, if any, is history. */
  readonly isNew: boolean;
  /** Whether people would see a difference. */
  readonly changed: boolean;
  readonly events: readonly IncidentEvent[];
}

export interface IncidentPolicy {
  /** A group that fires again within this time after its end is the same incident (flapping), in milliseconds. */
  readonly reopenMs: number;
}

/**
 * Whether a newer webhook of the group was applied before this one. One that its sender gave up, while its commit was held up by a slow
 * disk, comes to light after the next one, which told all of the group as it was by then.
 */
export const isOutdated = (known: Incident | undefined, { seq }: AlertGroup): boolean =>
  seq !== undefined && known !== undefined && seq <= known.data.seq;

/**
 * One webhook applied to what is known of its group. Pure; idempotent for a payload that is delivered again.
 * Acts on each alert's own status and fingerprint: a payload with status `firing` may carry resolved ones.
 */
export function reduceGroup(
  known: Incident | undefined,
  group: AlertGroup,
  now: Date,
  policy: IncidentPolicy,
): Reduction {
  const anyFiring = group.alerts.some((alert) => alert.status === 'firing');
  const isNew = known === undefined || (anyFiring && isOver(known, now, policy));
  const before = isNew ? undefined : known;
  const { alerts, events } = mergeAlerts(before?.data.alerts ?? {}, group, now);
  const all = Object.values(alerts);
  const firing = all.filter((alert) => alert.status === 'firing');
  // Alerts that the sender left out may still fire: nothing is over because it was not named.
  const hidden = group.truncated > 0 && before?.state !== 'resolved';
  const state = firing.length > 0 || hidden ? 'firing' : 'resolved';
  const incident: Incident = {
    state,
    severity:
      firing.length > 0 || !before ? worst(firing.length > 0 ? firing : all, group.commonLabels) : before.severity,
    title: titleOf(group, all),
    startedAt: before ? before.startedAt : earliest(all, now),
    resolvedAt: state === 'firing' ? null : (before?.resolvedAt ?? endOf(all, now)),
    data: {
      receiver: group.receiver,
      groupLabels: group.groupLabels,
      commonLabels: group.commonLabels,
      commonAnnotations: group.commonAnnotations,
      externalUrl: group.externalUrl,
      truncated: group.truncated,
      alerts,
      seq: group.seq ?? known?.data.seq ?? 0,
    },
  };
  const history = [...ownEvents(before, incident), ...events, ...endEvents(before, incident)];
  const changed = history.length > 0 || !before || !looksSame(before, incident);
  return { incident, isNew, changed, events: history.length > 0 ? history : [{ kind: 'repeated' }] };
}

/**
 * What Alertmanager itself says of an incident, for ends that no webhook tells: an alert that ends while it is silenced
 * or inhibited, or beyond `max_alerts`. `active` holds the fingerprints of all alerts it has, muted ones too;
 * `anyInGroup` whether one of those belongs to the group. `undefined` when nothing changes.
 */
export function reduceAbsence(
  known: Incident,
  active: ReadonlySet<string>,
  anyInGroup: boolean,
  now: Date,
): Reduction | undefined {
  const alerts: Record<string, IncidentAlert> = {};
  const ended: IncidentEvent[] = [];
  for (const [fingerprint, alert] of Object.entries(known.data.alerts)) {
    const isOver = alert.status !== 'resolved' && !active.has(fingerprint);
    alerts[fingerprint] = isOver ? { ...alert, status: 'resolved', endsAt: now.toISOString() } : alert;
    if (isOver) ended.push({ kind: 'alert-resolved', fingerprint });
  }
  const truncated = anyInGroup ? known.data.truncated : 0;
  if (ended.length === 0 && truncated === known.data.truncated) return undefined;
  const firing = Object.values(alerts).filter((alert) => alert.status === 'firing');
  const state = known.state === 'firing' && (firing.length > 0 || truncated > 0) ? 'firing' : 'resolved';
  const incident: Incident = {
    ...known,
    state,
    severity: firing.length > 0 ? worst(firing, known.data.commonLabels) : known.severity,
    resolvedAt: state === 'firing' ? null : (known.resolvedAt ?? now),
    data: { ...known.data, truncated, alerts },
  };
  const events = [...ownEvents(known, incident), ...ended, ...endEvents(known, incident)];
  return { incident, isNew: false, changed: true, events };
}

function ownEvents(before: Incident | undefined, { state, severity }: Incident): IncidentEvent[] {
  if (!before) return [{ kind: 'opened' }];
  const events: IncidentEvent[] = [];
  if (before.state === 'resolved' && state === 'firing') events.push({ kind: 'reopened' });
  if (state === 'firing' && before.severity !== severity) {
    events.push({ kind: 'severity', from: before.severity, to: severity });
  }
  return events;
}

const endEvents = (before: Incident | undefined, { state }: Incident): IncidentEvent[] =>
  state === 'resolved' && before?.state !== 'resolved' ? [{ kind: 'resolved' }] : [];

/** Whether people would see no difference: all but when an alert was last seen, and by which webhook. The order of labels says nothing. */
function looksSame(a: Incident, b: Incident): boolean {
  const seen = ({ state, severity, title, data }: Incident) => ({
    state,
    severity,
    title,
    data: {
      ...data,
      seq: 0,
      alerts: Object.values(data.alerts)
        .map((alert) => ({ ...alert, lastSeen: '' }))
        .toSorted(byFingerprint),
    },
  });
  return isDeepStrictEqual(seen(a), seen(b));
}

const byFingerprint = (a: IncidentAlert, b: IncidentAlert): number => (a.fingerprint < b.fingerprint ? -1 : 1);

function isOver(known: Incident, now: Date, policy: IncidentPolicy): boolean {
  return known.resolvedAt !== null && now.getTime() - known.resolvedAt.getTime() > policy.reopenMs;
}

function mergeAlerts(before: Readonly<Record<string, IncidentAlert>>, group: AlertGroup, now: Date) {
  const alerts: Record<string, IncidentAlert> = { ...before };
  const events: IncidentEvent[] = [];
  const seen = new Set<string>();
  const lastSeen = now.toISOString();
  for (const alert of group.alerts) {
    const { fingerprint } = alert;
    seen.add(fingerprint);
    const old = alerts[fingerprint];
    if (old && isOvertaken(alert, old)) continue;
    const goesOn = old !== undefined && (alert.status === 'resolved' || old.status !== 'resolved');
    const startsAt = alert.startsAt ?? (goesOn ? old.startsAt : lastSeen);
    const repeatedEnd = old?.status === 'resolved' && alert.status === 'resolved' && old.startsAt === startsAt;
    const endsAt = repeatedEnd ? old.endsAt : (alert.endsAt ?? lastSeen);
    alerts[fingerprint] = {
      ...alert,
      startsAt,
      endsAt: alert.status === 'firing' ? null : endsAt,
      lastSeen,
    };
    if (old?.status !== alert.status) {
      events.push({ kind: alert.status === 'firing' ? 'alert-fired' : 'alert-resolved', fingerprint });
    }
  }
  // The sender names all alerts of the group that are not muted; one that is missing was muted, and its end may never be said.
  if (group.truncated === 0) {
    for (const [fingerprint, alert] of Object.entries(alerts)) {
      if (alert.status !== 'firing' || seen.has(fingerprint)) continue;
      alerts[fingerprint] = { ...alert, status: 'gone' };
      events.push({ kind: 'alert-gone', fingerprint });
    }
  }
  return { alerts, events };
}

/**
 * A copy that a later firing of the same alert has overtaken says nothing new. An earlier start alone does not make one:
 * Alertmanager moves the start back when a second Prometheus reports the same alert.
 */
function isOvertaken(alert: Alert, old: IncidentAlert): boolean {
  if (alert.startsAt === null || alert.startsAt >= old.startsAt) return false;
  if (alert.status === 'resolved') return alert.endsAt !== null && alert.endsAt <= old.startsAt;
  return old.status === 'resolved';
}

const words = (severity: Severity, list: string): [string, Severity][] =>
  list.split(' ').map((word) => [word, severity]);

const WORDS: ReadonlyMap<string, Severity> = new Map([
  ...words('critical', 'critical crit page emergency emerg fatal error high disaster severe urgent'),
  ...words('warning', 'warning warn major minor average medium moderate'),
  ...words('info', 'info information informational low none notice debug ok normal'),
]);

/** The `severity` label in our three steps. An absent or unknown word is a warning: never quieter by accident. */
export function severityOf(labels: Labels): Severity {
  const word = labels['severity'] || labels['priority'] || labels['level'] || '';
  return WORDS.get(word.trim().toLowerCase()) ?? 'warning';
}

function worst(alerts: readonly IncidentAlert[], common: Labels): Severity {
  const all = new Set(alerts.map((alert) => severityOf({ ...common, ...alert.labels })));
  return SEVERITIES.find((severity) => all.has(severity)) ?? 'warning';
}

function earliest(alerts: readonly IncidentAlert[], now: Date): Date {
  const starts = alerts.map((alert) => Date.parse(alert.startsAt)).filter((at) => at <= now.getTime());
  return starts.length > 0 ? new Date(Math.min(...starts)) : now;
}

/** When the last alert ended; now where nobody said so. */
function endOf(alerts: readonly IncidentAlert[], now: Date): Date {
  const ends = alerts.map(({ status, endsAt }) =>
    status === 'resolved' && endsAt ? Date.parse(endsAt) : now.getTime(),
  );
  return new Date(Math.min(now.getTime(), Math.max(...ends)));
}

/** What all of them have alike; the empty set for none. */
export function shared(all: readonly Labels[]): Labels {
  const [first, ...rest] = all;
  if (!first) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => rest.every((labels) => labels[name] === value)),
  );
}

/** Annotations that hold one sentence, the best first. */
const SENTENCES = ['summary', 'title', 'message'] as const;

/** The sentence that says what an alert is about. */
export const sentenceOf = (annotations: Labels): string | undefined =>
  SENTENCES.map((name) => annotations[name]?.trim()).find((value) => value);

const TITLE_MAX = 200;
const TITLE_NAMES = 3;

/**
 * One sentence: what all alerts of the incident share, else the name of the alert, else what the group is grouped by. From
 * all alerts, so that the title does not change when one of them ends.
 */
function titleOf(group: AlertGroup, alerts: readonly IncidentAlert[]): string {
  const sentence = sentenceOf(shared(alerts.map((alert) => alert.annotations)));
  // Some senders call common what is one alert's alone.
  const isOwn = alerts.some((alert) => sentenceOf(alert.annotations) !== undefined);
  const stated = isOwn ? undefined : sentenceOf(group.commonAnnotations);
  const names = [...new Set(alerts.map((alert) => alert.labels['alertname']?.trim()).filter((name) => name))];
  const name =
    names.slice(0, TITLE_NAMES).join(', ') + (names.length > TITLE_NAMES ? ` +${names.length - TITLE_NAMES}` : '');
  const grouped = Object.entries(group.groupLabels).map(([key, value]) => `${key}=${value}`);
  const given = group.groupLabels['alertname'] ?? group.commonLabels['alertname'];
  const found = [sentence, stated, name, given, grouped.join(' '), group.receiver, group.groupKey]
    .map((candidate) => candidate?.replace(/\s+/gu, ' ').trim())
    .find((candidate) => candidate !== undefined && candidate !== '');
  return incidentTitle(found ?? 'alert');
}

/** A sentence as a title: one line, and not too long. */
export const incidentTitle = (sentence: string): string => firstPart(sentence.replace(/\s+/gu, ' ').trim(), TITLE_MAX);

/** At most `limit` code points; the whole text stays in the alert's annotations. */
function firstPart(text: string, limit: number): string {
  const points = Array.from(text);
  return points.length <= limit ? text : `${points.slice(0, limit - 1).join('')}…`;
}
