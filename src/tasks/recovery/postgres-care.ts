import type { Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Config, Stanza } from '../../config/schema.ts';
import type { Executor } from '../../integrations/exec/executor.ts';
import type { PostgresBackups } from '../../integrations/postgres/backups.ts';
import { controlDataOf } from '../../integrations/postgres/control.ts';
import { lineageOf } from '../../integrations/postgres/lineage.ts';
import { createPrograms } from '../../integrations/postgres/programs.ts';
import { createPsql, type Psql } from '../../integrations/postgres/psql.ts';
import { createScratchClusters, type ScratchClusters } from '../../integrations/postgres/scratch.ts';
import type { Database } from '../../store/db.ts';
import { createLockPaths } from '../lock-paths.ts';
import type { ScratchDesk, ScratchRemover } from '../scratch/desk.ts';
import type { Several } from '../several.ts';
import type { RecoveryParts } from './define.ts';
import { postgresSource, type PostgresSourceEdges } from './postgres-state.ts';
import { decoyRemover, postgresVerifiable, type PostgresVerifyEdges } from './postgres-verify.ts';

/** What the care for backups of PostgreSQL needs of the outside. */
export interface PostgresCareSystems {
  readonly pgbackrest: Several<PostgresBackups>;
  readonly clusters: Several<{ readonly executor: Executor }>;
}

/** How all stanzas stand, and what can be verified of them. */
export function postgresCare(
  config: Config,
  systems: PostgresCareSystems,
  { db, clock, scratch }: { readonly db: Database; readonly clock: Clock; readonly scratch: ScratchDesk },
): Pick<RecoveryParts, 'sources' | 'verifiables'> {
  const locks = createLockPaths(config);
  return {
    sources: config.postgres.map((stanza) => {
      const psql = psqlOf(stanza, systems);
      const backups = systems.pgbackrest.get(stanza.id);
      return postgresSource(stanza, {
        config,
        backups,
        db,
        clock,
        ...(psql ? { psql } : {}),
        ...lineageIn(stanza, systems),
      });
    }),
    verifiables: config.postgres.map((stanza) => {
      const clusters = scratchOf(stanza, systems, clock);
      const { executor } = systems.clusters.get(stanza.id);
      return postgresVerifiable(stanza, {
        backups: systems.pgbackrest.get(stanza.id),
        ...segmentIn(stanza, systems),
        lock: locks.postgres(stanza.id),
        desk: scratch,
        ...(clusters && stanza.cluster ? { decoy: { executor, binDir: stanza.cluster.binDir, clusters } } : {}),
      });
    }),
  };
}

/** Takes away what a verification has left behind. */
export const postgresCareRemovers = (
  config: Config,
  systems: PostgresCareSystems,
  clock: Clock,
): readonly ScratchRemover[] => [
  decoyRemover((id) => {
    const stanza = config.postgres.find((one) => one.id === id);
    return stanza && scratchOf(stanza, systems, clock);
  }),
];

function lineageIn({ id, cluster }: Stanza, systems: PostgresCareSystems): Pick<PostgresSourceEdges, 'lineage'> {
  if (cluster === undefined) return {};
  const programs = createPrograms(systems.clusters.get(id).executor);
  return { lineage: (signal) => lineageOf(programs, cluster.binDir, cluster.dataDir, signal) };
}

/** The size of WAL segments, also of a cluster that is down; nothing where its folder cannot be read. */
function segmentIn({ id, cluster }: Stanza, systems: PostgresCareSystems): Pick<PostgresVerifyEdges, 'segmentBytes'> {
  if (cluster === undefined) return {};
  const programs = createPrograms(systems.clusters.get(id).executor);
  return {
    segmentBytes: async (signal) => {
      try {
        return (await controlDataOf(programs, cluster.binDir, cluster.dataDir, signal)).walSegmentBytes;
      } catch (thrown) {
        if (thrown instanceof VakhtaError && ['pg-program', 'pg-output'].includes(thrown.code)) return undefined;
        throw thrown;
      }
    },
  };
}

/** Queries to the running cluster; nothing where the configuration names none. */
export function psqlOf({ id, cluster }: Stanza, systems: PostgresCareSystems): Psql | undefined {
  if (cluster === undefined) return undefined;
  const { binDir, socketDir, port, database } = cluster;
  return createPsql({ binDir, socketDir, port, database }, systems.clusters.get(id).executor);
}

/** Where clusters may be made beside the running one; nothing where the configuration names no place. */
export function scratchOf(stanza: Stanza, systems: PostgresCareSystems, clock: Clock): ScratchClusters | undefined {
  const { cluster, scratch } = stanza;
  if (cluster === undefined || scratch === undefined) return undefined;
  const { dir, portFrom, portTo, freePercent } = scratch;
  const { binDir, dataDir, database } = cluster;
  return createScratchClusters(
    { binDir, dir, portFrom, portTo, freePercent, production: dataDir, database },
    { executor: systems.clusters.get(stanza.id).executor, clock },
  );
}
