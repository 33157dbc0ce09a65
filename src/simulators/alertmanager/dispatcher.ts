import type { Clock } from '../../core/clock.ts';
import { common, goJson, groupOf, type Labels } from './labels.ts';
import type { State, StoredAlert } from './state.ts';

export interface RouteSettings {
  readonly receiver: string;
  /** Label names, or `...` for all. */
  readonly groupBy: readonly string[];
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** 0: no limit. */
  readonly maxAlerts: number;
  readonly webhook: { readonly url: string; readonly token?: string };
}

/** One attempt to deliver, as the receiver answered it; status 0 means that nobody answered. */
export interface Delivery {
  readonly at: Date;
  readonly groupKey: string;
  readonly status: number;
  readonly body: string;
}

interface Group {
  readonly key: string;
  readonly labels: Labels;
  readonly fingerprints: Set<string>;
  /** What was delivered last (Alertmanager's notification log). */
  sent?: { firing: Set<string>; resolved: Set<string>; at: Date };
  cancel: () => void;
  busy: boolean;
  due: boolean;
}

/** Groups alerts and sends webhooks (alertmanager 0.25: dispatch/dispatch.go, notify/notify.go DedupStage and RetryStage). */
export function createDispatcher(
  settings: RouteSettings,
  state: State,
  edges: { readonly clock: Clock; readonly fetch: typeof fetch; readonly externalUrl: () => string },
) {
  const { clock } = edges;
  const groups = new Map<string, Group>();
  const deliveries: Delivery[] = [];
  const stopped = new AbortController();

  const add = (alert: StoredAlert): void => {
    const { key, labels } = groupOf(alert.labels, settings.groupBy);
    let group = groups.get(key);
    if (group === undefined) {
      group = { key, labels, fingerprints: new Set(), cancel: () => undefined, busy: false, due: false };
      groups.set(key, group);
      // An alert that is older than group_wait does not wait again.
      const waited = clock.now().getTime() - alert.startsAt.getTime() > settings.groupWaitMs;
      schedule(group, waited ? 0 : settings.groupWaitMs);
    }
    group.fingerprints.add(alert.fingerprint);
  };

  const schedule = (group: Group, ms: number): void => {
    group.cancel = clock.after(ms, () => {
      schedule(group, settings.groupIntervalMs);
      void tick(group);
    });
  };

  /** One flush of a group at a time: while one retries, the next waits for it. */
  const tick = async (group: Group): Promise<void> => {
    if (group.busy) {
      group.due = true;
      return;
    }
    group.busy = true;
    do {
      group.due = false;
      await flush(group);
    } while (group.due && !stopped.signal.aborted);
    group.busy = false;
  };

  const flush = async (group: Group): Promise<void> => {
    const all = [...group.fingerprints].flatMap((print) => state.alerts.get(print) ?? []);
    const resolvedNow = all.filter((alert) => !state.firing(alert));
    const updated = new Map(resolvedNow.map((alert) => [alert.fingerprint, alert.updatedAt]));
    const heard = all.filter((alert) => state.silencedBy(alert).length === 0);
    if (!(await notify(group, heard))) return;
    // What resolved while silenced goes here too, and nobody is ever told.
    for (const [print, at] of updated) {
      const alert = state.alerts.get(print);
      if (alert === undefined || (alert.updatedAt === at && !state.firing(alert))) {
        group.fingerprints.delete(print);
        state.alerts.delete(print);
      }
    }
    if (group.fingerprints.size === 0) {
      group.cancel();
      groups.delete(group.key);
    }
  };

  /** True when delivered, or when there was nothing to deliver. */
  const notify = async (group: Group, alerts: readonly StoredAlert[]): Promise<boolean> => {
    const split = (firing: boolean) =>
      new Set(alerts.filter((alert) => state.firing(alert) === firing).map((alert) => alert.fingerprint));
    // Where the silences leave nothing, the pipeline ends before it decides anything (notify.go, MultiStage).
    if (alerts.length === 0) return true;
    const [firing, resolved] = [split(true), split(false)];
    if (!needed(group, firing, resolved)) return true;
    const body = goJson(payload(group, alerts));
    const deadline = clock.now().getTime() + Math.max(settings.groupIntervalMs, 10_000);
    for (let wait = 500; ; wait = Math.min(wait * 1.5, 60_000)) {
      const status = await post(group, body);
      if (status >= 200 && status < 300) {
        group.sent = { firing, resolved, at: clock.now() };
        return true;
      }
      // Only 5xx and silence are tried again; any 4xx, 429 too, waits for the next group interval.
      const again = status === 0 || status >= 500;
      if (!again || stopped.signal.aborted || clock.now().getTime() + wait > deadline) return false;
      try {
        await clock.sleep(wait, stopped.signal);
      } catch {
        return false;
      }
    }
  };

  const needed = (group: Group, firing: Set<string>, resolved: Set<string>): boolean => {
    const { sent } = group;
    if (sent === undefined) return firing.size > 0;
    if (!subset(firing, sent.firing)) return true;
    if (firing.size === 0) return sent.firing.size > 0;
    if (!subset(resolved, sent.resolved)) return true;
    return sent.at.getTime() <= clock.now().getTime() - settings.repeatIntervalMs;
  };

  const post = async (group: Group, body: string): Promise<number> => {
    const { url, token } = settings.webhook;
    let status = 0;
    try {
      const response = await edges.fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Alertmanager/0.25.0',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
        signal: stopped.signal,
      });
      await response.arrayBuffer();
      status = response.status;
    } catch {
      // Nobody there: 0.
    }
    deliveries.push({ at: clock.now(), groupKey: group.key, status, body });
    if (deliveries.length > 1000) deliveries.shift();
    return status;
  };

  const payload = (group: Group, alerts: readonly StoredAlert[]) => {
    const ordered = alerts.toSorted((a, b) => order(a) - order(b) || compare(name(a), name(b)));
    const shown = settings.maxAlerts > 0 ? ordered.slice(0, settings.maxAlerts) : ordered;
    return {
      receiver: settings.receiver.replace(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`),
      status: shown.some((alert) => state.firing(alert)) ? 'firing' : 'resolved',
      alerts: shown.map((alert) => ({
        status: state.firing(alert) ? 'firing' : 'resolved',
        labels: alert.labels,
        annotations: alert.annotations,
        startsAt: goTime(alert.startsAt),
        endsAt: state.firing(alert) ? '0001-01-01T00:00:00Z' : goTime(alert.endsAt),
        generatorURL: alert.generatorURL,
        fingerprint: alert.fingerprint,
      })),
      groupLabels: group.labels,
      // After the truncation, as the real one does.
      commonLabels: common(shown.map((alert) => alert.labels)),
      commonAnnotations: common(shown.map((alert) => alert.annotations)),
      externalURL: edges.externalUrl(),
      version: '4',
      groupKey: group.key,
      truncatedAlerts: ordered.length - shown.length,
    };
  };

  const order = (alert: StoredAlert): number => (state.firing(alert) ? 0 : 1);

  return {
    add,
    groups,
    deliveries,
    stop(): void {
      stopped.abort();
      for (const group of groups.values()) group.cancel();
    },
  };
}
export type Dispatcher = ReturnType<typeof createDispatcher>;

const subset = (small: ReadonlySet<string>, big: ReadonlySet<string>): boolean =>
  [...small].every((each) => big.has(each));
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const name = ({ labels, fingerprint }: StoredAlert): string =>
  [labels['job'] ?? '', labels['instance'] ?? '', fingerprint].join('\0');

/** RFC 3339 without trailing zeros in the fraction, as Go prints it. */
const goTime = (date: Date): string => date.toISOString().replace(/\.?0+Z$/, 'Z');
