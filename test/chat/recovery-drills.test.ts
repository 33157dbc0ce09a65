import { describe, expect, it } from 'vitest';
import { days, minutes, seconds } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { between } from '../../src/store/incidents.ts';
import type { Executor } from '../../src/tasks/lifecycle/executor.ts';
import { createLedgerWatch } from '../../src/tasks/recovery/watch.ts';
import drillRestore from '../../src/tasks/operations/drill-restore.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { as, gate, type Life } from './support/life.ts';
import { goodReport, openRecovery } from './support/recovery.ts';
import { shownRun } from './support/shown.ts';

const texts = catalogue(allMessages);
const NONE = new AbortController().signal;

async function open() {
  const opened = await openRecovery([drillRestore], { sections: { recovery: { rto_minutes: 30, rpo_minutes: 60 } } });
  const { life, config } = opened;
  const { db, clock } = life;
  const writer = createIncidentWriter(config);
  const watch = createLedgerWatch({ db, clock, log: silentLog, writer, t: texts.for('ru') });
  const drill = async (target = 'pg:main', actor = as('anna')) => {
    const { id } = await life.requests.request(actor, 'drill.restore', { target });
    await life.deliver();
    await watch.round(NONE);
    return life.run(id);
  };
  const card = async (id: string) => (await shownRun(await life.run(id), life, [drillRestore], clock.now())).en.text;
  const incidents = async () =>
    (await between(db, new Date(0), new Date('2030-01-01'))).map(({ state, title, severity }) => ({
      state,
      title,
      severity,
    }));
  return { ...opened, db, clock, watch, drill, card, incidents };
}

/** Another worker has found that nothing was heard of this one's; a sign of life that was on its way is taken back too. */
async function foundSilent(life: Life, id: string, second: Executor): Promise<void> {
  const look = async (): Promise<string> => {
    await life.db.query(`update runs set heartbeat_at = $2 where id = $1`, [id, new Date('2026-11-23T08:00:00Z')]);
    await life.round(second);
    return (await life.run(id)).state;
  };
  await expect.poll(look).not.toBe('running');
}

describe('a restore drill', () => {
  it('goes into the ledger with all that was measured, and its card says how it stands against the goals', async () => {
    const { drill, card, recovery, life, clock, incidents } = await open();
    const run = await drill();
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(run.plan?.lines.map(({ key }) => key)).toEqual(['life-plan', 'drill-restore-plan-never']);
    expect(await recovery.drill(run.id)).toMatchObject({
      id: run.id,
      target: 'pg:main',
      trigger: 'person',
      actor: 'operator:anna',
      state: 'passed',
      source: '20261122-030000F',
      rtoMs: 252_000,
      rpoMs: 41_000,
      sizeBytes: 1_200_000_000,
      versions: { pgbackrest: '2.45', postgres: '15.8' },
      startedAt: clock.now(),
      endedAt: clock.now(),
    });
    const text = await card(run.id);
    expect(text).toContain('Restored and proven in 4 min 12 s');
    expect(text).toContain('Restore took (RTO): ✔ 4 min 12 s · goal 30 min');
    expect(text).toContain('Would be lost (RPO): ✔ 41 s · goal 1 h');
    expect(text).toContain('20261122-030000F · 1.2 GB');
    expect(await incidents()).toEqual([]);
    expect(await life.locks()).toEqual([]);
  });

  it('is a fresh proof for as many days as the configuration says', async () => {
    const { drill, recovery, clock } = await open();
    expect(await recovery.lastGoodDrill('pg:main', clock.now())).toBeUndefined();
    await drill();
    await clock.advance(days(30));
    expect(await recovery.lastGoodDrill('pg:main', clock.now())).toMatchObject({ isFresh: true });
    await clock.advance(seconds(1));
    expect(await recovery.lastGoodDrill('pg:main', clock.now())).toMatchObject({ isFresh: false });
    expect(await recovery.lastGoodDrill('volume:etc', clock.now())).toBeUndefined();
    // A newer one that failed is no proof, and does not undo the older one.
    await drill('volume:etc');
    expect((await recovery.lastGoodDrills()).size).toBe(2);
  });

  it('is held to the goal of its kind, and says so; its card has a verdict and a few facts, the rest is folded', async () => {
    const goals = [{ for: 'volume', rpo_minutes: 1560 }];
    const { life, fake } = await openRecovery([drillRestore], { sections: { recovery: { goals } } });
    fake.drill = () => Promise.resolve(goodReport({ rpoMs: minutes(1500) }));
    const { id } = await life.requests.request(as('anna'), 'drill.restore', { target: 'volume:etc' });
    await life.deliver();
    const run = await life.run(id);
    expect(run.state).toBe('succeeded');
    const { en, ru } = await shownRun(run, life, [drillRestore], life.clock.now());
    expect(en.text).toContain('Would be lost (RPO): ✔ 1 d 1 h · goal 1 d 2 h (volume)');
    expect(ru.text).toContain('норма 1 д 2 ч (volume)');
    const [head = '', folded = ''] = en.text.split('Details');
    expect(head).toContain('Proofs: ✔ all 2');
    expect(head.split('\n').filter((row) => /^\S.*: /u.test(row)).length).toBeLessThanOrEqual(6);
    expect(head).not.toContain('pgbackrest');
    expect(folded).toContain('With postgres 15.8, pgbackrest 2.45');
    expect(folded).toContain('✔ it is so');
  });

  it('that misses a goal is amber', async () => {
    const { drill, card, fake } = await open();
    fake.drill = () => Promise.resolve(goodReport({ rtoMs: minutes(31) }));
    const run = await drill();
    expect(run.state).toBe('warning');
    expect(await card(run.id)).toContain('but RTO misses its goal');
  });

  it('with a proof that is not so has failed, shows it first, and burns until a good one has come', async () => {
    const { drill, card, recovery, fake, incidents, clock, watch } = await open();
    fake.drill = () =>
      Promise.resolve(
        goodReport({
          proofs: [
            { ok: true, text: { key: 'life-seen' } },
            { ok: false, text: { key: 'life-not-seen' } },
          ],
        }),
      );
    const run = await drill();
    expect(run).toMatchObject({ state: 'failed', verified: { ok: false, text: { key: 'drill-restore-proofs' } } });
    expect(await recovery.drill(run.id)).toMatchObject({ state: 'failed', rtoMs: 252_000 });
    const text = await card(run.id);
    expect(text).toContain('Restored, but not as it has to be');
    expect(text.indexOf('✘ it is not so')).toBeLessThan(text.indexOf('✔ it is so'));
    expect(text).toContain('1 of 2 proofs failed');
    expect(await incidents()).toMatchObject([{ state: 'firing', severity: 'warning' }]);
    expect((await incidents())[0]?.title).toContain('pg:main');
    await clock.advance(minutes(1));
    await watch.round(NONE);
    expect(await incidents()).toHaveLength(1);
    fake.drill = () => Promise.resolve(goodReport());
    await clock.advance(minutes(1));
    await drill('volume:etc');
    expect(await incidents()).toMatchObject([{ state: 'firing' }]);
    await drill();
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
  });

  it('that proves nothing has failed', async () => {
    const { drill, fake } = await open();
    fake.drill = () => Promise.resolve(goodReport({ proofs: [] }));
    expect(await drill()).toMatchObject({ state: 'failed', verified: { text: { key: 'drill-restore-none' } } });
  });

  it('that leaves something temporary behind is not green', async () => {
    const { drill, fake, scratch } = await open();
    fake.drill = async ({ runId }) => {
      await scratch.claim({ runId, kind: 'pg-cluster', place: 'pg', what: { port: 54_330 } });
      return goodReport();
    };
    expect(await drill()).toMatchObject({ state: 'failed', verified: { text: { key: 'drill-restore-left' } } });
  });

  it('that could not be done says why, in the ledger too', async () => {
    const { drill, fake, recovery, incidents } = await open();
    fake.drill = () => Promise.reject(new VakhtaError('transient', 'unreachable', 'gone', { args: { what: 'pg' } }));
    const run = await drill();
    expect(run).toMatchObject({ state: 'failed', error: { code: 'unreachable' } });
    expect(await recovery.drill(run.id)).toMatchObject({
      state: 'broken',
      error: { key: 'err-unreachable', args: { what: 'pg' } },
    });
    expect(await incidents()).toMatchObject([{ state: 'firing' }]);
  });

  it('that somebody stops is no sign of a bad backup', async () => {
    const { life, fake, recovery, watch, incidents } = await open();
    const meet = gate();
    fake.drill = async ({ signal }) => {
      await meet.pass();
      signal.throwIfAborted();
      return goodReport();
    };
    const { id } = await life.requests.request(as('anna'), 'drill.restore', { target: 'pg:main' });
    const delivered = life.deliver();
    await meet.reached;
    expect(await life.locks()).toEqual(['host-x/pg-main/backup']);
    await life.requests.answer(id, 'cancel', as('anna'));
    life.executor.cancel(id);
    meet.open();
    await delivered;
    expect((await life.run(id)).state).toBe('cancelled');
    expect(await recovery.drill(id)).toMatchObject({ state: 'running' });
    await watch.round(NONE);
    expect(await recovery.drill(id)).toMatchObject({ state: 'broken', error: { key: 'err-cancelled' } });
    expect(await incidents()).toEqual([]);
    expect(await life.locks()).toEqual([]);
  });

  it('whose worker died waits for the sweeper, and is then told as lost', async () => {
    const { life, fake, scratch, recovery, watch, clock } = await open();
    const meet = gate();
    let thing = '';
    fake.drill = async ({ runId }) => {
      thing = await scratch.claim({ runId, kind: 'pg-cluster', place: 'pg', what: { port: 54_330 } });
      await meet.pass();
      return new Promise(() => {});
    };
    const { id } = await life.requests.request(as('anna'), 'drill.restore', { target: 'pg:main' });
    void life.deliver();
    await meet.reached;
    const second = life.worker('worker-2');
    await clock.advance(minutes(10));
    await foundSilent(life, id, second);
    await life.round(second);
    expect(await life.run(id)).toMatchObject({
      state: 'reconciling',
      progress: { step: { key: 'drill-restore-tidying' } },
    });
    expect(await life.locks()).toEqual(['host-x/pg-main/backup']);
    await scratch.released(thing);
    await life.round(second);
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { text: 'recovery-lost' } });
    await watch.round(NONE);
    expect(await recovery.drill(id)).toMatchObject({ state: 'broken', error: { key: 'recovery-lost' } });
  });

  it('whose worker died after the ledger was written has passed', async () => {
    const { life, fake, recovery, clock } = await open();
    const meet = gate();
    fake.drill = async ({ runId }) => {
      await recovery.ended(runId, goodReport());
      await meet.pass();
      return new Promise(() => {});
    };
    const { id } = await life.requests.request(as('anna'), 'drill.restore', { target: 'pg:main' });
    void life.deliver();
    await meet.reached;
    await clock.advance(minutes(10));
    const second = life.worker('worker-2');
    await foundSilent(life, id, second);
    await life.round(second);
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', result: { passed: true, rtoMs: 252_000 } });
  });

  it('of the clock that is refused before it begins is a drill that could not be done', async () => {
    const { drill, fake, recovery, incidents } = await open();
    fake.plan = () => Promise.reject(new VakhtaError('permanent', 'unreachable', 'no', { args: { what: 'disk' } }));
    const byHand = await drill();
    expect(byHand.state).toBe('failed');
    expect(await recovery.ledger()).toEqual([]);
    const run = await drill('pg:main', { kind: 'schedule', id: 'drill.restore pg:main' } as never);
    expect(await recovery.ledger()).toMatchObject([
      { id: run.id, trigger: 'schedule', state: 'broken', error: { key: 'err-unreachable', args: { what: 'disk' } } },
    ]);
    expect(await incidents()).toMatchObject([{ state: 'firing' }]);
  });

  it('of an unknown target is refused with those that there are', async () => {
    const { drill } = await open();
    expect(await drill('pg:nothing')).toMatchObject({
      state: 'failed',
      error: { code: 'no-drillable', args: { target: 'pg:nothing', known: 'pg:main, volume:etc' } },
    });
  });
});
