import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Database } from '../store/db.ts';
import type { RecoveryParts } from '../tasks/recovery/define.ts';
import { createPbsLook, pbsParts } from '../tasks/recovery/pbs.ts';
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
export function recoveryParts(config: Config, systems: Systems, edges: RecoveryEdges): RecoveryParts {
  const { clock } = edges;
  // For guests too: snapshotsOf(pbsLook, config.pbs, { clock }) tells what the backup servers hold of each.
  const pbsLook = createPbsLook(config.pbs, systems.pbs, { clock });
  const parts: readonly Partial<RecoveryParts>[] = [pbsParts(config.pbs, { clock, pbs: systems.pbs, look: pbsLook })];
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
