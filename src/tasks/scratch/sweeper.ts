import { type Clock, minutes, seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Translate } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { ownGroup, spoken } from '../../core/own-alert.ts';
import type { Database } from '../../store/db.ts';
import {
  failedScratch,
  leftOver,
  releaseScratch,
  type ScratchRow,
  takeToldAndGone,
  tellScratch,
} from '../../store/scratch.ts';
import type { IncidentWriter } from '../watch/writer.ts';
import { OWN_SOURCE } from '../watcher/watchdog.ts';
import { plainOf, type ScratchRemover, thingOf } from './desk.ts';

/** A run without a sign of life for this long has lost its worker: a living one says something every ten seconds. */
const LOST_MS = minutes(1);
/** A big folder takes its time. */
const REMOVE_LIMIT_MS = minutes(5);
const AT_ONCE = 4;
const TRIES_BEFORE_TELLING = 3;
const FIRST_WAIT_MS = seconds(15);
const LONGEST_WAIT_MS = minutes(30);

export interface SweeperOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly removers: readonly ScratchRemover[];
  readonly writer: Pick<IncidentWriter, 'apply'>;
  /** In the language of the site. */
  readonly t: Translate;
  /** Keeps secrets out of what is told. */
  readonly redact: (text: string) => string;
}

/** Removes what outlived its run, whoever died in between; one round. What stays all the same becomes an incident. */
export function createSweeper(options: SweeperOptions): { readonly round: (signal: AbortSignal) => Promise<void> } {
  const { db, clock, log, writer, t, redact } = options;
  const removers = new Map(options.removers.map((remover) => [remover.kind, remover]));

  const detailsOf = ({ what }: ScratchRow): string =>
    Object.entries(plainOf(what))
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');

  const group = (thing: ScratchRow, status: 'firing' | 'resolved') => {
    const { id, kind, place, claimedAt, releasedAt, error } = thing;
    const what = { key: 'scratch-kind', args: { kind } };
    const { annotations, extra } = spoken(t, {
      summary: { key: 'scratch-left-summary', args: { what, place } },
      description: { key: 'scratch-left-description', args: { details: detailsOf(thing), why: error ?? '—' } },
    });
    return ownGroup({
      key: `scratch:${id}`,
      status,
      labels: { alertname: 'ScratchLeftOver', severity: 'warning', service: 'recovery', instance: place, scratch: id },
      annotations: { ...annotations, runbook: 'scratch-left-over' },
      extra,
      startsAt: claimedAt,
      ...(releasedAt ? { endsAt: releasedAt } : {}),
    });
  };

  const failed = async (thing: ScratchRow, thrown: unknown): Promise<void> => {
    const { text, args, message } = toVakhtaError(thrown);
    const why = redact(t(text, args));
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(thing.failures, 20));
    const now = clock.now();
    log.warn({ thing: thing.id, kind: thing.kind, place: thing.place, run: thing.runId, err: thrown }, message);
    await db.tx(async (tx) => {
      const failures = await failedScratch(tx, thing.id, why, new Date(now.getTime() + wait));
      if (failures < TRIES_BEFORE_TELLING || !(await tellScratch(tx, thing.id))) return;
      await writer.apply(tx, OWN_SOURCE, [group({ ...thing, error: why }, 'firing')], now);
    });
  };

  const remove = async (thing: ScratchRow, signal: AbortSignal): Promise<void> => {
    const { id, kind, place, runId } = thing;
    const limit = new AbortController();
    const timeout = new VakhtaError('transient', 'timeout', `${kind} on ${place} was not removed in time`);
    const stop = clock.after(REMOVE_LIMIT_MS, () => limit.abort(timeout));
    try {
      const remover = removers.get(kind);
      if (!remover)
        throw new VakhtaError('permanent', 'scratch-no-remover', `no remover of ${kind}`, { args: { kind } });
      await remover.remove(thingOf(thing), AbortSignal.any([signal, limit.signal]));
      if (await releaseScratch(db, id, clock.now())) {
        log.info({ thing: id, kind, place, run: runId }, 'something left over was removed');
      }
    } catch (thrown) {
      // Stopped because the program ends: whoever sweeps next tries it, and nothing was wrong with it.
      if (!signal.aborted) await failed(thing, thrown);
    } finally {
      stop();
    }
  };

  const tellOfGone = (): Promise<void> =>
    db.tx(async (tx) => {
      const gone = await takeToldAndGone(tx);
      const groups = gone.map((thing) => group(thing, 'resolved'));
      if (groups.length > 0) await writer.apply(tx, OWN_SOURCE, groups, clock.now());
    });

  return {
    round: async (signal) => {
      const now = clock.now();
      const rest = await leftOver(db, now, new Date(now.getTime() - LOST_MS));
      const lane = async (): Promise<void> => {
        for (let thing = rest.shift(); thing && !signal.aborted; thing = rest.shift()) await remove(thing, signal);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      await tellOfGone();
    },
  };
}
