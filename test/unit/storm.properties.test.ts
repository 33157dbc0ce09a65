import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEVERITIES } from '../../src/core/incident.ts';
import {
  byWeight,
  countStorm,
  releasable,
  sharedLabels,
  sortNewcomers,
  type StormIncident,
  type Weighty,
} from '../../src/core/storm.ts';

const POLICY = { cards: 8, criticalCards: 5 };
const START = Date.parse('2026-11-23T00:00:00Z');

const weighty = (id: number): fc.Arbitrary<Weighty> =>
  fc.record({
    id: fc.constant(id),
    severity: fc.constantFrom(...SEVERITIES),
    alerts: fc.integer({ min: 1, max: 50 }),
    startedAt: fc.integer({ min: 0, max: 600_000 }).map((ms) => new Date(START + ms)),
  });
const newcomers = fc
  .integer({ min: 0, max: 40 })
  .chain((n) => fc.tuple(...Array.from({ length: n }, (_, id) => weighty(id))))
  .map((all): readonly Weighty[] => all);
const policy = fc.record({ cards: fc.integer({ min: 2, max: 30 }), criticalCards: fc.integer({ min: 0, max: 30 }) });
const recent = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }))
  .map(([total, critical]) => ({ total: Math.max(total, critical), critical }));

const ids = (all: readonly Weighty[]): number[] => all.map(({ id }) => id).toSorted((a, b) => a - b);

describe('sorting newcomers', () => {
  it('leaves nobody out, and gives nobody two places', () => {
    fc.assert(
      fc.property(newcomers, recent, fc.boolean(), policy, (all, count, isRaging, rules) => {
        const { own, collected } = sortNewcomers(all, count, isRaging, rules);
        expect(ids([...own, ...collected])).toEqual(ids(all));
      }),
    );
  });

  it('keeps the cards of a minute below the threshold, but for the critical ones that are allowed', () => {
    fc.assert(
      fc.property(newcomers, recent, fc.boolean(), policy, (all, count, isRaging, rules) => {
        const { own, isStorm } = sortNewcomers(all, count, isRaging, rules);
        const criticals = own.filter(({ severity }) => severity === 'critical').length;
        const others = own.length - criticals;
        const room = isRaging ? 0 : Math.max(0, rules.cards - count.total);
        expect(isStorm).toBe(isRaging || all.length > room);
        expect(others).toBeLessThanOrEqual(room);
        expect(criticals).toBeLessThanOrEqual(Math.max(room, rules.criticalCards - count.critical, 0));
        expect(own.length).toBeLessThanOrEqual(room + Math.max(0, rules.criticalCards - count.critical));
      }),
    );
  });

  it('collects nothing that weighs more than what has a card', () => {
    fc.assert(
      fc.property(newcomers, recent, fc.boolean(), policy, (all, count, isRaging, rules) => {
        const { own, collected } = sortNewcomers(all, count, isRaging, rules);
        const lightest = own.toSorted(byWeight).at(-1);
        const heaviest = collected.toSorted(byWeight)[0];
        expect(lightest && heaviest ? byWeight(lightest, heaviest) : -1).toBeLessThan(0);
      }),
    );
  });

  it('is a storm from the first one above the threshold', () => {
    const some = (n: number): Weighty[] =>
      Array.from({ length: n }, (_, id) => ({ id, severity: 'warning', alerts: 1, startedAt: new Date(START) }));
    expect(sortNewcomers(some(8), { total: 0, critical: 0 }, false, POLICY)).toMatchObject({ isStorm: false });
    expect(sortNewcomers(some(9), { total: 0, critical: 0 }, false, POLICY)).toMatchObject({ isStorm: true });
    expect(sortNewcomers(some(1), { total: 8, critical: 0 }, false, POLICY)).toMatchObject({ isStorm: true, own: [] });
    expect(sortNewcomers(some(1), { total: 0, critical: 0 }, true, POLICY)).toMatchObject({ isStorm: true, own: [] });
  });
});

const alert = fc.record({
  status: fc.constantFrom('firing' as const, 'resolved' as const, 'gone' as const),
  labels: fc.record({
    alertname: fc.constantFrom('A', 'B', 'C'),
    node: fc.constantFrom('pve1', 'pve2'),
    x: fc.string(),
  }),
});
const incident = (id: number): fc.Arbitrary<StormIncident> =>
  fc
    .tuple(
      weighty(id),
      fc.constantFrom('firing' as const, 'resolved' as const),
      fc.array(alert, { maxLength: 6 }),
      fc.nat(3),
    )
    .map(([one, state, all, truncated]) => ({ ...one, state, all, truncated, alerts: all.length + truncated }));
const storm = fc
  .integer({ min: 0, max: 30 })
  .chain((n) => fc.tuple(...Array.from({ length: n }, (_, id) => incident(id))));

describe('the counts of a storm', () => {
  it('add up: to all incidents, to all alerts, to all that fire', () => {
    fc.assert(
      fc.property(storm, (all) => {
        const counts = countStorm(all);
        const sum = (of: 'incidents' | 'firing' | 'alerts' | 'firingAlerts'): number =>
          counts.bySeverity.reduce((total, one) => total + one[of], 0);
        expect(counts.incidents).toBe(all.length);
        expect(counts.alerts).toBe(all.reduce((total, one) => total + one.alerts, 0));
        for (const of of ['incidents', 'firing', 'alerts', 'firingAlerts'] as const) expect(sum(of)).toBe(counts[of]);
      }),
    );
  });

  it('name what is shared by at most all of them, the largest group first', () => {
    fc.assert(
      fc.property(storm, fc.nat(4), (all, max) => {
        const shared = sharedLabels(all, max);
        const alerts = all.reduce((total, one) => total + one.all.length, 0);
        expect(shared.length).toBeLessThanOrEqual(max);
        for (const { name, value, alerts: n } of shared) {
          const having = all
            .flatMap((one) => one.all)
            .filter(({ labels }) => (labels as Record<string, string>)[name] === value);
          expect(n).toBe(having.length);
          expect(n).toBeLessThanOrEqual(alerts);
        }
        expect(shared.map((one) => one.alerts)).toEqual(shared.map((one) => one.alerts).toSorted((a, b) => b - a));
      }),
    );
  });

  it('say a group once, by its most telling label', () => {
    const one = (node: string, instance: string): StormIncident => ({
      id: 1,
      severity: 'warning',
      state: 'firing',
      truncated: 0,
      alerts: 1,
      startedAt: new Date(START),
      all: [{ status: 'firing', labels: { alertname: 'Down', job: 'node', severity: 'warning', node, instance } }],
    });
    expect(sharedLabels([one('pve1', 'a'), one('pve1', 'b'), one('pve2', 'c')], 3)).toEqual([
      { name: 'alertname', value: 'Down', alerts: 3 },
      { name: 'node', value: 'pve1', alerts: 2 },
    ]);
  });
});

it('only a few wait for their first showing at a time when a storm lets go', () => {
  fc.assert(
    fc.property(fc.nat(50), policy, (waiting, rules) => {
      expect(waiting + releasable(waiting, rules)).toBeLessThanOrEqual(Math.max(waiting, Math.ceil(rules.cards / 2)));
    }),
  );
  expect(releasable(0, POLICY)).toBe(4);
});
