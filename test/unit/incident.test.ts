import { describe, expect, test } from 'vitest';
import { type AlertGroup, parseWebhook } from '../../src/core/alertmanager.ts';
import {
  type Incident,
  isOutdated,
  reduceAbsence,
  reduceGroup,
  type Reduction,
  severityOf,
} from '../../src/core/incident.ts';

const T0 = new Date('2026-03-01T03:00:00Z');
const at = (minutes: number): Date => new Date(T0.getTime() + minutes * 60_000);
const POLICY = { reopenMs: 10 * 60_000 };

interface Given {
  readonly name: string;
  readonly status?: 'firing' | 'resolved';
  readonly severity?: string;
  readonly starts?: number | null;
  readonly ends?: number;
  readonly summary?: string;
}

const group = (alerts: readonly Given[], more: Record<string, unknown> = {}): AlertGroup =>
  parseWebhook(
    JSON.stringify({
      groupKey: 'g',
      receiver: 'r',
      groupLabels: { alertname: 'Disk' },
      ...more,
      alerts: alerts.map(({ name, status = 'firing', severity = 'warning', starts = 0, ends, summary }) => ({
        status,
        fingerprint: name,
        labels: { alertname: 'Disk', instance: name, severity },
        annotations: summary === undefined ? {} : { summary },
        ...(starts === null ? {} : { startsAt: at(starts).toISOString() }),
        ...(ends === undefined ? {} : { endsAt: at(ends).toISOString() }),
      })),
    }),
    T0,
  );

/** Applies payloads one after the other; the reductions of all of them. */
function run(...steps: readonly (readonly [minutes: number, group: AlertGroup])[]): Reduction[] {
  let known: Incident | undefined;
  return steps.map(([minutes, payload]) => {
    const reduction = reduceGroup(known, payload, at(minutes), POLICY);
    known = reduction.incident;
    return reduction;
  });
}
const last = (reductions: readonly Reduction[]): Reduction => reductions.at(-1)!;
const kinds = ({ events }: Reduction): string[] => events.map(({ kind }) => kind);
const statuses = ({ incident }: Reduction) =>
  Object.fromEntries(Object.values(incident.data.alerts).map(({ fingerprint, status }) => [fingerprint, status]));

describe('an incident', () => {
  test('opens with the first alert, since that alert began', () => {
    const [opened] = run([5, group([{ name: 'a', starts: 2 }])]);
    expect(opened).toMatchObject({ isNew: true, changed: true, incident: { state: 'firing', startedAt: at(2) } });
    expect(kinds(opened!)).toEqual(['opened', 'alert-fired']);
  });

  test('knows a webhook that is older than the last one it was told by; what came another way never is', () => {
    const told = (seq: number): AlertGroup => ({ ...group([{ name: 'a' }]), seq });
    const { incident } = reduceGroup(undefined, told(7), at(1), POLICY);
    expect([5, 7, 8].map((seq) => isOutdated(incident, told(seq)))).toEqual([true, true, false]);
    expect(isOutdated(incident, group([{ name: 'a' }]))).toBe(false);
    expect(isOutdated(undefined, told(1))).toBe(false);
    const again = reduceGroup(incident, told(8), at(2), POLICY);
    expect(again).toMatchObject({ changed: false, incident: { data: { seq: 8 } } });
    const own = reduceGroup(again.incident, group([{ name: 'a' }, { name: 'b' }]), at(3), POLICY);
    expect(own.incident.data.seq).toBe(8);
    const ended = reduceAbsence(own.incident, new Set(), false, at(4));
    expect(ended?.incident.data.seq).toBe(8);
  });

  test('delivered again changes nothing, whatever order the store gives its labels back in', () => {
    const payload = group([{ name: 'a' }, { name: 'b', status: 'resolved', ends: 1 }]);
    const { incident } = reduceGroup(undefined, payload, at(1), POLICY);
    const reordered = JSON.parse(JSON.stringify(incident.data), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toReversed())
        : value,
    ) as Incident['data'];
    const again = reduceGroup({ ...incident, data: reordered }, payload, at(9), POLICY);
    expect(again).toMatchObject({ isNew: false, changed: false, events: [{ kind: 'repeated' }] });
  });

  test('without start times delivered again changes nothing', () => {
    const payload = group([{ name: 'a', starts: null }]);
    const [first, again] = run([0, payload], [5, payload]);
    expect(again?.changed).toBe(false);
    expect(again?.incident.data.alerts['a']?.startsAt).toBe(first?.incident.data.alerts['a']?.startsAt);
  });

  test('is redrawn when only the words of an alert change', () => {
    const [, second] = run([0, group([{ name: 'a', summary: '91 %' }])], [5, group([{ name: 'a', summary: '95 %' }])]);
    expect(second).toMatchObject({ changed: true, incident: { title: '95 %' } });
  });

  test('is over when its last alert is, at the time that alert ended', () => {
    const ended = last(run([0, group([{ name: 'a' }])], [9, group([{ name: 'a', status: 'resolved', ends: 7 }])]));
    expect(ended.incident).toMatchObject({ state: 'resolved', resolvedAt: at(7) });
    expect(kinds(ended)).toEqual(['alert-resolved', 'resolved']);
  });

  test('keeps its first end when the end is told again', () => {
    const end = group([{ name: 'a', status: 'resolved' }]);
    const [, first, again] = run([0, group([{ name: 'a' }])], [5, end], [8, end]);
    expect(again).toMatchObject({ changed: false, incident: { resolvedAt: first?.incident.resolvedAt } });
  });

  test('fires while one alert fires, with 10 firing and 40 resolved in one payload', () => {
    const alerts = Array.from(
      { length: 50 },
      (_, n): Given => ({ name: `n${n}`, status: n % 5 === 0 ? 'firing' : 'resolved', ends: 1 }),
    );
    const reduction = last(run([2, group(alerts, { status: 'firing' })]));
    expect(reduction.incident.state).toBe('firing');
    expect(Object.values(statuses(reduction)).filter((status) => status === 'firing')).toHaveLength(10);
    const over = reduceGroup(
      reduction.incident,
      group(alerts.filter((_, n) => n % 5 === 0).map((alert) => ({ ...alert, status: 'resolved' as const }))),
      at(3),
      POLICY,
    );
    expect(over.incident.state).toBe('resolved');
    expect(Object.values(statuses(over)).every((status) => status === 'resolved')).toBe(true);
  });

  test('that is known only by its end is told nevertheless', () => {
    const [only] = run([5, group([{ name: 'a', status: 'resolved', ends: 3 }])]);
    expect(only).toMatchObject({ isNew: true, changed: true, incident: { state: 'resolved', resolvedAt: at(3) } });
    expect(kinds(only!)).toEqual(['opened', 'alert-resolved', 'resolved']);
  });

  test('that flaps within the window is the same incident, after it a new one', () => {
    const fire = (starts: number) => group([{ name: 'a', starts }]);
    const end = (ends: number) => group([{ name: 'a', status: 'resolved', ends }]);
    const [, , flap] = run([0, fire(0)], [5, end(5)], [15, fire(14)]);
    expect(flap).toMatchObject({ isNew: false, incident: { state: 'firing', startedAt: at(0), resolvedAt: null } });
    expect(kinds(flap!)).toEqual(['reopened', 'alert-fired']);
    const [, , fresh] = run([0, fire(0)], [5, end(5)], [16, fire(16)]);
    expect(fresh).toMatchObject({ isNew: true, incident: { state: 'firing', startedAt: at(16) } });
  });

  test('is not opened anew by an end that is told late', () => {
    const end = group([{ name: 'a', status: 'resolved', ends: 5 }]);
    const late = last(run([0, group([{ name: 'a' }])], [5, end], [500, end]));
    expect(late).toMatchObject({ isNew: false, changed: false });
  });
});

describe('an alert', () => {
  test('that is not named any more is gone, and back when it is', () => {
    const both = group([{ name: 'a' }, { name: 'b' }]);
    const [, gone, back] = run([0, both], [1, group([{ name: 'a' }])], [2, both]);
    expect(statuses(gone!)).toEqual({ a: 'firing', b: 'gone' });
    expect(kinds(gone!)).toEqual(['alert-gone']);
    expect(statuses(back!)).toEqual({ a: 'firing', b: 'firing' });
  });

  test('that may be among those left out is not gone, and the incident not over', () => {
    const [, named, ended] = run(
      [0, group([{ name: 'a' }, { name: 'b' }])],
      [1, group([{ name: 'a' }], { truncatedAlerts: 1 })],
      [
        2,
        group(
          [
            { name: 'a', status: 'resolved' },
            { name: 'b', status: 'resolved' },
          ],
          { truncatedAlerts: 1 },
        ),
      ],
    );
    expect(statuses(named!)).toEqual({ a: 'firing', b: 'firing' });
    expect(ended?.incident.state).toBe('firing');
    expect(kinds(ended!)).not.toContain('resolved');
  });

  test('is not ended by the end of an earlier firing that arrives late', () => {
    const stale = group([{ name: 'a', status: 'resolved', starts: 0, ends: 3 }]);
    const after = last(run([0, group([{ name: 'a' }])], [6, group([{ name: 'a', starts: 5 }])], [7, stale]));
    expect(after).toMatchObject({ changed: false, incident: { state: 'firing' } });
  });

  test('is ended by an end whose start was moved back, as with two Prometheus servers', () => {
    const end = group([{ name: 'a', status: 'resolved', starts: -4, ends: 6 }]);
    expect(last(run([0, group([{ name: 'a' }])], [6, end])).incident.state).toBe('resolved');
  });

  test('that was over stays so when a copy of an earlier firing arrives late', () => {
    const after = last(
      run(
        [0, group([{ name: 'a', starts: 0 }])],
        [6, group([{ name: 'a', starts: 5, status: 'resolved', ends: 6 }])],
        [7, group([{ name: 'a', starts: 0 }])],
      ),
    );
    expect(after.incident.state).toBe('resolved');
  });

  test('that fires again with its old start fires', () => {
    const after = last(
      run(
        [0, group([{ name: 'a' }])],
        [5, group([{ name: 'a', status: 'resolved', ends: 5 }])],
        [6, group([{ name: 'a' }])],
      ),
    );
    expect(after.incident.state).toBe('firing');
  });
});

describe('the severity', () => {
  test('is that of the worst alert that fires, up and down, and is told', () => {
    const [, up, down] = run(
      [0, group([{ name: 'a' }])],
      [1, group([{ name: 'a' }, { name: 'b', severity: 'critical' }])],
      [2, group([{ name: 'a' }, { name: 'b', severity: 'critical', status: 'resolved' }])],
    );
    expect(up?.incident.severity).toBe('critical');
    expect(up?.events).toContainEqual({ kind: 'severity', from: 'warning', to: 'critical' });
    expect(down?.incident.severity).toBe('warning');
    expect(down?.events).toContainEqual({ kind: 'severity', from: 'critical', to: 'warning' });
  });

  test('stays when the incident is over', () => {
    const over = last(
      run(
        [0, group([{ name: 'a', severity: 'critical' }])],
        [1, group([{ name: 'a', severity: 'critical', status: 'resolved' }])],
      ),
    );
    expect(over.incident.severity).toBe('critical');
  });

  test.each([
    ['critical', 'critical'],
    ['CRITICAL ', 'critical'],
    ['page', 'critical'],
    ['warning', 'warning'],
    ['info', 'info'],
    ['', 'warning'],
    ['telegram', 'warning'],
    ['constructor', 'warning'],
    ['__proto__', 'warning'],
  ])('%j means %s', (word, severity) => {
    expect(severityOf({ severity: word })).toBe(severity);
  });

  test('falls back to the priority, and is never quieter by accident', () => {
    expect(severityOf({ severity: '', priority: 'high' })).toBe('critical');
    expect(severityOf({})).toBe('warning');
  });
});

describe('the title', () => {
  test('is the sentence of the only alert, and the name when there are several with their own', () => {
    const one = group([{ name: 'a', summary: 'a is full' }]);
    const two = group([
      { name: 'a', summary: 'a is full' },
      { name: 'b', summary: 'b is full' },
    ]);
    const rest = group([{ name: 'b', summary: 'b is full', status: 'resolved' }]);
    expect(run([0, one], [1, two], [2, rest]).map(({ incident }) => incident.title)).toEqual([
      'a is full',
      'Disk',
      'Disk',
    ]);
  });

  test('is one line of 200 code points at the most', () => {
    const [reduction] = run([0, group([{ name: 'a', summary: `x\n\ty ${'🔥'.repeat(300)}` }])]);
    expect(reduction?.incident.title).toMatch(/^x y 🔥+…$/u);
    expect(Array.from(reduction!.incident.title)).toHaveLength(200);
  });
});

describe('what Alertmanager itself has', () => {
  const firing = last(run([0, group([{ name: 'a' }, { name: 'b' }])])).incident;

  test('ends the alerts that it has no more, and with the last of them the incident', () => {
    const one = reduceAbsence(firing, new Set(['a']), true, at(5));
    expect(one).toMatchObject({
      incident: { state: 'firing' },
      events: [{ kind: 'alert-resolved', fingerprint: 'b' }],
    });
    const all = reduceAbsence(firing, new Set(), false, at(5));
    expect(all).toMatchObject({ incident: { state: 'resolved', resolvedAt: at(5) } });
    expect(kinds(all!)).toEqual(['alert-resolved', 'alert-resolved', 'resolved']);
  });

  test('changes nothing while it has them', () => {
    expect(reduceAbsence(firing, new Set(['a', 'b']), true, at(5))).toBeUndefined();
  });

  test('ends an incident of which only alerts left out were open, when the group is empty', () => {
    const hidden = last(
      run([0, group([{ name: 'a' }])], [1, group([{ name: 'a', status: 'resolved' }], { truncatedAlerts: 2 })]),
    ).incident;
    expect(hidden.state).toBe('firing');
    expect(reduceAbsence(hidden, new Set(), true, at(5))).toBeUndefined();
    expect(reduceAbsence(hidden, new Set(), false, at(5))).toMatchObject({ incident: { state: 'resolved' } });
  });
});
