import { describe, expect, it } from 'vitest';
import incidentCard from '../../src/bot/cards/incident.ts';
import { render } from '../../src/bot/render.ts';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { minutes } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { cardsOf } from '../../src/store/cards.ts';
import { between } from '../../src/store/incidents.ts';
import { heartbeat } from '../../src/store/processes.ts';
import { ALERTMANAGER } from '../../src/tasks/incidents.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { createWatchdog } from '../../src/tasks/watcher/watchdog.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';
import { configWith } from './support/shown.ts';

const NONE = new AbortController().signal;
const texts = catalogue(allMessages);

interface Chain {
  /** undefined: it does not answer. */
  alertmanager?: readonly { readonly labels: Record<string, string>; readonly state: 'active' | 'suppressed' }[];
  prometheus?: readonly { readonly labels: Record<string, string>; readonly state: string }[];
}

async function open() {
  const { db } = await storeForTest();
  const clock = createManualClock('2026-11-23T09:00:00Z');
  const config = configWith({ watchdog: { match: { alertname: 'Watchdog' }, missing_minutes: 5 } });
  const writer = createIncidentWriter(config);
  const chain: Chain = {};
  const at = clock.now();
  const filled = { annotations: {}, generatorURL: '', silencedBy: [], inhibitedBy: [], startsAt: at, endsAt: at };
  const away = (): Promise<never> => Promise.reject(new Error('away'));
  const make = () => {
    const { watchdog } = config;
    if (!watchdog) throw new Error('no watchdog in the configuration');
    return createWatchdog({
      db,
      clock,
      log: silentLog,
      writer,
      config: watchdog,
      t: texts.for('ru'),
      alertmanager: {
        alerts: () =>
          chain.alertmanager
            ? Promise.resolve(chain.alertmanager.map((one) => ({ ...filled, ...one, fingerprint: 'f' })))
            : away(),
      },
      prometheus: {
        alerts: () =>
          chain.prometheus
            ? Promise.resolve(chain.prometheus.map((one) => ({ annotations: {}, activeAt: at, value: 1, ...one })))
            : away(),
      },
    });
  };
  const alive = (id = 'bot1') => heartbeat(db, { id, role: 'start', version: '0' }, clock.now());
  await alive();
  const watchdog = make();
  const round = async (id?: string): Promise<void> => {
    await alive(id);
    await watchdog.round(NONE);
  };
  const arrives = async (...names: readonly string[]): Promise<void> => {
    const alerts = names.map((alertname) => ({ status: 'firing', labels: { alertname, severity: 'warning' } }));
    const group = parseWebhook(JSON.stringify({ version: '4', groupKey: names.join(), alerts }), clock.now());
    await db.tx((tx) => writer.apply(tx, ALERTMANAGER, [group], clock.now()));
  };
  const incidents = async () =>
    (await between(db, new Date(0), new Date('2030-01-01'))).map(({ source, state, severity, title, data }) => ({
      source,
      state,
      severity,
      title,
      why: JSON.stringify(data).match(/"why":"(\w+)"/)?.[1],
    }));
  /** The card of the newest incident, as it is drawn in a chat of this language. */
  const drawn = async (language: 'en' | 'ru'): Promise<string> => {
    const [row] = (await between(db, new Date(0), new Date('2030-01-01'))).toReversed();
    const [card] = row ? await cardsOf(db, 'incident', String(row.id)) : [];
    if (!card) throw new Error('no card');
    const reader = { t: texts.for(language), zone: 'Europe/Moscow', now: clock.now() };
    const context = { q: db, ...reader, language, config, operations: new Map(), people: () => undefined };
    const doc = await incidentCard.render(context, card);
    return doc === 'gone' ? doc : render(doc, reader).text;
  };
  const cards = async () => (await db.query(`select kind, ref from cards order by created_at`)).rows.length;
  return { clock, chain, round, arrives, incidents, cards, drawn };
}

describe('the Watchdog', () => {
  it('is told missing in the language of each reader, also when it is back', async () => {
    const { clock, chain, round, arrives, drawn } = await open();
    await arrives('Watchdog');
    await clock.advance(minutes(6));
    chain.prometheus = [];
    await round();
    expect(await drawn('en')).toMatch(/CRITICAL · Alerts do not arrive[\s\S]*Alertmanager cannot be reached/);
    expect(await drawn('ru')).toMatch(/КРИТИЧНО · Алерты не приходят[\s\S]*Alertmanager недоступен/);
    expect(await drawn('en')).not.toMatch(/[а-яё]/i);
    await arrives('Watchdog');
    await round();
    expect(await drawn('en')).toMatch(/RESOLVED · Alerts do not arrive/);
    expect(await drawn('ru')).toMatch(/РЕШЕНО · Алерты не приходят/);
  });

  it('makes no incident and no card, alone or among others', async () => {
    const { arrives, incidents, cards } = await open();
    await arrives('Watchdog');
    expect([await incidents(), await cards()]).toEqual([[], 0]);
    await arrives('Watchdog', 'HostDown');
    expect(await incidents()).toMatchObject([{ source: 'alertmanager', title: 'HostDown' }]);
    expect(await cards()).toBe(1);
  });

  it('is missed after the configured time, once, and its return is the end of it', async () => {
    const { clock, chain, round, arrives, incidents, cards } = await open();
    await arrives('Watchdog');
    for (let minute = 0; minute < 4; minute += 1) {
      await clock.advance(minutes(1));
      await round();
    }
    expect(await incidents()).toEqual([]);
    chain.alertmanager = [];
    chain.prometheus = [];
    await clock.advance(minutes(1));
    await round();
    await round();
    const [missing, ...others] = await incidents();
    expect(missing).toEqual({
      source: 'vakhta',
      state: 'firing',
      severity: 'critical',
      title: 'Алерты не приходят',
      why: 'rule',
    });
    expect(others).toEqual([]);
    expect(await cards()).toBe(1);
    await clock.advance(minutes(3));
    await arrives('Watchdog');
    await round();
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
  });

  it('says where it was lost, asked from the end of the chain to its beginning', async () => {
    const { clock, chain, round, incidents } = await open();
    const chains: readonly [string, Chain][] = [
      ['alertmanager', {}],
      ['delivery', { alertmanager: [{ labels: { alertname: 'Watchdog' }, state: 'active' }] }],
      ['silenced', { alertmanager: [{ labels: { alertname: 'Watchdog' }, state: 'suppressed' }] }],
      ['prometheus', { alertmanager: [{ labels: { alertname: 'Other' }, state: 'active' }] }],
      ['rule', { alertmanager: [], prometheus: [{ labels: { alertname: 'Watchdog' }, state: 'pending' }] }],
      ['link', { alertmanager: [], prometheus: [{ labels: { alertname: 'Watchdog' }, state: 'firing' }] }],
    ];
    await clock.advance(minutes(5));
    for (const [why, given] of chains) {
      delete chain.alertmanager;
      delete chain.prometheus;
      Object.assign(chain, given);
      await round();
      expect(await incidents()).toMatchObject([{ state: 'firing', why }]);
    }
  });

  it('is not missed for the time in which nobody could take it, and soon after if it does not come', async () => {
    const { clock, chain, round, arrives, incidents } = await open();
    await arrives('Watchdog');
    chain.alertmanager = [];
    await clock.advance(minutes(600));
    await round('bot2');
    await clock.advance(minutes(2));
    await round('bot2');
    expect(await incidents()).toEqual([]);
    await clock.advance(minutes(0.5));
    await round('bot2');
    expect(await incidents()).toMatchObject([{ state: 'firing', why: 'prometheus' }]);
    // Another start: what is missing stays so until it comes.
    await clock.advance(minutes(30));
    await round('bot3');
    expect(await incidents()).toMatchObject([{ state: 'firing' }]);
  });
});
