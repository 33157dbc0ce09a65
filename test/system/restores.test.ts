import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import type { Message } from '../../src/simulators/telegram/types.ts';
import { type SshServer, startSshd, withComponents } from '../support/components/index.ts';
import { type RestoreGround, startRestoreGround } from '../support/components/restores.ts';
import { GROUP, type Installation, startInstallation, TOPICS } from '../support/installation.ts';

const SLOW = { timeoutMs: 90_000 };
const THERE = { chat: GROUP, thread: TOPICS.backups };

withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let ground: RestoreGround;
  let sshd: SshServer;
  let here: Installation;
  let app: App;

  beforeAll(async () => {
    ground = await startRestoreGround();
    const { cluster, backrest } = ground;
    await cluster.query('create table account as select n as id, n * 10 as amount from generate_series(1, 5000) n');
    await cluster.query('analyze account');
    [sshd] = await Promise.all([
      startSshd({ sameAs: cluster.systemUser }),
      backrest.run('backup', '--type=full', '--repo=1'),
    ]);
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
        ],
        postgres: [
          {
            id: 'main',
            stanza: backrest.stanza,
            host: 'db1',
            binary: [...ground.binary],
            cluster: {
              bin_dir: cluster.bin,
              data_dir: cluster.dataFolder,
              socket_dir: cluster.socketFolder,
              port: cluster.port,
              canary: true,
            },
            scratch: { dir: ground.scratchDir, free_percent: 0 },
          },
        ],
      },
    });
    app = await here.open('start');
  });
  afterAll(async () => {
    await here?.stop();
    await sshd?.stop();
    await ground?.stop();
  });

  const left = () => readdir(ground.scratchDir);
  const finished = (words: RegExp) => (message: Message) =>
    words.test(message.text ?? '') && /Проверено:/u.test(message.text ?? '');

  test('a drill over SSH finds its canary, and the ledger has it as passed', async () => {
    const boris = here.person('boris');
    boris.says('/drill restore pg:main');
    const done = await boris.chat.waitFor(finished(/Восстановлено и проверено/u), SLOW);
    expect(done.text).toContain('контрольная запись');
    expect(done.text).toContain('рабочая база не тронута');
    expect(done.text).toMatch(/pgbackrest \d/u);
    await expect.poll(left).toEqual([]);
    const ledger = async () => (await app.db.query('select target, state from restore_drills')).rows;
    await expect.poll(ledger).toEqual([{ target: 'pg:main', state: 'passed' }]);
  });

  test('a moment is typed, the plan confirmed, and the copy kept until it is removed', async () => {
    const carol = here.person('carol');
    await ground.cluster.query('insert into account values (0, 1)');
    const [row] = await ground.cluster.query(
      `select to_char(now() + interval '1 second', 'YYYY-MM-DD HH24:MI:SS') as at`,
    );
    const at = `${String(row?.['at'])} +00`;
    await ground.cluster.query('select pg_sleep(1.1)');
    await ground.cluster.query('delete from account');
    await ground.restorer.mark(new AbortController().signal);
    carol.says(`/restore pg main ${at} keep 1`, THERE);
    const plan = await here.group.waitFor(/beside production, which goes on untouched/u, SLOW);
    expect(plan.text).toContain('+03:00');
    await carol.presses('Confirm', { ...SLOW, ...THERE });
    const done = await here.group.waitFor(finishedEnglish, SLOW);
    const [, socket = '', port = ''] = /Socket: (\S+):(\d+)/u.exec(done.text ?? '') ?? [];
    const { stdout } = await ground.executor.run([
      `${ground.cluster.bin}/psql`,
      '-XAtq',
      '-h',
      socket,
      '-p',
      port,
      '-d',
      'postgres',
      '-c',
      `select count(*), current_setting('archive_mode') from account`,
    ]);
    expect(stdout.trim()).toBe('5001|off');
    await carol.presses('⏹ Remove the copy', { ...SLOW, ...THERE });
    await here.group.waitFor(/Копия удалена/u, SLOW);
    await expect.poll(left).toEqual([]);
  });

  test('a moment before the first backup is refused with the earliest and the latest one', async () => {
    const boris = here.person('boris');
    boris.says('/restore pg main 2020-01-01 10:00');
    const refused = await boris.chat.waitFor(/раньше всего, до чего можно восстановить main/u, SLOW);
    expect(refused.text?.match(/\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? \+03:00/gu)).toHaveLength(3);
  });
});

const finishedEnglish = (message: Message): boolean =>
  /Restored beside production/u.test(message.text ?? '') && /Checked:/u.test(message.text ?? '');
