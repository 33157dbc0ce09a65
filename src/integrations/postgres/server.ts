import { type Clock, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { toVakhtaError } from '../../core/error.ts';
import { printable } from '../pgbackrest/info.ts';
import { z } from 'zod';
import { type Programs, programError } from './programs.ts';
import type { Psql } from './psql.ts';

/** A data folder with the programs that act on it. */
export interface ServerPlace {
  readonly programs: Programs;
  readonly binDir: string;
  readonly dataDir: string;
  /** Where the server writes its log. */
  readonly logFile: string;
}

const pgCtl = ({ binDir, dataDir }: ServerPlace, ...words: string[]): readonly string[] => [
  `${binDir}/pg_ctl`,
  '-D',
  dataDir,
  ...words,
];

/** Whether a server runs on this folder (`pg_ctl status`: 0 it runs, 3 it does not, 4 no data folder). */
export async function isRunning(place: ServerPlace, signal?: AbortSignal): Promise<boolean> {
  const result = await place.programs.ask(pgCtl(place, 'status'), signal ? { signal } : {});
  if (result.code === 0) return true;
  if (result.code === 3 || result.code === 4) return false;
  throw programError('pg_ctl', place.programs.where, result);
}

/** Sends the server off; whether it lives is for `untilOpen` to see. */
export async function launch(place: ServerPlace, signal?: AbortSignal): Promise<void> {
  const argv = pgCtl(place, '-s', '-W', '-l', place.logFile, 'start');
  await place.programs.must(argv, signal ? { signal } : {});
}

/**
 * Ends the server at once and without a checkpoint, as a copy that is thrown away needs none. One that does not listen any more is
 * killed. Fine when nothing runs.
 */
export async function halt(place: ServerPlace, signal?: AbortSignal): Promise<void> {
  const options = signal ? { signal } : {};
  if (!(await isRunning(place, signal))) return;
  await place.programs.ask(pgCtl(place, '-s', '-w', '-t', '8', '-m', 'immediate', 'stop'), options);
  if (!(await isRunning(place, signal))) return;
  const pid = (await place.programs.read(`${place.dataDir}/postmaster.pid`, signal))?.split('\n', 1)[0] ?? '';
  if (/^\d+$/.test(pid)) await place.programs.ask([`${place.binDir}/pg_ctl`, 'kill', 'KILL', pid], options);
  if (await isRunning(place, signal)) {
    throw new VakhtaError('transient', 'pg-program', `the server on ${place.dataDir} does not end`, {
      args: { program: 'pg_ctl stop', where: place.programs.where, detail: place.dataDir },
    });
  }
}

/**
 * Waits until the server has left recovery and answers, or (`paused`) holds it at its moment and answers. The server process is
 * watched all the while: when the moment cannot be reached, it opens (as a hot standby) or not, and then ends itself. Errors:
 * `pg-target-not-reached`, `pg-start-failed`.
 */
export async function untilOpen(
  place: ServerPlace,
  psql: Psql,
  edges: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly target?: string;
    readonly state?: 'open' | 'paused';
    readonly onWait?: () => void;
  },
): Promise<void> {
  const { clock, signal } = edges;
  const begun = clock.now().getTime();
  let wasSeen = false;
  for (let pause = 50; ; pause = Math.min(500, Math.ceil(pause * 1.3))) {
    signal.throwIfAborted();
    const wanted = edges.state ?? 'open';
    const recovery = await recoveryOf(psql, wanted, signal);
    if (recovery === wanted) return;
    if (recovery === 'open') throw deathOf('', 'recovery did not hold at its moment', undefined);
    if (await isRunning(place, signal)) {
      wasSeen = true;
      edges.onWait?.();
    } else {
      const log = (await place.programs.read(place.logFile, signal)) ?? '';
      const reason = fatalLine(log);
      // Its pid file may not be there yet, just after the start.
      if (wasSeen || reason !== undefined || clock.now().getTime() - begun > seconds(15)) {
        throw deathOf(log, reason, edges.target);
      }
    }
    await clock.sleep(pause, signal);
  }
}

type Recovery = 'open' | 'paused' | 'replaying';

/** The second function fails outside of recovery, so it is asked only where recovery has to be held. */
const RECOVERY = {
  open: `select case when pg_is_in_recovery() then 'replaying' else 'open' end as state`,
  paused: `
    select case when not pg_is_in_recovery() then 'open' when pg_is_wal_replay_paused() then 'paused' else 'replaying' end
      as state`,
};

/** Nothing while it does not answer. */
async function recoveryOf(
  psql: Psql,
  wanted: keyof typeof RECOVERY,
  signal: AbortSignal,
): Promise<Recovery | undefined> {
  try {
    const row = z.object({ state: z.enum(['open', 'paused', 'replaying']) });
    return (await psql.rows(RECOVERY[wanted], row, { signal }))[0]?.state;
  } catch (thrown) {
    signal.throwIfAborted();
    if (toVakhtaError(thrown).code === 'psql-connect') return undefined;
    throw thrown;
  }
}

function deathOf(log: string, reason: string | undefined, target: string | undefined): VakhtaError {
  const detail = reason ?? (printable(log.slice(-300)) || '—');
  if (target !== undefined && /recovery ended before configured recovery target was reached/.test(log)) {
    const reached = lastReplayed(log) ?? '—';
    return new VakhtaError('permanent', 'pg-target-not-reached', `${detail} (replayed to ${reached})`, {
      args: { target, reached },
    });
  }
  return new VakhtaError('permanent', 'pg-start-failed', detail, { args: { detail } });
}

/** Why a server ended, in its own words; refusals of early clients are no reason. */
export function fatalLine(log: string): string | undefined {
  const line = log
    .split('\n')
    .findLast(
      (each) => /\b(?:FATAL|PANIC): /.test(each) && !/the database system is|terminating connection/.test(each),
    );
  return line === undefined ? undefined : printable(line.replace(/^.*?\b(?:FATAL|PANIC): +/, ''));
}

/** The time of the last transaction in a server's log: "last completed transaction was at log time …". */
export function lastReplayed(log: string): string | undefined {
  const found = [...log.matchAll(/last completed transaction was at log time (\S+ \S+)/g)].at(-1)?.[1];
  return found?.replace(/(\.\d{3})\d*/, '$1');
}
