import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the simulated installation is like; `simulator.json` in the repository folder. */
export interface SimulatorSettings {
  /** Stanzas that pgbackrest.conf would name. */
  readonly stanzas: readonly string[];
  /** How long a full backup takes; diff and incr take their share of it. */
  readonly durationMs: number;
  readonly databaseBytes: number;
  /** Full backups kept in each repository. */
  readonly retentionFull: number;
  /** Numbers of the repositories; the first one when absent. WAL goes to all of them, a backup to one. */
  readonly repos?: readonly number[];
  /** PostgreSQL cannot be reached (exit 56). */
  readonly databaseDown?: boolean;
  /** Pages that the next backups find damaged. */
  readonly badPages?: readonly number[];
  /** Labels of backups of which a file is not any more what it was: verify finds it. */
  readonly damaged?: readonly string[];
}

/** The repositories that are configured, the default one first. */
export const reposOf = ({ repos }: SimulatorSettings): readonly number[] => (repos?.length ? repos : [1]);

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
  /** Number of the first segment that a repository still has, by its number; the first of all when absent. */
  archivedFrom?: Record<string, number>;
  backups: ListedBackup[];
  /** Damaged files by label, for `info --set`. */
  errorLists: Record<string, string[]>;
}

export const walName = (segment: number): string =>
  `00000001${Math.floor(segment / 256)
    .toString(16)
    .toUpperCase()
    .padStart(8, '0')}${(segment % 256).toString(16).toUpperCase().padStart(8, '0')}`;

export const walNumber = (name: string): number =>
  Number.parseInt(name.slice(8, 16), 16) * 256 + Number.parseInt(name.slice(16), 16);

/** One change of the simulated cluster that somebody may ask for later. */
export type Change = { readonly at: number } & (
  | { readonly what: 'mark' }
  | { readonly what: 'clear'; readonly run: string }
  | { readonly what: 'plant'; readonly id: string; readonly run: string }
);

/** What was committed in the cluster of a stanza, and until when it is in the archive; milliseconds. */
export interface Committed {
  archivedAt: number;
  changes: Change[];
}

/** The repository folder: settings, one state file a stanza, lock and stop files. */
export function openRepository(folder: string) {
  const statePath = (stanza: string) => join(folder, `${stanza}.json`);
  const walPath = (stanza: string) => join(folder, `${stanza}.wal.json`);
  const replace = (path: string, content: unknown): void => {
    mkdirSync(folder, { recursive: true });
    // A name of its own: two may write at the same time.
    const beside = `${path}.${process.pid}`;
    writeFileSync(beside, JSON.stringify(content, null, 1));
    renameSync(beside, path);
  };
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
    save: (stanza: string, state: StanzaState): void => replace(statePath(stanza), state),
    /** Nothing before the cluster has told its archive anything. */
    committed(stanza: string): Committed | undefined {
      return existsSync(walPath(stanza)) ? (readJson(walPath(stanza)) as Committed) : undefined;
    },
    commit: (stanza: string, committed: Committed): void => replace(walPath(stanza), committed),
    /** Where the files of a backup lie that was made of a real folder. */
    filesOf: (stanza: string, label: string): string => join(folder, 'backup', stanza, label),
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
