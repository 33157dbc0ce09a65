import type { Update } from '@grammyjs/types';
import { type Api, GrammyError } from 'grammy';
import { days, type Clock } from '../../core/clock.ts';
import { jitter } from '../../core/jitter.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import { classify, loggable } from '../outbox/classify.ts';
import { ALLOWED_UPDATES } from './updates.ts';

/** Telegram answers an empty poll after this long; it allows 50 at most. */
const POLL_SECONDS = 50;
/** The client gives up later than the server answers. */
export const POLL_CLIENT_SECONDS = 75;
const MAX_BACKOFF_MS = 30_000;

export interface PollerOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Must have stored them when it resolves: the next poll confirms them to Telegram. */
  readonly receive: (updates: readonly Update[]) => Promise<void>;
  /** Telegram has answered a poll. */
  readonly polled?: () => void;
  /** It did not, or refused, for the n-th time in a row. */
  readonly failed?: (times: number) => void;
}

/** Long polling: stores before confirming, and never gives up. Resolves when `signal` aborts. */
export async function poll(
  { api, clock, random, log, receive, polled, failed }: PollerOptions,
  signal: AbortSignal,
): Promise<void> {
  let offset: number | undefined;
  let failures = 0;
  let hasWebhook = true;
  let lastUpdateAt = clock.now().getTime();
  while (!signal.aborted) {
    try {
      if (hasWebhook) {
        await api.deleteWebhook({}, abortable(signal));
        hasWebhook = false;
      }
      // After a quiet week Telegram begins with another, perhaps smaller, update_id.
      if (clock.now().getTime() - lastUpdateAt > days(6)) offset = undefined;
      const updates = await api.getUpdates(
        {
          ...(offset === undefined ? {} : { offset }),
          timeout: POLL_SECONDS,
          limit: 100,
          allowed_updates: ALLOWED_UPDATES,
        },
        abortable(signal),
      );
      if (updates.length > 0) {
        await receive(updates);
        offset = Math.max(...updates.map((update) => update.update_id)) + 1;
        lastUpdateAt = clock.now().getTime();
      }
      failures = 0;
      polled?.();
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      hasWebhook ||= isWebhookConflict(error);
      const told = classify(error);
      const wait =
        told.kind === 'flood'
          ? told.retryAfterMs
          : jitter(random, Math.min(MAX_BACKOFF_MS, 500 * 2 ** Math.min(failures, 7)));
      report(error, failures, log);
      failed?.(failures);
      await clock.sleep(wait, signal).catch(() => {});
    }
  }
}

/** grammY types its signal after another library's; Node's is the same in use. */
export const abortable = (signal: AbortSignal): Parameters<Api['getMe']>[0] => signal as Parameters<Api['getMe']>[0];

const isConflict = (error: unknown): error is GrammyError => error instanceof GrammyError && error.error_code === 409;
const isWebhookConflict = (error: unknown): boolean => isConflict(error) && error.description.includes('webhook');

function report(error: unknown, failures: number, log: Log): void {
  const fields = loggable(error);
  if (isConflict(error) && !isWebhookConflict(error)) {
    log.error(fields, 'another program polls with the same token: stop it, or give it a bot of its own');
  } else if (classify(error).kind === 'unauthorized') {
    log.error(fields, 'Telegram does not accept the token: check telegram.token');
  } else if (failures % 10 === 5) log.error(fields, 'Telegram has not answered several times in a row');
  else log.warn(fields, 'polling failed, trying again');
}
