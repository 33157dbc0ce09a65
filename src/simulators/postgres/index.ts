import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programOf } from '../pgbackrest/index.ts';
import { openRepository } from '../pgbackrest/repository.ts';
import { register, writeCluster } from './cluster.ts';

const PROGRAMS = ['psql', 'pg_ctl', 'pg_controldata', 'initdb'];

/** Where the simulated cluster lies, as the configuration names it. */
export interface SimulatedPostgres {
  readonly binDir: string;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly port: number;
}

/**
 * A running cluster of a stanza of the simulated pgBackRest, and the programs for it: what is written through `psql` can be
 * restored from the archive, to the moment. All of it is files below `folder`.
 * `built` as with `simulatorCommand`.
 */
export function preparePostgres(
  folder: string,
  options: {
    readonly repository: string;
    readonly stanza: string;
    readonly now: Date;
    readonly port?: number;
    readonly built?: string;
  },
): SimulatedPostgres {
  const { repository: repositoryFolder, stanza, now, port = 5432, built } = options;
  const launcher = programOf(import.meta.url, built && join(built, 'simulators/postgres'));
  const repository = openRepository(repositoryFolder);
  const state = repository.load(stanza);
  if (state === undefined) throw new Error(`${stanza}: no such stanza in ${repositoryFolder}`);
  const [binDir, dataDir, socketDir] = [join(folder, 'bin'), join(folder, 'data'), join(folder, 's')];
  for (const path of [binDir, dataDir, socketDir]) mkdirSync(path, { recursive: true });
  for (const program of PROGRAMS) {
    const path = join(binDir, program);
    writeFileSync(path, `#!/bin/sh\nexec ${launcher.map(quoted).join(' ')} ${program} "$@"\n`);
    chmodSync(path, 0o755);
  }
  writeFileSync(join(dataDir, 'PG_VERSION'), '15\n');
  writeFileSync(
    join(dataDir, 'postgresql.conf'),
    `port = ${port}\nunix_socket_directories = '${socketDir}'\narchive_mode = 'on'\n`,
  );
  const { systemId } = state;
  const at = now.getTime();
  writeCluster(dataDir, { repository: repositoryFolder, stanza, systemId, timeline: 1, state: 'in production' });
  if (repository.committed(stanza) === undefined) {
    // The last segment went to the archive a moment ago.
    repository.commit(stanza, { archivedAt: at - 20_000, changes: [] });
  }
  register(socketDir, port, {
    dataDir,
    logFile: join(folder, 'server.log'),
    startedAt: at,
    openAt: at,
    archiveMode: 'on',
  });
  return { binDir, dataDir, socketDir, port };
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
