import { parseWebhook } from '../../core/alertmanager.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { type Database, notify } from '../../store/db.ts';
import { appendWebhooks } from '../../store/webhook-log.ts';

/** How many webhooks share a statement at the most. */
const BATCH = 64;
/** Statements side by side; one is on its way while another waits for the disk. */
const LANES = 2;

export interface AlertIntake {
  /**
   * Resolves when the webhook is committed as it came; the reducer applies it from there (docs/adr/0011).
   * Throws `usage` for what can never be accepted and `transient` when the store is down.
   */
  readonly accept: (body: string) => Promise<void>;
}

export interface BusyIntake extends AlertIntake {
  /** Whether webhooks wait to be answered. */
  readonly busy: () => boolean;
}

export interface AlertIntakeOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells the reducer of this process; false when another process has to be told. */
  readonly wake: () => boolean;
}

interface Waiting {
  readonly body: string;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Webhooks that arrive while a statement is under way wait for the next one and share it: under load the number of
 * commits stays low, and nobody waits for a timer. A group always takes the same lane, so that its order is kept.
 */
export function createAlertIntake(options: AlertIntakeOptions): BusyIntake {
  const lanes = Array.from({ length: LANES }, () => createLane(options));
  let waiting = 0;
  return {
    accept: async (body) => {
      // What can never be applied is refused here, while the sender listens.
      const { groupKey } = parseWebhook(body, options.clock.now());
      waiting += 1;
      try {
        await new Promise<void>((done, failed) => lanes[laneOf(groupKey)]?.({ body, done, failed }));
      } finally {
        waiting -= 1;
      }
    },
    busy: () => waiting > 0,
  };
}

function laneOf(key: string): number {
  let hash = 0;
  for (let n = 0; n < key.length; n += 1) hash = (hash * 31 + key.charCodeAt(n)) >>> 0;
  return hash % LANES;
}

/** One statement after the other. */
function createLane({ db, clock, log, wake }: AlertIntakeOptions): (one: Waiting) => void {
  const waiting: Waiting[] = [];
  let running = false;

  const tell = (): void => {
    if (wake()) return;
    notify(db, 'vakhta_webhooks').catch((error: unknown) =>
      log.warn({ err: error }, 'the reducer was not told of new webhooks; it looks by itself soon'),
    );
  };

  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await appendWebhooks(
          db,
          batch.map(({ body }) => body),
          clock.now(),
        );
        for (const one of batch) one.done();
        tell();
      } catch (error) {
        for (const one of batch) one.failed(error);
      }
    }
    running = false;
  };

  return (one) => {
    waiting.push(one);
    if (!running) void drain();
  };
}
