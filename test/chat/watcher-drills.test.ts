import { describe, expect, it } from 'vitest';
import drillCard from '../../src/bot/cards/drill.ts';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { minutes, seconds } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import type { PostedAlert } from '../../src/integrations/alertmanager/port.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { cardsOf } from '../../src/store/cards.ts';
import { between } from '../../src/store/incidents.ts';
import { ALERTMANAGER } from '../../src/tasks/incidents.ts';
import drillAlert from '../../src/tasks/operations/drill-alert.ts';
import drillSeen from '../../src/tasks/operations/drill-seen.ts';
import drills from '../../src/tasks/operations/drills.ts';
import { createRecoveryDesk, type RecoveryDesk } from '../../src/tasks/recovery/desk.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { createDrillDesk, createDrillWatch, type DrillDesk } from '../../src/tasks/watcher/drills.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shown, shownRun } from './support/shown.ts';

const OPERATIONS = [drillAlert, drillSeen, drills];
const texts = catalogue(allMessages);
const NONE = new AbortController().signal;

async function open(options: { readonly alertmanager?: boolean } = {}) {
  const config = configWith({
    chats: [{ id: 'ops', chat_id: -1001, topics: { alerts: 7 } }],
    drill: { chat: 'ops', topic: 'alerts', at: '11:00', answer_minutes: 30 },
    ...(options.alertmanager === false
      ? {}
      : { alertmanager: { url: 'http://127.0.0.1:9093', webhook_token: 'env:TOKEN' } }),
  });
  const ports: { drills?: DrillDesk; recovery?: RecoveryDesk } = {};
  const life = await openLife({ operations: OPERATIONS, ports });
  const { db, clock } = life;
  const writer = createIncidentWriter(config);
  const posted: PostedAlert[] = [];
  const alertmanager = {
    postAlerts: (alerts: readonly PostedAlert[]): Promise<void> => {
      posted.push(...alerts);
      return Promise.resolve();
    },
    alerts: () => {
      const at = clock.now();
      const more = { fingerprint: 'f', generatorURL: '', state: 'active' as const, silencedBy: [], inhibitedBy: [] };
      return Promise.resolve(
        posted.map(({ labels }) => ({ ...more, labels, annotations: {}, startsAt: at, endsAt: at })),
      );
    },
  };
  const shared = { db, clock, config, alertmanager, t: texts.for('ru') };
  ports.drills = createDrillDesk(shared);
  ports.recovery = createRecoveryDesk({ db, clock, log: silentLog, config, parts: undefined });
  const watch = createDrillWatch({ ...shared, writer, log: silentLog });
  const start = async (): Promise<string> => {
    const { id } = await life.requests.request(as('anna'), 'drill.alert', {});
    await life.deliver();
    const run = await life.run(id);
    expect(run.state).toBe('succeeded');
    return id;
  };
  /** Alertmanager sends what was posted to it, as it does. */
  const webhook = (...more: readonly string[]): Promise<void> => {
    const alerts = [
      ...posted.map(({ labels, endsAt, startsAt }) => ({
        status: endsAt && endsAt <= clock.now() ? 'resolved' : 'firing',
        labels,
        startsAt: startsAt?.toISOString(),
      })),
      ...more.map((alertname) => ({ status: 'firing', labels: { alertname, severity: 'warning' } })),
    ];
    const body = JSON.stringify({ version: '4', groupKey: 'drills', receiver: 'vakhta', alerts });
    const group = parseWebhook(body, clock.now());
    return db.tx((tx) => writer.apply(tx, ALERTMANAGER, [group], clock.now()));
  };
  const deliver = (id: string): Promise<unknown> =>
    db.query(
      `update cards set message_id = 5, delivered_rev = rev, delivered_at = $2, first_delivered_at = $2
       where kind = 'drill' and ref = $1`,
      [id, clock.now()],
    );
  const card = async (id: string) => {
    const [one] = await cardsOf(db, 'drill', id);
    if (!one) throw new Error('no card');
    return shown(
      async (context) => {
        const doc = await drillCard.render(context, one);
        if (doc === 'gone') throw new Error('gone');
        return doc;
      },
      life,
      OPERATIONS,
      clock.now(),
      config,
    );
  };
  const list = async () => {
    const { id } = await life.requests.request(as('vera'), 'drills', {});
    await life.deliver();
    return shownRun(await life.run(id), life, OPERATIONS, clock.now());
  };
  const press = async (who: string, id: string) => {
    const run = await life.requests.request(as(who), 'drill.seen', { drill: id });
    return life.run(run.id);
  };
  const incidents = async () =>
    (await between(db, new Date(0), new Date('2030-01-01'))).map(({ source, state, title }) => ({
      source,
      state,
      title,
    }));
  const state = async (id: string) => (await ports.drills?.get(id)) ?? undefined;
  return { life, db, clock, posted, watch, start, webhook, deliver, card, list, press, incidents, state };
}

describe('a drill', () => {
  it('goes through Alertmanager into the chat to a person, each leg timed, and is no incident', async () => {
    const { clock, posted, watch, start, webhook, deliver, card, list, press, incidents, state, db } = await open();
    expect((await list()).en.text).toContain('There was no drill yet');
    const id = await start();
    expect(posted).toMatchObject([{ labels: { alertname: 'VakhtaDrill', drill: id, severity: 'info' } }]);
    await clock.advance(seconds(16));
    await webhook();
    await webhook('HostDown');
    expect(await incidents()).toMatchObject([{ source: 'alertmanager', title: 'HostDown' }]);
    const waiting = await card(id);
    expect(waiting.en.text).toMatch(/DRILL #1 · press the button if you see this/);
    expect(waiting.ru.text).toContain('Ничего не горит');
    expect(waiting.ru.keyboard.flat().map(({ label }) => label)).toEqual(['👁 Вижу']);
    const { rows } = await db.query(`select chat_id, thread_id from cards where kind = 'drill'`);
    expect(rows).toEqual([{ chat_id: -1001, thread_id: 7 }]);
    await clock.advance(seconds(1));
    await deliver(id);
    await watch.round(NONE);
    await clock.advance(seconds(125));
    expect((await press('boris', id)).state).toBe('succeeded');
    await deliver(id);
    const done = await card(id);
    expect(done.en.text).toContain('DRILL #1 · passed');
    expect(done.en.text).toMatch(/Alertmanager → Vakhta: 16 s/);
    expect(done.en.text).toMatch(/Vakhta → chat: 1\.0 s/);
    expect(done.en.text).toMatch(/Answer: 2 min 5 s · Boris/);
    expect(done.en.keyboard).toEqual([]);
    // Its alert has served.
    await watch.round(NONE);
    await watch.round(NONE);
    expect(posted.slice(1)).toMatchObject([{ labels: { drill: id }, endsAt: clock.now() }]);
    await webhook();
    expect(await incidents()).toHaveLength(1);
    expect(await state(id)).toMatchObject({ state: 'passed', pressedBy: 'boris' });
    const table = await list();
    expect(table.en.text).toContain('Drills · the last one passed');
    expect(table.en.text).toContain('Alert to chat: 17 s (median of 1)');
    expect(table.ru.text).toContain('в чате через 17 с, ответ через 2 мин 5 с');
  });

  it('is answered by one person; the next is told who it was', async () => {
    const { start, webhook, press } = await open();
    const id = await start();
    await webhook();
    expect((await press('anna', id)).state).toBe('succeeded');
    expect((await press('anna', id)).state).toBe('succeeded');
    expect(await press('boris', id)).toMatchObject({ state: 'failed', error: { code: 'drill-answered' } });
    expect(await press('boris', '00000000-0000-7000-8000-000000000000')).toMatchObject({
      state: 'failed',
      error: { code: 'no-drill' },
    });
  });

  it('that nobody answers is amber, not an incident; a late answer is noted as late', async () => {
    const { clock, watch, start, webhook, deliver, card, list, press, incidents, state } = await open();
    const id = await start();
    await webhook();
    await deliver(id);
    await watch.round(NONE);
    await clock.advance(minutes(31));
    await watch.round(NONE);
    expect(await state(id)).toMatchObject({ state: 'failed', failedLeg: 'pressed' });
    expect(await incidents()).toEqual([]);
    expect((await card(id)).en.text).toMatch(/WARNING.*DRILL #1 · nobody answered in time/);
    expect((await list()).ru.text).toContain('никто не ответил');
    expect((await press('anna', id)).state).toBe('succeeded');
    expect((await card(id)).en.text).toContain('Answer: 31 min (late) · Anna');
    expect(await state(id)).toMatchObject({ state: 'failed', failedLeg: 'pressed', pressedBy: 'anna' });
  });

  it('that does not come back is an incident, ended by the next that comes through', async () => {
    const { clock, watch, start, webhook, deliver, incidents, state, posted } = await open();
    const first = await start();
    await clock.advance(minutes(5));
    await watch.round(NONE);
    expect(await incidents()).toEqual([]);
    await clock.advance(seconds(1));
    await watch.round(NONE);
    await watch.round(NONE);
    expect(await state(first)).toMatchObject({ state: 'failed', failedLeg: 'received' });
    const lost = { source: 'vakhta', state: 'firing' };
    expect(await incidents()).toMatchObject([
      { ...lost, title: expect.stringContaining('за 5 мин не вернулся') as string },
    ]);
    posted.length = 0;
    const second = await start();
    await watch.round(NONE);
    expect(await incidents()).toMatchObject([lost]);
    await webhook();
    await deliver(second);
    await watch.round(NONE);
    expect(await incidents()).toMatchObject([{ source: 'vakhta', state: 'resolved' }]);
  });

  it('that cannot be shown is an incident', async () => {
    const { clock, watch, start, webhook, incidents } = await open();
    await start();
    await webhook();
    await clock.advance(minutes(6));
    await watch.round(NONE);
    expect(await incidents()).toMatchObject([{ title: expect.stringContaining('не удалось показать') as string }]);
  });

  it('begins where webhooks are applied when there is no Alertmanager', async () => {
    const { start, card, posted, state, watch, press } = await open({ alertmanager: false });
    const id = await start();
    expect((await card(id)).en.text).toMatch(/Vakhta itself: 0 ms/);
    await press('anna', id);
    await watch.round(NONE);
    expect(posted).toEqual([]);
    expect((await state(id))?.endedAt).toBeDefined();
  });

  it('whose worker died is found by its alert, and not sent as another', async () => {
    const { life, posted, db } = await open();
    const { id } = await life.requests.request(as('anna'), 'drill.alert', {});
    await life.deliver();
    await db.query(`update runs set state = 'reconciling', finished_at = null, result = null where id = $1`, [id]);
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', result: { number: 1 } });
    expect(posted).toHaveLength(1);
  });

  it('of somebody else is an alert as any other', async () => {
    const { posted, webhook, incidents } = await open();
    posted.push({ labels: { alertname: 'VakhtaDrill', drill: 'made-up', severity: 'info' } });
    await webhook();
    expect(await incidents()).toMatchObject([{ source: 'alertmanager', title: 'VakhtaDrill' }]);
  });
});
