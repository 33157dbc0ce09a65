import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { type AlertmanagerSimulator, startAlertmanagerSimulator } from '../../src/simulators/alertmanager/index.ts';
import {
  common,
  fingerprint,
  goJson,
  groupOf,
  type Labels,
  parseMatcher,
} from '../../src/simulators/alertmanager/labels.ts';
import { contract, contractPath, haveContracts } from '../support/contracts.ts';
import { createManualClock } from '../support/manual-clock.ts';

interface Payload {
  status: string;
  groupKey: string;
  groupLabels: Labels;
  truncatedAlerts: number;
  commonLabels: Labels;
  alerts: { status: string; labels: Labels; fingerprint: string }[];
}

describe('labels', () => {
  test.skipIf(!haveContracts)('fingerprints, group keys and common labels are those of recorded webhooks', () => {
    const names = readdirSync(contractPath('alertmanager-webhooks')).filter((name) =>
      /^recorded-am.*\d-[^.]+\.json$/.test(name),
    );
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) {
      const payload = contract('alertmanager-webhooks', name) as Payload;
      for (const alert of payload.alerts) expect(fingerprint(alert.labels)).toBe(alert.fingerprint);
      expect(payload.commonLabels).toEqual(common(payload.alerts.map((alert) => alert.labels)));
      const { key, labels } = groupOf(payload.groupLabels, ['...']);
      expect(labels).toEqual(payload.groupLabels);
      // A route of a configuration with children stands before the labels.
      expect(payload.groupKey.endsWith(key.slice('{}'.length))).toBe(true);
    }
  });

  test('filters in all four kinds, quoted or not', () => {
    expect(parseMatcher('alertname="a \\"b\\""')).toEqual({
      name: 'alertname',
      value: 'a "b"',
      isRegex: false,
      isEqual: true,
    });
    expect(parseMatcher('a!~x|y')).toEqual({ name: 'a', value: 'x|y', isRegex: true, isEqual: false });
    expect(parseMatcher('bad{')).toBeUndefined();
  });

  test('JSON as Go writes it', () => {
    expect(goJson({ a: '<b> & "c"' })).toBe('{"a":"\\u003cb\\u003e \\u0026 \\"c\\""}\n');
  });
});

describe('time', () => {
  let simulator: AlertmanagerSimulator | undefined;
  afterEach(() => simulator?.stop());

  /** A simulator whose webhooks go into a list, answered as told, on a clock that stands still. */
  const start = async (answers: number[] = [], maxAlerts = 0) => {
    const clock = createManualClock('2026-01-05T08:00:00Z');
    const sent: { at: number; payload: Payload }[] = [];
    const begun = clock.now().getTime();
    const webhook: typeof fetch = (_, init) => {
      const { body } = init ?? {};
      sent.push({
        at: clock.now().getTime() - begun,
        payload: JSON.parse(typeof body === 'string' ? body : '') as Payload,
      });
      return Promise.resolve(new Response(null, { status: answers.shift() ?? 200 }));
    };
    simulator = await startAlertmanagerSimulator(
      { webhook: { url: 'http://bot/webhooks/alertmanager' }, maxAlerts },
      { clock, random: systemRandom, fetch: webhook },
    );
    return { am: simulator, clock, sent };
  };

  test('group wait, group interval, repeat interval', async () => {
    const { am, clock, sent } = await start();
    const first = am.fire({ alertname: 'A', instance: '1' });
    await clock.advance(seconds(4));
    expect(sent).toHaveLength(0);
    await clock.advance(seconds(1));
    am.fire({ alertname: 'A', instance: '2' });
    await clock.advance(seconds(29));
    expect(sent).toHaveLength(1);
    await clock.advance(seconds(1));
    expect(sent.map(({ at }) => at)).toEqual([5_000, 35_000]);
    expect(sent[1]?.payload.alerts).toHaveLength(2);
    await clock.advance(minutes(239));
    expect(sent).toHaveLength(2);
    await clock.advance(minutes(2));
    expect(sent).toHaveLength(3);
    expect(am.resolve(first)).toBe(true);
    expect(am.resolve(first)).toBe(false);
    await clock.advance(seconds(30));
    expect(sent[3]?.payload.alerts.map((alert) => alert.status)).toEqual(['firing', 'resolved']);
  });

  test('5xx backs off from half a second; after ten seconds the next interval tries afresh', async () => {
    const { am, clock, sent } = await start(Array.from({ length: 50 }, () => 503));
    am.fire({ alertname: 'A' });
    await clock.advance(seconds(34));
    const waits = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0));
    expect(waits.slice(0, 4)).toEqual([500, 750, 1125, 1687.5].map(Math.floor));
    expect(am.deliveries.every(({ status }) => status === 503)).toBe(true);
    const before = sent.length;
    await clock.advance(seconds(2));
    expect(sent.length).toBeGreaterThan(before);
  });

  test('429 is not tried again before the next interval', async () => {
    const { am, clock, sent } = await start([429]);
    am.fire({ alertname: 'A' });
    await clock.advance(seconds(34));
    expect(sent).toHaveLength(1);
    await clock.advance(seconds(1));
    expect(sent.map(({ at }) => at)).toEqual([5_000, 35_000]);
  });

  test('what resolves before it was told is never told', async () => {
    const { am, clock, sent } = await start();
    am.resolve(am.fire({ alertname: 'A' }));
    await clock.advance(minutes(10));
    expect(sent).toHaveLength(0);
  });

  test('a truncated group says how many are missing', async () => {
    const { am, clock, sent } = await start([], 2);
    for (const instance of ['1', '2', '3']) am.fire({ alertname: 'A', instance });
    await clock.advance(seconds(5));
    expect(sent[0]?.payload).toMatchObject({
      truncatedAlerts: 1,
      alerts: [{ labels: { instance: '1' } }, { labels: { instance: '2' } }],
    });
  });

  test('an alert that nobody repeats resolves after five minutes', async () => {
    const { am, clock, sent } = await start();
    const body = JSON.stringify([{ labels: { alertname: 'A' } }]);
    await fetch(`${am.url}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await clock.advance(seconds(5));
    await clock.advance(minutes(6));
    expect(sent.map(({ payload }) => payload.status)).toEqual(['firing', 'resolved']);
  });
});
