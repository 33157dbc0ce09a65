import { describe, expect, it, vi } from 'vitest';
import { openWeather, unseen, type Weather } from './support/weather.ts';

/** Minutes of a watch, step by step: on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 180_000 });

const GUESTS = { web1: 'pve1', db1: 'pve1', mail: 'pve1', proxy: 'pve2' };
const CRITICAL = { severity: 'critical' };

const nodeDown = (weather: Weather, status: 'firing' | 'resolved' = 'firing') =>
  weather.alert('HostDown', [{ name: 'pve1:9100', status }], CRITICAL);
const slow = (weather: Weather, ...hosts: string[]) =>
  weather.tell(
    hosts.map((host) => ({ group: `Slow-${host}`, alerts: [{ name: `${host}:80` }, { name: `${host}:443` }] })),
  );
const over = (weather: Weather, host: string) =>
  weather.alert(`Slow-${host}`, [
    { name: `${host}:80`, status: 'resolved' },
    { name: `${host}:443`, status: 'resolved' },
  ]);
const text = (weather: Weather, about: string): string | undefined =>
  weather.texts().find((one) => one.split('\n')[0]?.includes(about));
const kinds = async (weather: Weather, group: string): Promise<unknown[]> =>
  (
    await weather.rows(
      `select e.kind from incident_events e join incidents i on i.id = e.incident_id where i.group_key = $1 order by e.id`,
      [group],
    )
  )
    .map((row) => row['kind'])
    .filter((kind) => kind !== 'alert-fired');

describe('what runs on a node that is down', () => {
  it('has no cards when the node was down before: it is counted on its card, and listed', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await nodeDown(weather);
    await weather.until(() => text(weather, 'HostDown') !== undefined, 5000);
    await slow(weather, 'web1', 'db1', 'proxy');
    await weather.pass(20_000);
    expect(text(weather, 'HostDown')).toContain('Folded: 2 guests, 4 alerts');
    expect(weather.buttons('HostDown')).toContain('▸ Folded: 2');
    expect(text(weather, 'Slow-web1')).toBeUndefined();
    expect(text(weather, 'Slow-db1')).toBeUndefined();
    expect(text(weather, 'Slow-proxy')).toContain('WARNING');
    expect(await kinds(weather, 'Slow-web1')).toEqual(['opened', 'folded']);
    await weather.view('incident', 1, 'folded:1');
    const list = text(weather, 'HostDown') ?? '';
    expect(list).toContain('Folded into it: 1–2 of 2');
    expect(list).toMatch(/#2 Slow-web1 · 2 alerts · firing/u);
    expect(await unseen(weather)).toEqual([]);
  });

  it('is folded when the node is said to be down afterwards, and its card says where it went', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await slow(weather, 'web1', 'db1');
    await weather.until(() => text(weather, 'Slow-db1') !== undefined, 5000);
    await nodeDown(weather);
    await weather.pass(20_000);
    expect(text(weather, 'HostDown')).toContain('Folded: 2 guests, 4 alerts');
    expect(text(weather, 'Slow-web1')).toContain('Folded into: #3 HostDown');
    expect(text(weather, 'Slow-db1')).toContain('Folded into: #3 HostDown');
  });

  it('that nobody has been told of yet is folded without a message', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await weather.telegram.down();
    await slow(weather, 'web1', 'db1');
    await nodeDown(weather);
    await weather.pass(5000);
    await weather.telegram.up();
    await weather.until(() => text(weather, 'HostDown') !== undefined, 30_000);
    await weather.pass(10_000);
    expect(weather.texts()).toHaveLength(1);
    expect(text(weather, 'HostDown')).toContain('Folded: 2 guests, 4 alerts');
    // The node comes back: what still fires is told.
    await over(weather, 'db1');
    await nodeDown(weather, 'resolved');
    await weather.until(() => text(weather, 'Slow-web1') !== undefined, 10_000);
    await weather.pass(5000);
    expect(weather.texts()).toHaveLength(2);
    expect(await unseen(weather)).toEqual([]);
  });

  it('unfolds when the node is back: what still fires has a card, what is over has none', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await nodeDown(weather);
    await slow(weather, 'web1', 'db1', 'mail');
    await over(weather, 'db1');
    await weather.pass(20_000);
    expect(text(weather, 'HostDown')).toContain('Folded: 3 guests, 6 alerts');
    await nodeDown(weather, 'resolved');
    await weather.until(() => text(weather, 'Slow-mail') !== undefined, 10_000);
    await weather.pass(20_000);
    expect(text(weather, 'Slow-web1')).toContain('WARNING');
    expect(text(weather, 'Slow-db1')).toBeUndefined();
    expect(text(weather, 'HostDown')).toContain('RESOLVED');
    expect(text(weather, 'HostDown')).toContain('Folded: 1 guest, 2 alerts, all over');
    expect(await kinds(weather, 'Slow-web1')).toEqual(['opened', 'folded', 'unfolded']);
    expect(await unseen(weather)).toEqual([]);
    // Down again: they go back.
    await nodeDown(weather);
    await weather.pass(20_000);
    expect(text(weather, 'Slow-web1')).toContain('Folded into: #1');
  });

  it('is told of when the inventory says that it moved to another node', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await nodeDown(weather);
    await slow(weather, 'web1', 'db1');
    await weather.pass(10_000);
    expect(text(weather, 'Slow-web1')).toBeUndefined();
    await weather.inventory({ ...GUESTS, web1: 'pve2' });
    await weather.until(() => text(weather, 'Slow-web1') !== undefined, 15_000);
    await weather.pass(20_000);
    expect(text(weather, 'Slow-db1')).toBeUndefined();
    expect(text(weather, 'HostDown')).toContain('Folded: 1 guest, 2 alerts');
  });

  it('goes from the incident of its guest to that of the node', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await weather.alert('GuestDown', [{ name: 'web1' }], CRITICAL);
    await slow(weather, 'web1');
    await weather.pass(15_000);
    expect(text(weather, 'GuestDown')).toContain('Folded: 1 guest, 2 alerts');
    await nodeDown(weather);
    await weather.pass(20_000);
    expect(text(weather, 'HostDown')).toContain('Folded: 1 guest, 3 alerts');
    expect(text(weather, 'GuestDown')).toContain('Folded into: #3');
    await nodeDown(weather, 'resolved');
    await weather.pass(20_000);
    expect(text(weather, 'GuestDown')).toContain('Folded: 1 guest, 2 alerts');
    expect(text(weather, 'Slow-web1')).toBeUndefined();
    expect(await unseen(weather)).toEqual([]);
  });
});

describe('nothing is folded', () => {
  it('while the inventory is unknown; once it is known, everything is', async () => {
    const weather = await openWeather();
    await nodeDown(weather);
    await slow(weather, 'web1');
    await weather.until(() => text(weather, 'Slow-web1') !== undefined, 5000);
    await weather.inventory(GUESTS);
    await weather.pass(30_000);
    expect(text(weather, 'Slow-web1')).toContain('Folded into: #1');
  });

  it('by an inventory that is old without saying so', async () => {
    const weather = await openWeather();
    await weather.inventory(GUESTS);
    await weather.pass(3 * 3_600_000, 3_600_000);
    await nodeDown(weather);
    await slow(weather, 'web1');
    await weather.pass(20_000);
    expect(text(weather, 'HostDown')).toContain('Folded: 1 guest, 2 alerts · inventory 3 h');
  });

  it('without its cause being seen: it has a card also in a storm that had collected it', async () => {
    const weather = await openWeather({ storm: { cards: 2, critical_cards: 0 } });
    await weather.inventory(GUESTS);
    await weather.tell(Array.from({ length: 6 }, (_, n) => ({ group: `Other${n}`, alerts: [{ name: `box${n}` }] })));
    await nodeDown(weather);
    await weather.pass(10_000);
    expect(weather.storms()[0]).toContain('7 incidents');
    expect(text(weather, 'HostDown')).toBeUndefined();
    await slow(weather, 'web1', 'db1');
    await weather.pass(10_000);
    expect(text(weather, 'HostDown')).toContain('Folded: 2 guests, 4 alerts');
    expect(weather.storms()[0]).toContain('7 incidents');
  });

  it('of a storm: what is folded is neither new nor collected', async () => {
    const weather = await openWeather();
    const guests = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`g${n}`, 'pve1']));
    await weather.inventory(guests);
    await nodeDown(weather);
    await slow(weather, ...Object.keys(guests));
    await weather.pass(20_000);
    expect(weather.storms()).toEqual([]);
    expect(weather.texts()).toHaveLength(1);
    expect(text(weather, 'HostDown')).toContain('Folded: 30 guests, 60 alerts');
    // All of them come back to themselves at once: that is one.
    await nodeDown(weather, 'resolved');
    await weather.until(() => weather.storms().length === 1, 10_000);
    await weather.pass(10_000);
    expect(weather.storms()[0]).toContain('30 incidents, 60 alerts');
    expect(await unseen(weather)).toEqual([]);
    expect(weather.traffic().refused).toBe(0);
  });
});
