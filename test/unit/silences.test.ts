import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IncidentData } from '../../src/core/incident.ts';
import { matches, matchesEach, narrows } from '../../src/integrations/alertmanager/matchers.ts';
import { silenceSchema, storedSilence } from '../../src/tasks/incidents.ts';
import { commentOf, isMadeBy, wordsOf } from '../../src/tasks/silences/comment.ts';
import { endOf, extendedEnd, nextMorning, warningLead } from '../../src/tasks/silences/duration.ts';
import {
  candidatesOf,
  matchersOfChoice,
  previewOf,
  refusalOf,
  scopesOfNames,
} from '../../src/tasks/silences/selection.ts';

const MINUTE = 60_000;

describe('nine in the morning', () => {
  test.each([
    ['before nine', '2026-11-23T05:00:00Z', 'Europe/Moscow', '2026-11-23T06:00:00.000Z'],
    ['at nine', '2026-11-23T06:00:00Z', 'Europe/Moscow', '2026-11-24T06:00:00.000Z'],
    ['after nine', '2026-11-23T20:00:00Z', 'Europe/Moscow', '2026-11-24T06:00:00.000Z'],
    ['over the night in which the clock goes on', '2026-03-28T20:00:00Z', 'Europe/Berlin', '2026-03-29T07:00:00.000Z'],
    ['over the night in which it goes back', '2026-10-24T20:00:00Z', 'Europe/Berlin', '2026-10-25T08:00:00.000Z'],
    ['with half an hour', '2026-11-23T05:00:00Z', 'Asia/Kolkata', '2026-11-24T03:30:00.000Z'],
  ])('%s', (_name, now, zone, expected) => {
    expect(nextMorning(new Date(now), zone).toISOString()).toBe(expected);
  });

  test('is always ahead, at most a day and an hour', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Tokyo', 'UTC');
    const range = { min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true };
    fc.assert(
      fc.property(fc.date(range), zones, (now, zone) => {
        const ms = nextMorning(now, zone).getTime() - now.getTime();
        expect(ms).toBeGreaterThan(0);
        expect(ms).toBeLessThanOrEqual(25 * 60 * MINUTE);
      }),
    );
  });
});

test('an extension counts from the end, or from now when that has passed', () => {
  const now = new Date('2026-11-23T09:00:00Z');
  const at = (minutes: number): Date => new Date(now.getTime() + minutes * MINUTE);
  expect(extendedEnd('1h', at(10), now, 'UTC')).toEqual(at(70));
  expect(extendedEnd('1h', at(-10), now, 'UTC')).toEqual(at(60));
  // It would end at nine anyway: the nine after that.
  expect(extendedEnd('09:00', at(24 * 60), now, 'UTC')).toEqual(at(2 * 24 * 60));
  expect(endOf('resolved', now, 'UTC')).toEqual(at(60));
});

test('a short silence is not warned of as soon as it begins', () => {
  const start = new Date(0);
  expect(warningLead(start, new Date(60 * MINUTE), 15 * MINUTE)).toBe(15 * MINUTE);
  expect(warningLead(start, new Date(15 * MINUTE), 15 * MINUTE)).toBe(5 * MINUTE);
  expect(warningLead(start, new Date(60 * MINUTE), 0)).toBe(0);
});

const incidentOf = (all: readonly Record<string, string>[], more: Partial<IncidentData> = {}): IncidentData => ({
  receiver: 'r',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalUrl: '',
  truncated: 0,
  seq: 0,
  alerts: Object.fromEntries(
    all.map((labels, n) => [
      `f${n}`,
      {
        fingerprint: `f${n}`,
        status: 'firing',
        labels,
        annotations: {},
        startsAt: '2026-11-23T09:00:00Z',
        endsAt: null,
        generatorUrl: '',
        extra: {},
        lastSeen: '2026-11-23T09:00:00Z',
      },
    ]),
  ),
  ...more,
});
const seen = (labels: Record<string, string>, n: number) => ({
  fingerprint: `f${n}`,
  labels,
  state: 'active' as const,
  silencedBy: [],
  inhibitedBy: [],
  startsAt: new Date(0),
});

describe('the choice of matchers', () => {
  const label = fc.constantFrom('alertname', 'instance', 'job', 'severity', 'weird');
  const value = fc.constantFrom('a', 'b', 'c.d', '(x|y)', 'é*', '');
  const sets = fc.array(fc.dictionary(label, value, { minKeys: 1 }), { minLength: 1, maxLength: 6 });

  test('whatever is chosen covers what it names and nothing else of that label', () => {
    fc.assert(
      fc.property(sets, fc.array(fc.nat(9), { maxLength: 6 }), (all, picks) => {
        const data = incidentOf(all);
        const chosen = candidatesOf(data).filter((_, n) => picks.includes(n));
        const matchers = matchersOfChoice(chosen);
        const hit = (name: string, value: string): boolean =>
          matchers.filter((one) => one.name === name).every((one) => matches(one, { [name]: value }));
        expect(chosen.every(({ name, values }) => values.every((one) => hit(name, one)))).toBe(true);
        expect(chosen.some(({ name }) => hit(name, 'something else'))).toBe(false);
        const alerts = all.map(seen);
        expect(refusalOf(matchers, data, alerts) === 'silence-match-all').toBe(chosen.length === 0);
        expect(previewOf(matchers, data, alerts).muted).toEqual(
          alerts.filter(({ labels }) => matchesEach(matchers, labels)),
        );
      }),
    );
  });

  test('what is usual covers all of the incident', () => {
    fc.assert(
      fc.property(sets, (all) => {
        const matchers = matchersOfChoice(candidatesOf(incidentOf(all)).filter(({ isUsual }) => isUsual));
        expect(matchers.some(narrows) ? all.filter((labels) => !matchesEach(matchers, labels)) : []).toEqual([]);
      }),
    );
  });
});

test('a place is found under its names and addresses, with a port, and not under longer names', () => {
  const [instance = []] = scopesOfNames(['db1', '10.0.0.5'], ['instance']);
  const hits = ['db1', 'db1:9100', 'db1.example.net:9100', '10.0.0.5', '10.0.0.5:9187'];
  const misses = ['db10', 'db10:9100', 'xdb1', '10.0.0.50', '10x0y0z5', 'web', ''];
  expect(hits.filter((one) => matchesEach(instance, { instance: one }))).toEqual(hits);
  expect(misses.filter((one) => matchesEach(instance, { instance: one }))).toEqual([]);
  expect(scopesOfNames([], ['instance'])).toEqual([]);
});

test('words of a comment come back as they were said', () => {
  const run = '01a207a2-3280-7ab2-a6e8-9bd9338a0a86';
  const stored = commentOf('#12: new disk (hot swap)', run);
  expect([wordsOf(stored), isMadeBy(stored, run), isMadeBy(stored, 'other')]).toEqual([
    'new disk (hot swap)',
    true,
    false,
  ]);
  expect(wordsOf('#12: of somebody else')).toBe('#12: of somebody else');
});

test('a silence of a part is stored without the field by which queries tell what is silent', () => {
  const until = new Date('2026-11-23T10:00:00Z');
  const part = { id: 's', until, by: 'anna', muted: 1, of: 2 };
  expect(storedSilence(part)).not.toHaveProperty('until');
  expect(silenceSchema.parse(storedSilence(part))).toEqual(part);
  const whole = { id: 's', until, by: 'anna', resolved: true };
  expect(storedSilence(whole)).toHaveProperty('until', until);
  expect(silenceSchema.parse(storedSilence(whole))).toEqual(whole);
});
