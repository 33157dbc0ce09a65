import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AlertmanagerServer,
  type DockerEngine,
  freePort,
  httpOk,
  must,
  type PrometheusServer,
  startAlertmanager,
  startDocker,
  startPrometheus,
  until,
  withComponents,
} from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, WEBHOOK_TOKEN } from '../support/installation.ts';

const SLOW = { timeoutMs: 90_000 };
const SLOW_POLL = { timeout: 60_000 };

/** A service that is well when it starts, and tells so itself: what is written over its page stays until it is restarted. */
const SERVICE = (port: number): string =>
  [
    'busybox=/bin/busybox',
    '$busybox mkdir -p /www',
    'echo "queue_stuck 0" > /www/metrics',
    `exec $busybox httpd -f -p 127.0.0.1:${port} -h /www`,
  ].join('; ');

// Nothing here is played: Prometheus sees a container that is stuck, Alertmanager tells, a person presses, Docker restarts it,
// and the card says "fixed" only when Prometheus and Alertmanager say that it is over.
withComponents(['prometheus', 'alertmanager', 'dockerd', 'docker', 'busybox'], () => {
  let engine: DockerEngine;
  let alertmanager: AlertmanagerServer;
  let prometheus: PrometheusServer;
  let here: Installation;
  let port: number;

  beforeAll(async () => {
    const httpPort = await freePort();
    port = await freePort();
    engine = await startDocker();
    await engine.start('queue', { command: SERVICE(port), network: 'host' });
    alertmanager = await startAlertmanager({
      webhookUrl: `http://127.0.0.1:${httpPort}/webhooks/alertmanager`,
      token: WEBHOOK_TOKEN,
      groupBy: ['alertname'],
    });
    prometheus = await startPrometheus({
      alertmanagerUrl: alertmanager.url,
      // A scrape that takes longer than this, and an alert not sent again within four of them, would end the alert.
      interval: '3s',
      targets: [{ job: 'queue', targets: [`127.0.0.1:${port}`], labels: { name: 'queue' } }],
      rules: [
        {
          groups: [
            {
              name: 'queue',
              rules: [
                {
                  alert: 'QueueStuck',
                  expr: 'queue_stuck == 1',
                  labels: { severity: 'critical' },
                  annotations: { summary: 'The queue is stuck' },
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
        docker: [{ id: 'here', host: 'local', binary: [...engine.docker] }],
        fixes: [
          {
            match: { alertname: 'QueueStuck' },
            operation: 'container.restart',
            args: { engine: 'here', container: '{{name}}' },
            label: { ru: 'Перезапустить очередь', en: 'Restart the queue' },
          },
        ],
      },
    });
    await here.open('start');
  });
  afterAll(async () => {
    await here?.stop();
    await prometheus?.stop();
    await alertmanager?.stop();
    await engine?.stop();
  });

  const startedAt = async (): Promise<string> =>
    (await must([...engine.docker, 'inspect', '--format', '{{.State.StartedAt}}', 'queue'])).trim();

  test('a stuck container: alert, button, plan, restart, and "fixed" when the alert is over', async () => {
    const before = await startedAt();
    await until('its page', () => httpOk(`http://127.0.0.1:${port}/metrics`));
    await must([...engine.docker, 'exec', 'queue', '/bin/busybox', 'sh', '-c', 'echo "queue_stuck 1" > /www/metrics']);
    const card = await here.group.waitFor('The queue is stuck', SLOW);
    const boris = here.person('boris');
    await (await boris.presses(/🛠 Перезапустить очередь/u, { ...SLOW, chat: GROUP, on: card })).answered();
    await here.group.waitFor('Посмотрите план', SLOW);
    expect(await startedAt()).toBe(before);
    await (await boris.presses(/Подтвердить/u, { ...SLOW, chat: GROUP })).answered();
    const over = await here.group.waitFor(
      ({ message_id, text = '' }) => message_id === card.message_id && text.includes('исправлено за'),
      SLOW,
    );
    expect(over.text).toMatch(/РЕШЕНО/u);
    expect(over.text).toMatch(/Борис: исправлено за .*«Перезапустить очередь/u);
    expect(await startedAt()).not.toBe(before);
    // While it starts again there is nothing to be seen, which ends the alert, too.
    const page = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await expect.poll(page, SLOW_POLL).toBe('queue_stuck 0\n');
  });
});
