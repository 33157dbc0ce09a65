import { describe, expect, test } from 'vitest';
import { parseWebhook } from '../../src/core/alertmanager.ts';

const NOW = new Date('2026-03-01T03:00:00Z');
const parse = (payload: unknown) => parseWebhook(JSON.stringify(payload), NOW);
const one = (alert: Record<string, unknown> = {}) => ({ alerts: [{ labels: { alertname: 'A' }, ...alert }] });
const refusal = (body: string): unknown => {
  try {
    parseWebhook(body, NOW);
  } catch (error) {
    return error;
  }
  return 'accepted';
};

describe('a webhook body', () => {
  test.each(['0', '1', '3', '4', 0, 4, null, undefined])('of version %s is taken', (version) => {
    expect(parse({ version, ...one() }).alerts).toHaveLength(1);
  });

  test.each(['2', '5', '4.1', '', 44, -1])(
    'of version %j is refused by its version, whatever else it holds',
    (version) => {
      expect(refusal(JSON.stringify({ version }))).toMatchObject({ kind: 'usage', code: 'webhook-version' });
    },
  );

  test.each([
    '',
    'null',
    '[]',
    '"text"',
    '{',
    '{}',
    '{"alerts":null}',
    '{"alerts":[]}',
    '{"alerts":[1]}',
    '{"alerts":[{"labels":"x"}]}',
    '{"alerts":[{"labels":{}}],"groupLabels":[1]}',
  ])('that is %s is malformed', (body) => {
    expect(refusal(body)).toMatchObject({ kind: 'usage', code: 'webhook-malformed' });
  });

  test('with thousands of mistakes is refused in few words', () => {
    const error = refusal(JSON.stringify({ alerts: Array.from({ length: 5000 }, () => 1) }));
    expect((error as Error).message.length).toBeLessThan(500);
  });

  test('takes numbers, truth values, null and objects where text belongs', () => {
    const [alert] = parse(one({ labels: { n: 8, b: true, x: null, o: { a: [1] } } })).alerts;
    expect(alert?.labels).toEqual({ n: '8', b: 'true', x: '', o: '{"a":[1]}' });
  });

  test('keeps what the sender says beyond the format, but for empty fields', () => {
    const [alert] = parse(
      one({ dashboardURL: 'http://g/d', values: { A: 1 }, panelURL: '', valueString: null }),
    ).alerts;
    expect(alert?.extra).toEqual({ dashboardURL: 'http://g/d', values: '{"A":1}' });
  });

  test('gets rid of what PostgreSQL refuses, in values, names and the key', () => {
    const group = parse({
      groupKey: 'k\0',
      alerts: [{ labels: { 'n\0': 'v\0\uD800' }, annotations: { '\uDC00': '' } }],
    });
    expect(group.groupKey).toBe('k\uFFFD');
    expect(group.alerts[0]?.labels).toEqual({ 'n\uFFFD': 'v\uFFFD\uFFFD' });
    expect(JSON.stringify(group)).not.toMatch(/\\u0000|\\ud800|\\udc00/u);
  });

  test('unquotes the receiver', () => {
    expect(parse({ receiver: String.raw`web\.hook \(a\)`, ...one() }).receiver).toBe('web.hook (a)');
  });

  test.each(['0001-01-01T00:00:00Z', '', 'soon', '0000-00-00', '9999-12-31T00:00:00Z', 5, null, undefined])(
    'with %j as a time says nothing about it',
    (at) => {
      expect(parse(one({ startsAt: at, endsAt: at })).alerts[0]).toMatchObject({ startsAt: null, endsAt: null });
    },
  );

  test('takes the status of the alert, else of the group, else from its end', () => {
    const ended = '2026-03-01T02:00:00Z';
    const status = (alert: object, group?: string) => parse({ status: group, ...one({ ...alert }) }).alerts[0]?.status;
    expect(status({ status: 'firing', endsAt: ended }, 'resolved')).toBe('firing');
    expect(status({ endsAt: ended }, 'firing')).toBe('firing');
    expect(status({ endsAt: ended })).toBe('resolved');
    expect(status({ endsAt: '2026-03-01T04:00:00Z' })).toBe('firing');
    expect(status({ status: 'odd' })).toBe('firing');
  });
});

describe('the identity of an alert', () => {
  test('is the given fingerprint', () => {
    expect(parse(one({ fingerprint: 'abd0b894529c251a' })).alerts[0]?.fingerprint).toBe('abd0b894529c251a');
  });

  test.each(['', '__proto__', 'constructor', 'a b', 'x'.repeat(65), 7, null])(
    'is made of the labels instead of %j',
    (fingerprint) => {
      const found = parse(one({ fingerprint })).alerts[0]?.fingerprint;
      expect(found).toMatch(/^[0-9a-f]{16}$/u);
      expect(found).toBe(parse(one()).alerts[0]?.fingerprint);
    },
  );

  test('is not shared by different alerts, even when the sender gives them one', () => {
    const { alerts } = parse({
      alerts: [
        { fingerprint: 'same', labels: { a: '1' } },
        { fingerprint: 'same', labels: { a: '2' } },
        { fingerprint: 'same', labels: { a: '2' }, annotations: { summary: 'again' } },
        { fingerprint: 'same', labels: { a: '1' } },
      ],
    });
    expect(alerts.map(({ labels, annotations }) => [labels['a'], annotations['summary']])).toEqual([
      ['1', undefined],
      ['2', undefined],
      ['2', 'again'],
    ]);
    expect(new Set(alerts.map(({ fingerprint }) => fingerprint)).size).toBe(3);
  });
});

describe('the key of a group', () => {
  test('without one is the same for the same group', () => {
    const group = (a: string, status: string) =>
      parse({ receiver: 'r', groupLabels: { a }, status, ...one() }).groupKey;
    expect(group('1', 'firing')).toBe(group('1', 'resolved'));
    expect(group('1', 'firing')).not.toBe(group('2', 'firing'));
  });

  test('fits into an index and stays different', () => {
    const long = (end: string) => parse({ groupKey: `${'я'.repeat(60_000)}${end}`, ...one() }).groupKey;
    expect(Buffer.byteLength(long('a'))).toBeLessThan(1000);
    expect(long('a')).not.toBe(long('b'));
    expect(long('a')).toBe(long('a'));
  });
});
