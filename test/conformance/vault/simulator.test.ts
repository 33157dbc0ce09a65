/** The simulator against recorded answers of Vault and what is known of the wire. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createVaultSimulator, type VaultSimulator } from '../../../src/simulators/vault/simulator.ts';
import { contract, haveContracts } from '../../support/contracts.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { policies, role, SECRET_ID } from './subject.ts';

let clock: ManualClock;
let simulator: VaultSimulator;
let token: string;
const ask = (method: string, path: string, body?: object, as: string = token) =>
  simulator.handle({ method, path: `/v1/${path}`, token: as, body: body === undefined ? '' : JSON.stringify(body) });

interface Login {
  auth: { client_token: string; lease_duration: number };
  warnings: string[] | null;
}

beforeEach(async () => {
  clock = createManualClock('2026-11-23T08:00:00Z');
  let serial = 0;
  simulator = createVaultSimulator({
    clock,
    random: { bytes: (n) => Buffer.alloc(n, (serial += 1)) },
    roles: [role({ policies: ['all'] })],
    policies: { ...policies, all: { '*': ['create', 'read', 'update', 'delete', 'list'], 'secret/data/closed/*': [] } },
  });
  token = '';
  const login = await ask('POST', 'auth/approle/login', { role_id: '2f6a0b5e-role', secret_id: SECRET_ID });
  token = (login.body as Login).auth.client_token;
});

describe('refusals', () => {
  it('tell lost tokens, missing tokens and missing rights apart', async () => {
    expect(await ask('GET', 'secret/data/x', undefined, 'hvs.none')).toEqual({
      status: 403,
      body: { errors: ['2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n'] },
    });
    expect(await ask('GET', 'secret/data/x', undefined, '')).toEqual({
      status: 403,
      body: { errors: ['permission denied'] },
    });
    expect(await ask('GET', 'secret/data/closed/x')).toEqual({
      status: 403,
      body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] },
    });
  });

  it('of a sealed Vault come before anything else, except its health', async () => {
    simulator.state.sealed = true;
    for (const path of ['secret/data/x', 'auth/approle/login', 'nonsense']) {
      expect(await ask('POST', path)).toEqual({ status: 503, body: { errors: ['Vault is sealed'] } });
    }
    expect((await ask('GET', 'sys/seal-status')).status).toBe(200);
  });

  it('of the version check are 400', async () => {
    await ask('POST', 'secret/data/x', { data: { a: '1' } });
    expect(await ask('POST', 'secret/data/x', { data: { a: '2' }, options: { cas: 0 } })).toEqual({
      status: 400,
      body: { errors: ['check-and-set parameter did not match the current version'] },
    });
    expect((await ask('POST', 'secret/data/x', { data: { a: '2' }, options: { cas: 1 } })).status).toBe(200);
  });

  it('of an unknown route name it', async () => {
    expect(await ask('GET', 'nomount/data/x/y')).toEqual({
      status: 404,
      body: { errors: ['no handler for route "nomount/data/x/y". route entry not found.'] },
    });
  });
});

describe('health', () => {
  it.each([
    [{}, '', 200],
    [{ standby: true }, '', 429],
    [{ standby: true }, '?standbyok=true', 200],
    [{ sealed: true }, '', 503],
    [{ sealed: true }, '?sealedcode=299', 299],
    [{ initialized: false }, '', 501],
    [{ initialized: false }, '?uninitcode=200', 200],
  ])('%j%s is %i', async (state, query, status) => {
    Object.assign(simulator.state, state);
    const reply = await ask('GET', `sys/health${query}`, undefined, '');
    expect(reply.status).toBe(status);
    expect(reply.body).not.toHaveProperty('data');
  });
});

describe('tokens', () => {
  it('end with their time', async () => {
    await clock.advance(3599_000);
    expect((await ask('GET', 'auth/token/lookup-self')).status).toBe(200);
    await clock.advance(1000);
    expect((await ask('GET', 'auth/token/lookup-self')).status).toBe(403);
  });

  it('are renewed up to their maximum age, with a warning when that cuts it short', async () => {
    for (let hour = 0; hour < 3; hour++) {
      await clock.advance(3500_000);
      expect((await ask('POST', 'auth/token/renew-self', {})).body).toMatchObject({
        auth: { lease_duration: 3600 },
        warnings: null,
      });
    }
    await clock.advance(3500_000);
    const { body } = await ask('POST', 'auth/token/renew-self', {});
    expect((body as Login).auth.lease_duration).toBe(14_400 - 4 * 3500);
    expect((body as Login).warnings?.[0]).toMatch(/exceeded the effective max_ttl/);
  });
});

describe('KV v2', () => {
  it('lists folders, and nothing is 404 with an empty list of errors', async () => {
    await ask('POST', 'secret/data/a/b', { data: { k: 'v' } });
    await ask('POST', 'secret/data/c', { data: { k: 'v' } });
    expect((await ask('LIST', 'secret/metadata/')).body).toMatchObject({ data: { keys: ['a/', 'c'] } });
    expect((await ask('GET', 'secret/metadata/a?list=true')).body).toMatchObject({ data: { keys: ['b'] } });
    expect(await ask('LIST', 'secret/metadata/none')).toEqual({ status: 404, body: { errors: [] } });
    expect(await ask('GET', 'secret/data/none')).toEqual({ status: 404, body: { errors: [] } });
  });

  it('names keys without their values', async () => {
    await ask('POST', 'secret/data/a', { data: { user: 'u', password: 'hidden' } });
    const { body } = await ask('GET', 'secret/subkeys/a');
    expect(body).toMatchObject({ data: { subkeys: { user: null, password: null } } });
    expect(JSON.stringify(body)).not.toContain('hidden');
  });

  it('keeps versions', async () => {
    await ask('POST', 'secret/data/a', { data: { k: '1' } });
    await ask('POST', 'secret/data/a', { data: { k: '2' } });
    expect((await ask('GET', 'secret/data/a?version=1')).body).toMatchObject({ data: { data: { k: '1' } } });
    await ask('POST', 'secret/destroy/a', { versions: [1] });
    expect(await ask('GET', 'secret/data/a?version=1')).toMatchObject({
      status: 404,
      body: { data: { metadata: { destroyed: true } } },
    });
    expect((await ask('GET', 'secret/data/a')).body).toMatchObject({
      data: { data: { k: '2' }, metadata: { version: 2 } },
    });
    expect((await ask('GET', 'secret/metadata/a')).body).toMatchObject({
      data: { current_version: 2, versions: { 1: { destroyed: true } } },
    });
    expect((await ask('GET', 'secret/data/a?version=9')).body).toEqual({ errors: [] });
  });
});

describe.skipIf(!haveContracts)('recorded answers', () => {
  const shape = (value: unknown): unknown => {
    if (Array.isArray(value)) return 'array';
    if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
  };
  const recorded = (name: string) => contract('vault', 'recorded-responses', name) as Record<string, unknown>;

  it('of a login have the shape of ours', async () => {
    const { body } = await ask('POST', 'auth/approle/login', { role_id: '2f6a0b5e-role', secret_id: SECRET_ID }, '');
    expect(shape(body)).toMatchObject(shape(recorded('approle_login_response.json')) as object);
  });

  it('of lookup-self have the shape of ours', async () => {
    const { identity_policies: _, ...data } = recorded('lookup-self_without_meta.json')['data'] as Record<
      string,
      unknown
    >;
    expect(shape((await ask('GET', 'auth/token/lookup-self')).body)).toMatchObject({ data: shape(data) as object });
  });

  it('of a KV v2 read have the shape of ours', async () => {
    await ask('POST', 'secret/data/x', { data: { Key1: 'val1', Key2: 'val2' } });
    expect(shape((await ask('GET', 'secret/data/x')).body)).toMatchObject(
      shape(recorded('kv2_get_response.json')) as object,
    );
  });

  it('of a deleted version have the shape of ours', async () => {
    const { kv2_deleted_read: deleted } = contract('vault', 'vault-wire-facts.json') as {
      kv2_deleted_read: { status: number; body: object };
    };
    await ask('POST', 'secret/data/x', { data: { k: 'v' } });
    expect((await ask('DELETE', 'secret/data/x')).status).toBe(204);
    const reply = await ask('GET', 'secret/data/x');
    expect(reply.status).toBe(deleted.status);
    expect(shape(reply.body)).toMatchObject(shape(deleted.body) as object);
  });

  it('of errors are ours, word for word', async () => {
    const { errors } = contract('vault', 'vault-wire-facts.json') as {
      errors: { case: string; status: number; body: object }[];
    };
    const of = (name: string) => {
      const found = errors.find((entry) => entry.case.startsWith(name));
      return { status: found?.status, body: found?.body };
    };
    expect(await ask('GET', 'secret/data/none')).toEqual(of('unknown KV path'));
    expect(await ask('GET', 'nomount/data/x/y')).toEqual(of('unmounted path'));
    expect(await ask('GET', 'secret/data/closed/x')).toEqual(of('ACL denies'));
    expect(await ask('GET', 'secret/data/x', undefined, 'hvs.x')).toEqual(of('token invalid'));
    expect(await ask('GET', 'secret/data/x', undefined, '')).toEqual(of('no token'));
    expect(await ask('POST', 'auth/approle/login', { role_id: 'x', secret_id: 'y' })).toEqual(of('AppRole wrong'));
    expect(await ask('GET', 'auth/approle/login')).toEqual(of('unsupported method'));
    simulator.state.sealed = true;
    expect(await ask('GET', 'secret/data/x')).toEqual(of('sealed'));
  });
});
