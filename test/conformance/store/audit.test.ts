import { describe, expect, test } from 'vitest';
import { appendAudit, recentAudit, verifyAudit } from '../../../src/store/audit.ts';
import type { Database } from '../../../src/store/db.ts';
import { storeForTest } from '../../support/store.ts';

const NOW = new Date('2026-03-01T10:00:00.123Z');
const append = (db: Database, n: number) =>
  db.tx((tx) =>
    appendAudit(
      tx,
      {
        actor: 'operator:анна',
        action: 'run.asked',
        subject: `run ${n}`,
        detail: { n, deep: { z: [1.5, -0, 1e21], a: null }, odd: '\0' },
      },
      NOW,
    ),
  );

async function chain(length: number): Promise<Database> {
  const { db } = await storeForTest();
  for (let n = 1; n <= length; n += 1) await append(db, n);
  await db.query('drop trigger audit_append_only on audit');
  return db;
}

describe('the audit', () => {
  test('fifty transactions at once make one whole chain', async () => {
    const { db } = await storeForTest(20);
    await Promise.all(Array.from({ length: 50 }, (_, n) => append(db, n)));
    const heard: number[] = [];
    const verdict = await verifyAudit(db, (checked) => heard.push(checked));
    expect(verdict).toMatchObject({ ok: true, count: 50, head: { seq: 50 } });
    expect(heard.at(-1)).toBe(50);
    expect((await recentAudit(db, 3)).map((entry) => entry.seq)).toEqual([50, 49, 48]);
  });

  test('a transaction that fails leaves no entry and no hole', async () => {
    const { db } = await storeForTest();
    await append(db, 1);
    const failing = db.tx(async (tx) => {
      await appendAudit(tx, { actor: 'a', action: 'b', subject: 'c' }, NOW);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await append(db, 2)).seq).toBe(2);
    expect(await verifyAudit(db)).toMatchObject({ ok: true, count: 2 });
  });

  test('nothing can be changed or removed in the ordinary way', async () => {
    const { db } = await storeForTest();
    await append(db, 1);
    for (const sql of ["update audit set actor = 'x'", 'delete from audit', 'truncate audit']) {
      await expect(db.query(sql)).rejects.toThrow('append-only');
    }
  });

  test('a chain longer than a page is verified in pages', async () => {
    const db = await chain(3);
    await db.tx(async (tx) => {
      for (let n = 4; n <= 1203; n += 1) await appendAudit(tx, { actor: 'a', action: 'b', subject: `${n}` }, NOW);
    });
    expect(await verifyAudit(db)).toMatchObject({ ok: true, count: 1203 });
    await db.query("update audit set subject = 'x' where seq = 1100");
    expect(await verifyAudit(db)).toEqual({ ok: false, seq: 1100, why: 'altered' });
  });

  const tampering: [string, string, { seq: number; why: string }][] = [
    ['an altered row', "update audit set actor = 'operator:mallory' where seq = 3", { seq: 3, why: 'altered' }],
    [
      'an altered detail',
      `update audit set detail = jsonb_set(detail, '{n}', '9') where seq = 3`,
      { seq: 3, why: 'altered' },
    ],
    ['an altered time', "update audit set at = at + interval '1 ms' where seq = 3", { seq: 3, why: 'altered' }],
    ['a removed row', 'delete from audit where seq = 3', { seq: 3, why: 'removed' }],
    ['a removed first row', 'delete from audit where seq = 1', { seq: 1, why: 'removed' }],
    ['a removed tail', 'delete from audit where seq >= 4', { seq: 4, why: 'tail-removed' }],
    ['everything removed', 'delete from audit', { seq: 1, why: 'tail-removed' }],
    ['another head', "update audit_head set hash = repeat('a', 64)", { seq: 5, why: 'head-altered' }],
  ];
  test.each(tampering)('finds %s', async (_, sql, fault) => {
    const db = await chain(5);
    await db.query(sql);
    expect(await verifyAudit(db)).toEqual({ ok: false, ...fault });
  });

  test('finds rows that changed places', async () => {
    const db = await chain(5);
    await db.query('update audit set seq = case seq when 2 then 103 when 3 then 102 end where seq in (2, 3)');
    await db.query('update audit set seq = seq - 100 where seq > 100');
    expect(await verifyAudit(db)).toMatchObject({ ok: false, seq: 2 });
  });
});
