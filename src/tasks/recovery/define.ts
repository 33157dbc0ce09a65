import type { Clock } from '../../core/clock.ts';
import type { Text } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import type { DrillReport, Target } from '../../core/recovery.ts';
import type { Progress } from '../define.ts';

/** What work on backups may use of the run that it belongs to. */
export interface WorkContext {
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts on cancel, time-out and shutdown: what was made is torn down all the same, the outside work stops within 5 s. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  /** As in `RunContext`: stores a handle of the outside work before going on. */
  readonly remember: (external: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** Something whose restore can be tried out: one for each target (`pg:main`), made by the part that knows the system. */
export interface Drillable {
  readonly target: string;
  /** Paths of `core/locks.ts`. */
  readonly locks: readonly string[];
  /** What will be done, in sentences, without doing it. Refuses what cannot work (no backup, disk too small) as a VakhtaError. */
  plan(signal: AbortSignal): Promise<{ readonly lines: readonly Text[]; readonly sizeBytes?: number }>;
  /** Restores, starts, looks, measures, tears down. What was seen to be wrong is a proof that is not ok; a throw is a drill that could not be done. */
  run(context: WorkContext): Promise<DrillReport>;
}

export type BackupVerdict = 'ok' | 'warn' | 'down' | 'unknown';

/** How the backups of one target stand. `unknown`: nobody could look; never shown as good. */
export interface BackupState {
  readonly target: string;
  readonly state: BackupVerdict;
  /** The verdict in one sentence. */
  readonly line: Text;
  /** When the newest good backup was finished. */
  readonly newestAt?: Date;
  readonly count?: number;
  /** Bytes of the newest one as restored, and of all of them as stored. */
  readonly sizeBytes?: number;
  readonly storedBytes?: number;
  /** Bytes that there is room for in all, where they lie. */
  readonly capacityBytes?: number;
  /** What the tool says of its integrity, and since when. `old`: verified, too long ago. */
  readonly verified?: { readonly state: 'ok' | 'failed' | 'never' | 'old'; readonly at?: Date };
  /** Milliseconds that would be lost now. */
  readonly rpoMs?: number;
  /** Further sentences, worst first: who holds a lock, which archive command fails, what is not covered. */
  readonly notes: readonly Text[];
  /** What may be restored: for the picker of the moment. */
  readonly window?: { readonly from: Date; readonly to: Date };
  /** Newest first, at most 20: label, kind, time, bytes. */
  readonly backups: readonly {
    readonly label: string;
    readonly kind: string;
    readonly at: Date;
    readonly sizeBytes?: number;
    readonly error?: boolean;
  }[];
}

/** Looks at the backups of some targets; one for each configured system. */
export interface BackupSource {
  /** For people, as doctor names it: `postgres main`, `proxmox pve1`. */
  readonly name: string;
  /** What it will speak of, also when it cannot look: those become `unknown`. */
  readonly targets: readonly string[];
  states(signal: AbortSignal): Promise<readonly BackupState[]>;
}

export interface VerifyReport {
  readonly state: 'ok' | 'warning' | 'failed';
  readonly lines: readonly Text[];
  /** Bytes that were really read, and of how many. */
  readonly readBytes?: number;
  readonly ofBytes?: number;
}

/** A repository whose integrity can be checked: `pg:main`, `restic:files`, `pbs:pbs1/main`. */
export interface Verifiable {
  readonly target: string;
  readonly locks: readonly string[];
  verify(context: WorkContext): Promise<VerifyReport>;
  /**
   * Damages a scratch copy, and lets the same check look at it: whether it was caught. The copy is gone afterwards. Absent where
   * nothing can be damaged without harm; such a check is proven by its drills only, and says so.
   */
  readonly decoy?: (context: WorkContext) => Promise<{ readonly caught: boolean; readonly text: Text }>;
}

/** What the parts put together for the desk (`desk.ts`). */
export interface RecoveryParts {
  readonly drillables: readonly Drillable[];
  readonly sources: readonly BackupSource[];
  readonly verifiables: readonly Verifiable[];
  /** For targets that come and go, as guests: asked when `drillables` has no such one. */
  readonly findDrillable?: (target: Target) => Drillable | undefined;
}
