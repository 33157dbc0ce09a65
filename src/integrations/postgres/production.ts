import { posix } from 'node:path';
import { z } from 'zod';
import { type Clock, hours, minutes, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { Executor } from '../exec/executor.ts';
import { printable } from '../pgbackrest/info.ts';
import { controlDataOf, type ControlData } from './control.ts';
import { createPrograms } from './programs.ts';
import { createPsql, type Psql } from './psql.ts';
import {
  createScratchClusters,
  ownSettings,
  recoverySettings,
  type ScratchClusters,
  type ScratchServer,
} from './scratch.ts';
import { isRunning, launch, type ServerPlace, untilOpen } from './server.ts';

export const messages = defineMessages({
  en: `
    err-pg-production-link = The data folder { $dir } cannot be exchanged by renaming it: { $detail } leads elsewhere (a tablespace, WAL on another disk). Restore beside production (/restore pg) and put the copy in its place by hand.
    err-pg-production-mount = The data folder { $dir } is a file system of its own, so it cannot be renamed. Restore beside production (/restore pg) and put the copy in its place by hand.
    err-pg-production-parent = { $dir } cannot be written to: the restored cluster is made there, and the folders are exchanged there. Give it to the user that runs pgBackRest (run_as).
    err-pg-production-stop = The cluster did not stop: { $detail }
    err-pg-production-runs = A server was started on { $dir } in the meantime (by systemd, Patroni or somebody), so the folders were not exchanged.
    err-pg-production-exchange = The data folders could not be exchanged: { $detail }
    err-pg-production-start = The cluster did not start: { $detail }
    err-pg-production-settings = The restored settings in { $dir } are not as they have to be: { $detail }
  `,
  ru: `
    err-pg-production-link = Каталог данных { $dir } нельзя подменить переименованием: { $detail } ведёт в другое место (табличное пространство, WAL на другом диске). Восстановите рядом (/restore pg) и поставьте копию на место вручную.
    err-pg-production-mount = Каталог данных { $dir } — отдельная файловая система, его не переименовать. Восстановите рядом (/restore pg) и поставьте копию на место вручную.
    err-pg-production-parent = В { $dir } нельзя писать, а восстановленный кластер создаётся и подменяется именно там. Отдайте этот каталог пользователю pgBackRest (run_as).
    err-pg-production-stop = Кластер не остановился: { $detail }
    err-pg-production-runs = На { $dir } тем временем запустили сервер (systemd, Patroni или человек), поэтому каталоги не менялись.
    err-pg-production-exchange = Не удалось поменять каталоги местами: { $detail }
    err-pg-production-start = Кластер не запустился: { $detail }
    err-pg-production-settings = Восстановленные настройки в { $dir } не такие, как должны быть: { $detail }
  `,
});

export interface ProductionSettings {
  readonly binDir: string;
  readonly dataDir: string;
  readonly database: string;
  /** Commands of the service; not through a shell. */
  readonly start: readonly string[];
  readonly stop: readonly string[];
  readonly portFrom: number;
  readonly portTo: number;
  readonly freePercent: number;
}

export interface ProductionEdges {
  /** Owner of the data. */
  readonly executor: Executor;
  /** For `start` and `stop`. */
  readonly service: Executor;
  readonly psql: Psql;
  readonly clock: Clock;
}

/** Where the exchange of the folders stands, as the folders themselves tell it. */
export type ExchangeState = 'untouched' | 'between' | 'exchanged';

/** The data folder of the running cluster, with what takes its place made beside it: on the same file system, to be exchanged by rename. */
export interface ProductionFolder {
  readonly dataDir: string;
  /** Clusters in the parent of the data folder, marked as scratch clusters are. */
  readonly beside: ScratchClusters;
  /** Where the old data goes. */
  beforeOf(runId: string): string;
  /** Where a restored cluster goes that did not start. */
  failedOf(runId: string): string;
  /** Refuses a place that cannot be exchanged by rename: `pg-production-link`, `-mount`, `-parent`. */
  look(signal?: AbortSignal): Promise<{ readonly isThere: boolean; readonly isRunning: boolean }>;
  /** Of the data folder; nothing when it cannot be read. */
  control(signal?: AbortSignal): Promise<ControlData | undefined>;
  /**
   * Starts the restored copy under settings of its own, without archiving, and holds it at the moment (without one: where it is
   * consistent), so that it can be looked at and has not yet begun a timeline.
   */
  rehearse(
    runId: string,
    options: {
      readonly port: number;
      readonly repo: number;
      readonly target?: string;
      readonly signal: AbortSignal;
      readonly onStep?: (step: 'starting' | 'replaying') => void;
    },
  ): Promise<ScratchServer>;
  /** Ends the rehearsal, and gives the copy its own settings back, and those with which production begins. */
  complete(runId: string, signal: AbortSignal): Promise<ControlData>;
  /** Ends the service. Throws `pg-production-stop` while a server is left. */
  stop(signal: AbortSignal): Promise<void>;
  /** The copy takes the place of production, whose data moves to `beforeOf`. In one step, not to be cut short. */
  exchange(runId: string): Promise<void>;
  stateOf(runId: string, wasThere: boolean, signal?: AbortSignal): Promise<ExchangeState>;
  /** The old data comes back to its place; what took it moves to `failedOf`. */
  putBack(runId: string): Promise<void>;
  isRunning(signal?: AbortSignal): Promise<boolean>;
  /** Starts the service when it does not run, and waits until it answers and has left recovery. */
  start(signal: AbortSignal, onWait?: () => void): Promise<void>;
}

/** Files with settings, where a cluster has them in its data folder. */
const OWN_FILES = ['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'pg_ident.conf'] as const;

/**
 * `$1` folder of programs, `$2` data folder, `$3` old data, `$4` what takes its place. Both renames in one process, which heeds no
 * signal: 20 a server runs, 21 nothing to put there, 22 a name is taken.
 */
const EXCHANGE = `
trap '' HUP INT TERM PIPE
"$1/pg_ctl" -D "$2" status >/dev/null 2>&1 && exit 20
[ -s "$4/PG_VERSION" ] && [ -s "$4/global/pg_control" ] || exit 21
[ -e "$3" ] && exit 22
if [ -e "$2" ]; then mv -T -- "$2" "$3" || exit 23; fi
mv -T -- "$4" "$2" || { [ ! -e "$3" ] || mv -T -- "$3" "$2"; exit 24; }
sync -- "\${2%/*}" || :
`;

/** The same back: `$4` is where the one that did not start goes. */
const PUT_BACK = `
trap '' HUP INT TERM PIPE
"$1/pg_ctl" -D "$2" status >/dev/null 2>&1 && exit 20
[ -e "$3" ] || exit 21
if [ -e "$2" ]; then [ -e "$4" ] && exit 22; mv -T -- "$2" "$4" || exit 23; fi
mv -T -- "$3" "$2" || exit 24
sync -- "\${2%/*}" || :
`;

export function createProductionFolder(settings: ProductionSettings, edges: ProductionEdges): ProductionFolder {
  const { binDir } = settings;
  const dataDir = settings.dataDir.replace(/\/+$/, '');
  const parent = posix.dirname(dataDir);
  const { executor, service, psql, clock } = edges;
  const programs = createPrograms(executor);
  const beside = createScratchClusters(
    {
      binDir,
      dir: parent,
      prefix: `${posix.basename(dataDir)}.vakhta-`,
      portFrom: settings.portFrom,
      portTo: settings.portTo,
      freePercent: settings.freePercent,
      production: dataDir,
      database: settings.database,
    },
    { executor, clock },
  );
  const refuse = (code: string, detail: string, dir = dataDir) =>
    new VakhtaError('permanent', code, `${code}: ${dir}: ${detail}`, { args: { dir, detail } });
  const beforeOf = (runId: string): string => `${dataDir}.before-${runId}`;
  const failedOf = (runId: string): string => `${dataDir}.failed-${runId}`;
  const server = (logFile = `${dataDir}/pg_ctl.log`): ServerPlace => ({ programs, binDir, dataDir, logFile });
  const runs = (signal?: AbortSignal) => isRunning(server(), signal);

  /** One process does all of it, so that nothing comes in between; the limit is for a disk that hangs. */
  const move = async (script: string, from: string, to: string): Promise<void> => {
    const { code, stderr } = await programs.ask(['sh', '-c', script, 'vakhta', binDir, dataDir, from, to], {
      timeoutMs: minutes(10),
    });
    if (code === 0) return;
    if (code === 20) throw refuse('pg-production-runs', 'a server runs');
    throw refuse('pg-production-exchange', printable(stderr) || `exit ${code ?? '?'}`);
  };

  return {
    dataDir,
    beside,
    beforeOf,
    failedOf,

    look: async (signal) => {
      const options = signal ? { signal } : {};
      if ((await programs.ask(['test', '-L', dataDir], options)).code === 0) {
        throw refuse('pg-production-link', dataDir);
      }
      if ((await programs.ask(['test', '-w', parent], options)).code !== 0) {
        throw refuse('pg-production-parent', 'EACCES', parent);
      }
      if (!(await programs.isFolder(dataDir, signal))) return { isThere: false, isRunning: false };
      const devices = await programs.must(['stat', '-c', '%d', '--', parent, dataDir], options);
      if (new Set(devices.trim().split('\n')).size !== 1) throw refuse('pg-production-mount', 'mount point');
      const leads = await linksIn(dataDir, signal);
      if (leads !== undefined) throw refuse('pg-production-link', leads);
      return { isThere: true, isRunning: await runs(signal) };
    },

    control: async (signal) => {
      try {
        return await controlDataOf(programs, binDir, dataDir, signal);
      } catch (thrown) {
        // What is broken may well be this: it is then that one restores.
        if (thrown instanceof VakhtaError && thrown.code === 'pg-program') return undefined;
        throw thrown;
      }
    },

    rehearse: async (runId, { port, repo, target, signal, onStep }) => {
      const place = beside.placeOf(runId);
      const at = (name: string): string => `${place.dataDir}/${name}`;
      const leads = await linksIn(place.dataDir, signal);
      if (leads !== undefined) throw refuse('pg-production-link', leads.replace(place.dataDir, dataDir));
      const control = await controlDataOf(programs, binDir, place.dataDir, signal);
      const kept = `${place.folder}/kept`;
      await programs.makeFolder(kept, signal);
      for (const name of OWN_FILES) {
        if ((await programs.ask(['test', '-f', at(name)], { signal })).code !== 0) continue;
        await programs.must(['cp', '-p', '--', at(name), `${kept}/${name}`], { signal });
      }
      const restored = (await programs.read(at('postgresql.auto.conf'), signal)) ?? '';
      await programs.write(at('postgresql.auto.conf'), heldSettings(restored, repo, target === undefined), signal);
      await programs.write(at('postgresql.conf'), ownSettings(place, port, control, { hot_standby: 'on' }), signal);
      await programs.write(at('pg_hba.conf'), 'local all all peer\n', signal);
      await programs.write(at('pg_ident.conf'), '', signal);
      onStep?.('starting');
      const copy: ServerPlace = { programs, binDir, dataDir: place.dataDir, logFile: place.logFile };
      await launch(copy, signal);
      const { socketDir } = place;
      const asked = createPsql({ binDir, socketDir, port, database: settings.database }, executor);
      await untilOpen(copy, asked, {
        clock,
        signal,
        state: 'paused',
        ...(target === undefined ? {} : { target }),
        onWait: () => onStep?.('replaying'),
      });
      const mode = z.object({ mode: z.string() });
      const [seen] = await asked.rows(`select current_setting('archive_mode') as mode`, mode, { signal });
      if (seen?.mode !== 'off') throw refuse('pg-scratch-archive', '');
      return { psql: asked, socketDir, port };
    },

    complete: async (runId, signal) => {
      const place = beside.placeOf(runId);
      const at = (name: string): string => `${place.dataDir}/${name}`;
      await programs.must([`${binDir}/pg_ctl`, '-D', place.dataDir, '-s', '-w', '-t', '300', '-m', 'fast', 'stop'], {
        signal,
        timeoutMs: seconds(330),
      });
      const kept = await programs.read(`${place.folder}/kept/postgresql.auto.conf`, signal);
      const settled = settledSettings(kept ?? '', place.dataDir, dataDir);
      if (settled === undefined) throw refuse('pg-production-settings', 'restore_command', place.dataDir);
      await programs.must(['rm', '-f', '--', ...OWN_FILES.map(at), at('postmaster.opts')], { signal });
      await programs.must(['cp', '-p', '-r', '--', `${place.folder}/kept/.`, `${place.dataDir}/`], { signal });
      await programs.write(at('postgresql.auto.conf'), settled, signal);
      // From here on a loss of power may come at any time.
      await programs.must(['sync', '-f', '--', place.dataDir], { signal, timeoutMs: minutes(15) });
      return controlDataOf(programs, binDir, place.dataDir, signal);
    },

    stop: async (signal) => {
      // Also when nothing runs: what starts a fallen service again by itself must not do so now.
      const result = await service.run(settings.stop, { signal, timeoutMs: minutes(15) });
      for (let n = 0; await runs(signal); n++) {
        if (n === 60) {
          const said = printable(result.stderr) || printable(result.stdout);
          throw refuse('pg-production-stop', said || `exit ${result.code ?? result.signal ?? '?'}`);
        }
        await clock.sleep(seconds(1), signal);
      }
    },

    exchange: (runId) => move(EXCHANGE, beforeOf(runId), beside.placeOf(runId).dataDir),

    stateOf: async (runId, wasThere, signal) => {
      const isThere = await programs.isFolder(dataDir, signal);
      if (!wasThere) return isThere ? 'exchanged' : 'untouched';
      if (!(await programs.isFolder(beforeOf(runId), signal))) return 'untouched';
      return isThere ? 'exchanged' : 'between';
    },

    putBack: (runId) => move(PUT_BACK, beforeOf(runId), failedOf(runId)),

    isRunning: runs,

    start: async (signal, onWait) => {
      for (let tries = 1; ; tries++) {
        const wasRunning = await runs(signal);
        if (!wasRunning) await startService(signal);
        try {
          await untilOpen(server(), psql, { clock, signal, ...(onWait ? { onWait } : {}) });
          return;
        } catch (thrown) {
          if (!(thrown instanceof VakhtaError) || thrown.code !== 'pg-start-failed') throw thrown;
          // It was on its way down still, as after a stop that was broken off.
          if (wasRunning && tries < 3) continue;
          throw refuse('pg-production-start', String(thrown.args['detail'] ?? '—'));
        }
      }
    },
  };

  async function startService(signal: AbortSignal): Promise<void> {
    const result = await service.run(settings.start, { signal, timeoutMs: hours(12) });
    if (result.code === 0 || (await runs(signal))) return;
    const said = printable(result.stderr) || printable(result.stdout);
    throw refuse('pg-production-start', said || `exit ${result.code ?? result.signal ?? '?'}`);
  }

  /** The first thing that does not move along when the folder is renamed. */
  async function linksIn(folder: string, signal?: AbortSignal): Promise<string | undefined> {
    // A damaged folder may lack the second one; then there is nothing in it.
    const { stdout } = await programs.ask(
      ['find', '-P', folder, `${folder}/pg_tblspc`, '-mindepth', '1', '-maxdepth', '1', '-type', 'l'],
      signal ? { signal } : {},
    );
    return stdout.split('\n').find((line) => line !== '');
  }
}

/** Recovery as restored, but held where it would end. Without a moment it is held as soon as the copy is consistent. */
export function heldSettings(restored: string, repo: number, isLatest: boolean): string {
  const lines = recoverySettings(restored, repo)
    .split('\n')
    .filter((line) => line !== '' && !/^\s*recovery_target_action\s*=/.test(line));
  const held = [...lines, ...(isLatest ? [`recovery_target = 'immediate'`] : []), `recovery_target_action = 'pause'`];
  return held.map((line) => `${line}\n`).join('');
}

/** The settings with which production begins: those restored, with its own data folder. Nothing when they would lead elsewhere. */
export function settledSettings(restored: string, stagedDir: string, dataDir: string): string | undefined {
  let found = false;
  const lines = restored.split('\n').map((line) => {
    if (!/^\s*restore_command\s*=/.test(line)) return line;
    found = true;
    return line.replaceAll(stagedDir, dataDir);
  });
  const text = lines.join('\n');
  return found && !text.includes(stagedDir) ? text : undefined;
}
