import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Database } from '../store/db.ts';
import type { RecoveryParts } from '../tasks/recovery/define.ts';
import type { ScratchDesk, ScratchRemover } from '../tasks/scratch/desk.ts';
import type { Systems } from './systems.ts';

export interface RecoveryEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly scratch: ScratchDesk;
  readonly secrets: Secrets;
}

/** What can be restored, looked at and verified here, put together from the parts that know the systems. */
export function recoveryParts(_config: Config, _systems: Systems, _edges: RecoveryEdges): RecoveryParts {
  const parts: readonly Partial<RecoveryParts>[] = [];
  return {
    drillables: parts.flatMap(({ drillables = [] }) => drillables),
    sources: parts.flatMap(({ sources = [] }) => sources),
    verifiables: parts.flatMap(({ verifiables = [] }) => verifiables),
    findDrillable: (target) => {
      for (const part of parts) {
        const found = part.findDrillable?.(target);
        if (found) return found;
      }
      return undefined;
    },
  };
}

/** Who takes away what is temporary, one for each kind of thing. */
export function scratchRemovers(_config: Config, _systems: Systems): readonly ScratchRemover[] {
  return [];
}
