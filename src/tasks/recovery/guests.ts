import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../config/schema.ts';
import type { Proxmox } from '../../integrations/proxmox/port.ts';
import type { Database } from '../../store/db.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import type { Several } from '../several.ts';
import type { BackupSource, RecoveryParts } from './define.ts';
import { noteFills } from './fill.ts';
import { guestSettings } from './guest-settings.ts';
import { createGuestDrill } from './guests-drill.ts';
import { lookAtGuests } from './guests-look.ts';
import { fillName, type GuestRules, guestStates } from './guests-state.ts';
import type { AllGuestSnapshots } from './pbs-look.ts';

export interface GuestPartsEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly proxmox: Several<Proxmox>;
  readonly scratch: ScratchDesk;
  /** What backup servers hold of each guest: `snapshotsOf`. */
  readonly servers: (signal: AbortSignal) => Promise<AllGuestSnapshots>;
}

type GuestConfig = Pick<Config, 'proxmox' | 'pbs'>;

/** What the configuration expects of the guests of an installation; nothing when it says nothing of backups. */
export function rulesOf({ proxmox, pbs }: GuestConfig, id: string): GuestRules | undefined {
  const backup = proxmox.find((one) => one.id === id)?.backup;
  if (backup === undefined) return undefined;
  const stores = pbs.flatMap(({ datastores }) => datastores);
  return {
    id,
    maxAgeHours: backup.maxAgeHours,
    exempt: backup.exempt,
    drill: backup.drill,
    verifyDays: new Map(stores.flatMap(({ storage, verifyDays }) => (storage ? [[storage, verifyDays]] : []))),
  };
}

/** Guests of Proxmox VE: how their backups stand, and their drills. */
export function guestParts(
  config: GuestConfig,
  edges: GuestPartsEdges,
): Pick<RecoveryParts, 'sources'> & Required<Pick<RecoveryParts, 'findDrillable'>> {
  const { db, clock, proxmox, scratch, servers } = edges;
  const settings = guestSettings(config);
  const sources = config.proxmox.flatMap(({ id }): BackupSource[] => {
    const rules = rulesOf(config, id);
    if (rules === undefined) return [];
    return [
      {
        name: `proxmox ${id}`,
        // Guests come and go: the board remembers those that it has heard of.
        targets: [`proxmox:${id}`],
        states: async (signal) => {
          const look = await lookAtGuests(proxmox.get(id), servers, signal);
          const now = clock.now();
          const readings = look.storages.flatMap((one) =>
            one.status === 'available' && one.used !== undefined && one.total !== undefined && one.total > 0
              ? [{ name: fillName(one), used: one.used, total: one.total }]
              : [],
          );
          const fills = await noteFills(db, `proxmox.${id}`, readings, now);
          return guestStates(look, rules, fills, now);
        },
      },
    ];
  });
  const drills = config.proxmox.some(({ backup }) => backup?.drill !== undefined);
  return {
    sources,
    findDrillable: ({ kind, id }) =>
      drills && kind === 'guest' ? createGuestDrill(id, { proxmox, settings, scratch, clock }) : undefined,
  };
}
