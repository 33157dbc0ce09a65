import { parseWebhook } from '../../core/alertmanager.ts';
import type { Clock } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Log } from '../../core/log.ts';
import type { Database, Tx } from '../../store/db.ts';
import { type Logged, takeWebhook, takeWebhooks, webhookFailed } from '../../store/webhook-log.ts';
import { ALERTMANAGER } from '../incidents.ts';
import type { SetAside } from './set-aside.ts';
import type { IncidentWriter } from './writer.ts';

/** How many webhooks share a transaction at the most, and how much text. */
const BATCH = 128;
const BATCH_BYTES = 8 * 1024 * 1024;
/** A webhook that fails this often by itself is set aside. */
const ATTEMPTS = 3;
/** After the database was away. */
const RETRY_MS = 1000;
/** Without any news, look again after this long: a notification may have been lost with its connection. */
const IDLE_MS = 15_000;
/**
 * In a burst answering comes first: after a batch of this size the reducer rests for some times as long as the batch took,
 * unless what it does is late already. A lone alert never waits.
 */
const BURST = 16;
const REST = 3;
const REST_MAX_MS = 500;
const LATE_MS = 2000;
/** Errors are kept with the webhook: enough to understand, not the whole payload that PostgreSQL may repeat. */
const ERROR_MAX = 500;

export interface Reducer {
  /** There are new webhooks: look at once. False when this process does not lead the reducer. */
  readonly wake: () => boolean;
  /** Applies what is in the log as long as this process leads; when `signal` aborts, after the batch that is under way. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Applies everything that waits, then resolves. */
  readonly drain: () => Promise<void>;
}

export interface ReducerOptions {
  readonly db: Database;
  readonly writer: IncidentWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly setAside: SetAside;
  /** Whether webhooks wait to be answered by this process. */
  readonly busy: () => boolean;
}

/** Applies the webhooks of the log to incidents, in order, each exactly once: the row goes in the transaction of its effect. */
export function createReducer({ db, writer, clock, log, setAside, busy }: ReducerOptions): Reducer {
  let leads = false;
  let news = false;
  let wake = (): void => {};
  const notice = (): void => {
    news = true;
    wake();
  };

  const apply = async (tx: Tx, rows: readonly Logged[]): Promise<void> => {
    const groups = rows.map(({ seq, body, receivedAt }) => ({ ...parseWebhook(body, receivedAt), seq }));
    await writer.apply(tx, ALERTMANAGER, groups, clock.now());
  };

  /** One by one: a webhook that fails must not take the others along. */
  const applyAlone = async (seq: number): Promise<void> => {
    for (;;) {
      try {
        await db.tx(async (tx) => {
          const row = await takeWebhook(tx, seq);
          if (row) await apply(tx, [row]);
        });
        return;
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        if (error.kind === 'transient') throw error;
        const failures = await webhookFailed(db, seq, error.message.slice(0, ERROR_MAX));
        log.warn({ err: thrown, webhook: seq, failures }, 'a webhook could not be applied');
        if (failures === 0) return;
        if (failures >= ATTEMPTS) return setAside.put(seq);
      }
    }
  };

  /** One batch; answers the webhooks it dealt with. */
  const some = async (): Promise<readonly Logged[]> => {
    let rows: readonly Logged[] = [];
    try {
      await db.tx(async (tx) => {
        // Not waited for: a crash of the whole machine that loses this commit also keeps the log, and what Telegram is told
        // goes out after a later commit that is waited for.
        await tx.late.query('set local synchronous_commit = off');
        rows = await takeWebhooks(tx, { limit: BATCH, bytes: BATCH_BYTES });
        if (rows.length > 0) await apply(tx, rows);
      });
    } catch (error) {
      if (rows.length === 0 || toVakhtaError(error).kind === 'transient') throw error;
      log.warn({ err: error, webhooks: rows.length }, 'a batch of webhooks failed, trying them one by one');
      for (const { seq } of rows) await applyAlone(seq);
    }
    return rows;
  };

  /** Leaves the machine to those who wait for an answer, for a while. */
  const rest = async (rows: readonly Logged[], began: Date, signal: AbortSignal): Promise<void> => {
    const now = clock.now().getTime();
    const age = now - (rows[0]?.receivedAt.getTime() ?? now);
    if (rows.length < BURST || age > LATE_MS || !busy()) return;
    await clock.sleep(Math.min(REST * (now - began.getTime()), REST_MAX_MS), signal).catch(() => {});
  };

  const idle = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (news) return resolve();
      const cancel = clock.after(ms, () => wake());
      wake = () => {
        wake = () => {};
        cancel();
        resolve();
      };
    });

  return {
    wake: () => {
      if (leads) notice();
      return leads;
    },
    run: async (signal) => {
      const unlisten = await db.listen('vakhta_webhooks', notice);
      signal.addEventListener('abort', notice, { once: true });
      leads = true;
      try {
        while (!signal.aborted) {
          news = false;
          try {
            const began = clock.now();
            const done = await some();
            if (done.length > 0) {
              await rest(done, began, signal);
              // Without news there is nothing more, unless this was only a part.
              if (news || done.length === BATCH) continue;
            }
            await setAside.review();
            await idle(IDLE_MS);
          } catch (error) {
            log.warn({ err: error }, 'webhooks wait to be applied, trying again');
            await clock.sleep(RETRY_MS, signal).catch(() => {});
          }
        }
      } finally {
        leads = false;
        signal.removeEventListener('abort', notice);
        await unlisten();
      }
    },
    drain: async () => {
      while ((await some()).length > 0);
    },
  };
}
