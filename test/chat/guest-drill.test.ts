/** Drills and backups of guests through the whole life of a run: the ledger, the board, the sweeper. */
import { describe, expect, it } from 'vitest';
import { createRecoveryDesk } from '../../src/tasks/recovery/desk.ts';
import { guestRemover, markOf } from '../../src/tasks/recovery/guest-copy.ts';
import { guestSettings } from '../../src/tasks/recovery/guest-settings.ts';
import { guestParts } from '../../src/tasks/recovery/guests.ts';
import { NO_SERVERS } from '../../src/tasks/recovery/guests-look.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { observation } from '../../src/store/observations.ts';
import drillRestore from '../../src/tasks/operations/drill-restore.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import { createScratchDesk } from '../../src/tasks/scratch/desk.ts';
import { createSweeper } from '../../src/tasks/scratch/sweeper.ts';
import { several } from '../../src/tasks/several.ts';
import { openGuestHost } from './support/guests.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shownRun } from './support/shown.ts';

const PVE = {
  id: 'pve1',
  url: 'https://pve1.example.net:8006',
  token_id: 'vakhta@pve!watch',
  token: 'env:PVE',
  backup: {
    storage: 'backup-nfs',
    drill: { storage: 'local-zfs', pool: 'vakhta-drill', vmid_from: 9000, vmid_to: 9003 },
  },
};

async function open(speed = 20) {
  const host = await openGuestHost(undefined, speed);
  const { time: clock, client } = host;
  const config = configWith({ proxmox: [PVE], recovery: { rto_minutes: 30, rpo_minutes: 10_000 } });
  const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
  const life = await openLife({ operations: [drillRestore], ports, time: clock });
  const { db } = life;
  const scratch = createScratchDesk({ db, clock });
  const proxmox = several([['pve1', client]]);
  const parts = guestParts(config, { db, clock, proxmox, scratch, servers: () => Promise.resolve(NO_SERVERS) });
  const recovery = createRecoveryDesk({
    db,
    clock,
    log: silentLog,
    config,
    parts: { drillables: [], verifiables: [], ...parts },
  });
  ports.recovery = recovery;
  ports.scratch = scratch;
  const begin = async (target: string) => (await life.requests.request(as('anna'), 'drill.restore', { target })).id;
  const remover = guestRemover({ proxmox, settings: guestSettings(config) });
  return { ...host, life, db, clock, proxmox, scratch, recovery, begin, remover };
}

describe('/drill restore guest:…', () => {
  it('goes through, is in the ledger, and is told in both languages', async () => {
    const { begin, life, recovery, scratch, clock, simulator } = await open();
    const id = await begin('guest:nginx');
    await life.deliver();
    const run = await life.run(id);
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true }, result: { passed: true } });
    expect(await recovery.lastGoodDrill('guest:nginx', clock.now())).toMatchObject({ isFresh: true });
    expect(await scratch.open()).toEqual([]);
    expect(simulator.inventory.guests.map(({ name }) => name)).not.toContain('vakhta-drill-9001');
    const { en, ru } = await shownRun(run, life, [drillRestore], clock.now());
    expect(en.icon).toBe('done');
    expect(en.text).toContain('Nothing leads out of the copy');
    expect(ru.text).toContain('Наружу из дубля ничего не ведёт');
  });

  it('that fails to boot is red, and the copy is gone', async () => {
    const { begin, life, simulator, scratch, clock } = await open();
    simulator.tasks.script({ type: 'vzstart', exitstatus: 'startup for container failed' });
    const id = await begin('guest:nginx');
    await life.deliver();
    const run = await life.run(id);
    expect(run.state).toBe('failed');
    expect((await shownRun(run, life, [drillRestore], clock.now())).ru.text).toContain(
      'Не запускается: startup for container failed',
    );
    expect(await scratch.open()).toEqual([]);
    expect(simulator.inventory.guests.map(({ vmid }) => vmid)).not.toContain(9001);
  });

  it('that is cancelled in the restore ends its task, and leaves nothing', async () => {
    const { begin, life, simulator, scratch } = await open();
    simulator.tasks.script({ type: 'vzrestore', hang: true });
    const id = await begin('guest:nginx');
    const working = life.deliver();
    await expect.poll(async () => (await life.run(id)).external?.['upid'], { timeout: 30_000 }).toBeDefined();
    await life.requests.answer(id, 'cancel', as('boris'));
    life.executor.cancel(id);
    await working;
    await expect
      .poll(
        async () => {
          await life.round();
          return (await life.run(id)).state;
        },
        { timeout: 30_000 },
      )
      .toBe('cancelled');
    expect(simulator.tasks.running('9001')).toBeUndefined();
    expect(simulator.inventory.guests.map(({ vmid }) => vmid)).not.toContain(9001);
    expect(await scratch.open()).toEqual([]);
    expect(await life.locks()).toEqual([]);
  });

  it('of a guest that is not there, or has no backup, says so before anything is made', async () => {
    const { begin, life, posts } = await open();
    for (const [target, code] of [
      ['guest:nobody', 'proxmox-no-such-guest'],
      ['guest:9000', 'guest-drill-none'],
    ] as const) {
      const id = await begin(target);
      await life.deliver();
      expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code } });
    }
    expect(posts).toEqual([]);
  });
});

describe('a copy whose worker died', () => {
  it('is removed by the sweeper', async () => {
    const { begin, life, db, clock, scratch, simulator, remover } = await open();
    const id = await begin('guest:nginx');
    const what = { vmid: 9001, node: 'pve1', type: 'lxc' };
    await scratch.claim({ runId: id, kind: 'guest', place: 'pve1', what });
    const config = { hostname: 'vakhta-drill-9001', description: markOf(id) };
    simulator.inventory.guests.push({
      ...simulator.guest(104),
      vmid: 9001,
      name: config.hostname,
      pool: 'vakhta-drill',
      config,
    });
    await db.query(`update runs set state = 'failed', finished_at = $2 where id = $1`, [id, clock.now()]);
    const writer = { apply: () => Promise.reject(new Error('nothing is to be told')) };
    const t = catalogue(allMessages).for('en');
    const sweeper = createSweeper({
      db,
      clock,
      log: silentLog,
      removers: [remover],
      writer,
      t,
      redact: (text) => text,
    });
    await sweeper.round(new AbortController().signal);
    expect(await scratch.open()).toEqual([]);
    expect(() => simulator.guest(9001)).toThrow('no guest 9001');
    expect(await life.locks()).toEqual([]);
  });
});

describe('a copy whose number is none of drills any more', () => {
  it('is left alone while it is there, and seen to be gone when somebody has removed it', async () => {
    const { proxmox, simulator } = await open();
    const [id, runId] = ['1', '0199b1a0-0000-7000-8000-000000000001'];
    const config = { hostname: 'vakhta-drill-9001', description: markOf(runId) };
    const { guests } = simulator.inventory;
    guests.push({ ...simulator.guest(104), vmid: 9001, name: config.hostname, pool: 'vakhta-drill', config });
    const what = { vmid: 9001, node: 'pve1', type: 'lxc' };
    const thing = { id, runId, kind: 'guest', place: 'pve1', what, claimedAt: new Date(0) };
    const none = { ...PVE, backup: { storage: 'backup-nfs' } };
    const other = { ...PVE, backup: { ...PVE.backup, drill: { ...PVE.backup.drill, vmid_from: 8000, vmid_to: 8003 } } };
    const removers = [none, other].map((one) =>
      guestRemover({ proxmox, settings: guestSettings(configWith({ proxmox: [one] })) }),
    );
    const remove = () => Promise.allSettled(removers.map((one) => one.remove(thing, new AbortController().signal)));
    expect(await remove()).toMatchObject([
      { status: 'rejected', reason: { code: 'guest-drill-not-ours' } },
      { status: 'rejected', reason: { code: 'guest-drill-not-ours' } },
    ]);
    expect(simulator.guest(9001).name).toBe('vakhta-drill-9001');
    guests.splice(guests.indexOf(simulator.guest(9001)), 1);
    expect(await remove()).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
  });
});

// In real time: the board gives a source twenty seconds, which is nothing at all for a clock that runs fast.
describe('the board', () => {
  it('has every guest, and readings of the storages are kept for the forecast', async () => {
    const { recovery, db } = await open(1);
    const board = await recovery.board(new AbortController().signal);
    expect(board.sources).toMatchObject([{ name: 'proxmox pve1', ok: true }]);
    expect(board.states.find(({ target }) => target === 'guest:pg1')).toMatchObject({ state: 'ok' });
    expect(board.states.find(({ target }) => target === 'guest:dns')).toMatchObject({ state: 'down' });
    expect((await observation(db, 'fill.proxmox.pve1'))?.data).toMatchObject({
      'backup-nfs': [[expect.any(Number), expect.any(Number), expect.any(Number)]],
    });
    await recovery.board(new AbortController().signal);
    const again = (await observation(db, 'fill.proxmox.pve1'))?.data as Record<string, unknown[]>;
    expect(again['backup-nfs']?.length).toBeLessThanOrEqual(2);
  });

  it('keeps the guests as unknown when the host is away', async () => {
    const { recovery, simulator } = await open(1);
    await recovery.board(new AbortController().signal);
    simulator.faults.refuse = true;
    const board = await recovery.board(new AbortController().signal);
    expect(board.states.find(({ target }) => target === 'guest:pg1')).toMatchObject({
      state: 'unknown',
      line: { key: 'err-proxmox-unreachable' },
    });
  });
});
