import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Log } from '../../src/core/log.ts';
import { silentLog } from '../../src/core/log.ts';
import { type AlertIntake, createAlertIntake } from '../../src/handlers/webhooks/alertmanager.ts';
import { createIncidentWriter, type WriterConfig } from '../../src/tasks/watch/writer.ts';
import { type Database, openDatabase, type Queryable } from '../../src/store/db.ts';
import { claimDue, settleSent } from '../../src/store/outbox.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';

const OPS = -100;
const ANNA = 7;
const config = {
  chats: [
    {
      id: 'ops',
      chatId: OPS,
      title: 'ops',
      language: 'ru',
      zone: 'Europe/Moscow',
      topics: { alerts: 2, backups: 3 },
      purpose: 'all',
    },
    { id: 'anna', chatId: ANNA, title: 'anna', language: 'ru', zone: 'Europe/Moscow', topics: {}, purpose: 'all' },
  ],
  routes: [
    { chat: 'anna', match: { team: { equals: 'anna' } }, severity: ['warning', 'info'] },
    { chat: 'ops', topic: 'backups', match: { alertname: { pattern: /^(?:Backup.*)$/u } } },
    { chat: 'ops', topic: 'alerts' },
  ],
  policy: { incidentReopenMinutes: 10 },
} as unknown as WriterConfig;

interface Given {
  readonly key?: string;
  readonly status?: 'firing' | 'resolved';
  readonly names?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly truncatedAlerts?: number;
}

const body = ({ key = 'g', status = 'firing', names = ['a'], labels = {}, truncatedAlerts = 0 }: Given = {}): string =>
  JSON.stringify({
    groupKey: key,
    truncatedAlerts,
    alerts: names.map((name) => ({
      status,
      fingerprint: name,
      labels: { alertname: 'Disk', instance: name, ...labels },
      startsAt: '2026-03-01T02:59:00Z',
    })),
  });

/** Counts statements and transactions; `fail` decides of each statement whether the database refuses it. */
function watched(db: Database, fail?: (text: string, params: readonly unknown[]) => Error | undefined) {
  const counted = { statements: 0, transactions: 0 };
  const watch = <Q extends Queryable>(q: Q): Q => ({
    ...q,
    query: (text: string, params: readonly unknown[] = []) => {
      counted.statements += 1;
      const error = fail?.(text, params);
      return error ? Promise.reject(error) : q.query(text, params);
    },
  });
  const wrapped: Database = {
    ...db,
    tx: (work) => {
      counted.transactions += 1;
      return db.tx((tx) => {
        // Statements whose answers are awaited at the end of the transaction count as well.
        const late = 'late' in tx ? { late: watch(tx.late) } : {};
        return work({ ...watch(tx), ...late });
      });
    },
  };
  return { db: wrapped, counted };
}

async function subject(fail?: Parameters<typeof watched>[1], log: Log = silentLog) {
  const store = await storeForTest();
  const clock = createManualClock('2026-03-01T03:00:00Z');
  const { db, counted } = watched(store.db, fail);
  const intake = createAlertIntake({ db, writer: createIncidentWriter(config), clock, log });
  const rows = async <S extends z.ZodType>(schema: S, sql: string): Promise<z.output<S>[]> =>
    (await store.db.query(sql)).rows.map((row) => schema.parse(row));
  const incidents = () =>
    rows(
      z.object({
        group_key: z.string(),
        state: z.string(),
        severity: z.string(),
        current: z.boolean(),
        id: z.number(),
      }),
      'select * from incidents order by id',
    );
  const cards = () =>
    rows(
      z.object({
        id: z.string(),
        ref: z.string(),
        chat_id: z.number(),
        thread_id: z.number().nullable(),
        rev: z.number(),
        priority: z.number(),
      }),
      "select * from cards where kind = 'incident' order by created_at, ref::int, chat_id",
    );
  const queued = () =>
    rows(
      z.object({ card_id: z.string(), priority: z.number() }),
      "select * from outbox where state = 'queued' order by id",
    );
  return { store, clock, intake, counted, incidents, cards, queued };
}

const settled = (all: readonly Promise<unknown>[]) =>
  Promise.allSettled(all).then((results) => results.map(({ status }) => status));

describe('an alert that is accepted', () => {
  test('is an incident with its history, one card and one delivery', async () => {
    const { intake, incidents, cards, queued, store } = await subject();
    await intake.accept(body({ labels: { severity: 'critical' } }));
    expect(await incidents()).toMatchObject([{ group_key: 'g', state: 'firing', severity: 'critical', current: true }]);
    const [card] = await cards();
    expect(card).toMatchObject({ chat_id: OPS, thread_id: 2, rev: 1, priority: 0 });
    expect(await queued()).toEqual([{ card_id: card?.id, priority: 0 }]);
    const { rows } = await store.db.query('select kind from incident_events order by id');
    expect(rows).toEqual([{ kind: 'opened' }, { kind: 'alert-fired' }]);
  });

  test('again wants nothing anew', async () => {
    const { intake, cards } = await subject();
    await intake.accept(body());
    await intake.accept(body());
    expect(await cards()).toMatchObject([{ rev: 1 }]);
  });

  test('and ends is told on the same card', async () => {
    const { intake, incidents, cards } = await subject();
    await intake.accept(body());
    await intake.accept(body({ status: 'resolved' }));
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
    expect(await cards()).toMatchObject([{ rev: 2 }]);
  });

  test('of a new episode has a row and a card of its own, and the old one is history', async () => {
    const { intake, clock, incidents, cards } = await subject();
    await intake.accept(body());
    await intake.accept(body({ status: 'resolved' }));
    await clock.advance(11 * 60_000);
    await intake.accept(body());
    expect(await incidents()).toMatchObject([
      { state: 'resolved', current: false },
      { state: 'firing', current: true },
    ]);
    expect(await cards()).toHaveLength(2);
  });

  test('keeps owner and silence of its incident', async () => {
    const { intake, store } = await subject();
    await intake.accept(body());
    await store.db.query(`update incidents set owner = 'anna', silence = '{"id":"s"}'`);
    await intake.accept(body({ names: ['a', 'b'] }));
    expect((await store.db.query('select owner, silence from incidents')).rows).toEqual([
      { owner: 'anna', silence: { id: 's' } },
    ]);
  });

  test('goes to its route; more of it also to the next one, and both cards are told the end', async () => {
    const { intake, cards } = await subject();
    const labels = { team: 'anna' };
    await intake.accept(body({ labels }));
    expect(await cards()).toMatchObject([{ chat_id: ANNA, thread_id: null, rev: 1 }]);
    await intake.accept(body({ labels: { ...labels, severity: 'critical' } }));
    expect(await cards()).toMatchObject([
      { chat_id: OPS, thread_id: 2 },
      { chat_id: ANNA, rev: 2 },
    ]);
    await intake.accept(body({ labels: { ...labels, severity: 'critical' }, status: 'resolved' }));
    expect(await cards()).toMatchObject([
      { chat_id: OPS, rev: 2 },
      { chat_id: ANNA, rev: 3 },
    ]);
  });

  test('with text that PostgreSQL refuses is kept nevertheless', async () => {
    const { intake, incidents } = await subject();
    await intake.accept(
      JSON.stringify({
        groupKey: `k\0${'я'.repeat(50_000)}`,
        alerts: [
          {
            labels: { 'n\0': '\0\uD800', severity: 'constructor' },
            annotations: { text: 'x'.repeat(50_000) },
            startsAt: '0000-01-01T00:00:00Z',
          },
        ],
      }),
    );
    expect(await incidents()).toMatchObject([{ state: 'firing', severity: 'warning' }]);
  });
});

describe('alerts that arrive together', () => {
  test('share transactions, each with the same number of statements, however many alerts it takes', async () => {
    const { intake, counted, incidents, cards, queued } = await subject();
    await intake.accept(body({ key: 'warm' }));
    const single = counted.statements;
    counted.statements = 0;
    counted.transactions = 0;
    await Promise.all(Array.from({ length: 60 }, (_, n) => intake.accept(body({ key: `g${n}` }))));
    // The first ones go at once; all others wait for them, and go together.
    expect(counted.transactions).toBeLessThanOrEqual(8);
    expect(counted.statements).toBeLessThanOrEqual(counted.transactions * single);
    expect(await incidents()).toHaveLength(61);
    expect(await cards()).toHaveLength(61);
    expect(await queued()).toHaveLength(61);
  });

  test('of one group are applied in their order, and shown by one card', async () => {
    const { intake, counted, incidents, cards, queued, store } = await subject();
    const first = intake.accept(body({ key: 'other' }));
    const bodies = [
      body(),
      body({ names: ['a', 'b'] }),
      body({ names: ['a', 'b'], status: 'resolved' }),
      body({ names: ['b'] }),
    ];
    await Promise.all([first, ...bodies.map((one) => intake.accept(one))]);
    expect(counted.transactions).toBeLessThanOrEqual(3);
    expect((await incidents()).filter(({ group_key }) => group_key === 'g')).toMatchObject([{ state: 'firing' }]);
    expect(await cards()).toHaveLength(2);
    expect(await queued()).toHaveLength(2);
    const { rows } = await store.db.query(
      `select e.kind from incident_events e join incidents i on i.id = incident_id where group_key = 'g' order by e.id`,
    );
    expect(rows.map((row) => (row as { kind: string }).kind)).toEqual([
      'opened',
      'alert-fired',
      'alert-fired',
      'alert-resolved',
      'alert-resolved',
      'resolved',
      'reopened',
      'alert-fired',
    ]);
  });

  test('do not fall with one that cannot be stored', async () => {
    const poison = (text: string, params: readonly unknown[]) =>
      text.includes('insert into incidents') && JSON.stringify(params).includes('poison')
        ? new Error('refused')
        : undefined;
    const warned: string[] = [];
    const { intake, incidents, cards } = await subject(poison, {
      ...silentLog,
      warn: (_, message) => warned.push(message),
    });
    const keys = ['a', 'b', 'poison', 'c', 'd'];
    const results = await settled(keys.map((key) => intake.accept(body({ key }))));
    expect(results).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect((await incidents()).map(({ group_key }) => group_key).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect(await cards()).toHaveLength(4);
    expect(warned).toHaveLength(1);
  });

  test('do not fall with one that is malformed', async () => {
    const { intake, incidents } = await subject();
    const results = await settled([
      intake.accept(body({ key: 'a' })),
      intake.accept('{'),
      intake.accept(body({ key: 'b' })),
    ]);
    expect(results).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await incidents()).toHaveLength(2);
  });

  test('at two processes make one incident of one group', async () => {
    const { intake, store, clock, incidents, cards, queued } = await subject();
    const other = createAlertIntake({
      db: store.another(),
      writer: createIncidentWriter(config),
      clock,
      log: silentLog,
    });
    const both = (key: string): Promise<void>[] => [intake, other].map((one: AlertIntake) => one.accept(body({ key })));
    await Promise.all(Array.from({ length: 20 }, (_, n) => both(`g${n}`)).flat());
    expect(new Set((await incidents()).map(({ group_key }) => group_key)).size).toBe(20);
    expect(await incidents()).toHaveLength(20);
    expect((await cards()).every(({ rev }) => rev === 1)).toBe(true);
    expect(await queued()).toHaveLength(20);
  });
});

describe('when the store is down', () => {
  test('everything is refused as passing, and accepted once it is back', async () => {
    let isDown = true;
    const down = () => (isDown ? Object.assign(new Error('down'), { code: 'ECONNREFUSED' }) : undefined);
    const { intake, incidents } = await subject(down);
    const refused = await Promise.allSettled(
      Array.from({ length: 5 }, (_, n) => intake.accept(body({ key: `g${n}` }))),
    );
    for (const result of refused) expect(result).toMatchObject({ status: 'rejected' });
    expect(await incidents()).toEqual([]);
    isDown = false;
    await intake.accept(body());
    expect(await incidents()).toHaveLength(1);
  });

  test('for good, the refusal is transient', async () => {
    const clock = createManualClock('2026-03-01T03:00:00Z');
    const gone = openDatabase({ url: 'postgresql://postgres@127.0.0.1:1/nobody', log: silentLog });
    onTestFinished(() => gone.close());
    const intake = createAlertIntake({ db: gone, writer: createIncidentWriter(config), clock, log: silentLog });
    await expect(intake.accept(body())).rejects.toMatchObject({ kind: 'transient' });
  });
});

test('a delivery that is under way does not swallow a change: the next one is queued beside it', async () => {
  const { intake, store, clock, queued, cards } = await subject();
  await intake.accept(body());
  const [taken] = await claimDue(store.db, { now: clock.now(), leaseMs: 60_000, limit: 1 });
  await intake.accept(body({ status: 'resolved' }));
  expect(await queued()).toHaveLength(1);
  await settleSent(store.db, taken!.id, clock.now(), 1);
  expect(await queued()).toHaveLength(1);
  expect(await cards()).toMatchObject([{ rev: 2 }]);
});
