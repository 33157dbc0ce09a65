import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { type Incident, incidentData, reduceGroup, SEVERITIES } from '../../src/core/incident.ts';
import { asText, show } from '../conformance/webhook/support.ts';

const T0 = new Date('2026-03-01T03:00:00Z').getTime();
const POLICY = { reopenMs: 600_000 };

/** Strings as the worst of senders write them. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '<b>&amp;</b> _*[x](y)`~|',
    'שלום مرحبا',
    '\u202Eevil\u2066',
    '👩‍👩‍👧‍👦🔥',
    'a\0b',
    '\uD800',
    'x\uDC00y',
    '',
    ' ',
    '\n\n',
    '__proto__',
    'constructor',
    'x'.repeat(5000),
  ),
);
const dictionary = fc.dictionary(
  fc.oneof(fc.constantFrom('alertname', 'instance', 'severity', 'summary'), hostile),
  hostile,
  {
    maxKeys: 6,
  },
);
const wildAlert = fc.record(
  {
    status: fc.constantFrom('firing', 'resolved'),
    labels: dictionary,
    annotations: dictionary,
    startsAt: fc.oneof(hostile, fc.constant('2026-03-01T02:59:00Z'), fc.constant('0001-01-01T00:00:00Z')),
    endsAt: fc.oneof(hostile, fc.constant('2026-03-01T02:59:30Z')),
    generatorURL: hostile,
    fingerprint: fc.oneof(hostile, fc.constantFrom('abcdef0123456789', '0f')),
  },
  { requiredKeys: ['labels'] },
);
const wildBody = fc
  .record(
    {
      alerts: fc.array(wildAlert, { minLength: 1, maxLength: 6 }),
      groupKey: hostile,
      receiver: hostile,
      groupLabels: dictionary,
      commonLabels: dictionary,
      commonAnnotations: dictionary,
      truncatedAlerts: fc.oneof(fc.nat(), fc.constant(-1), hostile),
      externalURL: hostile,
    },
    { requiredKeys: ['alerts'] },
  )
  .map((body) => JSON.stringify(body));

type PlainGroup = {
  alerts: { fingerprint: string; status: 'firing' | 'resolved'; severity: string }[];
  truncatedAlerts: number;
};

/** What Alertmanager sends of a group: each alert with its own status. */
const plainGroup: fc.Arbitrary<PlainGroup> = fc
  .tuple(
    fc.uniqueArray(
      fc.record({
        fingerprint: fc.constantFrom<string>('a1', 'b2', 'c3', 'd4'),
        status: fc.constantFrom('firing' as const, 'resolved' as const),
        severity: fc.constantFrom(...SEVERITIES),
      }),
      { selector: ({ fingerprint }) => fingerprint, minLength: 1 },
    ),
    fc.constantFrom(0, 0, 2),
  )
  .map(([alerts, truncatedAlerts]) => ({ alerts, truncatedAlerts }));
const bodyOf = ({ alerts, truncatedAlerts }: PlainGroup): string =>
  JSON.stringify({
    groupKey: 'g',
    truncatedAlerts,
    alerts: alerts.map(({ severity, ...alert }) => ({
      ...alert,
      startsAt: new Date(T0 - 60_000).toISOString(),
      labels: { alertname: 'A', instance: alert.fingerprint, severity },
    })),
  });

const apply = (known: Incident | undefined, body: string, at: number) =>
  reduceGroup(known, parseWebhook(body, new Date(at)), new Date(at), POLICY);
const after = (bodies: readonly string[]): Incident | undefined =>
  bodies.reduce<Incident | undefined>((known, body, n) => apply(known, body, T0 + n * 60_000).incident, undefined);

describe('whatever is sent', () => {
  test('a payload that is delivered again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(plainGroup.map(bodyOf), wildBody), { minLength: 1, maxLength: 5 }), (bodies) => {
        const known = after(bodies);
        const again = apply(known, bodies.at(-1)!, T0 + (bodies.length - 1) * 60_000 + 5000);
        expect(again.changed).toBe(false);
        expect(again.events).toEqual([{ kind: 'repeated' }]);
      }),
    );
  });

  test('an incident fires exactly when one of its alerts does or may do so', () => {
    fc.assert(
      fc.property(fc.array(plainGroup, { minLength: 1, maxLength: 8 }), (groups) => {
        const incident = after(groups.map(bodyOf))!;
        const firing = Object.values(incident.data.alerts).some(({ status }) => status === 'firing');
        const mayBeHidden = incident.data.truncated > 0 && incident.state === 'firing';
        expect(incident.state).toBe(firing || mayBeHidden ? 'firing' : 'resolved');
        expect(incident.resolvedAt === null).toBe(incident.state === 'firing');
      }),
    );
  });

  test('each alert has the status that was said last, and one that is not named any more is gone', () => {
    fc.assert(
      fc.property(fc.array(plainGroup, { minLength: 1, maxLength: 8 }), (groups) => {
        const incident = after(groups.map(bodyOf))!;
        const newest = groups.at(-1)!;
        for (const { fingerprint, status } of newest.alerts)
          expect(incident.data.alerts[fingerprint]?.status).toBe(status);
        const named = new Set(newest.alerts.map(({ fingerprint }) => fingerprint));
        const unnamed = Object.values(incident.data.alerts).filter(({ fingerprint }) => !named.has(fingerprint));
        const burning = unnamed.filter(({ status }) => status === 'firing');
        expect(newest.truncatedAlerts > 0 ? [] : burning).toEqual([]);
      }),
    );
  });

  test('a firing incident is as severe as the worst alert that fires', () => {
    fc.assert(
      fc.property(fc.array(plainGroup, { minLength: 1, maxLength: 8 }), (groups) => {
        const incident = after(groups.map(bodyOf))!;
        const firing = Object.values(incident.data.alerts).filter(({ status }) => status === 'firing');
        const worst = SEVERITIES.find((severity) => firing.some(({ labels }) => labels['severity'] === severity));
        // Once nothing fires, the severity that it had stays.
        expect(incident.severity).toBe(worst ?? incident.severity);
      }),
    );
  });

  test('the order of alerts within a payload does not matter', () => {
    fc.assert(
      fc.property(plainGroup, plainGroup, (first, second) => {
        const turned = (group: PlainGroup) => bodyOf({ ...group, alerts: group.alerts.toReversed() });
        const { data: a, ...restA } = after([bodyOf(first), bodyOf(second)])!;
        const { data: b, ...restB } = after([turned(first), turned(second)])!;
        expect(restA).toEqual(restB);
        expect(a.alerts).toEqual(b.alerts);
      }),
    );
  });

  test('opened and resolved alternate in the history', () => {
    fc.assert(
      fc.property(fc.array(plainGroup, { minLength: 1, maxLength: 10 }), (groups) => {
        let known: Incident | undefined;
        const marks: string[] = [];
        groups.forEach((group, n) => {
          const reduction = apply(known, bodyOf(group), T0 + n * 400_000);
          known = reduction.incident;
          for (const { kind } of reduction.events) {
            if (kind === 'opened' || kind === 'reopened') marks.push('begin');
            if (kind === 'resolved') marks.push('end');
          }
        });
        expect(marks).toEqual(marks.map((_, n) => (n % 2 === 0 ? 'begin' : 'end')));
      }),
    );
  });

  test('hostile text is kept as PostgreSQL takes it, and every view of the card can be sent', () => {
    fc.assert(
      fc.property(wildBody, fc.constantFrom('ru' as const, 'en' as const), (body, language) => {
        const incident = after([body])!;
        const stored = JSON.stringify(incident);
        expect(stored).not.toMatch(/\\u0000|\\ud[89a-f]/iu);
        expect(SEVERITIES).toContain(incident.severity);
        expect(incident.title.trim()).not.toBe('');
        expect(incidentData.parse(JSON.parse(stored).data)).toEqual(incident.data);
        for (const view of ['', 'details', 'runbook']) {
          const { text, entities, files } = show(incident, { now: new Date(T0), language, view });
          expect(Array.from(text).length).toBeLessThanOrEqual(4096);
          expect(text.isWellFormed()).toBe(true);
          expect(entities.length).toBeLessThanOrEqual(100);
          for (const { offset, length } of entities) expect(offset + length).toBeLessThanOrEqual(text.length);
          // One file at the most: our own, never the one of the renderer beside it.
          expect(files.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('500 alerts with 9 kB of words each are drawn at once, and all of them are in the file', () => {
  const alerts = Array.from({ length: 500 }, (_, n) => ({
    status: 'firing',
    labels: { alertname: 'Storm', instance: `host-${n}` },
    annotations: { summary: `host-${n} is on fire`, description: `${n} ${'слово '.repeat(1500)}` },
  }));
  const incident = after([JSON.stringify({ alerts })])!;
  const began = performance.now();
  const face = show(incident, { now: new Date(T0), language: 'ru' });
  const { files, text } = show(incident, { now: new Date(T0), language: 'ru', view: 'details' });
  expect(performance.now() - began).toBeLessThan(2000);
  expect(asText(face)).toContain('ещё 494');
  expect(text).toContain('Ещё 495 алертов');
  expect(files).toHaveLength(1);
  for (const { annotations } of alerts) expect(files[0]!.text).toContain(annotations.description.trim());
});

test('50 kB in one annotation come along in the file, in full', () => {
  const description = `${'<&_*[ שלום 🔥 '.repeat(4000)}end`;
  const incident = after([JSON.stringify({ alerts: [{ labels: { alertname: 'A' }, annotations: { description } }] })])!;
  expect(show(incident, { now: new Date(T0) }).files).toHaveLength(0);
  const { files } = show(incident, { now: new Date(T0), view: 'details' });
  expect(files[0]!.text).toContain(description);
});
