import { serve } from '@hono/node-server';
import { createWayIn } from '../src/app/intake.ts';
import { createMetrics } from '../src/app/metrics.ts';
import { parseConfig, requireConfig } from '../src/config/load.ts';
import { systemClock } from '../src/core/clock.ts';
import { catalogue } from '../src/core/i18n.ts';
import { silentLog } from '../src/core/log.ts';
import { Secret } from '../src/core/secret.ts';
import { createHttp } from '../src/handlers/http.ts';
import { createIncidentWriter } from '../src/tasks/watch/writer.ts';
import { openDatabase } from '../src/store/db.ts';
import { webhookBacklog } from '../src/store/webhook-log.ts';
import { allMessages } from '../src/messages.gen.ts';
import { configuration, environment, WEBHOOK_TOKEN } from './configuration.ts';
import { serveParent } from './place.ts';

/** The intake of the program as `app.ts` puts it together, without the rest of the program. */
const url = process.env['BENCH_DATABASE'] ?? '';
const config = requireConfig(parseConfig(configuration(), 'bench.yaml', environment(url)));
const clock = systemClock;
const log = silentLog;
const db = openDatabase({ url, log, clock, max: 10 });
const metrics = createMetrics('bench', async () => undefined);
const { intake, reducer } = createWayIn(config, {
  db,
  clock,
  log,
  writer: createIncidentWriter(config),
  catalogue: catalogue(allMessages),
});
const token = new Secret(WEBHOOK_TOKEN);
const http = createHttp({
  clock,
  log,
  alerts: { intake, token: async () => token },
  live: () => true,
  ready: async () => [],
  metrics: metrics.scrape,
  onWebhook: metrics.webhook,
});

const count = async (table: string): Promise<number> => {
  const { rows } = await db.query(`select from ${table}`);
  return rows.length;
};

/** What webhooks leave once they are applied: the incident with its history. Most of their cards a storm collects. */
async function countAndEmpty(): Promise<number> {
  const kept = Math.min(await count('incidents'), await count('incident_events'));
  await db.query('truncate incidents, incident_events, cards, outbox, actions, storms cascade');
  return kept;
}

async function applied(): Promise<string> {
  while ((await webhookBacklog(db, clock.now())).waiting > 0) await clock.sleep(5);
  return 'applied';
}

void db.leader('reducer', new AbortController().signal, reducer.run);
serve({ fetch: http.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  serveParent(port, (question) => (question === 'applied' ? applied() : countAndEmpty())),
);
