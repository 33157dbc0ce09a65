import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { VakhtaError } from '../../src/core/error.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Actor, Operator, Role } from '../../src/core/people.ts';
import { systemRandom } from '../../src/core/random.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createIncidentWriter, type WriterConfig } from '../../src/tasks/watch/writer.ts';
import { createAlertmanager } from '../../src/integrations/alertmanager/alertmanager.ts';
import type { Alertmanager } from '../../src/integrations/alertmanager/port.ts';
import { startAlertmanagerSimulator } from '../../src/simulators/alertmanager/index.ts';
import { events, incident } from '../../src/store/incidents.ts';
import { moveRun } from '../../src/store/run-steps.ts';
import { run as findRun, type Run } from '../../src/store/runs.ts';
import { createIncidentDesk } from '../../src/tasks/incidents.ts';
import { createExecutor } from '../../src/tasks/lifecycle/executor.ts';
import { createRequests } from '../../src/tasks/lifecycle/requests.ts';
import ack from '../../src/tasks/operations/ack.ts';
import silence from '../../src/tasks/operations/silence.ts';
import unack from '../../src/tasks/operations/unack.ts';
import unsilence from '../../src/tasks/operations/unsilence.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import { createSilenceDesk } from '../../src/tasks/silences/desk.ts';
import { createTargetNames } from '../../src/tasks/silences/names.ts';
import { startAlertmanager, withComponents } from '../support/components/index.ts';
import { storeForTest } from '../support/store.ts';
import { configWith } from './support/shown.ts';
import { wayIn } from './support/way-in.ts';

const person = (id: string, role: Role): Operator => ({
  id,
  name: id.toUpperCase(),
  telegramId: id.length,
  role,
  language: 'ru',
  zone: 'Europe/Moscow',
  hasTotp: false,
});
const PEOPLE = new Map(
  [person('anna', 'operator'), person('boris', 'operator'), person('vera', 'viewer')].map((one) => [one.id, one]),
);
const by = (id: string): Actor => ({ kind: 'operator', id });
const POLICY = { solo: false, confirmMinutes: 5, approveMinutes: 5, soloDelayMinutes: 1 };
const config = {
  chats: [{ id: 'ops', chatId: -100, topics: {} }],
  routes: [{ chat: 'ops' }],
  policy: { incidentReopenMinutes: 10 },
} as unknown as WriterConfig;

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

const simulator = (): Promise<Server> =>
  startAlertmanagerSimulator(
    { webhook: { url: 'http://127.0.0.1:9/none' } },
    { clock: systemClock, random: systemRandom, fetch: () => Promise.reject(new Error('nobody listens')) },
  );

/** Life cycle, database and Alertmanager together. Runs that are queued wait until they are worked off. */
async function subject(
  start: () => Promise<Server>,
  change: (port: Alertmanager) => Partial<Alertmanager> = () => ({}),
) {
  const server = await start();
  onTestFinished(() => server.stop());
  const { db } = await storeForTest();
  const clock = systemClock;
  const real = createAlertmanager({ url: server.url }, { fetch, clock });
  const port: Alertmanager = { ...real, ...change(real) };
  const operations = new Map([ack, unack, silence, unsilence].map((one) => [one.name, one]));
  const people = (id: string) => PEOPLE.get(id);
  const queue: string[] = [];
  const enqueue = async (run: Run): Promise<void> => void queue.push(run.id);
  const ports = {
    alertmanager: port,
    incidents: createIncidentDesk({ db, clock }),
    silences: createSilenceDesk({
      db,
      clock,
      zone: 'Europe/Moscow',
      names: createTargetNames(db, configWith()),
      nameOf: (by) => by,
    }),
  } as unknown as Ports;
  const worker = (name: string) =>
    createExecutor({
      db,
      operations,
      ports,
      people,
      clock,
      enqueue,
      policy: POLICY,
      random: systemRandom,
      log: silentLog,
      worker: name,
      stepUp: { match: () => Promise.resolve(undefined) },
    });
  const executor = worker('w1');
  const requests = createRequests({
    db,
    operations,
    people,
    clock,
    enqueue,
    policy: POLICY,
    random: systemRandom,
    log: silentLog,
    processInline: (runId) => executor.process(runId),
  });
  const intake = wayIn({ db, writer: createIncidentWriter(config), clock });
  /** Runs that somebody works off already: who asked at the same time waits for the end of those, too. */
  const inHand = new Set<Promise<void>>();
  const workOff = async (): Promise<void> => {
    while (queue.length + inHand.size > 0) {
      for (const id of queue.splice(0)) {
        const one: Promise<void> = executor.process(id).finally(() => inHand.delete(one));
        inHand.add(one);
      }
      await Promise.all(inHand);
    }
  };
  return {
    db,
    port: real,
    requests,
    executor,
    worker,
    workOff,
    fires: async (labels: readonly Record<string, string>[], more: Record<string, unknown> = {}): Promise<number> => {
      const groupKey = randomUUID();
      const alerts = labels.map((one) => ({ status: 'firing', labels: one }));
      await intake.accept(JSON.stringify({ groupKey, alerts, ...more }));
      const { rows } = await db.query('select id from incidents where group_key = $1', [groupKey]);
      return (rows[0] as { id: number }).id;
    },
    ends: async (id: number): Promise<void> => {
      await db.query(`update incidents set state = 'resolved', resolved_at = now() where id = $1`, [id]);
    },
    asks: async (who: string, operation: string, args: Record<string, unknown>): Promise<Run> => {
      const asked = await requests.request(by(who), operation, args, {
        origin: { incident: Number(args['incident']) },
      });
      await workOff();
      return (await findRun(db, asked.id))!;
    },
    shown: async (id: number) => (await incident(db, id))!,
    history: async (id: number) =>
      (await events(db, id, 100)).map(({ kind, actor }) => `${kind} ${actor ?? ''}`.trim()).toReversed(),
    active: async () => (await real.silences()).filter(({ state }) => state === 'active'),
  };
}

describe('taking an incident on', () => {
  test('gives it an owner, written into its history', async () => {
    const { fires, asks, shown, history } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }]);
    expect(await asks('anna', 'ack', { incident: id })).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(await shown(id)).toMatchObject({ owner: 'anna', ackedAt: expect.any(Date) });
    expect(await history(id)).toEqual(['opened', 'alert-fired', 'acknowledged anna']);
  });

  test('at the same time, one wins, and the other is told who', async () => {
    const { fires, asks, shown, history } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }]);
    const runs = await Promise.all(['anna', 'boris'].map((who) => asks(who, 'ack', { incident: id })));
    const { owner } = await shown(id);
    const [won, lost] = runs.toSorted((a) => (a.state === 'succeeded' ? -1 : 1));
    expect(won).toMatchObject({ state: 'succeeded', actor: { id: owner } });
    expect(lost).toMatchObject({ state: 'failed', error: { code: 'incident-owned', args: { owner } } });
    expect((await history(id)).filter((line) => line.startsWith('acknowledged'))).toHaveLength(1);
  });

  test('twice is once', async () => {
    const { fires, asks, history } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }]);
    await asks('anna', 'ack', { incident: id });
    expect(await asks('anna', 'ack', { incident: id })).toMatchObject({ state: 'succeeded' });
    expect((await history(id)).filter((line) => line.startsWith('acknowledged'))).toHaveLength(1);
  });

  test('is too late when it is over, and needs the role', async () => {
    const { fires, ends, asks, shown } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }]);
    await expect(asks('vera', 'ack', { incident: id })).rejects.toMatchObject({ kind: 'denied' });
    await ends(id);
    expect(await asks('anna', 'ack', { incident: id })).toMatchObject({
      state: 'failed',
      error: { code: 'incident-over' },
    });
    expect(await asks('anna', 'ack', { incident: 999 })).toMatchObject({
      state: 'failed',
      error: { code: 'no-incident' },
    });
    expect((await shown(id)).owner).toBeUndefined();
  });

  test('is taken back by its owner only', async () => {
    const { fires, asks, shown } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }]);
    await asks('anna', 'ack', { incident: id });
    expect(await asks('boris', 'unack', { incident: id })).toMatchObject({ error: { code: 'incident-not-yours' } });
    expect((await shown(id)).owner).toBe('anna');
    expect(await asks('anna', 'unack', { incident: id })).toMatchObject({ state: 'succeeded' });
    expect((await shown(id)).owner).toBeUndefined();
  });
});

function silencing(start: () => Promise<Server>): void {
  test('makes a silence of just this incident, and ends it', async () => {
    const { fires, asks, shown, active, history } = await subject(start);
    const alertname = `A${randomUUID()}`;
    const id = await fires([
      { alertname, instance: 'a', job: 'node' },
      { alertname, instance: 'b', job: 'node' },
    ]);
    const before = Date.now();
    const run = await asks('anna', 'silence', { incident: id, duration: '4h' });
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    const [made, ...others] = await active();
    expect(others).toEqual([]);
    expect(made?.matchers).toEqual(
      Object.entries({ alertname, job: 'node' }).map(([name, value]) => ({
        name,
        value,
        isRegex: false,
        isEqual: true,
      })),
    );
    expect(made).toMatchObject({ createdBy: 'anna', comment: expect.stringContaining(`run ${run.id}`) });
    const lasts = (made?.endsAt.getTime() ?? 0) - before;
    expect(Math.abs(lasts - 4 * 3_600_000)).toBeLessThan(60_000);
    expect((await shown(id)).silence).toMatchObject({ id: made?.id, by: 'anna' });

    expect(await asks('boris', 'unsilence', { incident: id })).toMatchObject({
      state: 'succeeded',
      verified: { ok: true },
    });
    expect(await active()).toEqual([]);
    expect((await shown(id)).silence).toBeUndefined();
    expect((await history(id)).slice(-2)).toEqual(['silenced anna', 'unsilenced boris']);
  });

  test('again takes the place of the first silence, so that one press ends all of it', async () => {
    const { fires, asks, shown, active } = await subject(start);
    const id = await fires([{ alertname: `A${randomUUID()}` }]);
    await asks('anna', 'silence', { incident: id, duration: '1h' });
    await asks('boris', 'silence', { incident: id, duration: '24h' });
    const now = await active();
    expect(now).toHaveLength(1);
    expect((await shown(id)).silence).toMatchObject({ id: now[0]?.id, by: 'boris' });
    await asks('anna', 'unsilence', { incident: id });
    expect(await active()).toEqual([]);
  });

  test('by two at once leaves one silence, the one that is shown', async () => {
    const { fires, asks, shown, active, workOff } = await subject(start);
    const id = await fires([{ alertname: `A${randomUUID()}` }]);
    await Promise.all(['anna', 'boris'].map((who) => asks(who, 'silence', { incident: id })));
    await workOff();
    const now = await active();
    expect(now).toHaveLength(1);
    expect((await shown(id)).silence).toMatchObject({ id: now[0]?.id });
  });

  test('that is ended in Alertmanager meanwhile is ended here too', async () => {
    const { fires, asks, shown, active, port } = await subject(start);
    const id = await fires([{ alertname: `A${randomUUID()}` }]);
    await asks('anna', 'silence', { incident: id });
    const [made] = await active();
    await port.expireSilence(made!.id);
    expect(await asks('anna', 'unsilence', { incident: id })).toMatchObject({ state: 'succeeded' });
    expect((await shown(id)).silence).toBeUndefined();
    expect(await asks('anna', 'unsilence', { incident: id })).toMatchObject({ error: { code: 'not-silenced' } });
  });

  test('whose worker died after the silence was made is found by its comment, and not made twice', async () => {
    let die = true;
    const { fires, db, requests, executor, worker, shown, active } = await subject(start, (real) => ({
      createSilence: async (given, signal) => {
        const id = await real.createSilence(given, signal);
        if (!die) return id;
        die = false;
        // A worker that was killed neither goes on nor says anything.
        return new Promise<string>(() => {});
      },
    }));
    const id = await fires([{ alertname: `A${randomUUID()}` }]);
    const asked = await requests.request(by('anna'), 'silence', { incident: id });
    void executor.process(asked.id);
    await expect.poll(active).toHaveLength(1);
    expect((await shown(id)).silence).toBeUndefined();
    await db.tx((tx) => moveRun(tx, asked.id, 'running', 'reconciling', {}, new Date()));
    await worker('w2').process(asked.id);
    expect(await findRun(db, asked.id)).toMatchObject({ state: 'succeeded' });
    const now = await active();
    expect(now).toHaveLength(1);
    expect((await shown(id)).silence).toMatchObject({ id: now[0]?.id, by: 'anna' });
  });

  test('whose worker died before is done again', async () => {
    const { fires, db, requests, executor, active, workOff } = await subject(start);
    const id = await fires([{ alertname: `A${randomUUID()}` }]);
    const asked = await requests.request(by('anna'), 'silence', { incident: id });
    await executor.process(asked.id);
    const [made] = await active();
    expect(made).toBeDefined();
    const other = await requests.request(by('anna'), 'silence', { incident: id });
    await db.query(
      `update runs set state = 'reconciling', plan = (select plan from runs where id = $2) where id = $1`,
      [other.id, asked.id],
    );
    await executor.process(other.id);
    await workOff();
    expect(await findRun(db, other.id)).toMatchObject({ state: 'succeeded' });
    expect((await active()).map(({ comment }) => comment.includes(other.id))).toEqual([true]);
  });

  test('whose answer was lost is found, and succeeds', async () => {
    const { fires, asks, shown, active } = await subject(start, (real) => ({
      createSilence: async (given, signal) => {
        await real.createSilence(given, signal);
        throw new VakhtaError('transient', 'alertmanager-unreachable', 'socket hang up');
      },
    }));
    const id = await fires([{ alertname: `A${randomUUID()}` }]);
    expect(await asks('anna', 'silence', { incident: id })).toMatchObject({ state: 'succeeded' });
    const now = await active();
    expect(now).toHaveLength(1);
    expect((await shown(id)).silence).toMatchObject({ id: now[0]?.id });
  });

  test('of alerts with several names is narrowed to those names', async () => {
    const { fires, asks, active, port } = await subject(start);
    const host = randomUUID();
    const id = await fires([
      { alertname: 'Disk.Full', host },
      { alertname: 'Load(1)', host },
    ]);
    expect(await asks('anna', 'silence', { incident: id })).toMatchObject({ state: 'succeeded' });
    await port.postAlerts(
      ['Disk.Full', 'Load(1)', 'DiskXFull', 'Other'].map((alertname) => ({ labels: { alertname, host } })),
    );
    const matchers = [{ name: 'host', value: host, isRegex: false, isEqual: true }];
    const muted = (await port.alerts({ matchers })).map(({ labels, silencedBy }) => [
      labels['alertname'],
      silencedBy.length,
    ]);
    expect(Object.fromEntries(muted)).toEqual({ 'Disk.Full': 1, 'Load(1)': 1, DiskXFull: 0, Other: 0 });
    expect(await active()).toHaveLength(1);
  });
}

describe('a silence, with the simulator', () => {
  silencing(simulator);
});
withComponents(['alertmanager'], () => {
  describe('a silence', () => {
    silencing(() => startAlertmanager({ webhookUrl: 'http://127.0.0.1:9/none' }));
  });
});

describe('a silence is refused', () => {
  test('when nothing tells the incident from others', async () => {
    const { fires, asks, active, shown } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }, { alertname: 'B' }]);
    expect(await asks('anna', 'silence', { incident: id })).toMatchObject({
      state: 'failed',
      error: { code: 'silence-match-all' },
    });
    expect(await active()).toEqual([]);
    expect((await shown(id)).silence).toBeUndefined();
  });

  test('when alerts were left out and the group has no labels of its own', async () => {
    const { fires, asks } = await subject(simulator);
    const id = await fires([{ alertname: 'A', host: 'x' }], { truncatedAlerts: 3 });
    expect(await asks('anna', 'silence', { incident: id })).toMatchObject({ error: { code: 'silence-match-all' } });
  });

  test('but not when the group has some: those cover the alerts left out', async () => {
    const { fires, asks, active } = await subject(simulator);
    const id = await fires([{ alertname: 'A', host: 'x', disk: '1' }], {
      truncatedAlerts: 3,
      groupLabels: { host: 'x' },
    });
    expect(await asks('anna', 'silence', { incident: id })).toMatchObject({ state: 'succeeded' });
    expect((await active())[0]?.matchers).toEqual([{ name: 'host', value: 'x', isRegex: false, isEqual: true }]);
  });

  test('when the incident is over, and to who lacks the role', async () => {
    const { fires, ends, asks, active } = await subject(simulator);
    const id = await fires([{ alertname: 'A' }]);
    await expect(asks('vera', 'silence', { incident: id })).rejects.toMatchObject({ kind: 'denied' });
    await ends(id);
    expect(await asks('anna', 'silence', { incident: id })).toMatchObject({ error: { code: 'incident-over' } });
    expect(await active()).toEqual([]);
  });
});
