import { expect, it, vi } from 'vitest';
import { openWeather, unseen, type Webhook } from './support/weather.ts';

/** Ten minutes of a watch, step by step: on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 180_000 });

/** The same numbers in each run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const HOSTS = ['web1', 'db1', 'mail', 'proxy', 'router'];
const NODES = ['pve1', 'pve2'];
const SEVERITIES = ['critical', 'warning', 'info'];

it.each([1, 2, 3])('whatever happens, every incident is shown somewhere (%i)', async (seed) => {
  const random = dice(seed * 7919);
  const pick = <T>(all: readonly T[]): T => all[random(all.length)] as T;
  const weather = await openWeather({ storm: { cards: 4, critical_cards: 2, calm_minutes: 0.3 } });
  const groups = new Map<string, Webhook>();
  let known = 0;
  const begin = (): Webhook => {
    known += 1;
    const isDown = random(6) === 0;
    const hosts = isDown ? [pick([...NODES, ...HOSTS])] : [pick(HOSTS), pick(HOSTS)].slice(0, 1 + random(2));
    const alerts = [...new Set(hosts)].map((name) => ({
      name,
      labels: { alertname: isDown ? 'HostDown' : `Slow${known}` },
    }));
    return { group: `g${known}`, alerts, labels: { severity: pick(SEVERITIES) } };
  };
  const turn = (one: Webhook, status: 'firing' | 'resolved'): Webhook => ({
    ...one,
    alerts: one.alerts.map((alert) => ({ ...alert, status })),
  });
  const tell = async (some: readonly Webhook[]): Promise<void> => {
    for (const one of some) groups.set(one.group, one);
    await weather.tell(some);
  };
  const steps: readonly (() => Promise<void>)[] = [
    () => tell(Array.from({ length: 1 + random(9) }, begin)),
    () => tell([begin()]),
    () => tell([...groups.values()].filter(() => random(4) === 0).map((one) => turn(one, 'resolved'))),
    () => tell([...groups.values()].filter(() => random(9) === 0).map((one) => turn(one, 'firing'))),
    () => weather.inventory(Object.fromEntries(HOSTS.slice(0, 3 + random(2)).map((host) => [host, pick(NODES)]))),
    () => weather.restart(),
    () => weather.pass(1000 * (1 + random(40)), 1000),
    () => weather.pass(5000, 1000),
  ];
  const astray = () =>
    weather.rows(
      `select c.id, c.folded_into from incidents c join incidents p on p.id = c.folded_into
       where c.state = 'firing' and (p.state <> 'firing' or p.folded_into is not null)`,
    );
  for (let n = 0; n < 30; n += 1) {
    await pick(steps)();
    expect(await unseen(weather)).toEqual([]);
    expect(await astray()).toEqual([]);
  }
  // When it is calm everything that fires has a card of its own, or a parent; and the chat shows all of it.
  await weather.until(
    async () => (await weather.rows('select from storms where ended_at is null')).length === 0,
    15 * 60_000,
    5000,
  );
  await weather.until(
    async () => (await weather.rows(`select from outbox where state in ('queued', 'sending')`)).length === 0,
    15 * 60_000,
    5000,
  );
  expect(await unseen(weather)).toEqual([]);
  const wrong = await weather.rows(
    `select i.id, i.state, c.message_id from incidents i join cards c on c.kind = 'incident' and c.ref = i.id::text
     where c.gone_at is null and (c.message_id is null or c.delivered_rev < c.rev)`,
  );
  expect(wrong).toEqual([]);
  const states = new Map(
    (await weather.rows('select id, state, folded_into from incidents')).map((one) => [one['id'], one]),
  );
  const shown = weather.texts().flatMap((text) => {
    const id = Number(/ · #(\d+)$/mu.exec(text)?.[1]);
    return Number.isNaN(id)
      ? []
      : [{ id, isOver: /RESOLVED|UNKNOWN/u.test(text), isFolded: text.includes('Folded into') }];
  });
  expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
  for (const { id, isOver, isFolded } of shown) {
    expect({ id, isOver, isFolded }).toEqual({
      id,
      isOver: states.get(id)?.['state'] === 'resolved',
      isFolded: states.get(id)?.['folded_into'] !== null,
    });
  }
  expect(weather.traffic().refused).toBe(0);
});
