import { describe, expect, it, vi } from 'vitest';
import { plan, play, THOUSAND } from './support/storm-play.ts';
import { openWeather, unseen } from './support/weather.ts';

/** Ten minutes of a watch, step by step: on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 180_000 });

describe('a thousand alerts in two hundred groups within a minute', () => {
  it('become one storm card whose counts add up, without one refusal', async () => {
    const weather = await openWeather();
    const sent = plan(THOUSAND, 1);
    const firstCritical = await play(weather, sent);
    expect(firstCritical).toBeLessThanOrEqual(5000);
    await weather.until(() => weather.storms().some((text) => text.includes('200 incidents, 1000 alerts')), 30_000);
    const [card, ...more] = weather.storms();
    expect(more).toEqual([]);
    const counts = [...(card ?? '').matchAll(/(\d+) incidents?, (\d+) alerts?/gu)].map((one) => [
      Number(one[1]),
      Number(one[2]),
    ]);
    const [total, ...parts] = counts;
    expect(total).toEqual([200, 1000]);
    expect(parts.reduce(([a = 0, b = 0], [c = 0, d = 0]) => [a + c, b + d], [0, 0])).toEqual([200, 1000]);
    expect(card).toContain('🔴 CRITICAL: 20 incidents, 100 alerts');
    expect(card).toContain('cluster=home ×1000');
    expect(weather.buttons('Storm:')).toEqual(['✋ Acknowledge all (200)', '☰ All 200']);
    // Eight made it a storm, and five critical ones a minute are shown all the same.
    const own = weather.texts().length - 1;
    expect(own).toBeGreaterThanOrEqual(8);
    expect(own).toBeLessThanOrEqual(8 + 10);
    expect(await unseen(weather)).toEqual([]);
    const { busiest, refused } = weather.traffic();
    expect(refused).toBe(0);
    expect(busiest).toBeLessThanOrEqual(20);

    await weather.view('storm', 1, 'all:1');
    const page = weather.storms()[0] ?? '';
    expect(page).toContain('Incidents 1–15 of 200');
    expect(weather.buttons('Storm:')).toEqual(['‹ Back', '2 ›', '📄 As a file']);
    await weather.view('storm', 1, 'all:14');
    expect(weather.storms()[0]).toContain('Incidents 196–200 of 200');
    await weather.view('storm', 1, '');
    expect(weather.storms()[0]).toContain('Storm: 200 incidents, 1000 alerts');
  });

  it('calm down: what still fires gets cards, the heaviest first; the rest is told on the storm card', async () => {
    const weather = await openWeather({ storm: { calm_minutes: 1 } });
    const sent = plan({ ...THOUSAND, groups: 60, alerts: 300, criticals: 12 }, 2);
    await play(weather, sent);
    const shown = (): string[] => [
      ...new Set(
        weather.texts().flatMap((text) => (text.includes('Storm') ? [] : [/Group\d+/u.exec(text)?.[0] ?? ''])),
      ),
    ];
    const before = shown();
    // All but ten end before it is calm.
    const newest = new Map(sent.map((one) => [one.group, one]));
    const collected = [...newest.keys()].filter((group) => !before.includes(group));
    const stay = collected.slice(0, 10);
    await weather.tell(
      [...newest.values()]
        .filter(({ group }) => !stay.includes(group))
        .map((one) => ({ ...one, alerts: one.alerts.map((alert) => ({ ...alert, status: 'resolved' as const })) })),
    );
    await weather.restart();
    await weather.until(() => weather.storms().some((text) => text.includes('Storm over')), 10 * 60_000, 1000);
    await weather.until(() => shown().length === before.length + 10, 5 * 60_000, 1000);
    const after = shown().filter((group) => !before.includes(group));
    expect(after.toSorted()).toEqual(stay.toSorted());
    const byWeight = await weather.rows(
      `select group_key from incidents where group_key = any ($1)
       order by array_position(array['critical', 'warning', 'info'], severity), started_at, id`,
      [stay],
    );
    expect(after).toEqual(byWeight.map((row) => row['group_key']));
    const [card] = weather.storms();
    expect(card).toMatch(/Storm over: 60 incidents, 300 alerts in \d+ s/u);
    expect(card).toContain('50 over, 10 still fire and have cards of their own.');
    expect(weather.storms()).toHaveLength(1);
    for (const text of weather.texts().filter((one) => before.some((group) => one.includes(`${group} `))))
      expect(text).toContain('RESOLVED');
    expect(weather.traffic()).toMatchObject({ refused: 0 });
    expect(await unseen(weather)).toEqual([]);
    // The next one is no storm.
    await weather.alert('Later', [{ name: 'x' }]);
    await weather.until(() => weather.texts().some((text) => text.includes('Later')), 5000);
    expect(await weather.rows('select from storms where ended_at is null')).toEqual([]);
  });
});

describe('the first critical one of a storm', () => {
  it('is seen within five seconds, whenever it comes', async () => {
    const took: number[] = [];
    for (let seed = 10; seed < 13; seed += 1) {
      const weather = await openWeather();
      const storm = plan({ groups: 40, alerts: 80, lengthMs: 30_000, criticals: 1 }, seed);
      took.push(await play(weather, storm));
      expect(weather.traffic().refused).toBe(0);
    }
    expect(Math.max(...took)).toBeLessThanOrEqual(5000);
  });
});

it('a restart in the middle changes nothing: one storm card, and each incident where it belongs', async () => {
  const weather = await openWeather();
  const sent = plan({ groups: 40, alerts: 80, lengthMs: 20_000, criticals: 4 }, 3);
  await play(weather, sent.slice(0, 40));
  await weather.restart();
  await play(
    weather,
    sent.slice(40).map((one, n) => ({ ...one, at: n * 100 })),
  );
  await weather.until(() => weather.storms().some((text) => text.includes('40 incidents, 80 alerts')), 30_000);
  expect(weather.storms()).toHaveLength(1);
  expect(new Set(weather.texts()).size).toBe(weather.texts().length);
  expect(await unseen(weather)).toEqual([]);
});

it('an outage of Telegram ends in half a minute: what began meanwhile is collected, each in its present state', async () => {
  const weather = await openWeather({ storm: { calm_minutes: 1 } });
  await weather.telegram.down();
  const sent = plan({ groups: 40, alerts: 40, lengthMs: 30 * 60_000, criticals: 6 }, 4).filter(
    (one, n, all) => all.findIndex(({ group }) => group === one.group) === n,
  );
  const began = weather.clock.now().getTime();
  for (const [n, { at, group, alerts, labels }] of sent.entries()) {
    await weather.pass(Math.max(0, at - (weather.clock.now().getTime() - began)), 5000);
    await weather.alert(group, alerts, labels);
    const earlier = sent[n - 3];
    if (earlier && n % 2 === 0)
      await weather.alert(
        earlier.group,
        earlier.alerts.map((one) => ({ ...one, status: 'resolved' })),
        earlier.labels,
      );
  }
  await weather.pass(60_000, 5000);
  expect(weather.texts()).toEqual([]);
  await weather.telegram.up();
  await weather.pass(30_000);
  const storms = await weather.rows(`select id from storms`);
  expect(storms).toHaveLength(1);
  const state = new Map(
    (await weather.rows('select group_key, state from incidents')).map((row) => [row['group_key'], row['state']]),
  );
  const single = weather.texts().filter((text) => !text.includes('Storm'));
  // Each of them once, and none that is over is shown as firing.
  const named = single.map((text) => /Group\d+/u.exec(text)?.[0]);
  expect(new Set(named).size).toBe(named.length);
  const over = named.filter((group) => state.get(group ?? '') === 'resolved');
  expect(single.filter((text) => text.includes('RESOLVED')).map((text) => /Group\d+/u.exec(text)?.[0])).toEqual(over);
  expect(weather.storms()).toHaveLength(1);
  expect(weather.storms()[0]).toContain('40 incidents, 40 alerts');
  expect(weather.traffic()).toMatchObject({ refused: 0 });
  await weather.until(() => weather.storms().some((text) => text.includes('Storm over')), 10 * 60_000, 1000);
  expect(await unseen(weather)).toEqual([]);
});
