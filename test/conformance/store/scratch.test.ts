import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../../src/core/clock.ts';
import type { Database } from '../../../src/store/db.ts';
import { moveRun } from '../../../src/store/run-steps.ts';
import { insertRun, type Run } from '../../../src/store/runs.ts';
import { failedScratch, leftOver, openScratch, purgeScratch, releaseScratch } from '../../../src/store/scratch.ts';
import { createScratchDesk } from '../../../src/tasks/scratch/desk.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { storeForTest } from '../../support/store.ts';

const T0 = new Date('2026-03-01T10:00:00Z');

async function running(db: Database): Promise<Run> {
  const actor = { kind: 'operator', id: 'anna' } as const;
  const id = randomUUID();
  await insertRun(db, { id, operation: 'drill.restore', args: {}, actor, state: 'queued' }, T0);
  const run = await moveRun(db, id, 'queued', 'running', { worker: 'w1' }, T0);
  if (!run) throw new Error('no run');
  return run;
}

const after = (ms: number) => new Date(T0.getTime() + ms);
const cluster = { kind: 'pg-cluster', place: 'db1', what: { dir: '/scratch/42', port: 54_330 } };

describe('scratch things', () => {
  const open = async () => {
    const { db } = await storeForTest();
    const desk = createScratchDesk({ db, clock: createManualClock(T0) });
    const left = async (ms: number) => (await leftOver(db, after(ms), after(ms - minutes(1)))).map(({ id }) => id);
    return { db, desk, left };
  };

  test('are noted before they are made, and are open until somebody saw them gone', async () => {
    const { db, desk } = await open();
    const { id: runId } = await running(db);
    const id = await desk.claim({ runId, ...cluster });
    expect(await desk.open()).toEqual([{ id, runId, ...cluster, claimedAt: T0 }]);
    await desk.released(id);
    await desk.released(id);
    expect(await desk.open()).toEqual([]);
  });

  test('are left over when their run is over, however it ended', async () => {
    const { db, desk, left } = await open();
    const run = await running(db);
    const id = await desk.claim({ runId: run.id, ...cluster });
    expect(await left(seconds(30))).toEqual([]);
    await moveRun(db, run.id, 'running', 'failed', {}, after(seconds(31)));
    expect(await left(seconds(31))).toEqual([id]);
    await desk.released(id);
    expect(await left(seconds(31))).toEqual([]);
  });

  test('are left over when nobody has worked on their run for a minute', async () => {
    const { db, desk, left } = await open();
    const run = await running(db);
    const id = await desk.claim({ runId: run.id, ...cluster });
    expect(await left(seconds(59))).toEqual([]);
    expect(await left(seconds(61))).toEqual([id]);
    await moveRun(db, run.id, 'running', 'reconciling', {}, after(seconds(61)));
    expect(await left(seconds(61))).toEqual([id]);
  });

  test('of a run that was forgotten are left over, not forgotten with it', async () => {
    const { db, desk, left } = await open();
    const run = await running(db);
    const id = await desk.claim({ runId: run.id, ...cluster });
    await db.query('delete from runs where id = $1', [run.id]);
    expect(await left(0)).toEqual([id]);
  });

  test('may outlive their run until a time that was said', async () => {
    const { db, desk, left } = await open();
    const run = await running(db);
    const what = { ...cluster.what, until: after(minutes(5)).toISOString() };
    const id = await desk.claim({ runId: run.id, ...cluster, what });
    await moveRun(db, run.id, 'running', 'succeeded', {}, after(1));
    expect(await left(minutes(4))).toEqual([]);
    expect(await left(minutes(5))).toEqual([id]);
    // Noted anew before the old note was released, and killed in between: it is one and the same thing.
    const twice = (await running(db)).id;
    const first = await desk.claim({ runId: twice, ...cluster });
    const second = await desk.claim({ runId: twice, ...cluster, what });
    expect(await left(minutes(4))).toEqual([]);
    expect(await left(minutes(5))).toEqual([id, first, second]);
    const claim = desk.claim({ runId: randomUUID(), ...cluster, what: { until: 'tomorrow' } });
    await expect(claim).rejects.toMatchObject({ kind: 'bug' });
  });

  test('are not made for a run that has ended', async () => {
    const { db, desk } = await open();
    const run = await running(db);
    await moveRun(db, run.id, 'running', 'failed', {}, T0);
    await expect(desk.claim({ runId: run.id, ...cluster })).rejects.toMatchObject({ code: 'scratch-run-over' });
    expect(await desk.open()).toEqual([]);
  });

  test('that could not be removed are tried again later, and forgotten only when they are gone', async () => {
    const { db, desk, left } = await open();
    const id = await desk.claim({ runId: randomUUID(), ...cluster });
    expect(await failedScratch(db, id, 'busy', after(minutes(1)))).toBe(1);
    expect(await left(seconds(59))).toEqual([]);
    expect(await left(minutes(1))).toEqual([id]);
    expect(await failedScratch(db, id, 'busy', after(minutes(2)))).toBe(2);
    expect(await openScratch(db)).toMatchObject([{ failures: 2, error: 'busy' }]);
    expect(await purgeScratch(db, after(minutes(60)))).toBe(0);
    expect(await releaseScratch(db, id, after(minutes(3)))).toBe(true);
    expect(await releaseScratch(db, id, after(minutes(4)))).toBe(false);
    expect(await failedScratch(db, id, 'busy', after(minutes(4)))).toBe(0);
    expect(await purgeScratch(db, after(minutes(60)))).toBe(1);
  });
});
