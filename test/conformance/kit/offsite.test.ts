import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createSshExecutor, type SshExecutor } from '../../../src/integrations/exec/ssh.ts';
import { sha256 } from '../../../src/tasks/kit/archive.ts';
import { offsiteSum, sendOffsite } from '../../../src/tasks/kit/offsite.ts';
import { type SshServer, startSshd, temporaryFolder, withComponents } from '../../support/components/index.ts';

const NONE = new AbortController().signal;
const isOurs = (name: string): boolean => /^kit-\d+\.age$/u.test(name);

withComponents(['sshd', 'ssh-keygen'], () => {
  let server: SshServer;
  let executor: SshExecutor;
  let base: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    server = await startSshd();
    ({ path: base, remove } = await temporaryFolder());
    await chmod(base, 0o777);
    const { host, port, user, hostKey } = server;
    const privateKey = () => Promise.resolve(new Secret(server.privateKey));
    executor = createSshExecutor({ host, port, user, hostKey, privateKey }, { clock: systemClock, log: silentLog });
  });
  afterAll(async () => {
    executor?.close();
    await server?.stop();
    await remove?.();
  });

  const send = (dir: string, n: number, content = `kit ${n}\n`.repeat(30_000)) =>
    sendOffsite(
      { host: 'vault', dir, executor },
      { name: `kit-${n}.age`, text: content, sha256: sha256(content) },
      { count: 2, isOurs },
      NONE,
    );

  test('a kit arrives whole, for its owner only; the newest stay, and so does what is not ours', async () => {
    const dir = join(base, 'a folder');
    expect(await send(`${dir}/`, 1)).toBe(`${dir}/kit-1.age`);
    await chmod(dir, 0o777);
    await writeFile(join(dir, 'notes.txt'), 'mine');
    await writeFile(join(dir, 'kit-0.age.part'), 'of a process that died');
    for (const n of [2, 3]) await send(dir, n);
    expect((await readdir(dir)).toSorted()).toEqual(['kit-2.age', 'kit-3.age', 'notes.txt']);
    expect((await stat(join(dir, 'kit-3.age'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dir, 'kit-3.age'), 'utf8')).toBe('kit 3\n'.repeat(30_000));
    const folder = { host: 'vault', dir, executor };
    expect(await offsiteSum(folder, 'kit-3.age', NONE)).toBe(sha256('kit 3\n'.repeat(30_000)));
    expect(await offsiteSum(folder, 'kit-9.age', NONE)).toBeUndefined();
  });

  test('what arrives differently is not renamed, and nothing of it stays', async () => {
    const dir = join(base, 'other');
    const what = { name: 'kit-1.age', text: 'sent', sha256: sha256('meant') };
    const sent = sendOffsite({ host: 'vault', dir, executor }, what, { count: 2, isOurs }, NONE);
    await expect(sent).rejects.toMatchObject({ code: 'kit-offsite', args: { host: 'vault' } });
    expect(await readdir(dir)).toEqual([]);
  });

  test('a folder that cannot be written to is told with the reason; a name that could be an option is refused', async () => {
    await mkdir(join(base, 'locked'), { mode: 0o755 });
    const thrown = await send(join(base, 'locked', 'kits'), 1).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'kit-offsite' });
    expect(String(thrown)).toMatch(/permission denied/iu);
    await expect(send('-rf', 1)).rejects.toMatchObject({ code: 'kit-offsite-dir' });
  });
});
