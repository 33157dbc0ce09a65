/** How the backups of guests look, through the real client, on a host that is as unhelpful as the real one. */
import { describe, expect, it } from 'vitest';
import { days, hours } from '../../../src/core/clock.ts';
import {
  DRILL,
  PVEAuditor,
  PVEDatastoreUser,
  PVEVMUser,
  type SimToken,
} from '../../../src/simulators/proxmox/access.ts';
import { addBackup, backedUpCompany, verificationAt } from '../../../src/simulators/proxmox/backed-up.ts';
import { configOf } from '../../../src/simulators/proxmox/guest-config.ts';
import { lookAtGuests, NO_SERVERS } from '../../../src/tasks/recovery/guests-look.ts';
import { type GuestRules, guestStates } from '../../../src/tasks/recovery/guests-state.ts';
import { errorFrom, inProcess } from './in-process.ts';
import { TOKEN } from './subject.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const RULES: GuestRules = {
  id: 'pve1',
  maxAgeHours: 26,
  exempt: [],
  drill: { vmidFrom: 9000, vmidTo: 9019 },
  verifyDays: new Map([['pbs', 30]]),
};
const anybody = new AbortController().signal;
const token = (...acl: SimToken['acl']): SimToken => ({ ...TOKEN, acl });
const ALL = [...new Set([...PVEAuditor, ...PVEVMUser, ...PVEDatastoreUser])];

const world = (acl?: SimToken['acl']) =>
  inProcess({ inventory: backedUpCompany(NOW), ...(acl ? { tokens: [token(...acl)] } : {}) });

async function states(of: ReturnType<typeof inProcess>, rules = RULES, servers = NO_SERVERS) {
  const look = await of.passing(lookAtGuests(of.proxmox, () => Promise.resolve(servers), anybody));
  const all = guestStates(look, rules, new Map(), of.clock.now());
  return new Map(all.map((one) => [one.target, one]));
}
const word = async (of: ReturnType<typeof inProcess>, target: string, rules = RULES) => {
  const state = (await states(of, rules)).get(target);
  return state && [state.state, state.line.key];
};

describe('backups of guests', () => {
  it('a week of nightly backups is in order, except where it is not', async () => {
    const all = await states(world());
    const seen = Object.fromEntries([...all].map(([target, { state, line }]) => [target, `${state} ${line.key}`]));
    expect(seen).toEqual({
      'guest:pg1': 'ok guest-backup-ok',
      'guest:docker1': 'ok guest-backup-ok',
      'guest:gitlab': 'ok guest-backup-ok',
      'guest:nginx': 'ok guest-backup-ok',
      'guest:dns': 'down guest-backup-damaged',
      'guest:vault': 'ok guest-backup-ok',
      'guest:monitoring': 'ok guest-backup-ok',
      'guest:mail': 'warn guest-backup-stale',
      'guest:build1': 'warn guest-backup-stale',
      'proxmox:pve1': 'ok guest-backup-all-seen',
      'proxmox:pve1/pve1/local': 'ok guest-storage-used',
      'proxmox:pve1/backup-nfs': 'ok guest-storage-used',
    });
    expect(all.get('guest:pg1')).toMatchObject({ count: 7, verified: { state: 'ok' }, notes: [] });
    expect(all.get('guest:pg1')?.rpoMs).toBeLessThan(hours(26));
    expect(all.get('guest:gitlab')).toMatchObject({
      verified: { state: 'never' },
      notes: [{ key: 'guest-backup-unverified' }],
    });
    // The damaged one does not count: the one before is the newest.
    expect(all.get('guest:dns')?.rpoMs).toBeGreaterThan(hours(24));
    expect(all.get('guest:mail')?.notes).toEqual([{ key: 'guest-backup-job-off', args: { jobs: 'backup-mail' } }]);
    expect(all.get('guest:mail')?.storedBytes).toBeGreaterThan(1e9);
    expect(all.get('guest:pg1')?.storedBytes).toBeUndefined();
    expect(all.get('proxmox:pve1')?.notes).toEqual([{ key: 'guest-backup-jobs-off', args: { jobs: 'backup-mail' } }]);
  });

  it('a job that is off covers nobody, though the host does not list its guests as uncovered', async () => {
    const of = world();
    expect(await of.proxmox.backups.notBackedUp()).toEqual([]);
    addBackup(of.simulator.inventory, of.simulator.guest(108), 'backup-nfs', NOW.getTime() / 1000 - 3600);
    expect(await word(of, 'guest:mail')).toEqual(['warn', 'guest-backup-job-off']);
    of.simulator.inventory.jobs.splice(1);
    expect(await word(of, 'guest:mail')).toEqual(['warn', 'guest-backup-uncovered']);
  });

  it('a job of a pool or of another node covers whom it names, and nobody else', async () => {
    const of = world();
    of.simulator.guest(108).pool = 'office';
    addBackup(of.simulator.inventory, of.simulator.guest(108), 'backup-nfs', NOW.getTime() / 1000 - 3600);
    of.simulator.inventory.jobs.push({ id: 'pool', storage: 'pbs', schedule: '03:00', pool: 'office' });
    expect(await word(of, 'guest:mail')).toEqual(['ok', 'guest-backup-ok']);
    of.simulator.inventory.jobs.splice(2);
    of.simulator.inventory.jobs.push({ id: 'other', storage: 'pbs', schedule: '03:00', all: 1, node: 'pve2' });
    expect(await word(of, 'guest:mail')).toEqual(['warn', 'guest-backup-job-off']);
  });

  it('a mount point that is in no backup is told, though the backup is in order', async () => {
    const of = world();
    Object.assign(configOf(of.simulator.guest(104)), {
      mp0: 'local-zfs:subvol-104-disk-1,mp=/srv,size=8G',
      mp1: 'local-zfs:subvol-104-disk-2,mp=/var/lib/data,backup=1,size=8G',
    });
    configOf(of.simulator.guest(101))['mp0'] = '/tank/data,mp=/data';
    const all = await states(of);
    expect(all.get('guest:nginx')).toMatchObject({
      state: 'ok',
      notes: [{ key: 'guest-backup-left-out', args: { disks: 'mp0' } }],
    });
    expect(all.get('guest:pg1')?.notes).toEqual([{ key: 'guest-backup-left-out', args: { disks: 'mp0' } }]);
    expect(all.get('guest:gitlab')?.notes).toEqual([{ key: 'guest-backup-unverified', args: { hours: 29 } }]);
  });

  it('a verification: never made, too old, or failed is told apart', async () => {
    const of = world();
    const { backups } = of.simulator.inventory;
    const ofNginx = backups.filter(({ vmid }) => vmid === 104);
    for (const one of ofNginx) delete one.verification;
    expect(await word(of, 'guest:nginx')).toEqual(['warn', 'guest-backup-never']);
    for (const one of ofNginx) one.verification = verificationAt('ok', (NOW.getTime() - days(31)) / 1000);
    expect(await word(of, 'guest:nginx')).toEqual(['warn', 'guest-backup-verified-long-ago']);
    for (const one of ofNginx) one.verification = verificationAt('failed', NOW.getTime() / 1000);
    expect((await states(of)).get('guest:nginx')).toMatchObject({ state: 'down', verified: { state: 'failed' } });
    expect((await states(of)).get('guest:nginx')).not.toHaveProperty('newestAt');
  });

  it('none at all is red; templates, exempt guests and copies of drills need none', async () => {
    const of = world();
    const { backups, guests } = of.simulator.inventory;
    backups.splice(0);
    guests.push({ ...of.simulator.guest(104), vmid: 9003, name: 'vakhta-drill-9003' });
    guests.push({ ...of.simulator.guest(104), vmid: 9004, name: 'somebody' });
    const all = await states(of, { ...RULES, exempt: ['DNS', '106'] });
    expect(all.get('guest:pg1')).toMatchObject({ state: 'down', line: { key: 'guest-backup-none' } });
    const names = [...all.keys()].filter((one) => one.startsWith('guest:'));
    expect(names).not.toContain('guest:dns');
    expect(names).not.toContain('guest:vault');
    expect(names.filter((one) => /template|drill/.test(one))).toEqual([]);
    expect(names).toContain('guest:somebody');
  });

  it('guests of one name are told apart by number', async () => {
    const of = world();
    of.simulator.guest(201).name = 'NGINX';
    const names = [...(await states(of)).keys()];
    expect(names).toEqual(expect.arrayContaining(['guest:pve1/104', 'guest:pve1/201']));
  });
});

describe('a token that sees too little', () => {
  it('an auditor of everything is told of no backup by a 200: nobody knows, and nothing is green', async () => {
    const of = world([{ path: '/', privileges: PVEAuditor }]);
    const answer = await of.simulator.handle({
      method: 'GET',
      path: '/api2/json/nodes/pve1/storage/pbs/content?content=backup',
      headers: { authorization: `PVEAPIToken=${TOKEN.id}=${TOKEN.secret}` },
      body: '',
    });
    expect(answer).toMatchObject({ status: 200, body: '{"data":[]}' });
    const all = await states(of);
    const guests = [...all].filter(([target]) => target.startsWith('guest:'));
    expect(guests).toHaveLength(9);
    expect([...new Set(guests.map(([, { state, line }]) => `${state} ${line.key}`))]).toEqual([
      'unknown guest-backup-hidden',
    ]);
    expect(all.get('proxmox:pve1')?.state).toBe('warn');
  });

  it('that may back up some guests only knows of those only', async () => {
    const of = world([
      { path: '/', privileges: [...PVEAuditor, ...PVEDatastoreUser] },
      { path: '/vms/101', privileges: PVEVMUser },
    ]);
    expect(await word(of, 'guest:pg1')).toEqual(['ok', 'guest-backup-ok']);
    expect(await word(of, 'guest:nginx')).toEqual(['unknown', 'guest-backup-hidden']);
  });

  it('that sees some guests only says that there may be more', async () => {
    const of = world([
      { path: '/nodes', privileges: PVEAuditor },
      { path: '/storage', privileges: PVEDatastoreUser },
      { path: '/vms/101', privileges: PVEVMUser },
    ]);
    const all = await states(of);
    expect(all.get('proxmox:pve1')).toMatchObject({ state: 'unknown', line: { key: 'guest-backup-some' } });
    // Jobs need Sys.Audit on /, which is not on /nodes.
    expect(all.get('guest:pg1')).toMatchObject({ state: 'warn', line: { key: 'guest-backup-jobs-hidden' } });
  });

  it('gets the guests of its pool, by the rights on the pool', async () => {
    const of = world([
      { path: '/nodes', privileges: PVEAuditor },
      { path: '/storage', privileges: PVEDatastoreUser },
      { path: '/pool/office', privileges: [...PVEVMUser, ...DRILL] },
    ]);
    of.simulator.guest(104).pool = 'office';
    const { guests } = await of.proxmox.resources('vm');
    expect(guests.map(({ name, pool }) => [name, pool])).toEqual([['nginx', 'office']]);
    expect((await of.proxmox.backups.stock([{ node: 'pve1', storage: 'pbs' }])).sees(104)).toBe(true);
  });
});

describe('a storage', () => {
  it('that is away leaves open whether there are newer backups, unless a young one is seen elsewhere', async () => {
    const of = world();
    const pbs = of.simulator.inventory.storage.find(({ storage }) => storage === 'pbs');
    if (pbs) pbs.active = false;
    addBackup(of.simulator.inventory, of.simulator.guest(104), 'backup-nfs', NOW.getTime() / 1000 - 3600);
    const all = await states(of);
    expect(all.get('guest:pg1')).toMatchObject({ state: 'unknown', line: { key: 'guest-backup-unread' } });
    expect(all.get('guest:nginx')).toMatchObject({ state: 'ok' });
    expect(all.get('proxmox:pve1')).toMatchObject({ state: 'warn', line: { key: 'guest-backup-away' } });
  });

  it('that refuses at the last moment too', async () => {
    const of = world();
    const stock = of.proxmox.backups.stock([{ node: 'pve1', storage: 'gone' }]);
    expect((await stock).unread).toMatchObject([{ storage: 'gone', error: { code: 'proxmox-failed' } }]);
  });

  it('that fills up is told with its days; full is red', async () => {
    const of = world();
    const nfs = of.simulator.inventory.storage.find(({ storage }) => storage === 'backup-nfs');
    if (!nfs) throw new Error('no nfs');
    const look = await lookAtGuests(of.proxmox, () => Promise.resolve(NO_SERVERS), anybody);
    const past = [5, 4, 3, 2, 1].map((day) => ({
      at: new Date(NOW.getTime() - days(day)),
      used: nfs.used - day * 50e9,
      total: nfs.total,
    }));
    const told = guestStates(look, RULES, new Map([['backup-nfs', past]]), NOW);
    expect(told.find(({ target }) => target.endsWith('backup-nfs'))).toMatchObject({
      state: 'ok',
      line: { key: 'guest-storage-filling', args: { percent: 70, days: 23 } },
    });
    nfs.used = nfs.total - 1e9;
    expect(await word(of, 'proxmox:pve1/backup-nfs')).toEqual(['down', 'guest-storage-full']);
  });
});

describe('five hundred guests', () => {
  it('cost as many calls as ten', async () => {
    const of = world();
    await states(of);
    const few = of.exchanges.splice(0).length;
    const { guests } = of.simulator.inventory;
    for (let n = 0; n < 500; n++) {
      const guest = { ...of.simulator.guest(104), vmid: 1000 + n, name: `web${n}`, config: undefined };
      const { config: _config, ...rest } = guest;
      guests.push(rest);
      addBackup(of.simulator.inventory, rest, 'pbs', NOW.getTime() / 1000 - 3600);
    }
    expect((await states(of)).size).toBeGreaterThan(500);
    expect(of.exchanges.length).toBe(few);
    expect(few).toBeLessThan(10);
  });
});

describe('a restore', () => {
  const request = (more: Partial<Parameters<ReturnType<typeof world>['proxmox']['backups']['restore']>[0]> = {}) => ({
    type: 'lxc' as const,
    node: 'pve1',
    vmid: 9001,
    volid: '',
    storage: 'local-zfs',
    name: 'vakhta-drill-9001',
    description: 'x',
    pool: 'vakhta-drill',
    ...more,
  });
  const newest = (of: ReturnType<typeof world>, vmid: number): string =>
    of.simulator.inventory.backups.findLast((one) => one.vmid === vmid)?.volid ?? '';
  const READER = { path: '/', privileges: ALL };
  const POOL = { path: '/pool/vakhta-drill', privileges: DRILL };
  const BRIDGES = { path: '/sdn/zones/localnetwork', privileges: ['SDN.Use'] };

  it.each([
    ['no rights on the pool', [READER, BRIDGES], 'Pool.Allocate|Permissions.Modify'],
    ['no bridge', [READER, POOL], 'SDN.Use'],
    ['no space', [{ path: '/', privileges: [...PVEAuditor, ...PVEVMUser] }, POOL, BRIDGES], 'Datastore.AllocateSpace'],
  ])('with a token of %s names what is missing', async (_what, acl, privilege) => {
    const of = world(acl);
    expect(await errorFrom(of.proxmox.backups.restore(request({ volid: newest(of, 104) })))).toMatchObject({
      code: 'proxmox-permission',
      args: { privilege },
    });
  });

  it('never overwrites: a number that is taken is refused', async () => {
    const of = world();
    expect(await errorFrom(of.proxmox.backups.restore(request({ vmid: 105, volid: newest(of, 104) })))).toMatchObject({
      code: 'proxmox-failed',
      args: { problem: "unable to restore CT 105 - CT 105 already exists on node 'pve1'" },
    });
    expect(of.exchanges.at(-1)?.request.body).not.toContain('force');
  });

  it('that ends in WARNINGS has made the guest; one that failed has not', async () => {
    const of = world();
    of.simulator.tasks.script({
      type: 'vzrestore',
      exitstatus: 'WARNINGS: 1',
      lines: ['WARN: skipping custom lxc options'],
    });
    const upid = await of.proxmox.backups.restore(request({ volid: newest(of, 104) }));
    expect(await of.passing(of.proxmox.waitForTask(upid.upid))).toMatchObject({ outcome: 'warning' });
    expect(of.simulator.guest(9001)).toMatchObject({ status: 'stopped', name: 'vakhta-drill-9001' });
    of.simulator.tasks.script({ type: 'qmrestore', exitstatus: 'command failed' });
    const vm = request({ type: 'qemu', vmid: 9002, volid: newest(of, 201), name: 'vakhta-drill-9002' });
    const failed = await of.proxmox.backups.restore(vm);
    expect(await of.passing(of.proxmox.waitForTask(failed.upid))).toMatchObject({ outcome: 'error' });
    expect(() => of.simulator.guest(9002)).toThrow('no guest 9002');
  });
});
