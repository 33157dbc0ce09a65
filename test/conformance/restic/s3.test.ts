/** Repositories in an S3 store: the real restic and the real rclone, in front of the simulated store. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { days, hours, systemClock } from '../../../src/core/clock.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { silentLog } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { parseSecretRef } from '../../../src/config/secret-ref.ts';
import { createSecrets } from '../../../src/config/secrets.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createRestic, type RepositorySettings } from '../../../src/integrations/restic/restic.ts';
import type { S3Key } from '../../../src/simulators/s3/simulator.ts';
import { createLockPaths } from '../../../src/tasks/lock-paths.ts';
import backupVolume from '../../../src/tasks/operations/backup-volume.ts';
import drillRestore from '../../../src/tasks/operations/drill-restore.ts';
import offsiteSync from '../../../src/tasks/operations/offsite-sync.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import { createRecoveryDesk } from '../../../src/tasks/recovery/desk.ts';
import { resticParts } from '../../../src/tasks/recovery/restic.ts';
import { createScratchDesk } from '../../../src/tasks/scratch/desk.ts';
import { several } from '../../../src/tasks/several.ts';
import { createVolumeDesk } from '../../../src/tasks/volumes/desk.ts';
import { as, openLife } from '../../chat/support/life.ts';
import { configWith } from '../../chat/support/shown.ts';
import { finds } from '../../support/canaries.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { cheapenRestic, need, type S3Server, startS3, withComponents } from '../../support/components/index.ts';
import { OFFSITE_PASSWORD, openPlace, PASSWORD, type Place } from './place.ts';

const FULL: S3Key = { id: 'AKTESTFULL0000000001', secret: 'test-full-secret-canary-7f3a' };
/** As docs/recovery.md recommends it: locks may be removed, nothing else. */
const NARROW: S3Key = {
  id: 'AKTESTNARROW00000002',
  secret: 'test-narrow-secret-canary-91c4',
  may: (action, _bucket, key) =>
    action === 'DeleteObject' ? key.includes('/locks/') : !['CreateBucket', 'DeleteBucket'].includes(action),
};
const NOTHING: S3Key = { id: 'AKTESTNOTHING0000003', secret: 'test-nothing-secret-canary-b2', may: () => false };

const ENV: Readonly<Record<string, string>> = {
  PASSWORD,
  OFFSITE_PASSWORD,
  ...Object.fromEntries(
    [FULL, NARROW, NOTHING].flatMap(({ id, secret }, i) => [
      [`ID${i}`, id],
      [`SECRET${i}`, secret],
    ]),
  ),
  WRONG: 'test-wrong-secret-canary-55aa',
};
const SECRETS = Object.fromEntries(Object.entries(ENV).filter(([name]) => !name.startsWith('ID')));

/** As the program reads them: by references, at each use. */
function source(reference: string) {
  const ref = parseSecretRef(reference);
  if (ref === undefined) throw new Error(`${reference} is no reference`);
  return createSecrets({ env: ENV, readFile: () => Promise.reject(new Error('no files')) }).source(ref);
}
const repository = (
  where: string,
  env: Readonly<Record<string, string>>,
  password = 'env:PASSWORD',
): RepositorySettings => ({
  repository: where,
  password: source(password),
  env: Object.fromEntries(Object.entries(env).map(([name, reference]) => [name, source(reference)])),
});
const aws = (n: number, secret = `env:SECRET${n}`) => ({
  AWS_ACCESS_KEY_ID: `env:ID${n}`,
  AWS_SECRET_ACCESS_KEY: secret,
});

async function refusal(promise: Promise<unknown>): Promise<VakhtaError> {
  const thrown: unknown = await promise.then(
    () => new Error('nothing was refused'),
    (error: unknown) => error,
  );
  if (thrown instanceof VakhtaError) return thrown;
  throw thrown;
}

/** Keeps the command lines of what is run. */
function listening(executor: Executor): { readonly executor: Executor; readonly argv: string[] } {
  const argv: string[] = [];
  const run: Executor['run'] = (words, options) => {
    argv.push(words.join(' '));
    return executor.run(words, options);
  };
  return { executor: { ...executor, run }, argv };
}

/** As `cheapen` of the place: from now on the repository opens at once. */
async function cheapen(place: Place, s3: S3Server, bucket: string, password: string): Promise<void> {
  const folder = place.at(`keys-of-${bucket}`, 'keys');
  await mkdir(folder, { recursive: true });
  const objects = s3.store.bucket(bucket);
  for (const [key, { body }] of objects) {
    if (!key.startsWith('files/keys/')) continue;
    await writeFile(join(folder, key.slice('files/keys/'.length)), body);
    objects.delete(key);
  }
  await cheapenRestic(join(folder, '..'), password);
  for (const name of await readdir(folder)) {
    s3.store.put(bucket, `files/keys/${name}`, await readFile(join(folder, name)), {});
  }
  await rm(folder, { recursive: true });
}

withComponents(['restic'], () => {
  describe('a repository in an S3 store', { timeout: 120_000 }, () => {
    let place: Place;
    let s3: S3Server;
    let at: string;
    const { signal } = new AbortController();
    beforeAll(async () => {
      [place, s3] = await Promise.all([openPlace(), startS3({ keys: [FULL, NARROW, NOTHING], pageSize: 2 })]);
      at = `s3:${s3.url}/backup/files`;
    });
    afterAll(async () => {
      await s3?.stop();
      await place?.remove();
    });
    const open = (primary: RepositorySettings, executor = place.executor) => {
      const { offsite: _offsite, ...alone } = place.settings;
      return createRestic({ ...alone, primary }, { executor, clock: systemClock });
    };
    const backup = (restic: ReturnType<typeof open>) =>
      restic.backup({ paths: [place.at('source')], exclude: [], tags: ['vakhta'] }, { signal });

    it('is made, backed up to, checked and restored from, with keys out of references that stand on no command line', async () => {
      const { executor, argv } = listening(place.executor);
      const restic = open(repository(at, aws(0)), executor);
      await restic.primary.init(undefined, signal);
      await cheapen(place, s3, 'backup', PASSWORD);
      await writeFile(place.at('source', 'big'), randomBytes(300_000));
      expect(await backup(restic)).toMatchObject({ files: 3, newFiles: 3, skippedCount: 0 });
      await writeFile(place.at('source', 'a.txt'), 'second\n');
      const second = await backup(restic);
      expect(await restic.primary.snapshots(['vakhta'], signal)).toHaveLength(2);
      expect(await restic.primary.check(1, 1, { signal })).toMatchObject({ ok: true, findings: [] });
      await restic.primary.restore(second.snapshot, place.at('scratch', 'r'), { signal });
      const restored = join(place.at('scratch', 'r'), place.at('source'));
      for (const name of ['a.txt', 'big', join('sub', 'имя файла.txt')]) {
        expect(await readFile(join(restored, name))).toEqual(await readFile(place.at('source', name)));
      }
      expect(await restic.primary.locks(signal)).toEqual([]);
      expect(argv.length).toBeGreaterThan(5);
      expect(finds(SECRETS, [['argv', argv.join('\n')]])).toEqual([]);
      expect(argv.join('\n')).not.toContain(FULL.id);
      // All was signed, and lists went over pages.
      expect(s3.requests.every(({ keyId }) => keyId === FULL.id)).toBe(true);
      expect(s3.requests.some(({ parameters }) => parameters.includes('continuation-token'))).toBe(true);
      expect(s3.requests.filter(({ status }) => status >= 500)).toEqual([]);
    });

    it('damage in the store is found by the check', async () => {
      const restic = open(repository(at, aws(0)));
      const objects = s3.store.bucket('backup');
      const [key = '', object] =
        [...objects]
          .filter(([name]) => name.includes('/data/'))
          .toSorted(([, a], [, b]) => b.body.length - a.body.length)[0] ?? [];
      if (object === undefined) throw new Error('no data');
      const body = Buffer.from(object.body);
      body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
      objects.set(key, { ...object, body });
      expect(await restic.primary.check(1, 1, { signal })).toMatchObject({ ok: false });
      objects.set(key, object);
      expect(await restic.primary.check(1, 1, { signal })).toMatchObject({ ok: true });
    });

    it.each([
      ['an unknown key', 'backup', { ...aws(0), AWS_ACCESS_KEY_ID: 'env:WRONG' }, 'restic-keys'],
      ['a wrong secret', 'backup', aws(0, 'env:WRONG'), 'restic-keys'],
      ['a bucket that is not there', 'bakcup', aws(0), 'restic-no-bucket'],
      ['a key without rights', 'backup', aws(2), 'restic-place-denied'],
    ])('%s is told as such, and not as a missing repository', async (_, bucket, env, code) => {
      const restic = open(repository(`s3:${s3.url}/${bucket}/files`, env));
      const error = await refusal(restic.primary.snapshots([], signal));
      expect(error).toMatchObject({ code, kind: 'permanent' });
      expect(String(error.args['detail'])).not.toBe('');
      expect(finds(SECRETS, [['error', JSON.stringify([error.message, error.args])]])).toEqual([]);
      expect(s3.store.buckets.has('bakcup')).toBe(false);
    });

    it('a place in the store where there is none yet is a missing repository', async () => {
      const restic = open(repository(`s3:${s3.url}/backup/elsewhere`, aws(0)));
      expect(await refusal(restic.primary.snapshots([], signal))).toMatchObject({ code: 'restic-no-repository' });
    });

    it('with a key that may remove nothing but locks a backup goes well, and nothing of it can be removed', async () => {
      const restic = open(repository(at, aws(1)));
      await backup(restic);
      expect(await restic.primary.locks(signal)).toEqual([]);
      const before = [...s3.store.bucket('backup').keys()];
      const keep = { last: 1, daily: 0, weekly: 0, monthly: 0 };
      const error = await refusal(restic.primary.forget({ keep, tags: ['vakhta'], dryRun: false }, signal));
      expect(error).toMatchObject({ code: 'restic-place-denied' });
      expect([...s3.store.bucket('backup').keys()]).toEqual(before);
    });
  });

  describe('an S3 store that is there and does not fit', () => {
    it.each([
      ['a certificate that nobody knows', { tls: true }, 'restic-certificate'],
      ['a clock that is an hour away', { clock: createManualClock(new Date(Date.now() - hours(1))) }, 'restic-clock'],
    ])('%s is told as such', async (_, options, code) => {
      const [place, s3] = await Promise.all([openPlace(), startS3({ keys: [FULL], ...options })]);
      try {
        const { offsite: _offsite, ...alone } = place.settings;
        const primary = repository(`s3:${s3.url}/backup/files`, aws(0));
        const restic = createRestic({ ...alone, primary }, { executor: place.executor, clock: systemClock });
        const error = await refusal(restic.primary.snapshots([], place.signal));
        expect(error).toMatchObject({ code, kind: 'permanent' });
      } finally {
        await s3.stop();
        await place.remove();
      }
    });
  });
});

withComponents(['restic', 'rclone'], () => {
  describe('a copy elsewhere, by rclone in an S3 store', { timeout: 120_000 }, () => {
    let place: Place;
    let s3: S3Server;
    beforeAll(async () => {
      [place, s3] = await Promise.all([
        openPlace(),
        startS3({ keys: [FULL, NARROW], buckets: ['backup', 'far'], pageSize: 3 }),
      ]);
      await mkdir(place.at('scratch'), { mode: 0o700 });
      await mkdir(place.at('large'));
      await writeFile(place.at('large', 'big'), randomBytes(6_000_000));
    });
    afterAll(async () => {
      await s3?.stop();
      await place?.remove();
    });

    /** Both places are S3, with different keys. */
    const openRestic = async (secret = 'env:SECRET1', bucket = 'far') => {
      // Between restic and rclone, to see what rclone is told.
      const [rclone, told] = [place.at('rclone'), place.at('rclone.log')];
      await writeFile(rclone, `#!/bin/sh\nprintf '%s\\n' "$*" >>'${told}'\nexec ${need('rclone')} "$@"\n`);
      await chmod(rclone, 0o755);
      const parts = 'upload_cutoff=5Mi,chunk_size=5Mi';
      const remote = `rclone::s3,provider=Other,endpoint="${s3.url}",no_check_bucket=true,${parts}:${bucket}/files`;
      const { executor, argv } = listening(place.executor);
      const restic = createRestic(
        {
          ...place.settings,
          binary: [need('restic'), '-o', `rclone.program=${rclone}`],
          primary: repository(`s3:${s3.url}/backup/files`, aws(0)),
          offsite: repository(
            remote,
            { RCLONE_S3_ACCESS_KEY_ID: 'env:ID1', RCLONE_S3_SECRET_ACCESS_KEY: secret },
            'env:OFFSITE_PASSWORD',
          ),
        },
        { executor, clock: systemClock },
      );
      return { restic, executor, argv, told, remote };
    };

    /** The program with that one set. */
    const openProgram = async () => {
      const { restic, executor, argv, told, remote } = await openRestic();
      const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
      const operations = [backupVolume, drillRestore, offsiteSync];
      const life = await openLife({ operations, ports, time: systemClock });
      const config = configWith({
        recovery: { rto_minutes: 30, rpo_minutes: 10_000 },
        restic: [
          {
            id: 'files',
            repository: `s3:${s3.url}/backup/files`,
            password: 'env:PASSWORD',
            host_name: 'docker',
            scratch_dir: place.at('scratch'),
            free_percent: 0,
            volumes: [
              { id: 'small', paths: [place.at('source')] },
              { id: 'large', paths: [place.at('large')] },
              { id: 'old', paths: [place.at('source')] },
            ],
            offsite: { repository: remote, password: 'env:OFFSITE_PASSWORD', read_limit_gb: 0.001, price_per_gb: 1 },
          },
        ],
      });
      const { db } = life;
      const volumes = createVolumeDesk(config, {
        db,
        restic: several([['files', restic]]),
        docker: several([]),
        lockPaths: createLockPaths(config),
      });
      const scratch = createScratchDesk({ db, clock: systemClock });
      const { offsite: _offsite, ...alone } = place.settings;
      const other = (_set: string, primary: RepositorySettings) =>
        createRestic({ ...alone, primary }, { executor, clock: systemClock });
      const edges = { db, clock: systemClock, random: systemRandom, scratch, other };
      const recovery = resticParts(volumes, edges);
      ports.volumes = volumes;
      ports.scratch = scratch;
      ports.recovery = createRecoveryDesk({ db, clock: systemClock, log: silentLog, config, parts: recovery });
      const ask = async (operation: string, args: Record<string, unknown>) => {
        const { id } = await life.requests.request(as('anna'), operation, args);
        await life.deliver();
        return life.run(id);
      };
      return { ask, life, recovery, restic, argv, told };
    };

    type Program = Awaited<ReturnType<typeof openProgram>>;
    /** No secret on a command line, restic's or rclone's, in what is stored, or in the log; and nothing was asked that the store lacks. */
    const nothingLeaked = async ({ life, argv, told }: Program) => {
      const { rows } = await life.db.query('select to_jsonb(runs) as row from runs');
      const lines = await readFile(told, 'utf8');
      expect(lines).toContain('serve restic --stdio');
      expect(rows.length).toBeGreaterThan(0);
      expect(
        finds(SECRETS, [
          ['argv', argv.join('\n')],
          ['rclone', lines],
          ['runs', JSON.stringify(rows)],
          ['log', JSON.stringify(life.log)],
        ]),
      ).toEqual([]);
      expect(s3.requests.filter(({ status }) => status === 501)).toEqual([]);
    };

    it('is made when told so, and filled; each place by its own key', async () => {
      const program = await openProgram();
      const { ask } = program;
      expect(await ask('backup.volume', { volume: 'small', repository: 'new' })).toMatchObject({ state: 'succeeded' });
      await cheapen(place, s3, 'backup', PASSWORD);
      expect(await ask('backup.volume', { volume: 'large' })).toMatchObject({ state: 'succeeded' });
      const time = new Date(Date.now() - days(9)).toISOString().slice(0, 19).replace('T', ' ');
      const tags = ['--tag=vakhta', '--tag=volume=old'];
      const words = ['backup', '--host=docker', ...tags, `--time=${time}`, place.at('source')];
      const keys = { AWS_ACCESS_KEY_ID: FULL.id, AWS_SECRET_ACCESS_KEY: FULL.secret };
      const old = await place.cli(words, { ...keys, RESTIC_REPOSITORY: `s3:${s3.url}/backup/files` });
      expect(old).toMatchObject({ code: 0 });

      expect(await ask('offsite.sync', {})).toMatchObject({ error: { code: 'restic-no-repository' } });
      expect(await ask('offsite.sync', { set: 'files', repository: 'new' })).toMatchObject({
        state: 'succeeded',
        verified: { ok: true },
        result: { rows: [{ copied: 3, total: 3 }] },
      });
      await cheapen(place, s3, 'far', OFFSITE_PASSWORD);
      const here = s3.requests.filter(({ path }) => path.startsWith('/backup/'));
      const there = s3.requests.filter(({ path }) => path.startsWith('/far/'));
      expect(new Set(here.map(({ keyId }) => keyId))).toEqual(new Set([FULL.id]));
      expect(new Set(there.map(({ keyId }) => keyId))).toEqual(new Set([NARROW.id]));
      // What is large went in parts.
      expect(there.some(({ path, parameters }) => path.includes('/data/') && parameters.includes('partNumber'))).toBe(
        true,
      );
      await nothingLeaked(program);
    });

    it('is judged by the age of its newest, restored from, and kept from costly reading', async () => {
      const program = await openProgram();
      const { ask, recovery, restic } = program;
      const states = (await Promise.all(recovery.sources.map((one) => one.states(place.signal)))).flat();
      expect(states.map(({ target, state, line }) => `${target} ${state} ${line.key}`).sort()).toEqual([
        'offsite-volume:large ok volume-state-ok',
        'offsite-volume:old warn volume-state-old',
        'offsite-volume:small ok volume-state-ok',
        'volume:large ok volume-state-ok',
        'volume:old warn volume-state-old',
        'volume:small ok volume-state-ok',
      ]);
      const before = s3.requests.length;
      const drill = await ask('drill.restore', { target: 'offsite-volume:small' });
      expect(drill).toMatchObject({ state: 'succeeded', result: { passed: true } });
      expect(JSON.stringify(drill.plan)).toContain('volume-drill-price');
      const read = s3.requests.slice(before).filter(({ method, path }) => method === 'GET' && path.includes('/data/'));
      expect([...new Set(read.map(({ path, keyId }) => `${path.split('/')[1]} ${keyId}`))]).toEqual([
        `far ${NARROW.id}`,
      ]);
      expect(await ask('drill.restore', { target: 'offsite-volume:large' })).toMatchObject({
        state: 'failed',
        error: { code: 'volume-cost' },
      });
      expect(await restic.offsite?.locks(place.signal)).toEqual([]);
      await nothingLeaked(program);
    });

    it('wrong keys are told as such, though rclone answers restic that nothing is there; so is a missing bucket when it is written to', async () => {
      const look = async (secret: string, bucket: string) => {
        const { restic, argv } = await openRestic(secret, bucket);
        const error = await refusal(restic.offsite?.snapshots([], place.signal) ?? Promise.resolve());
        const seen = JSON.stringify([error.message, error.args, argv]);
        expect(finds(SECRETS, [['error', seen]])).toEqual([]);
        return error;
      };
      expect(await look('env:WRONG', 'far')).toMatchObject({ code: 'restic-keys', kind: 'permanent' });
      // Rclone tells no difference here; whoever asks for a new repository is told.
      expect(await look('env:SECRET1', 'nowhere')).toMatchObject({ code: 'restic-no-repository' });
      const { restic } = await openRestic('env:SECRET1', 'nowhere');
      const making = restic.offsite?.init(undefined, place.signal) ?? Promise.resolve();
      expect(await refusal(making)).toMatchObject({ code: 'restic-no-bucket' });
    });
  });
});
