import { z } from 'zod';
import type { AlertGroup, Labels } from './alertmanager.ts';

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
  const before: Readonly<Record<string, IncidentAlert>> = isNew || !known ? {} : known.data.alerts;
  const { alerts, events } = mergeAlerts(before, group, now);

  const firing = Object.values(alerts).filter((alert) => alert.status === 'firing');
  const state = firing.length > 0 ? 'firing' : 'resolved';
  const severity = firing.length > 0 ? worst(firing) : isNew || !known ? worst(Object.values(alerts)) : known.severity;
  const incident: Incident = {
    state,
    severity,
    title: titleOf(group, Object.values(alerts)),
    startedAt: isNew || !known ? earliest(Object.values(alerts), now) : known.startedAt,
    resolvedAt: state === 'firing' ? null : ((isNew || !known ? null : known.resolvedAt) ?? now),
    data: {
      receiver: group.receiver,
      groupLabels: group.groupLabels,
      commonLabels: group.commonLabels,
      commonAnnotations: group.commonAnnotations,
      externalUrl: group.externalUrl,
      truncated: group.truncated,
      alerts,
    },
  };

  const own: IncidentEvent[] = [];
  if (isNew || !known) own.push({ kind: 'opened' });
  else if (known.state === 'resolved' && state === 'firing') own.push({ kind: 'reopened' });
  if (known && !isNew && state === 'firing' && known.severity !== severity) {
    own.push({ kind: 'severity', from: known.severity, to: severity });
  }
  own.push(...events);
  if (state === 'resolved' && (isNew || known?.state !== 'resolved')) own.push({ kind: 'resolved' });
  const changed = own.length > 0 || known?.title !== incident.title || known.data.truncated !== group.truncated;
  return { incident, isNew, changed, events: own.length > 0 ? own : [{ kind: 'repeated' }] };
}

function isOver(known: Incident, now: Date, policy: IncidentPolicy): boolean {
  return known.resolvedAt !== null && now.getTime() - known.resolvedAt.getTime() > policy.reopenMs;
}

function mergeAlerts(before: Readonly<Record<string, IncidentAlert>>, group: AlertGroup, now: Date) {
  const alerts: Record<string, IncidentAlert> = { ...before };
  const events: IncidentEvent[] = [];
  const seen = new Set<string>();
  for (const alert of group.alerts) {
    seen.add(alert.fingerprint);
    const old = alerts[alert.fingerprint];
    // A copy that was overtaken by a later firing of the same alert says nothing new.
    if (old && alert.startsAt < old.startsAt) continue;
    const repeatedEnd = old?.status === 'resolved' && alert.status === 'resolved' && old.startsAt === alert.startsAt;
    alerts[alert.fingerprint] = {
      ...alert,
      endsAt: repeatedEnd ? old.endsAt : alert.endsAt,
      lastSeen: now.toISOString(),
    };
    if (old?.status !== alert.status) {
      events.push({
        kind: alert.status === 'firing' ? 'alert-fired' : 'alert-resolved',
        fingerprint: alert.fingerprint,
      });
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

const WORDS: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  crit: 'critical',
  page: 'critical',
  emergency: 'critical',
  fatal: 'critical',
  error: 'critical',
  high: 'critical',
  disaster: 'critical',
  warning: 'warning',
  warn: 'warning',
  major: 'warning',
  minor: 'warning',
  average: 'warning',
  medium: 'warning',
  info: 'info',
  information: 'info',
  informational: 'info',
  low: 'info',
  none: 'info',
  notice: 'info',
  debug: 'info',
};

/** The `severity` label in our three steps. An absent or unknown word is a warning: never quieter by accident. */
export function severityOf(labels: Labels): Severity {
  return WORDS[(labels['severity'] ?? labels['priority'] ?? '').toLowerCase()] ?? 'warning';
}

function worst(alerts: readonly IncidentAlert[]): Severity {
  const all = new Set(alerts.map((alert) => severityOf(alert.labels)));
  return SEVERITIES.find((severity) => all.has(severity)) ?? 'warning';
}

function earliest(alerts: readonly IncidentAlert[], now: Date): Date {
  const starts = alerts.map((alert) => Date.parse(alert.startsAt)).filter((at) => at <= now.getTime());
  return starts.length > 0 ? new Date(Math.min(...starts)) : now;
}

/** One sentence: what all alerts share, else the name of the alert, else what the group is grouped by. */
function titleOf(group: AlertGroup, alerts: readonly IncidentAlert[]): string {
  const notes = group.commonAnnotations;
  const only = alerts.length === 1 ? alerts[0] : undefined;
  const sentence =
    notes['summary'] ??
    notes['title'] ??
    notes['message'] ??
    only?.annotations['summary'] ??
    only?.annotations['title'];
  const name = group.commonLabels['alertname'] ?? group.groupLabels['alertname'] ?? only?.labels['alertname'];
  const names = [...new Set(alerts.map((alert) => alert.labels['alertname']).filter((n) => n !== undefined))];
  const grouped = Object.entries(group.groupLabels).map(([key, value]) => `${key}=${value}`);
  const found = [sentence, name, names.slice(0, 3).join(', '), grouped.join(' '), group.receiver, group.groupKey]
    .map((candidate) => candidate?.replace(/\s+/gu, ' ').trim())
    .find((candidate) => candidate !== undefined && candidate !== '');
  return firstPart(found ?? 'alert', 200);
}

/** At most `limit` code points; the whole text stays in the alert's annotations. */
function firstPart(text: string, limit: number): string {
  const points = [...text];
  return points.length <= limit ? text : `${points.slice(0, limit - 1).join('')}…`;
}
