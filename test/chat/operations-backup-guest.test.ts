import { describe, expect, it } from 'vitest';
import type { Proxmox } from '../../src/integrations/proxmox/port.ts';
import { PVEAuditor, PVEVMUser, type SimToken } from '../../src/simulators/proxmox/access.ts';
import { configOf } from '../../src/simulators/proxmox/guest-config.ts';
import backup from '../../src/tasks/operations/backup-guest.ts';
import type { GuestBackupSettings } from '../../src/tasks/recovery/guest-settings.ts';
import { several } from '../../src/tasks/several.ts';
import { BACKUP_TOKEN, openGuestHost, SETTINGS } from './support/guests.ts';
import { as, openLife } from './support/life.ts';
import { shownRun } from './support/shown.ts';

interface Options {
  readonly token?: SimToken;
  /** `null`: none. */
  readonly settings?: GuestBackupSettings | null;
}

async function open({ token = BACKUP_TOKEN, settings = SETTINGS }: Options = {}) {
  const host = await openGuestHost(token);
  const { time, client } = host;
  const ports = { proxmox: several([['pve1', client]]), guestSettings: { of: () => settings ?? undefined } };
  const life = await openLife({ operations: [backup], ports, time });
  const begin = async (args: Record<string, unknown>) =>
    (await life.requests.request(as('anna'), 'backup.guest', args)).id;
  const ask = async (args: Record<string, unknown>) => {
    const id = await begin(args);
    await life.deliver();
    return life.run(id);
  };
  const card = async (run: Awaited<ReturnType<typeof ask>>) => shownRun(run, life, [backup], time.now());
  const settled = (id: string) =>
    expect.poll(
      async () => {
        await life.round();
        return (await life.run(id)).state;
      },
      { timeout: 30_000 },
    );
  return { ...host, life, begin, ask, card, settled };
}

/** The plan asks for the guest first, the run second; what comes in between is not seen by either. */
function betweenPlanAndRun(client: Proxmox, happens: () => void): void {
  const find = client.guest.bind(client);
  let asked = 0;
  Object.assign(client, {
    guest: async (...args: Parameters<typeof find>) => {
      const found = await find(...args);
      if (++asked === 2) happens();
      return found;
    },
  });
}

describe('/backup guest', () => {
  it('backs up to the configured storage, and sees it there', async () => {
    const { ask, card, posts, simulator, life } = await open();
    const run = await ask({ guest: 'nginx' });
    expect(run).toMatchObject({
      state: 'succeeded',
      verified: { ok: true, text: { key: 'backup-guest-seen' } },
      plan: {
        lines: [{ key: 'backup-guest-plan', args: { storage: 'backup-nfs' } }, { key: 'backup-guest-plan-first' }, {}],
      },
      result: { guest: 'nginx (104)', storage: 'backup-nfs', excluded: [], pruned: 0, warnings: [] },
    });
    expect(posts).toEqual(['POST /nodes/pve1/vzdump']);
    const made = simulator.inventory.backups.at(-1);
    expect(run.result).toMatchObject({ volid: made?.volid, sizeBytes: made?.size });
    const { en, ru } = await card(run);
    expect(en.icon).toBe('done');
    expect(en.text).toContain(`Backup: ${made?.volid.split('/').at(-1)}`);
    expect(ru.text).toContain('Хранилище: backup-nfs');
    expect(await life.locks()).toEqual([]);
  });

  it('of a machine tells the percentage as it goes; a backup server is named in the words of its own', async () => {
    const { begin, life } = await open();
    const id = await begin({ guest: 'build1', storage: 'pbs' });
    const seen = new Set<number>();
    const working = life.deliver();
    await expect
      .poll(
        async () => {
          const { progress, state } = await life.run(id);
          if (progress?.percent !== undefined) seen.add(progress.percent);
          return state;
        },
        { interval: 20, timeout: 30_000 },
      )
      .toBe('succeeded');
    await working;
    expect(seen.size).toBeGreaterThan(0);
    expect((await life.run(id)).result).toMatchObject({ volid: expect.stringMatching(/^pbs:backup\/vm\/201\/.*Z$/) });
  });

  it('names the disks that are not in it', async () => {
    const { ask, card, simulator } = await open();
    configOf(simulator.guest(104))['mp0'] = 'local-zfs:subvol-104-disk-1,mp=/srv,size=8G';
    const run = await ask({ guest: '104' });
    expect(run).toMatchObject({ state: 'succeeded', result: { excluded: ['mp0 (/srv)'] } });
    expect((await card(run)).ru.text).toContain('Не вошло: mp0 (/srv)');
  });

  it('with an ERROR after the end is good, and tells of it; with WARNINGS it is amber', async () => {
    const { ask, card, simulator } = await open();
    const ended = ['INFO: Backup job finished successfully', 'ERROR: could not notify via target `mail`'];
    simulator.tasks.script({ type: 'vzdump', lines: ended });
    const run = await ask({ guest: 'nginx' });
    expect(run).toMatchObject({ state: 'succeeded', result: { warnings: ['could not notify via target `mail`'] } });
    expect((await card(run)).en.text).toContain('could not notify');
    simulator.tasks.script({ type: 'vzdump', exitstatus: 'WARNINGS: 1', lines: ['WARN: no such file'] });
    expect(await ask({ guest: 'dns' })).toMatchObject({
      state: 'warning',
      result: { warnings: ['WARN: no such file'] },
    });
  });

  it.each([
    [
      'an error in its log',
      { exitstatus: 'job errors', lines: ['ERROR: Backup of VM 104 failed - got timeout'] },
      'guest-task-failed',
      'got timeout',
    ],
    ['no word', { exitstatus: 'unexpected status' }, 'guest-task-unknown', ''],
    ['OK, and nothing in the storage', { applies: false }, 'not-verified', ''],
  ])('that ends with %s is red', async (_what, script, code, words) => {
    const { ask, card, simulator } = await open();
    simulator.tasks.script({ type: 'vzdump', ...script });
    const run = await ask({ guest: 'nginx' });
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    expect((await card(run)).en.text).toContain(words);
  });

  it('that fills the disk on the way is red, and says which', async () => {
    const { ask, client, card, simulator } = await open();
    const nfs = simulator.inventory.storage.find(({ storage }) => storage === 'backup-nfs');
    if (!nfs) throw new Error('no nfs');
    betweenPlanAndRun(client, () => {
      nfs.used = nfs.total - 1e6;
    });
    const run = await ask({ guest: 'nginx' });
    expect(run).toMatchObject({ state: 'failed', error: { code: 'guest-task-failed' } });
    expect((await card(run)).en.text).toContain('No space left');
    expect(simulator.inventory.backups.filter(({ vmid, storage }) => vmid === 104 && storage === 'backup-nfs')).toEqual(
      [],
    );
  });

  it.each([
    ['a storage that takes none', { storage: 'local-zfs' }, 'backup-guest-content'],
    ['a storage that is not there', { storage: 'nowhere' }, 'backup-guest-content'],
    ['a mode that would interrupt it', { mode: 'stop' }, 'backup-guest-mode'],
  ])('to %s is refused before anything is done', async (_what, more, code) => {
    const { ask, card, posts } = await open();
    const run = await ask({ guest: 'nginx', ...more });
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    await card(run);
    expect(posts).toEqual([]);
  });

  it('to a full one, one that is away, of a locked guest, or without a storage anywhere is refused', async () => {
    const { ask, simulator, posts } = await open();
    const nfs = simulator.inventory.storage.find(({ storage }) => storage === 'backup-nfs');
    if (!nfs) throw new Error('no nfs');
    nfs.used = nfs.total - 1e6;
    expect((await ask({ guest: 'nginx' })).error).toMatchObject({ code: 'backup-guest-full' });
    nfs.active = false;
    expect((await ask({ guest: 'nginx' })).error).toMatchObject({ code: 'backup-guest-away' });
    simulator.guest(105).lock = 'backup';
    expect((await ask({ guest: 'dns' })).error).toMatchObject({
      code: 'backup-guest-locked',
      args: { lock: 'backup' },
    });
    expect(posts).toEqual([]);
    const bare = await open({ settings: null });
    expect((await bare.ask({ guest: 'nginx' })).error).toMatchObject({ code: 'backup-guest-storage' });
    expect(await bare.ask({ guest: 'nginx', storage: 'pbs' })).toMatchObject({ state: 'succeeded' });
  });

  it('in the configured mode may stop the guest, and says so before', async () => {
    const { ask } = await open({ settings: { ...SETTINGS, mode: 'stop' } });
    const run = await ask({ guest: 'nginx' });
    expect(run.state).toBe('succeeded');
    expect(run.plan?.lines.map(({ key }) => key)).toContain('backup-guest-plan-stop');
  });

  it('with a token that lacks a right names it', async () => {
    const token: SimToken = { ...BACKUP_TOKEN, acl: [{ path: '/', privileges: [...PVEAuditor, ...PVEVMUser] }] };
    const { ask } = await open({ token });
    expect((await ask({ guest: 'nginx' })).error).toMatchObject({
      code: 'proxmox-permission',
      args: { privilege: 'Datastore.AllocateSpace', path: '/storage/backup-nfs' },
    });
  });

  it('whose guest is on another node by now: “OK” instead of a task is no success', async () => {
    const { ask, simulator, client } = await open();
    betweenPlanAndRun(client, () => {
      simulator.guest(104).node = 'pve2';
    });
    expect(await ask({ guest: 'nginx' })).toMatchObject({ state: 'failed', error: { code: 'backup-guest-nothing' } });
  });

  it('that hangs and is cancelled stops its task', async () => {
    const { begin, life, simulator, posts, settled } = await open();
    simulator.tasks.script({ type: 'vzdump', hang: true });
    const id = await begin({ guest: 'nginx' });
    const working = life.deliver();
    await expect.poll(async () => (await life.run(id)).external?.['upid'], { timeout: 30_000 }).toBeDefined();
    await life.requests.answer(id, 'cancel', as('boris'));
    life.executor.cancel(id);
    await working;
    await settled(id).toBe('cancelled');
    expect(posts.at(-1)).toMatch(/^DELETE \/nodes\/pve1\/tasks\//);
    expect(simulator.tasks.running('104')).toBeUndefined();
    expect(simulator.guest(104).lock).toBeUndefined();
    expect(await life.locks()).toEqual([]);
  });

  it('whose answer is lost is never repeated: the host’s own list tells what became of it', async () => {
    const { begin, life, simulator, posts, settled } = await open();
    const id = await begin({ guest: 'nginx' });
    simulator.faults.loseAnswer = true;
    await life.deliver();
    await settled(id).toBe('succeeded');
    expect(posts).toHaveLength(1);
    expect((await life.run(id)).result).toMatchObject({ volid: simulator.inventory.backups.at(-1)?.volid });
  });

  it('whose worker died before the host heard of it is not done, and says so', async () => {
    const { begin, life, time, settled } = await open();
    const id = await begin({ guest: 'nginx' });
    const asked = { host: 'pve1', vmid: 104, name: 'nginx', node: 'pve1', storage: 'backup-nfs', mode: 'snapshot' };
    const at = new Date(time.now().getTime() - 120_000);
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3 where id = $1`,
      [id, at, JSON.stringify({ asked, at })],
    );
    await settled(id).toBe('failed');
    expect((await life.run(id)).error).toMatchObject({ text: 'err-guest-task-none' });
  });
});
