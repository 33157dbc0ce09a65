import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { instantOf, type SimulatedCluster } from '../pgbackrest/restore.ts';
import {
  appendLog,
  archiveOf,
  around,
  isCluster,
  readCluster,
  readSettings,
  register,
  type Server,
  serverOf,
  unregister,
  type World,
  writeCluster,
} from './cluster.ts';

/** How long the simulated recovery takes, and a plain start; milliseconds. */
const REPLAY_MS = 1500;
const START_MS = 150;
const WITH_VALUE = ['-D', '-l', '-t', '-m', '-o'];

/** `pg_ctl` of PostgreSQL 15 as far as it is called: `status`, `start`, `stop`, `kill`; the exit code. */
export function pgCtl(argv: readonly string[], world: World): number {
  const words: string[] = [];
  const options = new Map<string, string>();
  for (let n = 0; n < argv.length; n++) {
    const word = argv[n] ?? '';
    if (WITH_VALUE.includes(word)) options.set(word, argv[(n += 1)] ?? '');
    else if (word.startsWith('-')) options.set(word, '');
    else words.push(word);
  }
  const [command] = words;
  const fail = (code: number, text: string): number => {
    world.err(`pg_ctl: ${text}\n`);
    return code;
  };
  // There is no process: what would be killed ends by its time.
  if (command === 'kill') return fail(1, `could not send signal ${words[1]} (PID: ${words[2]}): No such process`);
  const dataDir = options.get('-D');
  if (dataDir === undefined) return fail(1, 'no database directory specified and environment variable PGDATA unset');
  if (options.has('-o')) return fail(1, 'option -o is not simulated');
  if (!existsSync(dataDir)) return fail(command === 'status' ? 4 : 1, `directory "${dataDir}" does not exist`);
  if (!isCluster(dataDir)) {
    return fail(command === 'status' ? 4 : 1, `directory "${dataDir}" is not a database cluster directory`);
  }
  const running = serverOf(dataDir, world.now());
  if (command === 'status') {
    world.out(running ? 'pg_ctl: server is running (PID: 1)\n' : 'pg_ctl: no server running\n');
    return running ? 0 : 3;
  }
  if (command === 'start') {
    if (running) return fail(1, 'another server might be running; trying to start server anyway');
    return start(dataDir, options.get('-l') ?? join(dataDir, 'log'), world);
  }
  if (command === 'stop') {
    if (running === undefined) return fail(1, `PID file "${dataDir}/postmaster.pid" does not exist`);
    const cluster = readCluster(dataDir);
    if (options.get('-m') !== 'immediate') writeCluster(dataDir, { ...cluster, state: 'shut down' });
    unregister(dataDir);
    return 0;
  }
  return fail(1, `unrecognized operation mode "${command}"`);
}

function start(dataDir: string, logFile: string, world: World): number {
  const now = world.now();
  const at = now.getTime();
  const settings = new Map([
    ...readSettings(join(dataDir, 'postgresql.conf')),
    ...readSettings(join(dataDir, 'postgresql.auto.conf')),
  ]);
  const port = Number(settings.get('port') ?? 5432);
  const socketDir = settings.get('unix_socket_directories') ?? '/var/run/postgresql';
  appendLog(logFile, ['LOG:  starting PostgreSQL 15.8 (simulated)'], now);
  if (!existsSync(socketDir)) {
    appendLog(logFile, [`FATAL:  could not create lock file "${socketDir}/.s.PGSQL.${port}.lock"`], now);
    return 0;
  }
  const base = { dataDir, logFile, startedAt: at, archiveMode: settings.get('archive_mode') ?? 'off' };
  const cluster = readCluster(dataDir);
  if (!existsSync(join(dataDir, 'recovery.signal'))) {
    writeCluster(dataDir, { ...cluster, state: 'in production' });
    register(socketDir, port, { ...base, openAt: at + START_MS });
    return 0;
  }
  if (!settings.has('restore_command')) {
    appendLog(logFile, ['FATAL:  must specify restore_command when standby mode is not enabled'], now);
    return 0;
  }
  writeCluster(dataDir, { ...cluster, state: 'in archive recovery' });
  register(socketDir, port, { ...base, ...recovery(cluster, settings.get('recovery_target_time'), logFile, now) });
  return 0;
}

/** What comes of the recovery: it opens after a while, or ends itself. */
function recovery(
  cluster: SimulatedCluster,
  target: string | undefined,
  logFile: string,
  now: Date,
): Pick<Server, 'openAt' | 'dies' | 'replayed'> {
  const { committed } = archiveOf(cluster, now);
  const moment = target === undefined ? committed.archivedAt : instantOf(target)?.getTime();
  const endAt = now.getTime() + REPLAY_MS;
  const dies = (...lines: string[]): Pick<Server, 'openAt' | 'dies'> => ({
    // Never, as JSON can say it.
    openAt: Number.MAX_SAFE_INTEGER,
    dies: { at: endAt, lines },
  });
  if (moment === undefined) return dies(`FATAL:  invalid value for parameter "recovery_target_time": "${target}"`);
  appendLog(
    logFile,
    target === undefined
      ? ['LOG:  starting archive recovery']
      : [`LOG:  starting point-in-time recovery to ${stamp(moment)}`],
    now,
  );
  // A moment before the end of the backup is no error: the server opens as soon as it is consistent.
  const stop = Math.min(Math.max(moment, cluster.backupStop ?? 0), committed.archivedAt);
  const { last, next } = around(committed, stop);
  const replayed = `LOG:  last completed transaction was at log time ${stamp(last)}`;
  if (target !== undefined && (moment > committed.archivedAt || next === undefined)) {
    return dies(replayed, 'FATAL:  recovery ended before configured recovery target was reached');
  }
  if (target !== undefined && next !== undefined) {
    const number = Math.floor(next / 700) % 4_000_000_000;
    const stopped = `LOG:  recovery stopping before commit of transaction ${number}, time ${stamp(next)}`;
    appendLog(logFile, [stopped], new Date(endAt));
  }
  appendLog(logFile, [replayed, 'LOG:  archive recovery complete'], new Date(endAt));
  return { openAt: endAt, replayed: last };
}

/** `2026-11-24 00:13:11.114+00`, as a server in UTC writes times of transactions. */
const stamp = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace('Z', '+00');
