/** A verification from the order to the verdict, over the simulator. */
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { DatastoreAudit, RemoteAudit } from '../../src/simulators/pbs/access.ts';
import type { WorkContext } from '../../src/tasks/recovery/define.ts';
import { createVerifyTally, verifyDatastore } from '../../src/tasks/recovery/pbs-verify.ts';
import { errorFrom } from '../conformance/proxmox/in-process.ts';
import { inProcess, TOKEN } from '../conformance/pbs/subject.ts';

const datastore = { name: 'main', storage: 'pbs', maxAgeHours: 26, verifyDays: 30, offsite: false };

function world(options: Parameters<typeof inProcess>[0] = {}) {
  const opened = inProcess(options);
  const cancel = new AbortController();
  const remembered: unknown[] = [];
  const percents: (number | undefined)[] = [];
  const context: WorkContext = {
    runId: 'run-1',
    clock: opened.clock,
    log: silentLog,
    signal: cancel.signal,
    progress: ({ percent }) => void percents.push(percent),
    remember: (external) => Promise.resolve(void remembered.push(external)),
  };
  const verify = () => verifyDatastore(opened.pbs, datastore, context);
  return { ...opened, cancel, remembered, percents, verify };
}

describe('a verification', () => {
  it('reads what was never verified, or too long ago, and nothing else', async () => {
    const { simulator, passing, verify, remembered, percents } = world();
    const one = simulator.newest('main', 'ct/104');
    one.verification = undefined;
    const report = await passing(verify());
    expect(report).toMatchObject({ state: 'ok' });
    expect(report.lines).toEqual([
      { key: 'pbs-check-all', args: { count: 63, store: 'main', days: 30 } },
      { key: 'pbs-check-counts', args: { read: 1, skipped: 62, days: 30 } },
    ]);
    // Two gigabytes, of which less than a half is stored.
    expect(report.readBytes).toBeGreaterThan(0.9e9);
    expect(report.readBytes).toBeLessThan(1e9);
    expect(one.verification).toMatchObject({ state: 'ok' });
    expect(remembered).toHaveLength(2);
    expect(remembered[1]).toMatchObject({ upid: simulator.tasks.all[0]?.upid });
    expect(percents.at(-1)).toBe(100);
  });

  it('that finds damage fails, and names it', async () => {
    const { simulator, passing, verify } = world();
    Object.assign(simulator.newest('main', 'ct/104'), { damaged: true, verification: undefined });
    const report = await passing(verify());
    expect(report.state).toBe('failed');
    expect(report.lines.slice(0, 2)).toEqual([
      { key: 'pbs-check-damaged', args: { names: 'ct/104/2026-11-23T03:15:00Z' } },
      { key: 'pbs-check-failed', args: { problem: 'verification failed - please check the log for details' } },
    ]);
  });

  it('does not take OK for an answer when something was left out', async () => {
    const { simulator, passing, verify } = world();
    Object.assign(simulator.newest('main', 'ct/104'), { inUse: true, verification: undefined });
    const report = await passing(verify());
    expect(simulator.tasks.all[0]?.exitstatus).toBe('OK');
    expect(report.state).toBe('warning');
    expect(report.lines[0]).toEqual({ key: 'pbs-check-left', args: { names: 'ct/104/2026-11-23T03:15:00Z' } });
  });

  it('still fails for damage that was found before, and skipped now', async () => {
    const { simulator, passing, verify } = world();
    const one = simulator.newest('main', 'ct/104');
    one.verification = { state: 'failed', upid: one.verification?.upid ?? '' };
    expect(await passing(verify())).toMatchObject({ state: 'failed', lines: [{ key: 'pbs-check-damaged' }, {}] });
  });

  it('of an empty datastore proves nothing', async () => {
    const { simulator, passing, verify } = world();
    simulator.store('main').snapshots.splice(0);
    expect(await passing(verify())).toMatchObject({ state: 'warning', lines: [{ key: 'pbs-check-empty' }, {}] });
  });

  it('whose end nobody knows is a doubt', async () => {
    const { simulator, passing, verify } = world();
    simulator.tasks.script({ exitstatus: 'unknown' });
    expect(await passing(verify())).toMatchObject({
      state: 'warning',
      lines: [{ key: 'pbs-check-unknown' }, {}, {}],
    });
  });

  it('is followed even when the answer of its start was lost', async () => {
    const { simulator, passing, verify } = world();
    simulator.faults.loseAnswer = true;
    expect(await passing(verify())).toMatchObject({ state: 'ok' });
    expect(simulator.tasks.all).toHaveLength(1);
  });

  it('that is cancelled stops on the server within five seconds', async () => {
    const { simulator, cancel, clock, verify } = world();
    simulator.tasks.script({ hang: true });
    const done = errorFrom(verify());
    await clock.advance(30_000);
    expect(simulator.tasks.all[0]?.exitstatus).toBeUndefined();
    cancel.abort(new DOMException('cancelled', 'AbortError'));
    await clock.advance(5000);
    await done;
    expect(simulator.tasks.all[0]?.exitstatus).toMatch(/^abort requested/);
  });

  it('that is cancelled while it is being started is stopped all the same', async () => {
    const { simulator, cancel, clock, verify, pbs } = world();
    simulator.tasks.script({ hang: true });
    const begun = pbs.verify.bind(pbs);
    // The server takes the order; before its answer is here, somebody cancels.
    pbs.verify = async (store, options) => {
      await begun(store, options);
      cancel.abort(new DOMException('cancelled', 'AbortError'));
      throw new DOMException('cancelled', 'AbortError');
    };
    const done = errorFrom(verify());
    await clock.advance(5000);
    await done;
    expect(simulator.tasks.all.map(({ exitstatus }) => exitstatus)).toEqual(['abort requested - aborting task']);
  });

  it('without the privilege starts nothing, and says what is missing', async () => {
    const acl = [
      { path: '/datastore', privileges: DatastoreAudit },
      { path: '/remote', privileges: RemoteAudit },
    ];
    const { simulator, verify } = world({ tokens: [{ ...TOKEN, acl }] });
    expect(await errorFrom(verify())).toMatchObject({
      code: 'pbs-permission',
      args: { privilege: 'Datastore.Verify' },
    });
    expect(simulator.tasks.all).toEqual([]);
  });
});

describe('the log of a verification', () => {
  it('is counted line by line, and what is no such line changes nothing', () => {
    const tally = createVerifyTally();
    const lines = [
      'verify datastore main',
      'found 2 groups',
      'verify group main:vm/100 (2 snapshots)',
      'verify main:vm/100/2026-11-23T01:00:00Z',
      '  check drive-scsi0.img.fidx',
      '  verified 1.50/4.00 MiB in 0.50 seconds, speed 3.00/8.00 MiB/s (0 errors)',
      'percentage done: 50.00% (1/2 groups)',
      'SKIPPED: verify main:ct/101/2026-11-23T01:00:00Z (recently verified)',
      'SKIPPED: verify main:ct/102/2026-11-23T01:00:00Z - could not acquire snapshot lock: busy',
      'verify main:ns/lab/ct/103/2026-11-23T01:00:00Z',
      'percentage done: 100.00% (2/2 groups)',
      'TASK OK',
    ];
    for (const line of lines) tally.read(`2026-11-23T09:00:00+01:00: ${line}`);
    expect(tally.now()).toEqual({
      verified: 2,
      skipped: 1,
      bytes: 1.5 * 1024 * 1024,
      percent: 100,
      current: 'ns/lab/ct/103/2026-11-23T01:00:00Z',
    });
  });
});
