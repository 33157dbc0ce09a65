import { describe, expect, it } from 'vitest';
import { errorOf, errorText } from '../../src/integrations/proxmox/errors.ts';
import * as wire from '../../src/integrations/proxmox/wire.ts';
import { contract, haveContracts } from '../support/contracts.ts';

const asked = { id: 'pve1', method: 'GET', path: '/x' };
const answer = (status: number, reason: string, body: object | string = '') => ({
  status,
  reason,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe('an error answer', () => {
  it.each([
    [answer(401, 'Authentication failed!'), 'permanent', 'proxmox-unauthorized', {}],
    [
      answer(403, 'x', {
        data: null,
        message: 'Permission check failed (/vms/111, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted)\n',
      }),
      'permanent',
      'proxmox-permission',
      { path: '/vms/111', privilege: 'VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted' },
    ],
    [
      answer(403, 'Permission check failed'),
      'permanent',
      'proxmox-permission',
      { privilege: 'Permission check failed', path: '/x' },
    ],
    [
      answer(400, 'Parameter verification failed.', { data: null, errors: { vmid: 'bad\n', a: 'b' } }),
      'permanent',
      'proxmox-parameters',
      { problem: 'Parameter verification failed.; vmid: bad; a: b' },
    ],
    [answer(501, "Method 'GET /x' not implemented"), 'permanent', 'proxmox-not-implemented', { path: '/x' }],
    [
      answer(500, "Configuration file 'nodes/a/lxc/7.conf' does not exist", { data: null }),
      'usage',
      'proxmox-no-such-guest',
      { guest: '7' },
    ],
    [answer(500, 'VM is locked (clone)'), 'transient', 'proxmox-locked', {}],
    [answer(500, 'CT is locked (backup)'), 'transient', 'proxmox-locked', {}],
    [answer(500, 'CT 101 already running'), 'usage', 'proxmox-guest-state', {}],
    [
      answer(500, "no such user ('x@pve')", { data: null, message: "no such user ('x@pve')\n" }),
      'permanent',
      'proxmox-failed',
      { problem: "no such user ('x@pve')" },
    ],
    [answer(595, 'No route to host'), 'transient', 'proxmox-node-unreachable', { problem: 'No route to host' }],
    [answer(502, 'Bad Gateway', '<html>'), 'transient', 'proxmox-node-unreachable', {}],
    [answer(302, 'Found'), 'permanent', 'proxmox-answer', {}],
  ])('%j is %s %s', (given, kind, code, args) => {
    const error = errorOf(given, asked);
    expect(error).toMatchObject({ kind, code });
    expect(error.args).toMatchObject(args);
  });

  it('without any text is named by its number', () => {
    expect(errorText(answer(500, ''))).toBe('HTTP 500');
  });
});

describe('resources', () => {
  it('take numbers for strings, strings for numbers, and pass over what they do not know', () => {
    const { guests, nodes, storage } = wire.resources.parse([
      { type: 'lxc', vmid: '101', node: 'a', status: 'running', template: '0', tags: 'b;a', cpu: '0.5', mem: '10' },
      { type: 'qemu', vmid: 100, node: 'a', template: 1 },
      { type: 'network', id: 'network/a', wat: {} },
      { type: 'node', node: 'a' },
      { type: 'storage', storage: 's', node: 'a', content: 'iso,backup', shared: 1, disk: 1, maxdisk: 2 },
    ]);
    expect(guests.map(({ vmid, name, template, tags, cpu }) => [vmid, name, template, tags, cpu])).toEqual([
      [100, 'VM 100', true, [], undefined],
      [101, 'CT101', false, ['b', 'a'], 0.5],
    ]);
    expect(nodes).toEqual([{ node: 'a', status: 'unknown' }]);
    expect(storage).toMatchObject([{ content: ['iso', 'backup'], shared: true, used: 1, total: 2, status: 'unknown' }]);
  });

  it('with a guest that cannot be read are refused whole: half a list would look fine', () => {
    expect(wire.resources.safeParse([{ type: 'lxc', node: 'a' }]).success).toBe(false);
  });
});

describe('a row of the task list', () => {
  const row = { upid: 'u', node: 'a', type: 't', id: '', user: 'r', starttime: 1 };
  it.each([
    [{}, true, undefined],
    [{ status: 'RUNNING' }, true, undefined],
    [{ endtime: 2, status: 'OK' }, false, 'OK'],
    [{ endtime: 2 }, false, ''],
    [{ status: 'unexpected status' }, false, 'unexpected status'],
  ])('%j: running %s, exit status %s', (more, running, exitstatus) => {
    expect(wire.tasks.parse([{ ...row, ...more }])[0]).toMatchObject({ running, exitstatus });
  });
});

describe.skipIf(!haveContracts)('recorded answers', () => {
  it('of /cluster/resources are read', () => {
    const { data } = contract('pve-samples', 'datadog', 'cluster-resources.json') as { data: unknown };
    const { guests, nodes, storage } = wire.resources.parse(data);
    expect(guests.map(({ vmid, type, status }) => [vmid, type, status])).toEqual([
      [100, 'qemu', 'running'],
      [101, 'lxc', 'stopped'],
      [111, 'lxc', 'stopped'],
    ]);
    expect(guests[1]?.tags).toEqual(['sarah-wiit', 'test', 'testtag']);
    expect(nodes).toHaveLength(1);
    expect(storage[0]).toMatchObject({ storage: 'local', used: 14254186496, total: 5284205195264 });
  });

  it('of a node’s tasks are read', () => {
    const { data } = contract('pve-samples', 'datadog', 'node-tasks.json') as { data: unknown };
    const rows = wire.tasks.parse(data);
    expect(rows).toHaveLength(10);
    expect(rows.every(({ running, exitstatus }) => !running && exitstatus === 'OK')).toBe(true);
    expect(rows[0]?.startTime.toISOString()).toBe('2025-07-17T03:06:51.000Z');
  });
});
