import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../src/simulators/telegram/types.ts';
import { type AlertmanagerServer, freePort, startAlertmanager, withComponents } from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, TOPICS, WEBHOOK_TOKEN } from '../support/installation.ts';

const SLOW = { timeoutMs: 90_000 };

interface Listed {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly createdBy: string;
  readonly comment: string;
  readonly matchers: readonly { readonly name: string; readonly value: string }[];
}

withComponents(['alertmanager'], () => {
  let alertmanager: AlertmanagerServer;
  let here: Installation;

  beforeAll(async () => {
    const httpPort = await freePort();
    alertmanager = await startAlertmanager({
      webhookUrl: `http://127.0.0.1:${httpPort}/webhooks/alertmanager`,
      token: WEBHOOK_TOKEN,
      groupBy: ['alertname', 'instance'],
    });
    here = await startInstallation({
      httpPort,
      sections: { alertmanager: { url: alertmanager.url, webhook_token: 'env:T_WEBHOOK_TOKEN' } },
    });
    await here.open('start');
  });
  afterAll(async () => {
    await alertmanager?.stop();
    await here?.stop();
  });

  const active = async (): Promise<Listed[]> => {
    const all = (await (await fetch(`${alertmanager.url}/api/v2/silences`)).json()) as Listed[];
    return all.filter(({ status }) => status.state === 'active');
  };
  const labels = (message: Message) => (message.reply_markup?.inline_keyboard ?? []).flat().map(({ text }) => text);
  const shows = (label: string) => here.group.waitFor((message) => labels(message).includes(label), SLOW);

  test('the whole alert is silenced with a comment that the chat asks for, listed, and ended', async () => {
    const boris = here.person('boris');
    const instances = ['db1', 'db2'];
    await alertmanager.post(
      instances.map((instance) => ({ labels: { alertname: 'DiskFull', instance, severity: 'warning' } })),
    );
    for (const instance of instances) await here.group.waitFor(new RegExp(`instance=${instance}`, 'u'), SLOW);
    const card = here.group.messages().find(({ text = '' }) => text.includes('instance=db1'));
    const press = (label: string) =>
      boris.presses(label, { ...SLOW, chat: GROUP, on: (message) => message.message_id === card?.message_id });

    await (await press('🔕 Заглушить…')).answered();
    await shows('📣 Весь алерт');
    await (await press('📣 Весь алерт')).answered();
    await shows('☐ instance=db1');
    await (await press('💬 С комментарием…')).answered();
    await shows('💬 С комментарием: да');
    await (await press('🔕 1 ч')).answered();
    const question = await here.group.waitFor('Почему?', SLOW);
    boris.says('меняем диск', { chat: GROUP, thread: TOPICS.alerts, replyTo: question });
    await here.group.waitFor(
      (message) => message.message_id === card?.message_id && labels(message).includes('🔔 Снять заглушку'),
      SLOW,
    );
    const [made, ...others] = await active();
    expect(others).toEqual([]);
    expect(made).toMatchObject({
      createdBy: 'boris',
      comment: expect.stringMatching(/^#\d+: меняем диск \(Vakhta, run /u) as string,
      matchers: [expect.objectContaining({ name: 'alertname', value: 'DiskFull' })],
    });

    boris.says('/silences', { chat: GROUP, thread: TOPICS.alerts });
    const list = await here.group.waitFor('1 заглушка', SLOW);
    for (const word of ['alertname="DiskFull"', 'Борис', 'меняем диск']) expect(list.text).toContain(word);
    await (
      await boris.presses('🔔 1 · Снять', {
        ...SLOW,
        chat: GROUP,
        on: (message) => message.message_id === list.message_id,
      })
    ).answered();
    await here.group.waitFor('Заглушка снята', SLOW);
    await expect.poll(active).toEqual([]);
    await here.group.waitFor(
      (message) => message.message_id === card?.message_id && labels(message).includes('🔕 Заглушить…'),
      SLOW,
    );
  });
});
