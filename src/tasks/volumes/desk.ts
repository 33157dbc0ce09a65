import { type Clock, minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { backupLock, serviceLock } from '../../core/locks.ts';
import type { Config, ResticSet, ResticVolume } from '../../config/schema.ts';
import type { Docker } from '../../integrations/docker/port.ts';
import { absolute } from '../../integrations/restic/files.ts';
import type { Repository, Restic } from '../../integrations/restic/port.ts';
import type { LockPaths } from '../lock-paths.ts';
import type { WorkContext } from '../recovery/define.ts';
import type { Database } from '../../store/db.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import type { Several } from '../several.ts';
import { checksOf, noteBackup } from './memory.ts';

/** A set of backups: what the configuration says of it, and the program. */
export interface SetPlace {
  readonly set: ResticSet;
  readonly restic: Restic;
}

/** A volume, or a list of files, in its set. */
export interface VolumePlace extends SetPlace {
  readonly volume: ResticVolume;
  /** The engine of its containers. */
  readonly docker: Docker | undefined;
}

/** Which of the two repositories. */
export type Side = 'primary' | 'offsite';

/** Volumes of Docker and files, as they are declared. */
export interface VolumeDesk {
  readonly volumes: readonly VolumePlace[];
  readonly sets: readonly SetPlace[];
  /** Throws `usage` with what is declared. */
  volume(id: string): VolumePlace;
  set(id: string): SetPlace;
  /** Whatever uses a repository takes it: restic locks against itself, and would fail where we can wait. */
  lockOf(place: SetPlace): string;
  /** The containers that are paused or stopped for it, too. */
  locksOf(place: VolumePlace): readonly string[];
  /** Keeps what the newest backup lacks, for the board. */
  noteBackup(
    place: VolumePlace,
    made: { readonly snapshot: string; readonly skipped: number },
    now: Date,
  ): Promise<void>;
  /** When a check found damage; undefined once it is seen to be gone. */
  damagedAt(place: SetPlace): Promise<Date | undefined>;
}

type DeskConfig = Pick<Config, 'restic' | 'docker'>;

export function createVolumeDesk(
  config: DeskConfig,
  edges: {
    readonly db: Database;
    readonly restic: Several<Restic>;
    readonly docker: Several<Docker>;
    readonly lockPaths: LockPaths;
  },
): VolumeDesk {
  const { db, restic, docker, lockPaths } = edges;
  const sets = config.restic.map((set): SetPlace => ({ set, restic: restic.get(set.id) }));
  const volumes = sets.flatMap((place) =>
    place.set.volumes.map((volume): VolumePlace => {
      const engine = volume.engine === undefined ? undefined : docker.get(volume.engine);
      return { ...place, volume, docker: engine };
    }),
  );
  const lockOf = ({ set }: SetPlace): string =>
    backupLock(serviceLock(lockPaths.machine(set.host), `restic-${set.id}`));
  const found = <T>(place: T | undefined, id: string, known: readonly string[]): T => {
    if (place !== undefined) return place;
    const args = { id, known: known.join(', ') || '—' };
    throw new VakhtaError('usage', 'not-declared', `${id} is not declared`, { args });
  };
  return {
    volumes,
    sets,
    volume: (id) =>
      found(
        volumes.find(({ volume }) => volume.id === id),
        id,
        volumes.map(({ volume }) => volume.id),
      ),
    set: (id) =>
      found(
        sets.find(({ set }) => set.id === id),
        id,
        sets.map(({ set }) => set.id),
      ),
    lockOf,
    locksOf: (place) => {
      const { before, engine } = place.volume;
      const held = [...(before?.pause ?? []), ...(before?.stop ?? [])];
      const containers = engine === undefined ? [] : held.map((name) => lockPaths.container(engine, name));
      return [lockOf(place), ...containers];
    },
    noteBackup: ({ set, volume }, made, now) => noteBackup(db, set.id, volume.id, made, now),
    // Whatever the number of shares: damage stays damage.
    damagedAt: async ({ set }) => (await checksOf(db, set.id, 1)).failedAt,
  };
}

/** The folders and files that are backed up: of a volume, where Docker has it now. */
export async function pathsOf({ volume, docker }: VolumePlace, signal: AbortSignal): Promise<readonly string[]> {
  if (volume.paths) return volume.paths.map(absolute);
  if (volume.volume === undefined || !docker) {
    throw new VakhtaError('usage', 'volume-nothing', `${volume.id} names nothing`, { args: { volume: volume.id } });
  }
  return [await docker.mountpoint(volume.volume, signal)];
}

/** What a repository answers; nothing when there is none and one is to be made. Otherwise a missing one is a fault. */
export async function orNone<T>(isNew: boolean, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (isNew && thrown instanceof VakhtaError && thrown.code === 'restic-no-repository') return undefined;
    throw thrown;
  }
}

/** What all snapshots of a volume bear, and nothing else does. */
export const tagsOf = (volume: string): readonly string[] => ['vakhta', `volume=${volume}`];

/** One of its repositories; throws `usage` when there is no copy elsewhere. */
export function sideOf({ restic }: SetPlace, side: Side): Repository {
  const repository = side === 'primary' ? restic.primary : restic.offsite;
  if (repository) return repository;
  throw new VakhtaError('usage', 'volume-no-offsite', `${restic.id} has no copy elsewhere`, {
    args: { set: restic.id },
  });
}

/** What work on volumes needs of the run, and of the desk of temporary things. */
export type VolumeWork = Pick<WorkContext, 'runId' | 'clock' | 'log' | 'signal' | 'progress'> & {
  readonly scratch: ScratchDesk;
};

/** Tidying up goes on when the run was cancelled, and yet not for ever. */
const TIDY_MS = minutes(3);

export async function tidily<T>(clock: Clock, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const stop = clock.after(TIDY_MS, () => limit.abort(new DOMException('tidying took too long', 'TimeoutError')));
  try {
    return await work(limit.signal);
  } finally {
    stop();
  }
}

/**
 * Does what puts a lock of restic on repositories. A lock that a killed process leaves behind is taken away when it is provably ours;
 * when even we are gone, the sweeper does it.
 */
export async function locking<T>(
  place: SetPlace,
  sides: readonly Side[],
  { scratch, runId, clock, log }: VolumeWork,
  work: () => Promise<T>,
): Promise<T> {
  const since = clock.now();
  const claims = new Map<Side, string>();
  for (const side of sides) {
    const what = { side, since: since.toISOString() };
    claims.set(side, await scratch.claim({ runId, kind: 'repository-lock', place: place.set.id, what }));
  }
  let isClean = false;
  try {
    const done = await work();
    isClean = true;
    return done;
  } finally {
    for (const [side, id] of claims) {
      const state = isClean
        ? 'none'
        : await tidily(clock, (signal) => sideOf(place, side).clearOwnLock(since, signal)).catch((error: unknown) => {
            log.warn({ err: error, set: place.set.id }, 'whether a lock was left in the repository is not known');
            return 'held' as const;
          });
      if (state !== 'held') await scratch.released(id);
    }
  }
}

/** Makes a folder that bears our mark, and removes it whatever happens. */
export async function inScratch<T>(
  place: SetPlace,
  folder: string,
  { scratch, runId, clock, log, signal }: VolumeWork,
  work: () => Promise<T>,
): Promise<T> {
  const owner = ownerOf(folder, runId);
  const what = { set: place.set.id, folder };
  const id = await scratch.claim({ runId, kind: 'folder', place: place.set.host, what });
  try {
    await place.restic.files.makeScratch(folder, owner, signal);
    return await work();
  } finally {
    await tidily(clock, (tidying) => place.restic.files.removeScratch(folder, owner, tidying)).then(
      () => scratch.released(id),
      // The sweeper tries it again, and tells when it cannot.
      (error: unknown) => log.warn({ err: error, folder }, 'a scratch folder was not removed'),
    );
  }
}

/** The mark in a scratch folder: it tells the folder itself, so that a copy of it is not taken for it. */
export const ownerOf = (folder: string, runId: string): string => `vakhta ${folder} ${runId}`;
