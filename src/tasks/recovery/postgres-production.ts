import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { recoveryTarget } from '../../core/pitr.ts';
import type { Config } from '../../config/schema.ts';
import type { Executor } from '../../integrations/exec/executor.ts';
import type { PostgresBackups } from '../../integrations/postgres/backups.ts';
import { createProductionFolder, type ProductionFolder } from '../../integrations/postgres/production.ts';
import type { ScratchDesk, ScratchRemover } from '../scratch/desk.ts';
import { type Several, several } from '../several.ts';
import type { WorkContext } from './define.ts';
import { psqlOf } from './postgres-care.ts';
import { contentOf, contentProof, momentProof, startedProof } from './postgres-proof.ts';
import { createPgRestorer, type PgRestorer, type RestorePlan } from './postgres-restore.ts';
import { textSchema } from './words.ts';

export const messages = defineMessages({
  en: `
    production-proof-line = production runs on timeline { $timeline }, of the same system ({ $system })
    production-proof-line-wrong = production runs on timeline { $timeline } of the system { $system }, which is not what was restored: look at it at once
    production-proof-archive = its WAL reaches the archive
    production-proof-archive-off = its WAL does not reach the archive: look at archive_command
    err-production-rehearsal = The restored cluster is not as it has to be, so production was not touched: { $detail }
    err-production-foreign = The backup is of another system ({ $found }) than production ({ $system }). Production was not touched.
  `,
  ru: `
    production-proof-line = рабочая база на линии времени { $timeline }, система та же ({ $system })
    production-proof-line-wrong = рабочая база на линии времени { $timeline } системы { $system }, а восстановлено другое: посмотрите немедленно
    production-proof-archive = её WAL попадает в архив
    production-proof-archive-off = её WAL в архив не попадает: проверьте archive_command
    err-production-rehearsal = Восстановлено не то, что нужно, поэтому рабочая база не тронута: { $detail }
    err-production-foreign = Копия — от другой системы ({ $found }), не от рабочей ({ $system }). Рабочая база не тронута.
  `,
});

const proofSchema = z.object({ ok: z.boolean(), text: textSchema });

/** A restored cluster that may take the place of production; kept with the run as JSON. */
export const stagedSchema = z.object({
  label: z.string(),
  target: z.coerce.date().optional(),
  sizeBytes: z.number(),
  systemId: z.string(),
  /** On which it was restored; production begins the next one. */
  timeline: z.number(),
  filesMs: z.number(),
  rehearsalMs: z.number(),
  version: z.string(),
  proofs: z.array(proofSchema),
});
export type Staged = z.output<typeof stagedSchema>;

/** How production stood before anything was done to it. */
export interface Stood {
  readonly wasThere: boolean;
  readonly wasUp: boolean;
}

/** Where production stands now. `back`: what was restored did not start, and the old data has its place again. */
export type Settled =
  | { readonly state: 'new' }
  | { readonly state: 'old'; readonly isUp: boolean }
  | { readonly state: 'back'; readonly isUp: boolean; readonly failed: string; readonly why: string }
  | { readonly state: 'stuck'; readonly why: string };

export interface SeenProduction {
  readonly systemId: string;
  readonly timeline: number;
  readonly isInRecovery: boolean;
}

/** Restores over production: made beside it, looked at there, and then exchanged by rename. */
export interface PgProduction {
  readonly id: string;
  readonly dataDir: string;
  /** Restores into the folder beside production. */
  readonly restorer: PgRestorer;
  beforeOf(runId: string): string;
  look(signal: AbortSignal): ReturnType<ProductionFolder['look']>;
  /** Standbys that follow it now. */
  standbys(signal: AbortSignal): Promise<number>;
  /**
   * Restores beside production and rehearses its start. Afterwards the claim is the caller's to discard. Errors, also
   * `production-rehearsal` and `production-foreign`, leave nothing.
   */
  stage(
    plan: RestorePlan,
    zone: string,
    context: WorkContext,
  ): Promise<{ readonly staged: Staged; readonly claim: string }>;
  /** Ends production and puts what was staged in its place; starts nothing: that is for `settle`. */
  exchange(runId: string, signal: AbortSignal, beforeRename: () => Promise<void>): Promise<void>;
  /**
   * Finds out how far the exchange came and has production run again: the restored one when it has its place, the old one
   * otherwise, also when the restored one does not start. May be repeated. What passes by itself is thrown.
   */
  settle(runId: string, stood: Stood, signal: AbortSignal): Promise<Settled>;
  seen(signal: AbortSignal): Promise<SeenProduction>;
  /** What is true of the restored production; with `archive` its WAL has to arrive in the archive. */
  proofs(staged: Staged, zone: string, archive: boolean, signal: AbortSignal): Promise<Staged['proofs']>;
}

export const STAGE_KIND = 'pg-stage';

export interface PgProductionOptions {
  readonly id: string;
  readonly restorer: PgRestorer;
  readonly folder: ProductionFolder;
  readonly scratch: ScratchDesk;
  readonly clock: Clock;
}

const seenRow = z.object({ system_id: z.string(), wal: z.string().nullable(), in_recovery: z.boolean() });

/** The timeline comes from the name of the segment: the control file learns of it with the next checkpoint. */
const SEEN = `
  select (select system_identifier::text from pg_control_system()) as system_id,
    case when pg_is_in_recovery() then null else pg_walfile_name(pg_current_wal_insert_lsn()) end as wal,
    pg_is_in_recovery() as in_recovery`;

export function createPgProduction({ id, restorer, folder, scratch, clock }: PgProductionOptions): PgProduction {
  const { production, backups } = restorer;

  const seen: PgProduction['seen'] = async (signal) => {
    const [row] = await production.rows(SEEN, seenRow, { signal });
    if (row === undefined) throw new TypeError('a select without from has one row');
    return {
      systemId: row.system_id,
      timeline: Number.parseInt((row.wal ?? '0').slice(0, 8), 16),
      isInRecovery: row.in_recovery,
    };
  };

  const stage: PgProduction['stage'] = async (plan, zone, { runId, signal, progress, log }) => {
    const { folder: path } = folder.beside.placeOf(runId);
    const claim = await scratch.claim({ runId, kind: STAGE_KIND, place: id, what: { folder: path, port: plan.port } });
    try {
      const begun = clock.now().getTime();
      const old = await folder.control(signal);
      const place = await folder.beside.prepare(runId, signal);
      await backups.restore(
        {
          set: plan.label,
          repo: plan.repo,
          pgPath: place.dataDir,
          tablespaces: place.tablespaces,
          // It is to archive as production does, once it is production.
          archiveMode: 'preserve',
          ...(plan.target ? { target: plan.target } : {}),
        },
        { signal, onProgress: progress },
      );
      const restored = clock.now().getTime();
      const { psql } = await folder.rehearse(runId, {
        port: plan.port,
        repo: plan.repo,
        signal,
        ...(plan.target ? { target: recoveryTarget(plan.target) } : {}),
        onStep: (step) => progress({ step: { key: `pg-step-${step}` } }),
      });
      progress({ step: { key: 'pg-drill-step-look' } });
      const content = await contentOf(psql, signal);
      const server = (await folder.beside.programs.read(place.logFile, signal)) ?? '';
      const there = await contentOf(production, signal).catch(() => undefined);
      signal.throwIfAborted();
      const moment = plan.target && momentProof(content, server, plan.target, zone);
      if (moment?.ok === false || content.databases === 0) {
        const detail = moment?.ok === false ? String(moment.text.args?.['last'] ?? '—') : '0';
        throw new VakhtaError('permanent', 'production-rehearsal', `${id}: stopped at ${detail}`, { args: { detail } });
      }
      const control = await folder.complete(runId, signal);
      if (old !== undefined && old.systemId !== control.systemId) {
        const args = { found: control.systemId, system: old.systemId };
        throw new VakhtaError('permanent', 'production-foreign', `${id}: ${args.found} is not ${args.system}`, {
          args,
        });
      }
      const proofs = [startedProof(content), ...(moment ? [moment] : []), contentProof(content, there)];
      return {
        claim,
        staged: {
          label: plan.label,
          ...(plan.target ? { target: plan.target } : {}),
          sizeBytes: plan.sizeBytes,
          systemId: control.systemId,
          timeline: control.timeline,
          filesMs: restored - begun,
          rehearsalMs: clock.now().getTime() - restored,
          version: content.version,
          proofs: proofs.map(({ ok, text: { key, args } }) => ({ ok, text: { key, ...(args ? { args } : {}) } })),
        },
      };
    } catch (thrown) {
      await restorer.discard(runId, claim).catch((error: unknown) => {
        // It is still in the list of what is temporary: the sweeper comes for it.
        log.warn({ err: error, folder: path }, 'a cluster made beside production was not removed');
      });
      throw thrown;
    }
  };

  const startOld = async (wasUp: boolean, signal: AbortSignal): Promise<boolean> => {
    if (wasUp) await folder.start(signal);
    return folder.isRunning(signal);
  };

  const settle: PgProduction['settle'] = async (runId, { wasThere, wasUp }, signal) => {
    const state = await folder.stateOf(runId, wasThere, signal);
    let why: string | undefined;
    if (state === 'exchanged') {
      try {
        await folder.start(signal);
        return { state: 'new' };
      } catch (thrown) {
        why = lasting(thrown, signal);
        const control = await folder.control(signal);
        // One that has opened has begun a timeline that may be in the archive already: to go back is no machine's decision.
        const hasOpened = control !== undefined && !control.state.includes('recovery');
        if (!wasThere || hasOpened || (await folder.isRunning(signal))) return { state: 'stuck', why };
      }
    }
    try {
      if (state !== 'untouched') await folder.putBack(runId);
      const isUp = await startOld(wasUp, signal);
      return why === undefined ? { state: 'old', isUp } : { state: 'back', isUp, failed: folder.failedOf(runId), why };
    } catch (thrown) {
      return { state: 'stuck', why: [why, lasting(thrown, signal)].filter(Boolean).join('; ') };
    }
  };

  return {
    id,
    dataDir: folder.dataDir,
    restorer,
    beforeOf: (runId) => folder.beforeOf(runId),
    look: (signal) => folder.look(signal),
    standbys: async (signal) => {
      const row = z.object({ n: z.number() });
      const [found] = await production.rows(
        `select count(*) as n from pg_stat_replication where state = 'streaming'`,
        row,
        { signal },
      );
      return found?.n ?? 0;
    },
    stage,
    exchange: async (runId, signal, beforeRename) => {
      await folder.stop(signal);
      await beforeRename();
      signal.throwIfAborted();
      await folder.exchange(runId);
    },
    settle,
    seen,
    proofs: async (staged, zone, archive, signal) => {
      const now = await seen(signal);
      const isRight = now.systemId === staged.systemId && now.timeline > staged.timeline && !now.isInRecovery;
      const args = { timeline: now.timeline, system: now.systemId };
      const proofs: Staged['proofs'] = [
        { ok: isRight, text: { key: isRight ? 'production-proof-line' : 'production-proof-line-wrong', args } },
      ];
      if (staged.target === undefined) {
        const content = await contentOf(production, signal);
        // Nothing may have been committed after the backup.
        const { ok, text } = momentProof(content, '', undefined, zone);
        if (ok) proofs.push({ ok, text: { key: text.key, ...(text.args ? { args: text.args } : {}) } });
      }
      if (archive) {
        const arrives = await restorer.mark(signal).then(
          () => true,
          () => false,
        );
        signal.throwIfAborted();
        const key = arrives ? 'production-proof-archive' : 'production-proof-archive-off';
        proofs.push({ ok: arrives, text: { key } });
      }
      return proofs;
    },
  };
}

/** Why something has failed for good. What passes by itself, and a cancel, are thrown on. */
function lasting(thrown: unknown, signal: AbortSignal): string {
  signal.throwIfAborted();
  if (!(thrown instanceof VakhtaError) || thrown.kind === 'transient' || thrown.kind === 'bug') throw thrown;
  return String(thrown.args['detail'] ?? thrown.message);
}

interface ProductionSystems {
  readonly pgbackrest: Several<PostgresBackups>;
  readonly clusters: Several<{ readonly executor: Executor; readonly service: Executor }>;
}

function folderOf(stanza: Config['postgres'][number], systems: ProductionSystems, clock: Clock) {
  const { id, cluster, scratch, driver } = stanza;
  const psql = psqlOf(stanza, systems);
  if (!cluster?.start || !cluster.stop || !scratch || !psql || driver !== 'pgbackrest') return undefined;
  const { binDir, dataDir, database, start, stop } = cluster;
  const { portFrom, portTo, freePercent } = scratch;
  const settings = { binDir, dataDir, database, start, stop, portFrom, portTo, freePercent };
  return createProductionFolder(settings, { ...systems.clusters.get(id), psql, clock });
}

/** Who restores over production: of each PostgreSQL whose configuration says how its cluster is started and stopped. */
export function pgProductions(
  config: Config,
  systems: ProductionSystems,
  { clock, scratch }: { readonly clock: Clock; readonly scratch: ScratchDesk },
): Several<PgProduction> {
  return several(
    config.postgres.flatMap((stanza) => {
      const { id, cluster } = stanza;
      const folder = folderOf(stanza, systems, clock);
      const production = psqlOf(stanza, systems);
      if (!folder || !cluster || !production) return [];
      const restorer = createPgRestorer({
        id,
        zone: config.site.zone,
        backups: systems.pgbackrest.get(id),
        production,
        binDir: cluster.binDir,
        dataDir: cluster.dataDir,
        clusters: folder.beside,
        scratch,
        clock,
      });
      return [[id, createPgProduction({ id, restorer, folder, scratch, clock })] as const];
    }),
  );
}

/** Takes away what was made beside production and did not take its place. Never the old data. */
export const pgStageRemover = (config: Config, systems: ProductionSystems, clock: Clock): ScratchRemover => ({
  kind: STAGE_KIND,
  remove: async ({ place, runId }, signal) => {
    const stanza = config.postgres.find(({ id }) => id === place);
    const folder = stanza && folderOf(stanza, systems, clock);
    if (!folder) {
      const known = config.postgres.map(({ id }) => id).join(', ') || '—';
      throw new VakhtaError('permanent', 'not-declared', `no place beside production of ${place}`, {
        args: { id: place, known },
      });
    }
    await folder.beside.remove(runId, signal);
  },
});
