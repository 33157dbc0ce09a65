import { expect, test } from 'vitest';
import { minutes } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Guest, Proxmox, ResourceKind, Resources } from '../../src/integrations/proxmox/port.ts';
import { several } from '../../src/tasks/several.ts';
import { createInventoryWatch, knownInventories } from '../../src/tasks/watch/inventory.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';

const guest = (vmid: number, name: string, more: Partial<Guest> = {}): Guest => ({
  type: 'lxc',
  vmid,
  name,
  node: 'pve1',
  status: 'running',
  template: false,
  tags: [],
  ...more,
});
const seen = (guests: readonly Guest[], limited: readonly ResourceKind[] = []): Resources => ({
  nodes: [{ node: 'pve1', status: 'online' }],
  guests,
  storage: [],
  limited,
});

async function subject() {
  const { db } = await storeForTest();
  const clock = createManualClock('2026-11-23T09:00:00Z');
  let answer: () => Promise<Resources> = () => Promise.resolve(seen([]));
  const addresses = new Map<number, () => Promise<readonly string[]>>();
  const asked: number[] = [];
  const host: Pick<Proxmox, 'id' | 'resources' | 'addresses'> = {
    id: 'home',
    resources: () => answer(),
    addresses: ({ vmid }) => {
      asked.push(vmid);
      return addresses.get(vmid)?.() ?? Promise.reject(new VakhtaError('denied', 'proxmox-denied', 'no'));
    },
  };
  const watch = createInventoryWatch({ db, clock, log: silentLog, proxmox: several([['home', host]]) });
  return {
    clock,
    db,
    addresses,
    asked,
    answers: (next: () => Promise<Resources>) => {
      answer = next;
    },
    look: async () => {
      await clock.advance(60_000);
      await watch.round(new AbortController().signal);
      const { all, seenAt } = await knownInventories(db);
      return { names: [...all.values()].flatMap(({ guests }) => guests.map(({ name }) => name)), seenAt };
    },
  };
}

test('what runs where is kept with its time, templates are not part of it', async () => {
  const { look, answers, clock } = await subject();
  answers(() => Promise.resolve(seen([guest(101, 'web1'), guest(900, 'debian', { template: true })])));
  expect(await look()).toEqual({ names: ['web1'], seenAt: clock.now() });
});

test('an installation that does not answer, or sees less than before, keeps what was last seen', async () => {
  const { look, answers, clock } = await subject();
  answers(() => Promise.resolve(seen([guest(101, 'web1'), guest(102, 'db1')])));
  const first = await look();
  const good = clock.now();
  expect(first.names).toEqual(['web1', 'db1']);
  answers(() => Promise.reject(new VakhtaError('transient', 'proxmox-unreachable', 'no route')));
  expect(await look()).toEqual({ names: ['web1', 'db1'], seenAt: good });
  answers(() => Promise.resolve(seen([], ['vm'])));
  expect(await look()).toEqual({ names: ['web1', 'db1'], seenAt: good });
  // A guest that is really gone goes.
  answers(() => Promise.resolve(seen([guest(102, 'db1')])));
  expect(await look()).toEqual({ names: ['db1'], seenAt: clock.now() });
});

test('a token that has always seen a part is good for that part', async () => {
  const { look, answers } = await subject();
  answers(() => Promise.resolve(seen([guest(101, 'web1')], ['vm'])));
  expect((await look()).names).toEqual(['web1']);
  answers(() => Promise.resolve(seen([guest(103, 'new')], ['vm'])));
  expect((await look()).names).toEqual(['new']);
});

test('without an answer there is none', async () => {
  const { db } = await subject();
  expect(await knownInventories(db)).toEqual({ all: new Map() });
  expect(await knownInventories(db, [])).toEqual({ all: new Map() });
});

test('addresses of guests that run are asked now and then, and kept while a guest does not tell', async () => {
  const { look, answers, addresses, asked, db, clock } = await subject();
  const known = async () => {
    const { all } = await knownInventories(db);
    return [...all.values()].flatMap(({ guests }) => guests.map((one) => one.addresses ?? []));
  };
  answers(() =>
    Promise.resolve(
      seen([guest(101, 'web1'), guest(102, 'db1', { type: 'qemu' }), guest(103, 'old', { status: 'stopped' })]),
    ),
  );
  addresses.set(101, () => Promise.resolve(['192.168.10.31']));
  await look();
  expect(asked).toEqual([101, 102]);
  expect(await known()).toEqual([['192.168.10.31'], [], []]);
  await look();
  expect(asked).toEqual([101, 102]);
  // Its node is gone, and what is known of it is what alerts may name.
  answers(() => Promise.resolve(seen([guest(101, 'web1', { status: 'unknown' })])));
  await clock.advance(minutes(10));
  await look();
  expect(asked).toEqual([101, 102]);
  expect(await known()).toEqual([['192.168.10.31']]);
  answers(() => Promise.resolve(seen([guest(101, 'web1')])));
  addresses.set(101, () => Promise.resolve(['192.168.10.77']));
  await look();
  expect(await known()).toEqual([['192.168.10.77']]);
});
