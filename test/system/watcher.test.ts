import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { hours, minutes, seconds } from '../../src/core/clock.ts';
import { lastDrills } from '../../src/store/drills.ts';
import { observation } from '../../src/store/observations.ts';
import {
  type AlertmanagerServer,
  freePort,
  type PrometheusServer,
  startAlertmanager,
  startPrometheus,
  withComponents,
} from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, TOPICS, WEBHOOK_TOKEN } from '../support/installation.ts';
import { createShiftedClock, type ShiftedClock } from '../support/shifted-clock.ts';

const SLOW = { timeoutMs: 90_000 };
const POLL = { timeout: 60_000 };
const PING_KEY = '0d0ff1ce-ping-key-that-must-not-show';

withComponents(['prometheus', 'alertmanager'], () => {
  let alertmanager: AlertmanagerServer;
  let prometheus: PrometheusServer;
  let here: Installation;
  let app: App;
  let clock: ShiftedClock;
  let status = 200;
  const beats: string[] = [];
  /** Half a day from now in the zone of the chat: the only drill is the one that is asked for. */
  const farFromNow = new Date(Date.now() + hours(12 + 3)).toISOString().slice(11, 16);
  const service = createServer((_request, response) => response.writeHead(status).end('hello'));
  const outside = createServer((request, response) => {
    beats.push((request.url ?? '').replace(PING_KEY, ''));
    request.resume();
    response.writeHead(200).end('OK');
  });
  const listen = async (server: typeof service): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };

  beforeAll(async () => {
    const httpPort = await freePort();
    clock = createShiftedClock(new Date());
    const [servicePort, outsidePort] = [await listen(service), await listen(outside)];
    alertmanager = await startAlertmanager({
      webhookUrl: `http://127.0.0.1:${httpPort}/webhooks/alertmanager`,
      token: WEBHOOK_TOKEN,
      groupBy: ['alertname'],
    });
    [prometheus, here] = await Promise.all([
      // Alertmanager takes an alert for ended that was not sent again within four intervals.
      startPrometheus({
        alertmanagerUrl: alertmanager.url,
        rules: ['config/alert-rules/watchdog.yml'],
        interval: '5s',
      }),
      startInstallation({
        httpPort,
        clock,
        env: { T_HEARTBEAT_URL: `http://127.0.0.1:${outsidePort}/${PING_KEY}` },
        sections: {
          alertmanager: { url: alertmanager.url, webhook_token: 'env:T_WEBHOOK_TOKEN' },
          // It comes once: the other tests must be over within this time.
          watchdog: { match: { alertname: 'Watchdog' }, missing_minutes: 5 },
          drill: { chat: 'watch', topic: 'alerts', at: farFromNow },
          heartbeat: { url: 'env:T_HEARTBEAT_URL', every_seconds: 10 },
          probes: [
            {
              id: 'shop',
              name: 'Shop',
              kind: 'http',
              target: `http://127.0.0.1:${servicePort}/health`,
              every_seconds: 5,
              failures: 1,
            },
          ],
        },
      }),
    ]);
    app = await here.open('start');
  });
  afterAll(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await here?.stop();
    for (const server of [service, outside]) {
      server.closeAllConnections();
      server.close();
    }
  });

  test('a drill goes through the real Alertmanager to a person, and leaves no incident', async () => {
    const boris = here.person('boris');
    boris.says('/drill alert', { chat: GROUP });
    const card = await here.group.waitFor(/УЧЕНИЕ #1 · видите это/u, SLOW);
    expect(card.message_thread_id).toBe(TOPICS.alerts);
    await (await boris.presses('👁 Вижу', { ...SLOW, chat: GROUP })).answered();
    const done = await here.group.waitFor(/УЧЕНИЕ #1 · пройдено/u, SLOW);
    expect(done.message_id).toBe(card.message_id);
    expect(done.text).toMatch(/Alertmanager → Вахта: [\d.]+ (?:мс|с)/u);
    expect(done.text).toMatch(/Вахта → чат: [\d.]+ (?:мс|с)/u);
    expect(done.text).toMatch(/Ответ: .+ · Борис/u);
    // Alertmanager hears that it is over, and says so; nothing of it is an incident.
    await expect.poll(async () => (await lastDrills(app.db, 1))[0]?.endedAt !== undefined, POLL).toBe(true);
    const listed = async () =>
      ((await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as { labels: { alertname: string } }[]).filter(
        ({ labels }) => labels.alertname === 'VakhtaDrill',
      );
    await expect.poll(async () => (await listed()).length, POLL).toBe(0);
    expect((await app.db.query('select title from incidents')).rows).toEqual([]);
    boris.says('/drills', { chat: GROUP });
    const table = await here.group.waitFor(/Учения · последнее пройдено/u, SLOW);
    expect(table.text).toContain('От алерта до чата');
    // The press shows on the drill's own card, and nowhere else.
    expect(here.group.messages().filter(({ text }) => text?.includes('На учение #1 ответили'))).toEqual([]);
  });

  test('a service that goes down shows without Prometheus, and its recovery on the same card', async () => {
    status = 503;
    const card = await here.group.waitFor(/Shop: проверка не проходит \(HTTP 503\)/u, SLOW);
    expect(card.text).toContain('КРИТИЧНО');
    status = 200;
    const over = await here.group.waitFor(/РЕШЕНО.*Shop/u, SLOW);
    expect(over.message_id).toBe(card.message_id);
  });

  test('the outside hears that alerts get through, and nobody inside hears of its address', async () => {
    await expect.poll(() => beats, POLL).toEqual(expect.arrayContaining(['//start', '/']));
    expect(beats.filter((path) => path.endsWith('/fail'))).toEqual([]);
    const { rows } = await app.db.query('select data::text as data from observations');
    expect(JSON.stringify(rows)).not.toContain(PING_KEY);
    expect(here.logs.join('')).not.toContain(PING_KEY);
  });

  test('the real Watchdog makes no card while it comes; when it stays away it is an incident that says where it was lost', async () => {
    await expect.poll(async () => (await observation(app.db, 'watchdog'))?.ok, POLL).toBe(true);
    expect(here.group.messages().filter(({ text }) => text?.includes('Watchdog'))).toEqual([]);
    // Alertmanager holds it, and repeats it in an hour only.
    clock.jump(new Date(clock.now().getTime() + minutes(5) - seconds(3)));
    const card = await here.group.waitFor(/Алерты не приходят/u, SLOW);
    expect(card.text).toContain('КРИТИЧНО');
    expect(card.text).toContain('до Вахты не доходит');
    // Another alert of its group lets Alertmanager tell the whole group.
    const again = { alertname: 'Watchdog', severity: 'info', instance: 'second' };
    await alertmanager.post([{ labels: again }]);
    const over = await here.group.waitFor(/РЕШЕНО.*Алерты не приходят/u, SLOW);
    expect(over.message_id).toBe(card.message_id);
  });
});
