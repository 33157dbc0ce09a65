/** The simulator against what was read in the sources of the real server: it must be no kinder than that is. */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatastoreAudit, DatastoreBackup, type SimToken } from '../../../src/simulators/pbs/access.ts';
import { createPbsSimulator, type PbsSimulator } from '../../../src/simulators/pbs/simulator.ts';
import { contract, haveContracts } from '../../support/contracts.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { passing } from '../proxmox/in-process.ts';
import { type ApiDescription, apiDescription } from './schema.ts';
import { TOKEN } from './subject.ts';

const AUDITOR: SimToken = {
  id: 'audit@pbs!read',
  secret: 'a',
  acl: [{ path: '/datastore', privileges: DatastoreAudit }],
};
const OWNER: SimToken = {
  id: 'backup@pbs!pve1',
  secret: 'o',
  acl: [{ path: '/datastore', privileges: DatastoreBackup }],
};
const NOBODY: SimToken = { id: 'nobody@pbs!none', secret: 'n', acl: [] };
const EXPIRED: SimToken = { id: 'old@pbs!t', secret: 'e', acl: TOKEN.acl, expired: true };

let clock: ManualClock;
let simulator: PbsSimulator;
beforeEach(() => {
  clock = createManualClock('2026-11-23T08:00:00Z');
  const random = { bytes: (n: number) => Buffer.alloc(n, 3) };
  simulator = createPbsSimulator({ clock, random, tokens: [TOKEN, AUDITOR, OWNER, NOBODY, EXPIRED] });
});

const header = (token: SimToken) => `PBSAPIToken=${token.id}:${token.secret}`;
const ask = async (method: string, path: string, { token = TOKEN, body = '' } = {}) => {
  const headers = { authorization: header(token) };
  const answer = await passing(clock, simulator.handle({ method, path: `/api2/json${path}`, headers, body }));
  return { ...answer, data: answer.status === 200 ? (JSON.parse(answer.body) as { data: unknown }).data : undefined };
};

describe('who may come in', () => {
  it.each([
    ['nobody', undefined],
    ['a wrong secret', `PBSAPIToken=${TOKEN.id}:x`],
    ['an equals sign, as Proxmox VE has it', `PBSAPIToken=${TOKEN.id}=${TOKEN.secret}`],
    ['an expired user', header(EXPIRED)],
  ])('%s gets 401 in plain text after three seconds', async (_, authorization) => {
    let answered = false;
    const answer = simulator.handle({
      method: 'GET',
      path: '/api2/json/version',
      headers: { authorization },
      body: '',
    });
    void answer.then(() => {
      answered = true;
    });
    await clock.advance(2999);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect(await answer).toEqual({ status: 401, reason: 'Unauthorized', body: 'authentication failed' });
  });

  it('403 comes before 400, half a second late, and names nothing', async () => {
    const wrong = await ask('POST', '/admin/datastore/main/gc', { token: AUDITOR, body: 'nonsense=1' });
    expect(wrong).toMatchObject({ status: 403, body: 'permission check failed' });
  });

  it('lists leave out what the token may not see, and answer 200', async () => {
    for (const path of ['/status/datastore-usage', '/admin/verify', '/admin/prune', '/admin/sync?sync-direction=all']) {
      expect((await ask('GET', path, { token: NOBODY })).data).toEqual([]);
    }
    // It may audit the datastore, but not the remote: the sync job is not there for it.
    expect((await ask('GET', '/admin/sync', { token: AUDITOR })).data).toEqual([]);
    expect((await ask('GET', '/admin/sync')).data).toHaveLength(1);
  });

  it('who may only back up sees their own groups alone', async () => {
    const own = (await ask('GET', '/admin/datastore/offsite/snapshots', { token: OWNER })).data;
    const all = (await ask('GET', '/admin/datastore/offsite/snapshots', { token: AUDITOR })).data;
    expect([own, (all as unknown[]).length > 0]).toEqual([[], true]);
  });

  it('the rights of a token without any are an empty map, those that do not propagate are false', async () => {
    expect((await ask('GET', '/access/permissions', { token: NOBODY })).data).toEqual({});
    const here = {
      ...NOBODY,
      id: 'x@pbs!y',
      acl: [{ path: '/datastore/main', privileges: DatastoreAudit, propagate: false }],
    };
    const random = { bytes: (n: number) => Buffer.alloc(n, 3) };
    simulator = createPbsSimulator({ clock, random, tokens: [here] });
    expect((await ask('GET', '/access/permissions', { token: here })).data).toEqual({
      '/datastore/main': { 'Datastore.Audit': false },
    });
  });

  it('other people’s tasks cannot be read', async () => {
    const upid = encodeURIComponent(String((await ask('POST', '/admin/datastore/main/gc')).data));
    expect((await ask('GET', `/nodes/localhost/tasks/${upid}/status`, { token: AUDITOR })).status).toBe(403);
    expect((await ask('GET', '/nodes/localhost/tasks', { token: AUDITOR })).data).toEqual([]);
    expect((await ask('GET', '/nodes/localhost/tasks')).data).toHaveLength(1);
  });
});

describe('refusals', () => {
  it.each([
    ['GET', '/foo', '', 404, "Path '/api2/json/foo' not found."],
    ['PUT', '/version', '', 404, "Path '/api2/json/version' not found."],
    ['GET', '/admin/datastore/nope/snapshots', '', 400, "no such datastore 'nope'"],
    ['GET', '/admin/datastore/main/snapshots?ns=lab', '', 400, "namespace 'lab' not found"],
    [
      'GET',
      '/admin/datastore/main/snapshots?backup-type=x',
      '',
      400,
      "parameter verification failed - 'backup-type': value 'x' is not defined in the enumeration.",
    ],
    [
      'POST',
      '/admin/datastore/main/verify',
      'outdated-after=soon&force=1',
      400,
      "parameter verification failed:\n- 'outdated-after': Expected integer value.\n- 'force': schema does not allow additional properties.",
    ],
    [
      'POST',
      '/admin/datastore/main/verify',
      'ignore-verified=maybe',
      400,
      "parameter verification failed - 'ignore-verified': Unable to parse boolean option.",
    ],
    [
      'POST',
      '/admin/datastore/main/gc',
      'store=main',
      400,
      "parameter verification failed - 'store': duplicate parameter.",
    ],
  ])('%s %s %s is %i in plain text', async (method, path, body, status, text) => {
    expect(await ask(method, path, { body })).toMatchObject({ status, body: text });
  });

  it('an error is plain text under a JSON content type', async () => {
    const url = new URL(await simulator.start());
    const path = new URL('/api2/json/admin/datastore/nope/snapshots', url);
    const { type, body } = await new Promise<{ type: string | undefined; body: string }>((resolve, reject) => {
      httpRequest(path, { headers: { authorization: header(TOKEN) } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ type: response.headers['content-type'], body: Buffer.concat(chunks).toString() }),
        );
      })
        .once('error', reject)
        .end();
    });
    expect(type).toBe('application/json;charset=UTF-8');
    expect(() => JSON.parse(body) as unknown).toThrow(SyntaxError);
  });
  afterEach(() => simulator.stop());
});

describe('verification', () => {
  const verify = async (body: string) => {
    const upid = String((await ask('POST', '/admin/datastore/main/verify', { body })).data);
    await clock.advance(120_000);
    const task = simulator.tasks.find(upid);
    return { upid, exit: task?.exitstatus, log: task?.log ?? [] };
  };

  it('skips all that was ever verified, unless told how old that may be', async () => {
    const one = simulator.newest('main', 'ct/101');
    const old = one.verification?.upid;
    expect((await verify('')).log.filter((line) => line.includes('(recently verified)'))).toHaveLength(63);
    expect(one.verification?.upid).toBe(old);
    // Of the two oldest of seven nights, nine guests each were verified more than five days ago.
    const { upid } = await verify('ignore-verified=1&outdated-after=5');
    expect(simulator.store('main').snapshots.filter(({ verification }) => verification?.upid === upid)).toHaveLength(
      18,
    );
    await verify('ignore-verified=0');
    expect(one.verification?.upid).not.toBe(old);
  });

  it('leaves out what is in use, and says OK all the same', async () => {
    const one = simulator.newest('main', 'ct/101');
    one.verification = undefined;
    one.inUse = true;
    const { exit, log } = await verify('');
    expect(exit).toBe('OK');
    expect(log.join('\n')).toContain('could not acquire snapshot lock');
    expect(one.verification).toBeUndefined();
  });

  it('that finds a rotten chunk ends with an error, and marks the snapshot', async () => {
    const one = simulator.newest('main', 'ct/104');
    Object.assign(one, { damaged: true, verification: undefined });
    const { exit, log } = await verify('');
    expect(exit).toBe('verification failed - please check the log for details');
    expect(log.at(-1)).toMatch(/TASK ERROR: verification failed/);
    expect(one.verification).toMatchObject({ state: 'failed' });
  });
});

describe.skipIf(!haveContracts)('the API description of 4.2', () => {
  let description: ApiDescription;
  beforeAll(() => {
    description = apiDescription('4.2');
  });

  it('fits every answer that the simulator gives, with all that may be absent', async () => {
    const store = simulator.store('main');
    store.namespaces.push('lab', 'lab/old');
    store.snapshots.push({ ns: 'lab', type: 'host', id: 'nas', time: 1_790_000_000, owner: TOKEN.id });
    Object.assign(simulator.store('offsite'), { error: 'datastore is being unmounted' });
    simulator.newest('main', 'ct/101').verification = undefined;
    const upid = String((await ask('POST', '/admin/datastore/main/verify')).data);
    const task = `/nodes/localhost/tasks/${encodeURIComponent(upid)}`;
    const get = [
      '/version',
      '/access/permissions',
      '/status/datastore-usage',
      '/admin/datastore/main/status',
      '/admin/datastore/main/namespace',
      '/admin/datastore/main/groups',
      '/admin/datastore/main/groups?ns=lab',
      '/admin/datastore/main/snapshots',
      '/admin/datastore/main/snapshots?ns=lab',
      '/admin/datastore/main/gc',
      '/admin/verify',
      '/admin/prune',
      '/admin/sync?sync-direction=all',
      '/nodes/localhost/tasks',
      `${task}/status`,
      `${task}/log`,
    ];
    for (const later of [0, 60_000]) {
      await clock.advance(later);
      for (const path of get) {
        const { status, data } = await ask('GET', path);
        expect({ path, status }).toEqual({ path, status: 200 });
        expect(description.answer('GET', path.split('?')[0] ?? '', data)).toEqual([]);
      }
    }
  });

  it('finds fault with what is wrong', () => {
    const verify = '/admin/datastore/main/verify';
    expect(description.request('POST', verify, { force: '1' })).toEqual([
      expect.stringMatching(/force is not declared/),
    ]);
    expect(description.request('POST', verify, { 'outdated-after': 'x' })).toEqual([
      expect.stringMatching(/must be a number/),
    ]);
    expect(description.request('GET', '/nope', {})).toEqual(['GET /nope: not in the description']);
    expect(description.answer('GET', '/version', { version: '4.2', release: '1' })).toEqual([
      expect.stringMatching(/repoid is missing/),
    ]);
    const row = { 'backup-type': 'ct', 'backup-id': '1', 'backup-time': 1, files: [], protected: 1 };
    expect(description.answer('GET', '/admin/datastore/main/snapshots', [row])).toEqual([
      expect.stringMatching(/protected must be true or false/),
    ]);
    const more = { ...row, protected: false, verification: { state: 'fine', upid: 'UPID:x' } };
    expect(description.answer('GET', '/admin/datastore/main/snapshots', [more])).toHaveLength(2);
  });

  it('agrees with what is known of the wire', () => {
    const facts = contract('pbs', 'pbs-wire-facts.json') as {
      auth: { token_header: string };
      upid: { js: string };
      errors_json_format: Record<'401' | '403', { body: string; delay: string }>;
    };
    expect(facts.auth.token_header).toMatch(/COLON/);
    expect(facts.errors_json_format['401'].body).toBe('authentication failed');
    expect(facts.errors_json_format['403'].body).toBe('permission check failed');
    const upids = simulator.server.jobs.map(({ lastUpid }) => lastUpid ?? '');
    expect(upids.filter((upid) => !new RegExp(facts.upid.js).test(upid))).toEqual([]);
  });
});
