import type { Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatTarget } from '../../core/recovery.ts';
import type { Config } from '../../config/schema.ts';
import { createLockPaths } from '../lock-paths.ts';
import type { ScratchDesk, ScratchRemover } from '../scratch/desk.ts';
import { type Several, several } from '../several.ts';
import type { Drillable } from './define.ts';
import { type PostgresCareSystems, psqlOf, scratchOf } from './postgres-care.ts';
import { createPgDrill } from './postgres-drill.ts';
import { createPgRestorer, type PgRestorer, SCRATCH_KIND } from './postgres-restore.ts';

interface Edges {
  readonly clock: Clock;
  readonly scratch: ScratchDesk;
}

/** Who restores beside production: of each PostgreSQL with a running cluster and a place for it in the configuration. */
export function pgRestorers(
  config: Config,
  systems: PostgresCareSystems,
  { clock, scratch }: Edges,
): Several<PgRestorer> {
  return several(
    config.postgres.flatMap((stanza) => {
      const { id, cluster } = stanza;
      const production = psqlOf(stanza, systems);
      const clusters = scratchOf(stanza, systems, clock);
      if (!cluster || !production || !clusters) return [];
      const { binDir, dataDir } = cluster;
      const backups = systems.pgbackrest.get(id);
      const zone = config.site.zone;
      return [
        [id, createPgRestorer({ id, zone, backups, production, binDir, dataDir, clusters, scratch, clock })] as const,
      ];
    }),
  );
}

/** `pg:main` of each of them, and `offsite-pg:main` where a repository elsewhere is named. */
export function postgresDrills(config: Config, restorers: Several<PgRestorer>): readonly Drillable[] {
  const locks = createLockPaths(config);
  return config.postgres.flatMap(({ id, cluster, offsiteRepo }) => {
    if (!restorers.ids.includes(id)) return [];
    const common = {
      restorer: restorers.get(id),
      canary: cluster?.canary ?? false,
      lock: locks.postgres(id),
      zone: config.site.zone,
    };
    return [
      createPgDrill({ ...common, target: formatTarget({ kind: 'pg', id }) }),
      ...(offsiteRepo === undefined
        ? []
        : [createPgDrill({ ...common, target: formatTarget({ kind: 'offsite-pg', id }), repo: offsiteRepo })]),
    ];
  });
}

/** Takes scratch clusters away that outlived their runs. */
export const pgClusterRemover = (config: Config, systems: PostgresCareSystems, clock: Clock): ScratchRemover => ({
  kind: SCRATCH_KIND,
  remove: async ({ place, runId }, signal) => {
    const stanza = config.postgres.find(({ id }) => id === place);
    const clusters = stanza && scratchOf(stanza, systems, clock);
    // Taken out of the configuration while it was there: it cannot be told any more where it was.
    if (!clusters) {
      const known = config.postgres.map(({ id }) => id).join(', ') || '—';
      throw new VakhtaError('permanent', 'not-declared', `no place for scratch clusters of ${place}`, {
        args: { id: place, known },
      });
    }
    await clusters.remove(runId, signal);
  },
});
