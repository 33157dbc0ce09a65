import { describe, expect, it } from 'vitest';
import { days, hours } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { between } from '../../src/store/incidents.ts';
import { createLedgerWatch } from '../../src/tasks/recovery/watch.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import verify from '../../src/tasks/operations/verify.ts';
import { as, gate } from './support/life.ts';
import { openRecovery } from './support/recovery.ts';
import { shownRun } from './support/shown.ts';

async function open(options: Parameters<typeof openRecovery>[1] = {}) {
  const opened = await openRecovery([verify], options);
  const { life } = opened;
  let decoys = 0;
  const { decoy } = opened.fake;
  opened.fake.decoy = (work) => {
    decoys += 1;
    return decoy(work);
  };
  const check = async (args: Record<string, unknown> = { target: 'pg:main' }) => {
    const { id } = await life.requests.request(as('anna'), 'verify', args);
    await life.deliver();
    const run = await life.run(id);
    return { run, text: (await shownRun(run, life, [verify], life.clock.now())).en.text };
  };
  const integrity = async (target = 'pg:main') => (await opened.recovery.integrity()).get(target)?.state;
  return { ...opened, check, integrity, decoys: () => decoys };
}

it('damage that was found burns until a check finds none', async () => {
  const { life, config, recovery } = await open();
  const { db, clock } = life;
  const t = catalogue(allMessages).for('en');
  const watch = createLedgerWatch({ db, clock, log: silentLog, writer: createIncidentWriter(config), t });
  const signal = new AbortController().signal;
  const states: string[][] = [];
  const base = { target: 'pg:main', kind: 'verify', readBytes: undefined, ofBytes: undefined } as const;
  for (const state of ['failed', 'broken', 'ok'] as const) {
    await clock.advance(hours(1));
    await recovery.checked({ ...base, lines: [], state, at: clock.now() });
    await watch.round(signal);
    await watch.round(signal);
    const found = await between(db, new Date(0), new Date('2030-01-01'));
    states.push(found.map((one) => `${one.state} ${one.title}`));
  }
  expect(states.map((one) => one.map((line) => line.split(' ')[0]))).toEqual([['firing'], ['firing'], ['resolved']]);
  expect(states[0]?.[0]).toContain('pg:main');
});

describe('a check of integrity', () => {
  it('proves itself with planted damage, once a day', async () => {
    const { check, integrity, decoys, life } = await open();
    expect(await integrity()).toBe('never');
    const { run, text } = await check();
    expect(run.state).toBe('succeeded');
    expect(text).toContain('No damage found, and planted damage was caught');
    expect(text).toContain('Read: 10 B of 20 B');
    expect(text).toContain('Planted damage: ✔ caught');
    expect(await integrity()).toBe('ok');
    await life.clock.advance(hours(2));
    expect((await check()).text).toContain('Planted damage: ✔ caught 2 h ago');
    expect(decoys()).toBe(1);
    await life.clock.advance(hours(20));
    await check();
    expect(decoys()).toBe(2);
    await life.clock.advance(days(17));
    expect(await integrity()).toBe('old');
  });

  it('that overlooks planted damage says unknown, however good it looks, and although it was caught before', async () => {
    const { check, integrity, fake, life } = await open();
    await check();
    await life.clock.advance(days(1));
    fake.decoy = () => Promise.resolve({ caught: false, text: { key: 'life-not-seen' } });
    const { run, text } = await check();
    expect(run.state).toBe('warning');
    expect(text).toContain('Unknown: planted damage was not caught');
    expect(text).toContain('Planted damage: ✘ overlooked');
    expect(await integrity()).toBe('unproven');
  });

  it('that could not plant damage counts as proven only as long as the last catch is fresh', async () => {
    const { check, integrity, fake, life } = await open();
    await check();
    fake.decoy = () => Promise.reject(new VakhtaError('permanent', 'unreachable', 'x', { args: { what: 'disk' } }));
    await life.clock.advance(days(29));
    expect((await check()).run.state).toBe('succeeded');
    expect(await integrity()).toBe('ok');
    await life.clock.advance(days(2));
    const { text } = await check();
    expect(text).toContain('Unknown: planted damage was not caught');
    expect(text).toContain('could not be planted');
    expect(await integrity()).toBe('unproven');
  });

  it('that finds damage fails and shows what it found', async () => {
    const { check, integrity, fake } = await open();
    fake.verify = () => Promise.resolve({ state: 'failed', lines: [{ key: 'life-lost' }] });
    const { run, text } = await check();
    expect(run).toMatchObject({ state: 'failed', verified: { text: { key: 'verify-damaged' } } });
    expect(text).toContain('Damage found');
    expect(text).toContain('the work is not there');
    expect(await integrity()).toBe('failed');
  });

  it('that could not be done is unknown, and the others are checked all the same', async () => {
    const { check, integrity, fake } = await open({
      verifiables: ['pg:main', 'restic:files', 'pbs:pbs1/main'],
      withoutDecoy: 'pbs:pbs1/main',
    });
    let n = 0;
    fake.verify = () => {
      n += 1;
      if (n === 1) return Promise.reject(new VakhtaError('transient', 'unreachable', 'x', { args: { what: 'pg' } }));
      return Promise.resolve({ state: 'ok', lines: [] });
    };
    const { run, text } = await check({});
    expect(run.state).toBe('warning');
    expect(text).toContain('Unknown: the check could not be done');
    expect(text).toContain('pbs:pbs1/main · No damage found; whether the check would see any, only drills can tell');
    expect([await integrity(), await integrity('restic:files'), await integrity('pbs:pbs1/main')]).toEqual([
      'old',
      'ok',
      'drills',
    ]);
  });

  it('holds the locks of its repository, and when stopped leaves the ledger alone', async () => {
    const { life, fake, recovery } = await open();
    const meet = gate();
    fake.verify = async ({ signal }) => {
      await meet.pass();
      signal.throwIfAborted();
      return { state: 'ok', lines: [] };
    };
    const { id } = await life.requests.request(as('anna'), 'verify', { target: 'pg:main' });
    const delivered = life.deliver();
    await meet.reached;
    expect(await life.locks()).toEqual(['host-x/pg-main/backup']);
    await life.requests.answer(id, 'cancel', as('anna'));
    life.executor.cancel(id);
    meet.open();
    await delivered;
    expect((await life.run(id)).state).toBe('cancelled');
    expect(await recovery.checks()).toEqual([]);
  });

  it('of nothing, or of something unknown, is refused', async () => {
    const { check } = await open({ verifiables: [] });
    expect((await check({})).run).toMatchObject({ state: 'failed', error: { code: 'verify-none' } });
    expect((await check({ target: 'pg:x' })).run).toMatchObject({ error: { code: 'no-verifiable' } });
  });
});
