import { z } from 'zod';
import { type Clock, minutes, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { backupFor, formatMoment, recoveryTarget, restoreWindow, type Window } from '../../core/pitr.ts';
import { type ArchiveHealth, archiveOf, endOf } from '../../integrations/postgres/archive.ts';
import type { PostgresBackups } from '../../integrations/postgres/backups.ts';
import { type ControlData, controlDataOf } from '../../integrations/postgres/control.ts';
import { leadsHere, lineageOf } from '../../integrations/postgres/lineage.ts';
import type { Psql } from '../../integrations/postgres/psql.ts';
import type { ScratchClusters, ScratchServer } from '../../integrations/postgres/scratch.ts';
import type { BackupInfo } from '../../integrations/pgbackrest/info.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import type { WorkContext } from './define.ts';

export const messages = defineMessages({
  en: `
    pg-restore-step-mark = making sure that the archive goes beyond the moment

    err-pg-no-backup = There is no good backup of { $stanza } to restore from. Look at /backups.
    err-pg-target-too-early = { $asked } is before everything that { $stanza } can be restored to. The earliest moment is { $earliest }, the latest { $latest }.
    err-pg-target-too-late = { $asked } has not reached the archive of { $stanza } yet. The latest moment is { $latest }, the earliest { $earliest }.
    err-pg-archive-off = Archiving of { $stanza } is off, so nothing after its backups can be restored. Switch archive_mode on.
    err-pg-archive-waits = WAL of { $stanza } did not reach the archive within { $seconds } s ({ $wal }). Look at the archive command and at the free space of the repository.
  `,
  ru: `
    pg-restore-step-mark = проверяем, что архив идёт дальше этого момента

    err-pg-no-backup = Годной копии { $stanza }, из которой можно восстановить, нет. Посмотрите /backups.
    err-pg-target-too-early = { $asked } раньше всего, до чего можно восстановить { $stanza }. Самый ранний момент — { $earliest }, самый поздний — { $latest }.
    err-pg-target-too-late = { $asked } ещё не в архиве { $stanza }. Самый поздний момент — { $latest }, самый ранний — { $earliest }.
    err-pg-archive-off = Архив WAL у { $stanza } выключен, поэтому восстановить можно только сами копии. Включите archive_mode.
    err-pg-archive-waits = WAL { $stanza } не попал в архив за { $seconds } с ({ $wal }). Проверьте archive_command и свободное место в репозитории.
  `,
});

/** What can be restored now. */
export interface Restorables {
  /** Of the repository that is asked for, oldest first; those with damaged pages too, those that cannot lead to the present not. */
  readonly backups: readonly BackupInfo[];
  readonly repo: number;
  /** How archiving stands; absent while production does not answer. */
  readonly archive?: ArchiveHealth;
  /** Absent without a good backup. While production is away its end is only the present moment: nobody knows the archive's. */
  readonly window?: Window;
}

/** What will be restored; made by `plan`, kept with the run as JSON. */
export const restorePlanSchema = z.object({
  label: z.string(),
  repo: z.number(),
  backupAt: z.coerce.date(),
  /** Absent: as far as the archive reaches. */
  target: z.coerce.date().optional(),
  sizeBytes: z.number(),
  /** A rough guess; absent while production is away. */
  walBytes: z.number().optional(),
  neededBytes: z.number(),
  freeBytes: z.number(),
  port: z.number(),
  window: z.object({ from: z.coerce.date(), to: z.coerce.date() }),
});
export type RestorePlan = z.output<typeof restorePlanSchema>;

/** What was seen of a restored cluster. */
export interface RestoredCluster {
  readonly server: ScratchServer;
  /** Milliseconds: the files, and then until it answered at the moment. */
  readonly filesMs: number;
  readonly startMs: number;
  readonly claim: string;
}

export interface PgRestorer {
  readonly id: string;
  /** Zone of the site. */
  readonly zone: string;
  readonly backups: PostgresBackups;
  /** The running cluster. */
  readonly production: Psql;
  readonly clusters: ScratchClusters;
  look(signal: AbortSignal, repo?: number): Promise<Restorables>;
  /** Chooses the backup and checks time, place and port. Errors: `pg-no-backup`, `pg-target-too-early`, `…-late`, `pg-scratch-*`. */
  plan(
    asked: { readonly target?: Date; readonly repo?: number; readonly zone: string },
    signal: AbortSignal,
  ): Promise<RestorePlan>;
  /**
   * Restores beside production and waits until the copy answers at the moment. What was made is removed when this fails;
   * afterwards it is the caller's to `discard`.
   */
  restore(plan: RestorePlan, context: WorkContext): Promise<RestoredCluster>;
  /** Takes the cluster of a run away, whatever there is of it. Not to be cut short by a cancel. */
  discard(runId: string, claim: string): Promise<void>;
  /** Lets what is restored outlive its run until then; the new claim on it. */
  keep(runId: string, claim: string, port: number, until: Date): Promise<string>;
  /** Commits nothing and archives it, so that the archive has something after the present moment. Errors: `pg-archive-*`. */
  mark(signal: AbortSignal): Promise<ArchiveHealth>;
  /** Of the running cluster. */
  control(signal: AbortSignal): Promise<ControlData>;
}

export interface PgRestorerOptions {
  readonly id: string;
  readonly zone: string;
  readonly backups: PostgresBackups;
  readonly production: Psql;
  readonly binDir: string;
  readonly dataDir: string;
  readonly clusters: ScratchClusters;
  readonly scratch: ScratchDesk;
  readonly clock: Clock;
}

export const SCRATCH_KIND = 'pg-cluster';
const ARCHIVE_LIMIT_MS = minutes(2);
/** Server and WAL that a replay keeps; it lets WAL go at checkpoints (max_wal_size of the copy is 1 GB). */
const WAL_KEPT_BYTES = 1_073_741_824;
const WAL_LEAST_BYTES = 67_108_864;
/** The usual size; another one only makes the guess rougher. */
const SEGMENT_BYTES = 16_777_216;

export function createPgRestorer(options: PgRestorerOptions): PgRestorer {
  const { id, backups, production, clusters, scratch, clock } = options;

  const archive = async (signal: AbortSignal): Promise<ArchiveHealth | undefined> => {
    try {
      return await archiveOf(production, signal);
    } catch (thrown) {
      // A production that is down is what restores are for.
      if (thrown instanceof VakhtaError && thrown.code === 'psql-connect') return undefined;
      throw thrown;
    }
  };

  const look: PgRestorer['look'] = async (signal, repo) => {
    const [info, health, lineage] = await Promise.all([
      backups.info(signal),
      archive(signal),
      lineageOf(clusters.programs, options.binDir, options.dataDir, signal),
    ]);
    const chosen = repo ?? Math.min(...info.backups.map(({ repoKey }) => repoKey), ...info.repos.map(({ key }) => key));
    // Those that lead to what production was before it was put back are of no use any more.
    const listed = info.backups.filter(
      ({ repoKey, walStop }) => repoKey === chosen && (!lineage || walStop === null || leadsHere(lineage, walStop)),
    );
    // The server forgets its counters in a crash: then the newest backup is what is known to be in the archive.
    const newest = new Date(Math.max(0, ...listed.map(({ stoppedAt }) => stoppedAt.getTime())));
    const window = restoreWindow(listed, health ? (health.lastArchivedAt ?? newest) : clock.now());
    return {
      backups: listed,
      repo: chosen,
      ...(health ? { archive: health } : {}),
      ...(window ? { window } : {}),
    };
  };

  const mark: PgRestorer['mark'] = async (signal) => {
    const before = await archiveOf(production, signal);
    if (before.mode === 'off') {
      throw new VakhtaError('permanent', 'pg-archive-off', `${id}: archive_mode is off`, { args: { stanza: id } });
    }
    // A transaction with a number and nothing in it: recovery stops at the first commit after the moment, so there has to be one.
    await production.run('select txid_current()', { signal });
    const name = z.object({ wal: z.string() });
    const [switched] = await production.rows('select pg_walfile_name(pg_switch_wal()) as wal', name, { signal });
    const wal = switched?.wal ?? '';
    const end = clock.now().getTime() + ARCHIVE_LIMIT_MS;
    for (let pause = 100; ; pause = Math.min(1000, pause * 2)) {
      const now = await archiveOf(production, signal);
      if ((now.lastArchivedWal ?? '') >= wal) return now;
      if (clock.now().getTime() > end) {
        const args = { stanza: id, wal, seconds: ARCHIVE_LIMIT_MS / 1000 };
        throw new VakhtaError('permanent', 'pg-archive-waits', `${id}: ${wal} is not archived`, { args });
      }
      await clock.sleep(pause, signal);
    }
  };

  const plan: PgRestorer['plan'] = async ({ target, repo, zone }, signal) => {
    const found = await look(signal, repo);
    const { window } = found;
    const backup = backupFor(found.backups, target);
    if (window === undefined || backupFor(found.backups, undefined) === undefined) {
      throw new VakhtaError('permanent', 'pg-no-backup', `${id}: no good backup`, { args: { stanza: id } });
    }
    if (target !== undefined) {
      const side = backup === undefined ? 'early' : target > window.to ? 'late' : undefined;
      if (side !== undefined) throw outside(id, side, target, window, zone);
    }
    if (backup === undefined) throw new VakhtaError('bug', 'internal', 'no backup without a moment');
    const taken = (await scratch.open())
      .filter(({ kind, place }) => kind === SCRATCH_KIND && place === id)
      .map(({ what }) => Number(what['port']));
    const port = clusters.portBeside(taken);
    const walBytes = found.archive && walBetween(backup, target, found.archive);
    const neededBytes =
      backup.sizeBytes + Math.min(WAL_KEPT_BYTES, Math.max(WAL_LEAST_BYTES, walBytes ?? WAL_KEPT_BYTES));
    const { freeBytes } = await clusters.room(neededBytes, signal);
    return {
      label: backup.label,
      repo: found.repo,
      backupAt: backup.stoppedAt,
      ...(target ? { target } : {}),
      sizeBytes: backup.sizeBytes,
      ...(walBytes === undefined ? {} : { walBytes }),
      neededBytes,
      freeBytes,
      port,
      window,
    };
  };

  const discard: PgRestorer['discard'] = async (runId, claim) => {
    await clusters.remove(runId);
    await scratch.released(claim);
  };

  const keep: PgRestorer['keep'] = async (runId, claim, port, until) => {
    const { folder } = clusters.placeOf(runId);
    const what = { folder, port, until: until.toISOString() };
    // Noted twice for a moment rather than not at all.
    const kept = await scratch.claim({ runId, kind: SCRATCH_KIND, place: id, what });
    await scratch.released(claim);
    return kept;
  };

  const restore: PgRestorer['restore'] = async (planned, context) => {
    const { runId, signal, progress, log } = context;
    const { folder } = clusters.placeOf(runId);
    const claim = await scratch.claim({
      runId,
      kind: SCRATCH_KIND,
      place: id,
      what: { folder, port: planned.port },
    });
    try {
      const begun = clock.now().getTime();
      const place = await clusters.prepare(runId, signal);
      await backups.restore(
        {
          set: planned.label,
          repo: planned.repo,
          pgPath: place.dataDir,
          tablespaces: place.tablespaces,
          archiveMode: 'off',
          ...(planned.target ? { target: planned.target } : {}),
        },
        { signal, onProgress: progress },
      );
      const restored = clock.now().getTime();
      const server = await clusters.start(runId, {
        port: planned.port,
        repo: planned.repo,
        signal,
        ...(planned.target ? { target: recoveryTarget(planned.target) } : {}),
        onStep: (step) => progress({ step: { key: `pg-step-${step}` } }),
      });
      return { server, claim, filesMs: restored - begun, startMs: clock.now().getTime() - restored };
    } catch (thrown) {
      await discard(runId, claim).catch((error: unknown) => {
        // It is still in the list of what is temporary: the sweeper comes for it.
        log.warn({ err: error, folder }, 'a scratch cluster was not removed');
      });
      throw thrown;
    }
  };

  return {
    id,
    zone: options.zone,
    backups,
    production,
    clusters,
    look,
    plan,
    restore,
    discard,
    keep,
    mark,
    control: (signal) => controlDataOf(clusters.programs, options.binDir, options.dataDir, signal),
  };
}

function outside(stanza: string, side: 'early' | 'late', asked: Date, window: Window, zone: string): VakhtaError {
  const args = {
    stanza,
    asked: formatMoment(asked, zone),
    earliest: formatMoment(window.from, zone),
    latest: formatMoment(new Date(Math.floor(window.to.getTime() / 1000) * 1000), zone),
  };
  return new VakhtaError('usage', `pg-target-too-${side}`, `${stanza}: ${args.asked} is too ${side}`, { args });
}

/** Bytes of WAL between the end of the backup and the moment, were it written evenly. */
function walBetween(backup: BackupInfo, target: Date | undefined, archive: ArchiveHealth): number | undefined {
  const { lastArchivedWal, lastArchivedAt } = archive;
  if (backup.walStart === null || lastArchivedWal === undefined || lastArchivedAt === undefined) return undefined;
  const segment = SEGMENT_BYTES;
  const from = endOf(backup.walStart, segment);
  const to = endOf(lastArchivedWal, segment);
  if (from === undefined || to === undefined) return undefined;
  const all = Math.max(0, to - from) + segment;
  const span = lastArchivedAt.getTime() - backup.stoppedAt.getTime();
  if (target === undefined || span < seconds(1)) return all;
  const share = (target.getTime() - backup.stoppedAt.getTime()) / span;
  return Math.round(Math.max(segment, all * Math.min(1, Math.max(0, share))));
}
