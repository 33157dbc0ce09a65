import { randomUUID } from 'node:crypto';
import { WEBHOOK_TOKEN } from './world.ts';

export type Level = 'critical' | 'warning' | 'info';

/** One group of alerts as a rule would make it: its members come and go, and each payload carries all of them. */
export interface Group {
  /** `unit-017`: stands in the title, and nowhere else. */
  readonly name: string;
  readonly key: string;
  readonly team: string;
  level: Level;
  /** Counts what was told; stands in the description. */
  version: number;
  readonly members: { readonly disk: string; readonly startsAt: string; endsAt?: string }[];
}

export function group(n: number, team: string, level: Level): Group {
  const name = `unit-${String(n).padStart(3, '0')}`;
  return {
    name,
    key: `{}/{team="${team}"}:{alertname="DiskFull", instance="${name}"}`,
    team,
    level,
    version: 1,
    members: [{ disk: 'sda', startsAt: new Date().toISOString() }],
  };
}

/** The body that Alertmanager (version 4) posts for the group as it is now. */
export function payload(of: Group): Record<string, unknown> {
  const common = { alertname: 'DiskFull', instance: of.name, severity: of.level, team: of.team };
  const annotations = { summary: `Disk full on ${of.name}`, description: `told ${of.version} of ${of.name}.` };
  const alerts = of.members.map(({ disk, startsAt, endsAt }, n) => ({
    status: endsAt === undefined ? 'firing' : 'resolved',
    labels: { ...common, disk },
    annotations,
    startsAt,
    endsAt: endsAt ?? '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: `${of.name}-${n}`.padEnd(16, '0'),
  }));
  return {
    version: '4',
    groupKey: of.key,
    receiver: 'vakhta',
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    truncatedAlerts: 0,
    groupLabels: { alertname: 'DiskFull', instance: of.name },
    commonLabels: common,
    commonAnnotations: annotations,
    externalURL: '',
    alerts,
  };
}

/** What was answered 200: the sender never tells it again. */
export interface Accepted {
  readonly version: number;
  readonly firing: number;
  readonly level: Level;
}

export interface AlertSender {
  /** Tells the group as it is now; resolves when it was accepted, or when a newer telling took its place. */
  tell(of: Group): void;
  readonly accepted: ReadonlyMap<string, Accepted>;
  readonly sent: { requests: number; accepted: number; unavailable: number; broken: number };
  /** Each request about a group: when it began and ended, what it told, what became of it. */
  readonly requests: ReadonlyMap<string, readonly string[]>;
  /** Resolves when everything told was accepted. */
  idle(): Promise<void>;
}

const RETRY_MS = [100, 200, 400, 800];
const TIMEOUT_MS = 10_000;

/**
 * Posts as Alertmanager does: one notification of a group at a time, 5xx and lost connections again after a growing pause (here
 * shorter), anything else given up at once. A 200 is final: what it told is never repeated.
 */
export function createSender(url: string): AlertSender {
  const accepted = new Map<string, Accepted>();
  const waiting = new Map<string, { of: Group; body: string; says: Accepted }>();
  const running = new Map<string, Promise<void>>();
  const sent = { requests: 0, accepted: 0, unavailable: 0, broken: 0 };
  const requests = new Map<string, string[]>();
  let refused: Error | undefined;

  const note = (name: string, version: number, began: Date, how: string): void => {
    const all = requests.get(name) ?? [];
    all.push(`${began.toISOString().slice(14, 23)}-${new Date().toISOString().slice(14, 23)} told ${version}: ${how}`);
    requests.set(name, all);
  };

  const post = async (body: string, { name }: Group, { version }: Accepted): Promise<boolean> => {
    const began = new Date();
    sent.requests += 1;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${WEBHOOK_TOKEN}`,
          'user-agent': 'Alertmanager/0.28.1',
          'x-request-id': randomUUID(),
        },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      note(name, version, began, String(response.status));
      if (response.status === 200) {
        sent.accepted += 1;
        return true;
      }
      if (response.status < 500) refused ??= new Error(`refused: ${response.status} ${text}`);
      sent.unavailable += 1;
      return response.status < 500;
    } catch (error) {
      // Nobody listens most of the time that a program is away: that tells nothing.
      const why = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : '';
      if (!why.includes('ECONNREFUSED')) note(name, version, began, why);
      sent.broken += 1;
      return false;
    }
  };

  const work = async (key: string): Promise<void> => {
    let failures = 0;
    for (let next = waiting.get(key); next; next = waiting.get(key)) {
      const { body, says } = next;
      if (await post(body, next.of, says)) {
        failures = 0;
        accepted.set(next.of.name, says);
        if (waiting.get(key)?.body === body) waiting.delete(key);
        continue;
      }
      // A newer state of the group takes the place of the one that did not get through.
      const pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0;
      failures += 1;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    running.delete(key);
  };

  return {
    tell: (of) => {
      const firing = of.members.filter(({ endsAt }) => endsAt === undefined).length;
      const says = { version: of.version, firing, level: of.level };
      waiting.set(of.key, { of, body: JSON.stringify(payload(of)), says });
      if (!running.has(of.key)) running.set(of.key, work(of.key));
    },
    accepted,
    sent,
    requests,
    idle: async () => {
      while (running.size > 0) await Promise.all(running.values());
      if (refused) throw refused;
    },
  };
}
