import type { Probeable } from '../define.ts';
import type { HostFiles } from './files.ts';

/** A snapshot as `restic snapshots --json` lists it. */
export interface Snapshot {
  readonly id: string;
  readonly shortId: string;
  readonly at: Date;
  /** The hash of its contents: equal in a copy of it elsewhere, where the id differs. */
  readonly tree: string;
  readonly host: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  /** Bytes as restored; told by restic 0.17 and later. */
  readonly sizeBytes?: number;
}

export interface ResticProgress {
  /** 0–100 */
  readonly percent?: number;
  readonly remainingMs?: number;
  readonly doneBytes?: number;
}

export interface BackupSpec {
  /** Absolute. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly tags: readonly string[];
}

export interface Backup {
  readonly snapshot: string;
  readonly files: number;
  readonly newFiles: number;
  readonly changedFiles: number;
  readonly bytes: number;
  /** What was not in the repository yet. */
  readonly addedBytes: number;
  readonly durationMs: number;
  /** What could not be read: the snapshot exists without it. The first hundred. */
  readonly skipped: readonly string[];
  readonly skippedCount: number;
}

/** Who holds the repository, as the lock itself tells it. */
export interface Lock {
  readonly id: string;
  readonly at: Date;
  readonly exclusive: boolean;
  readonly host: string;
  readonly user: string;
  readonly pid: number;
}

/** What `restic check` saw. `part` of `of`: which share of the packs was really read. */
export interface Check {
  readonly ok: boolean;
  /** Restic's own words of what is wrong, or worth a look; at most ten. */
  readonly findings: readonly string[];
  readonly part: number;
  readonly of: number;
  readonly packsRead?: number;
  readonly packs?: number;
}

export interface Keep {
  readonly last: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface Work {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ResticProgress) => void;
}

/** A file or folder of a snapshot. */
export interface Node {
  readonly type: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** One repository. Errors of all calls: `restic-*`, those of the executor. Reading never waits for a lock. */
export interface Repository {
  /** Makes it; throws `restic-exists` when there is one. With `like`, chunks are cut as there, so that copies share data. */
  init(like: Repository | undefined, signal: AbortSignal): Promise<void>;
  /** Oldest first; those that have all the tags. */
  snapshots(tags: readonly string[], signal: AbortSignal): Promise<readonly Snapshot[]>;
  /** `restored`: bytes as they would lie on a disk. `stored`: what has to be read of the repository for it. */
  size(snapshot: string, as: 'restored' | 'stored', signal: AbortSignal): Promise<number>;
  /** Calls for each file and folder of it; how many there were. */
  list(snapshot: string, onNode: (node: Node) => void, signal: AbortSignal): Promise<number>;
  /** Puts it below `target`, and reads back what was written. Throws `restic-restore-damaged` when something is wrong with it. */
  restore(snapshot: string, target: string, work: Work): Promise<void>;
  /** Reads one share of all data, and the structure of all. */
  check(part: number, of: number, work: Work): Promise<Check>;
  /** Takes the snapshots with these tags that nothing keeps out of the list; with `dryRun` it only tells which. */
  forget(
    spec: { readonly keep: Keep; readonly tags: readonly string[]; readonly dryRun: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly kept: number; readonly removed: readonly Snapshot[] }>;
  /** Frees what no snapshot needs; bytes freed, when restic tells. */
  prune(work: Work): Promise<number | undefined>;
  locks(signal: AbortSignal): Promise<readonly Lock[]>;
  /**
   * Removes a lock that a process of ours left behind: made on that machine since then, by a process that is no more. Any other lock
   * is left alone. `held`: by a living process.
   */
  clearOwnLock(since: Date, signal: AbortSignal): Promise<'none' | 'cleared' | 'held' | 'foreign'>;
}

/** A set of backups: the repository, the copy elsewhere, and the machine where restic is run. */
export interface Restic extends Probeable {
  readonly id: string;
  readonly primary: Repository;
  readonly offsite: Repository | undefined;
  readonly files: HostFiles;
  /** `0.14.0` */
  version(signal: AbortSignal): Promise<string>;
  /** `restic backup`; not the end of everything when files could not be read. Throws `restic-source-missing` before it begins. */
  backup(spec: BackupSpec, work: Work): Promise<Backup>;
  /** Copies the snapshots that the copy elsewhere does not have yet. */
  copy(snapshots: readonly string[], work: Work): Promise<void>;
}
