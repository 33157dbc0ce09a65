import { expect, it } from 'vitest';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { minutes } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { joinStorm, openStorms, situation } from '../../src/store/storms.ts';
import { ALERTMANAGER } from '../../src/tasks/incidents.ts';
import { createStormWatch } from '../../src/tasks/watch/storm-watch.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';
import { configWith } from './support/shown.ts';

/** Of this database alone: others of the same server are at work for other tests. */
const WAITING = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

it('a storm does not end while an incident is about to join it', async () => {
  const { db } = await storeForTest();
  const clock = createManualClock('2026-03-01T03:00:00Z');
  const config = configWith({});
  const watch = createStormWatch({ db, clock, log: silentLog, config });
  const alerts = [{ status: 'firing', labels: { alertname: 'Slow', severity: 'warning' } }];
  const groups = Array.from({ length: 12 }, (_, n) =>
    parseWebhook(JSON.stringify({ groupKey: `g${n}`, alerts }), clock.now()),
  );
  await db.tx((tx) => createIncidentWriter(config).apply(tx, ALERTMANAGER, groups, clock.now()));
  const [storm] = await openStorms(db);
  if (!storm) throw new Error('no storm began');
  await db.query(`update incidents set state = 'resolved', resolved_at = $1`, [clock.now()]);
  await clock.advance(minutes(10));
  const now = clock.now();
  let round: Promise<void> | undefined;
  await db.tx(async (tx) => {
    const seen = await situation(tx, { chats: [storm.chat], since: now, incidents: [] });
    expect(seen.storms.map(({ id }) => id)).toEqual([storm.id]);
    let isOver = false;
    round = watch.round(new AbortController().signal).finally(() => {
      isOver = true;
    });
    // It has ended the storm by now, or it waits for this transaction.
    const waits = async (): Promise<boolean> => isOver || (await db.query(WAITING)).rows.length > 0;
    await expect.poll(waits).toBe(true);
    await joinStorm(tx, storm.id, [{ incident: 1, ownCard: false }], now);
  });
  await round;
  expect(await openStorms(db)).toMatchObject([{ id: storm.id, lastAt: now }]);
});
