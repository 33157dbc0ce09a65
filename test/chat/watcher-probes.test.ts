import { describe, expect, it } from 'vitest';
import { type Clock, seconds } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import type { ProbeResult } from '../../src/core/probe.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { between } from '../../src/store/incidents.ts';
import { probeDays, probeState } from '../../src/store/probes.ts';
import probesOperation from '../../src/tasks/operations/probes.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { createProbeBoard } from '../../src/tasks/watcher/board.ts';
import { createProber } from '../../src/tasks/watcher/prober.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shownRun } from './support/shown.ts';

const texts = catalogue(allMessages);
const OK: ProbeResult = { ok: true, latencyMs: 12 };
const BAD: ProbeResult = { ok: false, reason: 'HTTP 503' };
const SECTIONS = {
  probes: [
    {
      id: 'gitlab',
      name: 'GitLab',
      kind: 'http',
      target: 'https://user:hunter2@gitlab.example.net/-/health',
      labels: { service: 'gitlab', team: 'platform', alertname: 'Mine' },
      severity: 'warning',
    },
    { id: 'dns', kind: 'tcp', target: 'dns.example.net:53', failures: 1 },
    { id: 'gateway', kind: 'icmp', target: '192.0.2.1' },
  ],
};

async function open() {
  const config = configWith(SECTIONS);
  const ports: { probes?: ReturnType<typeof createProbeBoard> } = {};
  const life = await openLife({ operations: [probesOperation], ports });
  const { db, clock } = life;
  ports.probes = createProbeBoard({ db, clock, config });
  const answers: Record<string, ProbeResult> = {};
  const proberOf = (of = config, time: Clock = clock) =>
    createProber({
      db,
      clock: time,
      log: silentLog,
      writer: createIncidentWriter(of),
      config: of,
      attempt: ({ id }) => Promise.resolve(answers[id] ?? OK),
      t: texts.for('ru'),
    });
  const prober = proberOf();
  const signal = new AbortController().signal;
  /** One attempt each ten seconds. */
  const look = async (id: string, ...results: readonly ProbeResult[]): Promise<void> => {
    const probe = config.probes.find((one) => one.id === id);
    if (!probe) throw new Error(`no probe ${id}`);
    for (const result of results) {
      answers[id] = result;
      await prober.look(probe, signal);
      await clock.advance(seconds(10));
    }
  };
  const incidents = async () => between(db, new Date(0), new Date('2030-01-01'));
  return { life, db, clock, config, look, incidents, proberOf, answers };
}

describe('probes', () => {
  it('become an incident with labels for routes, and its end; flapping is neither', async () => {
    const { db, look, incidents } = await open();
    await look('gitlab', OK, BAD, BAD, OK, BAD, BAD);
    expect(await incidents()).toEqual([]);
    await look('gitlab', BAD);
    const [row, ...others] = await incidents();
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      source: 'probe',
      groupKey: 'gitlab',
      state: 'firing',
      severity: 'warning',
      title: 'GitLab: проверка не проходит (HTTP 503)',
    });
    const data = JSON.stringify(row?.data);
    expect(row?.data).toMatchObject({
      commonLabels: {
        service: 'gitlab',
        severity: 'warning',
        instance: 'gitlab.example.net',
        team: 'platform',
        alertname: 'ProbeFailed',
        probe: 'gitlab',
      },
    });
    expect(data).toContain('неудачны 3 попытки подряд');
    expect(data).not.toContain('hunter2');
    await look('gitlab', OK, BAD, OK);
    expect(await incidents()).toMatchObject([{ state: 'firing' }]);
    await look('gitlab', OK);
    expect(await incidents()).toMatchObject([
      {
        state: 'resolved',
        title: 'GitLab: проверка не проходит (HTTP 503)',
        startedAt: new Date('2026-11-23T09:00:40Z'),
      },
    ]);
    const { rows } = await db.query(`select count(*)::int as n from cards where kind = 'incident'`);
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('are counted by day of the site’s calendar, and what could not be tried is not counted', async () => {
    const { db, clock, look } = await open();
    await clock.set('2026-11-23T20:59:55Z');
    await look('gateway', BAD, OK, { ok: 'unavailable', reason: 'ping: not installed' });
    // Midnight in Moscow lies between the first and the second.
    expect(await probeDays(db, '2026-11-01')).toEqual([
      { probe: 'gateway', day: '2026-11-23', ok: 0, failed: 1 },
      { probe: 'gateway', day: '2026-11-24', ok: 1, failed: 0 },
    ]);
    expect(await probeState(db, 'gateway')).toMatchObject({ state: 'unknown', reason: 'ping: not installed' });
  });

  it('show on /probes: what fails first, what nobody has seen for a while as unknown', async () => {
    const { life, clock, look } = await open();
    const ask = async () => {
      const { id } = await life.requests.request(as('vera'), 'probes', {});
      await life.deliver();
      return shownRun(await life.run(id), life, [probesOperation], clock.now());
    };
    const none = await ask();
    expect(none.en.text).toContain('nothing known of 3 of 3');
    expect(none.ru.text).toContain('ещё не проверялось');
    await look('dns', BAD);
    await look('gitlab', OK);
    await look('gateway', { ok: true, latencyMs: 0.4 });
    const some = await ask();
    expect(some.en.text).toContain('1 of 3 failing');
    expect(some.en.text).toMatch(/🔴 dns · dns\.example\.net:53 · HTTP 503 · since/);
    expect(some.en.text).toContain('GitLab · 12 ms');
    expect(some.ru.text).toContain('не проходят: 1 из 3');
    await look('dns', OK, OK);
    const fine = await ask();
    expect(fine.en.text).toContain('all 3 answer');
    expect(fine.en.text).toContain('dns · 12 ms · 66.6 % in 7 days');
    await clock.advance(seconds(3600));
    expect((await ask()).en.text).toContain('nothing known of 3 of 3');
  });

  it('that are not declared any more leave neither a state nor an incident', async () => {
    const { db, look, incidents, proberOf } = await open();
    await look('dns', BAD);
    expect(await incidents()).toMatchObject([{ groupKey: 'dns', state: 'firing' }]);
    const rest = configWith({ probes: [SECTIONS.probes[0]] });
    const stop = new AbortController();
    const time = createManualClock('2026-11-23T10:00:00Z');
    const running = proberOf(rest, time).run(stop.signal);
    await expect.poll(async () => (await incidents())[0]?.state).toBe('resolved');
    await expect.poll(() => probeState(db, 'dns')).toBeUndefined();
    stop.abort();
    await running;
  });

  it('are tried at their own pace, soon after the start, and no longer when it ends', async () => {
    const { config, proberOf, db } = await open();
    const time = createManualClock('2026-11-23T10:00:00Z');
    const stop = new AbortController();
    const running = proberOf(config, time).run(stop.signal);
    await time.untilTimers(3);
    const checked = async () => (await db.query('select probe, checked_at from probe_states order by probe')).rows;
    for (let second = 0; second < 10; second += 1) await time.advance(seconds(1));
    await expect.poll(async () => (await checked()).length).toBe(3);
    await time.untilTimers(3);
    const first = await checked();
    for (let second = 0; second < 30; second += 1) await time.advance(seconds(1));
    await expect
      .poll(async () => (await checked()).filter((row, n) => JSON.stringify(row) !== JSON.stringify(first[n])).length)
      .toBe(3);
    stop.abort();
    await running;
    expect(time.pending).toBe(0);
  });

  it('are tried sixteen at a time, and one that hangs holds up no other for ever', async () => {
    const { db } = await open();
    const ids = Array.from({ length: 20 }, (_, n) => `p${n}`);
    const of = configWith({ probes: ids.map((id) => ({ id, kind: 'tcp', target: '127.0.0.1:1', every_seconds: 60 })) });
    const time = createManualClock('2026-11-23T10:00:00Z');
    let busy = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const prober = createProber({
      db,
      clock: time,
      log: silentLog,
      writer: createIncidentWriter(of),
      config: of,
      attempt: async () => {
        busy += 1;
        most = Math.max(most, busy);
        await new Promise<void>((resolve) => release.push(resolve));
        busy -= 1;
        return OK;
      },
      t: texts.for('en'),
    });
    const stop = new AbortController();
    const running = prober.run(stop.signal);
    await time.untilTimers(20);
    await time.advance(seconds(10));
    await expect.poll(() => release.length).toBe(16);
    // The first fifteen answer; the sixteenth never does.
    for (const one of release.splice(0, 15)) one();
    await expect.poll(() => release.length).toBe(5);
    for (const one of release.slice(1)) one();
    await expect
      .poll(async () => (await db.query('select count(*)::int as n from probe_states')).rows)
      .toEqual([{ n: 19 }]);
    expect(most).toBe(16);
    stop.abort();
    release[0]?.();
    await running;
  });
});
