import { isCluster, readCluster, serverOf, type World } from './cluster.ts';

/** `pg_controldata -D folder`: the lines that anybody here reads, in the words of LANG=C; the exit code. */
export function controlData(argv: readonly string[], world: World): number {
  const dataDir = argv[argv.indexOf('-D') + 1] ?? '';
  if (!isCluster(dataDir)) {
    world.err(
      `pg_controldata: error: could not open file "${dataDir}/global/pg_control" for reading: No such file or directory\n`,
    );
    return 1;
  }
  // What its time has come for is written there by then.
  serverOf(dataDir, world.now());
  const { systemId, state, timeline } = readCluster(dataDir);
  const lines: (readonly [string, string | number])[] = [
    ['pg_control version number', 1300],
    ['Database system identifier', systemId],
    ['Database cluster state', state],
    ["Latest checkpoint's TimeLineID", timeline],
    ['wal_level setting', 'replica'],
    ['max_connections setting', 100],
    ['max_worker_processes setting', 8],
    ['max_wal_senders setting', 10],
    ['max_prepared_xacts setting', 0],
    ['max_locks_per_xact setting', 64],
    ['Bytes per WAL segment', 16_777_216],
  ];
  world.out(lines.map(([name, value]) => `${`${name}:`.padEnd(38)}${value}\n`).join(''));
  return 0;
}
