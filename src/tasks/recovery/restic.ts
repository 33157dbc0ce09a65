import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { Restic } from '../../integrations/restic/port.ts';
import type { RepositorySettings } from '../../integrations/restic/restic.ts';
import type { Database } from '../../store/db.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import { resticCheck } from '../volumes/check.ts';
import type { SetPlace, Side, VolumeDesk } from '../volumes/desk.ts';
import { volumeDrill } from '../volumes/drill.ts';
import { volumeSource } from '../volumes/state.ts';
import type { RecoveryParts } from './define.ts';

export interface ResticPartsEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly scratch: ScratchDesk;
  /** The same program on the set's machine, with another repository. */
  readonly other: (set: string, repository: RepositorySettings) => Restic;
}

/** Volumes and files: how their snapshots stand here and elsewhere, restores that are tried out, and the check that reads the data. */
export function resticParts(desk: VolumeDesk, edges: ResticPartsEdges): RecoveryParts {
  const { db, clock, random, scratch, other } = edges;
  const sidesOf = ({ restic }: SetPlace): readonly Side[] => (restic.offsite ? ['primary', 'offsite'] : ['primary']);
  return {
    sources: desk.sets.flatMap((place) => sidesOf(place).map((side) => volumeSource(place, side, { db, clock }))),
    drillables: desk.volumes.flatMap((place) =>
      sidesOf(place).map((side) => volumeDrill(place, side, { scratch, random, locks: [desk.lockOf(place)] })),
    ),
    verifiables: desk.sets.map((place) =>
      resticCheck(place, {
        db,
        scratch,
        random,
        locks: [desk.lockOf(place)],
        other: (repository) => other(place.set.id, repository),
      }),
    ),
  };
}
