import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createRestic } from '../../../src/integrations/restic/restic.ts';
import { asUser, isRoot, systemUser } from '../../support/components/process.ts';
import { freePort, launch, need, tcpOpen, until, withComponents } from '../../support/components/index.ts';
import { OFFSITE_PASSWORD, openPlace, PASSWORD, type Place } from './place.ts';

async function refusal(promise: Promise<unknown>): Promise<VakhtaError> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VakhtaError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

/** Five seconds are promised; where everything else runs beside it they may become more. */
const SOON_MS = 15_000;

const KEEP = { last: 1, daily: 0, weekly: 0, monthly: 0 };

withComponents(['restic'], () => {
  describe('a set of backups by restic', () => {
    let place: Place;
    const backup = (run: string, paths?: readonly string[]) =>
      place.restic.backup(
        { paths: paths ?? [place.at('source')], exclude: [], tags: ['vakhta', 'volume=web', `run=${run}`] },
        { signal: place.signal },
      );

    beforeAll(async () => {
      place = await openPlace();
      await place.restic.primary.init(undefined, place.signal);
      await place.cheapen('repo');
    });
    afterAll(() => place.remove());

    it('init is refused where there is one, and the line for doctor tells the version', async () => {
      expect(await refusal(place.restic.primary.init(undefined, place.signal))).toMatchObject({
        code: 'restic-exists',
      });
      const line = await place.restic.probe(place.signal);
      expect(line).toMatchObject({ state: 'ok', args: { count: 0 } });
      expect(line.args?.['version']).toMatch(/^\d+\.\d+\.\d+/);
    });

    it('backup tells what is new, and the snapshot is listed with host, paths and tags', async () => {
      const first = await backup('one');
      expect(first).toMatchObject({ files: 2, newFiles: 2, bytes: 13, skipped: [], skippedCount: 0 });
      expect(first.addedBytes).toBeGreaterThan(13);
      await writeFile(place.at('source', 'a.txt'), 'first, and more\n');
      const second = await backup('two');
      expect(second).toMatchObject({ files: 2, newFiles: 0, changedFiles: 1 });
      const listed = await place.restic.primary.snapshots(['vakhta', 'volume=web'], place.signal);
      expect(listed.map(({ id }) => id.startsWith(first.snapshot) || id.startsWith(second.snapshot))).toEqual([
        true,
        true,
      ]);
      expect(listed[1]).toMatchObject({
        host: 'docker',
        paths: [place.at('source')],
        tags: expect.arrayContaining(['run=two']),
      });
      expect(await place.restic.primary.snapshots(['run=none'], place.signal)).toEqual([]);
    });

    it('ls, sizes and restore agree', async () => {
      const [newest] = (await place.restic.primary.snapshots(['run=two'], place.signal)).slice(-1);
      const id = newest?.id ?? '';
      const seen: string[] = [];
      await place.restic.primary.list(id, ({ type, path }) => type === 'file' && seen.push(path), place.signal);
      expect(seen.sort()).toEqual([place.at('source', 'a.txt'), place.at('source', 'sub', 'имя файла.txt')]);
      expect(await place.restic.primary.size(id, 'restored', place.signal)).toBe(23);
      expect(await place.restic.primary.size(id, 'stored', place.signal)).toBeGreaterThan(23);
      await place.restic.primary.restore(id, place.at('scratch', 'r'), { signal: place.signal });
      const restored = join(place.at('scratch', 'r'), place.at('source'));
      expect(await readFile(join(restored, 'a.txt'), 'utf8')).toBe('first, and more\n');
      const [there, here] = await Promise.all([
        place.restic.files.tree(restored, place.signal),
        place.restic.files.tree(place.at('source'), place.signal),
      ]);
      const sorted = (entries: typeof there) => entries.toSorted((a, b) => a.name.localeCompare(b.name));
      expect(sorted(there)).toEqual(sorted(here));
      const names = here.map(({ name }) => name);
      const hashes = await place.restic.files.hashes(place.at('source'), names, place.signal);
      expect(hashes).toEqual(await place.restic.files.hashes(restored, names, place.signal));
      expect([...hashes.keys()].sort()).toEqual(names.sort());
    });

    it('a path that is missing is told before anything is done, though restic would call it a success', async () => {
      const paths = [place.at('source'), place.at('nothing')];
      const error = await refusal(backup('three', paths));
      expect(error).toMatchObject({ code: 'restic-source-missing', args: { detail: place.at('nothing') } });
      expect(await place.restic.primary.snapshots(['run=three'], place.signal)).toEqual([]);
      const bare = await place.cli(['backup', '--json', '--dry-run', ...paths]);
      expect(bare.code).toBe(0);
      expect(await refusal(backup('four', ['relative']))).toMatchObject({ code: 'files-path', kind: 'usage' });
      expect(await refusal(backup('four', ['--help']))).toMatchObject({ code: 'files-path' });
    });

    it('a wrong password and a missing repository have words of their own', async () => {
      const other = (change: object) =>
        createRestic(
          { ...place.settings, primary: { ...place.settings.primary, ...change } },
          { executor: place.executor, clock: systemClock },
        );
      const wrong = other({ password: () => Promise.resolve(new Secret('wrong')) });
      expect(await refusal(wrong.primary.snapshots([], place.signal))).toMatchObject({
        code: 'restic-password',
        kind: 'permanent',
      });
      const nowhere = other({ repository: place.at('nowhere') });
      expect(await refusal(nowhere.primary.snapshots([], place.signal))).toMatchObject({
        code: 'restic-no-repository',
      });
      const away = other({ repository: 'rest:http://user:hunter2@127.0.0.1:1/x' });
      const error = await refusal(away.primary.snapshots([], place.signal));
      expect(error).toMatchObject({ code: 'restic-unreachable', kind: 'transient' });
      expect(JSON.stringify([error.message, error.args])).not.toContain('hunter2');
    });

    it('neither passwords nor addresses stand on a command line', async () => {
      const seen: string[][] = [];
      const executor = {
        ...place.executor,
        run: (argv: readonly string[], options?: object) => {
          seen.push([...argv]);
          return place.executor.run(argv, options);
        },
      };
      const restic = createRestic(place.settings, { executor, clock: systemClock });
      await restic.primary.snapshots([], place.signal);
      const env = JSON.stringify(seen);
      expect(seen.length).toBeGreaterThan(0);
      for (const word of [PASSWORD, OFFSITE_PASSWORD, place.at('repo')]) expect(env).not.toContain(word);
    });

    it('forget keeps one series for a volume, whatever run made it; a dry run changes nothing', async () => {
      const spec = { keep: KEEP, tags: ['vakhta', 'volume=web'] };
      const before = await place.restic.primary.snapshots(['volume=web'], place.signal);
      const dry = await place.restic.primary.forget({ ...spec, dryRun: true }, place.signal);
      expect(dry).toMatchObject({ kept: 1, removed: before.slice(0, -1).map(({ id }) => ({ id })) });
      expect(await place.restic.primary.snapshots(['volume=web'], place.signal)).toEqual(before);
      const other = { ...spec, tags: ['vakhta', 'volume=other'], dryRun: true };
      expect(await place.restic.primary.forget(other, place.signal)).toEqual({ kept: 0, removed: [] });
      await place.restic.primary.forget({ ...spec, dryRun: false }, place.signal);
      expect(await place.restic.primary.snapshots(['volume=web'], place.signal)).toEqual(before.slice(-1));
      expect(await place.restic.primary.prune({ signal: place.signal })).toBeGreaterThan(0);
    });

    it('copy brings what is missing elsewhere, once; the contents are the same', async () => {
      const { offsite, primary } = place.restic;
      if (!offsite) throw new Error('no offsite');
      await offsite.init(primary, place.signal);
      await place.cheapen('offsite');
      const ids = (await primary.snapshots([], place.signal)).map(({ id }) => id);
      await place.restic.copy(ids, { signal: place.signal });
      await place.restic.copy(ids, { signal: place.signal });
      const [there, here] = await Promise.all([
        offsite.snapshots([], place.signal),
        primary.snapshots([], place.signal),
      ]);
      expect(there.map(({ tree, at, tags }) => ({ tree, at, tags }))).toEqual(
        here.map(({ tree, at, tags }) => ({ tree, at, tags })),
      );
    });

    it('check reads a share of the data: a flipped bit is found by it, and not by the check of the structure', async () => {
      await writeFile(place.at('source', 'big'), randomBytes(400_000));
      await backup('big');
      expect(await place.restic.primary.check(1, 1, { signal: place.signal })).toMatchObject({
        ok: true,
        part: 1,
        of: 1,
      });
      const packs = (await place.restic.files.tree(place.at('repo', 'data'), place.signal)).toSorted(
        (a, b) => b.bytes - a.bytes,
      );
      const pack = join(place.at('repo', 'data'), packs[0]?.name ?? '');
      await mkdir(place.at('scratch'), { recursive: true });
      // Only below the scratch folder may anything be damaged.
      expect(await refusal(place.restic.files.damage(pack, place.signal))).toMatchObject({ code: 'files-outside' });
      const bytes = await readFile(pack);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      await chmod(pack, 0o600);
      await writeFile(pack, bytes);
      expect((await place.cli(['check'])).code).toBe(0);
      const found = await place.restic.primary.check(1, 1, { signal: place.signal });
      expect(found.ok).toBe(false);
      expect(found.findings.join(' ')).toMatch(/pack|Data seems to have changed|ciphertext/i);
      const [newest] = (await place.restic.primary.snapshots(['run=big'], place.signal)).slice(-1);
      const broken = place.restic.primary.restore(newest?.id ?? '', place.at('scratch', 'broken'), {
        signal: place.signal,
      });
      expect(await refusal(broken)).toMatchObject({ code: 'restic-restore-damaged' });
    });
  });

  describe('a repository that somebody holds', () => {
    let place: Place;
    beforeAll(async () => {
      place = await openPlace();
      await place.restic.primary.init(undefined, place.signal);
      await place.cheapen('repo');
      await place.restic.backup(
        { paths: [place.at('source')], exclude: [], tags: ['vakhta'] },
        { signal: place.signal },
      );
    });
    afterAll(() => place.remove());

    /** A backup of standard input goes on until that ends. */
    const hold = async () => {
      const child = spawn(need('restic'), ['backup', '--stdin', '--quiet'], {
        env: {
          PATH: '/usr/bin',
          RESTIC_REPOSITORY: place.at('repo'),
          RESTIC_PASSWORD: PASSWORD,
          RESTIC_CACHE_DIR: place.at('cache'),
        },
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.stdin.write('begun');
      await until('its lock', async () => (await readdir(place.at('repo', 'locks'))).length > 0);
      return { pid: child.pid ?? 0, kill: () => child.kill('SIGKILL'), finish: () => child.stdin.end(), ended };
    };

    it('tells who, reads all the same, and takes away only what a dead process of ours left', async () => {
      const since = new Date();
      const holder = await hold();
      const [lock] = await place.restic.primary.locks(place.signal);
      expect(lock).toMatchObject({ pid: holder.pid, exclusive: false, host: await place.restic.files.hostName() });
      const error = await refusal(place.restic.primary.check(1, 1, { signal: place.signal }));
      expect(error).toMatchObject({ code: 'restic-locked', kind: 'transient', args: { pid: String(holder.pid) } });
      expect(await place.restic.primary.snapshots([], place.signal)).toHaveLength(1);
      expect(await place.restic.primary.clearOwnLock(since, place.signal)).toBe('held');
      holder.kill();
      await holder.ended;
      // Not ours: it was made before our work began.
      expect(await place.restic.primary.clearOwnLock(new Date(Date.now() + 120_000), place.signal)).toBe('foreign');
      expect(await place.restic.primary.locks(place.signal)).toHaveLength(1);
      expect(await place.restic.primary.clearOwnLock(since, place.signal)).toBe('cleared');
      expect(await place.restic.primary.clearOwnLock(since, place.signal)).toBe('none');
    });

    it('a backup that is cancelled ends soon and leaves no lock that stays', async () => {
      await writeFile(place.at('source', 'slow'), randomBytes(30_000_000));
      const slow = createRestic(
        { ...place.settings, binary: [...place.settings.binary, '--limit-upload=500'] },
        { executor: place.executor, clock: systemClock },
      );
      const abort = new AbortController();
      const since = new Date();
      const running = refusal(
        slow.backup({ paths: [place.at('source')], exclude: [], tags: ['vakhta'] }, { signal: abort.signal }),
      );
      await until('its lock', async () => (await readdir(place.at('repo', 'locks'))).length > 0);
      const asked = Date.now();
      abort.abort();
      expect(await running).toMatchObject({ code: 'exec-cancelled' });
      // It would take a minute.
      expect(Date.now() - asked).toBeLessThan(SOON_MS);
      expect(['none', 'cleared']).toContain(await place.restic.primary.clearOwnLock(since, place.signal));
      expect(await readdir(place.at('repo', 'locks'))).toEqual([]);
      await rm(place.at('source', 'slow'));
    });
  });

  describe('files that cannot be read', () => {
    it.runIf(isRoot())('make the backup amber, and are named; it is there without them', async () => {
      const nobody = asUser('nobody', []).slice(0, -1);
      const executor = createLocalExecutor({ prefix: [...nobody, '--'] }, { clock: systemClock });
      const place = await openPlace({
        executor: {
          ...executor,
          // setpriv --reset-env would take the variables away.
          run: (argv, options) =>
            createLocalExecutor(
              { prefix: nobody.filter((word) => word !== '--reset-env').concat('--') },
              { clock: systemClock },
            ).run(argv, options),
        },
      });
      try {
        const { uid, gid } = systemUser('nobody');
        await chown(place.folder, uid, gid);
        await writeFile(place.at('source', 'private'), 'closed', { mode: 0o600 });
        await place.restic.primary.init(undefined, place.signal);
        const made = await place.restic.backup(
          { paths: [place.at('source')], exclude: [], tags: ['vakhta'] },
          { signal: place.signal },
        );
        expect(made).toMatchObject({ skipped: [place.at('source', 'private')], skippedCount: 1, files: 2 });
        expect(await place.restic.primary.snapshots([], place.signal)).toHaveLength(1);
      } finally {
        await place.remove();
      }
    });
  });

  describe('scratch folders', () => {
    it('are removed only with the mark of the same owner, and nothing outside is ever touched', async () => {
      const place = await openPlace();
      const { files } = place.restic;
      try {
        const folder = place.at('scratch', 'run-1');
        await files.makeScratch(folder, 'vakhta one run-1');
        await writeFile(join(folder, 'x'), 'y');
        expect(await refusal(files.removeScratch(folder, 'vakhta two run-2'))).toMatchObject({
          code: 'files-not-ours',
        });
        expect(await refusal(files.makeScratch(folder, 'vakhta two run-2'))).toMatchObject({ code: 'files-not-ours' });
        expect(await readFile(join(folder, 'x'), 'utf8')).toBe('y');
        await files.removeScratch(folder, 'vakhta one run-1');
        expect(await files.missing([folder])).toEqual([folder]);
        await files.removeScratch(folder, 'vakhta one run-1');
        // Another run of the same owner empties what was left, and what looks for the old one leaves it alone.
        await files.makeScratch(folder, 'vakhta one run-1');
        await writeFile(join(folder, 'x'), 'y');
        await files.makeScratch(folder, 'vakhta one run-2');
        expect(await files.missing([join(folder, 'x')])).toEqual([join(folder, 'x')]);
        await files.removeScratch(folder, 'vakhta one run-1');
        expect(await files.missing([folder])).toEqual([]);
        await files.removeScratch(folder, 'vakhta one run-2');
        // Made, and the mark was not: empty, so it may go.
        await mkdir(folder);
        await files.removeScratch(folder, 'vakhta one run-1');
        for (const bad of [place.at('source'), place.at('scratch'), `${place.at('scratch')}/../source`, '/']) {
          expect(await refusal(files.removeScratch(bad, 'vakhta one run-1'))).toMatchObject({ code: 'files-outside' });
        }
        expect(await files.missing([place.at('source', 'a.txt')])).toEqual([]);
        const { free, total } = await files.space(place.at('not', 'yet', 'there'));
        expect(free).toBeGreaterThan(0);
        expect(total).toBeGreaterThanOrEqual(free);
      } finally {
        await place.remove();
      }
    });

    it('what a command prints becomes a file; one that fails is told', async () => {
      const place = await openPlace();
      const { files } = place.restic;
      try {
        await files.makeScratch(place.at('scratch', 'd'), 'o r');
        expect(await files.capture(['printf', '%s', '$(id) ; x'], place.at('scratch', 'd', 'dump'))).toBe(9);
        expect(await readFile(place.at('scratch', 'd', 'dump'), 'utf8')).toBe('$(id) ; x');
        const error = await refusal(files.capture(['ls', '/no/such'], place.at('scratch', 'd', 'dump')));
        expect(error).toMatchObject({ code: 'files-command-failed', args: { program: 'ls' } });
      } finally {
        await place.remove();
      }
    });
  });
});

withComponents(['restic', 'rclone'], () => {
  describe('a copy elsewhere', () => {
    it('on rclone’s server that only takes new data: copied to, restored from, and nothing can be removed there', async () => {
      const port = await freePort();
      const place = await openPlace({ offsite: `rest:http://127.0.0.1:${port}/` });
      const server = launch('rclone', [
        need('rclone'),
        'serve',
        'restic',
        '--append-only',
        '--addr',
        `127.0.0.1:${port}`,
        place.at('far'),
      ]);
      try {
        await mkdir(place.at('far'));
        await until('rclone', () => tcpOpen(port), { process: server });
        const { primary, offsite } = place.restic;
        if (!offsite) throw new Error('no offsite');
        await primary.init(undefined, place.signal);
        await place.cheapen('repo');
        for (const run of ['1', '2']) {
          await writeFile(place.at('source', 'a.txt'), run);
          await place.restic.backup(
            { paths: [place.at('source')], exclude: [], tags: ['vakhta', 'volume=web'] },
            { signal: place.signal },
          );
        }
        await offsite.init(primary, place.signal);
        await place.cheapen('far');
        const ids = (await primary.snapshots([], place.signal)).map(({ id }) => id);
        await place.restic.copy(ids, { signal: place.signal });
        const there = await offsite.snapshots(['vakhta'], place.signal);
        expect(there).toHaveLength(2);
        await offsite.restore(there.at(-1)?.id ?? '', place.at('scratch', 'r'), { signal: place.signal });
        expect(await readFile(join(place.at('scratch', 'r'), place.at('source', 'a.txt')), 'utf8')).toBe('2');
        const snapshot = `http://127.0.0.1:${port}/snapshots/${there[0]?.id}`;
        expect((await fetch(snapshot, { method: 'DELETE' })).status).toBe(403);
        expect(await offsite.snapshots(['vakhta'], place.signal)).toHaveLength(2);
      } finally {
        await server.stop();
        await place.remove();
      }
    });

    it('on a remote of rclone: the same', async () => {
      const place = await openPlace();
      const far = createRestic(
        { ...place.settings, offsite: { ...place.settings.offsite, repository: `rclone:${place.at('far')}` } },
        { executor: place.executor, clock: systemClock },
      );
      try {
        await far.primary.init(undefined, place.signal);
        await place.cheapen('repo');
        await far.backup({ paths: [place.at('source')], exclude: [], tags: ['vakhta'] }, { signal: place.signal });
        await far.offsite?.init(far.primary, place.signal);
        await place.cheapen('far');
        await far.copy(
          (await far.primary.snapshots([], place.signal)).map(({ id }) => id),
          { signal: place.signal },
        );
        expect(await far.offsite?.snapshots([], place.signal)).toHaveLength(1);
      } finally {
        await place.remove();
      }
    });
  });
});
