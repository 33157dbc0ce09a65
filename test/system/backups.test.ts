import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../src/simulators/telegram/types.ts';
import {
  type Cluster,
  type PgBackRest,
  type SshServer,
  startPgBackRest,
  startPostgres,
  startSshd,
  withComponents,
} from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, TOPICS } from '../support/installation.ts';

const SLOW = { timeoutMs: 90_000 };
const THERE = { chat: GROUP, thread: TOPICS.backups };

interface Info {
  readonly backup: readonly {
    readonly label: string;
    readonly type: string;
    readonly info: { readonly size: number };
  }[];
}

withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let cluster: Cluster;
  let backrest: PgBackRest;
  let sshd: SshServer;
  let here: Installation;

  beforeAll(async () => {
    cluster = await startPostgres({ version: 15 });
    // Enough to copy for some seconds, so that there is progress to be seen.
    await cluster.query(
      'create table ballast as select md5(n::text) as a, md5((n * 7)::text) as b from generate_series(1, 600000) n',
    );
    [backrest, sshd] = await Promise.all([
      startPgBackRest(cluster, { global: { 'compress-type': 'gz', 'compress-level': '6', 'process-max': '1' } }),
      // pgBackRest must be able to read the cluster's files, so the SSH user is the cluster's by another name.
      startSshd({ sameAs: cluster.systemUser }),
    ]);
    const [program = '', ...settings] = backrest.argv.slice(
      backrest.argv.findIndex((word) => word.endsWith('pgbackrest')),
    );
    here = await startInstallation({
      sections: {
        hosts: [
          {
            id: 'db1',
            address: sshd.host,
            port: sshd.port,
            user: sshd.user,
            private_key: `file:${sshd.privateKeyFile}`,
            host_key: sshd.hostKeyFingerprint,
          },
          {
            id: 'impostor',
            address: sshd.host,
            port: sshd.port,
            user: sshd.user,
            private_key: `file:${sshd.privateKeyFile}`,
            host_key: `SHA256:${'A'.repeat(43)}`,
          },
        ],
        postgres: [
          { id: 'main', stanza: backrest.stanza, binary: backrest.argv },
          { id: 'main-ssh', stanza: backrest.stanza, host: 'db1', binary: [program, ...settings] },
          { id: 'main-impostor', stanza: backrest.stanza, host: 'impostor', binary: [program, ...settings] },
        ],
      },
    });
    await here.open('start');
  });
  afterAll(async () => {
    await here?.stop();
    await sshd?.stop();
    await cluster?.stop();
    await backrest?.stop();
  });

  const listed = async (): Promise<Info['backup']> => {
    const { stdout } = await backrest.run('--output=json', 'info');
    const [stanza] = JSON.parse(stdout) as [Info];
    return stanza.backup;
  };
  const finished = (message: Message): boolean => /(Метка|Label):/u.test(message.text ?? '');
  const labelOn = (message: Message): string => /(?:Метка|Label):\s*(\S+)/u.exec(message.text ?? '')?.[1] ?? '';

  test('a full backup asked for in the chat shows live progress on one card, and its label is in the repository', async () => {
    const boris = here.person('boris');
    boris.says('/backup pg main full');
    const done = await boris.chat.waitFor(finished, SLOW);
    const label = labelOn(done);
    expect(label).toMatch(/^\d{8}-\d{6}F$/u);
    const [made, ...more] = await listed();
    expect(more).toEqual([]);
    expect(made).toMatchObject({ label, type: 'full' });
    expect(done.text).toMatch(/База:\s*\d+([.,]\d+)? МБ/u);
    expect(done.text).toMatch(/Заняло:\s*\d+/u);
    expect(done.text).toContain(`✔ Проверено: ${label} есть в репозитории`);
    // It came once, and Telegram confirmed it: nothing to excuse.
    expect(done.text).not.toContain('↻');

    const percents = here
      .history(done)
      .flatMap((text) => /(\d+) %/u.exec(text)?.[1] ?? [])
      .map(Number);
    expect(new Set(percents).size).toBeGreaterThanOrEqual(2);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(boris.chat.messages().filter(({ from }) => from?.is_bot)).toHaveLength(1);
  });

  test('in the group a second backup of the same database waits for the first and names it; then it runs', async () => {
    here.person('boris').says('/backup pg main full', THERE);
    const first = await here.group.waitFor(/#\d+/u, SLOW);
    expect(first.message_thread_id).toBe(TOPICS.backups);
    const number = /Запуск #(\d+)/u.exec(first.text ?? '')?.[1];
    here.person('carol').says('/backup pg main incr', THERE);
    const other = (message: Message) => message.message_id !== first.message_id;
    const both = [
      await here.group.waitFor((message) => !other(message) && finished(message), SLOW),
      await here.group.waitFor((message) => other(message) && finished(message), SLOW),
    ];
    const waited = both[1] ? here.history(both[1]).join('\n—\n') : '';
    expect(waited).toMatch(new RegExp(`(ждёт|waiting for).* #${number}\\b`, 'iu'));
    const [full, incr] = both.map(labelOn);
    expect(incr).toMatch(/^\d{8}-\d{6}F_\d{8}-\d{6}I$/u);
    expect(incr?.split('_')[0]).toBe(full);
    expect((await listed()).slice(-2)).toMatchObject([
      { label: full, type: 'full' },
      { label: incr, type: 'incr' },
    ]);
    for (const { text } of here.group.messages()) expect(text).not.toContain('↻');
  });

  test('the same operation runs from the command line, while the bot knows of it too', async () => {
    const ran = await here.command(['run', 'backup', 'pg', '--stanza', 'main', '--type', 'incr']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const last = (await listed()).at(-1);
    expect(last?.type).toBe('incr');
    expect(ran.stdout).toContain(last?.label);
    const runs = await here.command(['runs']);
    expect(runs.stdout).toMatch(/succeeded\s+backup\.pg\s+cli:/u);
  });

  test('over SSH with a pinned host key the same backup is made; a host with another key is not trusted', async () => {
    here.person('carol').says('/backup pg main-ssh incr', THERE);
    const done = await here.group.waitFor(finished, SLOW);
    expect((await listed()).at(-1)).toMatchObject({ label: labelOn(done), type: 'incr' });
    const before = (await listed()).length;
    here.person('carol').says('/backup pg main-impostor incr', THERE);
    const refused = await here.group.waitFor(
      (message) => /main-impostor/u.test(message.text ?? '') && /FAILED|НЕУДАЧА|❌/iu.test(message.text ?? ''),
      SLOW,
    );
    expect(refused.text).toContain(sshd.hostKeyFingerprint);
    expect(await listed()).toHaveLength(before);
  });

  test('a viewer is refused, an outsider hears one polite line in private and nothing in the group', async () => {
    const [dina, mallory] = [here.person('dina'), here.person('mallory')];
    const before = (await listed()).length;
    dina.says('/start');
    await dina.chat.waitFor(/./u);
    dina.says('/backup pg main full');
    expect((await dina.chat.waitFor(/роль/u)).text).toContain('оператор');

    mallory.says('/start');
    expect((await mallory.chat.waitFor(/do not know you/u)).text).toContain(String(mallory.id));
    mallory.says('/backup pg main full');
    mallory.says('/backup pg main full', THERE);
    const inGroup = here.group.messages().length;
    // What comes after Mallory's words has been handled after them: then nothing more of hers is on its way.
    here.person('boris').says('/whoami', THERE);
    await here.group.waitFor(/Борис/u, SLOW);
    expect(here.group.messages()).toHaveLength(inGroup + 2);
    expect(mallory.chat.messages().filter(({ from }) => from?.is_bot)).toHaveLength(1);
    expect(await listed()).toHaveLength(before);
  });
});
