/** A restore of a guest that is tried out, against the simulated host: what it proves, and that nothing of it is left. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '../../../src/core/clock.ts';
import { type DrillReport, drillPassed } from '../../../src/core/recovery.ts';
import {
  DRILL,
  PVEAuditor,
  PVEDatastoreUser,
  PVEVMUser,
  type SimToken,
} from '../../../src/simulators/proxmox/access.ts';
import { backedUpCompany } from '../../../src/simulators/proxmox/backed-up.ts';
import { several } from '../../../src/tasks/several.ts';
import { guestRemover, markOf } from '../../../src/tasks/recovery/guest-copy.ts';
import { guestRightsProbe } from '../../../src/tasks/recovery/guest-rights.ts';
import type { GuestBackupSettings } from '../../../src/tasks/recovery/guest-settings.ts';
import { createGuestDrill } from '../../../src/tasks/recovery/guests-drill.ts';
import type { ScratchDesk, ScratchThing } from '../../../src/tasks/scratch/desk.ts';
import { haveContracts } from '../../support/contracts.ts';
import { errorFrom, inProcess } from './in-process.ts';
import { type ApiDescription, apiDescription } from './schema.ts';
import { quiet, TOKEN } from './subject.ts';

const NOW = new Date('2026-11-23T08:00:00Z');
const RUN = '019ab000-0000-7000-8000-000000000001';
const READER = [...new Set([...PVEAuditor, ...PVEVMUser, ...PVEDatastoreUser])];

const SETTINGS: GuestBackupSettings = {
  storage: 'backup-nfs',
  mode: 'snapshot',
  maxAgeHours: 26,
  exempt: [],
  drill: { storage: 'local-zfs', pool: 'vakhta-drill', vmidFrom: 9000, vmidTo: 9003, bootSeconds: 120 },
};

function memoryScratch(now: () => Date) {
  const things: ScratchThing[] = [];
  let n = 0;
  const desk: ScratchDesk = {
    claim: (thing) => {
      const id = String(++n);
      things.push({ ...thing, id, claimedAt: now() });
      return Promise.resolve(id);
    },
    released: (id) => {
      things.splice(
        things.findIndex((one) => one.id === id),
        1,
      );
      return Promise.resolve();
    },
    open: () => Promise.resolve([...things]),
  };
  return { desk, things };
}

function open({ acl, settings = SETTINGS }: { acl?: SimToken['acl']; settings?: GuestBackupSettings } = {}) {
  const of = inProcess({ inventory: backedUpCompany(NOW), ...(acl ? { tokens: [{ ...TOKEN, acl }] } : {}) });
  worlds.push(of);
  const { clock, proxmox, simulator } = of;
  const scratch = memoryScratch(() => clock.now());
  const hosts = several([['pve1', proxmox]]);
  const edges = { proxmox: hosts, settings: { of: () => settings }, scratch: scratch.desk, clock };
  const remover = guestRemover({ proxmox: hosts, settings: edges.settings });
  const cancel = new AbortController();
  const remembered: Readonly<Record<string, unknown>>[] = [];
  const steps: string[] = [];
  const context = {
    runId: RUN,
    clock,
    log: quiet,
    signal: cancel.signal,
    progress: ({ step }: { readonly step: { readonly key: string } }) => void steps.push(step.key),
    remember: (external: Readonly<Record<string, unknown>>) => {
      remembered.push(external);
      return Promise.resolve();
    },
  };
  const before = simulator.inventory.guests.map(({ vmid }) => vmid);
  const drill = (id: string) => createGuestDrill(id, edges);
  return {
    ...of,
    scratch,
    remover,
    cancel,
    context,
    remembered,
    steps,
    drill,
    run: (id: string): Promise<DrillReport> => of.passing(drill(id).run(context)),
    /** Nothing is there that was not there before, and nothing is claimed. */
    expectTidy: () => {
      expect(simulator.inventory.guests.map(({ vmid }) => vmid)).toEqual(before);
      expect(scratch.things).toEqual([]);
    },
  };
}

const failing = ({ proofs }: DrillReport): string[] => proofs.filter(({ ok }) => !ok).map(({ text }) => text.key);
const keys = ({ proofs }: DrillReport): string[] => proofs.map(({ text }) => text.key);

let description: ApiDescription | undefined;
const worlds: ReturnType<typeof inProcess>[] = [];
beforeAll(() => {
  if (haveContracts) description = apiDescription();
});
afterEach(() => {
  const problems: string[] = [];
  for (const { exchanges } of worlds.splice(0)) {
    for (const { request, answer } of exchanges) {
      const path = request.url.pathname.replace('/api2/json', '');
      const parameters = Object.fromEntries([...request.url.searchParams, ...new URLSearchParams(request.body ?? '')]);
      problems.push(...(description?.request(request.method, path, parameters) ?? []));
      if (answer.status !== 200) continue;
      const { data } = JSON.parse(answer.body) as { data: unknown };
      problems.push(...(description?.answer(request.method, path, data, true) ?? []));
    }
  }
  if (problems.length > 0) throw new Error(`not as the API description has it:\n${problems.join('\n')}`);
});

describe('a drill of a container', () => {
  it('says what it will do, and does nothing', async () => {
    const { drill, exchanges } = open();
    const one = drill('nginx');
    const plan = await one.plan(new AbortController().signal);
    expect(plan.lines).toMatchObject([
      { key: 'guest-drill-plan', args: { guest: 'nginx', storage: 'pbs', vmid: '9001', to: 'local-zfs' } },
      { key: 'guest-drill-plan-space' },
    ]);
    expect(one.locks).toEqual(['guest-drills', 'guest-nginx/backup']);
    expect(exchanges.every(({ request }) => request.method === 'GET')).toBe(true);
  });

  it('restores the newest backup without its network, sees it run, and destroys it', async () => {
    const { run, simulator, exchanges, expectTidy, remembered, steps } = open();
    const report = await run('nginx');
    expect(drillPassed(report)).toBe(true);
    expect(keys(report)).toEqual(['guest-drill-restored', 'guest-drill-same', 'guest-drill-cut', 'guest-drill-runs']);
    const newest = simulator.inventory.backups.findLast(({ vmid }) => vmid === 104);
    expect(report).toMatchObject({ source: newest?.volid, versions: { proxmox: '9.2.10' } });
    expect(report.rpoMs).toBe(NOW.getTime() - (newest?.ctime ?? 0) * 1000);
    expect(report.steps.map(({ text }) => text.key)).toEqual([
      'guest-drill-part-restore',
      'guest-drill-part-cut',
      'guest-drill-part-boot',
      'guest-drill-part-remove',
    ]);
    // 20 s of restore, 3 s of start; what the drill does around it is not counted.
    expect(report.rtoMs).toBeGreaterThanOrEqual(23_000);
    expect(report.rtoMs).toBeLessThan(40_000);
    expectTidy();
    // The number 9000 is a template's: the next one was taken.
    expect(remembered.at(-1)).toMatchObject({ copy: { vmid: 9001, runId: RUN } });
    expect(steps).toContain('guest-drill-booting');
    const changes = exchanges
      .filter(({ request }) => request.method !== 'GET')
      .map(({ request }) => `${request.method} ${request.url.pathname.replace('/api2/json/nodes/pve1', '')}`);
    expect(changes).toEqual([
      'POST /lxc',
      'PUT /lxc/9001/config',
      'POST /lxc/9001/status/start',
      'POST /lxc/9001/status/stop',
      'DELETE /lxc/9001',
    ]);
    const put = exchanges.find(({ request }) => request.method === 'PUT')?.request.body ?? '';
    expect(new URLSearchParams(put).get('delete')).toBe('net0');
    const started = exchanges.findIndex(({ request }) => request.url.pathname.endsWith('/status/start'));
    const lastLook = exchanges
      .slice(0, started)
      .findLast(({ request }) => request.url.pathname.endsWith('/9001/config'));
    expect(lastLook?.answer.body).not.toContain('net0');
  });

  it('skips a backup that has failed its verification', async () => {
    const { run, simulator } = open();
    const ofDns = simulator.inventory.backups.filter(({ vmid }) => vmid === 105);
    expect((await run('dns')).source).toBe(ofDns.at(-2)?.volid);
  });

  it('that ends in warnings has made it: it goes on, is destroyed, and tells them', async () => {
    const { run, simulator, expectTidy } = open();
    simulator.tasks.script({
      type: 'vzrestore',
      exitstatus: 'WARNINGS: 1',
      lines: ['WARN: skipping custom lxc options'],
    });
    const report = await run('nginx');
    expect(drillPassed(report)).toBe(true);
    expect(report.proofs[0]).toMatchObject({
      text: { key: 'guest-drill-restored-warnings', args: { problem: 'WARN: skipping custom lxc options' } },
    });
    expectTidy();
  });

  it('tells what the backup never held, and what is not as it was', async () => {
    const { run, simulator } = open();
    const newest = simulator.inventory.backups.findLast(({ vmid }) => vmid === 104);
    Object.assign(newest?.config ?? {}, { mp0: 'local-zfs:subvol-104-disk-1,mp=/srv,size=8G' });
    expect(keys(await run('nginx'))).toContain('guest-drill-excluded');
    const restoring = open();
    const { backups } = restoring.proxmox;
    const configIn = backups.configIn.bind(backups);
    Object.assign(backups, {
      configIn: async (...args: Parameters<typeof configIn>) =>
        (await configIn(...args)).replace('memory: 1024', 'memory: 2048'),
    });
    const report = await restoring.run('nginx');
    expect(report.proofs.find(({ ok }) => !ok)?.text).toEqual({ key: 'guest-drill-differs', args: { what: 'memory' } });
    restoring.expectTidy();
  });
});

describe('a drill of a machine', () => {
  it('waits for its agent', async () => {
    const { run, simulator, expectTidy } = open();
    const report = await run('build1');
    expect(keys(report)).toContain('guest-drill-agent');
    expect(drillPassed(report)).toBe(true);
    // The agent answers 20 s after the start.
    expect(report.rtoMs).toBeGreaterThanOrEqual(40_000);
    expect(simulator.guest(201).status).toBe('running');
    expectTidy();
  });

  it('without an agent, or without the right to ask it, says that nobody looked inside', async () => {
    const { run, simulator } = open();
    for (const one of simulator.inventory.backups) if (one.vmid === 201) Object.assign(one.config, { agent: '0' });
    expect(keys(await run('build1'))).toContain('guest-drill-unseen');
    const POOL = DRILL.filter((one) => one !== 'VM.GuestAgent.Audit');
    const blind = open({
      acl: [
        { path: '/', privileges: READER },
        { path: '/pool/vakhta-drill', privileges: POOL },
        { path: '/sdn/zones/localnetwork', privileges: ['SDN.Use'] },
      ],
    });
    expect(keys(await blind.run('build1'))).toContain('guest-drill-agent-hidden');
    blind.expectTidy();
  });
});

describe('a copy that does not do', () => {
  it.each([
    [
      'the task of the start fails',
      { type: 'vzstart', exitstatus: 'startup for container 9001 failed' },
      'guest-drill-no-start',
    ],
    ['it stops again', { type: 'vzstart', applies: false }, 'guest-drill-fell'],
  ])('%s: the drill fails, and nothing is left', async (_what, script, key) => {
    const { run, simulator, expectTidy } = open();
    simulator.tasks.script(script);
    const report = await run('nginx');
    expect(failing(report)).toEqual([key]);
    expect(drillPassed(report)).toBe(false);
    expectTidy();
  });

  it('is not up in time', async () => {
    const drill = { ...SETTINGS.drill!, bootSeconds: 10 };
    const { run, expectTidy } = open({ settings: { ...SETTINGS, drill } });
    expect(failing(await run('build1'))).toEqual(['guest-drill-not-up']);
    expectTidy();
  });

  it('that a device of the host leads out of is cut off, or not started', async () => {
    const { run, simulator, exchanges, expectTidy } = open();
    for (const one of simulator.inventory.backups) {
      if (one.vmid === 201) Object.assign(one.config, { usb0: 'host=046d:c52b' });
    }
    expect(drillPassed(await run('build1'))).toBe(true);
    const put = exchanges.find(({ request }) => request.method === 'PUT')?.request.body ?? '';
    expect(new URLSearchParams(put).get('delete')).toBe('net0,usb0');
    expectTidy();

    const rooted = open();
    for (const one of rooted.simulator.inventory.backups) {
      if (one.vmid === 201) Object.assign(one.config, { hookscript: 'local:snippets/x.sh' });
    }
    const report = await rooted.run('build1');
    expect(failing(report)).toEqual(['guest-drill-uncut']);
    expect(rooted.exchanges.some(({ request }) => request.url.pathname.endsWith('/status/start'))).toBe(false);
    rooted.expectTidy();
  });

  it('with a disk of another guest is never started', async () => {
    const { run, simulator, exchanges, expectTidy } = open();
    for (const one of simulator.inventory.backups) {
      if (one.vmid === 201) Object.assign(one.config, { ide0: '/dev/disk/by-id/ata-x,backup=0' });
    }
    // As the host does with a disk that is in no backup: the line stays as it was.
    const report = await run('build1');
    expect(failing(report)).toContain('guest-drill-unsafe');
    expect(exchanges.some(({ request }) => request.url.pathname.endsWith('/status/start'))).toBe(false);
    expectTidy();
  });
});

describe('a drill that cannot be done', () => {
  it.each([
    ['nobody', 'proxmox-no-such-guest'],
    ['9000', 'guest-drill-none'],
  ])('of %s says why: %s', async (id, code) => {
    const { drill, expectTidy } = open();
    expect((await errorFrom(drill(id).plan(new AbortController().signal))).code).toBe(code);
    expectTidy();
  });

  it('for want of space, of a number, of the right kind of storage, or of a configuration', async () => {
    const plan = async (of: ReturnType<typeof open>) =>
      (await errorFrom(of.drill('nginx').plan(new AbortController().signal))).code;
    const full = open();
    const zfs = full.simulator.inventory.storage.find(({ storage }) => storage === 'local-zfs');
    if (zfs) zfs.used = zfs.total - 1e6;
    expect(await plan(full)).toBe('guest-drill-full');
    const narrow = { ...SETTINGS, drill: { ...SETTINGS.drill!, vmidTo: 9000 } };
    expect(await plan(open({ settings: narrow }))).toBe('guest-drill-range');
    const wrong = { ...SETTINGS, drill: { ...SETTINGS.drill!, storage: 'backup-nfs' } };
    expect(await plan(open({ settings: wrong }))).toBe('guest-drill-storage');
    const { drill: _drill, ...without } = SETTINGS;
    expect(await plan(open({ settings: without }))).toBe('guest-drill-off');
  });

  it('for want of rights names the first one, before anything is made', async () => {
    const POOL = { path: '/pool/vakhta-drill', privileges: DRILL.filter((one) => one !== 'VM.Allocate') };
    const { drill, exchanges } = open({ acl: [{ path: '/', privileges: READER }, POOL] });
    const error = await errorFrom(drill('nginx').plan(new AbortController().signal));
    expect(error).toMatchObject({
      code: 'proxmox-permission',
      args: { privilege: 'VM.Allocate', path: '/pool/vakhta-drill' },
    });
    const auditor = open({ acl: [{ path: '/', privileges: PVEAuditor }] });
    const blind = await errorFrom(auditor.drill('nginx').plan(new AbortController().signal));
    expect(blind).toMatchObject({ code: 'proxmox-permission', args: { privilege: 'Datastore.AllocateSpace' } });
    expect(exchanges.every(({ request }) => request.method === 'GET')).toBe(true);
  });

  it('because the restore fails: it throws, and nothing is left', async () => {
    const { drill, context, passing, simulator, expectTidy } = open();
    simulator.tasks.script({ type: 'vzrestore', exitstatus: 'unable to restore CT 9001 - tar failed' });
    const error = await passing(errorFrom(drill('nginx').run(context)));
    expect(error).toMatchObject({
      code: 'guest-drill-restore',
      args: { problem: 'unable to restore CT 9001 - tar failed' },
    });
    expectTidy();
  });
});

describe('what doctor says of the token', () => {
  const POOL = { path: '/pool/vakhta-drill', privileges: DRILL };
  const told = async (acl: SimToken['acl'] | undefined, settings = SETTINGS) => {
    const { proxmox } = open({ settings, ...(acl ? { acl } : {}) });
    const { state, text, args } = await guestRightsProbe(proxmox, settings).probe(new AbortController().signal);
    return [state, text, ...(args ? [args['privilege'] ?? args['storage']] : [])];
  };
  const { drill: _drill, ...noDrill } = SETTINGS;
  const { pool: _pool, ...noPool } = SETTINGS.drill!;

  it.each([
    ['everything', undefined, SETTINGS, ['ok', 'guest-rights-ok']],
    ['everything, and no drills', undefined, noDrill, ['ok', 'guest-rights-ok-no-drill']],
    [
      'what an auditor has',
      [{ path: '/', privileges: PVEAuditor }],
      SETTINGS,
      ['down', 'guest-rights-blind', 'Datastore.AllocateSpace'],
    ],
    [
      'no guests',
      [{ path: '/', privileges: [...PVEAuditor, ...PVEDatastoreUser] }],
      SETTINGS,
      ['down', 'guest-rights-blind', 'VM.Backup'],
    ],
    [
      'some guests',
      [
        { path: '/', privileges: [...PVEAuditor, ...PVEDatastoreUser] },
        { path: '/vms/104', privileges: PVEVMUser },
      ],
      SETTINGS,
      ['warn', 'guest-rights-some', 'VM.Backup'],
    ],
    ['no pool', [{ path: '/', privileges: READER }], SETTINGS, ['warn', 'guest-rights-drill', 'Pool.Allocate']],
    [
      'no pool in the configuration',
      [{ path: '/', privileges: READER }, POOL],
      { ...SETTINGS, drill: noPool },
      ['warn', 'guest-rights-pool', 'VM.Allocate'],
    ],
    [
      'a storage that is none',
      undefined,
      { ...SETTINGS, storage: 'local-zfs' },
      ['down', 'guest-rights-storage', 'local-zfs'],
    ],
  ] as const)('with %s', async (_what, acl, settings, said) => {
    expect(await told(acl, settings)).toEqual(said);
  });
});

describe('numbers', () => {
  it('that somebody takes in between are left to them: the next one is used', async () => {
    const { run, simulator, scratch, proxmox, remembered } = open();
    const { backups } = proxmox;
    const restore = backups.restore.bind(backups);
    let first = true;
    Object.assign(backups, {
      restore: (...args: Parameters<typeof restore>) => {
        if (first) simulator.inventory.guests.push({ ...simulator.guest(104), vmid: 9001, name: 'theirs' });
        first = false;
        return restore(...args);
      },
    });
    expect(drillPassed(await run('nginx'))).toBe(true);
    expect(remembered.at(-1)).toMatchObject({ copy: { vmid: 9002 } });
    expect(simulator.guest(9001)).toMatchObject({ name: 'theirs', status: 'running' });
    expect(scratch.things).toEqual([]);
  });

  it('that another drill has claimed are not used', async () => {
    const { drill, scratch } = open();
    await scratch.desk.claim({ runId: 'other', kind: 'guest', place: 'pve1', what: { vmid: 9001 } });
    const { lines } = await drill('nginx').plan(new AbortController().signal);
    expect(lines[0]?.args).toMatchObject({ vmid: '9002' });
  });
});

describe('a drill that is broken off', () => {
  it.each([
    ['in the restore', 'vzrestore'],
    ['in the start', 'vzstart'],
  ])('%s stops its task within five seconds, and leaves nothing', async (_what, type) => {
    const { drill, context, cancel, clock, passing, simulator, expectTidy } = open();
    simulator.tasks.script({ type, hang: true });
    const running = errorFrom(drill('nginx').run(context));
    const isThere = () => simulator.tasks.running('9001')?.type === type;
    for (let n = 0; !isThere(); n++) {
      if (n > 500) throw new Error('it did not come so far');
      await clock.advance(500);
    }
    cancel.abort();
    const at = clock.now().getTime();
    for (let n = 0; isThere() && n < 20; n++) await clock.advance(500);
    expect(clock.now().getTime() - at).toBeLessThanOrEqual(5000);
    await passing(running);
    expectTidy();
  });
});

describe('what a dead worker left behind', () => {
  const left = async (of: ReturnType<typeof open>, until: () => boolean) => {
    const running = of.drill('nginx').run(of.context);
    running.catch(() => {});
    for (let n = 0; !until(); n++) {
      if (n > 500) throw new Error('it did not come so far');
      await of.clock.advance(500);
    }
  };
  const thing = (of: ReturnType<typeof open>): ScratchThing => {
    const [first] = of.scratch.things;
    if (!first) throw new Error('nothing is claimed');
    return first;
  };
  const anybody = new AbortController().signal;

  it('in the middle of the restore is stopped and gone', async () => {
    const of = open();
    of.simulator.tasks.script({ type: 'vzrestore', hang: true });
    await left(of, () => of.simulator.tasks.running('9001') !== undefined);
    const claimed = thing(of);
    await of.passing(of.remover.remove(claimed, anybody));
    expect(of.simulator.tasks.running('9001')).toBeUndefined();
    expect(() => of.simulator.guest(9001)).toThrow('no guest 9001');
  });

  it('running is stopped and destroyed; what is gone already is no error', async () => {
    const of = open();
    await of.run('nginx');
    const copy = { ...of.simulator.guest(104), vmid: 9001, name: 'vakhta-drill-9001', pool: 'vakhta-drill' };
    of.simulator.inventory.guests.push({
      ...copy,
      config: { hostname: copy.name, description: `${markOf(RUN)}\n`, protection: '1' },
    });
    const claimed: ScratchThing = {
      id: '1',
      runId: RUN,
      kind: 'guest',
      place: 'pve1',
      what: { vmid: 9001, node: 'pve1', type: 'lxc' },
      claimedAt: of.clock.now(),
    };
    await of.passing(of.remover.remove(claimed, anybody));
    expect(() => of.simulator.guest(9001)).toThrow('no guest 9001');
    await of.passing(of.remover.remove(claimed, anybody));
  });

  it.each([
    ['of another run', { hostname: 'vakhta-drill-9001', description: markOf('somebody-else') }],
    ['of another name', { hostname: 'gitlab', description: markOf(RUN) }],
    ['without a mark', { hostname: 'vakhta-drill-9001' }],
  ])('a guest %s is left alone', async (_what, config) => {
    const of = open();
    of.simulator.inventory.guests.push({ ...of.simulator.guest(104), vmid: 9001, pool: 'vakhta-drill', config });
    const claimed = {
      id: '1',
      runId: RUN,
      kind: 'guest',
      place: 'pve1',
      what: { vmid: 9001, node: 'pve1', type: 'lxc' },
      claimedAt: NOW,
    };
    const error = await of.passing(errorFrom(of.remover.remove(claimed, anybody)));
    expect(error.code).toBe('guest-drill-not-ours');
    expect(of.simulator.guest(9001).status).toBe('running');
  });

  it('a number outside of the range is never touched, whatever it is called', async () => {
    const of = open();
    of.simulator.guest(104).config = { hostname: 'vakhta-drill-104', description: markOf(RUN) };
    const claimed = {
      id: '1',
      runId: RUN,
      kind: 'guest',
      place: 'pve1',
      what: { vmid: 104, node: 'pve1', type: 'lxc' },
      claimedAt: NOW,
    };
    expect((await of.passing(errorFrom(of.remover.remove(claimed, anybody)))).code).toBe('guest-drill-not-ours');
    await of.clock.advance(minutes(1));
    expect(of.simulator.guest(104).status).toBe('running');
  });
});
