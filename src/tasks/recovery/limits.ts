import { hours } from '../../core/clock.ts';
import { parseTarget } from '../../core/recovery.ts';
import type { RecoveryConfig } from './targets.ts';

/** How old the newest backup of a target may be, as the configuration has it: milliseconds; nothing for what it does not name. */
export function ageLimitMs(target: string, config: RecoveryConfig): number | undefined {
  const limit = limitHours(target, config);
  return limit === undefined ? undefined : hours(limit);
}

function limitHours(target: string, { postgres, proxmox, restic, pbs }: RecoveryConfig): number | undefined {
  if (target.startsWith('pbs:')) {
    const stores = pbs.flatMap(({ id, datastores }) =>
      datastores.map((one) => ({ ...one, target: `pbs:${id}/${one.name}` })),
    );
    return stores.find((one) => one.target === target)?.maxAgeHours;
  }
  const { kind, id } = parseTarget(target) ?? {};
  switch (kind) {
    case 'pg':
      return postgres.find((one) => one.id === id)?.maxAgeHours;
    case 'offsite-pg':
      return postgres.find((one) => one.id === id)?.offsiteMaxAgeHours;
    case 'volume': {
      const set = restic.find(({ volumes }) => volumes.some((one) => one.id === id));
      return set?.volumes.find((one) => one.id === id)?.maxAgeHours ?? set?.maxAgeHours;
    }
    case 'offsite-volume':
      return restic.find(({ volumes }) => volumes.some((one) => one.id === id))?.offsite?.maxAgeHours;
    // A guest's name does not say where it lives: the most patient of the rules never cries wolf.
    case 'guest': {
      const all = proxmox.flatMap(({ backup }) => (backup ? [backup.maxAgeHours] : []));
      return all.length === 0 ? undefined : Math.max(...all);
    }
    case undefined:
      return undefined;
  }
}
