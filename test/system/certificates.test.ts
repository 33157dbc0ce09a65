import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../src/simulators/telegram/types.ts';
import { type CertificateServer, startNginxCerts, withComponents } from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, TOPICS } from '../support/installation.ts';

const SLOW = { timeoutMs: 90_000 };

withComponents(['nginx', 'openssl'], () => {
  let nginx: CertificateServer;
  let here: Installation;

  beforeAll(async () => {
    nginx = await startNginxCerts();
    here = await startInstallation({
      sections: {
        certificates: {
          ca: nginx.rootFile,
          endpoints: Object.entries(nginx.ports).map(([id, port]) => ({
            id: `the-${id}`,
            host: '127.0.0.1',
            port,
            servername: 'localhost',
            owner: 'boris',
          })),
        },
      },
    });
  });
  afterAll(async () => {
    await here?.stop();
    await nginx?.stop();
  });

  const CARDS = {
    expired: /просрочен/u,
    soon: /Осталось: [45] дн/u,
    wronghost: /выдан на другие имена/u,
    notyet: /ещё не действует/u,
    nochain: /неполная цепочка/u,
    selfsigned: /самоподписанный/u,
  } as const;
  const isCard = (name: string) => (message: Message) =>
    message.message_thread_id === TOPICS.certificates && (message.text ?? '').includes(`the-${name}`);
  const cards = (name: string) => here.group.messages().filter(isCard(name));

  test('what ends soon or is refused is announced at the first start, in its topic, naming who renews it', async () => {
    const app = await here.open('start');
    for (const [name, says] of Object.entries(CARDS)) {
      const card = await here.group.waitFor(isCard(name), SLOW);
      expect(card.text).toMatch(says);
      expect(card.text).toContain('Борис');
    }
    expect(cards('good')).toEqual([]);
    await here.close(app);
  });

  test('/certs says rightly what is wrong with each of them', async () => {
    await here.open('start');
    here.person('dina').says('/certs', { chat: GROUP, thread: TOPICS.alerts });
    const card = await here.group.waitFor(/6 из 7/u, SLOW);
    expect(card.message_thread_id).toBe(TOPICS.alerts);
    const lineOf = (name: string) => card.text?.split('\n').find((line) => line.includes(`the-${name}`));
    expect(lineOf('good')).toMatch(/ост[а-я]+ (59|60) д/u);
    expect(lineOf('soon')).toMatch(/ост[а-я]+ [45] дн/u);
    expect(lineOf('expired')).toContain('просрочен');
    expect(lineOf('wronghost')).toContain('выдан на другие имена');
    expect(lineOf('nochain')).toContain('неполная цепочка');
    expect(lineOf('selfsigned')).toContain('самоподписанный');
    expect(lineOf('notyet')).toContain('ещё не действует');
    // The worst stands first, the good one last.
    const order = [...(card.text ?? '').matchAll(/the-(\w+)/gu)].map(([, name]) => name);
    expect(order[0]).toBe('expired');
    expect(order.at(-1)).toBe('good');
  });

  test('neither the restart nor the second look has announced anything again', () => {
    for (const name of Object.keys(CARDS)) expect(cards(name)).toHaveLength(1);
  });

  test('after the renewal “look again” turns the same card green', async () => {
    const [before] = cards('soon');
    await nginx.renew('soon', { toDays: 90 });
    const press = await here.person('boris').presses('Проверить снова', { ...SLOW, chat: GROUP, on: isCard('soon') });
    await press.answered();
    const after = await here.group.waitFor(
      (message) => message.message_id === before?.message_id && (message.text ?? '').startsWith('🟢'),
      SLOW,
    );
    expect(after.text).toMatch(/Осталось: (89|90) д/u);
  });
});
