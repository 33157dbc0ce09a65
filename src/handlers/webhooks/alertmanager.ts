import { type AlertGroup, parseWebhook } from '../../core/alertmanager.ts';
import type { Clock } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../store/db.ts';
import { ALERTMANAGER as SOURCE } from '../../tasks/incidents.ts';
import type { IncidentWriter } from '../../tasks/watch/writer.ts';

/** How many webhooks share a transaction at the most. */
const BATCH = 64;
/** Transactions side by side; one computes while another waits for the disk. */
const LANES = 2;
const UNIQUE_VIOLATION = '23505';

export interface AlertIntake {
  /**
   * Resolves when the alert group is committed: incident, history, desired card and outbox row in one transaction.
   * Throws `usage` for what can never be accepted and `transient` when the store is down.
   */
  accept(body: string): Promise<void>;
}

export interface AlertIntakeOptions {
  readonly db: Database;
  readonly writer: IncidentWriter;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  readonly group: AlertGroup;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Webhooks that arrive while a transaction is under way wait for the next one and share it: under load the number of
 * commits stays low, and nobody waits for a timer. A group always takes the same lane, so that its order is kept.
 */
export function createAlertIntake(options: AlertIntakeOptions): AlertIntake {
  const lanes = Array.from({ length: LANES }, () => createLane(options));
  return {
    accept: (body) =>
      new Promise((done, failed) => {
        const group = parseWebhook(body, options.clock.now());
        lanes[laneOf(group.groupKey)]?.({ group, done, failed });
      }),
  };
}

function laneOf(key: string): number {
  let hash = 0;
  for (let n = 0; n < key.length; n += 1) hash = (hash * 31 + key.charCodeAt(n)) >>> 0;
  return hash % LANES;
}

/** One transaction after the other. */
function createLane({ db, clock, log, writer }: AlertIntakeOptions): (one: Waiting) => void {
  const waiting: Waiting[] = [];
  let running = false;

  const commit = async (groups: readonly AlertGroup[]): Promise<void> => {
    const now = clock.now();
    try {
      await db.tx((tx) => writer.apply(tx, SOURCE, groups, now));
    } catch (error) {
      // Two processes opened the same group at once: the second look finds the row of the first.
      if (!isUniqueViolation(error)) throw error;
      await db.tx((tx) => writer.apply(tx, SOURCE, groups, now));
    }
  };

  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await commit(batch.map((one) => one.group));
        for (const one of batch) one.done();
      } catch (error) {
        if (batch.length === 1 || toVakhtaError(error).kind === 'transient') {
          for (const one of batch) one.failed(error);
          continue;
        }
        // One group that cannot be stored must not take the others with it.
        log.warn({ err: error, groups: batch.length }, 'a batch of webhooks failed, trying them one by one');
        for (const one of batch) await commit([one.group]).then(one.done, one.failed);
      }
    }
    running = false;
  };

  return (one) => {
    waiting.push(one);
    if (!running) void drain();
  };
}

function isUniqueViolation(error: unknown): boolean {
  const cause = error instanceof VakhtaError ? error.cause : error;
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === UNIQUE_VIOLATION;
}
