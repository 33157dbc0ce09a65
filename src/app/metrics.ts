import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BotMetrics } from '../bot/metrics.ts';
import type { WebhookResult } from '../handlers/http.ts';
import { type BackupSnapshot, createBackupGauges } from './metrics-backups.ts';

/** What the gauges show at the time of a scrape. */
export interface Snapshot {
  readonly outbox: {
    readonly queued: number;
    readonly unknown: number;
    readonly oldestAgeMs: Readonly<Record<number, number>>;
  };
  readonly queue: Readonly<Record<string, number>>;
  readonly openRuns: Readonly<Record<string, number>>;
  readonly firing: Readonly<Record<string, number>>;
  readonly webhooks: { readonly waiting: number; readonly oldestMs: number; readonly setAside: number };
  readonly backups: BackupSnapshot;
}

export interface Metrics {
  readonly bot: BotMetrics;
  readonly webhook: (result: WebhookResult, durationMs: number) => void;
  readonly runEnded: (operation: string, state: string, durationMs: number) => void;
  readonly scrape: () => Promise<{ readonly type: string; readonly text: string }>;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const PRIORITIES = ['critical', 'answer', 'warning', 'information'];

/** Prometheus metrics of one process; names follow prometheus.io/docs/practices/naming. `snapshot` is asked at each scrape. */
export function createMetrics(version: string, snapshot: () => Promise<Snapshot | undefined>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({ name: 'vakhta_info', help: 'Version of this process.', labelNames: ['version'], registers }).set(
    { version },
    1,
  );
  const calls = new Counter({
    name: 'vakhta_telegram_calls_total',
    help: 'Calls of the Bot API that write, by result.',
    labelNames: ['method', 'result'],
    registers,
  });
  const floods = new Counter({ name: 'vakhta_telegram_429_total', help: 'Answers 429 of Telegram.', registers });
  const telegram = new Gauge({
    name: 'vakhta_telegram_up',
    help: 'Whether Telegram answers: out, for the process that leads deliveries; in, for the one that polls.',
    labelNames: ['way'],
    registers,
  });
  const delivery = new Histogram({
    name: 'vakhta_delivery_seconds',
    help: 'From the wish to Telegram’s confirmation.',
    labelNames: ['priority'],
    buckets: SECONDS,
    registers,
  });
  const updates = new Counter({
    name: 'vakhta_updates_total',
    help: 'Updates received from Telegram, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const handling = new Histogram({
    name: 'vakhta_update_seconds',
    help: 'Handling of an update.',
    labelNames: ['kind', 'result'],
    buckets: SECONDS,
    registers,
  });
  const webhooks = new Counter({
    name: 'vakhta_webhooks_total',
    help: 'Alertmanager webhooks, by result.',
    labelNames: ['result'],
    registers,
  });
  const webhookTime = new Histogram({
    name: 'vakhta_webhook_seconds',
    help: 'Webhook received to answered.',
    buckets: SECONDS,
    registers,
  });
  const runs = new Counter({
    name: 'vakhta_runs_total',
    help: 'Runs that ended, by operation and state.',
    labelNames: ['operation', 'state'],
    registers,
  });
  const runTime = new Histogram({
    name: 'vakhta_run_seconds',
    help: 'Start to end of a run.',
    labelNames: ['operation'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
    registers,
  });
  const outboxQueued = new Gauge({ name: 'vakhta_outbox_queued', help: 'Messages that wait for delivery.', registers });
  const outboxUnknown = new Gauge({
    name: 'vakhta_outbox_unknown',
    help: 'Messages of which it is unknown whether they arrived.',
    registers,
  });
  const outboxAge = new Gauge({
    name: 'vakhta_outbox_oldest_seconds',
    help: 'Age of the oldest waiting message, by priority.',
    labelNames: ['priority'],
    registers,
  });
  const jobs = new Gauge({
    name: 'vakhta_queue_jobs',
    help: 'Jobs in the queue, by state.',
    labelNames: ['state'],
    registers,
  });
  const open = new Gauge({
    name: 'vakhta_runs_open',
    help: 'Runs that have not ended, by state.',
    labelNames: ['state'],
    registers,
  });
  const firing = new Gauge({
    name: 'vakhta_incidents_firing',
    help: 'Incidents that fire, by severity.',
    labelNames: ['severity'],
    registers,
  });
  const backlog = new Gauge({
    name: 'vakhta_webhook_backlog',
    help: 'Webhooks that were answered 200 and are not applied yet.',
    registers,
  });
  const backlogAge = new Gauge({
    name: 'vakhta_webhook_backlog_oldest_seconds',
    help: 'Age of the oldest webhook that is not applied yet.',
    registers,
  });
  const aside = new Gauge({
    name: 'vakhta_webhooks_set_aside',
    help: 'Webhooks that could not be applied and are kept.',
    registers,
  });
  const backups = createBackupGauges(registers);
  const store = new Gauge({ name: 'vakhta_store_up', help: 'Whether the database answered this scrape.', registers });

  const set = (gauge: Gauge, label: string, values: Readonly<Record<string, number>>): void => {
    gauge.reset();
    for (const [name, value] of Object.entries(values)) gauge.set({ [label]: name }, value);
  };

  return {
    bot: {
      call: (method, result) => calls.inc({ method, result }),
      delivered: (priority, ms) => delivery.observe({ priority: PRIORITIES[priority] ?? String(priority) }, ms / 1000),
      flood: () => floods.inc(),
      telegram: (way, isUp) => {
        if (isUp === undefined) telegram.remove({ way });
        else telegram.set({ way }, isUp ? 1 : 0);
      },
      update: (kind) => updates.inc({ kind }),
      handled: (kind, result, ms) => handling.observe({ kind, result }, ms / 1000),
    },
    webhook: (result, ms) => {
      webhooks.inc({ result });
      webhookTime.observe(ms / 1000);
    },
    runEnded: (operation, state, ms) => {
      runs.inc({ operation, state });
      runTime.observe({ operation }, ms / 1000);
    },
    scrape: async () => {
      const now = await snapshot().catch(() => undefined);
      store.set(now ? 1 : 0);
      if (now) {
        outboxQueued.set(now.outbox.queued);
        outboxUnknown.set(now.outbox.unknown);
        const ages = PRIORITIES.map((name, n) => [name, (now.outbox.oldestAgeMs[n] ?? 0) / 1000] as const);
        set(outboxAge, 'priority', Object.fromEntries(ages));
        set(jobs, 'state', now.queue);
        set(open, 'state', now.openRuns);
        set(firing, 'severity', now.firing);
        backlog.set(now.webhooks.waiting);
        backlogAge.set(now.webhooks.oldestMs / 1000);
        aside.set(now.webhooks.setAside);
        backups.set(now.backups);
      }
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
