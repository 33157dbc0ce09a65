import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../../src/core/log.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { createAlertmanager } from '../../src/integrations/alertmanager/alertmanager.ts';
import type { Alertmanager } from '../../src/integrations/alertmanager/port.ts';
import { startAlertmanagerSimulator } from '../../src/simulators/alertmanager/index.ts';
import { events, incident } from '../../src/store/incidents.ts';
import { createAlertWatch } from '../../src/tasks/alert-watch.ts';
import { createIncidentDesk } from '../../src/tasks/incidents.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';
import { configWith } from './support/shown.ts';
import { wayIn } from './support/way-in.ts';

const config = configWith();
const MINUTE = 60_000;

async function subject() {
  const clock = createManualClock('2026-03-01T03:00:00Z');
  const server = await startAlertmanagerSimulator(
    { webhook: { url: 'http://127.0.0.1:9/none' } },
    { clock, random: systemRandom, fetch: () => Promise.reject(new Error('nobody listens')) },
  );
  onTestFinished(() => server.stop());
  const { db } = await storeForTest();
  const port = createAlertmanager({ url: server.url }, { fetch, clock });
  const intake = wayIn({ db, writer: createIncidentWriter(config), clock });
  const watchOf = (alertmanager: Alertmanager) =>
    createAlertWatch({ db, clock, log: silentLog, writer: createIncidentWriter(config), alertmanager, config });
  const watch = watchOf(port);
  await clock.advance(10 * MINUTE);
  /** The webhook as Alertmanager would have sent it. */
  const told = async (alerts: readonly { name: string; fingerprint: string }[], more: object = {}): Promise<number> => {
    await intake.accept(
      JSON.stringify({
        groupKey: 'g',
        groupLabels: { alertname: 'A' },
        ...more,
        alerts: alerts.map(({ name, fingerprint }) => ({
          status: 'firing',
          fingerprint,
          labels: { alertname: 'A', instance: name },
        })),
      }),
    );
    const { rows } = await db.query("select id from incidents where group_key = 'g' and current");
    return z.object({ id: z.number() }).parse(rows[0]).id;
  };
  const fire = (name: string) => ({ name, fingerprint: server.fire({ alertname: 'A', instance: name }) });
  const round = () => watch.round(new AbortController().signal);
  return { clock, server, db, port, intake, told, fire, round, watchOf, desk: createIncidentDesk({ db, clock }) };
}

test('an alert that ends while it is silenced ends its incident, on the same card', async () => {
  const { clock, server, db, port, told, fire, round, desk } = await subject();
  const a = fire('a');
  const id = await told([a]);
  const until = new Date(clock.now().getTime() + 60 * MINUTE);
  const matchers = [{ name: 'alertname', value: 'A', isRegex: false, isEqual: true }];
  const silence = await port.createSilence({
    matchers,
    startsAt: clock.now(),
    endsAt: until,
    createdBy: 'anna',
    comment: 'c',
  });
  await desk.silenced(id, { id: silence, until, by: 'anna' }, 'anna');
  await clock.advance(3 * MINUTE);
  await round();
  expect(await incident(db, id)).toMatchObject({ state: 'firing' });
  server.resolve(a.fingerprint);
  await clock.advance(MINUTE);
  await round();
  expect(await incident(db, id)).toMatchObject({ state: 'resolved', resolvedAt: clock.now() });
  const { rows } = await db.query('select rev > 1 as wanted from cards');
  expect(rows).toEqual([{ wanted: true }]);
  expect((await events(db, id, 2)).map(({ kind }) => kind)).toEqual(['resolved', 'alert-resolved']);
});

test('one of two that has ended unseen is over, the other fires on', async () => {
  const { clock, server, db, told, fire, round } = await subject();
  const [a, b] = [fire('a'), fire('b')];
  const id = await told([a, b]);
  server.resolve(b.fingerprint);
  await clock.advance(3 * MINUTE);
  await round();
  const found = await incident(db, id);
  expect(found).toMatchObject({
    state: 'firing',
    data: { alerts: { [a.fingerprint]: { status: 'firing' }, [b.fingerprint]: { status: 'resolved' } } },
  });
});

test('the incident of another sender is left alone', async () => {
  const { clock, db, told, round } = await subject();
  const id = await told([{ name: 'grafana', fingerprint: 'ffffffffffffffff' }]);
  await clock.advance(60 * MINUTE);
  await round();
  await round();
  expect(await incident(db, id)).toMatchObject({ state: 'firing' });
});

test('one that was seen in Alertmanager before is ended, also by another process', async () => {
  const { clock, server, db, port, told, fire, round } = await subject();
  const a = fire('a');
  const id = await told([a]);
  await clock.advance(3 * MINUTE);
  await round();
  server.resolve(a.fingerprint);
  await clock.advance(MINUTE);
  await createAlertWatch({
    db,
    clock,
    log: silentLog,
    writer: createIncidentWriter(config),
    alertmanager: port,
    config,
  }).round(new AbortController().signal);
  expect(await incident(db, id)).toMatchObject({ state: 'resolved' });
});

test('nothing is ended while its webhook may be under way, or shortly after Alertmanager has started', async () => {
  const { clock, server, db, port, told, fire, round } = await subject();
  const a = fire('a');
  const id = await told([a]);
  await round();
  server.resolve(a.fingerprint);
  await clock.advance(MINUTE);
  await round();
  expect(await incident(db, id)).toMatchObject({ state: 'firing' });
  await clock.advance(5 * MINUTE);
  const young = { ...port, status: async () => ({ ...(await port.status()), startedAt: clock.now() }) };
  const watch = createAlertWatch({
    db,
    clock,
    log: silentLog,
    writer: createIncidentWriter(config),
    alertmanager: young,
    config,
  });
  await watch.round(new AbortController().signal);
  expect(await incident(db, id)).toMatchObject({ state: 'firing' });
  await round();
  expect(await incident(db, id)).toMatchObject({ state: 'resolved' });
});

test('what happens while Alertmanager answers is newer than its answer', async () => {
  const { clock, server, db, port, told, fire, round } = await subject();
  const a = fire('a');
  const id = await told([a]);
  await clock.advance(3 * MINUTE);
  await round();
  server.resolve(a.fingerprint);
  await clock.advance(3 * MINUTE);
  const slow = {
    ...port,
    alerts: async () => {
      const answer = await port.alerts();
      await told([a, { name: 'b', fingerprint: 'b'.repeat(16) }]);
      return answer;
    },
  };
  await createAlertWatch({
    db,
    clock,
    log: silentLog,
    writer: createIncidentWriter(config),
    alertmanager: slow,
    config,
  }).round(new AbortController().signal);
  expect(await incident(db, id)).toMatchObject({ state: 'firing' });
});

test('a silence that has run out is taken off the card, also while Alertmanager cannot be asked', async () => {
  const { clock, db, port, told, fire, round, watchOf, desk } = await subject();
  const id = await told([fire('a')]);
  const until = new Date(clock.now().getTime() + MINUTE);
  const made = await port.createSilence({
    matchers: [{ name: 'instance', value: 'a', isRegex: false, isEqual: true }],
    startsAt: clock.now(),
    endsAt: until,
    createdBy: 'anna',
    comment: 'c',
  });
  await desk.silenced(id, { id: made, until, by: 'anna' }, 'anna');
  await round();
  expect((await incident(db, id))?.silence).toBeDefined();
  await clock.advance(MINUTE);
  const away = () => Promise.reject(new Error('away'));
  await expect(watchOf({ ...port, alerts: away }).round(new AbortController().signal)).rejects.toThrow('away');
  expect((await incident(db, id))?.silence).toBeUndefined();
  expect((await events(db, id, 1))[0]).toMatchObject({ kind: 'silence-ended' });
});
