import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Log } from '../../src/core/log.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Reducer } from '../../src/tasks/watch/reducer.ts';
import { createIncidentWriter, type WriterConfig } from '../../src/tasks/watch/writer.ts';
import { type Database, openDatabase, type Queryable } from '../../src/store/db.ts';
import { claimDue, settleSent } from '../../src/store/outbox.ts';
import { appendWebhooks, webhookBacklog } from '../../src/store/webhook-log.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';
import { wayIn } from './support/way-in.ts';

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
    ...watch(db),
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
  const intake = wayIn({ db, writer: createIncidentWriter(config), clock, log });
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

/** The reducer's loop, until `stop`. */
function runs(reducer: Reducer, clock: ManualClock) {
  const stopping = new AbortController();
  const ended = reducer.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await clock.advance(0);
    await ended;
  };
  onTestFinished(stop);
  return { stop };
}

/** A promise, and what fulfils it. */
function gate(): [Promise<void>, () => void] {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [opened, open];
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
  test('share statements, and then one transaction with the same number of statements, however many they are', async () => {
    const { intake, counted, incidents, cards, queued } = await subject();
    await intake.keep(body({ key: 'warm' }));
    counted.statements = 0;
    await intake.reducer.drain();
    const single = counted.statements;
    counted.statements = 0;
    counted.transactions = 0;
    await Promise.all(Array.from({ length: 60 }, (_, n) => intake.keep(body({ key: `g${n}` }))));
    // The first ones go at once; all others wait for them, and go together. Each statement has its notification.
    expect(counted.transactions).toBe(0);
    expect(counted.statements).toBeLessThanOrEqual(16);
    expect(await incidents()).toHaveLength(1);
    counted.statements = 0;
    await intake.reducer.drain();
    // The one that does the work, and the one that finds nothing more.
    expect(counted.transactions).toBe(2);
    expect(counted.statements).toBe(single);
    expect(await incidents()).toHaveLength(61);
    expect(await cards()).toHaveLength(61);
    expect(await queued()).toHaveLength(61);
  });

  test('of one group are applied in their order, and shown by one card', async () => {
    const { intake, counted, incidents, cards, queued, store } = await subject();
    const first = intake.keep(body({ key: 'other' }));
    const bodies = [
      body(),
      body({ names: ['a', 'b'] }),
      body({ names: ['a', 'b'], status: 'resolved' }),
      body({ names: ['b'] }),
    ];
    await Promise.all([first, ...bodies.map((one) => intake.keep(one))]);
    await intake.reducer.drain();
    expect(counted.transactions).toBe(2);
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

  test('and come to light in another order, because a commit was held up, leave what was told last', async () => {
    const { intake, incidents, store, clock } = await subject();
    await intake.accept(body());
    // Its sender was told nothing and gave it up; the disk holds the commit, while the next one is answered and applied.
    const [inserted, tellInserted] = gate();
    const [held, release] = gate();
    const late = store.another(1).tx(async (tx) => {
      await appendWebhooks(tx, [body({ names: ['a', 'b'] }), body({ key: 'other' })], clock.now());
      tellInserted();
      await held;
    });
    await inserted;
    await intake.accept(body({ status: 'resolved' }));
    expect(await incidents()).toMatchObject([{ group_key: 'g', state: 'resolved' }]);
    release();
    await late;
    await intake.reducer.drain();
    expect(await incidents()).toMatchObject([
      { group_key: 'g', state: 'resolved' },
      { group_key: 'other', state: 'firing' },
    ]);
    expect(await webhookBacklog(store.db, clock.now())).toMatchObject({ waiting: 0, setAside: 0 });
    await intake.accept(body());
    expect(await incidents()).toMatchObject([{ group_key: 'g', state: 'firing' }, {}]);
  });

  test('do not fall with one that cannot be applied: it is set aside after three attempts, and an incident says so', async () => {
    const poison = (text: string, params: readonly unknown[]) =>
      text.includes('insert into incidents') && JSON.stringify(params).includes('poison')
        ? new Error('refused')
        : undefined;
    const warned: string[] = [];
    const { intake, incidents, cards, store, clock } = await subject(poison, {
      ...silentLog,
      warn: (_, message) => warned.push(message),
    });
    await Promise.all(['a', 'b', 'poison', 'c', 'd'].map((key) => intake.keep(body({ key }))));
    await intake.reducer.drain();
    const keys = (await incidents()).map(({ group_key }) => group_key).toSorted();
    expect(keys).toEqual(['a', 'b', 'c', 'd', 'webhooks-set-aside']);
    expect(await cards()).toHaveLength(5);
    expect(warned).toHaveLength(4);
    expect(await webhookBacklog(store.db, clock.now())).toEqual({ waiting: 0, oldestMs: 0, setAside: 1 });
    const { rows } = await store.db.query('select attempts, error, body from webhook_log');
    expect(rows).toEqual([{ attempts: 3, error: 'refused', body: body({ key: 'poison' }) }]);
    // It ends by itself when nothing more was set aside.
    const own = async () => (await incidents()).find(({ group_key }) => group_key === 'webhooks-set-aside');
    const { stop } = runs(intake.reducer, clock);
    await intake.accept(body({ key: 'e' }));
    expect(await own()).toMatchObject({ state: 'firing', severity: 'critical' });
    await clock.advance(4 * 3_600_000);
    // The loop may have been at work just then: what it goes to sleep for afterwards has to pass too.
    const later = async () => {
      await clock.advance(60_000);
      return (await own())?.state;
    };
    await expect.poll(later).toBe('resolved');
    await stop();
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
    const other = wayIn({ db: store.another(), writer: createIncidentWriter(config), clock });
    const both = (key: string): Promise<void>[] => [intake, other].map((one) => one.keep(body({ key })));
    await Promise.all(Array.from({ length: 20 }, (_, n) => both(`g${n}`)).flat());
    // The old leader of the reducer does not know yet that there is a new one.
    await Promise.all([intake.reducer.drain(), other.reducer.drain()]);
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
    const intake = wayIn({ db: gone, writer: createIncidentWriter(config), clock });
    await expect(intake.accept(body())).rejects.toMatchObject({ kind: 'transient' });
  });
});

test('a delivery that is under way does not swallow a change: the next one is queued beside it', async () => {
  const { intake, store, clock, queued, cards } = await subject();
  await intake.accept(body());
  const [taken] = await claimDue(store.db, { now: clock.now(), leaseMs: 60_000, limit: 1 });
  await intake.accept(body({ status: 'resolved' }));
  expect(await queued()).toHaveLength(1);
  await settleSent(store.db, taken!, clock.now(), 1);
  expect(await queued()).toHaveLength(1);
  expect(await cards()).toMatchObject([{ rev: 2 }]);
});

describe('the reducer', () => {
  test('is woken by what this process accepts, and by what another one does', async () => {
    const { intake, store, clock, incidents } = await subject();
    runs(intake.reducer, clock);
    await expect.poll(() => intake.reducer.wake()).toBe(true);
    await intake.keep(body({ key: 'here' }));
    await expect.poll(async () => (await incidents()).length).toBe(1);
    const other = wayIn({ db: store.another(), writer: createIncidentWriter(config), clock });
    await other.keep(body({ key: 'there' }));
    await expect.poll(async () => (await incidents()).length).toBe(2);
  });

  test('finishes its batch when it is stopped, and leaves the rest in the log', async () => {
    let hold = (): void => {};
    const held = new Promise<void>((resolve) => (hold = resolve));
    let reached = (): void => {};
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    const { intake, clock, incidents, store } = await subject();
    const slow = wayIn({
      db: store.db,
      clock,
      writer: {
        ...createIncidentWriter(config),
        apply: async (...given) => {
          reached();
          await held;
          await createIncidentWriter(config).apply(...given);
        },
      },
    });
    await intake.keep(body({ key: 'first' }));
    const stopping = new AbortController();
    const ended = slow.reducer.run(stopping.signal);
    await isReached;
    await intake.keep(body({ key: 'second' }));
    stopping.abort();
    hold();
    await ended;
    expect((await incidents()).map(({ group_key }) => group_key)).toEqual(['first']);
    expect(await webhookBacklog(store.db, clock.now())).toMatchObject({ waiting: 1, setAside: 0 });
  });

  test('applies each webhook once, also when it fails in the middle', async () => {
    let failing = true;
    const { intake, incidents, cards, store } = await subject((text) =>
      failing && text.includes('into incident_events')
        ? Object.assign(new Error('down'), { code: '57P01' })
        : undefined,
    );
    await intake.keep(body());
    await expect(intake.reducer.drain()).rejects.toMatchObject({ code: '57P01' });
    expect(await incidents()).toEqual([]);
    failing = false;
    await intake.reducer.drain();
    await intake.reducer.drain();
    expect(await incidents()).toHaveLength(1);
    expect(await cards()).toMatchObject([{ rev: 1 }]);
    expect((await store.db.query('select from webhook_log')).rowCount).toBe(0);
  });

  test('keeps the order of a group over the batches of a long backlog, and takes no more text at once than it should', async () => {
    const { intake, incidents, clock, store } = await subject();
    for (let n = 0; n < 300; n += 1) {
      await intake.keep(body({ status: n % 2 === 0 ? 'firing' : 'resolved', labels: { n: String(n) } }));
    }
    const long = 'x'.repeat(3_000_000);
    await Promise.all([1, 2, 3, 4].map((n) => intake.keep(body({ key: `long${n}`, labels: { long } }))));
    expect(await webhookBacklog(store.db, clock.now())).toMatchObject({ waiting: 304 });
    await intake.reducer.drain();
    const found = await incidents();
    expect(found.filter(({ group_key }) => group_key === 'g')).toMatchObject([{ state: 'resolved' }]);
    expect(found).toHaveLength(5);
  });
});
