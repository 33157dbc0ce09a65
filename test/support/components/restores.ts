import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import { createPsql, type Psql } from '../../../src/integrations/postgres/psql.ts';
import { createScratchClusters, type ScratchSettings } from '../../../src/integrations/postgres/scratch.ts';
import { createPgRestorer, type PgRestorer } from '../../../src/tasks/recovery/postgres-restore.ts';
import { createMemoryScratch } from '../scratch-desk.ts';
import type { Cluster } from './cluster.ts';
import { type PgBackRest, startPgBackRest } from './pgbackrest.ts';
import { temporaryFolder } from './place.ts';
import { startPostgres } from './postgres.ts';
import { asUser, isRoot, systemUser } from './process.ts';

/** A cluster with two repositories and a place for restores beside it. */
export interface RestoreGround {
  readonly cluster: Cluster;
  readonly backrest: PgBackRest;
  /** Runs as the cluster's user. */
  readonly executor: Executor;
  readonly production: Psql;
  readonly restorer: PgRestorer;
  readonly scratch: ReturnType<typeof createMemoryScratch>;
  readonly scratchDir: string;
  /** pgBackRest without the switch of users, as the configuration would have it. */
  readonly binary: readonly string[];
  /** Another restorer in front of the same things. */
  restorerWith(options: { readonly executor?: Executor; readonly scratch?: Partial<ScratchSettings> }): PgRestorer;
  stop(): Promise<void>;
}

export async function startRestoreGround(global: Readonly<Record<string, string>> = {}): Promise<RestoreGround> {
  const cluster = await startPostgres({ version: 15 });
  const { path: folder, remove } = await temporaryFolder({ quick: true });
  const owned = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path, { mode: 0o700 });
    if (isRoot()) {
      const { uid, gid } = systemUser(cluster.systemUser);
      await chown(path, uid, gid);
    }
    return path;
  };
  const repo2 = await owned('repo2');
  const scratchDir = await owned('scratch');
  const backrest = await startPgBackRest(cluster, {
    global: { 'repo2-path': repo2, 'repo2-retention-full': '2', ...global },
    archiveTimeout: '0',
  });
  const binary = backrest.argv.slice(backrest.argv.findIndex((word) => word.endsWith('pgbackrest')));
  const executor = createLocalExecutor({ prefix: asUser(cluster.systemUser, []) }, { clock: systemClock });
  const { bin: binDir, socketFolder: socketDir, port, dataFolder } = cluster;
  const production = createPsql({ binDir, socketDir, port, database: 'postgres' }, executor);
  const scratch = createMemoryScratch(() => systemClock.now());
  const restorerWith: RestoreGround['restorerWith'] = (options) => {
    const through = { executor: options.executor ?? executor, clock: systemClock };
    const settings: ScratchSettings = {
      binDir,
      dir: scratchDir,
      portFrom: 54_330,
      portTo: 54_333,
      freePercent: 0,
      production: dataFolder,
      database: 'postgres',
      ...options.scratch,
    };
    return createPgRestorer({
      id: 'main',
      zone: 'Europe/Moscow',
      backups: createPgBackRest({ id: 'main', stanza: backrest.stanza, binary }, through),
      production,
      binDir,
      dataDir: dataFolder,
      clusters: createScratchClusters(settings, through),
      scratch,
      clock: systemClock,
    });
  };
  return {
    cluster,
    backrest,
    executor,
    production,
    restorer: restorerWith({}),
    scratch,
    scratchDir,
    binary,
    restorerWith,
    stop: async () => {
      await cluster.stop();
      await backrest.stop();
      await remove();
    },
  };
}
