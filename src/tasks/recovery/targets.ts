import { formatTarget } from '../../core/recovery.ts';
import type { Config } from '../../config/schema.ts';

export type RecoveryConfig = Pick<Config, 'postgres' | 'proxmox' | 'restic' | 'pbs'>;

/** Targets whose backups are looked at, as the configuration names them. Guests are found by looking. */
export function backupTargets({ postgres, restic }: RecoveryConfig): string[] {
  return [
    ...postgres.map(({ id }) => formatTarget({ kind: 'pg', id })),
    ...restic.flatMap(({ volumes }) => volumes.map(({ id }) => formatTarget({ kind: 'volume', id }))),
    ...postgres
      .filter(({ offsiteRepo }) => offsiteRepo !== undefined)
      .map(({ id }) => formatTarget({ kind: 'offsite-pg', id })),
    ...restic
      .filter(({ offsite }) => offsite !== undefined)
      .flatMap(({ volumes }) => volumes.map(({ id }) => formatTarget({ kind: 'offsite-volume', id }))),
  ];
}

/** Targets whose restore can be tried out: a cluster needs a place for scratch clusters. */
export function drillTargets(config: RecoveryConfig): string[] {
  const places = new Set(config.postgres.filter(({ cluster, scratch }) => cluster && scratch).map(({ id }) => id));
  return backupTargets(config).filter((target) => {
    const [kind = '', id = ''] = target.split(/:(.*)/su);
    return !kind.endsWith('pg') || places.has(id);
  });
}

/** Whether restores of guests can be tried out at all. */
export const drillsGuests = ({ proxmox }: RecoveryConfig): boolean =>
  proxmox.some(({ backup }) => backup?.drill !== undefined);

/** Repositories whose integrity can be checked. */
export function checkTargets({ postgres, restic, pbs }: RecoveryConfig): string[] {
  return [
    ...postgres.map(({ id }) => `pg:${id}`),
    ...restic.map(({ id }) => `restic:${id}`),
    ...pbs.flatMap(({ id, datastores }) => datastores.map(({ name }) => `pbs:${id}/${name}`)),
  ];
}
