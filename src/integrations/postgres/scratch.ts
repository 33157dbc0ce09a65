import { z } from 'zod';
import { type Clock, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Executor } from '../exec/executor.ts';
import { controlDataOf, type ControlData } from './control.ts';
import { createPrograms, type Programs, type Space } from './programs.ts';
import { createPsql, type Psql } from './psql.ts';
import { halt, isRunning, launch, type ServerPlace, untilOpen } from './server.ts';

export interface ScratchSettings {
  readonly binDir: string;
  /** Below this folder each run has one of its own. */
  readonly dir: string;
  /** Before the run's id in the name of its folder. */
  readonly prefix?: string;
  readonly portFrom: number;
  readonly portTo: number;
  /** Percent of the disk that stay free. */
  readonly freePercent: number;
  /** Data folder of the running cluster: the scratch folder may not lie in it. */
  readonly production: string;
  readonly database: string;
}

/** Where the cluster of a run lies. */
export interface ScratchPlace {
  /** The run's folder: everything of it is below. */
  readonly folder: string;
  readonly dataDir: string;
  readonly tablespaces: string;
  readonly socketDir: string;
  readonly logFile: string;
}

export interface ScratchServer {
  readonly psql: Psql;
  readonly socketDir: string;
  readonly port: number;
}

/**
 * Clusters beside production: each in a folder of its own, on a Unix socket only, without archiving, known by a mark with the
 * run's id, without which nothing is ever removed.
 */
export interface ScratchClusters {
  readonly programs: Programs;
  placeOf(runId: string): ScratchPlace;
  /** The first port of the range that is not among the taken ones. Throws `pg-scratch-port`. */
  portBeside(taken: readonly number[]): number;
  /** Refuses what does not fit: `pg-scratch-full`, `pg-scratch-dir`. Gives the space as it is. */
  room(neededBytes: number, signal?: AbortSignal): Promise<Space>;
  /** Makes the folder with its mark. It must not be there yet. */
  prepare(runId: string, signal?: AbortSignal): Promise<ScratchPlace>;
  /** Gives the restored copy settings of its own, starts it, waits for the end of recovery, and sees that it archives nothing. */
  start(
    runId: string,
    options: {
      readonly port: number;
      readonly signal: AbortSignal;
      /** For the error, when the archive ends before. */
      readonly target?: string;
      /** WAL comes from this repository only. */
      readonly repo?: number;
      readonly onStep?: (step: 'starting' | 'replaying') => void;
    },
  ): Promise<ScratchServer>;
  isUp(runId: string, signal?: AbortSignal): Promise<boolean>;
  /** Ends the server and what restores into the folder, and removes it. Fine when nothing is there; `pg-scratch-foreign`. */
  remove(runId: string, signal?: AbortSignal): Promise<void>;
}

export const MARK = '.vakhta-scratch';
const RUN_ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/;
/** sun_path holds 108 bytes with the closing zero (unix(7)). */
const SOCKET_MAX = 107;

export function createScratchClusters(
  settings: ScratchSettings,
  edges: { readonly executor: Executor; readonly clock: Clock },
): ScratchClusters {
  const { binDir, dir, prefix = '', portFrom, portTo } = settings;
  const programs = createPrograms(edges.executor);

  const placeOf = (runId: string): ScratchPlace => {
    if (!RUN_ID.test(runId)) throw new VakhtaError('bug', 'internal', `no folder for the run ${runId}`);
    const folder = `${dir.replace(/\/+$/, '')}/${prefix}${runId}`;
    return {
      folder,
      dataDir: `${folder}/data`,
      tablespaces: `${folder}/tablespaces`,
      socketDir: `${folder}/s`,
      logFile: `${folder}/server.log`,
    };
  };
  const serverOf = ({ dataDir, logFile }: ScratchPlace): ServerPlace => ({ programs, binDir, dataDir, logFile });
  const refuse = (code: string, args: Readonly<Record<string, string | number>>) =>
    new VakhtaError('permanent', code, `${code}: ${JSON.stringify(args)}`, { args });

  const clusters: ScratchClusters = {
    programs,
    placeOf,

    portBeside: (taken) => {
      for (let port = portFrom; port <= portTo; port++) if (!taken.includes(port)) return port;
      throw refuse('pg-scratch-port', { from: portFrom, to: portTo });
    },

    room: async (neededBytes, signal) => {
      if (`${dir}/`.startsWith(`${settings.production.replace(/\/+$/, '')}/`))
        throw refuse('pg-scratch-inside', { dir });
      if (Buffer.byteLength(`${dir}/${prefix}${'0'.repeat(36)}/s/.s.PGSQL.${portTo}`) > SOCKET_MAX) {
        throw refuse('pg-scratch-path', { dir });
      }
      if ((await programs.ask(['test', '-w', dir], signal ? { signal } : {})).code !== 0) {
        const detail = (await programs.isFolder(dir, signal)) ? 'EACCES' : 'ENOENT';
        throw refuse('pg-scratch-dir', { dir, detail });
      }
      const space = await programs.space(dir, signal);
      const kept = Math.ceil((space.totalBytes * settings.freePercent) / 100);
      if (space.freeBytes - kept < neededBytes) {
        const mb = (bytes: number) => Math.ceil(bytes / 1e6);
        throw refuse('pg-scratch-full', { dir, needed: mb(neededBytes), free: mb(space.freeBytes), kept: mb(kept) });
      }
      return space;
    },

    prepare: async (runId, signal) => {
      const place = placeOf(runId);
      // Without -p: a folder that is there already is not ours.
      await programs.must(['mkdir', '-m', '700', '--', place.folder], signal ? { signal } : {});
      await programs.write(`${place.folder}/${MARK}`, `${runId}\n`, signal);
      const folders = [place.dataDir, place.tablespaces, place.socketDir];
      await programs.must(['mkdir', '-m', '700', '--', ...folders], signal ? { signal } : {});
      return place;
    },

    start: async (runId, { port, signal, target, repo, onStep }) => {
      const place = placeOf(runId);
      const control = await controlDataOf(programs, binDir, place.dataDir, signal);
      const restored = (await programs.read(`${place.dataDir}/postgresql.auto.conf`, signal)) ?? '';
      await programs.write(`${place.dataDir}/postgresql.auto.conf`, recoverySettings(restored, repo), signal);
      await programs.write(`${place.dataDir}/postgresql.conf`, ownSettings(place, port, control), signal);
      await programs.write(`${place.dataDir}/pg_hba.conf`, 'local all all peer\n', signal);
      await programs.write(`${place.dataDir}/pg_ident.conf`, '', signal);
      onStep?.('starting');
      await launch(serverOf(place), signal);
      const { socketDir } = place;
      const psql = createPsql({ binDir, socketDir, port, database: settings.database }, edges.executor);
      await untilOpen(serverOf(place), psql, {
        clock: edges.clock,
        signal,
        ...(target === undefined ? {} : { target }),
        onWait: () => onStep?.('replaying'),
      });
      const mode = z.object({ mode: z.string() });
      const [seen] = await psql.rows(`select current_setting('archive_mode') as mode`, mode, { signal });
      if (seen?.mode !== 'off') {
        await halt(serverOf(place), signal);
        throw refuse('pg-scratch-archive', {});
      }
      return { psql, socketDir, port };
    },

    isUp: (runId, signal) => isRunning(serverOf(placeOf(runId)), signal),

    remove: async (runId, signal) => {
      const place = placeOf(runId);
      if (!(await programs.isFolder(place.folder, signal))) return;
      const mark = (await programs.read(`${place.folder}/${MARK}`, signal))?.trim();
      if (mark !== runId) {
        // Killed between the folder and its mark: an empty folder is nobody's, and rmdir takes no other.
        const gone = await programs.ask(['rmdir', '--', place.folder], signal ? { signal } : {});
        if (gone.code === 0) return;
        throw refuse('pg-scratch-foreign', { dir: place.folder });
      }
      await endWorkers(programs, place, signal);
      if (await programs.isFolder(`${place.dataDir}/global`, signal)) await halt(serverOf(place), signal);
      // In one step, so that nobody takes a copy that is half removed for a whole one.
      await programs.ask(['mv', '-T', '--', place.dataDir, `${place.folder}/gone`], signal ? { signal } : {});
      await programs.remove(place.folder, signal);
    },
  };
  return clusters;
}

/** A pgBackRest whose worker died restores on: what has this run's folder in its arguments is ended. */
async function endWorkers(programs: Programs, { dataDir }: ScratchPlace, signal?: AbortSignal): Promise<void> {
  // The brackets keep the pattern from matching the process that looks for it.
  const pattern = `pg1-pat[h]=${dataDir.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`;
  for (const name of ['TERM', 'KILL']) {
    const found = await programs
      .ask(['pkill', `-${name}`, '-f', '--', pattern], signal ? { signal } : {})
      .catch((thrown: unknown) => {
        if (thrown instanceof VakhtaError && thrown.code === 'exec-not-found') return undefined;
        throw thrown;
      });
    if (found?.code !== 0) return;
    for (let n = 0; n < 20; n++) {
      const left = await programs.ask(['pgrep', '-f', '--', pattern], {
        ...(signal ? { signal } : {}),
        timeoutMs: seconds(5),
      });
      if (left.code !== 0) return;
      await programs.ask(['sleep', '0.1'], signal ? { signal } : {});
    }
  }
}

/**
 * Of postgresql.auto.conf only what makes recovery: whatever else was set by ALTER SYSTEM belongs to production. `archive-get` works
 * without its queue, whose lock production's own archiving needs, and reads the repository that is tried out.
 */
export function recoverySettings(restored: string, repo?: number): string {
  const lines = restored.split('\n').filter((line) => /^\s*(?:restore_command|recovery_target\w*)\s*=/.test(line));
  return lines
    .map((line) => {
      const words = [
        '--no-archive-async',
        ...(repo === undefined || line.includes('--repo=') ? [] : [`--repo=${repo}`]),
      ];
      return /^\s*restore_command/.test(line)
        ? line.replace(' archive-get %f', ` ${words.join(' ')} archive-get %f`)
        : line;
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** The whole configuration of a scratch cluster: nothing of production's, which may lie elsewhere (/etc/postgresql) or harm. */
export function ownSettings(
  place: ScratchPlace,
  port: number,
  { limits }: ControlData,
  more: Readonly<Record<string, string | number>> = {},
): string {
  const settings: Readonly<Record<string, string | number>> = {
    cluster_name: 'vakhta-scratch',
    listen_addresses: '',
    unix_socket_directories: place.socketDir,
    unix_socket_permissions: '0700',
    port,
    archive_mode: 'off',
    archive_command: '',
    shared_preload_libraries: '',
    session_preload_libraries: '',
    local_preload_libraries: '',
    // Clients come in when the moment is reached, not before.
    hot_standby: 'off',
    ...limits,
    // A subscription in the copy would take production's changes away from it.
    max_logical_replication_workers: 0,
    primary_conninfo: '',
    autovacuum: 'off',
    restart_after_crash: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_timezone: 'UTC',
    lc_messages: 'C',
    max_wal_size: '1GB',
    ...more,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value.replaceAll("'", "''")}'`}\n`)
    .join('');
}
