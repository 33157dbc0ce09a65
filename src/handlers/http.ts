import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clock } from '../core/clock.ts';
import { toVakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import type { SecretSource } from '../integrations/define.ts';
import type { AlertIntake } from './webhooks/alertmanager.ts';

/** Larger than any group that Alertmanager sends by default; a body beyond it is refused unread. */
const MAX_BODY = 5 * 1024 * 1024;
/** A secret is read again after this time, so that a rotated one counts without a restart. */
const TOKEN_TTL_MS = 10_000;

export type WebhookResult = 'accepted' | 'unauthorized' | 'malformed' | 'too-large' | 'unavailable';

export interface HttpOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Absent in a process that takes no alerts. */
  readonly alerts?: { readonly intake: AlertIntake; readonly token: SecretSource };
  /** Alive: the process answers. */
  readonly live: () => boolean;
  /** Ready: what it needs is there; the answer names what is not. */
  readonly ready: () => Promise<readonly string[]>;
  /** Prometheus text format. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly onWebhook?: (result: WebhookResult, durationMs: number) => void;
}

/** The HTTP side: webhooks, health, metrics. Answers 200 to an alert only after it is committed. */
export function createHttp(options: HttpOptions): Hono {
  const { clock, log } = options;
  const app = new Hono();

  app.get('/healthz', (c) => (options.live() ? c.text('ok\n') : c.text('stopping\n', 503)));
  app.get('/readyz', async (c) => {
    const missing = await options.ready();
    return missing.length === 0 ? c.text('ready\n') : c.text(`not ready: ${missing.join(', ')}\n`, 503);
  });
  app.get('/metrics', async (c) => {
    const { type, text } = await options.metrics();
    return c.body(text, 200, { 'content-type': type });
  });

  const { alerts } = options;
  if (alerts) {
    const matches = tokenCheck(alerts.token, clock);
    const started = new WeakMap<Request, number>();
    const done = (request: Request, result: WebhookResult): void =>
      options.onWebhook?.(result, clock.now().getTime() - (started.get(request) ?? clock.now().getTime()));

    app.use('/webhooks/alertmanager', async (c, next) => {
      started.set(c.req.raw, clock.now().getTime());
      const bearer = /^Bearer (.+)$/u.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
      let allowed: boolean;
      try {
        allowed = await matches(bearer);
      } catch (error) {
        log.error({ err: error }, 'the webhook token cannot be read; no alert gets in');
        done(c.req.raw, 'unavailable');
        return c.text('the webhook token cannot be read\n', 503);
      }
      if (!allowed) {
        done(c.req.raw, 'unauthorized');
        log.warn({ from: c.req.header('user-agent') }, 'webhook with a missing or wrong bearer token');
        return c.text('missing or wrong bearer token\n', 401, { 'www-authenticate': 'Bearer' });
      }
      return next();
    });
    app.post(
      '/webhooks/alertmanager',
      bodyLimit({
        maxSize: MAX_BODY,
        onError: (c) => {
          done(c.req.raw, 'too-large');
          log.warn({ length: c.req.header('content-length'), limit: MAX_BODY }, 'webhook body is too large, refused');
          return c.text(`body is larger than ${MAX_BODY} bytes; limit the group with max_alerts\n`, 413);
        },
      }),
      async (c) => {
        try {
          await alerts.intake.accept(await c.req.text());
          done(c.req.raw, 'accepted');
          return c.text('kept\n');
        } catch (thrown) {
          const error = toVakhtaError(thrown);
          if (error.kind === 'usage') {
            done(c.req.raw, 'malformed');
            log.warn({ code: error.code }, `webhook refused: ${error.message.slice(0, 500)}`);
            return c.text(`${error.message}\n`, 400);
          }
          // 5xx, so that Alertmanager sends it again: nothing was kept.
          done(c.req.raw, 'unavailable');
          log.error({ err: thrown }, 'an alert could not be stored; Alertmanager will send it again');
          return c.text('not stored, send it again\n', 503);
        }
      },
    );
  }

  app.notFound((c) => c.text('not found\n', 404));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, 'request failed');
    return c.text('internal error\n', 500);
  });
  return app;
}

/** Compares by digest in constant time; the length of the token does not show either. */
export function tokenCheck(source: SecretSource, clock: Clock): (given: string) => Promise<boolean> {
  let cached: { readonly digest: Buffer; readonly until: number } | undefined;
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return async (given) => {
    const now = clock.now().getTime();
    if (!cached || cached.until <= now)
      cached = { digest: digest((await source()).reveal()), until: now + TOKEN_TTL_MS };
    return given !== '' && timingSafeEqual(digest(given), cached.digest);
  };
}
