import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { cleanText } from '../../core/json.ts';
import type { Log } from '../../core/log.ts';
import type { SecretSource } from '../../integrations/define.ts';
import type { Database } from '../../store/db.ts';
import { addDeployment, type NewDeployment } from '../../store/deployments.ts';
import { tokenCheck } from '../http.ts';

export const messages = defineMessages({
  en: `
    err-deployment-malformed = This is no report of a deployment: { $problem }
  `,
  ru: `
    err-deployment-malformed = Это не сообщение о выкладке: { $problem }
  `,
});

const PATH = '/webhooks/deployments';
const MAX_BODY = 256 * 1024;
const TEXT_MAX = 200;

const text = z.union([z.string(), z.number()]).transform((value) =>
  Array.from(cleanText(String(value)).trim())
    .slice(0, TEXT_MAX)
    .join(''),
);
const some = text.pipe(z.string().min(1));
const maybe = text.nullish().transform((value) => value || undefined);

/** Ours: `{ service, version, environment?, by?, url?, status?, at? }`. */
const own = z.object({
  service: some,
  version: some,
  environment: maybe,
  by: maybe,
  url: maybe,
  status: maybe,
  at: maybe,
});

/** GitLab's deployment event (docs.gitlab.com/user/project/integrations/webhook_events, "Deployment events"). */
const gitlab = z.object({
  object_kind: z.literal('deployment'),
  status: maybe,
  status_changed_at: maybe,
  deployment_id: maybe,
  deployable_url: maybe,
  environment: maybe,
  short_sha: maybe,
  ref: maybe,
  project: z.object({ name: some, path_with_namespace: maybe, web_url: maybe }),
  user: z.object({ name: maybe, username: maybe }).nullish(),
});

const WORDS: Readonly<Record<string, NewDeployment['status']>> = {
  started: 'started',
  running: 'started',
  created: 'started',
  pending: 'started',
  success: 'succeeded',
  succeeded: 'succeeded',
  ok: 'succeeded',
  deployed: 'succeeded',
  finished: 'succeeded',
  failed: 'failed',
  failure: 'failed',
  error: 'failed',
  canceled: 'cancelled',
  cancelled: 'cancelled',
};

/** The report of a pipeline. A status that is not known is refused: it would be shown as something that it is not. */
export function parseDeployment(body: string, now: Date): NewDeployment {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw malformed('not JSON');
  }
  const event = gitlab.safeParse(json);
  if (event.success) {
    const { project, user, ref, short_sha: sha } = event.data;
    return finished(
      {
        service: project.path_with_namespace?.split('/').at(-1) ?? project.name,
        version: ref === undefined || sha === undefined ? (ref ?? sha ?? '?') : ref === sha ? ref : `${ref} ${sha}`,
        environment: event.data.environment,
        by: user?.name ?? user?.username,
        url: event.data.deployable_url ?? project.web_url,
        status: event.data.status,
        at: event.data.status_changed_at,
      },
      now,
      event.data.deployment_id,
    );
  }
  const parsed = own.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'wrong'}`);
  }
  return finished(parsed.data, now);
}

function finished(given: z.output<typeof own>, now: Date, id?: string): NewDeployment {
  const status = WORDS[(given.status ?? 'succeeded').toLowerCase()];
  if (status === undefined) throw malformed(`status: unknown word ${given.status ?? ''}`);
  const at = given.at === undefined ? now : instant(given.at);
  const { service, version, environment, by } = given;
  const url =
    given.url !== undefined && /^https?:\/\//u.test(given.url) && URL.canParse(given.url) ? given.url : undefined;
  // Without a time or a number of its own, the same report within a minute is a repetition.
  const when = id ?? (given.at === undefined ? String(Math.floor(now.getTime() / 60_000)) : at.toISOString());
  const key = createHash('sha256')
    .update(JSON.stringify([service, version, environment, status, when]))
    .digest('base64url');
  return { key, service, version, environment, by, url, status, at: at > now ? now : at };
}

/** ISO 8601, GitLab's `2021-04-28 21:50:00 +0200`, or seconds since 1970. */
function instant(given: string): Date {
  if (/^\d{9,10}$/u.test(given)) return new Date(Number(given) * 1000);
  const iso = given.replace(
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ?(UTC|[+-]\d\d:?\d\d)$/u,
    (_, day: string, clock: string, zone: string) => `${day}T${clock}${zone === 'UTC' ? 'Z' : zone}`,
  );
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) throw malformed(`at: no time: ${given.slice(0, 40)}`);
  return at;
}

const malformed = (problem: string): VakhtaError =>
  new VakhtaError('usage', 'deployment-malformed', `not a deployment: ${problem}`, { args: { problem } });

export interface DeploymentsOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly token: SecretSource;
}

/** `POST /webhooks/deployments`: bearer token, or GitLab's own header `X-Gitlab-Token` with the same value. */
export function deploymentsRoute({ db, clock, log, token }: DeploymentsOptions): Hono {
  const matches = tokenCheck(token, clock);
  const app = new Hono();
  app.post(
    PATH,
    async (c, next) => {
      const bearer = /^Bearer +(\S+)$/iu.exec(c.req.header('authorization') ?? '')?.[1];
      if (await matches(bearer ?? c.req.header('x-gitlab-token') ?? '')) return next();
      log.warn({ from: c.req.header('user-agent') }, 'report of a deployment with a missing or wrong token');
      return c.text('missing or wrong bearer token\n', 401, { 'www-authenticate': 'Bearer' });
    },
    bodyLimit({ maxSize: MAX_BODY, onError: (c) => c.text(`body is larger than ${MAX_BODY} bytes\n`, 413) }),
    async (c) => {
      try {
        const added = await addDeployment(db, parseDeployment(await c.req.text(), clock.now()), clock.now());
        return c.text(added ? 'kept\n' : 'known\n');
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        if (error.kind === 'usage') return c.text(`${error.message.slice(0, 300)}\n`, 400);
        log.error({ err: thrown }, 'the report of a deployment could not be stored');
        return c.text('not stored, send it again\n', 503);
      }
    },
  );
  return app;
}
