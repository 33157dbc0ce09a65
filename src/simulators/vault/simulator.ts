import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { newId, type Random } from '../../core/random.ts';
import { type Capability, createAccess, type SimPolicy, type SimRole, type SimVaultToken } from './access.ts';
import { createKv, failure, type Kv, type Reply } from './kv.ts';

export interface VaultSimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly roles: readonly SimRole[];
  readonly policies: Readonly<Record<string, SimPolicy>>;
  /** KV v2 mounts; default `secret`. */
  readonly mounts?: readonly string[];
  readonly version?: string;
  /** Before 1.14 a lost token and a missing right had the same text. */
  readonly sameTextForLostToken?: boolean;
  /** Told of each request. */
  readonly onRequest?: (request: VaultRequest) => void;
}

export interface VaultRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly token: string | undefined;
  readonly body: string;
}

export interface VaultState {
  initialized: boolean;
  sealed: boolean;
  standby: boolean;
  /** Connections are closed at once. */
  refuse: boolean;
  /** Requests are taken and never answered, as with a blocked audit device. */
  hang: boolean;
  /** Answered instead of the next calls that need a token. */
  failure: Reply | undefined;
}

const DENIED = '1 error occurred:\n\t* permission denied\n\n';
const INVALID = '2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n';

/**
 * Stands in for a Vault or OpenBao server: seal states, AppRole, tokens that live and die by the clock, policies, KV v2.
 * Error bodies and envelopes follow OpenBao 2.6 and what others measured on Vault.
 */
export function createVaultSimulator(options: VaultSimulatorOptions) {
  const { clock, random, mounts = ['secret'], version = '1.18.3' } = options;
  const state: VaultState = {
    initialized: true,
    sealed: false,
    standby: false,
    refuse: false,
    hang: false,
    failure: undefined,
  };
  const access = createAccess(clock, random, options.roles, options.policies);
  const kv = new Map<string, Kv>(mounts.map((mount) => [mount, createKv(clock)]));

  const envelope = (data: unknown, auth: object | null = null) => ({
    request_id: newId(random, clock.now()),
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: null as string[] | null,
    auth,
    mount_type: 'kv',
  });

  const authOf = ({ id, accessor, role }: SimVaultToken, ttl: number) => ({
    client_token: id,
    accessor,
    policies: ['default', ...role.policies].toSorted(),
    token_policies: ['default', ...role.policies].toSorted(),
    metadata: { role_name: role.name },
    lease_duration: ttl,
    renewable: role.tokenType !== 'batch',
    entity_id: 'fa3741ea-ad23-6557-9bc7-18a86dcaf3eb',
    token_type: role.tokenType ?? 'service',
    orphan: true,
    mfa_requirement: null,
    num_uses: 0,
  });
  const left = (token: SimVaultToken) => Math.floor((token.expires - clock.now().getTime()) / 1000);

  const health = (query: URLSearchParams): Reply => {
    const { initialized, sealed, standby } = state;
    const body = {
      initialized,
      sealed,
      standby: standby || sealed,
      performance_standby: false,
      replication_performance_mode: sealed ? 'unknown' : 'disabled',
      replication_dr_mode: sealed ? 'unknown' : 'disabled',
      server_time_utc: Math.floor(clock.now().getTime() / 1000),
      version,
      enterprise: false,
      ...(sealed || !initialized
        ? {}
        : { cluster_name: 'vault-cluster-1a2b3c4d', cluster_id: newId(random, clock.now()) }),
    };
    const code = (name: string, usual: number) => Number(query.get(name) ?? usual);
    if (!initialized) return { status: code('uninitcode', 501), body };
    if (sealed) return { status: code('sealedcode', 503), body };
    const standbyOk = query.get('standbyok') === 'true' || query.get('standbyok') === '';
    if (standby && !standbyOk) return { status: code('standbycode', 429), body };
    return { status: code('activecode', 200), body };
  };

  const login = (body: Readonly<Record<string, unknown>>): Reply => {
    const token = access.login(text(body['role_id']), text(body['secret_id']));
    return token === undefined
      ? failure(400, 'invalid role or secret ID')
      : { status: 200, body: envelope(null, authOf(token, left(token))) };
  };

  /** What every token may do with itself. */
  const self = (path: string, token: SimVaultToken, body: Readonly<Record<string, unknown>>): Reply | undefined => {
    const { role } = token;
    if (path === 'auth/token/renew-self') {
      if (role.tokenType === 'batch') return failure(400, '1 error occurred:\n\t* lease is not renewable\n\n');
      const increment = body['increment'] === undefined ? undefined : Number.parseInt(text(body['increment']), 10);
      const ttl = access.renew(token, increment);
      const asked = increment ?? role.tokenTtl;
      const answer = envelope(null, authOf(token, ttl));
      if (ttl < asked) {
        answer.warnings = [
          `TTL of "${asked}s" exceeded the effective max_ttl of "${ttl}s"; TTL value is capped accordingly`,
        ];
      }
      return { status: 200, body: answer };
    }
    if (path === 'auth/token/revoke-self') {
      access.revoke(token);
      return { status: 204 };
    }
    if (path !== 'auth/token/lookup-self') return undefined;
    const issued = new Date(token.issued).toISOString();
    const data = {
      accessor: token.accessor,
      creation_time: Math.floor(token.issued / 1000),
      creation_ttl: role.tokenTtl,
      display_name: 'approle',
      entity_id: 'fa3741ea-ad23-6557-9bc7-18a86dcaf3eb',
      expire_time: new Date(token.expires).toISOString(),
      explicit_max_ttl: 0,
      id: token.id,
      issue_time: issued,
      meta: { role_name: role.name },
      num_uses: 0,
      orphan: true,
      path: 'auth/approle/login',
      policies: ['default', ...role.policies].toSorted(),
      renewable: role.tokenType !== 'batch',
      ttl: left(token),
      type: role.tokenType ?? 'service',
    };
    return { status: 200, body: envelope(data) };
  };

  const handle = async (request: VaultRequest): Promise<Reply> => {
    options.onRequest?.(request);
    const url = new URL(request.path, 'http://vault');
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, '');
    const list = request.method === 'LIST' || url.searchParams.get('list') !== null;
    if (path === 'sys/health') return health(url.searchParams);
    if (path === 'sys/seal-status') {
      const { initialized, sealed } = state;
      return {
        status: 200,
        body: { type: 'shamir', initialized, sealed, t: 3, n: 5, progress: 0, nonce: '', version },
      };
    }
    if (!state.initialized || state.sealed) return failure(503, 'Vault is sealed');
    // A standby without request forwarding sends the client to the active node.
    if (state.standby) return { status: 307 };
    const body = parse(request.body);
    if (path === 'auth/approle/login') return request.method === 'GET' ? unsupported : login(body);
    if (request.token === undefined || request.token === '') return failure(403, 'permission denied');
    const token = access.find(request.token);
    if (token === undefined) return failure(403, options.sameTextForLostToken === true ? DENIED : INVALID);
    if (state.failure !== undefined) return state.failure;
    const own = self(path, token, body);
    if (own !== undefined) return own;
    const capability = capabilityOf(request.method, list, path);
    if (!access.allows(token, path, capability)) return failure(403, DENIED);
    const mount = mounts.find((candidate) => path.startsWith(`${candidate}/`));
    const store = kv.get(mount ?? '');
    if (mount === undefined || store === undefined) {
      return failure(404, `no handler for route "${path}". route entry not found.`);
    }
    const rest = path.slice(mount.length + 1);
    const at = rest.indexOf('/');
    const reply = route(store, request.method, list, rest.slice(0, at), rest.slice(at + 1), body, url.searchParams);
    const bare = reply.body === undefined || 'errors' in reply.body;
    return bare ? reply : { status: reply.status, body: envelope(reply.body) };
  };

  let server: Server | undefined;
  return {
    state,
    access,
    /** The KV v2 engine at a mount; throws when there is none. */
    kv: (mount = 'secret'): Kv => {
      const store = kv.get(mount);
      if (store === undefined) throw new Error(`nothing is mounted at ${mount}`);
      return store;
    },
    handle,
    /** Listens, and gives the address. */
    start: async (port = 0, address = '127.0.0.1'): Promise<string> => {
      const listening = createServer((request, response) => {
        serve(state, handle, request, response).catch((error: unknown) => {
          response.destroy(error instanceof Error ? error : new Error(String(error)));
        });
      });
      server = listening;
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject);
        listening.listen(port, address, resolve);
      });
      const { port: actual } = listening.address() as AddressInfo;
      return `http://${address}:${actual}`;
    },
    stop: async (): Promise<void> => {
      const listening = server;
      server = undefined;
      if (listening === undefined) return;
      const closed = new Promise((resolve) => listening.close(resolve));
      listening.closeAllConnections();
      await closed;
    },
  };
}

export type VaultSimulator = ReturnType<typeof createVaultSimulator>;

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

const unsupported = failure(405, '1 error occurred:\n\t* unsupported operation\n\n');

function capabilityOf(method: string, list: boolean, path: string): Capability {
  if (list) return 'list';
  if (method === 'GET') return 'read';
  if (method === 'DELETE') return 'delete';
  return /\/(?:data|metadata)\//.test(path) ? 'create' : 'update';
}

function route(
  store: Kv,
  method: string,
  list: boolean,
  area: string,
  path: string,
  body: Readonly<Record<string, unknown>>,
  query: URLSearchParams,
): Reply {
  const number = Number(query.get('version') ?? 0);
  const numbers = Array.isArray(body['versions']) ? body['versions'].map(Number) : [];
  const each = (change: (version: number) => Reply): Reply => {
    for (const one of numbers) change(one);
    return { status: 204 };
  };
  if (area === 'metadata' && list) return store.list(path === '' || path.endsWith('/') ? path : `${path}/`);
  if (method === 'GET') {
    if (area === 'data') return store.read(path, number);
    if (area === 'subkeys') return store.subkeys(path, number);
    if (area === 'metadata') return store.metadata(path);
  }
  if (method === 'DELETE' && area === 'data') return store.remove(path);
  if (method === 'POST' || method === 'PUT') {
    if (area === 'data') {
      const { data, options } = body;
      if (typeof data !== 'object' || data === null) return failure(400, 'no data provided');
      const cas = typeof options === 'object' && options !== null && 'cas' in options ? Number(options.cas) : undefined;
      return store.write(path, { ...data }, cas);
    }
    if (area === 'delete') return each((one) => store.remove(path, one));
    if (area === 'undelete') return each((one) => store.restore(path, one));
    if (area === 'destroy') return each((one) => store.destroy(path, one));
  }
  return ['data', 'metadata', 'subkeys', 'delete', 'undelete', 'destroy'].includes(area) ? unsupported : failure(404);
}

function parse(body: string): Record<string, unknown> {
  if (body === '') return {};
  const value: unknown = JSON.parse(body);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

async function serve(
  state: VaultState,
  handle: (request: VaultRequest) => Promise<Reply>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (state.refuse) return void request.socket.destroy();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (state.hang) return;
  const { method = 'GET', url = '/', headers } = request;
  const token = headers['x-vault-token'];
  const body = Buffer.concat(chunks).toString('utf8');
  const reply = await handle({ method, path: url, token: typeof token === 'string' ? token : undefined, body });
  const text = reply.body === undefined ? '' : `${JSON.stringify(reply.body)}\n`;
  response.writeHead(reply.status, {
    'Cache-Control': 'no-store',
    ...(text === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }),
    ...(reply.status === 307 ? { Location: 'http://vault-active.invalid:8200/' } : {}),
  });
  response.end(text);
}
