import { badRequest } from '../api-error.ts';
import type { Params } from '../params.ts';
import type { Methods } from './define.ts';

const LONGEST_POLL_S = 50;

export const updateMethods: Methods = {
  getUpdates: ({ updates, signal }, params) => {
    const limit = params.has('limit') ? params.integer('limit') : 100;
    return updates.poll({
      offset: params.integer('offset'),
      limit: limit < 1 || limit > 100 ? 100 : limit,
      timeoutMs: Math.min(Math.max(params.integer('timeout'), 0), LONGEST_POLL_S) * 1000,
      allowed: allowedUpdates(params),
      signal,
    });
  },

  setWebhook: ({ webhook, updates }, params) => {
    const url = params.text('url');
    if (params.bool('drop_pending_updates')) updates.dropAll();
    updates.setAllowed(allowedUpdates(params));
    const connections = params.integer('max_connections');
    webhook.set(url, {
      secret: secretToken(params),
      maxConnections: connections < 1 || connections > 100 ? 40 : connections,
    });
    return true;
  },

  deleteWebhook: ({ webhook, updates }, params) => {
    if (params.bool('drop_pending_updates')) updates.dropAll();
    webhook.clear();
    return true;
  },

  getWebhookInfo: ({ webhook }) => webhook.info(),
};

/** Undefined leaves what was set before; an empty list is the default set. */
function allowedUpdates(params: Params): readonly string[] | undefined {
  const allowed = params.json('allowed_updates', 'allowed updates');
  // As the real server does: what it cannot read as a list of names changes nothing.
  return Array.isArray(allowed) && allowed.every((name) => typeof name === 'string') ? allowed : undefined;
}

function secretToken(params: Params): string {
  const secret = params.text('secret_token');
  if (secret.length > 256) throw badRequest('secret token is too long');
  if (!/^[A-Za-z0-9_-]*$/.test(secret)) throw badRequest('secret token contains unallowed characters');
  return secret;
}
