import { createHash } from 'node:crypto';
import { z } from 'zod';
import { VakhtaError } from './error.ts';

/**
 * The body of an Alertmanager webhook, normalised. Source: prometheus.io/docs/alerting/latest/configuration/#webhook_config
 * and the recorded payloads of Alertmanager, Grafana and older senders, which leave out or add fields.
 */
export interface AlertGroup {
  /** Identity of the group; derived from the labels where the sender gives none. */
  readonly groupKey: string;
  /** As people named it: Alertmanager quotes it as a regular expression (`web\.hook`). */
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  /** How many alerts the sender left out (`max_alerts`). */
  readonly truncated: number;
  readonly groupLabels: Labels;
  readonly commonLabels: Labels;
  readonly commonAnnotations: Labels;
  readonly externalUrl: string;
  readonly alerts: readonly Alert[];
}

export type Labels = Readonly<Record<string, string>>;

export interface Alert {
  readonly fingerprint: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** ISO 8601. */
  readonly startsAt: string;
  /** ISO 8601; null while it fires. */
  readonly endsAt: string | null;
  readonly generatorUrl: string;
}

/** 4 is Alertmanager's own; 0, 1 and 3 come from Grafana and from older senders with the same shape. */
const VERSIONS = new Set(['0', '1', '3', '4']);

const text = z.union([z.string(), z.number(), z.boolean(), z.null()]).transform((value) => clean(String(value ?? '')));
const labels = z
  .record(z.string(), text)
  .nullish()
  .transform((value): Labels => value ?? {});
const status = z.enum(['firing', 'resolved']).optional().catch(undefined);
const payloadSchema = z.object({
  version: z.union([z.string(), z.number()]).optional(),
  groupKey: z.union([z.string(), z.number()]).nullish(),
  receiver: text.optional(),
  status,
  truncatedAlerts: z.coerce.number().int().nonnegative().optional().catch(0),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: labels,
  externalURL: text.optional(),
  alerts: z.array(
    z.object({
      status,
      labels,
      annotations: labels,
      startsAt: z.string().nullish(),
      endsAt: z.string().nullish(),
      generatorURL: text.optional(),
      fingerprint: z.string().nullish(),
    }),
  ),
});

/**
 * Parses a webhook body (the JSON text). Throws `usage`: `webhook-malformed` for what is not a payload, `webhook-version`
 * for a version that is not known. `now` stands in for start times that the sender left out.
 */
export function parseWebhook(body: string, now: Date): AlertGroup {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new VakhtaError('usage', 'webhook-malformed', 'webhook body is not JSON', { args: { why: 'JSON' }, cause });
  }
  const parsed = payloadSchema.safeParse(json);
  if (!parsed.success) {
    const why = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new VakhtaError('usage', 'webhook-malformed', `webhook body is not an alert group: ${why}`, {
      args: { why },
    });
  }
  const payload = parsed.data;
  const version = String(payload.version ?? '4');
  if (!VERSIONS.has(version)) {
    throw new VakhtaError('usage', 'webhook-version', `webhook version ${version} is not known`, { args: { version } });
  }
  const alerts = payload.alerts.map((alert): Alert => {
    const ended = instant(alert.endsAt);
    const own =
      alert.status ?? payload.status ?? (ended !== null && ended <= now.toISOString() ? 'resolved' : 'firing');
    return {
      fingerprint: alert.fingerprint ? clean(alert.fingerprint) : fingerprint(alert.labels),
      status: own,
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: instant(alert.startsAt) ?? now.toISOString(),
      endsAt: own === 'resolved' ? (ended ?? now.toISOString()) : null,
      generatorUrl: alert.generatorURL ?? '',
    };
  });
  const receiver = (payload.receiver ?? '').replace(/\\(.)/gu, '$1');
  const identity =
    Object.keys(payload.groupLabels).length > 0 ? payload.groupLabels : commonIdentity(payload.commonLabels, alerts);
  return {
    groupKey: payload.groupKey ? clean(String(payload.groupKey)) : `${receiver}:${fingerprint(identity)}`,
    receiver,
    status: payload.status ?? (alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved'),
    truncated: payload.truncatedAlerts ?? 0,
    groupLabels: payload.groupLabels,
    commonLabels: payload.commonLabels,
    commonAnnotations: payload.commonAnnotations,
    externalUrl: payload.externalURL ?? '',
    alerts,
  };
}

function commonIdentity(common: Labels, alerts: readonly Alert[]): Labels {
  return Object.keys(common).length > 0 ? common : (alerts[0]?.labels ?? {});
}

/** Alertmanager writes year 1 for "not ended". Anything that is no instant counts as absent. */
function instant(value: string | null | undefined): string | null {
  if (!value || value.startsWith('0001-')) return null;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** A stand-in for senders that give no fingerprint: the same labels give the same 16 hexadecimal digits. */
export function fingerprint(labelSet: Labels): string {
  const canonical = JSON.stringify(Object.entries(labelSet).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16);
}

/** PostgreSQL takes neither NUL nor lone surrogates in JSON; they become the replacement character. */
function clean(value: string): string {
  return value.replaceAll('\0', '\uFFFD').toWellFormed();
}
