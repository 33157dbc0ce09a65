import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Committed, openRepository, type Repository } from '../pgbackrest/repository.ts';
import { CLUSTER_FILE, type SimulatedCluster } from '../pgbackrest/restore.ts';

export interface World {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly stdin: () => string;
}

/** A server that runs: a file where the real one has its socket. Nothing works behind it; what becomes of it is told by the time. */
export interface Server {
  readonly dataDir: string;
  readonly logFile: string;
  readonly startedAt: number;
  /** Takes clients from then on. */
  readonly openAt: number;
  /** Ends itself then, with these lines in its log. */
  readonly dies?: { readonly at: number; readonly lines: readonly string[] };
  /** Of a restored one: the last transaction that it replays. */
  readonly replayed?: number;
  readonly archiveMode: string;
}

/** Somebody else writes into the cluster this often, so that recovery always has something to stop at; milliseconds. */
const BEAT_MS = 700;
/** As `archive_timeout`: a segment that has begun goes to the archive after this long. */
const ARCHIVE_EVERY_MS = 60_000;

export const socketFile = (socketDir: string, port: number): string => join(socketDir, `.s.PGSQL.${port}`);
const pidFile = (dataDir: string): string => join(dataDir, 'postmaster.pid');

export const isCluster = (dataDir: string): boolean => existsSync(join(dataDir, 'PG_VERSION'));

export function readCluster(dataDir: string): SimulatedCluster {
  return JSON.parse(readFileSync(join(dataDir, CLUSTER_FILE), 'utf8')) as SimulatedCluster;
}
export function writeCluster(dataDir: string, cluster: SimulatedCluster): void {
  writeFileSync(join(dataDir, CLUSTER_FILE), JSON.stringify(cluster));
}

/** `name = value` lines of a configuration file; a file that is not there has none. */
export function readSettings(path: string): ReadonlyMap<string, string> {
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, 'utf8').split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === undefined || value === undefined) return [];
      return [[name, value.replace(/^'(.*)'$/, '$1').replaceAll("''", "'")] as const];
    }),
  );
}

/** Notes a server as running on its folder and its socket. */
export function register(socketDir: string, port: number, server: Server): void {
  writeFileSync(socketFile(socketDir, port), JSON.stringify(server));
  const started = Math.floor(server.startedAt / 1000);
  // The lines of the real file: pid, folder, start, port, folder of the socket.
  writeFileSync(pidFile(server.dataDir), `${process.pid}\n${server.dataDir}\n${started}\n${port}\n${socketDir}\n`);
}

/** Where the server of a folder listens; nothing when none runs. */
function listening(dataDir: string): { readonly socketDir: string; readonly port: number } | undefined {
  if (!existsSync(pidFile(dataDir))) return undefined;
  const [, , , port, socketDir] = readFileSync(pidFile(dataDir), 'utf8').split('\n');
  return port === undefined || socketDir === undefined ? undefined : { socketDir, port: Number(port) };
}

/** The server behind a socket as it is now: what its time has come for has happened to it. */
export function serverAt(socketDir: string, port: number, now: Date): Server | undefined {
  const path = socketFile(socketDir, port);
  if (!existsSync(path)) return undefined;
  const server = JSON.parse(readFileSync(path, 'utf8')) as Server;
  if (server.dies && now.getTime() >= server.dies.at) {
    appendLog(server.logFile, server.dies.lines, new Date(server.dies.at));
    unregister(server.dataDir);
    return undefined;
  }
  const cluster = readCluster(server.dataDir);
  if (cluster.state === 'in archive recovery' && now.getTime() >= server.openAt) {
    cluster.state = 'in production';
    cluster.timeline += 1;
    if (server.replayed !== undefined) cluster.replayed = server.replayed;
    writeCluster(server.dataDir, cluster);
    rmSync(join(server.dataDir, 'recovery.signal'), { force: true });
  }
  return server;
}

/** The server of a folder; see `serverAt`. */
export function serverOf(dataDir: string, now: Date): Server | undefined {
  const at = listening(dataDir);
  return at && serverAt(at.socketDir, at.port, now);
}

export function unregister(dataDir: string): void {
  const at = listening(dataDir);
  rmSync(pidFile(dataDir), { force: true });
  if (at) rmSync(socketFile(at.socketDir, at.port), { force: true });
}

export function appendLog(path: string, lines: readonly string[], at: Date): void {
  const stamp = `${at.toISOString().replace('T', ' ').replace('Z', '')} UTC [${process.pid}]`;
  writeFileSync(path, lines.map((line) => `${stamp} ${line}\n`).join(''), { flag: 'a' });
}

/** The archive of a stanza together with what was committed, both brought up to now. */
export interface Archive {
  readonly repository: Repository;
  readonly committed: Committed;
  /** Number of the last segment in the archive. */
  readonly wal: number;
}

export function archiveOf({ repository: folder, stanza }: SimulatedCluster, now: Date): Archive {
  const repository = openRepository(folder);
  const committed = repository.committed(stanza) ?? { archivedAt: now.getTime(), changes: [] };
  const behind = Math.floor((now.getTime() - committed.archivedAt) / ARCHIVE_EVERY_MS);
  if (behind <= 0) return { repository, committed, wal: repository.load(stanza)?.wal ?? 1 };
  return archived(repository, stanza, behind, {
    ...committed,
    archivedAt: committed.archivedAt + behind * ARCHIVE_EVERY_MS,
  });
}

/** Ends the segment that is being written, and archives it. */
export function switchWal(cluster: SimulatedCluster, now: Date): Archive {
  const { repository, committed } = archiveOf(cluster, now);
  return archived(repository, cluster.stanza, 1, { ...committed, archivedAt: now.getTime() });
}

function archived(repository: Repository, stanza: string, segments: number, { archivedAt }: Committed): Archive {
  // Read again: somebody may have written in the meantime.
  const committed = { archivedAt, changes: repository.committed(stanza)?.changes ?? [] };
  repository.commit(stanza, committed);
  const state = repository.load(stanza);
  if (state === undefined) return { repository, committed, wal: 1 };
  state.wal += segments;
  repository.save(stanza, state);
  return { repository, committed, wal: state.wal };
}

/** The last transaction up to a moment, and the first one after it, both as far as the archive knows them. */
export function around(
  { archivedAt, changes }: Committed,
  moment: number,
): { readonly last: number; readonly next?: number } {
  const beat = Math.floor(moment / BEAT_MS) * BEAT_MS;
  const times = [beat, beat + BEAT_MS, ...changes.map(({ at }) => at)].filter((at) => at <= archivedAt);
  const next = Math.min(...times.filter((at) => at > moment));
  return { last: Math.max(...times.filter((at) => at <= moment)), ...(Number.isFinite(next) ? { next } : {}) };
}
