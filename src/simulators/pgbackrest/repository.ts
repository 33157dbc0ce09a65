import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the simulated installation is like; `simulator.json` in the repository folder. */
export interface SimulatorSettings {
  /** Stanzas that pgbackrest.conf would name. */
  readonly stanzas: readonly string[];
  /** How long a full backup takes; diff and incr take their share of it. */
  readonly durationMs: number;
  readonly databaseBytes: number;
  /** Full backups kept. */
  readonly retentionFull: number;
  /** PostgreSQL cannot be reached (exit 56). */
  readonly databaseDown?: boolean;
  /** Pages that the next backups find damaged. */
  readonly badPages?: readonly number[];
}

export const DEFAULTS: SimulatorSettings = {
  stanzas: ['main'],
  durationMs: 12_000,
  databaseBytes: 1_503_238_553,
  retentionFull: 2,
};

/** A backup exactly as `info --output=json` prints it. */
export interface ListedBackup {
  annotation?: Record<string, string>;
  archive: { start: string; stop: string };
  backrest: { format: number; version: string };
  database: { id: number; 'repo-key': number };
  error: boolean;
  info: { delta: number; repository: { delta: number; size: number }; size: number };
  label: string;
  lsn: { start: string; stop: string };
  prior: string | null;
  reference: string[] | null;
  timestamp: { start: number; stop: number };
  type: 'full' | 'diff' | 'incr';
}

export interface StanzaState {
  systemId: string;
  /** Number of the last WAL segment that reached the archive. */
  wal: number;
  backups: ListedBackup[];
  /** Damaged files by label, for `info --set`. */
  errorLists: Record<string, string[]>;
}

export const walName = (segment: number): string =>
  `00000001${Math.floor(segment / 256)
    .toString(16)
    .toUpperCase()
    .padStart(8, '0')}${(segment % 256).toString(16).toUpperCase().padStart(8, '0')}`;

/** The repository folder: settings, one state file a stanza, lock and stop files. */
export function openRepository(folder: string) {
  const statePath = (stanza: string) => join(folder, `${stanza}.json`);
  const lockPath = (stanza: string) => join(folder, `${stanza}-backup.lock`);
  const stopPath = (stanza: string) => join(folder, `${stanza}.stop`);
  return {
    settings(): SimulatorSettings {
      const path = join(folder, 'simulator.json');
      return existsSync(path) ? { ...DEFAULTS, ...(readJson(path) as Partial<SimulatorSettings>) } : DEFAULTS;
    },
    load(stanza: string): StanzaState | undefined {
      return existsSync(statePath(stanza)) ? (readJson(statePath(stanza)) as StanzaState) : undefined;
    },
    /** Atomic, so that a reader beside a running backup sees the old or the new state. */
    save(stanza: string, state: StanzaState): void {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${statePath(stanza)}.new`, JSON.stringify(state, null, 1));
      renameSync(`${statePath(stanza)}.new`, statePath(stanza));
    },
    lockPath,
    /** False when another living process holds it. */
    lock(stanza: string): boolean {
      if (heldBy(lockPath(stanza)) !== undefined) return false;
      rmSync(lockPath(stanza), { force: true });
      try {
        const file = openSync(lockPath(stanza), 'wx');
        writeFileSync(file, String(process.pid));
        closeSync(file);
        return true;
      } catch {
        return false;
      }
    },
    unlock(stanza: string): void {
      rmSync(lockPath(stanza), { force: true });
    },
    locked: (stanza: string): boolean => heldBy(lockPath(stanza)) !== undefined,
    stopped: (stanza: string): boolean => existsSync(stopPath(stanza)),
    stop: (stanza: string): void => writeFileSync(stopPath(stanza), ''),
    start: (stanza: string): void => rmSync(stopPath(stanza), { force: true }),
  };
}
export type Repository = ReturnType<typeof openRepository>;

/** A lock whose process is gone does not count: the real one is a kernel lock, which dies with its holder. */
function heldBy(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
