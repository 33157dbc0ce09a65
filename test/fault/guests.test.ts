import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { backedUpCompany } from '../../src/simulators/proxmox/backed-up.ts';
import { createProxmoxSimulator, type ProxmoxSimulator } from '../../src/simulators/proxmox/simulator.ts';
import { BACKUP_TOKEN } from '../chat/support/guests.ts';
import { until } from '../support/components/index.ts';
import { openSite, type Site } from './support/steps.ts';

/** Five seconds are promised; where everything else runs beside it they may become more. */
const WITHIN_MS = 15_000;

let site: Site;
let simulator: ProxmoxSimulator;
let before: readonly number[];

beforeAll(async () => {
  simulator = createProxmoxSimulator({
    clock: systemClock,
    random: systemRandom,
    tokens: [BACKUP_TOKEN],
    inventory: backedUpCompany(systemClock.now()),
  });
  const url = await simulator.start();
  before = guests();
  site = await openSite({
    sections: {
      proxmox: [
        {
          id: 'pve1',
          url,
          token_id: BACKUP_TOKEN.id,
          token: 'env:T_PVE_TOKEN',
          backup: {
            storage: 'backup-nfs',
            drill: { storage: 'local-zfs', pool: 'vakhta-drill', vmid_from: 9000, vmid_to: 9003 },
          },
        },
      ],
    },
    env: { T_PVE_TOKEN: BACKUP_TOKEN.secret },
  });
});
afterAll(async () => {
  await site?.stop();
  await simulator?.stop();
});

const guests = (): readonly number[] => simulator.inventory.guests.map(({ vmid }) => vmid);
const atWork = (): readonly string[] =>
  simulator.tasks.all.flatMap(({ type, exitstatus }) => (exitstatus === undefined ? [type] : []));
const backupsOf = (id: number): number => simulator.inventory.backups.filter(({ vmid }) => vmid === id).length;

/** Tasks take as long as they need to be met in the middle. */
const slowly = (type: string, durationMs = 2000): void => simulator.tasks.script({ type, durationMs });

/** Nothing of the run is left outside, and nothing is locked. */
async function expectTidy(): Promise<void> {
  expect(guests()).toEqual(before);
  expect(atWork()).toEqual([]);
  expect(simulator.inventory.guests.filter(({ lock }) => lock !== undefined)).toEqual([]);
  expect(await site.rows('select key from run_locks')).toEqual([]);
}

it.for(['handle asked,at', 'handle asked,at,upid'])(
  'a backup of a guest whose worker is killed at “%s” is told as what it came to, and is made once at most',
  async (moment) => {
    slowly('vzdump');
    const had = backupsOf(104);
    const id = await site.ask('backup.guest', { guest: 'nginx' });
    expect(await site.reached(id, moment)).toBe(true);
    await site.kill();
    await site.restart();
    const { state } = await site.ended(id);
    expect([state, backupsOf(104) - had]).toEqual(state === 'failed' ? ['failed', 0] : ['succeeded', 1]);
    await expectTidy();
  },
);

it.for(['made guest', /^handle .*upid/u])(
  'a drill of a guest whose worker is killed at “%s” leaves no guest behind',
  async (moment) => {
    slowly('vzrestore');
    const id = await site.ask('drill.restore', { target: 'guest:nginx' });
    expect(await site.reached(id, moment)).toBe(true);
    await site.kill();
    await site.restart();
    // In the very last moment it may have come to its end.
    expect(await site.drilled(id)).toMatch(/^(?:failed|succeeded)$/u);
    await expectTidy();
  },
);

it('the task of a cancelled backup has ended within five seconds, whoever was asked', async () => {
  slowly('vzdump', 60_000);
  const had = backupsOf(104);
  const id = await site.ask('backup.guest', { guest: 'nginx' });
  await site.reached(id, 'handle asked,at,upid');
  expect(atWork()).toEqual(['vzdump']);
  const begun = Date.now();
  await site.cancel(id);
  await until('the end of the task', () => atWork().length === 0);
  expect(Date.now() - begun).toBeLessThan(WITHIN_MS);
  expect((await site.ended(id)).state).toBe('cancelled');
  expect(backupsOf(104)).toBe(had);
  await expectTidy();
});

it('the task of a cancelled drill has ended within five seconds, and its guest is destroyed', async () => {
  slowly('vzrestore', 60_000);
  const id = await site.ask('drill.restore', { target: 'guest:nginx' });
  await site.reached(id, /^handle .*upid/u);
  expect(atWork()).toEqual(['vzrestore']);
  const begun = Date.now();
  await site.cancel(id);
  await until('the end of the task', () => !atWork().includes('vzrestore'));
  expect(Date.now() - begun).toBeLessThan(WITHIN_MS);
  expect((await site.ended(id)).state).toBe('cancelled');
  await expectTidy();
});
