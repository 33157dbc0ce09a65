/** States of Vault that must be told apart, tokens that die, and values that must not leak. */
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { VakhtaError } from '../../../src/core/error.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import type { Transport } from '../../../src/integrations/proxmox/transport.ts';
import { messages } from '../../../src/integrations/vault/messages.ts';
import { createVault, type VaultSettings } from '../../../src/integrations/vault/vault.ts';
import type { SimRole } from '../../../src/simulators/vault/access.ts';
import {
  createVaultSimulator,
  type VaultRequest,
  type VaultSimulator,
  type VaultSimulatorOptions,
} from '../../../src/simulators/vault/simulator.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { keeping, PASSWORD, policies, role, SECRET_ID, settingsFor } from './subject.ts';

function world(options: Partial<VaultSimulatorOptions> & { role?: SimRole; settings?: Partial<VaultSettings> } = {}) {
  const clock = createManualClock('2026-11-23T08:00:00Z');
  let serial = 0;
  const random = { bytes: (n: number) => Buffer.alloc(n, (serial += 1)) };
  const requests: VaultRequest[] = [];
  const simulator = createVaultSimulator({
    clock,
    random,
    roles: [options.role ?? role()],
    policies,
    onRequest: (request) => requests.push(request),
    ...options,
  });
  simulator.kv().write('postgres/main', { username: 'app', password: PASSWORD, port: 5432, deep: { a: 1 } });
  const { log, lines } = keeping();
  const vault = createVault(settingsFor('https://vault.lan:8200', options.settings), {
    clock,
    log,
    transport: directly(simulator),
  });
  const calls = (path: string) => requests.filter((request) => request.path.startsWith(`/v1/${path}`)).length;
  return {
    clock,
    simulator,
    vault,
    requests,
    calls,
    lines,
    password: () => vault.readSecret('secret/postgres/main', 'password'),
  };
}

function directly(simulator: VaultSimulator): Transport {
  return async ({ method, url, headers, body = '', signal }) => {
    if (simulator.state.refuse) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    if (simulator.state.hang) {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    }
    const token = headers['X-Vault-Token'];
    const reply = await simulator.handle({ method, path: url.pathname + url.search, token, body });
    return { status: reply.status, reason: '', body: reply.body === undefined ? '' : JSON.stringify(reply.body) };
  };
}

const errorFrom = async (promise: Promise<unknown>): Promise<VakhtaError> => {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome === undefined) throw new Error('no error');
  return outcome as VakhtaError;
};

describe('states', () => {
  it('sealed', async () => {
    const { simulator, vault, password } = world();
    simulator.state.sealed = true;
    expect(await vault.health()).toMatchObject({ state: 'sealed' });
    expect(await errorFrom(password())).toMatchObject({ kind: 'permanent', code: 'vault-sealed' });
    expect(await vault.probe(new AbortController().signal)).toEqual({ state: 'down', text: 'err-vault-sealed' });
  });

  it('sealed after the login', async () => {
    const { simulator, password } = world();
    await password();
    simulator.state.sealed = true;
    expect((await errorFrom(password())).code).toBe('vault-sealed');
    simulator.state.sealed = false;
    expect((await password()).reveal()).toBe(PASSWORD);
  });

  it('not initialised', async () => {
    const { simulator, vault } = world();
    simulator.state.initialized = false;
    expect(await vault.probe(new AbortController().signal)).toEqual({ state: 'down', text: 'err-vault-uninitialised' });
  });

  it('standby that forwards nothing: the token is not carried to another address', async () => {
    const { simulator, vault, password, requests } = world();
    simulator.state.standby = true;
    expect(await vault.health()).toMatchObject({ state: 'standby' });
    expect(await errorFrom(password())).toMatchObject({ kind: 'permanent', code: 'vault-standby' });
    expect(requests.every(({ path }) => path.startsWith('/v1/'))).toBe(true);
  });

  it('down, and silent', async () => {
    const { simulator, clock, password } = world({ settings: { timeoutMs: 4000 } });
    simulator.state.refuse = true;
    expect(await errorFrom(password())).toMatchObject({
      kind: 'transient',
      code: 'vault-unreachable',
      args: { problem: 'ECONNREFUSED' },
    });
    simulator.state.refuse = false;
    simulator.state.hang = true;
    const waiting = errorFrom(password());
    await clock.advance(4000);
    expect(await waiting).toMatchObject({
      kind: 'transient',
      code: 'vault-unreachable',
      args: { problem: 'TimeoutError' },
    });
  });

  it.each([
    [429, 'request path "secret/data/postgres/main": rate limit quota exceeded', 'transient', 'vault-busy'],
    [500, '1 error occurred:\n\t* context deadline exceeded\n\n', 'transient', 'vault-busy'],
    [400, 'something odd', 'permanent', 'vault-failed'],
  ])('%i %j is %s %s', async (status, text, kind, code) => {
    const { simulator, password } = world();
    simulator.state.failure = { status, body: { errors: [text] } };
    expect(await errorFrom(password())).toMatchObject({ kind, code });
  });
});

describe('secrets', () => {
  it('that are deleted, destroyed, restored', async () => {
    const { simulator, password } = world();
    simulator.kv().write('postgres/main', { password: 'second' });
    simulator.kv().remove('postgres/main');
    expect(await errorFrom(password())).toMatchObject({
      code: 'vault-secret-deleted',
      args: { path: 'secret/postgres/main', version: 2 },
    });
    simulator.kv().restore('postgres/main', 2);
    expect((await password()).reveal()).toBe('second');
    simulator.kv().destroy('postgres/main');
    expect((await errorFrom(password())).code).toBe('vault-secret-deleted');
  });

  it('of a mount that is not there', async () => {
    const { vault } = world();
    expect(await errorFrom(vault.readSecret('nothing/x', 'k'))).toMatchObject({
      kind: 'permanent',
      code: 'vault-no-mount',
    });
  });

  it('in a mount of several segments', async () => {
    const { vault, simulator } = world({
      mounts: ['secret', 'kv/infra'],
      policies: { vakhta: { 'kv/infra/data/*': ['read'] } },
      settings: { mount: 'kv/infra' },
    });
    simulator.kv('kv/infra').write('db', { p: 'x' });
    expect((await vault.readSecret('kv/infra/db', 'p')).reveal()).toBe('x');
  });

  it('that are numbers are given as text, structures are refused', async () => {
    const { vault } = world();
    expect((await vault.readSecret('secret/postgres/main', 'port')).reveal()).toBe('5432');
    expect((await errorFrom(vault.readSecret('secret/postgres/main', 'deep'))).code).toBe('vault-not-text');
  });

  it('are read anew each time: a rotation needs no restart', async () => {
    const { simulator, password } = world();
    expect((await password()).reveal()).toBe(PASSWORD);
    simulator.kv().write('postgres/main', { password: 'rotated' });
    expect((await password()).reveal()).toBe('rotated');
  });
});

describe('the token', () => {
  it('is got once, also for many at a time', async () => {
    const { calls, password } = world();
    await Promise.all([password(), password(), password()]);
    await password();
    expect(calls('auth/approle/login')).toBe(1);
  });

  it('is renewed at two thirds of its life, though nobody asks, until its maximum age; then comes one login', async () => {
    const { clock, calls, password } = world();
    await password();
    await clock.advance(3600_000 * 3);
    expect(calls('auth/token/renew-self')).toBeGreaterThanOrEqual(4);
    expect(calls('auth/approle/login')).toBe(1);
    expect((await password()).reveal()).toBe(PASSWORD);
    expect(calls('auth/approle/login')).toBe(1);
    await clock.advance(3600_000 * 1.5);
    // Each capped renewal gives less: they stop, instead of coming ever faster towards the end.
    expect(calls('auth/token/renew-self')).toBe(10);
    expect((await password()).reveal()).toBe(PASSWORD);
    expect(calls('auth/approle/login')).toBe(2);
  });

  it('that cannot be renewed is replaced before it dies', async () => {
    const { clock, calls, password } = world({ role: role({ tokenType: 'batch', tokenTtl: 60 }) });
    await password();
    await clock.advance(56_000);
    await password();
    expect([calls('auth/token/renew-self'), calls('auth/approle/login')]).toEqual([0, 2]);
  });

  it('survives a Vault that is away when the renewal is due', async () => {
    const { clock, simulator, calls, password, lines } = world();
    await password();
    simulator.state.refuse = true;
    await clock.advance(2500_000);
    simulator.state.refuse = false;
    await clock.advance(3600_000);
    expect((await password()).reveal()).toBe(PASSWORD);
    expect(calls('auth/approle/login')).toBe(1);
    expect(lines.join()).toMatch(/could not be renewed/);
  });

  it.each([false, true])('that Vault has lost is replaced once (old texts: %s)', async (sameTextForLostToken) => {
    const { simulator, calls, password } = world({ sameTextForLostToken });
    await password();
    simulator.access.revokeAll();
    expect((await password()).reveal()).toBe(PASSWORD);
    expect(calls('auth/approle/login')).toBe(2);
  });

  it('is not replaced because a right is missing: a secret id may be good for few logins', async () => {
    const { vault, calls } = world();
    for (let i = 0; i < 3; i++)
      expect((await errorFrom(vault.readSecret('secret/other', 'k'))).code).toBe('vault-denied');
    expect(calls('auth/approle/login')).toBe(1);
  });

  it('cannot be got with a secret id that is used up', async () => {
    const { simulator, password } = world({ role: role({ secretIds: [{ value: SECRET_ID, uses: 1 }] }) });
    await password();
    simulator.access.revokeAll();
    expect(await errorFrom(password())).toMatchObject({
      kind: 'permanent',
      code: 'vault-login',
      args: { problem: 'invalid role or secret ID' },
    });
  });

  it('is given back at the end, and no timer stays', async () => {
    const { vault, simulator, clock, password } = world();
    await password();
    expect([simulator.access.count(), clock.pending]).toEqual([1, 1]);
    await vault.close();
    expect([simulator.access.count(), clock.pending]).toEqual([0, 0]);
  });

  it('goes with the namespace of the settings, never with those of the environment', async () => {
    const seen: Readonly<Record<string, string>>[] = [];
    const { simulator, clock } = world();
    const inner = directly(simulator);
    const transport: Transport = (request) => {
      seen.push(request.headers);
      return inner(request);
    };
    const environment = { VAULT_TOKEN: 'from-env', VAULT_NAMESPACE: 'env-ns', VAULT_PREFIX: '/env' };
    Object.assign(process.env, environment);
    try {
      const vault = createVault(settingsFor('https://vault.lan', { namespace: 'team' }), {
        clock,
        log: keeping().log,
        transport,
      });
      await vault.readSecret('secret/postgres/main', 'password');
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
    }
    expect(seen.map((headers) => headers['X-Vault-Namespace'])).toEqual(['team', 'team']);
    expect(seen[0]).not.toHaveProperty('X-Vault-Token');
    expect(JSON.stringify(seen)).not.toContain('from-env');
  });
});

describe('values', () => {
  it('stand in no error, log line or cause, whatever goes wrong', async () => {
    const { simulator, vault, lines, password, requests, clock } = world();
    const errors: VakhtaError[] = [];
    const collect = async (promise: Promise<unknown>) => void errors.push(await errorFrom(promise));
    await password();
    await collect(vault.readSecret('secret/postgres/main', 'nope'));
    await collect(vault.readSecret('secret/denied', 'k'));
    simulator.state.failure = { status: 500, body: { errors: ['boom'] } };
    await collect(password());
    simulator.state.failure = { status: 200, body: { data: { data: PASSWORD, metadata: PASSWORD } } };
    await collect(password());
    simulator.state.failure = undefined;
    simulator.state.refuse = true;
    await collect(password());
    await clock.advance(7200_000);
    await collect(password());
    await vault.close();
    const tokens = requests.map(({ token }) => token).filter((token) => token !== undefined);
    expect(tokens.length).toBeGreaterThan(0);
    const everything = inspect(errors, { depth: 12, showHidden: true }) + lines.join('\n');
    for (const secret of [PASSWORD, SECRET_ID, ...tokens]) expect(everything).not.toContain(secret);
  });

  it('stand in no line of the library’s own debugging', async () => {
    const { simulator, clock, requests } = world();
    const written: string[] = [];
    // The library's own copy of its `debug`, wherever it is installed.
    const its = createRequire(createRequire(import.meta.url).resolve('node-vault'));
    const debug = its('debug') as { enable(names: string): void; disable(): void; log: (...line: unknown[]) => void };
    debug.enable('node-vault*');
    const before = debug.log;
    debug.log = (...line: unknown[]) => void written.push(inspect(line, { depth: 9 }));
    try {
      const vault = createVault(settingsFor('https://vault.lan'), {
        clock,
        log: keeping().log,
        transport: directly(simulator),
      });
      await vault.readSecret('secret/postgres/main', 'password');
    } finally {
      debug.log = before;
      debug.disable();
    }
    expect(requests.length).toBeGreaterThan(1);
    expect(written.join('\n')).not.toContain(SECRET_ID);
  });
});

describe('settings', () => {
  it.each([{ url: 'vault.lan' }, { url: 'ftp://vault.lan' }, { roleId: ' ' }, { authMount: '../sys' }])(
    '%j are refused',
    (more) => {
      const create = () =>
        createVault({ ...settingsFor('https://v', {}), ...more }, { clock: systemClock, log: keeping().log });
      expect(create).toThrow(expect.objectContaining({ kind: 'usage', code: 'vault-settings' }));
    },
  );

  it('with a secret id that ends in a line break work: files do', async () => {
    const { password } = world({ settings: { secretId: () => Promise.resolve(new Secret(`${SECRET_ID}\n`)) } });
    expect((await password()).reveal()).toBe(PASSWORD);
  });
});

describe('messages', () => {
  it.each(['en', 'ru'] as const)('exist for each error (%s)', async (language) => {
    const { readFile, readdir } = await import('node:fs/promises');
    const folder = new URL('../../../src/integrations/vault/', import.meta.url);
    const sources = await Promise.all((await readdir(folder)).map((file) => readFile(new URL(file, folder), 'utf8')));
    const found = sources.flatMap((source) => [
      ...source.matchAll(/'(?:usage|permanent|transient)', '(vault-[a-z-]+)'/g),
    ]);
    const codes = new Set(found.map((match) => match[1] ?? ''));
    expect(codes.size).toBeGreaterThan(12);
    const texts = catalogue([messages]).for(language);
    expect([...codes].filter((code) => !texts.has(`err-${code}`))).toEqual([]);
  });
});
