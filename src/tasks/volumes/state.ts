import { type Clock, days, hours } from '../../core/clock.ts';
import type { Text } from '../../core/i18n.ts';
import type { ResticVolume } from '../../config/schema.ts';
import type { Lock, Repository, Snapshot } from '../../integrations/restic/port.ts';
import type { Database } from '../../store/db.ts';
import type { BackupSource, BackupState } from '../recovery/define.ts';
import { type SetPlace, type Side, sideOf, tagsOf } from './desk.ts';
import { type Checks, checksOf, incompleteOf } from './memory.ts';

/** `check --read-data-subset=n/t` knows at most as many shares. */
const MAX_PARTS = 256;
const KEPT = 20;

export const partsOf = ({ set }: SetPlace): number => Math.min(MAX_PARTS, set.checkDays);

export interface StateEdges {
  readonly db: Database;
  readonly clock: Clock;
}

/** How the snapshots of a set stand: of the repository itself, or of the copy elsewhere. */
export function volumeSource(place: SetPlace, side: Side, { db, clock }: StateEdges): BackupSource {
  const { set } = place;
  const kind = side === 'primary' ? 'volume' : 'offsite-volume';
  /** Sizes do not change, and asking costs the whole index. */
  const sizes = new Map<string, number>();
  return {
    name: side === 'primary' ? `restic ${set.id}` : `restic ${set.id} (offsite)`,
    targets: set.volumes.map(({ id }) => `${kind}:${id}`),
    states: async (signal) => {
      const repository = sideOf(place, side);
      const [all, locks, checks, incomplete] = await Promise.all([
        repository.snapshots(['vakhta'], signal),
        repository.locks(signal),
        checksOf(db, set.id, partsOf(place)),
        incompleteOf(db, set.id),
      ]);
      const now = clock.now();
      const states: BackupState[] = [];
      for (const volume of set.volumes) {
        const own = all.filter(({ tags }) => tagsOf(volume.id).every((tag) => tags.includes(tag)));
        const size = await sizeOf(repository, own.at(-1), sizes, signal);
        const skipped = side === 'primary' ? incomplete[volume.id] : undefined;
        const isIncomplete = skipped !== undefined && own.at(-1)?.id.startsWith(skipped.snapshot) === true;
        states.push(
          volumeState(
            { target: `${kind}:${volume.id}`, maxAgeMs: maxAge(place, volume, side), own, locks, now },
            {
              ...(size === undefined ? {} : { size }),
              ...(isIncomplete ? { skipped: skipped.skipped } : {}),
              ...(side === 'primary' ? { checks, maxCheckMs: days(set.checkDays) } : {}),
            },
          ),
        );
      }
      return states;
    },
  };
}

const maxAge = ({ set }: SetPlace, volume: ResticVolume, side: Side): number =>
  hours(side === 'primary' ? (volume.maxAgeHours ?? set.maxAgeHours) : (set.offsite?.maxAgeHours ?? set.maxAgeHours));

async function sizeOf(
  repository: Repository,
  newest: Snapshot | undefined,
  known: Map<string, number>,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (newest === undefined) return undefined;
  const before = newest.sizeBytes ?? known.get(newest.id);
  if (before !== undefined) return before;
  const size = await repository.size(newest.id, 'restored', signal);
  // A process that runs for years sees many snapshots, and needs the newest.
  if (known.size > 500) known.clear();
  known.set(newest.id, size);
  return size;
}

interface Seen {
  readonly target: string;
  readonly maxAgeMs: number;
  /** Oldest first. */
  readonly own: readonly Snapshot[];
  readonly locks: readonly Lock[];
  readonly now: Date;
}

interface More {
  readonly size?: number;
  /** Files that the newest one lacks. */
  readonly skipped?: number;
  readonly checks?: Checks;
  readonly maxCheckMs?: number;
}

/** The verdict: none is down; too old, or without some files, is a warning. */
export function volumeState({ target, maxAgeMs, own, locks, now }: Seen, more: More): BackupState {
  const newest = own.at(-1);
  const notes: Text[] = [
    ...(more.skipped === undefined ? [] : [{ key: 'volume-state-incomplete', args: { count: more.skipped } }]),
    ...locks.map((lock) => ({
      key: 'volume-state-locked',
      args: {
        host: lock.host,
        pid: String(lock.pid),
        minutes: Math.max(0, Math.round((now.getTime() - lock.at.getTime()) / 60_000)),
        kind: lock.exclusive ? 'exclusive' : 'shared',
      },
    })),
  ];
  const base = {
    target,
    count: own.length,
    notes,
    ...(more.checks ? { verified: verified(more.checks, more.maxCheckMs ?? 0, now) } : {}),
  };
  const oldest = own[0];
  if (newest === undefined || oldest === undefined) {
    return { ...base, state: 'down', line: { key: 'volume-state-none' }, backups: [] };
  }
  const ageMs = now.getTime() - newest.at.getTime();
  const isOld = ageMs > maxAgeMs;
  const age = Math.max(0, Math.floor(ageMs / hours(1)));
  const key = isOld ? 'volume-state-old' : more.skipped === undefined ? 'volume-state-ok' : 'volume-state-amber';
  return {
    ...base,
    state: isOld || more.skipped !== undefined ? 'warn' : 'ok',
    line: { key, args: { hours: age, most: Math.round(maxAgeMs / hours(1)), snapshot: newest.shortId } },
    newestAt: newest.at,
    rpoMs: Math.max(0, ageMs),
    ...(more.size === undefined ? {} : { sizeBytes: more.size }),
    window: { from: oldest.at, to: newest.at },
    backups: own
      .slice(-KEPT)
      .toReversed()
      .map((one) => ({
        label: one.shortId,
        kind: 'snapshot',
        at: one.at,
        ...(one.sizeBytes === undefined ? {} : { sizeBytes: one.sizeBytes }),
        ...(one === newest && more.skipped !== undefined ? { error: true } : {}),
      })),
  };
}

/** All shares were read within the set time, give or take a tenth for what was put off; since the oldest of them. */
function verified({ of, read, failedAt }: Checks, maxMs: number, now: Date): NonNullable<BackupState['verified']> {
  if (failedAt) return { state: 'failed', at: failedAt };
  const times = Object.values(read).map((at) => at.getTime());
  if (times.length === 0) return { state: 'never' };
  const oldest = Math.min(...times);
  // Not all of it yet, but none of it due: the first round goes on.
  const isFresh = now.getTime() - oldest <= maxMs * 1.1;
  if (times.length < of) return { state: isFresh ? 'never' : 'old', at: new Date(oldest) };
  return { state: isFresh ? 'ok' : 'old', at: new Date(oldest) };
}
