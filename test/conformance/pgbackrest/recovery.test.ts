/** Backups in two repositories, restores, drills and verification: the same expectations of the real programs and of the simulated. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hours, systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { drillPassed } from '../../../src/core/recovery.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import { createPsql } from '../../../src/integrations/postgres/psql.ts';
import { createScratchClusters } from '../../../src/integrations/postgres/scratch.ts';
import { prepareRepository, simulatorCommand } from '../../../src/simulators/pgbackrest/index.ts';
import { preparePostgres } from '../../../src/simulators/postgres/index.ts';
import type { WorkContext } from '../../../src/tasks/recovery/define.ts';
import { createPgDrill } from '../../../src/tasks/recovery/postgres-drill.ts';
import { createPgRestorer, type PgRestorer } from '../../../src/tasks/recovery/postgres-restore.ts';
import { postgresVerifiable } from '../../../src/tasks/recovery/postgres-verify.ts';
import { builtFolder } from '../../support/program.ts';
import { startRestoreGround } from '../../support/components/restores.ts';
import { temporaryFolder, withComponents } from '../../support/components/index.ts';
import { createMemoryScratch } from '../../support/scratch-desk.ts';

interface Ground {
  readonly restorer: PgRestorer;
  readonly executor: Executor;
  readonly binary: readonly string[];
  readonly binDir: string;
  readonly dataDir: string;
  readonly scratchDir: string;
  readonly scratch: ReturnType<typeof createMemoryScratch>;
  backUp(repo: number): Promise<void>;
  stop(): Promise<void>;
}

describe('simulated PostgreSQL and pgBackRest', () => {
  suite(async () => {
    const { path, remove } = await temporaryFolder();
    const [repository, scratchDir] = [join(path, 'repo'), join(path, 'scratch')];
    await mkdir(scratchDir);
    prepareRepository(repository, { stanzas: ['main'], repos: [1, 2], durationMs: 600, databaseBytes: 60_000_000 });
    const executor = createLocalExecutor({}, { clock: systemClock });
    const built = await builtFolder();
    const binary = simulatorCommand(repository, built);
    await executor.run([...binary, '--stanza=main', 'stanza-create']);
    const place = preparePostgres(join(path, 'pg'), { repository, stanza: 'main', now: new Date(), built });
    const { binDir, dataDir, socketDir, port } = place;
    const scratch = createMemoryScratch(() => systemClock.now());
    const edges = { executor, clock: systemClock };
    const clusters = createScratchClusters(
      {
        binDir,
        dir: scratchDir,
        portFrom: 54_330,
        portTo: 54_333,
        freePercent: 0,
        production: dataDir,
        database: 'postgres',
      },
      edges,
    );
    const restorer = createPgRestorer({
      id: 'main',
      zone: 'Europe/Moscow',
      backups: createPgBackRest({ id: 'main', stanza: 'main', binary }, edges),
      production: createPsql({ binDir, socketDir, port, database: 'postgres' }, executor),
      binDir,
      dataDir,
      clusters,
      scratch,
      clock: systemClock,
    });
    const backUp = async (repo: number) => {
      await executor.run([...binary, '--stanza=main', '--type=full', `--repo=${repo}`, 'backup']);
    };
    return { restorer, executor, binary, binDir, dataDir, scratchDir, scratch, backUp, stop: remove };
  });
});

withComponents(['pgbackrest', 'postgres'], () => {
  suite(async () => {
    const ground = await startRestoreGround();
    const { cluster, backrest, restorer, executor, binary, scratchDir, scratch, stop } = ground;
    await cluster.query('create table account as select n as id from generate_series(1, 5000) n');
    await cluster.query('analyze account');
    const backUp = async (repo: number) => {
      await backrest.run('backup', '--type=full', `--repo=${repo}`);
    };
    const { bin: binDir, dataFolder: dataDir } = cluster;
    return { restorer, executor, binary, binDir, dataDir, scratchDir, scratch, backUp, stop };
  });
});

function suite(start: () => Promise<Ground>): void {
  const never = new AbortController().signal;
  let ground: Ground;
  let turn = 0;
  const context = (): WorkContext => ({
    runId: `run-${(turn += 1)}`,
    clock: systemClock,
    log: silentLog,
    signal: never,
    progress: () => undefined,
    remember: () => Promise.resolve(),
  });
  const drill = (repo?: number) =>
    createPgDrill({
      target: 'pg:main',
      restorer: ground.restorer,
      canary: repo === undefined,
      lock: 'host-local/pg-main',
      zone: 'Europe/Moscow',
      ...(repo === undefined ? {} : { repo }),
    });
  const nothingIsLeft = async () => {
    expect(await readdir(ground.scratchDir)).toEqual([]);
    expect(await ground.scratch.open()).toEqual([]);
  };
  beforeAll(async () => {
    ground = await start();
  }, 60_000);
  afterAll(() => ground?.stop());

  test('two repositories: each tells its own state, a backup goes to one of them', async () => {
    const { restorer, backUp } = ground;
    await expect(restorer.plan({ zone: 'UTC' }, never)).rejects.toMatchObject({ code: 'pg-no-backup' });
    await backUp(1);
    const info = await restorer.backups.info();
    expect(info).toMatchObject({ state: 'different-across-repos', databases: [{ repoKey: 1 }, { repoKey: 2 }] });
    expect(info.repos.map(({ state }) => state)).toEqual(['ok', 'no-valid-backups']);
    expect(info.archives.map(({ repoKey }) => repoKey)).toEqual([1, 2]);
    expect(info.backups.map(({ repoKey }) => repoKey)).toEqual([1]);
    await expect(drill(2).plan(never)).rejects.toMatchObject({ code: 'pg-no-backup' });
  });

  test('a drill finds what was committed before the moment and nothing after it', async () => {
    const { restorer } = ground;
    const before = await restorer.control(never);
    const report = await drill().run(context());
    expect(report.proofs.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.proofs.map(({ text }) => text.key)).toEqual([
      'pg-proof-started',
      'pg-proof-moment',
      'pg-proof-canary',
      'pg-proof-production',
      'pg-proof-counts',
      'pg-proof-content',
      'pg-proof-relations',
    ]);
    expect(drillPassed(report)).toBe(true);
    expect(report.rtoMs).toBeGreaterThan(100);
    const after = await restorer.control(never);
    expect([after.timeline, after.systemId]).toEqual([before.timeline, before.systemId]);
    await nothingIsLeft();
  });

  test('a moment that the archive does not reach: the server ends, and nothing stays', async () => {
    const { restorer } = ground;
    const plan = await restorer.plan({ zone: 'UTC' }, never);
    const late = { ...plan, target: new Date(Date.now() + hours(1)) };
    await expect(restorer.restore(late, context())).rejects.toMatchObject({ code: 'pg-target-not-reached' });
    // PostgreSQL itself takes a moment before the end of the backup, and opens: that is why the plan refuses it.
    const early = new Date(plan.backupAt.getTime() - hours(1));
    await expect(restorer.plan({ target: early, zone: 'UTC' }, never)).rejects.toMatchObject({
      code: 'pg-target-too-early',
    });
    const opened = context();
    const { claim } = await restorer.restore({ ...plan, target: early }, opened);
    await restorer.discard(opened.runId, claim);
    await nothingIsLeft();
  });

  test('a restore goes neither into a running cluster nor among files, and takes no backup that is not there', async () => {
    const { restorer, executor, scratchDir, dataDir } = ground;
    const [{ label: set } = { label: '' }] = (await restorer.backups.info()).backups;
    const into = (pgPath: string, label = set) =>
      restorer.backups.restore({ set: label, repo: 1, pgPath, archiveMode: 'off' });
    await expect(into(dataDir)).rejects.toMatchObject({ code: 'pgbackrest-postgres-running' });
    const folder = join(scratchDir, 'files');
    await executor.run(['mkdir', '-m', '700', folder]);
    await expect(into(folder, '20200101-000000F')).rejects.toMatchObject({ code: 'pgbackrest-backup-set-invalid' });
    await executor.run(['tee', join(folder, 'somebody')], { stdin: 'else' });
    await expect(into(folder)).rejects.toMatchObject({ code: 'pgbackrest-path-not-empty' });
    await executor.run(['rm', '-r', folder]);
  });

  test('verification: a good repository is good, planted damage is caught and gone', async () => {
    const { restorer, executor, binary, binDir, scratch } = ground;
    const verifiable = postgresVerifiable(
      {
        id: 'main',
        stanza: 'main',
        driver: 'pgbackrest',
        host: 'local',
        binary: [...binary],
        maxAgeHours: 26,
        offsiteRepo: 2,
        offsiteMaxAgeHours: 50,
      },
      {
        backups: restorer.backups,
        lock: 'host-local/pg-main',
        decoy: { executor, binDir, clusters: restorer.clusters },
        desk: scratch,
      },
    );
    expect(await verifiable.verify(context())).toMatchObject({
      state: 'ok',
      lines: [{ key: 'pg-verify-ok', args: { repo: 1, backups: 1 } }, { key: 'pg-verify-offsite' }],
    });
    expect(await verifiable.decoy?.(context())).toEqual({ caught: true, text: { key: 'pg-decoy-caught' } });
    await nothingIsLeft();
  });

  test('a drill from the other repository restores what is there', async () => {
    await ground.backUp(2);
    const info = await ground.restorer.backups.info();
    expect(info.state).toBe('ok');
    const report = await drill(2).run(context());
    expect(report.proofs.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.source).toBe(info.backups.find(({ repoKey }) => repoKey === 2)?.label);
    await nothingIsLeft();
  });
}
