import pg from 'pg';
import { createWayIn } from '../src/app/intake.ts';
import { parseConfig, requireConfig } from '../src/config/load.ts';
import { systemClock } from '../src/core/clock.ts';
import { catalogue } from '../src/core/i18n.ts';
import { silentLog } from '../src/core/log.ts';
import { allMessages } from '../src/messages.gen.ts';
import { type Database, openDatabase } from '../src/store/db.ts';
import { migrate } from '../src/store/migrate.ts';
import { claimDue, settleSent } from '../src/store/outbox.ts';
import { createIncidentWriter } from '../src/tasks/watch/writer.ts';
import { configuration, environment } from './configuration.ts';
import { type Bench, figure, interleaved, quantile } from './figures.ts';
import { payload } from './payload.ts';
import { openPlace, type Place } from './place.ts';

const ROUNDS = 7;
const ALERTS = 150;
const WARM_UP = 200;
const SHORT = 1000;
const LONG = 100_000;

/** Incidents that are over, each with its alerts, history, card and delivery, as months of watching leave them. */
const HISTORY = [
  `insert into incidents (source, group_key, current, state, severity, title, data, started_at, updated_at, resolved_at)
   select 'alertmanager', 'history-' || n, true, 'resolved', (array['critical', 'warning', 'info'])[1 + n % 3], 'Disk of guest-' || n,
     jsonb_build_object('receiver', 'vakhta', 'groupLabels', jsonb_build_object('guest', 'guest-' || n), 'commonLabels', '{}'::jsonb,
       'commonAnnotations', '{}'::jsonb, 'externalUrl', '', 'truncated', 0, 'alerts', (
         select jsonb_object_agg('f' || k, jsonb_build_object('fingerprint', 'f' || k, 'status', 'resolved', 'startsAt', '', 'endsAt', null,
           'labels', jsonb_build_object('alertname', 'DiskWillFill', 'guest', 'guest-' || n, 'device', '/dev/sd' || k, 'job', 'node'),
           'annotations', jsonb_build_object('summary', repeat('Disk is full within four hours. ', 6)), 'generatorUrl', '', 'extra', '{}'::jsonb,
           'lastSeen', '')) from generate_series(1, 3) as k)),
     now() - n * interval '1 minute', now() - n * interval '1 minute', now() - n * interval '1 minute'
   from generate_series(1, $1::int) as n`,
  `insert into incident_events (incident_id, at, kind, data)
   select id, started_at, kind, '{"fingerprint": "f1"}' from incidents, unnest(array['opened', 'alert-fired', 'alert-resolved', 'resolved']) as kind
   where group_key like 'history-%' and $1::int > 0`,
  `insert into cards (id, kind, ref, chat_id, message_id, rev, delivered_rev, delivered_hash, delivered_at, created_at)
   select gen_random_uuid(), 'incident', id::text, -1001000000001, id, 2, 2, 'x', updated_at, started_at from incidents
   where group_key like 'history-%' and $1::int > 0`,
  `insert into outbox (chat_id, priority, kind, card_id, state, attempts, not_before, created_at, settled_at)
   select chat_id, 1, 'card', id, 'sent', 1, created_at, created_at, created_at from cards where delivered_hash = 'x' and $1::int > 0`,
] as const;

/** Whether what an alert costs depends on how much has happened before. */
export const history: Bench = {
  name: 'history',
  about: `webhook → applied, card wanted, claimed and settled, one at a time: with ${LONG} incidents of history against ${SHORT}`,
  run: async (report) => {
    const place = await openPlace();
    try {
      report(`writing ${LONG} incidents`);
      const [long, short] = [await openPast(place, 'long', LONG), await openPast(place, 'short', SHORT)];
      report('warming up');
      await long.alerts(WARM_UP);
      await short.alerts(WARM_UP);
      const rounds = await interleaved(
        ROUNDS,
        { program: () => long.alerts(ALERTS), baseline: () => short.alerts(ALERTS) },
        report,
      );
      await Promise.all([long.close(), short.close()]);
      const of = (share: number) =>
        rounds.map((round) => ({ program: quantile(round.program, share), baseline: quantile(round.baseline, share) }));
      return [
        figure(`alert p50, ${LONG} against ${SHORT}`, 'ms', of(0.5)),
        figure(`alert p99, ${LONG} against ${SHORT}`, 'ms', of(0.99), { at: 'most', ratio: 1.3 }),
      ];
    } finally {
      await place.close();
    }
  },
};

interface Past {
  /** Each alert begins and ends; milliseconds of each of the two. */
  alerts(count: number): Promise<number[]>;
  close(): Promise<void>;
}

async function openPast(place: Place, name: string, incidents: number): Promise<Past> {
  const admin = new pg.Client({ connectionString: place.databaseUrl });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(place.databaseUrl);
  url.pathname = `/${name}`;
  await migrate(url.href, silentLog);
  const writer = new pg.Client({ connectionString: url.href });
  await writer.connect();
  for (const statement of HISTORY) await writer.query(statement, [incidents]);
  await writer.query('vacuum analyze');
  await writer.end();

  const config = requireConfig(parseConfig(configuration(), 'bench.yaml', environment(url.href)));
  const db: Database = openDatabase({ url: url.href, log: silentLog });
  const edges = { db, clock: systemClock, log: silentLog };
  const { intake, reducer } = createWayIn(config, {
    ...edges,
    writer: createIncidentWriter(config),
    catalogue: catalogue(allMessages),
  });
  let next = 0;
  const tell = async (body: string): Promise<number> => {
    const began = performance.now();
    await intake.accept(body);
    await reducer.drain();
    const now = new Date();
    for (const row of await claimDue(db, { now, leaseMs: 45_000, limit: 16 })) await settleSent(db, row, now, next);
    return performance.now() - began;
  };
  return {
    alerts: async (count) => {
      const times: number[] = [];
      for (let n = 0; n < count / 2; n += 1) {
        const body = payload((next += 1));
        times.push(await tell(body), await tell(body.replaceAll('"firing"', '"resolved"')));
      }
      return times;
    },
    close: () => db.close(),
  };
}
