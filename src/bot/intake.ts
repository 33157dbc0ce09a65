import type { Update } from '@grammyjs/types';
import type { Api } from 'grammy';
import type { Hono } from 'hono';
import type { Clock } from '../core/clock.ts';
import { jitter } from '../core/jitter.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import type { Database } from '../store/db.ts';
import { receiveRows } from '../store/direct.ts';
import { observe } from '../store/observations.ts';
import { POLL } from '../tasks/watcher/heartbeat.ts';
import { poll } from './intake/poller.ts';
import { ALLOWED_UPDATES, type Codes, kindOf, toReceived } from './intake/updates.ts';
import { webhookRoute } from './intake/webhook.ts';
import { createWorker, type WorkerOptions } from './intake/worker.ts';
import type { BotMetrics } from './metrics.ts';
import { loggable } from './outbox/classify.ts';

export interface IntakeOptions extends Pick<WorkerOptions, 'handle' | 'gaveUp'> {
  readonly db: Database;
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: BotMetrics;
  readonly codes: Codes;
  readonly webhook?: { readonly url: string; readonly secret: Secret };
}

/** The one way in: updates are stored before Telegram hears that they arrived, then handled. */
export interface Intake {
  run(signal: AbortSignal): Promise<void>;
  /** Present in webhook mode. */
  readonly route?: Hono;
}

const NOTE_POLL_EVERY_MS = 20_000;
/** A single poll that breaks off is nothing. */
const POLLS_LOST = 3;
/** Processes without the lead tell the leader that there is something in the inbox. */
const CHANNEL = 'vakhta_inbox';

export function createIntake(options: IntakeOptions): Intake {
  const { db, api, clock, random, log, metrics, codes, webhook } = options;
  const worker = createWorker(options);

  const receive = async (updates: readonly Update[]): Promise<void> => {
    const given = updates.map((update) => toReceived(update, codes));
    const rows = await receiveRows(db, given, clock.now());
    for (const update of updates) metrics.update(kindOf(update));
    worker.take(rows);
  };
  /** Noted now and then, for whoever wonders whether Telegram still answers (tasks/watcher/heartbeat.ts). */
  let notedAt = -Infinity;
  const polled = (): void => {
    metrics.telegram('in', true);
    const now = clock.now();
    if (now.getTime() - notedAt < NOTE_POLL_EVERY_MS) return;
    notedAt = now.getTime();
    observe(db, POLL, true, {}, now).catch((error: unknown) => log.warn(loggable(error), 'a poll was not noted'));
  };

  const failed = (times: number): void => {
    if (times >= POLLS_LOST) metrics.telegram('in', false);
  };

  /** In webhook mode any process receives, and the leader handles. */
  const receiveAndTell = async (updates: readonly Update[]): Promise<void> => {
    await receive(updates);
    await db.query('select pg_notify($1, $2)', [CHANNEL, '']);
  };

  const setWebhook = async ({ url, secret }: { url: string; secret: Secret }, signal: AbortSignal): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await api.setWebhook(url, {
          secret_token: secret.reveal(),
          allowed_updates: ALLOWED_UPDATES,
          max_connections: 40,
        });
        return;
      } catch (error) {
        log.warn(loggable(error), 'setWebhook failed, trying again');
        await clock.sleep(jitter(random, Math.min(30_000, 1000 * 2 ** failures)), signal).catch(() => {});
      }
    }
  };

  return {
    // One leader polls and handles: order within a key holds over all processes.
    run: (signal) =>
      db.leader('intake', signal, async (leading) => {
        const unlisten = await db.listen(CHANNEL, () => worker.kick());
        try {
          const incoming = webhook
            ? setWebhook(webhook, leading)
            : poll({ api, clock, random, log, receive, polled, failed }, leading);
          await Promise.all([incoming, worker.run(leading)]);
        } finally {
          metrics.telegram('in', undefined);
          await unlisten();
        }
      }),
    ...(webhook ? { route: webhookRoute({ secret: webhook.secret, log, receive: receiveAndTell }) } : {}),
  };
}
