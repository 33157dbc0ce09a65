import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { topology as section } from '../../src/config/sections/watch.ts';
import type { Labels } from '../../src/core/alertmanager.ts';
import { type Foldable, type Inventory, parentOf, placed, saysDown, topologyOf } from '../../src/core/topology.ts';

const { down: DOWN } = section.parse({});

const INVENTORY: Inventory = {
  nodes: [
    { name: 'pve1', status: 'online' },
    { name: 'pve2', status: 'online' },
  ],
  guests: [
    { vmid: 101, name: 'Web1', node: 'pve1', type: 'lxc', status: 'running', addresses: ['10.0.0.5', 'fd00::5'] },
    { vmid: 102, name: 'db1.lan', node: 'pve1', type: 'qemu', status: 'running' },
    { vmid: 201, name: 'mail', node: 'pve2', type: 'lxc', status: 'running' },
    { vmid: 103, name: 'twin', node: 'pve1', type: 'lxc', status: 'running' },
    { vmid: 203, name: 'twin', node: 'pve2', type: 'lxc', status: 'running' },
  ],
};
const TOPOLOGY = topologyOf(new Map([['home', INVENTORY]]));
const meant = (labels: Labels): string | undefined => TOPOLOGY.entityOf(labels)?.name;

describe('what an alert speaks of', () => {
  test.each([
    [{ instance: 'pve1:9100' }, 'pve1'],
    [{ instance: 'PVE1.lan:9100' }, 'pve1'],
    [{ instance: 'https://web1.lan:8443/health?x=1' }, 'Web1'],
    [{ instance: '10.0.0.5:9187' }, 'Web1'],
    [{ instance: '[fd00::5]:9187' }, 'Web1'],
    [{ host: 'db1' }, 'db1.lan'],
    [{ host: 'db1.lan' }, 'db1.lan'],
    [{ vmid: '201' }, 'mail'],
    [{ id: 'lxc/101', instance: 'pve2', node: 'pve1', name: 'web1' }, 'Web1'],
    [{ id: 'node/pve2', instance: 'pve1' }, 'pve2'],
    [{ node: 'pve1', guest: 'web1', instance: 'pve1' }, 'Web1'],
  ])('%o: %s', (labels, name) => {
    expect(meant(labels as Labels)).toBe(name);
  });

  test.each([
    ['nothing that is known', { instance: 'router:9100' }],
    ['an address of nobody', { instance: '10.0.0.51:9100' }],
    ['a name that two guests have', { guest: 'twin' }],
    ['two things', { instance: 'web1:9100', host: 'db1' }],
    ['two nodes', { instance: 'pve1', node: 'pve2' }],
    ['a guest that runs on another node than the label says', { node: 'pve2', guest: 'web1' }],
    ['a number where no number of a guest stands', { instance: '101' }],
    ['a guest of no such kind', { id: 'qemu/101' }],
    ['nothing at all', {}],
  ])('is not guessed: %s', (_, labels) => {
    expect(meant(labels as Labels)).toBeUndefined();
  });

  it('is nothing while the inventory is unknown', () => {
    expect(topologyOf(new Map()).entityOf({ instance: 'pve1' })).toBeUndefined();
  });

  it('is one of those that are known, or nothing, whatever the labels hold', () => {
    const names = [...INVENTORY.nodes, ...INVENTORY.guests].map(({ name }) => name);
    const labels = fc.record({ instance: fc.string(), host: fc.webUrl(), id: fc.string(), node: fc.domain() });
    fc.assert(
      fc.property(labels, (one) => {
        expect([...names, undefined]).toContain(meant(one));
      }),
    );
  });
});

test('the default rule knows what says "down"', () => {
  const say = (names: readonly string[]) => names.filter((alertname) => saysDown({ alertname }, DOWN));
  const down = ['HostDown', 'ProxmoxNodeDown', 'InstanceUnreachable', 'GuestOffline', 'VakhtaNodeDown'];
  expect(say(down)).toEqual(down);
  expect(say(['HostDiskFull', 'TargetDown', 'PostgresDown', 'HostDownSoon', ''])).toEqual([]);
});

const incident = (id: number, alerts: readonly Labels[], more: Partial<Foldable> = {}): Foldable => ({
  id,
  truncated: 0,
  alerts: alerts.map((labels) => ({ status: 'firing', labels })),
  ...more,
});
const parents = (...all: readonly Foldable[]): Record<number, number | undefined> => {
  const known = all.map((one) => placed(one, TOPOLOGY, DOWN));
  return Object.fromEntries(known.map((one) => [one.id, parentOf(one, known, TOPOLOGY)]));
};
const nodeDown = (id: number, node = 'pve1') => incident(id, [{ alertname: 'HostDown', instance: `${node}:9100` }]);
const guestDown = (id: number, guest = 'web1') => incident(id, [{ alertname: 'GuestDown', guest }]);
const service = (id: number, ...hosts: string[]) =>
  incident(
    id,
    hosts.map((host) => ({ alertname: 'NginxSlow', instance: `${host}:80` })),
  );

describe('folding', () => {
  it('goes to the incident of the node, from a guest, from a service on it and from the node itself', () => {
    expect(parents(nodeDown(5), guestDown(1), service(2, 'web1'), service(3, 'pve1'), service(4, 'mail'))).toEqual({
      1: 5,
      2: 5,
      3: 5,
      4: undefined,
      5: undefined,
    });
  });

  it('goes to the incident of the guest while its node is up', () => {
    expect(parents(guestDown(1), service(2, 'web1'), service(3, 'db1'))).toEqual({ 1: undefined, 2: 1, 3: undefined });
  });

  it('asks that all alerts speak of it', () => {
    expect(parents(nodeDown(1), service(2, 'web1', 'mail'), service(3, 'web1', 'router'))).toMatchObject({
      2: undefined,
      3: undefined,
    });
    expect(parents(nodeDown(1), service(2, 'web1', 'db1'))).toMatchObject({ 2: 1 });
  });

  it('counts firing alerts only, and none that the sender left out', () => {
    const half = incident(2, [{ instance: 'web1' }]);
    const over = { status: 'resolved' as const, labels: { instance: 'router' } };
    expect(parents(nodeDown(1), { ...half, alerts: [...half.alerts, over] })).toMatchObject({ 2: 1 });
    expect(parents(nodeDown(1), { ...half, truncated: 3 })).toMatchObject({ 2: undefined });
    expect(parents(nodeDown(1), { ...half, alerts: [over] })).toMatchObject({ 2: undefined });
  });

  it('takes the older one of two that say the same', () => {
    expect(parents(nodeDown(7), nodeDown(3), service(9, 'web1'))).toEqual({ 3: undefined, 7: 3, 9: 3 });
  });

  it('goes to one incident about several nodes', () => {
    const both = incident(9, [
      { alertname: 'HostDown', instance: 'pve1' },
      { alertname: 'HostDown', instance: 'pve2' },
    ]);
    expect(parents(both, nodeDown(3), service(4, 'web1', 'mail'), service(5, 'web1'))).toEqual({
      3: 9,
      4: 9,
      5: 9,
      9: undefined,
    });
  });

  it('never folds into what is folded itself, nor in a circle, whatever burns', () => {
    const hosts = ['pve1', 'pve2', 'web1', 'db1', 'mail', 'router'];
    const alert = fc.record({
      alertname: fc.constantFrom('HostDown', 'GuestDown', 'Slow'),
      instance: fc.constantFrom(...hosts),
    });
    fc.assert(
      fc.property(fc.array(fc.array(alert, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (all) => {
        const found = parents(...all.map((alerts, n) => incident(n + 1, alerts)));
        for (const [id, parent] of Object.entries(found)) {
          if (parent === undefined) continue;
          expect(parent).not.toBe(Number(id));
          expect(found[parent], `${id} is folded into ${parent}`).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });
});
