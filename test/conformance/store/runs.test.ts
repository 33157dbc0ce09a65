import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { NEXT, RUN_STATES, type RunState } from '../../../src/core/run.ts';
import type { Database } from '../../../src/store/db.ts';
import { runEvents } from '../../../src/store/run-events.ts';
import { askCancel, moveRun, patchRun } from '../../../src/store/run-steps.ts';
import { countRuns, expirable, purgeRuns, staleRunning, unqueued } from '../../../src/store/run-upkeep.ts';
import { insertRun, type NewRun, openRuns, recentRuns, run, runByKey, runByNumber } from '../../../src/store/runs.ts';
import { until } from '../../support/components/process.ts';
import { storeForTest } from '../../support/store.ts';

const T0 = new Date('2026-03-01T10:00:00Z');
const HALF = { step: { key: 'op-step', args: { n: 1 } }, percent: 50 };
const later = (seconds: number) => new Date(T0.getTime() + seconds * 1000);

async function newRun(db: Database, over: Partial<NewRun> = {}) {
  const made = await insertRun(
    db,
    {
      id: randomUUID(),
      operation: 'backup.pg',
      args: { stanza: 'main' },
      actor: { kind: 'operator', id: 'anna' },
      state: 'queued',
      ...over,
    },
    T0,
  );
  return made!;
}

describe('runs', () => {
  test('a run comes back as it was made, with a number', async () => {
    const { db } = await storeForTest();
    const made = await newRun(db, { origin: { chat: -100, thread: 3, incident: 7 }, idempotencyKey: 'k' });
    expect(made).toMatchObject({ number: 1, rev: 1, origin: { chat: -100, thread: 3, incident: 7 }, plan: undefined });
    expect(await run(db, made.id)).toEqual(made);
    expect(await runByNumber(db, 1)).toEqual(made);
    expect(await runByKey(db, 'k')).toEqual(made);
  });

  test('an idempotency key makes one run, whoever is first', async () => {
    const { db } = await storeForTest();
    const attempts = Array.from({ length: 6 }, () =>
      insertRun(
        db,
        {
          id: randomUUID(),
          operation: 'x',
          args: {},
          actor: { kind: 'cli', id: 'root' },
          state: 'queued',
          idempotencyKey: 'once',
        },
        T0,
      ),
    );
    expect((await Promise.all(attempts)).filter((one) => one !== undefined)).toHaveLength(1);
  });

  test('of many workers, one moves the run; the history names the step', async () => {
    const { db } = await storeForTest();
    const { id } = await newRun(db);
    const moves = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        moveRun(db, id, 'queued', 'running', { worker: `w${n}`, by: 'system:worker' }, later(1)),
      ),
    );
    const [won, ...others] = moves.filter((one) => one !== undefined);
    expect(others).toEqual([]);
    expect(won).toMatchObject({
      state: 'running',
      rev: 2,
      startedAt: later(1),
      heartbeatAt: later(1),
      finishedAt: undefined,
    });
    const done = await moveRun(db, id, ['running', 'verifying'], 'succeeded', { result: { size: 5 } }, later(9));
    expect(done).toMatchObject({ state: 'succeeded', result: { size: 5 }, worker: won!.worker, finishedAt: later(9) });
    expect((await runEvents(db, id)).map((one) => [one.kind, one.data.from])).toEqual([
      ['queued', undefined],
      ['running', 'queued'],
      ['succeeded', 'running'],
    ]);
  });

  test('only the steps of the life cycle are possible', async () => {
    const { db } = await storeForTest();
    const { id } = await newRun(db, { state: 'planning' });
    for (const from of RUN_STATES) {
      for (const to of RUN_STATES.filter((state) => !NEXT[from].includes(state))) {
        await expect(moveRun(db, id, from, to, {}, T0)).rejects.toMatchObject({ kind: 'bug', code: 'run-move' });
      }
    }
    const states: RunState[] = [
      'planning',
      'confirming',
      'approving',
      'queued',
      'running',
      'reconciling',
      'queued',
      'running',
    ];
    const reached: (RunState | undefined)[] = ['planning'];
    for (const [n, to] of states.entries()) {
      const from = states[n - 1];
      if (from) reached.push((await moveRun(db, id, from, to, {}, later(n)))?.state);
    }
    expect(reached).toEqual(states);
    expect(await run(db, id)).toMatchObject({ startedAt: later(4), rev: states.length });
  });

  test('news, heartbeat and cancel', async () => {
    const { db } = await storeForTest();
    const { id } = await newRun(db);
    await moveRun(db, id, 'queued', 'running', { worker: 'w' }, later(1));
    expect(await patchRun(db, id, { heartbeat: true }, later(5))).toMatchObject({ rev: 2, heartbeatAt: later(5) });
    expect(await patchRun(db, id, { progress: HALF, external: { upid: 'U' } }, later(6))).toMatchObject({
      rev: 3,
      progress: HALF,
      external: { upid: 'U' },
    });
    const told: (string | undefined)[] = [];
    await db.listen('vakhta_cancel', (payload) => told.push(payload));
    expect(await askCancel(db, id, 'operator:anna', later(7))).toBe(true);
    expect(await askCancel(db, id, 'operator:boris', later(8))).toBe(false);
    await until('the worker is told', () => told.length > 0);
    expect(told).toEqual([id]);
    await moveRun(db, id, 'running', 'cancelled', {}, later(9));
    expect(await patchRun(db, id, { progress: { step: { key: 'x' }, percent: 99 } }, later(10))).toBeUndefined();
    expect(await run(db, id)).toMatchObject({ cancelAskedBy: 'operator:anna', progress: HALF });
  });

  test('what the reconciler looks for', async () => {
    const { db } = await storeForTest();
    const waiting = await newRun(db);
    const delayed = await newRun(db, { state: 'planning' });
    await moveRun(db, delayed.id, 'planning', 'queued', { notBefore: later(600) }, T0);
    const asking = await newRun(db, { state: 'planning' });
    await moveRun(db, asking.id, 'planning', 'confirming', { expiresAt: later(60) }, T0);
    const busy = await newRun(db);
    await moveRun(db, busy.id, 'queued', 'running', {}, later(1));
    const ids = (rows: readonly { id: string }[]) => rows.map((row) => row.id);
    expect(ids(await unqueued(db, later(30)))).toEqual([waiting.id]);
    expect(ids(await unqueued(db, later(601)))).toEqual([waiting.id, delayed.id]);
    expect(await expirable(db, later(59))).toEqual([]);
    expect(ids(await expirable(db, later(60)))).toEqual([asking.id]);
    expect(await staleRunning(db, later(1))).toEqual([]);
    expect(ids(await staleRunning(db, later(2)))).toEqual([busy.id]);
    expect(ids(await openRuns(db))).toEqual([waiting.id, delayed.id, asking.id, busy.id]);
    expect(await countRuns(db)).toEqual({ queued: 2, confirming: 1, running: 1 });
    expect(ids(await recentRuns(db, { states: ['running'], operation: 'backup.pg', since: T0 }))).toEqual([busy.id]);
    expect(await recentRuns(db, { until: T0 })).toEqual([]);
    await moveRun(
      db,
      busy.id,
      'running',
      'failed',
      { error: { kind: 'permanent', code: 'x', text: 'err-x', args: { n: 1 } } },
      later(3),
    );
    expect(await purgeRuns(db, later(4))).toBe(1);
  });
});

test('a step changes what it names, clears what it nulls, and leaves the rest', async () => {
  const { db } = await storeForTest();
  const { id } = await newRun(db);
  const plan = { target: 'main', lines: [{ key: 'op-plan' }], bound: { upid: 1 } };
  const failure = { kind: 'transient', code: 'x', text: 'err-x', args: {} } as const;
  await moveRun(
    db,
    id,
    'queued',
    'running',
    { plan, worker: 'w', progress: HALF, error: failure, expiresAt: later(60) },
    later(1),
  );
  expect(
    await moveRun(
      db,
      id,
      'running',
      'queued',
      { worker: null, progress: null, error: null, expiresAt: null },
      later(2),
    ),
  ).toMatchObject({
    plan,
    worker: undefined,
    progress: undefined,
    error: undefined,
    expiresAt: undefined,
    startedAt: later(1),
  });
  expect(
    await moveRun(db, id, 'queued', 'cancelled', { stepUp: { failures: 1, checked: false } }, later(3)),
  ).toMatchObject({
    plan,
    stepUp: { failures: 1, checked: false },
    finishedAt: later(3),
  });
});
