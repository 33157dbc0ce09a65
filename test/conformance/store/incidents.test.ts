import { describe, expect, test } from 'vitest';
import type { Queryable } from '../../../src/store/db.ts';
import {
  appendEvents,
  between,
  claimOwner,
  currentIncidents,
  events,
  firing,
  incident,
  type IncidentRow,
  purgeIncidents,
  releaseOwner,
  saveIncidents,
  setSilence,
  staleOwners,
} from '../../../src/store/incidents.ts';
import { storeForTest } from '../../support/store.ts';

const T0 = new Date('2026-03-01T10:00:00Z');
const later = (minutes: number) => new Date(T0.getTime() + minutes * 60_000);

const row = (groupKey: string, over: Partial<IncidentRow> = {}): IncidentRow => ({
  source: 'alertmanager',
  groupKey,
  current: true,
  state: 'firing',
  severity: 'warning',
  title: `Диск ${groupKey}`,
  data: { alerts: [{ labels: { odd: 'nul\0' } }] },
  startedAt: T0,
  updatedAt: T0,
  ...over,
});

/** Counts the statements that a function needs. */
function counting(q: Queryable) {
  const counted = {
    statements: 0,
    query: (text: string, params?: readonly unknown[]) => ((counted.statements += 1), q.query(text, params)),
  };
  return counted;
}

describe('incidents', () => {
  test('a batch of any size is written in a constant number of statements, ids in the order given', async () => {
    const { db } = await storeForTest();
    const statements = async (size: number, prefix: string) => {
      const q = counting(db);
      const rows = Array.from({ length: size }, (_, n) => row(`${prefix}${n}`));
      const saved = await saveIncidents(q, rows);
      expect(saved.map((one) => one.rev)).toEqual(rows.map(() => 1));
      await saveIncidents(
        q,
        rows.map((one, n) => ({ ...one, id: saved[n]!.id, severity: 'critical' as const })),
      );
      await appendEvents(
        q,
        saved.map(({ id }) => ({ incidentId: id, at: T0, kind: 'firing' })),
      );
      const found = await currentIncidents(
        q,
        'alertmanager',
        rows.map((one) => one.groupKey),
        { forUpdate: true },
      );
      expect([...found.values()].every((one) => one.severity === 'critical' && one.rev === 2)).toBe(true);
      expect(rows.map((one) => found.get(one.groupKey)?.id)).toEqual(saved.map((one) => one.id));
      return q.statements;
    };
    expect(await statements(2, 'a')).toBe(await statements(300, 'b'));
  });

  test('what is written comes back as it was', async () => {
    const { db } = await storeForTest();
    const write = async (one: IncidentRow) => incident(db, (await saveIncidents(db, [one]))[0]!.id);
    const saved = await write(row('g', { silence: { id: 's1' }, owner: 'anna', ackedAt: later(1) }));
    const { id: _, rev, ...rest } = saved!;
    expect(rev).toBe(1);
    expect(rest).toEqual({
      ...row('g', { silence: { id: 's1' }, owner: 'anna', ackedAt: later(1) }),
      data: { alerts: [{ labels: { odd: 'nul\uFFFD' } }] },
      resolvedAt: undefined,
      saysDown: false,
    });
    const plain = await write({ ...saved!, silence: undefined, owner: undefined, ackedAt: undefined });
    expect(plain).toMatchObject({ silence: undefined, owner: undefined, ackedAt: undefined, rev: 2 });
  });

  test('an old incident steps aside for its successor in one batch', async () => {
    const { db } = await storeForTest();
    const over = row('g', { state: 'resolved', resolvedAt: later(5) });
    const [old] = await saveIncidents(db, [over]);
    const saved = await saveIncidents(db, [
      row('g', { startedAt: later(60) }),
      { ...over, id: old!.id, current: false },
    ]);
    expect(saved[1]).toEqual({ id: old!.id, rev: 2 });
    const now = await currentIncidents(db, 'alertmanager', ['g', 'none']);
    expect([...now.keys()]).toEqual(['g']);
    expect(now.get('g')!.id).toBe(saved[0]!.id);
  });

  test('two first alerts of one group at once become one incident', async () => {
    const { db } = await storeForTest();
    const intake = () =>
      db.tx(async (tx) => {
        const known = await currentIncidents(tx, 'alertmanager', ['g'], { forUpdate: true });
        await saveIncidents(tx, [{ ...row('g'), ...known.get('g') }]);
      });
    await Promise.all(Array.from({ length: 8 }, intake));
    const all = await firing(db);
    expect(all).toHaveLength(1);
    expect(all[0]!.rev).toBe(8);
  });

  test('of many who take it on, one wins and the others learn who', async () => {
    const { db } = await storeForTest();
    const [{ id } = { id: 0 }] = await saveIncidents(db, [row('g')]);
    const outcomes = await Promise.all(['anna', 'boris', 'clara'].map((who) => claimOwner(db, id, who, later(1))));
    const winner = (await incident(db, id))!.owner!;
    expect(outcomes.filter((one) => one.won)).toHaveLength(1);
    expect(outcomes.map((one) => (one.won ? one.incident.owner : one.owner))).toEqual([winner, winner, winner]);
    expect(await releaseOwner(db, id, 'somebody', later(2))).toBeUndefined();
    expect(await staleOwners(db, later(1), later(2))).toEqual([]);
    expect(await staleOwners(db, later(2), later(2))).toHaveLength(1);
    expect(await releaseOwner(db, id, winner, later(2))).toMatchObject({ owner: undefined, ackedAt: undefined });
  });

  test('what is resolved cannot be taken on', async () => {
    const { db } = await storeForTest();
    const [{ id } = { id: 0 }] = await saveIncidents(db, [row('g', { state: 'resolved', resolvedAt: T0 })]);
    expect(await claimOwner(db, id, 'anna', later(1))).toEqual({ won: false, owner: undefined, state: 'resolved' });
    expect(await claimOwner(db, 999, 'anna', later(1))).toEqual({ won: false, owner: undefined, state: undefined });
  });

  test('lists: firing by severity and age, between, history, silence, purge', async () => {
    const { db } = await storeForTest();
    const [a, b, c] = await saveIncidents(db, [
      row('a', { startedAt: later(2) }),
      row('b', { severity: 'critical', startedAt: later(3) }),
      row('c', { state: 'resolved', resolvedAt: later(10) }),
    ]);
    expect((await firing(db)).map((one) => one.id)).toEqual([b!.id, a!.id]);
    expect(await firing(db, { severity: 'critical', source: 'other' })).toEqual([]);
    expect((await between(db, later(10), later(20))).map((one) => one.id)).toEqual([c!.id, a!.id, b!.id]);
    expect((await between(db, later(11), later(20))).map((one) => one.id)).toEqual([a!.id, b!.id]);
    expect((await between(db, later(-10), later(2))).map((one) => one.id)).toEqual([c!.id]);
    await appendEvents(db, [
      { incidentId: a!.id, at: T0, kind: 'firing' },
      { incidentId: a!.id, at: T0, kind: 'silenced', actor: 'operator:anna', data: { hours: 4 } },
    ]);
    expect(await events(db, a!.id, 1)).toMatchObject([
      { kind: 'silenced', actor: 'operator:anna', data: { hours: 4 } },
    ]);
    expect(await setSilence(db, a!.id, { id: 's' }, later(1))).toMatchObject({ silence: { id: 's' }, rev: 2 });
    expect(await setSilence(db, a!.id, null, later(1))).toMatchObject({ silence: undefined, rev: 3 });
    expect(await purgeIncidents(db, later(11))).toBe(1);
    expect(await incident(db, c!.id)).toBeUndefined();
  });
});
