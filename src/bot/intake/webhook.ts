import { createHash, timingSafeEqual } from 'node:crypto';
import type { Update } from '@grammyjs/types';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Secret } from '../../core/secret.ts';
import type { Log } from '../../core/log.ts';
import { parseUpdate } from './updates.ts';

export const WEBHOOK_PATH = '/telegram/webhook';
const MAX_BYTES = 1_000_000;

/** `POST /telegram/webhook`: 200 once the update is stored, 401 without the secret, 503 while the store is down. */
export function webhookRoute(options: {
  readonly secret: Secret;
  readonly log: Log;
  readonly receive: (updates: readonly Update[]) => Promise<void>;
}): Hono {
  const { secret, log, receive } = options;
  const app = new Hono();
  app.post(WEBHOOK_PATH, bodyLimit({ maxSize: MAX_BYTES }), async (c) => {
    if (!equal(c.req.header('x-telegram-bot-api-secret-token') ?? '', secret.reveal())) {
      log.warn({}, 'a webhook call without the right secret');
      return c.text('Unauthorized', 401);
    }
    let update: Update;
    try {
      update = parseUpdate(await c.req.json());
    } catch {
      return c.text('Bad Request', 400);
    }
    try {
      await receive([update]);
      return c.text('', 200);
    } catch (error) {
      log.warn({ err: error }, 'an update was not stored; Telegram sends it again');
      return c.text('Service Unavailable', 503);
    }
  });
  return app;
}

/** In constant time, whatever the lengths. */
function equal(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
