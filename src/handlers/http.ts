import { hash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clock } from '../core/clock.ts';
import { toVakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import type { SecretSource } from '../integrations/define.ts';
import type { AlertIntake } from './webhooks/alertmanager.ts';

/** Larger than any group that Alertmanager sends by default; a body beyond it is refused unread. */
const MAX_BODY = 5 * 1024 * 1024;
const MAX_MESSAGE = 500;
const ALERTS_PATH = '/webhooks/alertmanager';
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
  /** Lines that follow the answer to `/readyz`. */
  readonly notes?: () => Promise<readonly string[]>;
  /** Prometheus text format. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly onWebhook?: (result: WebhookResult, durationMs: number) => void;
}

interface WebhookEnv {
  Variables: { startedAt: number };
}

/** The HTTP side: webhooks, health, metrics. Answers 200 to an alert only after it is committed. */
export function createHttp(options: HttpOptions): Hono {
  const { log } = options;
  const app = new Hono();

  app.get('/healthz', (c) => (options.live() ? c.text('ok\n') : c.text('stopping\n', 503)));
  app.get('/readyz', async (c) => {
    const missing = await options.ready();
    const notes = (await options.notes?.().catch(() => [])) ?? [];
    const text = [missing.length === 0 ? 'ready' : `not ready: ${missing.join(', ')}`, ...notes, ''].join('\n');
    return c.text(text, missing.length === 0 ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { type, text } = await options.metrics();
    return c.body(text, 200, { 'content-type': type });
  });

  if (options.alerts) app.route('/', alertRoute(options, options.alerts));

  app.notFound((c) => c.text('not found\n', 404));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, 'request failed');
    return c.text('internal error\n', 500);
  });
  return app;
}

/** `POST /webhooks/alertmanager`: each request is counted once and logged at most once. */
function alertRoute(
  { clock, log, onWebhook }: HttpOptions,
  { intake, token }: NonNullable<HttpOptions['alerts']>,
): Hono<WebhookEnv> {
  const matches = tokenCheck(token, clock);
  const app = new Hono<WebhookEnv>();
  const done = (c: Context<WebhookEnv>, result: WebhookResult): void =>
    onWebhook?.(result, clock.now().getTime() - c.get('startedAt'));

  app.use(ALERTS_PATH, async (c, next) => {
    c.set('startedAt', clock.now().getTime());
    const bearer = /^Bearer +(\S+)$/iu.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    let allowed: boolean;
    try {
      allowed = await matches(bearer);
    } catch (error) {
      done(c, 'unavailable');
      log.error({ err: error }, 'the webhook token cannot be read; no alert gets in');
      return c.text('the webhook token cannot be read\n', 503);
    }
    if (allowed) return next();
    done(c, 'unauthorized');
    log.warn({ from: c.req.header('user-agent') }, 'webhook with a missing or wrong bearer token');
    return c.text('missing or wrong bearer token\n', 401, { 'www-authenticate': 'Bearer' });
  });
  const limit = bodyLimit({
    maxSize: MAX_BODY,
    onError: (c: Context<WebhookEnv>) => {
      done(c, 'too-large');
      log.warn({ length: c.req.header('content-length'), limit: MAX_BODY }, 'webhook body is too large, refused');
      return c.text(`body is larger than ${MAX_BODY} bytes; limit the group with max_alerts\n`, 413);
    },
  });
  app.post(
    ALERTS_PATH,
    async (c, next) => {
      try {
        // What is declared small needs no counting: HTTP itself ends the body there.
        return isDeclaredSmall(c) ? await next() : await limit(c, next);
      } catch (error) {
        return interrupted(c, error);
      }
    },
    async (c) => {
      let body: string;
      try {
        body = await c.req.text();
      } catch (error) {
        return interrupted(c, error);
      }
      try {
        await intake.accept(body);
      } catch (thrown) {
        return refused(c, thrown);
      }
      done(c, 'accepted');
      return c.text('kept\n');
    },
  );

  /** The sender went away in the middle of the body; nobody reads the answer. */
  const interrupted = (c: Context<WebhookEnv>, error: unknown): Response => {
    done(c, 'malformed');
    log.warn({ err: error }, 'webhook body broke off');
    return c.text('the body broke off\n', 400);
  };
  const refused = (c: Context<WebhookEnv>, thrown: unknown): Response => {
    const error = toVakhtaError(thrown);
    if (error.kind === 'usage') {
      done(c, 'malformed');
      log.warn({ code: error.code }, `webhook refused: ${error.message.slice(0, MAX_MESSAGE)}`);
      return c.text(`${error.message.slice(0, MAX_MESSAGE)}\n`, 400);
    }
    // 5xx, so that Alertmanager sends it again: nothing was kept.
    done(c, 'unavailable');
    log.error({ err: thrown }, 'an alert could not be stored; Alertmanager will send it again');
    return c.text('not stored, send it again\n', 503);
  };
  return app;
}

function isDeclaredSmall(c: Context<WebhookEnv>): boolean {
  const declared = c.req.header('content-length') ?? '';
  const isChunked = c.req.header('transfer-encoding') !== undefined;
  return !isChunked && /^\d{1,9}$/u.test(declared) && Number(declared) <= MAX_BODY;
}

/** Compares by digest in constant time; the length of the token does not show either. */
export function tokenCheck(source: SecretSource, clock: Clock): (given: string) => Promise<boolean> {
  let cached: { readonly digest: Buffer; readonly until: number } | undefined;
  const digest = (value: string) => hash('sha256', value, 'buffer');
  return async (given) => {
    const now = clock.now().getTime();
    if (!cached || cached.until <= now)
      cached = { digest: digest((await source()).reveal()), until: now + TOKEN_TTL_MS };
    return given !== '' && timingSafeEqual(digest(given), cached.digest);
  };
}
