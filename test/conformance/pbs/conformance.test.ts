/**
 * What every Proxmox Backup Server must do for our port. Runs against the simulator; against a real server as well when these are
 * set:
 *
 *   PBS_URL=https://pbs1.lan:8007 PBS_TOKEN_ID='vakhta@pbs!watch' PBS_TOKEN=<secret> PBS_STORE=main
 *   PBS_FINGERPRINT=AA:BB:…   or PBS_CA=<PEM>
 *   PBS_VERIFY=1              the token holds Datastore.Verify, and a verification may be started
 *
 * The token needs DatastoreAudit on /datastore and RemoteAudit on /remote. Every request is compared with the API descriptions of
 * 4.2 and 3.4, every good answer of the simulator with the one of 4.2.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { contractPath, haveContracts } from '../../support/contracts.ts';
import { type ApiDescription, apiDescription } from './schema.ts';
import { real, simulated, type Subject } from './subject.ts';

const subjects: (() => Promise<Subject>)[] = [() => simulated()];
if (process.env.PBS_URL !== undefined) subjects.push(() => Promise.resolve(real(process.env)));

let newest: ApiDescription | undefined;
let older: ApiDescription | undefined;
beforeAll(() => {
  if (!haveContracts) return;
  newest = apiDescription('4.2');
  older = apiDescription('3.4');
});

describe.each(subjects)('a Proxmox Backup Server (subject %#)', (open) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(() => subject.close());

  const compared = new Set<string>();
  afterEach(() => {
    const problems = subject.exchanges.splice(0).flatMap(({ request, answer }) => {
      const path = request.url.pathname.replace('/api2/json', '');
      const parameters = Object.fromEntries([...request.url.searchParams, ...new URLSearchParams(request.body ?? '')]);
      if (newest === undefined || older === undefined) return [];
      compared.add(`${request.method} ${path.replace(/UPID[^/]*/, '{upid}')}`);
      const asked = [newest, older].flatMap((description) => description.request(request.method, path, parameters));
      if (answer.status !== 200 || !subject.strict) return asked;
      const { data } = JSON.parse(answer.body) as { data: unknown };
      return [...asked, ...newest.answer(request.method, path, data)];
    });
    if (problems.length > 0) throw new Error(`not as the API description has it:\n${problems.join('\n')}`);
  });

  it('tells its version', async () => {
    const { version, release } = await subject.pbs.version();
    expect(version).toMatch(/^\d+\.\d+$/);
    expect(release).toMatch(/^\d+/);
  });

  it('passes the probe', async () => {
    const probe = await subject.pbs.probe(new AbortController().signal);
    expect(probe).toMatchObject({ state: 'ok' });
  });

  it('tells how full its datastores are, and were', async () => {
    const usage = (await subject.pbs.usage()).find(({ store }) => store === subject.store);
    expect(usage?.error).toBeUndefined();
    expect(usage?.used).toBeLessThanOrEqual(usage?.total ?? 0);
    const { total, used, avail } = await subject.pbs.status(subject.store);
    expect(total).toBe(usage?.total);
    expect(used + avail).toBeLessThanOrEqual(total);
    expect((usage?.history ?? []).filter((part) => part !== null && (part < 0 || part > 1))).toEqual([]);
  });

  it('lists namespaces, the root first', async () => {
    expect((await subject.pbs.namespaces(subject.store))[0]).toBe('');
  });

  it('lists groups and snapshots that agree', async () => {
    const [groups, snapshots] = await Promise.all([
      subject.pbs.groups(subject.store),
      subject.pbs.snapshots(subject.store),
    ]);
    expect(groups.length).toBeGreaterThan(0);
    for (const { ns, type, id, lastBackup } of groups) {
      const complete = snapshots.filter(
        (one) => one.ns === ns && one.type === type && one.id === id && one.size !== undefined,
      );
      expect(complete.at(-1)?.at).toEqual(lastBackup);
    }
    expect(snapshots.map(({ at }) => at.getTime())).toEqual(
      snapshots.map(({ at }) => at.getTime()).toSorted((a, b) => a - b),
    );
    const early = snapshots.filter(
      ({ verification, at }) => verification && !(verification.at && verification.at >= at),
    );
    expect(early).toEqual([]);
  });

  it('tells of garbage collection and of jobs', async () => {
    const collection = await subject.pbs.collection(subject.store);
    expect(collection.removedBytes).toBeGreaterThanOrEqual(0);
    const { verify, prune, sync, syncLimited } = await subject.pbs.jobs(subject.store);
    expect(syncLimited).toBe(false);
    expect([...verify, ...prune, ...sync].every(({ store }) => store === subject.store)).toBe(true);
  });

  it('refuses a wrong token, in plain text', async () => {
    await expect(subject.stranger.version()).rejects.toMatchObject({ kind: 'permanent', code: 'pbs-unauthorized' });
    const probe = await subject.stranger.probe(new AbortController().signal);
    expect(probe).toMatchObject({ state: 'down', text: 'err-pbs-unauthorized' });
  });

  it('refuses a datastore that is not there', async () => {
    await expect(subject.pbs.snapshots('no-such-store')).rejects.toMatchObject({ kind: 'permanent' });
  });

  it('keeps a task: progress, outcome, log and list', async ({ skip }) => {
    if (!subject.mayVerify) return skip();
    const before = new Date(Date.now() - 60_000);
    const upid = await subject.pbs.verify(subject.store, { outdatedAfterDays: 3 });
    expect(upid).toMatchObject({ id: subject.store });
    const seen: string[] = [];
    const result = await subject.pbs.waitForTask(upid.upid, {
      pollMs: subject.pollMs,
      onProgress: ({ newLines }) => void seen.push(...newLines),
    });
    expect(result).toMatchObject({ outcome: 'ok', exitstatus: 'OK' });
    expect(seen.at(-1)).toMatch(/TASK OK$/);
    expect(await subject.pbs.task(upid.node, upid.upid)).toMatchObject({ status: 'stopped', exitstatus: 'OK' });
    const rows = await subject.pbs.ownTasks(before, 'verify');
    expect(rows.find((row) => row.upid === upid.upid)).toMatchObject({ exitstatus: 'OK', running: false });
  });

  it('stops a task on demand, and collects garbage', async ({ skip }) => {
    if (subject.hang === undefined) return skip();
    // At a hundred times the speed it would be over before anybody stops it.
    subject.hang('garbage_collection');
    const upid = await subject.pbs.collect(subject.store);
    expect(upid.type).toBe('garbage_collection');
    await subject.pbs.stopTask(upid.node, upid.upid);
    expect(await subject.pbs.waitForTask(upid.upid)).toMatchObject({ outcome: 'error' });
  });

  it('refuses a task id of Proxmox VE, without asking', async () => {
    const short = 'UPID:pve1:00000001:00000002:65000000:vzstart:104:vakhta@pve!watch:';
    await expect(async () => subject.pbs.task('localhost', short)).rejects.toMatchObject({
      kind: 'usage',
      code: 'pbs-upid',
    });
    expect(subject.exchanges).toEqual([]);
  });

  it('was compared with the API description', ({ skip }) => {
    if (!haveContracts) skip(`no API descriptions in ${contractPath()}`);
    expect(compared.size).toBeGreaterThan(12);
  });
});
