import { createHash } from 'node:crypto';
import { z } from 'zod';
import { VakhtaError } from './error.ts';
import { cleanText as clean } from './json.ts';

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
  /** Grows with each webhook in the order in which they came; absent for what came another way. */
  readonly seq?: number;
}

export type Labels = Readonly<Record<string, string>>;

export interface Alert {
  /** Identity within the group; made of the labels where the sender gives none that can be used. */
  readonly fingerprint: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** ISO 8601; null when the sender does not say. */
  readonly startsAt: string | null;
  /** ISO 8601; null while it fires, and when the sender does not say. */
  readonly endsAt: string | null;
  readonly generatorUrl: string;
  /** What the sender says beyond the format (Grafana: `dashboardURL`, `silenceURL`, `values` …); empty fields are left out. */
  readonly extra: Labels;
}

/** 4 is Alertmanager's own; 0, 1 and 3 come from Grafana and from older senders with the same shape (docs/adr/0004). */
const VERSIONS = new Set(['0', '1', '3', '4']);
/** A key longer than this does not fit into an index of PostgreSQL; `group_by: [...]` puts every label into it. */
const MAX_KEY = 500;
const MAX_ISSUES = 5;

/** Anything as text; null as empty. Nothing that can be shown is a reason to refuse an alert. */
function asText(value: unknown): string {
  if (typeof value === 'string') return clean(value);
  return value === null || value === undefined ? '' : clean(JSON.stringify(value));
}
const text = z.unknown().optional().transform(asText);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const labels = z
  .custom<Readonly<Record<string, unknown>>>(isRecord, 'expected an object')
  .nullish()
  .transform((value): Labels => texts(value ?? {}));
const status = z.enum(['firing', 'resolved']).optional().catch(undefined);
const KNOWN = new Set(['status', 'labels', 'annotations', 'startsAt', 'endsAt', 'generatorURL', 'fingerprint']);
const NO_LABELS: Labels = {};
const payloadSchema = z.object({
  version: z.union([z.string(), z.number()]).nullish(),
  groupKey: z.union([z.string(), z.number()]).nullish(),
  receiver: text,
  status,
  truncatedAlerts: z.coerce.number().int().nonnegative().optional().catch(0),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: labels,
  externalURL: text,
  alerts: z
    .array(
      z.looseObject({
        status,
        labels,
        annotations: labels,
        startsAt: z.unknown().optional(),
        endsAt: z.unknown().optional(),
        generatorURL: text,
        fingerprint: z.unknown().optional(),
      }),
    )
    // A group without alerts says nothing, and must not look like the end of those that fire.
    .min(1),
});
type Payload = z.output<typeof payloadSchema>;

const isStatus = (value: unknown): value is 'firing' | 'resolved' => value === 'firing' || value === 'resolved';
const isLabels = (value: unknown): value is Readonly<Record<string, unknown>> | null | undefined =>
  value === undefined || value === null || isRecord(value);
const isNameOrNumber = (value: unknown): value is string | number | null | undefined =>
  value === undefined || value === null || typeof value === 'string' || typeof value === 'number';

/**
 * What `payloadSchema` makes of a payload, read by hand: every webhook is read twice, before it is answered and when it is
 * applied. `undefined` for anything that the schema refuses, which then says why. A test holds the two together.
 */
export function readPayload(json: unknown): Payload | undefined {
  if (!isRecord(json)) return undefined;
  const { version, groupKey, groupLabels, commonLabels, commonAnnotations, alerts } = json;
  if (!isNameOrNumber(version) || !isNameOrNumber(groupKey)) return undefined;
  if (!isLabels(groupLabels) || !isLabels(commonLabels) || !isLabels(commonAnnotations)) return undefined;
  if (!Array.isArray(alerts) || alerts.length === 0) return undefined;
  const read: Payload['alerts'] = [];
  for (const alert of alerts as readonly unknown[]) {
    if (!isRecord(alert) || !isLabels(alert['labels']) || !isLabels(alert['annotations'])) return undefined;
    read.push({
      ...alert,
      status: isStatus(alert['status']) ? alert['status'] : undefined,
      labels: texts(alert['labels'] ?? {}),
      annotations: texts(alert['annotations'] ?? {}),
      generatorURL: asText(alert['generatorURL']),
    });
  }
  const truncated = json['truncatedAlerts'] === undefined ? 0 : Number(json['truncatedAlerts']);
  return {
    version,
    groupKey,
    receiver: asText(json['receiver']),
    status: isStatus(json['status']) ? json['status'] : undefined,
    truncatedAlerts: Number.isSafeInteger(truncated) && truncated >= 0 ? truncated : 0,
    groupLabels: texts(groupLabels ?? {}),
    commonLabels: texts(commonLabels ?? {}),
    commonAnnotations: texts(commonAnnotations ?? {}),
    externalURL: asText(json['externalURL']),
    alerts: read,
  };
}

/** By the schema: the same payload, or a refusal that says why. */
export function payloadBySchema(json: unknown): Payload {
  const parsed = payloadSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, MAX_ISSUES);
  const why = issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
  throw new VakhtaError('usage', 'webhook-malformed', `webhook body is not an alert group: ${why}`, { args: { why } });
}

/**
 * Parses a webhook body (the JSON text). Throws `usage`: `webhook-malformed` for what is not a payload, `webhook-version`
 * for a version that is not known. `now` decides whether an alert without a status is over.
 */
export function parseWebhook(body: string, now: Date): AlertGroup {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new VakhtaError('usage', 'webhook-malformed', 'webhook body is not JSON', { args: { why: 'JSON' }, cause });
  }
  const version = versionOf(json);
  if (version !== undefined && !VERSIONS.has(version)) {
    throw new VakhtaError('usage', 'webhook-version', `webhook version ${version} is not known`, { args: { version } });
  }
  const payload = readPayload(json) ?? payloadBySchema(json);
  const alerts = withIdentity(payload.alerts.map((alert) => alertOf(alert, payload.status, now)));
  // Alertmanager quotes the receiver's name as a regular expression.
  const receiver = payload.receiver.replace(/\\(.)/gu, '$1');
  return {
    groupKey: groupKeyOf(payload, receiver, alerts),
    receiver,
    status: payload.status ?? (alerts.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved'),
    truncated: payload.truncatedAlerts ?? 0,
    groupLabels: payload.groupLabels,
    commonLabels: payload.commonLabels,
    commonAnnotations: payload.commonAnnotations,
    externalUrl: payload.externalURL,
    alerts,
  };
}

/** Looked at before the rest, since another version may have another shape. Absent or null counts as 4. */
function versionOf(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null || !('version' in json)) return undefined;
  const { version } = json;
  return typeof version === 'string' || typeof version === 'number' ? clean(String(version)).slice(0, 40) : undefined;
}

function alertOf(alert: Payload['alerts'][number], group: Alert['status'] | undefined, now: Date): Alert {
  const ended = instant(alert.endsAt);
  const over = ended !== null && Date.parse(ended) <= now.getTime();
  const own = alert.status ?? group ?? (over ? 'resolved' : 'firing');
  const given = typeof alert.fingerprint === 'string' ? alert.fingerprint : '';
  return {
    fingerprint: isKey(given) ? given : fingerprint(alert.labels),
    status: own,
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: instant(alert.startsAt),
    endsAt: own === 'resolved' ? ended : null,
    generatorUrl: alert.generatorURL,
    extra: extraOf(alert),
  };
}

function extraOf(alert: Payload['alerts'][number]): Labels {
  const extra = Object.entries(alert).filter(([name, value]) => !KNOWN.has(name) && asText(value) !== '');
  return extra.length === 0 ? NO_LABELS : texts(Object.fromEntries(extra));
}

/** Fit to be a key of an object: no name that every object has. */
const isKey = (text: string): boolean => /^[0-9A-Za-z][\w.:-]{0,63}$/u.test(text) && !(text in {});

/** Some senders give different alerts one fingerprint, or repeat a set of labels; each of them stays an alert of its own. */
function withIdentity(alerts: readonly Alert[]): Alert[] {
  const found = new Map<string, Alert>();
  for (const alert of alerts) {
    let own = alert.fingerprint;
    for (let n = 2; found.has(own) && !isSame(found.get(own), alert); n++) {
      const other = found.get(alert.fingerprint)?.labels;
      const isOtherLabels = other !== undefined && fingerprint(other) !== fingerprint(alert.labels);
      own = isOtherLabels && n === 2 ? fingerprint(alert.labels) : `${fingerprint(alert.labels)}-${n}`;
    }
    found.set(own, { ...alert, fingerprint: own });
  }
  return [...found.values()];
}

const isSame = (a: Alert | undefined, b: Alert): boolean =>
  JSON.stringify({ ...a, fingerprint: '' }) === JSON.stringify({ ...b, fingerprint: '' });

function groupKeyOf(payload: Payload, receiver: string, alerts: readonly Alert[]): string {
  const given = clean(String(payload.groupKey ?? ''));
  if (given === '') return `${receiver.slice(0, 100)}:${fingerprint(identityOf(payload, alerts))}`;
  if (given.length <= MAX_KEY) return given;
  return `${given.slice(0, 200).toWellFormed()}…${createHash('sha256').update(given).digest('hex')}`;
}

/** What a group without a key is known by. */
function identityOf({ groupLabels, commonLabels }: Payload, alerts: readonly Alert[]): Labels {
  if (Object.keys(groupLabels).length > 0) return groupLabels;
  if (Object.keys(commonLabels).length > 0) return commonLabels;
  return alerts[0]?.labels ?? {};
}

/** Years that no sender means: Go's zero time is year 1, and PostgreSQL and string order end where JavaScript goes on. */
const EARLIEST = Date.UTC(1971, 0);
const LATEST = Date.UTC(3000, 0);

/** Alertmanager writes year 1 for "not ended". Anything that is no instant counts as absent. */
function instant(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const at = Date.parse(value);
  return at >= EARLIEST && at < LATEST ? new Date(at).toISOString() : null;
}

function texts(values: Readonly<Record<string, unknown>>): Labels {
  const all: Record<string, string> = {};
  for (const name of Object.keys(values)) all[keepable(name)] = asText(values[name]);
  return all;
}

/** A name under which an object of JavaScript really holds a value: `__proto__` comes back from nowhere. */
const keepable = (name: string): string => (name === '__proto__' ? '(__proto__)' : clean(name));

/** A stand-in for senders that give no fingerprint: the same labels give the same 16 hexadecimal digits. */
export function fingerprint(labelSet: Labels): string {
  const canonical = JSON.stringify(Object.entries(labelSet).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16);
}
