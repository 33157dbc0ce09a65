import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { need } from '../support/components/detect.ts';
import { run, temporaryFolder, until, withComponents } from '../support/components/index.ts';
import { cheapenRestic } from '../support/components/restic-key.ts';
import { openSite, processesWith, type Site } from './support/steps.ts';

/** Five seconds are promised; where everything else runs beside it they may become more. */
const WITHIN_MS = 15_000;
const PASSWORD = 'volumes-under-fault';
/** Restic, which reads slowly while there is a file that says so: whatever it does then is interrupted, not finished. */
const THROTTLED = `#!/bin/sh
restic=$1 slow=$2
shift 2
[ -e "$slow" ] && set -- --limit-download 100 "$@"
exec "$restic" "$@"
`;

withComponents(['restic'], () => {
  let site: Site;
  let folder: string;
  let remove: () => Promise<void>;
  beforeAll(async () => {
    ({ path: folder, remove } = await temporaryFolder());
    await mkdir(join(folder, 'data'));
    await mkdir(join(folder, 'scratch'), { mode: 0o700 });
    await writeFile(join(folder, 'restic'), THROTTLED, { mode: 0o755 });
    // Nothing that would compress, so that there is something to be interrupted.
    for (let n = 0; n < 12; n++) await writeFile(join(folder, 'data', `file${n}`), randomBytes(5_000_000));
    site = await openSite({
      sections: {
        restic: [
          {
            id: 'files',
            binary: [join(folder, 'restic'), need('restic'), join(folder, 'slow')],
            repository: join(folder, 'repo'),
            password: 'env:T_RESTIC',
            scratch_dir: join(folder, 'scratch'),
            free_percent: 0,
            volumes: [{ id: 'data', paths: [join(folder, 'data')] }],
          },
        ],
      },
      env: { T_RESTIC: PASSWORD },
    });
    const first = await site.ask('backup.volume', { volume: 'data', repository: 'new' });
    const { state } = await site.ended(first);
    if (state !== 'succeeded') throw new Error(`the first backup is ${state}`);
    await cheapenRestic(join(folder, 'repo'), PASSWORD);
  });
  afterAll(async () => {
    await site?.stop();
    await remove?.();
  });

  const restic = async (...words: string[]) => {
    const argv = [need('restic'), '-r', join(folder, 'repo'), '--no-lock', ...words];
    return run(argv, { env: { RESTIC_PASSWORD: PASSWORD, HOME: folder } });
  };
  const atWork = async (): Promise<boolean> => (await processesWith(folder)).some((one) => one.includes('restic'));
  /** Nothing is left of the run, the repository is not locked, and all of it can be read. */
  const expectTidy = async (): Promise<void> => {
    const left = (await readdir(join(folder, 'scratch'))).filter((name) => name !== 'restic-cache');
    expect(left).toEqual([]);
    expect(await atWork()).toBe(false);
    expect((await restic('list', 'locks')).stdout).not.toMatch(/^[0-9a-f]{64}$/mu);
    expect((await restic('check')).code).toBe(0);
    expect(await site.rows('select key from run_locks')).toEqual([]);
    // The next one can go on at once.
    expect((await site.ended(await site.ask('backup.volume', { volume: 'data' }))).state).toBe('succeeded');
  };

  it.for(['made repository-lock'])(
    'a backup of a volume whose worker is killed at “%s” leaves no lock, and what is told is true',
    async (moment) => {
      await writeFile(join(folder, 'data', 'new'), randomBytes(40_000_000));
      const id = await site.ask('backup.volume', { volume: 'data' });
      await site.reached(id, moment);
      await site.kill();
      await site.restart();
      expect((await site.ended(id)).state).toMatch(/^(?:succeeded|warning|failed)$/u);
      await expectTidy();
    },
  );

  it.for(['made folder'])(
    'a drill of a volume whose worker is killed at “%s” leaves nothing behind',
    async (moment) => {
      const id = await site.ask('drill.restore', { target: 'volume:data' });
      expect(await site.reached(id, moment)).toBe(true);
      await site.kill();
      await site.restart();
      expect(await site.drilled(id)).toMatch(/^(?:succeeded|failed)$/u);
      await expectTidy();
    },
  );

  it('a cancelled drill of a volume has ended outside within five seconds', async () => {
    await writeFile(join(folder, 'slow'), '');
    const id = await site.ask('drill.restore', { target: 'volume:data' });
    expect(await site.reached(id, 'made folder')).toBe(true);
    await until('its restore', async () => (await processesWith(folder)).some((one) => one.includes(' restore ')));
    const begun = Date.now();
    await site.cancel(id);
    await until('the end of restic', async () => !(await atWork()));
    expect(Date.now() - begun).toBeLessThan(WITHIN_MS);
    expect((await site.ended(id)).state).toBe('cancelled');
    await rm(join(folder, 'slow'));
    await expectTidy();
  });
});
