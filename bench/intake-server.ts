import { serve } from '@hono/node-server';
import { createMetrics } from '../src/app/metrics.ts';
import { parseConfig, requireConfig } from '../src/config/load.ts';
import { silentLog } from '../src/core/log.ts';
import { systemClock } from '../src/core/clock.ts';
import { Secret } from '../src/core/secret.ts';
import { createHttp } from '../src/handlers/http.ts';
import { createAlertIntake } from '../src/handlers/webhooks/alertmanager.ts';
import { createIncidentWriter } from '../src/tasks/watch/writer.ts';
import { openDatabase } from '../src/store/db.ts';
import { configuration, environment, WEBHOOK_TOKEN } from './configuration.ts';
import { serveParent } from './place.ts';

/** The intake of the program as `app.ts` puts it together, without the rest of the program. */
const url = process.env['BENCH_DATABASE'] ?? '';
const config = requireConfig(parseConfig(configuration(), 'bench.yaml', environment(url)));
const clock = systemClock;
const log = silentLog;
const db = openDatabase({ url, log, clock, max: 10 });
const metrics = createMetrics('bench', async () => undefined);
const token = new Secret(WEBHOOK_TOKEN);
const http = createHttp({
  clock,
  log,
  alerts: {
    intake: createAlertIntake({ db, writer: createIncidentWriter(config), clock, log }),
    token: async () => token,
  },
  live: () => true,
  ready: async () => [],
  metrics: metrics.scrape,
  onWebhook: metrics.webhook,
});

const count = async (table: string): Promise<number> => {
  const { rows } = await db.query(`select from ${table}`);
  return rows.length;
};

serve({ fetch: http.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  serveParent(port, async () => {
    // What a webhook leaves: the incident, its card and the delivery that waits.
    const kept = Math.min(await count('incidents'), await count('cards'), await count('outbox'));
    await db.query('truncate incidents, incident_events, cards, outbox, actions');
    return kept;
  }),
);
