import { type Clock, seconds } from '../core/clock.ts';
import type { Translate } from '../core/i18n.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Database } from '../store/db.ts';
import type { RecoveryParts } from '../tasks/recovery/define.ts';
import type { RecoveryDesk } from '../tasks/recovery/desk.ts';
import { guestRemover } from '../tasks/recovery/guest-copy.ts';
import { guestSettings } from '../tasks/recovery/guest-settings.ts';
import { guestParts } from '../tasks/recovery/guests.ts';
import { createPbsLook, pbsParts, snapshotsOf } from '../tasks/recovery/pbs.ts';
import { postgresCare, postgresCareRemovers } from '../tasks/recovery/postgres-care.ts';
import { pgClusterRemover, pgRestorers, postgresDrills } from '../tasks/recovery/postgres-parts.ts';
import { pgStageRemover } from '../tasks/recovery/postgres-production.ts';
import { createBoardWatch, createLedgerWatch } from '../tasks/recovery/watch.ts';
import type { ScratchDesk, ScratchRemover } from '../tasks/scratch/desk.ts';
import type { IncidentWriter } from '../tasks/watch/writer.ts';
import type { RoundsEdges, Standing } from './rounds.ts';
import { type KitDesk, kitSource } from '../tasks/kit/desk.ts';
import { createLockPaths } from '../tasks/lock-paths.ts';
import { resticParts } from '../tasks/recovery/restic.ts';
import { createVolumeDesk, type VolumeDesk } from '../tasks/volumes/desk.ts';
import { volumeRemovers } from '../tasks/volumes/removers.ts';
import type { Systems } from './systems.ts';

export interface RecoveryEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly scratch: ScratchDesk;
  readonly secrets: Secrets;
  readonly kit?: KitDesk | undefined;
}

/** Volumes of Docker and files, as the configuration declares them. */
export function volumeDesk(config: Config, systems: Systems, { db }: { readonly db: Database }): VolumeDesk {
  return createVolumeDesk(config, {
    db,
    restic: systems.restic,
    docker: systems.docker,
    lockPaths: createLockPaths(config),
  });
}

/** What can be restored, looked at and verified here, put together from the parts that know the systems. */
export function recoveryParts(config: Config, systems: Systems, edges: RecoveryEdges): RecoveryParts {
  const { clock } = edges;
  const pbsLook = createPbsLook(config.pbs, systems.pbs, { clock });
  const kit = edges.kit && kitSource(edges.kit, config, clock);
  const parts: readonly Partial<RecoveryParts>[] = [
    { sources: kit ? [kit] : [] },
    postgresCare(config, systems, edges),
    resticParts(volumeDesk(config, systems, edges), { ...edges, other: systems.resticWith }),
    { drillables: postgresDrills(config, pgRestorers(config, systems, edges)) },
    pbsParts(config.pbs, { clock, pbs: systems.pbs, look: pbsLook }),
    guestParts(config, {
      db: edges.db,
      clock,
      proxmox: systems.proxmox,
      scratch: edges.scratch,
      servers: snapshotsOf(pbsLook, config.pbs, { clock }),
    }),
  ];
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

/** What goes on by itself: the ledger is kept true, and backups are looked at. */
export function recoveryRounds(
  { recovery, writer, t }: { readonly recovery: RecoveryDesk; readonly writer: IncidentWriter; readonly t: Translate },
  { db, clock, log, every }: RoundsEdges,
): readonly Standing[] {
  const ledger = createLedgerWatch({ db, clock, log, writer, t });
  const board = createBoardWatch({ db, clock, recovery });
  return [
    { run: every(seconds(10), 'keeping the ledger of restores', ledger.round) },
    ...(recovery.sources().length > 0 ? [{ run: every(seconds(20), 'looking at backups', board.round) }] : []),
  ];
}

/** Who takes away what is temporary, one for each kind of thing. */
export function scratchRemovers(
  config: Config,
  systems: Systems,
  { db, clock }: { readonly db: Database; readonly clock: Clock },
): readonly ScratchRemover[] {
  return [
    guestRemover({ proxmox: systems.proxmox, settings: guestSettings(config) }),
    ...postgresCareRemovers(config, systems, clock),
    pgClusterRemover(config, systems, clock),
    pgStageRemover(config, systems, clock),
    ...volumeRemovers(volumeDesk(config, systems, { db }), systems.docker),
  ];
}
