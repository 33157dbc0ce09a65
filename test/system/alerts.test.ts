import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../src/simulators/telegram/types.ts';
import {
  type AlertmanagerServer,
  freePort,
  type PrometheusServer,
  startAlertmanager,
  startPrometheus,
  withComponents,
} from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, TOPICS, WEBHOOK_TOKEN } from '../support/installation.ts';
import { startTarget } from '../support/scrape-target.ts';

const SLOW = { timeoutMs: 90_000 };
const RUNBOOK = 'https://runbooks.example.net/disk';

interface ListedSilence {
  readonly status: { readonly state: string };
  readonly createdBy: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly matchers: readonly { readonly name: string; readonly value: string; readonly isRegex: boolean }[];
}

withComponents(['prometheus', 'alertmanager'], () => {
  let target: Awaited<ReturnType<typeof startTarget>>;
  let alertmanager: AlertmanagerServer;
  let prometheus: PrometheusServer;
  let here: Installation;
  let httpPort: number;

  beforeAll(async () => {
    httpPort = await freePort();
    target = await startTarget();
    alertmanager = await startAlertmanager({
      webhookUrl: `http://127.0.0.1:${httpPort}/webhooks/alertmanager`,
      token: WEBHOOK_TOKEN,
      groupBy: ['alertname', 'instance'],
    });
    prometheus = await startPrometheus({
      alertmanagerUrl: alertmanager.url,
      // A scrape that takes longer than this, and an alert not sent again within four of them, would end the alert.
      interval: '3s',
      targets: [{ job: 'node', targets: [target.address], labels: { guest: 'docker1' } }],
      rules: [
        {
          groups: [
            {
              name: 'disk',
              rules: [
                {
                  alert: 'DiskAlmostFull',
                  expr: 'disk_used_ratio > 0.9',
                  labels: { severity: 'critical' },
                  annotations: {
                    summary: 'Disk of {{ $labels.guest }} is at {{ $value | humanizePercentage }}',
                    runbook_url: RUNBOOK,
                  },
                },
              ],
            },
          ],
        },
      ],
    });
    here = await startInstallation({
      httpPort,
      sections: {
        alertmanager: { url: alertmanager.url, webhook_token: 'env:T_WEBHOOK_TOKEN' },
        prometheus: { url: prometheus.url },
        deployments: { token: 'env:T_WEBHOOK_TOKEN' },
      },
    });
    await here.open('start');
  });
  afterAll(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await here?.stop();
    await target?.stop();
  });

  const silences = async (): Promise<ListedSilence[]> =>
    (await (await fetch(`${alertmanager.url}/api/v2/silences`)).json()) as ListedSilence[];
  const labels = (message: Message) => (message.reply_markup?.inline_keyboard ?? []).flat().map(({ text }) => text);

  test('a real alert becomes one card: taken on, silenced in Alertmanager, released, resolved', async () => {
    const boris = here.person('boris');
    target.set(0.97);
    const card = await here.group.waitFor('Disk of docker1 is at 97%', SLOW);
    expect(card.message_thread_id).toBe(TOPICS.alerts);
    expect(card.text).toContain('КРИТИЧНО');
    for (const word of [target.address, '/srv']) expect(card.text).toContain(word);
    expect(labels(card).map((label) => label.split(' ')[0])).toEqual(['✋', '🔕', '🔎']);
    await (await boris.presses('🔎 Ещё…', { ...SLOW, chat: GROUP })).answered();
    const more = await here.group.waitFor(/generatorURL/u, SLOW);
    const urls = (more.reply_markup?.inline_keyboard ?? []).flat().flatMap(({ url }) => url ?? []);
    expect(urls[0]).toBe(RUNBOOK);
    await (await boris.presses('📈 График', { ...SLOW, chat: GROUP })).answered();
    const graph = await here.group.waitFor(({ photo }) => photo !== undefined, SLOW);
    expect(graph.photo?.at(-1)).toMatchObject({ width: 1280, height: 820 });
    expect(graph.caption).toMatch(/Сейчас: 0\.97\n.*\nПорог: > 0\.9\nПравило: disk_used_ratio$/mu);
    expect(graph.reply_to_message?.message_id).toBe(card.message_id);

    const told = await fetch(`http://127.0.0.1:${httpPort}/webhooks/deployments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${WEBHOOK_TOKEN}` },
      body: JSON.stringify({ service: 'docker1', version: '1.2', by: 'ci' }),
    });
    expect([told.status, await told.text()]).toEqual([200, 'kept\n']);
    await (await boris.presses('🕓 Изменения', { ...SLOW, chat: GROUP, on: card })).answered();
    await here.group.waitFor(/выложено docker1 1\.2 · ci/u, SLOW);
    await (await boris.presses('‹ Назад', { ...SLOW, chat: GROUP, on: card })).answered();

    await (await boris.presses('✋ Беру на себя', { ...SLOW, chat: GROUP })).answered();
    const owned = await here.group.waitFor(/Борис/u, SLOW);
    expect(owned.message_id).toBe(card.message_id);

    await (await boris.presses('🔕 Заглушить…', { ...SLOW, chat: GROUP })).answered();
    await here.group.waitFor((message) => labels(message).includes('🔕 1 ч'), SLOW);
    const pressed = Date.now();
    await (await boris.presses('🔕 1 ч', { ...SLOW, chat: GROUP })).answered();
    const quiet = await here.group.waitFor((message) => labels(message).includes('🔔 Снять заглушку'), SLOW);
    expect(quiet.message_id).toBe(card.message_id);
    const [silence, ...others] = await silences();
    expect(others).toEqual([]);
    expect(silence).toMatchObject({
      status: { state: 'active' },
      createdBy: expect.stringContaining('boris') as string,
    });
    // An hour from the press; Alertmanager moves the start, which lies back by then, to its own now.
    const ends = Date.parse(silence?.endsAt ?? '') - 3_600_000;
    expect(ends).toBeGreaterThanOrEqual(pressed);
    expect(ends).toBeLessThanOrEqual(Date.now());
    expect(Date.parse(silence?.startsAt ?? '')).toBeGreaterThanOrEqual(ends);
    expect(silence?.matchers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'alertname', value: 'DiskAlmostFull', isRegex: false }),
        expect.objectContaining({ name: 'instance', value: target.address, isRegex: false }),
      ]),
    );

    await (await boris.presses('🔔 Снять заглушку', { ...SLOW, chat: GROUP })).answered();
    await here.group.waitFor(
      (message) => message.message_id === card.message_id && labels(message).includes('🔕 Заглушить…'),
      SLOW,
    );
    await expect.poll(async () => (await silences()).map(({ status }) => status.state)).toEqual(['expired']);

    target.set(0.3);
    const over = await here.group.waitFor('РЕШЕНО', SLOW);
    expect(over.message_id).toBe(card.message_id);
    expect(over.text).toContain('Борис');
    expect(labels(over).join()).not.toMatch(/✋|🔕|🔔/u);
    expect(
      here.group.messages().filter(({ text }) => text?.includes('DiskAlmostFull') || text?.includes('docker1')),
    ).toHaveLength(1);
  });

  test('a wrong token is answered 401, shows nothing, and is counted', async () => {
    const before = here.group.messages().length;
    const body = JSON.stringify({
      version: '4',
      groupKey: '{}:{alertname="Forged"}',
      status: 'firing',
      receiver: 'vakhta',
      groupLabels: { alertname: 'Forged' },
      commonLabels: { alertname: 'Forged', severity: 'critical' },
      commonAnnotations: { summary: 'Forged' },
      externalURL: 'http://alertmanager.example.net',
      truncatedAlerts: 0,
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'Forged', severity: 'critical' },
          annotations: { summary: 'Forged' },
          startsAt: new Date().toISOString(),
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: '',
          fingerprint: '00000000deadbeef',
        },
      ],
    });
    const post = (headers: Record<string, string>) =>
      fetch(here.webhookUrl, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
    expect((await post({ authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post({})).status).toBe(401);
    // The same body with the right token is shown: so it was the token that kept it out.
    const metric = async () => (await (await fetch(`${here.url}/metrics`)).text()).split('\n');
    expect(await metric()).toContain('vakhta_webhooks_total{result="unauthorized"} 2');
    expect(here.group.messages()).toHaveLength(before);
    expect((await post({ authorization: `Bearer ${WEBHOOK_TOKEN}` })).status).toBe(200);
    await here.group.waitFor('Forged', SLOW);
    expect(here.group.messages()).toHaveLength(before + 1);
  });
});
