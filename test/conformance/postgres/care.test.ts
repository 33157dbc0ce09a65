import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import { createPsql } from '../../../src/integrations/postgres/psql.ts';
import { createScratchClusters } from '../../../src/integrations/postgres/scratch.ts';
import type { Stanza } from '../../../src/config/schema.ts';
import type { BackupSource, Verifiable, WorkContext } from '../../../src/tasks/recovery/define.ts';
import { postgresSource } from '../../../src/tasks/recovery/postgres-state.ts';
import { postgresVerifiable } from '../../../src/tasks/recovery/postgres-verify.ts';
import type { ScratchDesk } from '../../../src/tasks/scratch/desk.ts';
import {
  type Cluster,
  type PgBackRest,
  startPgBackRest,
  startPostgres,
  temporaryFolder,
  withComponents,
} from '../../support/components/index.ts';
import { asUser, must } from '../../support/components/process.ts';
import { openStore } from '../../support/store.ts';

/** Of what was claimed, what is still open. */
function memoryDesk(): ScratchDesk & { readonly left: Set<string> } {
  const left = new Set<string>();
  return {
    left,
    claim: async () => {
      const id = randomUUID();
      left.add(id);
      return id;
    },
    released: async (id) => void left.delete(id),
    open: async () => [],
  };
}

const signal = new AbortController().signal;
const context = (): WorkContext => ({
  runId: randomUUID(),
  clock: systemClock,
  log: silentLog,
  signal,
  progress: () => undefined,
  remember: async () => undefined,
});

withComponents(['postgres', 'pgbackrest'], () => {
  let cluster: Cluster;
  let backrest: PgBackRest;
  let second: { path: string; remove(): Promise<void> };
  let scratch: { path: string; remove(): Promise<void> };
  let store: Awaited<ReturnType<typeof openStore>>;
  let source: BackupSource;
  let verifiable: Verifiable;
  const desk = memoryDesk();
  const keys = async () => {
    const states = await source.states(signal);
    return states.map(({ target, state, line, notes }) => [target, state, line.key, ...notes.map(({ key }) => key)]);
  };

  beforeAll(async () => {
    cluster = await startPostgres({ version: 15 });
    second = await temporaryFolder({ quick: true });
    scratch = await temporaryFolder({ quick: true });
    store = await openStore();
    for (const { path } of [second, scratch]) await must(['chown', cluster.systemUser, path]);
    backrest = await startPgBackRest(cluster, {
      global: { 'repo2-path': second.path, 'repo2-retention-full': '2', 'repo1-cipher-type': 'none' },
    });
    const executor = createLocalExecutor({ prefix: asUser(cluster.systemUser, []) }, { clock: systemClock });
    const binary = backrest.argv.slice(backrest.argv.findIndex((word) => word.endsWith('pgbackrest')));
    const backups = createPgBackRest({ id: 'main', stanza: 'main', binary }, { executor, clock: systemClock });
    const stanza = { id: 'main', stanza: 'main', driver: 'pgbackrest', host: 'local', binary, maxAgeHours: 26 };
    const configured: Stanza = { ...stanza, driver: 'pgbackrest', offsiteRepo: 2, offsiteMaxAgeHours: 50 };
    const place = { binDir: cluster.bin, socketDir: cluster.socketFolder, port: cluster.port, database: 'postgres' };
    const recovery = { rtoMinutes: 30, rpoMinutes: 60, drillMaxAgeDays: 30, damageMaxAgeDays: 30 };
    const psql = createPsql({ ...place, user: 'postgres' }, executor);
    source = postgresSource(configured, { config: { recovery }, backups, psql, db: store.db, clock: systemClock });
    const clusters = createScratchClusters(
      {
        binDir: cluster.bin,
        dir: scratch.path,
        portFrom: 54_330,
        portTo: 54_339,
        freePercent: 0,
        production: cluster.dataFolder,
        database: 'postgres',
      },
      { executor, clock: systemClock },
    );
    const decoy = { executor, binDir: cluster.bin, clusters };
    verifiable = postgresVerifiable(configured, { backups, lock: 'host-local/pg-main', decoy, desk });
  });
  afterAll(async () => {
    await cluster?.stop();
    await backrest?.stop();
    for (const folder of [second, scratch]) await folder?.remove();
    await store?.close();
  });

  test('without backups both targets are red', async () => {
    expect(await keys()).toEqual([
      ['pg:main', 'down', 'pgbackrest-stanza-no-valid-backups'],
      ['offsite-pg:main', 'down', 'pgbackrest-stanza-no-valid-backups'],
    ]);
  });

  test('a backup makes the first good; the other place is still without one', async () => {
    await backrest.run('--type=full', '--repo=1', 'backup');
    const [here, elsewhere] = await source.states(signal);
    expect(here).toMatchObject({ state: 'ok', count: 1, notes: [], verified: { state: 'never' } });
    expect(here?.rpoMs).toBeLessThan(60_000);
    expect(here?.window?.to.getTime()).toBeGreaterThanOrEqual(here?.window?.from.getTime() ?? Infinity);
    expect(elsewhere).toMatchObject({ state: 'down', count: 0 });
    await backrest.run('--type=full', '--repo=2', 'backup');
    expect((await source.states(signal)).map(({ state }) => state)).toEqual(['ok', 'ok']);
  });

  test('archiving that fails is red, and after it has passed still told; a server that is away is amber', async () => {
    const command = await cluster.query(`select current_setting('archive_command') as c`);
    // By a restart: after a mere reload the archiver may still take the command of before for a moment.
    await cluster.configure({ archive_command: 'false # pgbackrest' });
    await source.states(signal);
    await cluster.query('create table more (id int)');
    await cluster.query('select pg_switch_wal()');
    await expect
      .poll(async () => (await keys())[0]?.slice(0, 3))
      .toEqual(['pg:main', 'down', 'pg-state-archive-fails']);
    await cluster.configure({ archive_command: String(command[0]?.['c']) });
    await expect.poll(async () => (await keys())[0]?.[2]).toBe('pg-state-archive-failed');
    await cluster.halt();
    expect((await keys())[0]?.slice(1, 3)).toEqual(['warn', 'pg-note-archive-unasked']);
    await cluster.resume();
  });

  const inRepo = async (part: string, fits: (name: string) => boolean): Promise<string> => {
    const folder = join(backrest.repoFolder, part);
    const names = (await readdir(folder, { recursive: true })).filter(fits).toSorted();
    const [first] = names;
    if (first === undefined) throw new Error(`nothing in ${folder}`);
    return join(folder, first);
  };
  const damaged = async (path: string, work: () => Promise<void>) => {
    const whole = await readFile(path);
    const bad = Buffer.from(whole);
    bad.write('XXXX', Math.min(100, Math.floor(bad.length / 2)));
    await writeFile(path, bad);
    try {
      await work();
    } finally {
      await writeFile(path, whole);
    }
  };
  const verdict = async () => {
    const { state, lines } = await verifiable.verify(context());
    return [state, ...lines.map(({ key }) => key)];
  };

  test('a whole repository is verified; the one elsewhere is named and left alone', async () => {
    expect(await verifiable.verify(context())).toMatchObject({
      state: 'ok',
      lines: [
        { key: 'pg-verify-ok', args: { repo: 1, backups: 1 } },
        { key: 'pg-verify-offsite', args: { repo: 2 } },
      ],
      readBytes: expect.any(Number) as number,
    });
  });

  test('a damaged file, a damaged segment, a missing segment: each is found', async () => {
    await damaged(await inRepo('backup/main', (name) => /pg_data\/base\/.*\.zst$/.test(name)), async () => {
      expect(await verdict()).toEqual(['failed', 'pg-verify-backup', 'pg-verify-offsite']);
    });
    const isWal = (name: string) => /\/0{7}1[0-9A-F]{16}-[0-9a-f]{40}\.zst$/.test(name);
    await damaged(await inRepo('archive/main', isWal), async () => {
      // pgBackRest 2.45 breaks off there.
      expect(await verdict()).toEqual(['failed', 'pg-verify-problem', 'pg-verify-offsite']);
    });
    const folder = join(backrest.repoFolder, 'archive/main');
    const segments = (await readdir(folder, { recursive: true })).filter(isWal).toSorted();
    const middle = join(folder, segments[1] ?? '');
    expect(segments.length).toBeGreaterThan(2);
    await rename(middle, `${second.path}/aside`);
    expect(await verdict()).toEqual(['failed', 'pg-verify-hole', 'pg-verify-offsite']);
    await rename(`${second.path}/aside`, middle);
    expect((await verdict())[0]).toBe('ok');
  });

  test('planted damage is caught, and nothing of it stays', async () => {
    expect(await verifiable.decoy?.(context())).toEqual({ caught: true, text: { key: 'pg-decoy-caught' } });
    expect(await readdir(scratch.path)).toEqual([]);
    expect(desk.left.size).toBe(0);
  });

  test('a decoy that is cut short leaves nothing either', async () => {
    const controller = new AbortController();
    const cut = { ...context(), signal: controller.signal, progress: () => controller.abort(new Error('stop')) };
    // The first step may have begun when it is cut short.
    await expect(verifiable.decoy?.(cut)).rejects.toThrow(/stop|cancelled/);
    expect(await readdir(scratch.path)).toEqual([]);
    expect(desk.left.size).toBe(0);
  });
});
