import { describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { createScheduler, type Schedule } from '../../../src/handlers/schedules.ts';
import type { Database } from '../../../src/store/db.ts';
import { fireOnce, lastFire, purge } from '../../../src/store/schedules.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { until } from '../../support/components/process.ts';
import { storeForTest } from '../../support/store.ts';

const d = (iso: string) => new Date(`${iso}Z`);

/** A digest at 08:00 UTC that notes what it did. */
function digest(over: Partial<Schedule> = {}) {
  const log: string[] = [];
  const schedule: Schedule = {
    name: 'digest:night',
    spec: { zone: 'UTC', at: '08:00' },
    catchUp: 'once',
    maxLateMs: 6 * 3_600_000,
    run: async (_tx, dueAt, { late }) =>
      void log.push(`${late ? 'late' : 'fired'} ${dueAt.toISOString().slice(5, 16)}`),
    missed: async (_tx, { from, to, count }) =>
      void log.push(`missed ${count} ${from.toISOString().slice(5, 16)}..${to.toISOString().slice(5, 16)}`),
    ...over,
  };
  return { log, schedule };
}

const scheduler = (db: Database, ...schedules: Schedule[]) =>
  createScheduler({ db, clock: systemClock, schedules, log: silentLog });

describe('the scheduler', () => {
  test('the first start does not fire the past; then each due time once', async () => {
    const { db } = await storeForTest();
    const { log, schedule } = digest();
    const one = scheduler(db, schedule);
    for (const now of ['2026-03-01T12:00:00', '2026-03-02T07:59:59', '2026-03-02T08:00:01', '2026-03-02T08:01:01'])
      await one.tick(d(now));
    expect(log).toEqual(['fired 03-02T08:00']);
    await one.tick(d('2026-03-03T08:00:30'));
    expect(log).toEqual(['fired 03-02T08:00', 'fired 03-03T08:00']);
  });

  test('any number of replicas fire once', async () => {
    const store = await storeForTest();
    const { log, schedule } = digest();
    const replicas = [store.db, store.another(), store.another(), store.another()].map((db) => scheduler(db, schedule));
    await replicas[0]!.tick(d('2026-03-01T12:00:00'));
    for (const day of ['02', '03', '04'])
      await Promise.all(replicas.map((one) => one.tick(d(`2026-03-${day}T08:00:05`))));
    expect(log).toEqual(['fired 03-02T08:00', 'fired 03-03T08:00', 'fired 03-04T08:00']);
  });

  test('after being down at the hour it is made up for once, late', async () => {
    const { db } = await storeForTest();
    const { log, schedule } = digest();
    await scheduler(db, schedule).tick(d('2026-03-01T12:00:00'));
    const restarted = scheduler(db, schedule);
    await restarted.tick(d('2026-03-04T09:30:00'));
    await restarted.tick(d('2026-03-04T09:31:00'));
    expect(log).toEqual(['late 03-04T08:00']);
  });

  test('too late is too late', async () => {
    const { db } = await storeForTest();
    const { log, schedule } = digest();
    await scheduler(db, schedule).tick(d('2026-03-01T12:00:00'));
    await scheduler(db, schedule).tick(d('2026-03-02T15:00:00'));
    expect(log).toEqual([]);
    await scheduler(db, schedule).tick(d('2026-03-03T08:00:10'));
    expect(log).toEqual(['fired 03-03T08:00']);
  });

  test('report tells of all that was missed, once; skip tells nothing', async () => {
    const { db } = await storeForTest();
    const report = digest({ name: 'report', catchUp: 'report' });
    const skip = digest({ name: 'skip', catchUp: 'skip' });
    const one = scheduler(db, report.schedule, skip.schedule);
    for (const now of ['2026-03-01T12:00:00', '2026-03-04T09:00:00', '2026-03-04T09:01:00']) await one.tick(d(now));
    expect(report.log).toEqual(['missed 3 03-02T08:00..03-04T08:00']);
    expect(skip.log).toEqual([]);
  });

  test('what fails leaves nothing behind, is tried again, and does not keep the others', async () => {
    const { db } = await storeForTest();
    let failures = 1;
    const bad = digest({
      name: 'bad',
      run: async (tx, dueAt) => {
        await tx.query("insert into conversations (key, state, updated_at) values ('x', '1', $1)", [dueAt]);
        if (failures > 0) {
          failures -= 1;
          throw new Error('no');
        }
      },
    });
    const good = digest({ name: 'good' });
    const one = scheduler(db, bad.schedule, good.schedule);
    await one.tick(d('2026-03-01T12:00:00'));
    await one.tick(d('2026-03-02T08:00:05'));
    expect(good.log).toEqual(['fired 03-02T08:00']);
    expect((await db.query('select from conversations')).rowCount).toBe(0);
    await one.tick(d('2026-03-02T08:01:05'));
    expect((await db.query('select from conversations')).rowCount).toBe(1);
    expect(good.log).toHaveLength(1);
  });

  test('start looks at once, and stop waits', async () => {
    const { db } = await storeForTest();
    const { log, schedule } = digest();
    await fireOnce(db, schedule.name, d('2026-03-01T08:00:00'), d('2026-03-01T08:00:00'), 'fired');
    const now = d('2026-03-02T08:00:10');
    const one = createScheduler({
      db,
      clock: { ...systemClock, now: () => now },
      schedules: [schedule],
      log: silentLog,
    });
    onTestFinished(() => one.stop());
    one.start();
    await until('fired', () => log.length === 1);
    await one.stop();
    expect(log).toEqual(['fired 03-02T08:00']);
  });

  test('two schedules of one name, and one that cannot be read, are refused', async () => {
    const { db } = await storeForTest();
    const { schedule } = digest();
    expect(() => scheduler(db, schedule, schedule)).toThrow('same name');
    expect(() => scheduler(db, { ...schedule, spec: { zone: 'UTC', cron: 'often' } })).toThrow('bad schedule');
  });
});

test('purge keeps the latest fire of each schedule', async () => {
  const { db } = await storeForTest();
  for (const day of ['01', '02', '03']) {
    const due = d(`2026-03-${day}T08:00:00`);
    expect(await fireOnce(db, 'a', due, due, 'fired')).toBe(true);
    expect(await fireOnce(db, 'a', due, due, 'fired')).toBe(false);
  }
  expect(await purge(db, d('2026-04-01T00:00:00'))).toBe(2);
  expect(await lastFire(db, 'a')).toEqual(d('2026-03-03T08:00:00'));
  expect(await lastFire(db, 'b')).toBeUndefined();
});
