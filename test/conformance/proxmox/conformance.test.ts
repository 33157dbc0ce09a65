/**
 * What every Proxmox VE must do for our port. Runs against the simulator; against a real host as well when these are set:
 *
 *   PVE_URL=https://pve1.lan:8006 PVE_TOKEN_ID='vakhta@pve!watch' PVE_TOKEN=<uuid>
 *   PVE_FINGERPRINT=AA:BB:…   or PVE_CA=<PEM>
 *   PVE_GUEST=999             a container that may be started and stopped; without it the power tests skip
 *   PVE_BACKUP_STORAGE=nfs PVE_DRILL_STORAGE=local-zfs PVE_DRILL_VMID=9001 PVE_DRILL_POOL=vakhta-drill
 *                             that container is backed up and restored as 9001; without them those tests skip
 *
 * The token needs PVEAuditor on /, and VM.PowerMgmt on /vms/999; for backups what docs/recovery.md names. Every request and every good answer is compared with
 * the API description of 9.2.
 */
import { isIP } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { contractPath, haveContracts } from '../../support/contracts.ts';
import { type ApiDescription, apiDescription } from './schema.ts';
import { real, simulated, type Subject } from './subject.ts';

const subjects: (() => Promise<Subject>)[] = [() => simulated()];
if (process.env.PVE_URL !== undefined) subjects.push(() => Promise.resolve(real(process.env)));

let description: ApiDescription | undefined;
beforeAll(() => {
  if (haveContracts) description = apiDescription();
});

describe.each(subjects)('a Proxmox VE host (subject %#)', (open) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(() => subject.close());

  const compared: string[] = [];
  afterEach(() => {
    const exchanges = subject.exchanges.splice(0);
    const problems = exchanges.flatMap(({ request, answer }) => {
      const path = request.url.pathname.replace('/api2/json', '');
      const parameters = Object.fromEntries([...request.url.searchParams, ...new URLSearchParams(request.body ?? '')]);
      if (description === undefined) return [];
      compared.push(path);
      const asked = description.request(request.method, path, parameters);
      if (answer.status !== 200) return asked;
      const { data } = JSON.parse(answer.body) as { data: unknown };
      return [...asked, ...description.answer(request.method, path, data, subject.strict)];
    });
    if (problems.length > 0) throw new Error(`not as the API description has it:\n${problems.join('\n')}`);
  });

  const runningOrStopped = async () => (await subject.proxmox.guest(subject.guest ?? 0)).status;

  it('tells its version', async () => {
    const { version, release } = await subject.proxmox.version();
    expect(version).toMatch(/^\d+\.\d+/);
    expect(version.startsWith(release)).toBe(true);
  });

  it('passes the probe', async () => {
    const probe = await subject.proxmox.probe(new AbortController().signal);
    expect(probe).toMatchObject({ state: 'ok', text: 'proxmox-probe-ok' });
  });

  it('lists nodes, guests and storage with plausible figures', async () => {
    const { nodes, guests, storage, limited } = await subject.proxmox.resources();
    expect(limited).toEqual([]);
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes.filter(({ status }) => status === 'online')) {
      expect(node.cpu).toBeGreaterThanOrEqual(0);
      expect(node.cpu).toBeLessThanOrEqual(1);
      expect(node.mem).toBeGreaterThan(0);
      expect(node.mem).toBeLessThanOrEqual(node.maxmem ?? 0);
      expect(node.uptime).toBeGreaterThan(0);
    }
    expect(guests.map(({ vmid }) => vmid)).toEqual(guests.map(({ vmid }) => vmid).toSorted((a, b) => a - b));
    for (const guest of guests.filter(({ status }) => status === 'running')) {
      expect(guest.mem).toBeGreaterThan(0);
      expect(guest.uptime).toBeGreaterThanOrEqual(0);
    }
    for (const store of storage.filter(({ status }) => status === 'available')) {
      expect(store.used).toBeLessThanOrEqual(store.total ?? 0);
      expect(store.content.length).toBeGreaterThan(0);
    }
  });

  it('tells the addresses of containers that run, without what is theirs alone', async () => {
    const { guests } = await subject.proxmox.resources('vm');
    for (const guest of guests.filter(({ type, status }) => type === 'lxc' && status === 'running')) {
      for (const address of await subject.proxmox.addresses(guest)) {
        expect(isIP(address)).not.toBe(0);
        expect(address).not.toMatch(/^(?:127\.|::1$|fe80:)/u);
      }
    }
  });

  it('lists one kind alone', async () => {
    const { nodes, guests, storage } = await subject.proxmox.resources('storage');
    expect(storage.length).toBeGreaterThan(0);
    expect([nodes, guests]).toEqual([[], []]);
  });

  it('tells a node’s status and certificates', async () => {
    const node = (await subject.proxmox.resources('node')).nodes[0]?.node ?? '';
    const status = await subject.proxmox.nodeStatus(node);
    expect(status.pveversion).toMatch(/^pve-manager\//);
    expect(status.loadavg).toHaveLength(3);
    expect(status.memory.used).toBeLessThan(status.memory.total);
    const certificates = await subject.proxmox.certificates(node);
    expect(certificates.map(({ filename }) => filename)).toContain('pve-ssl.pem');
    for (const { notBefore, notAfter, fingerprint } of certificates) {
      expect(notAfter?.getTime()).toBeGreaterThan(notBefore?.getTime() ?? Number.POSITIVE_INFINITY);
      expect(fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    }
  });

  it('finds a guest by number, by name and by type with number', async () => {
    const [first] = (await subject.proxmox.resources('vm')).guests;
    expect(first).toBeDefined();
    for (const name of [first?.vmid ?? 0, `${first?.type}/${first?.vmid}`]) {
      expect(await subject.proxmox.guest(name)).toMatchObject({ vmid: first?.vmid, name: first?.name });
    }
    await expect(subject.proxmox.guest('no-such-guest')).rejects.toMatchObject({
      kind: 'usage',
      code: 'proxmox-no-such-guest',
      args: { guest: 'no-such-guest' },
    });
  });

  it('refuses a wrong token', async () => {
    await expect(subject.stranger.version()).rejects.toMatchObject({ kind: 'permanent', code: 'proxmox-unauthorized' });
    const probe = await subject.stranger.probe(new AbortController().signal);
    expect(probe).toMatchObject({ state: 'down', text: 'err-proxmox-unauthorized' });
  });

  it('answers 500 for a guest that is not there, and we know what it means', async () => {
    const node = (await subject.proxmox.resources('node')).nodes[0]?.node ?? '';
    const ghost = {
      type: 'lxc',
      vmid: 999_999_998,
      name: 'ghost',
      node,
      status: 'stopped',
      template: false,
      tags: [],
    } as const;
    const error: unknown = await subject.proxmox.power(ghost, 'start').catch((thrown: unknown) => thrown);
    // A token with rights on single guests only is refused before the host looks.
    expect(['proxmox-no-such-guest', 'proxmox-permission']).toContain((error as { code?: string }).code);
  });

  it('keeps a task: progress, outcome, log and list', async ({ skip }) => {
    if (subject.guest === undefined) return skip();
    const guest = await subject.proxmox.guest(subject.guest);
    const before = new Date(Date.now() - 60_000);
    const was = guest.status;
    const upid = await subject.proxmox.power(guest, was === 'running' ? 'shutdown' : 'start', {
      timeout: 60,
      forceStop: true,
    });
    expect(upid).toMatchObject({
      node: guest.node,
      id: String(guest.vmid),
      type: was === 'running' ? 'vzshutdown' : 'vzstart',
    });
    const result = await subject.proxmox.waitForTask(upid.upid, { pollMs: subject.pollMs });
    expect(result).toMatchObject({ outcome: 'ok', exitstatus: 'OK' });
    expect(result.tail.at(-1)).toBe('TASK OK');
    expect(await runningOrStopped()).toBe(was === 'running' ? 'stopped' : 'running');
    expect(await subject.proxmox.task(upid.node, upid.upid)).toMatchObject({ status: 'stopped', exitstatus: 'OK' });
    expect((await subject.proxmox.taskLog(upid.node, upid.upid)).lines.at(-1)).toBe('TASK OK');
    for (const own of [true, false]) {
      const rows = await subject.proxmox.tasks(guest.node, { since: before, vmid: guest.vmid, own });
      expect(rows.find((row) => row.upid === upid.upid)).toMatchObject({ exitstatus: 'OK', running: false });
    }
    const back = await subject.proxmox.power(guest, was === 'running' ? 'start' : 'stop');
    expect(await subject.proxmox.waitForTask(back.upid, { pollMs: subject.pollMs })).toMatchObject({ outcome: 'ok' });
    expect(await runningOrStopped()).toBe(was);
  });

  it('refuses to start what runs, and to stop what is stopped', async ({ skip }) => {
    if (subject.guest === undefined) return skip();
    const guest = await subject.proxmox.guest(subject.guest);
    const error = await subject.proxmox
      .power(guest, guest.status === 'running' ? 'start' : 'stop')
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: 'usage', code: 'proxmox-guest-state' });
  });

  it('tells backup jobs, who is in none, and what the storages hold', async ({ skip }) => {
    if (subject.backup === undefined) return skip();
    const { guests, storage } = await subject.proxmox.resources();
    const jobs = await subject.proxmox.backups.jobs();
    for (const { id, vmids } of jobs) {
      expect(id).not.toBe('');
      expect(vmids.every((vmid) => vmid >= 100)).toBe(true);
      for (const volumes of (await subject.proxmox.backups.leftOut(id)).values())
        expect(volumes.length).toBeGreaterThan(0);
    }
    const uncovered = await subject.proxmox.backups.notBackedUp();
    const known = guests.map(({ vmid }) => vmid);
    expect(uncovered.filter((vmid) => !known.includes(vmid))).toEqual([]);
    const places = storage.filter((one) => one.content.includes('backup') && one.status === 'available');
    const { files, unread } = await subject.proxmox.backups.stock(places);
    expect(unread).toEqual([]);
    for (const { volid, storage: name, at } of files) {
      expect(volid.startsWith(`${name}:backup/`)).toBe(true);
      expect(at.getTime()).toBeLessThanOrEqual(Date.now() + 600_000_000);
    }
    expect(files.map(({ at }) => at.getTime())).toEqual(files.map(({ at }) => at.getTime()).toSorted((a, b) => b - a));
    for (const { storage: name, node } of places) {
      const status = await subject.proxmox.backups.storageStatus(node, name);
      expect(status).toMatchObject({ isActive: true });
      expect(status.used).toBeLessThanOrEqual(status.total ?? 0);
    }
  });

  it('backs a guest up, restores it beside the original without a network, and destroys the copy', async ({ skip }) => {
    const { backup, proxmox } = subject;
    if (subject.guest === undefined || backup === undefined) return skip();
    const { backups } = proxmox;
    const guest = await proxmox.guest(subject.guest);
    const dump = await proxmox.vzdump(guest, { storage: backup.storage });
    const follow = (upid: string) => proxmox.waitForTask(upid, { pollMs: subject.pollMs });
    expect(await follow(dump?.upid ?? '')).toMatchObject({ outcome: 'ok' });
    const place = { node: guest.node, storage: backup.storage };
    const stock = await backups.stock([place], { vmid: guest.vmid });
    expect(stock.sees(guest.vmid)).toBe(true);
    const [newest] = stock.files;
    if (newest === undefined) throw new Error('no backup is listed');
    expect(newest).toMatchObject({ vmid: guest.vmid, storage: backup.storage, isProtected: false });
    expect(Math.abs(newest.at.getTime() - (dump?.startTime.getTime() ?? 0))).toBeLessThan(60_000);
    expect(await backups.configIn(newest)).toMatch(/^hostname: /m);

    const copy = { type: guest.type, node: guest.node, vmid: backup.vmid };
    const { pool } = backup;
    const restored = await backups.restore({
      ...copy,
      volid: newest.volid,
      storage: backup.to,
      name: `vakhta-drill-${copy.vmid}`,
      description: 'a test of Vakhta',
      ...(pool === undefined ? {} : { pool }),
    });
    expect((await follow(restored.upid)).outcome).not.toBe('error');
    const config = await backups.config(copy);
    expect(config).toMatchObject({ hostname: `vakhta-drill-${copy.vmid}`, onboot: '0' });
    expect(config['description']?.trim()).toBe('a test of Vakhta');
    const networks = Object.keys(config).filter((name) => /^net\d+$/.test(name));
    await backups.configure(copy, { remove: networks, digest: config['digest'] });
    expect(Object.keys(await backups.config(copy)).filter((name) => name.startsWith('net'))).toEqual([]);
    await expect(backups.configure(copy, { set: { onboot: 1 }, digest: config['digest'] })).rejects.toMatchObject({
      code: 'proxmox-failed',
    });

    const found = await proxmox.guest(copy.vmid);
    expect(await follow((await proxmox.power(found, 'start')).upid)).toMatchObject({ outcome: 'ok' });
    expect(await backups.status(copy)).toMatchObject({ status: 'running' });
    await expect(backups.destroy(copy)).rejects.toMatchObject({ code: 'proxmox-failed' });
    expect(await follow((await proxmox.power(found, 'stop')).upid)).toMatchObject({ outcome: 'ok' });
    expect(await follow((await backups.destroy(copy)).upid)).toMatchObject({ outcome: 'ok' });
    await expect(backups.status(copy)).rejects.toMatchObject({ code: 'proxmox-no-such-guest' });
    expect((await proxmox.guest(guest.vmid)).status).toBe(guest.status);
  });

  it('refuses a storage of a form that is none, without asking', async () => {
    const place = { node: 'pve1', storage: '../x' };
    expect(await subject.proxmox.backups.storageStatus('pve1', '../x').catch((e: unknown) => e)).toMatchObject({
      code: 'proxmox-no-such-storage',
    });
    expect((await subject.proxmox.backups.stock([place])).unread).toHaveLength(1);
  });

  it('refuses a task id of a form that it cannot parse, without asking', async () => {
    await expect(subject.proxmox.task('pve1', 'UPID:x')).rejects.toMatchObject({ kind: 'usage', code: 'proxmox-upid' });
  });

  it('was compared with the API description', ({ skip }) => {
    if (!haveContracts) skip(`no API descriptions in ${contractPath()}`);
    expect(compared.length).toBeGreaterThan(15);
  });
});
