/** Volumes of a real Docker engine, by the real restic, through the life of runs. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createDocker } from '../../../src/integrations/docker/docker.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createRestic } from '../../../src/integrations/restic/restic.ts';
import { createLockPaths } from '../../../src/tasks/lock-paths.ts';
import backupVolume from '../../../src/tasks/operations/backup-volume.ts';
import drillRestore from '../../../src/tasks/operations/drill-restore.ts';
import forget from '../../../src/tasks/operations/forget.ts';
import offsiteSync from '../../../src/tasks/operations/offsite-sync.ts';
import verify from '../../../src/tasks/operations/verify.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import { createRecoveryDesk } from '../../../src/tasks/recovery/desk.ts';
import { resticParts } from '../../../src/tasks/recovery/restic.ts';
import { createScratchDesk } from '../../../src/tasks/scratch/desk.ts';
import { several } from '../../../src/tasks/several.ts';
import { createVolumeDesk } from '../../../src/tasks/volumes/desk.ts';
import { as, openLife } from '../../chat/support/life.ts';
import { configWith, shownRun } from '../../chat/support/shown.ts';
import {
  type DockerEngine,
  must,
  need,
  run,
  startDocker,
  until,
  withComponents,
} from '../../support/components/index.ts';
import { openPlace, PASSWORD, type Place } from './place.ts';

const OPERATIONS = [backupVolume, drillRestore, forget, offsiteSync, verify];

/** The program with a disk and an engine that are real. */
async function open(place: Place, engine: DockerEngine) {
  const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
  const life = await openLife({ operations: OPERATIONS, ports, time: systemClock });
  const { db } = life;
  const clock = systemClock;
  const config = configWith({
    docker: [{ id: 'here', host: 'local', binary: engine.docker }],
    recovery: { rto_minutes: 30, rpo_minutes: 10_000 },
    restic: [
      {
        id: 'files',
        binary: [need('restic')],
        repository: place.at('repo'),
        password: 'env:R',
        host_name: 'docker',
        scratch_dir: place.at('scratch'),
        free_percent: 0,
        check_days: 1,
        keep: { last: 1, daily: 0, weekly: 0, monthly: 0 },
        volumes: [
          { id: 'web', engine: 'here', volume: 'web_data', before: { pause: ['web'] } },
          {
            id: 'db',
            engine: 'here',
            volume: 'db_data',
            before: {
              stop: ['app'],
              dump: { container: 'db', command: ['/bin/busybox', 'echo', 'all of it'], file: 'all.sql' },
            },
          },
          { id: 'small', paths: [place.at('source')] },
        ],
        offsite: { repository: place.at('offsite'), password: 'env:R', read_limit_gb: 0.001, price_per_gb: 1 },
      },
    ],
  });
  const executor = createLocalExecutor({}, { clock });
  const docker = several([['here', createDocker({ id: 'here', binary: engine.docker }, { executor })]]);
  const volumes = createVolumeDesk(config, {
    db,
    restic: several([['files', place.restic]]),
    docker,
    lockPaths: createLockPaths(config),
  });
  const scratch = createScratchDesk({ db, clock });
  const { offsite: _offsite, ...alone } = place.settings;
  const parts = resticParts(volumes, {
    db,
    clock,
    random: systemRandom,
    scratch,
    other: (_set, repository) => createRestic({ ...alone, primary: repository }, { executor, clock }),
  });
  ports.volumes = volumes;
  ports.scratch = scratch;
  ports.recovery = createRecoveryDesk({ db, clock, log: silentLog, config, parts });
  const ask = async (operation: string, args: Record<string, unknown>) => {
    const { id } = await life.requests.request(as('anna'), operation, args);
    await life.deliver();
    return life.run(id);
  };
  const approve = async (id: string) => {
    await life.requests.answer(id, 'approve', as('boris'));
    await life.deliver();
    return life.run(id);
  };
  return { life, ask, approve, docker: docker.get('here'), scratch, parts };
}

withComponents(['restic', 'dockerd', 'docker', 'busybox'], () => {
  describe('volumes of an engine', () => {
    let engine: DockerEngine;
    let place: Place;

    beforeAll(async () => {
      [engine, place] = await Promise.all([startDocker(), openPlace()]);
      await mkdir(place.at('scratch'), { mode: 0o700 });
      const write = (seconds: number) => `/bin/busybox date > /data/since; exec /bin/busybox sleep ${seconds}`;
      await engine.start('web', { args: ['--volume', 'web_data:/data'], command: write(3600) });
      await engine.start('app', { args: ['--volume', 'db_data:/data'], command: write(3600) });
      await engine.start('db');
      for (const name of ['web', 'app']) {
        const look = [...engine.docker, 'exec', name, '/bin/busybox', 'test', '-s', '/data/since'];
        await until(`what ${name} writes`, async () => (await run(look)).code === 0);
      }
      const words = ['volume', 'inspect', '--format', '{{.Mountpoint}}', 'web_data'];
      const at = (await must([...engine.docker, ...words])).trim();
      await writeFile(join(at, 'big'), randomBytes(2_000_000));
    }, 60_000);
    afterAll(async () => {
      await engine?.stop();
      await place?.remove();
    });

    const scratchLeft = async () => (await readdir(place.at('scratch'))).filter((name) => name !== 'restic-cache');

    it('backed up, deleted, made anew and restored: identical', async () => {
      const { ask, docker, life, scratch } = await open(place, engine);
      expect(await ask('backup.volume', { volume: 'web' })).toMatchObject({ error: { code: 'restic-no-repository' } });
      const run = await ask('backup.volume', { volume: 'web', repository: 'new' });
      await place.cheapen('repo');
      expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true }, result: { files: 2, skippedCount: 0 } });
      const { en } = await shownRun(run, life, OPERATIONS, systemClock.now());
      expect(en.text).toContain('containers stood still');
      expect((await docker.inspect('web')).status).toBe('running');
      expect(await scratch.open()).toEqual([]);

      const at = await docker.mountpoint('web_data');
      const names = (await place.restic.files.tree(at)).map(({ name }) => name);
      const before = await place.restic.files.hashes(at, names);
      await must([...engine.docker, 'rm', '--force', 'web']);
      await must([...engine.docker, 'volume', 'rm', 'web_data']);
      expect(await place.restic.files.missing([at])).toEqual([at]);
      await must([...engine.docker, 'volume', 'create', 'web_data']);
      // As docs/recovery.md says it.
      const back = await place.cli(['restore', 'latest', '--host', 'docker', '--tag', 'volume=web', '--target', '/']);
      expect(back.code).toBe(0);
      expect(await docker.mountpoint('web_data')).toBe(at);
      expect(await place.restic.files.hashes(at, names)).toEqual(before);
      expect(before.size).toBe(2);
      await engine.start('web', { args: ['--volume', 'web_data:/data'] });
    });

    it('a dump and the files are one snapshot; what was stopped runs again', async () => {
      const { ask, docker } = await open(place, engine);
      const run = await ask('backup.volume', { volume: 'db' });
      expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true }, result: { files: 2, dumpBytes: 10 } });
      expect((await docker.inspect('app')).status).toBe('running');
      expect(await scratchLeft()).toEqual(['dumps']);
      const drill = await ask('drill.restore', { target: 'volume:db' });
      expect(drill).toMatchObject({ state: 'succeeded', result: { passed: true } });
      expect(JSON.stringify(drill.result)).toContain('volume-proof-dump');
    });

    it('a check reads the data, and catches one changed byte in a repository of its own', async () => {
      const { ask } = await open(place, engine);
      const run = await ask('verify', { target: 'restic:files' });
      expect(run).toMatchObject({ state: 'succeeded', result: { rows: [{ state: 'ok', decoy: 'caught' }] } });
      expect(await scratchLeft()).toEqual(['dumps']);
    });

    it('goes elsewhere, comes back from there, and nothing is read that costs more than is allowed', async () => {
      const { ask, parts } = await open(place, engine);
      await ask('backup.volume', { volume: 'small' });
      expect(await ask('offsite.sync', {})).toMatchObject({ error: { code: 'restic-no-repository' } });
      const sync = await ask('offsite.sync', { repository: 'new', set: 'files' });
      await place.cheapen('offsite');
      expect(sync).toMatchObject({
        state: 'succeeded',
        verified: { ok: true },
        result: { rows: [{ copied: 3, total: 3 }] },
      });
      expect(await ask('offsite.sync', {})).toMatchObject({ state: 'succeeded', result: { rows: [{ copied: 0 }] } });
      const drill = await ask('drill.restore', { target: 'offsite-volume:small' });
      expect(drill).toMatchObject({ state: 'succeeded', result: { passed: true } });
      expect(JSON.stringify(drill.plan)).toContain('volume-drill-price');
      expect(await ask('drill.restore', { target: 'offsite-volume:web' })).toMatchObject({
        state: 'failed',
        error: { code: 'volume-cost' },
      });
      const signal = new AbortController().signal;
      const states = (await Promise.all(parts.sources.map((source) => source.states(signal)))).flat();
      expect(states.map(({ target, state, count }) => `${target} ${state} ${count}`).sort()).toEqual([
        'offsite-volume:db ok 1',
        'offsite-volume:small ok 1',
        'offsite-volume:web ok 1',
        'volume:db ok 1',
        'volume:small ok 1',
        'volume:web ok 1',
      ]);
    });

    it('what is beyond the retention goes, of each volume by itself', async () => {
      const { ask, approve } = await open(place, engine);
      await writeFile(place.at('source', 'a.txt'), 'changed');
      await ask('backup.volume', { volume: 'small' });
      const asked = await ask('forget', { set: 'files' });
      expect(asked).toMatchObject({ state: 'approving' });
      const done = await approve(asked.id);
      expect(done).toMatchObject({ state: 'succeeded', verified: { ok: true } });
      const left = await place.restic.primary.snapshots(['vakhta'], place.signal);
      expect(left.map(({ tags }) => tags.find((tag) => tag.startsWith('volume=')))).toEqual([
        'volume=web',
        'volume=db',
        'volume=small',
      ]);
      expect((await place.cli(['check'])).code).toBe(0);
    });

    it('a copy that somebody has damaged fails its drill, and its password stands nowhere', async () => {
      const { ask, life } = await open(place, engine);
      const packs = await place.restic.files.tree(place.at('offsite', 'data'));
      for (const { name } of packs) {
        const pack = place.at('offsite', 'data', name);
        const bytes = await readFile(pack);
        bytes.fill(0, bytes.length >> 2, bytes.length >> 1);
        await must(['chmod', 'u+w', pack]);
        await writeFile(pack, bytes);
      }
      const drill = await ask('drill.restore', { target: 'offsite-volume:small' });
      expect(drill.state).toBe('failed');
      expect(await scratchLeft()).toEqual(['dumps']);
      const { rows } = await life.db.query('select to_jsonb(runs) as row from runs');
      expect(JSON.stringify([rows, life.log])).not.toContain(PASSWORD);
    });
  });
});
