/** Each trap of the real host that has burnt somebody: none may look fine, and each has its own error. */
import { describe, expect, it } from 'vitest';
import { PVEAuditor, PVEVMUser, type SimToken } from '../../../src/simulators/proxmox/access.ts';
import { smallCompany } from '../../../src/simulators/proxmox/inventory.ts';
import { errorFrom, inProcess } from './in-process.ts';
import { TOKEN } from './subject.ts';

const token = (...acl: SimToken['acl']): SimToken => ({ ...TOKEN, acl });
const anybody = new AbortController().signal;

describe('a token without the privilege', () => {
  it('that sees no guests gets an error, while the host answers 200 with an empty list', async () => {
    const { proxmox, exchanges } = inProcess({ tokens: [token({ path: '/nodes', privileges: PVEAuditor })] });
    const error = await errorFrom(proxmox.resources('vm'));
    expect(error).toMatchObject({
      kind: 'permanent',
      code: 'proxmox-permission',
      args: { host: 'pve1', privilege: 'VM.Audit', path: '/vms' },
    });
    expect(exchanges.map(({ answer }) => answer.status)).toEqual([200]);
    expect(await proxmox.probe(anybody)).toMatchObject({ state: 'down', text: 'proxmox-probe-no-rights' });
  });

  it('that lacks storage or nodes is told which', async () => {
    const onlyGuests = inProcess({ tokens: [token({ path: '/vms', privileges: PVEAuditor })] });
    expect((await errorFrom(onlyGuests.proxmox.resources())).args).toMatchObject({
      privilege: 'Sys.Audit',
      path: '/nodes',
    });
    expect((await errorFrom(onlyGuests.proxmox.resources('storage'))).args).toMatchObject({
      privilege: 'Datastore.Audit',
    });
    expect((await onlyGuests.proxmox.resources('vm')).guests).toHaveLength(10);
  });

  it('that holds it on some guests only sees those, and knows that there may be more', async () => {
    const { proxmox } = inProcess({
      tokens: [
        token(
          { path: '/nodes', privileges: PVEAuditor },
          { path: '/storage', privileges: PVEAuditor },
          { path: '/vms/101', privileges: PVEVMUser },
        ),
      ],
    });
    const { guests, limited } = await proxmox.resources();
    expect(guests.map(({ name }) => name)).toEqual(['pg1']);
    expect(limited).toEqual(['vm']);
    expect(await proxmox.probe(anybody)).toMatchObject({ state: 'warn', args: { kinds: 'vm' } });
  });

  it('that holds it at the root without propagation sees nothing, and says so', async () => {
    const { proxmox } = inProcess({ tokens: [token({ path: '/vms', privileges: ['VM.Audit'], propagate: false })] });
    expect((await errorFrom(proxmox.resources('vm'))).code).toBe('proxmox-permission');
  });

  it('may not pull levers: 403 names privilege and path', async () => {
    const { proxmox } = inProcess({ tokens: [token({ path: '/', privileges: PVEAuditor })] });
    const guest = await proxmox.guest('nginx');
    expect(await errorFrom(proxmox.power(guest, 'start'))).toMatchObject({
      kind: 'permanent',
      code: 'proxmox-permission',
      args: { privilege: 'VM.PowerMgmt', path: '/vms/104' },
    });
  });

  it('sees its own tasks alone, so the whole list is refused', async () => {
    const { proxmox, clock } = inProcess({ tokens: [token({ path: '/vms', privileges: PVEVMUser })] });
    const guest = await proxmox.guest('nginx');
    const upid = await proxmox.power(guest, 'reboot');
    const since = new Date(clock.now().getTime() - 1000);
    expect((await errorFrom(proxmox.tasks('pve1', { since }))).args).toMatchObject({
      privilege: 'Sys.Audit',
      path: '/nodes/pve1',
    });
    expect((await proxmox.tasks('pve1', { since, own: true })).map((row) => [row.upid, row.running])).toEqual([
      [upid.upid, true],
    ]);
  });
});

describe('the end of a task', () => {
  const ended = async (script: { exitstatus?: string; lines?: string[] }) => {
    const world = inProcess();
    world.simulator.tasks.script(script);
    const guest = await world.proxmox.guest('nginx');
    const upid = await world.proxmox.power(guest, 'reboot');
    return { ...world, result: await world.passing(world.proxmox.waitForTask(upid.upid)) };
  };

  it('WARNINGS: n is neither ok nor an error', async () => {
    const { result } = await ended({ exitstatus: 'WARNINGS: 2' });
    expect(result).toMatchObject({ outcome: 'warning', warnings: 2, exitstatus: 'WARNINGS: 2' });
    expect(result.tail.at(-1)).toBe('TASK WARNINGS: 2');
  });

  it('unexpected status means that nobody knows', async () => {
    expect((await ended({ exitstatus: 'unexpected status' })).result).toMatchObject({ outcome: 'unknown' });
  });

  it('an empty status means that nobody knows', async () => {
    expect((await ended({ exitstatus: '' })).result).toMatchObject({ outcome: 'unknown', exitstatus: '' });
  });

  it('any other text is an error, with the log’s end', async () => {
    const { result, simulator } = await ended({
      exitstatus: 'command failed: exit code 1',
      lines: ['starting', 'no space left'],
    });
    expect(result).toMatchObject({ outcome: 'error', exitstatus: 'command failed: exit code 1' });
    expect(result.tail).toEqual(['starting', 'no space left', 'TASK ERROR: command failed: exit code 1']);
    expect(simulator.guest(104).status).toBe('running');
  });

  it('an ERROR line after the finish does not turn a good backup bad', async () => {
    const { proxmox, simulator, passing } = inProcess();
    simulator.tasks.script({
      type: 'vzdump',
      lines: ['INFO: Backup job finished successfully', 'ERROR: could not notify'],
    });
    const upid = await proxmox.vzdump(await proxmox.guest('pg1'), { storage: 'backup-nfs' });
    expect(await passing(proxmox.waitForTask(upid?.upid ?? ''))).toMatchObject({ outcome: 'ok' });
    expect(simulator.guest(101).lock).toBeUndefined();
  });

  it('vzdump’s OK instead of a UPID is “nothing to do”', async () => {
    const { proxmox } = inProcess();
    const guest = await proxmox.guest('pg1');
    const inventory = smallCompany(new Date());
    inventory.nodes.push({ ...inventory.nodes[0]!, node: 'pve2' });
    const two = inProcess({ inventory });
    expect(await two.proxmox.vzdump({ ...guest, node: 'pve2' }, { storage: 'local' })).toBeUndefined();
  });

  it('one that hangs is stopped on demand, and then is an error', async () => {
    const { proxmox, simulator, passing, clock } = inProcess();
    simulator.tasks.script({ type: 'vzshutdown', hang: true });
    const upid = await proxmox.power(await proxmox.guest('nginx'), 'shutdown', { timeout: 60 });
    const waiting = proxmox.waitForTask(upid.upid);
    // Asked for every second: an hour of that takes a busy machine half a minute.
    await clock.advance(600_000);
    expect(await proxmox.task(upid.node, upid.upid)).toMatchObject({ status: 'running' });
    await proxmox.stopTask(upid.node, upid.upid);
    expect(await passing(waiting)).toMatchObject({ outcome: 'error', exitstatus: 'received interrupt' });
    expect(simulator.guest(104).status).toBe('running');
  });

  it('is followed with progress, each line once', async () => {
    const { proxmox, simulator, passing } = inProcess();
    const lines = Array.from({ length: 1203 }, (_, i) => `line ${i}`);
    simulator.tasks.script({ lines, durationMs: 20_000 });
    const upid = await proxmox.power(await proxmox.guest('nginx'), 'reboot');
    const seen: string[] = [];
    const calls: number[] = [];
    await passing(
      proxmox.waitForTask(upid.upid, {
        onProgress: ({ newLines, elapsedMs }) => {
          seen.push(...newLines);
          calls.push(elapsedMs);
        },
      }),
    );
    expect(seen).toEqual([...lines, 'TASK OK']);
    expect(calls.length).toBeGreaterThan(5);
    expect(calls).toEqual(calls.toSorted((a, b) => a - b));
  });
});

describe('a host that is away', () => {
  it('for a while does not end the wait', async () => {
    const { proxmox, simulator, passing, clock } = inProcess();
    simulator.tasks.script({ durationMs: 90_000 });
    const upid = await proxmox.power(await proxmox.guest('nginx'), 'reboot');
    const waiting = proxmox.waitForTask(upid.upid);
    await clock.advance(10_000);
    simulator.faults.refuse = true;
    await clock.advance(60_000);
    simulator.faults.refuse = false;
    expect(await passing(waiting)).toMatchObject({ outcome: 'ok' });
  });

  it('for good ends the wait with a transient error after the patience', async () => {
    const { proxmox, simulator, passing, clock } = inProcess();
    simulator.tasks.script({ hang: true });
    const upid = await proxmox.power(await proxmox.guest('nginx'), 'reboot');
    const started = clock.now().getTime();
    simulator.faults.refuse = true;
    const error = await passing(errorFrom(proxmox.waitForTask(upid.upid, { patienceMs: 30_000 })));
    expect(error).toMatchObject({ kind: 'transient', code: 'proxmox-unreachable', args: { problem: 'ECONNREFUSED' } });
    expect(clock.now().getTime() - started).toBeGreaterThanOrEqual(30_000);
    expect(clock.now().getTime() - started).toBeLessThan(40_000);
  });

  it('that takes a request and says nothing runs into the time-out', async () => {
    const { proxmox, simulator, passing } = inProcess({ settings: { timeoutMs: 5000 } });
    simulator.faults.hang = true;
    expect(await passing(errorFrom(proxmox.version()))).toMatchObject({
      kind: 'transient',
      code: 'proxmox-unreachable',
    });
  });

  it('that loses the answer of a change leaves it open whether it was made', async () => {
    const { proxmox, simulator } = inProcess();
    const guest = await proxmox.guest('nginx');
    simulator.faults.loseAnswer = true;
    expect(await errorFrom(proxmox.power(guest, 'reboot'))).toMatchObject({
      kind: 'transient',
      code: 'proxmox-unanswered',
    });
    // …and so the one who reconciles finds the task in the list.
    const since = new Date(simulator.tasks.all[0]!.starttime * 1000);
    expect(await proxmox.tasks('pve1', { since, own: true, vmid: 104 })).toMatchObject([
      { type: 'vzreboot', running: true },
    ]);
  });

  it('that refuses the connection certainly did nothing', async () => {
    const { proxmox, simulator } = inProcess();
    const guest = await proxmox.guest('nginx');
    simulator.faults.refuse = true;
    expect((await errorFrom(proxmox.power(guest, 'reboot'))).code).toBe('proxmox-unreachable');
  });

  it('whose node cannot be reached answers 595', async () => {
    const { proxmox, simulator } = inProcess();
    simulator.inventory.nodes[0]!.online = false;
    expect(await errorFrom(proxmox.nodeStatus('pve1'))).toMatchObject({
      kind: 'transient',
      code: 'proxmox-node-unreachable',
    });
    expect((await proxmox.resources('node')).nodes).toEqual([{ node: 'pve1', status: 'offline' }]);
  });

  it('a cancelled wait is let go at once, and the task runs on', async () => {
    const { proxmox, simulator, passing } = inProcess();
    simulator.tasks.script({ hang: true });
    const upid = await proxmox.power(await proxmox.guest('nginx'), 'reboot');
    const cancel = new AbortController();
    const waiting = errorFrom(proxmox.waitForTask(upid.upid, { signal: cancel.signal }));
    cancel.abort();
    expect(await passing(waiting)).toMatchObject({ kind: 'transient', code: 'timeout' });
    expect(simulator.tasks.find(upid.node, upid.upid)?.exitstatus).toBeUndefined();
  });
});

describe('guests', () => {
  it('of one name are listed as candidates', async () => {
    const { proxmox, simulator } = inProcess();
    simulator.guest(201).name = 'NGINX';
    expect(await errorFrom(proxmox.guest('nginx'))).toMatchObject({
      kind: 'usage',
      code: 'proxmox-guest-ambiguous',
      args: { guest: 'nginx', candidates: '104 (lxc, pve1), 201 (qemu, pve1)' },
    });
    expect(await proxmox.guest('201')).toMatchObject({ type: 'qemu' });
  });

  it('that are templates are not started', async () => {
    const { proxmox } = inProcess();
    expect((await errorFrom(proxmox.power(await proxmox.guest(9000), 'start'))).code).toBe('proxmox-template');
  });

  it('that are locked say so at the end of the task', async () => {
    const { proxmox, simulator, passing } = inProcess();
    simulator.guest(104).lock = 'backup';
    const guest = await proxmox.guest('nginx');
    expect(guest.lock).toBe('backup');
    const upid = await proxmox.power(guest, 'shutdown');
    expect(await passing(proxmox.waitForTask(upid.upid))).toMatchObject({
      outcome: 'error',
      exitstatus: 'CT is locked (backup)',
    });
  });

  it('whose lock file is held are busy: try again', async () => {
    const { proxmox, simulator, passing } = inProcess();
    simulator.guest(104).status = 'stopped';
    simulator.tasks.script({ type: 'vzstart', hang: true });
    const guest = await proxmox.guest('nginx');
    await proxmox.power(guest, 'start');
    expect(await passing(errorFrom(proxmox.power(guest, 'start')))).toMatchObject({
      kind: 'transient',
      code: 'proxmox-locked',
      args: { problem: "can't lock file '/run/lock/lxc/pve-config-104.lock' - got timeout" },
    });
  });

  it('that are VMs differ: starting a running one fails inside the task, stopping a stopped one succeeds', async () => {
    const { proxmox, simulator, passing } = inProcess();
    const vm = await proxmox.guest('build1');
    const start = await proxmox.power(vm, 'start');
    expect(await passing(proxmox.waitForTask(start.upid))).toMatchObject({
      outcome: 'error',
      exitstatus: 'VM 201 already running',
    });
    simulator.guest(201).status = 'stopped';
    const stop = await proxmox.power(vm, 'stop', { timeout: 30 });
    expect(await passing(proxmox.waitForTask(stop.upid))).toMatchObject({ outcome: 'ok' });
    expect(await errorFrom(proxmox.power(vm, 'reboot'))).toMatchObject({
      code: 'proxmox-guest-state',
      args: { problem: 'VM 201 not running' },
    });
  });
});

describe('a host of before 2025', () => {
  it('whose error text stands in the reason phrase alone is understood as well', async () => {
    const { proxmox } = inProcess({ messageInBody: false });
    const guest = await proxmox.guest('nginx');
    expect((await errorFrom(proxmox.power(guest, 'start'))).args['problem']).toBe('CT 104 already running');
    expect((await errorFrom(proxmox.power({ ...guest, vmid: 555 }, 'start'))).code).toBe('proxmox-no-such-guest');
  });
});
