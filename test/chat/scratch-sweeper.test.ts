import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import { scratchProbe } from '../../src/app/doctor-scratch.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { between } from '../../src/store/incidents.ts';
import { moveRun } from '../../src/store/run-steps.ts';
import { insertRun } from '../../src/store/runs.ts';
import { openScratch } from '../../src/store/scratch.ts';
import { createScratchDesk, type ScratchRemover } from '../../src/tasks/scratch/desk.ts';
import { createSweeper } from '../../src/tasks/scratch/sweeper.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { watcherBlocks } from '../../src/tasks/watcher/state-doc.ts';
import { watcherState } from '../../src/tasks/watcher/state.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';
import { configWith } from './support/shown.ts';

const NONE = new AbortController().signal;
const CLUSTER = { kind: 'pg-cluster', place: 'db1', what: { dir: '/scratch/42', port: 54_330 } };
const texts = catalogue(allMessages);

async function open(remove?: ScratchRemover['remove']) {
  const { db } = await storeForTest();
  const clock = createManualClock('2026-11-23T09:00:00Z');
  const config = configWith({});
  const removed: string[] = [];
  const remover: ScratchRemover = {
    kind: 'pg-cluster',
    remove: async (thing, signal) => {
      await remove?.(thing, signal);
      removed.push(String(thing.what['dir']));
    },
  };
  const sweeper = createSweeper({
    db,
    clock,
    log: silentLog,
    removers: [remover],
    writer: createIncidentWriter(config),
    t: texts.for('ru'),
    redact: (text) => text.replaceAll('hunter2', '[redacted]'),
  });
  const desk = createScratchDesk({ db, clock });
  const drill = async (): Promise<string> => {
    const id = randomUUID();
    const actor = { kind: 'schedule', id: 'weekly' } as const;
    await insertRun(db, { id, operation: 'drill.restore', args: {}, actor, state: 'queued' }, clock.now());
    await moveRun(db, id, 'queued', 'running', { worker: 'w1' }, clock.now());
    return id;
  };
  const incidents = async () =>
    (await between(db, new Date(0), new Date('2030-01-01'))).map(({ source, state, severity, title, data }) => ({
      source,
      state,
      severity,
      title,
      text: JSON.stringify(data),
    }));
  const again = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    await sweeper.round(NONE);
  };
  return { db, clock, config, desk, drill, removed, incidents, again, round: () => sweeper.round(NONE), sweeper };
}

describe('what a run leaves behind', () => {
  it('is removed when the run is over, and not before', async () => {
    const { db, clock, desk, drill, removed, round } = await open();
    const run = await drill();
    await desk.claim({ runId: run, ...CLUSTER });
    await round();
    expect(removed).toEqual([]);
    await moveRun(db, run, 'running', 'failed', {}, clock.now());
    await round();
    await round();
    expect(removed).toEqual(['/scratch/42']);
    expect(await desk.open()).toEqual([]);
  });

  it('is removed when the worker has been silent for a minute', async () => {
    const { desk, drill, removed, again } = await open();
    await desk.claim({ runId: await drill(), ...CLUSTER });
    await again(seconds(59));
    expect(removed).toEqual([]);
    await again(seconds(2));
    expect(removed).toEqual(['/scratch/42']);
  });

  it('stays for as long as somebody wanted to look at it', async () => {
    const { clock, desk, removed, again } = await open();
    const until = new Date(clock.now().getTime() + minutes(60)).toISOString();
    await desk.claim({ runId: randomUUID(), ...CLUSTER, what: { ...CLUSTER.what, until } });
    await again(minutes(59));
    expect(removed).toEqual([]);
    await again(minutes(1));
    expect(removed).toEqual(['/scratch/42']);
  });

  it('and cannot be removed is tried again with longer pauses, told of after the third time, and over when it is gone', async () => {
    let tries = 0;
    let isStuck = true;
    const opened = await open(async () => {
      tries += 1;
      const args = { where: 'db1', reason: 'hunter2 is busy' };
      if (isStuck) throw new VakhtaError('transient', 'ssh-unreachable', 'away', { args });
    });
    const { db, clock, config, desk, incidents, again, round } = opened;
    await desk.claim({ runId: randomUUID(), ...CLUSTER });
    await round();
    await again(seconds(14));
    expect(tries).toBe(1);
    await again(seconds(1));
    expect(tries).toBe(2);
    expect(await incidents()).toEqual([]);
    await again(seconds(30));
    expect(tries).toBe(3);
    const [told, ...others] = await incidents();
    expect(others).toEqual([]);
    expect(told).toMatchObject({ source: 'vakhta', state: 'firing', severity: 'warning' });
    expect(told?.title).toBe('Не убрано за собой: временный кластер на db1');
    expect(told?.text).toContain('dir /scratch/42, port 54330');
    expect(told?.text).toContain('[redacted] is busy');
    expect(told?.text).not.toContain('hunter2');
    expect(told?.text).toContain('"runbook":"scratch-left-over"');
    // /status and doctor say it too.
    const data = await watcherState(db, clock, config);
    expect(data.leftovers).toEqual([{ kind: 'pg-cluster', place: 'db1' }]);
    for (const [language, words] of [
      ['en', 'scratch cluster on db1'],
      ['ru', 'временный кластер на db1'],
    ] as const) {
      const view = { t: texts.for(language), language, now: clock.now() };
      expect(JSON.stringify(watcherBlocks(data, view))).toContain(words);
    }
    const probe = scratchProbe((work) => work(db));
    expect(await probe.probe(NONE)).toMatchObject({ state: 'warn', args: { n: 1, places: 'db1' } });

    await again(minutes(1));
    await again(minutes(2));
    expect(tries).toBe(5);
    expect(await incidents()).toHaveLength(1);
    isStuck = false;
    await again(minutes(30));
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
    expect(await openScratch(db)).toEqual([]);
    expect((await watcherState(db, clock, config)).leftovers).toEqual([]);
    expect(await probe.probe(NONE)).toMatchObject({ state: 'ok' });
  });

  it('ends its incident also when somebody else has removed it', async () => {
    const { desk, incidents, again, round } = await open(() => Promise.reject(new Error('no')));
    const id = await desk.claim({ runId: randomUUID(), ...CLUSTER });
    await round();
    await again(seconds(15));
    await again(seconds(30));
    expect(await incidents()).toMatchObject([{ state: 'firing' }]);
    await desk.released(id);
    await again(seconds(15));
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
  });

  it('of a kind that nobody knows, or that takes too long, keeps nothing else waiting', async () => {
    const began: string[] = [];
    const { db, clock, desk, removed, sweeper } = await open(async ({ what }, signal) => {
      began.push(String(what['dir']));
      if (what['dir'] !== '/hangs') return;
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    await desk.claim({ runId: randomUUID(), kind: 'moon', place: 'sky', what: {} });
    await desk.claim({ runId: randomUUID(), ...CLUSTER, what: { dir: '/hangs' } });
    await desk.claim({ runId: randomUUID(), ...CLUSTER });
    const round = sweeper.round(NONE);
    await expect.poll(() => removed).toEqual(['/scratch/42']);
    await expect.poll(() => began.toSorted()).toEqual(['/hangs', '/scratch/42']);
    await clock.advance(minutes(5));
    await round;
    expect((await openScratch(db)).map(({ kind, failures }) => [kind, failures])).toEqual([
      ['moon', 1],
      ['pg-cluster', 1],
    ]);
  });

  it('is left to the next sweeper, and counts as no vain try, when the program ends', async () => {
    const ending = new AbortController();
    const { db, desk, sweeper } = await open(async (_thing, signal) => {
      ending.abort();
      signal.throwIfAborted();
    });
    await desk.claim({ runId: randomUUID(), ...CLUSTER });
    await sweeper.round(ending.signal);
    expect(await openScratch(db)).toMatchObject([{ failures: 0 }]);
  });
});
