import nodeVault from 'node-vault';
import type { z } from 'zod';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { Secret } from '../../core/secret.ts';
import type { Edges, Probe, SecretSource } from '../define.ts';
import { nodeTransport, type Transport } from '../proxmox/transport.ts';
import { answerOf, type Asked, errorOf, loginError } from './errors.ts';
import type { Vault, VaultHealth } from './port.ts';
import { type Call, requestFor } from './request.ts';
import { secretPath } from './reference.ts';
import { createSession } from './session.ts';
import * as wire from './wire.ts';

export interface VaultSettings {
  /** `https://vault.lan:8200`. */
  readonly url: string;
  readonly roleId: string;
  readonly secretId: SecretSource;
  /** Vault Enterprise and OpenBao only. */
  readonly namespace?: string | undefined;
  /** The KV v2 mount, where it has more than one segment; else the first segment of each path is taken. */
  readonly mount?: string | undefined;
  /** Where the AppRole method is mounted; default `approle`. */
  readonly authMount?: string | undefined;
  /** PEM of the authority that signed Vault's certificate. */
  readonly ca?: string | undefined;
  /** For one request; default 10000. */
  readonly timeoutMs?: number | undefined;
}

export type VaultEdges = Edges & { readonly transport?: Transport };

/** The port to one Vault or OpenBao, over `node-vault`. Logs in at the first need. Throws `usage` for unusable settings. */
export function createVault(settings: VaultSettings, edges: VaultEdges): Vault {
  checkSettings(settings);
  const timeoutMs = settings.timeoutMs ?? 10_000;
  const client = nodeVault({
    endpoint: settings.url,
    // Its debug output holds request bodies: the secret id, and written secrets.
    debug: () => undefined,
    noCustomHTTPVerbs: true,
    // Its own axios would take proxies and VAULT_SKIP_VERIFY from the environment, carry tokens across redirects, know no
    // AbortSignal, and reject with errors that hold token and secret id.
    'request-promise': { defaults: () => requestFor(edges.transport ?? nodeTransport({ ca: settings.ca })) },
  });
  // The library falls back to VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX: only the configuration counts.
  Object.assign(client, { token: '', namespace: settings.namespace ?? '', pathPrefix: '' });

  /** One request with its time-out; rejects with whatever the library does. */
  const call: Call = async (method, path, { token, body, signal } = {}) => {
    const timeout = new AbortController();
    const stop = edges.clock.after(timeoutMs, () =>
      timeout.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError')),
    );
    const options = {
      signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
      headers: { 'X-Vault-Request': 'true', ...(token === undefined ? {} : { 'X-Vault-Token': token.reveal() }) },
    };
    try {
      const answer: unknown =
        method === 'GET' ? await client.read(path, options) : await client.write(path, body ?? {}, options);
      return answer;
    } catch (error) {
      if (signal?.aborted === true) throw toVakhtaError(signal.reason);
      throw error;
    } finally {
      stop();
    }
  };

  const session = createSession({
    clock: edges.clock,
    log: edges.log,
    login: async () => {
      const body = { role_id: settings.roleId, secret_id: (await settings.secretId()).reveal().trim() };
      const answer = await call('POST', `auth/${settings.authMount ?? 'approle'}/login`, { body }).catch(
        (error: unknown) => {
          throw loginError(error);
        },
      );
      return read(wire.login, answer, 'AppRole login').auth;
    },
    renew: async (token) => {
      const asked: Asked = { call: 'auth/token/renew-self' };
      const answer = await call('POST', asked.call, { token }).catch((error: unknown) => {
        throw errorOf(error, asked);
      });
      return read(wire.login, answer, asked.call).auth;
    },
  });

  /** Whether Vault still knows the token: before 1.14 a lost one and a missing right have the same text. */
  const isAlive = async (token: Secret, signal?: AbortSignal): Promise<boolean> => {
    try {
      await call('GET', 'auth/token/lookup-self', { token, signal });
      return true;
    } catch (error) {
      if (answerOf(error)?.status === 403) return false;
      throw errorOf(error, { call: 'auth/token/lookup-self' });
    }
  };

  /** With the session's token; when that one is gone (restart, revocation), once more with a new one. */
  const asked = async (what: Asked, signal?: AbortSignal): Promise<unknown> => {
    const token = await session.token();
    try {
      return await call('GET', what.call, { token, signal });
    } catch (error) {
      const answer = answerOf(error);
      const lost =
        answer?.status === 403 && (/invalid token|bad token/.test(answer.problem) || !(await isAlive(token, signal)));
      if (!lost) throw errorOf(error, what);
      session.drop(token);
    }
    const fresh = await session.token();
    return call('GET', what.call, { token: fresh, signal }).catch((error: unknown) => {
      throw errorOf(error, what);
    });
  };

  const vault: Vault = {
    readSecret: async (path, key, signal) => {
      const { mount, path: below } = secretPath(path, settings.mount);
      const encoded = below.split('/').map(encodeURIComponent).join('/');
      const answer = await asked({ call: `${mount}/data/${encoded}`, path }, signal);
      const { data } = read(wire.kv, answer, `${mount}/data/${below}`).data;
      const value = data !== null && Object.hasOwn(data, key) ? data[key] : undefined;
      if (value === undefined || value === null) {
        const keys =
          Object.keys(data ?? {})
            .toSorted()
            .join(', ') || '—';
        throw new VakhtaError('permanent', 'vault-no-key', `${path} has no key ${key}`, { args: { path, key, keys } });
      }
      if (typeof value === 'string') return new Secret(value);
      if (typeof value === 'number' || typeof value === 'boolean') return new Secret(String(value));
      throw new VakhtaError('permanent', 'vault-not-text', `${path}#${key} is no text`, { args: { path, key } });
    },

    health: async (signal) => {
      const asked: Asked = { call: 'sys/health' };
      const answer = await call('GET', asked.call, { signal }).catch((error: unknown) => {
        throw errorOf(error, asked);
      });
      const body = read(wire.health, answer, asked.call);
      return { state: stateOf(body), version: body.version };
    },

    probe: async (signal): Promise<Probe> => {
      try {
        const { state, version = '?' } = await vault.health(signal);
        if (state === 'sealed' || state === 'uninitialised') return { state: 'down', text: `err-vault-${state}` };
        await session.token();
        return state === 'active'
          ? { state: 'ok', text: 'vault-probe-ok', args: { version } }
          : { state: 'warn', text: 'vault-probe-standby', args: { version } };
      } catch (error) {
        const { text, args } = toVakhtaError(error);
        return { state: 'down', text, args };
      }
    },

    close: async () => {
      const token = session.close();
      if (token === undefined) return;
      await call('POST', 'auth/token/revoke-self', { token }).catch((error: unknown) => {
        // It ends by itself before long; leaving must not fail for it.
        const { message } = errorOf(error, { call: 'auth/token/revoke-self' });
        edges.log.debug({ message }, 'the Vault token could not be given back');
      });
    },
  };
  return vault;
}

function stateOf(body: z.infer<typeof wire.health>): VaultHealth['state'] {
  if (!body.initialized) return 'uninitialised';
  if (body.sealed) return 'sealed';
  const secondary = body.performance_standby === true || body.replication_dr_mode === 'secondary';
  return body.standby || secondary ? 'standby' : 'active';
}

/** Parses an answer. The error names places only: zod's texts could repeat what they found there. */
function read<T>(schema: z.ZodType<T>, answer: unknown, call: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues.map(({ path, code }) => `${path.join('.') || 'body'}: ${code}`)[0] ?? '';
  throw new VakhtaError('permanent', 'vault-answer', `${call}: ${problem}`, { args: { problem } });
}

function checkSettings({ url, roleId, authMount = 'approle' }: VaultSettings): void {
  const refuse = (problem: string) => new VakhtaError('usage', 'vault-settings', problem, { args: { problem } });
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw refuse(`url: ${url}`);
  if (roleId.trim() === '') throw refuse('roleId');
  if (!/^\w[\w.-]*(?:\/\w[\w.-]*)*$/.test(authMount)) throw refuse(`authMount: ${authMount}`);
}
