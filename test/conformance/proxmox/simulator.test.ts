/** The simulator against what was measured on real hosts and read in their sources: it must be no kinder than they are. */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentInterfaces, containerInterfaces, outerAddresses } from '../../../src/integrations/proxmox/addresses.ts';
import { PVEAuditor, type SimToken } from '../../../src/simulators/proxmox/access.ts';
import { addBackup } from '../../../src/simulators/proxmox/backed-up.ts';
import { createProxmoxSimulator, type ProxmoxSimulator } from '../../../src/simulators/proxmox/simulator.ts';
import { contract, haveContracts } from '../../support/contracts.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { passing } from './in-process.ts';
import { type ApiDescription, apiDescription } from './schema.ts';
import { TOKEN } from './subject.ts';

const AUDITOR: SimToken = { id: 'audit@pve!read', secret: 'a', acl: [{ path: '/', privileges: PVEAuditor }] };
const ASKS_AGENTS: SimToken = {
  id: 'agent@pve!read',
  secret: 'g',
  acl: [{ path: '/', privileges: [...PVEAuditor, 'VM.GuestAgent.Audit'] }],
};
const NOBODY: SimToken = { id: 'nobody@pve!none', secret: 'n', acl: [] };
const EXPIRED: SimToken = { id: 'old@pve!t', secret: 'e', acl: TOKEN.acl, expired: true };

let clock: ManualClock;
let simulator: ProxmoxSimulator;
beforeEach(() => {
  clock = createManualClock('2026-11-23T08:00:00Z');
  const random = { bytes: (n: number) => Buffer.alloc(n, 3) };
  simulator = createProxmoxSimulator({ clock, random, tokens: [TOKEN, AUDITOR, ASKS_AGENTS, NOBODY, EXPIRED] });
});

const header = (token: SimToken) => `PVEAPIToken=${token.id}=${token.secret}`;
const ask = async (method: string, path: string, { token = TOKEN, body = '' } = {}) => {
  const headers = { authorization: header(token) };
  const answer = await passing(clock, simulator.handle({ method, path: `/api2/json${path}`, headers, body }));
  return {
    ...answer,
    json: answer.body === '' ? undefined : (JSON.parse(answer.body) as { data: unknown; message?: string }),
  };
};

describe('who may come in', () => {
  it.each([
    ['nobody', undefined, 'No ticket'],
    ['a wrong secret', { ...TOKEN, secret: 'x' }, 'Authentication failed!'],
    ['an expired user', EXPIRED, 'Authentication failed!'],
  ])('%s gets 401 with an empty body after three seconds', async (_, token, reason) => {
    const headers = { authorization: token === undefined ? undefined : header(token) };
    let answered = false;
    const answer = simulator.handle({ method: 'GET', path: '/api2/json/version', headers, body: '' });
    void answer.then(() => {
      answered = true;
    });
    await clock.advance(2999);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect(await answer).toEqual({ status: 401, reason, body: '' });
  });

  it('403 comes before 400', async () => {
    const wrong = await ask('POST', '/nodes/pve1/lxc/104/status/start', { token: AUDITOR, body: 'nonsense=1' });
    expect(wrong).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/vms/104, VM.PowerMgmt)',
      json: { data: null, message: 'Permission check failed (/vms/104, VM.PowerMgmt)\n' },
    });
  });

  it('lists leave out what the token may not see, and answer 200', async () => {
    expect((await ask('GET', '/cluster/resources?type=vm', { token: NOBODY })).json).toEqual({ data: [] });
    expect((await ask('GET', '/cluster/resources?type=storage', { token: NOBODY })).json).toEqual({ data: [] });
    expect((await ask('GET', '/cluster/resources?type=node', { token: NOBODY })).json?.data).toEqual([
      { id: 'node/pve1', type: 'node', node: 'pve1', status: 'online' },
    ]);
  });

  it('the rights of a token without any are an empty map', async () => {
    expect((await ask('GET', '/access/permissions', { token: NOBODY })).json).toEqual({ data: {} });
  });

  it('other people’s tasks cannot be read', async () => {
    const { json } = await ask('POST', '/nodes/pve1/lxc/104/status/reboot');
    const upid = encodeURIComponent(String(json?.data));
    expect((await ask('GET', `/nodes/pve1/tasks/${upid}/status`, { token: NOBODY })).status).toBe(403);
    expect((await ask('GET', `/nodes/pve1/tasks/${upid}/status`, { token: AUDITOR })).status).toBe(200);
    expect((await ask('DELETE', `/nodes/pve1/tasks/${upid}`, { token: AUDITOR })).status).toBe(403);
    expect((await ask('DELETE', `/nodes/pve1/tasks/${upid}`)).json).toEqual({ data: null });
  });
});

describe('refusals', () => {
  it.each([
    ['GET', '/foo', '', 501, "Method 'GET /foo' not implemented"],
    ['PUT', '/version', '', 501, "Method 'PUT /version' not implemented"],
    ['GET', '/version', 'a=1', 501, "Unexpected content for method 'GET'"],
    [
      'GET',
      '/nodes/pve1/lxc/555/status/current',
      '',
      500,
      "Configuration file 'nodes/pve1/lxc/555.conf' does not exist",
    ],
    [
      'GET',
      '/nodes/pve1/qemu/104/status/current',
      '',
      500,
      "Configuration file 'nodes/pve1/qemu-server/104.conf' does not exist",
    ],
    ['POST', '/nodes/pve1/lxc/104/status/start', '', 500, 'CT 104 already running'],
    ['POST', '/nodes/pve1/lxc/9000/status/stop', '', 500, 'CT 9000 not running'],
    ['POST', '/nodes/pve1/lxc/9000/status/reboot', '', 500, 'VM 9000 not running'],
  ])('%s %s %s is %i %s', async (method, path, body, status, reason) => {
    const answer = await ask(method, path, { body });
    expect(answer).toMatchObject({ status, reason });
    expect(answer.json).toMatchObject({ data: null });
    expect(answer.json?.message?.trim()).toBe(reason);
  });

  it('an unknown node is a failed host name lookup', async () => {
    expect((await ask('GET', '/nodes/pve7/status')).reason).toMatch(/^hostname lookup 'pve7' failed - /);
  });

  it.each([
    ['timeout=soon', { timeout: "type check ('integer') failed - got 'soon'" }],
    ['timeout=-1', { timeout: 'value must have a minimum value of 0' }],
    ['forceStop=yes', { forceStop: "type check ('boolean') failed - got 'yes'" }],
    [
      'force=1&x=2',
      {
        force: 'property is not defined in schema and the schema does not allow additional properties',
        x: 'property is not defined in schema and the schema does not allow additional properties',
      },
    ],
    ['vmid=105', { vmid: 'duplicate parameter (already defined in URI) with conflicting values!' }],
    ['', undefined],
  ])('the parameters %s of a shutdown are checked', async (body, errors) => {
    const answer = await ask('POST', '/nodes/pve1/lxc/104/status/shutdown', { body });
    expect(answer.status).toBe(errors === undefined ? 200 : 400);
    expect((answer.json as { errors?: unknown }).errors).toEqual(errors);
  });

  it('a task that was never there is refused', async () => {
    const upid = 'UPID:pve1:00000001:00000002:65000000:vzstart:104:vakhta@pve!watch:';
    expect((await ask('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/status`)).json).toMatchObject({
      errors: { upid: 'no such task' },
    });
  });

  it('the error text stands in the status line, non-ASCII too, and the connection closes', async () => {
    simulator.faults.nodeError = 'узел недоступен';
    const url = new URL(await simulator.start());
    const { statusMessage, headers } = await new Promise<{ statusMessage: string; headers: object }>(
      (resolve, reject) => {
        httpRequest(
          new URL('/api2/json/nodes/pve1/status', url),
          { headers: { authorization: header(TOKEN) } },
          (response) => {
            response.resume();
            resolve({ statusMessage: response.statusMessage ?? '', headers: response.headers });
          },
        )
          .once('error', reject)
          .end();
      },
    );
    expect(Buffer.from(statusMessage, 'latin1').toString('utf8')).toBe('узел недоступен');
    expect(headers).toMatchObject({
      connection: 'close',
      'content-type': 'application/json;charset=UTF-8',
      server: 'pve-api-daemon/3.0',
    });
  });
  afterEach(() => simulator.stop());
});

describe('a restore over a guest', () => {
  const body = (more: string) => `vmid=104&restore=1&storage=local-zfs&ostemplate=${encodeURIComponent(volid)}${more}`;
  let volid = '';
  beforeEach(() => {
    simulator.inventory.storage.push({ ...simulator.inventory.storage[0]!, storage: 'nfs', shared: true });
    volid = addBackup(simulator.inventory, simulator.guest(104), 'nfs', 1_700_000_000).volid;
  });

  it.each([
    ['', "unable to restore CT 104 - CT 104 already exists on node 'pve1'"],
    ['&force=1', "unable to restore CT 104 - can't overwrite running container"],
  ])('is refused (%s)', async (more, reason) => {
    const all = {
      ...TOKEN,
      acl: [...TOKEN.acl, { path: '/vms', privileges: ['VM.Allocate', 'VM.Backup', 'VM.Audit'] }],
    };
    const mighty = createProxmoxSimulator({
      clock,
      random: { bytes: (n: number) => Buffer.alloc(n, 3) },
      tokens: [all],
      inventory: simulator.inventory,
    });
    const headers = { authorization: header(all) };
    const request = { method: 'POST', path: '/api2/json/nodes/pve1/lxc', headers, body: body(more) };
    expect(await mighty.handle(request)).toMatchObject({ status: 500, reason });
    simulator.guest(104).status = 'stopped';
    simulator.guest(104).config = { protection: '1' };
    const reasons = more === '' ? /already exists/ : /protection mode enabled/;
    expect((await mighty.handle(request)).reason).toMatch(reasons);
    expect(simulator.tasks.all).toEqual([]);
  });
});

describe('time', () => {
  it('moves the figures, and the same instant gives the same', async () => {
    const read = async () =>
      (await ask('GET', '/nodes/pve1/lxc/101/status/current')).json?.data as { cpu: number; uptime: number };
    const first = await read();
    expect(await read()).toEqual(first);
    await clock.advance(60_000);
    const second = await read();
    expect(second.uptime).toBe(first.uptime + 60);
    expect(second.cpu).not.toBe(first.cpu);
    expect(second.cpu).toBeGreaterThan(0.1);
    expect(second.cpu).toBeLessThan(0.4);
  });

  it('a stop takes its time and sets the uptime back', async () => {
    await ask('POST', '/nodes/pve1/lxc/104/status/stop');
    expect(simulator.guest(104).status).toBe('running');
    await clock.advance(2000);
    expect((await ask('GET', '/nodes/pve1/lxc/104/status/current')).json?.data).toMatchObject({
      status: 'stopped',
      uptime: 0,
      cpu: 0,
      mem: 0,
    });
  });

  it('a task list has the exit status as status, and none while the task runs', async () => {
    await ask('POST', '/nodes/pve1/lxc/104/status/reboot');
    const rows = async (query: string) =>
      (await ask('GET', `/nodes/pve1/tasks?${query}`)).json?.data as { status?: string; endtime?: number }[];
    expect(await rows('')).toEqual([]);
    expect((await rows('source=active'))[0]).not.toHaveProperty('status');
    await clock.advance(20_000);
    expect(await rows('source=active')).toEqual([]);
    expect((await rows(''))[0]).toMatchObject({ status: 'OK' });
  });

  it('an empty log is one line that says so', async () => {
    const upid = encodeURIComponent(String((await ask('POST', '/nodes/pve1/lxc/104/status/stop')).json?.data));
    expect((await ask('GET', `/nodes/pve1/tasks/${upid}/log`)).json).toEqual({
      data: [{ n: 1, t: 'no content' }],
      total: 1,
    });
  });
});

describe('addresses of guests', () => {
  const address = ['192.168.10.34/24', 'FD00:10::34/64'];
  const read = (json: { data: unknown } | undefined, schema: typeof containerInterfaces | typeof agentInterfaces) =>
    outerAddresses(schema.parse(json?.data));

  it('of a container are told by the host to whoever may look at it; of one that is off there are none', async () => {
    simulator.guest(104).addresses = address;
    const path = '/nodes/pve1/lxc/104/interfaces';
    const { json } = await ask('GET', path, { token: AUDITOR });
    expect(read(json, containerInterfaces)).toEqual(['192.168.10.34', 'fd00:10::34']);
    // Before 9 there were no `ip-addresses`.
    const rows = (json?.data ?? []) as { 'ip-addresses': unknown }[];
    const old = rows.map((one) => ({ ...one, 'ip-addresses': undefined }));
    expect(read({ data: old }, containerInterfaces)).toEqual(['192.168.10.34', 'fd00:10::34']);
    expect((await ask('GET', path, { token: NOBODY })).status).toBe(403);
    simulator.guest(104).status = 'stopped';
    expect(read((await ask('GET', path)).json, containerInterfaces)).toEqual([]);
  });

  it('of a machine are told by its agent, to whoever may ask it', async () => {
    simulator.guest(201).addresses = address;
    const path = '/nodes/pve1/qemu/201/agent/network-get-interfaces';
    const { json } = await ask('GET', path, { token: ASKS_AGENTS });
    expect(read(json, agentInterfaces)).toEqual(['192.168.10.34', 'fd00:10::34']);
    expect((await ask('GET', path, { token: AUDITOR })).status).toBe(403);
    simulator.guest(201).startedAt = clock.now().getTime() / 1000;
    expect((await ask('GET', path, { token: ASKS_AGENTS })).status).toBe(500);
  });
});

describe.skipIf(!haveContracts)('the API description of 9.2', () => {
  let description: ApiDescription;
  beforeAll(() => {
    description = apiDescription();
  });

  it('fits every answer that the simulator gives', async () => {
    simulator.guest(104).lock = 'backup';
    simulator.guest(104).addresses = ['192.168.10.34/24', 'fd00:10::34/64'];
    const upid = String((await ask('POST', '/nodes/pve1/qemu/201/status/reboot', { body: 'timeout=5' })).json?.data);
    const task = `/nodes/pve1/tasks/${encodeURIComponent(upid)}`;
    const get = [
      '/version',
      '/access/permissions',
      '/cluster/resources',
      '/nodes',
      '/nodes/pve1/status',
      '/nodes/pve1/certificates/info',
      '/nodes/pve1/storage',
      '/nodes/pve1/lxc/104/status/current',
      '/nodes/pve1/lxc/104/interfaces',
      '/nodes/pve1/lxc/9000/interfaces',
      '/nodes/pve1/lxc/9000/status/current',
      '/nodes/pve1/qemu/201/status/current',
      '/nodes/pve1/tasks?source=all',
      `${task}/status`,
      `${task}/log`,
    ];
    for (const later of [0, 60_000]) {
      await clock.advance(later);
      for (const path of get) {
        const { status, json } = await ask('GET', path);
        expect({ path, status }).toEqual({ path, status: 200 });
        expect(description.answer('GET', path.split('?')[0] ?? '', json?.data, true)).toEqual([]);
      }
    }
  });

  it('finds fault with what is wrong', () => {
    const lxc = '/nodes/pve1/lxc/104/status';
    expect(description.request('POST', `${lxc}/start`, { timeout: '5' })).toEqual([
      expect.stringMatching(/timeout is not declared/),
    ]);
    expect(description.request('POST', `${lxc}/shutdown`, { timeout: 'x' })).toEqual([
      expect.stringMatching(/must be an integer/),
    ]);
    expect(description.request('GET', '/nodes/-x/status', {})).toEqual([expect.stringMatching(/pve-node/)]);
    expect(description.request('GET', '/nope', {})).toEqual(['GET /nope: not in the description']);
    expect(description.answer('GET', '/version', { version: '9', release: '9', repoid: 'x 43df2e01' }, true)).toEqual([
      expect.stringMatching(/must match/),
    ]);
    expect(description.answer('GET', '/version', { version: '9', release: '9' }, true)).toEqual([
      expect.stringMatching(/repoid is missing/),
    ]);
    expect(description.answer('GET', '/nodes', [{ node: 'a', status: 'on' }], true)).toEqual([
      expect.stringMatching(/must be one of/),
    ]);
    expect(description.answer('GET', '/nodes', [{ node: 'a', status: 'online', wat: 1 }], true)).toEqual([
      expect.stringMatching(/wat is not declared/),
    ]);
  });

  it('agrees with the answers measured on 9.2.10', async () => {
    const { measured_pve_9_2_10: measured } = contract('pve', 'pve-wire-facts.json') as {
      measured_pve_9_2_10: { req: string; body: { data: object } }[];
    };
    const version = measured.find(({ req }) => req === 'GET /version');
    expect((await ask('GET', '/version')).json).toEqual(version?.body);
    const asked = measured.find(({ req }) => req === 'GET /access/permissions?path=/access/groups/x');
    const { json } = await ask('GET', '/access/permissions?path=/access/groups/x', { token: AUDITOR });
    expect(Object.keys(json?.data ?? {})[0]).toMatch(/\/$/);
    expect(Object.keys(asked?.body.data ?? {})[0]).toMatch(/\/$/);
    const other = await ask('GET', '/access/permissions?userid=root@pam', { token: NOBODY });
    expect(other.json).toEqual({ data: null, message: 'Permission check failed (/access, Sys.Audit)\n' });
  });
});
