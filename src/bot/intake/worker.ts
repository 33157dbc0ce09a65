import type { Update } from '@grammyjs/types';
import { type Clock, minutes } from '../../core/clock.ts';
import { jitter } from '../../core/jitter.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Log } from '../../core/log.ts';
import { newErrorId, type Random } from '../../core/random.ts';
import type { Database } from '../../store/db.ts';
import { isDown } from '../../store/errors.ts';
import { attempt, type InboxRow, pending, settle, uncounted } from '../../store/inbox.ts';
import type { BotMetrics } from '../metrics.ts';
import { loggable } from '../outbox/classify.ts';
import { kindOf, parseUpdate } from './updates.ts';

export interface Handling {
  readonly update: Update;
  readonly receivedAt: Date;
  readonly signal: AbortSignal;
}

export interface WorkerOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: BotMetrics;
  readonly handle: (handling: Handling) => Promise<void>;
  /** Called once when an update is given up: tells the person, writes the audit. */
  readonly gaveUp: (update: Update, errorId: string, error: unknown) => Promise<void>;
}

const MAX_PARALLEL = 16;
const PAGE = 64;
const MAX_ATTEMPTS = 3;
const TIMEOUT_MS = 30_000;
const IDLE_MS = 5_000;
/** How long an update waits for a database (or queue, or network: they fail alike) that is away before it is given up like any other. */
const PATIENCE_MS = minutes(15);
const WAIT_MS = 10_000;

/** Handles what the inbox holds: in order for each key, keys side by side, each with a time limit. */
export interface Worker {
  /** There is something in the inbox. */
  kick(): void;
  /** Starts what was stored just now, where nothing older of the same key can be waiting; the rest is found in the inbox. */
  take(rows: readonly InboxRow[]): void;
  run(signal: AbortSignal): Promise<void>;
}

/** What pg or the network said, also where the store has put it into words. */
const causeOf = (error: unknown): unknown => (error instanceof VakhtaError && error.cause ? error.cause : error);

export function createWorker(options: WorkerOptions): Worker {
  const { db, clock, random, log, metrics } = options;
  let wake = (): void => {};
  let news = false;
  const kick = (): void => {
    news = true;
    wake();
  };

  const handleOnce = async (row: InboxRow, update: Update): Promise<void> => {
    const limit = new AbortController();
    let cancel = (): void => {};
    const timeout = new Promise<never>((_, reject) => {
      cancel = clock.after(TIMEOUT_MS, () => {
        const error = Object.assign(new Error(`no end after ${TIMEOUT_MS / 1000} s`), { name: 'TimeoutError' });
        limit.abort(error);
        reject(error);
      });
    });
    try {
      await Promise.race([options.handle({ update, receivedAt: row.receivedAt, signal: limit.signal }), timeout]);
    } finally {
      cancel();
    }
  };

  /**
   * To the end: done, or given up after three attempts. Waits between attempts, so that the order of its key is kept. That the
   * database was away, or the queue, or the network, is not the update's fault: it does not count.
   */
  const work = async (row: InboxRow, signal: AbortSignal): Promise<void> => {
    const update = parseUpdate(row.payload);
    const kind = kindOf(update);
    const started = clock.now().getTime();
    const spent = (): number => clock.now().getTime() - started;
    if (row.attempts >= MAX_ATTEMPTS) return giveUp(row, update, new Error('the program stopped while handling it'));
    let waits = 0;
    for (let tries = row.attempts + 1; ; tries++) {
      // Counted while it runs: a crash stays visible, and nobody waits for the count.
      const counted = attempt(db, row.seq);
      try {
        await handleOnce(row, update);
        await counted;
        await settle(db, row.seq, 'done', clock.now());
        metrics.handled(kind, 'ok', spent());
        return;
      } catch (error) {
        await counted.catch(() => {});
        const timedOut = error instanceof Error && error.name === 'TimeoutError';
        metrics.handled(kind, timedOut ? 'timeout' : 'error', spent());
        const isAway = !timedOut && isDown(causeOf(error)) && spent() < PATIENCE_MS;
        // What may still be running is not started a second time.
        if (!isAway && (tries >= MAX_ATTEMPTS || timedOut)) return giveUp(row, update, error);
        log.warn({ ...loggable(error), update: update.update_id, tries }, 'an update failed, trying again');
        const steps = isAway ? (waits += 1) : tries;
        await clock.sleep(jitter(random, Math.min(WAIT_MS, 500 * 4 ** (steps - 1))), signal);
        if (!isAway) continue;
        tries -= 1;
        await uncounted(db, row.seq).catch(() => {});
      }
    }
  };

  const giveUp = async (row: InboxRow, update: Update, error: unknown): Promise<void> => {
    const errorId = newErrorId(random);
    log.error(
      { errorId, update: update.update_id, kind: kindOf(update), err: loggable(error) },
      'an update was given up',
    );
    await settle(db, row.seq, 'failed', clock.now(), `#${errorId}`);
    await options.gaveUp(update, errorId, error);
  };

  const busy = new Map<string, Promise<void>>();
  /** The inbox was read to its end, and nothing has happened since: what it holds belongs to keys that are busy. */
  let isDrained = false;
  let leading: AbortSignal | undefined;

  const begin = (row: InboxRow, signal: AbortSignal): void => {
    const done = work(row, signal)
      .catch((error: unknown) => log.warn({ ...loggable(error), seq: row.seq }, 'an update waits in the inbox'))
      .finally(() => {
        busy.delete(row.key);
        kick();
      });
    busy.set(row.key, done);
  };

  const take = (rows: readonly InboxRow[]): void => {
    let rest = rows.length;
    for (const row of rows) {
      if (!isDrained || news || !leading || leading.aborted || busy.has(row.key) || busy.size >= MAX_PARALLEL) break;
      begin(row, leading);
      rest -= 1;
    }
    if (rest > 0) kick();
  };

  const loop = async (signal: AbortSignal): Promise<void> => {
    leading = signal;
    signal.addEventListener('abort', kick, { once: true });
    while (!signal.aborted) {
      news = false;
      isDrained = false;
      let rows: readonly InboxRow[] = [];
      let isRead = false;
      try {
        if (busy.size < MAX_PARALLEL) {
          rows = await pending(db, PAGE, [...busy.keys()]);
          isRead = true;
        }
      } catch (error) {
        log.warn(loggable(error), 'the inbox could not be read');
      }
      for (const row of rows) {
        if (busy.has(row.key) || busy.size >= MAX_PARALLEL) continue;
        begin(row, signal);
      }
      isDrained = isRead && rows.length < PAGE;
      if (!news && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(IDLE_MS, resolve);
          wake = () => {
            cancel();
            resolve();
          };
        });
        wake = () => {};
      }
    }
    isDrained = false;
    await Promise.all(busy.values());
  };

  return { kick, take, run: loop };
}
