import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { conflict } from '../../../src/core/locks.ts';
import type { Database } from '../../../src/store/db.ts';
import { acquireLocks, type LockOutcome, releaseLocks } from '../../../src/store/run-locks.ts';
import { moveRun } from '../../../src/store/run-steps.ts';
import { insertRun, type Run } from '../../../src/store/runs.ts';
import { storeForTest } from '../../support/store.ts';

const T0 = new Date('2026-03-01T10:00:00Z');

async function newRun(db: Database): Promise<Run> {
  const id = randomUUID();
  const actor = { kind: 'operator', id: 'anna' } as const;
  const run = await insertRun(db, { id, operation: 'backup.pg', args: {}, actor, state: 'queued' }, T0);
  if (!run) throw new Error('no run');
  return run;
}

const take = (db: Database, { id }: Run, keys: readonly string[]): Promise<LockOutcome> =>
  db.tx((tx) => acquireLocks(tx, id, keys, T0));

const held = async (db: Database): Promise<unknown[]> =>
  (await db.query('select key from run_locks order by key')).rows.map((row) => (row as { key: string }).key);

describe('locks', () => {
  test('are taken all or none, once for each run, and freed by its end', async () => {
    const { db } = await storeForTest();
    const [one, two] = [await newRun(db), await newRun(db)];
    expect(await take(db, one, ['pve1/101/pg-main', 'host-a'])).toEqual({ ok: true });
    expect(await take(db, one, ['host-a', 'pve1/101/pg-main'])).toEqual({ ok: true });
    const refused = await take(db, two, ['host-b', 'pve1/101/pg-main']);
    expect(refused).toMatchObject({ ok: false, key: 'pve1/101/pg-main', holder: { id: one.id } });
    // Nothing was kept of the failed attempt.
    expect(await held(db)).toEqual(['host-a', 'pve1/101/pg-main']);
    await moveRun(db, one.id, 'queued', 'cancelled', {}, T0);
    expect(await take(db, two, ['host-b', 'pve1/101/pg-main'])).toEqual({ ok: true });
    await releaseLocks(db, two.id);
    expect(await take(db, two, [])).toEqual({ ok: true });
    expect(await held(db)).toEqual([]);
  });

  test('stand in the way of the whole and of its parts, never of neighbours', async () => {
    const { db } = await storeForTest();
    const [one, two] = [await newRun(db), await newRun(db)];
    const pairs = [
      ['pve1', 'pve1/101', false],
      ['pve1/101', 'pve1', false],
      ['pve1/101', 'pve1/101/pg-main/backup', false],
      ['pve1/101/pg-main/backup', 'pve1/101', false],
      ['pve1/101/pg-main', 'pve1/101/pg-main/backup', false],
      ['pve1/101', 'pve1/101', false],
      ['pve1/101/pg-main', 'pve1/101/pg-other', true],
      ['pve1/101', 'pve1/102', true],
      ['pve1/10', 'pve1/101', true],
      ['pve1/101', 'pve1/10', true],
      ['pve1', 'pve10/101', true],
      // In a pattern of SQL these would stand for anything.
      ['a_b', 'axb/1', true],
      ['a%', 'ab/1', true],
    ] as const;
    for (const [first, second, together] of pairs) {
      expect(await take(db, one, [first])).toEqual({ ok: true });
      const outcome = await take(db, two, [second]);
      // The rule without a database says the same.
      expect(conflict(first, second)).toBe(!together);
      expect(outcome).toMatchObject(together ? { ok: true } : { ok: false, holder: { id: one.id }, key: first });
      for (const { id } of [one, two]) await releaseLocks(db, id);
    }
  });

  test('a run may hold a whole and its parts', async () => {
    const { db } = await storeForTest();
    const one = await newRun(db);
    expect(await take(db, one, ['pve1/101', 'pve1/101/pg-main', 'pve1'])).toEqual({ ok: true });
  });

  test('of a program that knew no paths yet are kept, and stand in the way of the same key', async () => {
    const { db } = await storeForTest();
    const [one, two] = [await newRun(db), await newRun(db)];
    for (const key of ['backup:pg:main', 'guest:pve1:101', 'container:local:grafana']) {
      await db.query('insert into run_locks (key, run_id, acquired_at) values ($1, $2, $3)', [key, one.id, T0]);
    }
    const file = new URL('../../../src/store/migrations/0014_locks.sql', import.meta.url);
    const [, update = ''] = /(update run_locks[^;]*);/u.exec(await readFile(file, 'utf8')) ?? [];
    await db.query(update);
    expect(await held(db)).toEqual(['backup:pg:main', 'container:local:grafana', 'pve1/101']);
    expect(await take(db, two, ['backup:pg:main'])).toMatchObject({ ok: false, holder: { id: one.id } });
    expect(await take(db, two, ['pve1/101/pg-main/backup'])).toMatchObject({ ok: false, key: 'pve1/101' });
    expect(await take(db, two, ['backup:pg:other', 'pve1/102'])).toEqual({ ok: true });
  });

  test('of many runs that want overlapping paths at once, no two that conflict are held together', async () => {
    const { db } = await storeForTest(12);
    const wants = [
      ['pve1'],
      ['pve1/101'],
      ['pve1/101/pg-main/backup', 'host-b'],
      ['pve1/102', 'pve1/101/docker/web'],
      ['host-b/docker', 'pve1/103'],
      ['pve1/101/pg-main', 'pve1/102/pg-two'],
    ];
    for (let round = 0; round < 8; round++) {
      const runs = await Promise.all([...wants, ...wants].map(() => newRun(db)));
      const outcomes = await Promise.all(runs.map((run, n) => take(db, run, wants[n % wants.length] ?? [])));
      const winners = outcomes.flatMap(({ ok }, n) => (ok ? [n] : []));
      expect(winners.length).toBeGreaterThan(0);
      for (const a of winners) {
        for (const b of winners) {
          if (a === b) continue;
          const pairs = (wants[a % 6] ?? []).flatMap((x) => (wants[b % 6] ?? []).map((y) => [x, y] as const));
          expect(pairs.filter(([x, y]) => conflict(x, y))).toEqual([]);
        }
      }
      for (const { id } of runs) await releaseLocks(db, id);
    }
  });
});
