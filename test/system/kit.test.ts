import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { openKit } from '../../src/tasks/kit/check.ts';
import { finds } from '../support/canaries.ts';
import { freePort, type SshServer, startSshd, temporaryFolder, withComponents } from '../support/components/index.ts';
import { type Installation, startInstallation, TELEGRAM_TOKEN, WEBHOOK_TOKEN } from '../support/installation.ts';

const SECRETS = {
  'Telegram token': TELEGRAM_TOKEN,
  'webhook token': WEBHOOK_TOKEN,
  'Proxmox token': 'a4c7e1f0-52d9-4b3e-a6c8-0f9d7e2b1a36',
  'restic password': 'canary-restic-password-58',
  'database password': 'canary-database-password-91',
};

withComponents(['sshd', 'ssh-keygen'], () => {
  let sshd: SshServer;
  let here: Installation;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let identity: string;
  let key: string;

  const sections = async (dead: number) => ({
    ...(dead > 0 ? { telegram: { token: 'env:T_TELEGRAM_TOKEN', api_root: `http://127.0.0.1:${dead}` } } : {}),
    hosts: [
      {
        id: 'nas',
        address: sshd.host,
        port: sshd.port,
        user: sshd.user,
        private_key: `file:${sshd.privateKeyFile}`,
        host_key: sshd.hostKeyFingerprint,
      },
    ],
    proxmox: [{ id: 'pve1', url: 'https://127.0.0.1:1', token_id: 'vakhta@pve!watch', token: 'env:T_PVE' }],
    restic: [
      { id: 'files', repository: '/srv/restic', password: 'env:T_RESTIC', volumes: [{ id: 'etc', paths: ['/etc'] }] },
    ],
    kit: {
      recipients: [await identityToRecipient(identity)],
      notes: [join(folder, 'unseal.md')],
      offsite: { host: 'nas', dir: join(folder, 'there') },
    },
  });
  const env = { T_PVE: SECRETS['Proxmox token'], T_RESTIC: SECRETS['restic password'] };

  beforeAll(async () => {
    sshd = await startSshd();
    ({ path: folder, remove: removeFolder } = await temporaryFolder());
    await chmod(folder, 0o777);
    identity = await generateIdentity();
    key = join(folder, 'key.txt');
    await writeFile(key, `# a key\n${identity}\n`);
    await writeFile(join(folder, 'unseal.md'), 'three of five\n');
  });
  afterAll(async () => {
    await here?.stop();
    await sshd?.stop();
    await removeFolder?.();
  });

  test('on the command line it needs neither Telegram nor Redis nor the database, and holds no secret', async () => {
    const dead = await freePort();
    here = await startInstallation({
      database: { url: `postgresql://vakhta:${SECRETS['database password']}@127.0.0.1:${dead}/vakhta` },
      sections: await sections(dead),
      redisUrl: `redis://127.0.0.1:${dead}`,
      env,
    });
    const made = await here.command(['kit', 'make']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('anything of the database, which did not answer');
    expect(made.stdout).toContain('nas, as sent');
    expect(made.stdout).toContain('neither in the history of runs nor in the audit');
    const [name = ''] = await readdir(join(here.dataDir, 'kit'));
    const file = join(here.dataDir, 'kit', name);
    expect((await readFile(join(folder, 'there', name))).equals(await readFile(file))).toBe(true);

    // On another machine, with nothing but the program, the file and the key.
    const bare = { env: { VAKHTA_CONFIG: '/nowhere/vakhta.yaml' } };
    const checked = await here.command(['kit', 'check', '--identity', key, file], bare);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toContain('runbooks/ru/dr-lost-host.md');
    expect(checked.stdout).toMatch(/The kit is whole: \d+ files/);

    const { files } = await openKit(await readFile(file), [new Secret(identity)]);
    const secrets = { ...SECRETS, 'SSH key': sshd.privateKey, 'key of the kit': identity };
    const texts = files.map(({ path, content }) => [path, content.toString('latin1')] as const);
    expect(finds(secrets, [...texts, ['what was printed', made.stdout + checked.stdout]])).toEqual([]);
    expect(files.find(({ path }) => path === 'config/vakhta.yaml')?.content.toString()).toContain('env:T_RESTIC');

    const stranger = join(folder, 'stranger.txt');
    await writeFile(stranger, `${await generateIdentity()}\n`);
    const refused = await here.command(['kit', 'check', file, '-i', stranger], bare);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('This key does not open the kit');
    await here.stop();
  });

  test('in the chat an admin makes it, and the board of backups sees it on both sides', async () => {
    here = await startInstallation({ sections: await sections(0), env });
    await here.open('start');
    const anna = here.person('anna');
    anna.says('/kit');
    await anna.chat.waitFor(/nas, сверено/u, { timeoutMs: 60_000 });
    // On the command line it is entered like the one from the chat: Proxmox does not answer, so its guests are missing.
    const made = await here.command(['kit', 'make']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const [, number = ''] = /as run (\d+)/u.exec(made.stdout) ?? [];
    const { stdout } = await here.command(['runs']);
    expect(stdout).toMatch(new RegExp(`^#${number} .* warning +kit +cli:`, 'mu'));
    expect((await here.command(['audit', 'verify'])).code).toBe(0);
    anna.says('/backups kit:main');
    const seen = await anna.chat.waitFor(/новейший есть и здесь, и вне площадки/u, { timeoutMs: 60_000 });
    expect(seen.text).toMatch(/Аварийный набор main · в порядке/u);
  });
});
