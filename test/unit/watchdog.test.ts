import { describe, expect, it } from 'vitest';
import { type AlertGroup, parseWebhook } from '../../src/core/alertmanager.ts';
import { minutes } from '../../src/core/clock.ts';
import { missingSince, splitWatchdog } from '../../src/core/watchdog.ts';

const NOW = new Date('2026-11-23T09:00:00Z');
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
const MATCH = { alertname: { equals: 'Watchdog' }, severity: { pattern: /^(?:none|info)$/u } };

const group = (...names: readonly string[]): AlertGroup =>
  parseWebhook(
    JSON.stringify({
      version: '4',
      groupKey: 'all',
      receiver: 'vakhta',
      alerts: names.map((name) => ({
        status: name.startsWith('-') ? 'resolved' : 'firing',
        labels: { alertname: name.replace('-', ''), severity: 'info' },
      })),
    }),
    NOW,
  );
const names = ({ alerts }: AlertGroup): (string | undefined)[] => alerts.map(({ labels }) => labels['alertname']);

describe('the alert that always fires', () => {
  it('is taken out of its group, and the others stay', () => {
    const { rest, seen } = splitWatchdog([group('Watchdog', 'HostDown')], MATCH);
    expect(seen).toBe(true);
    expect(rest.map(names)).toEqual([['HostDown']]);
  });

  it('leaves nothing of a group that it had for itself', () => {
    expect(splitWatchdog([group('Watchdog')], MATCH)).toEqual({ rest: [], seen: true });
  });

  it('is not seen when it says that it has ended', () => {
    expect(splitWatchdog([group('-Watchdog')], MATCH)).toEqual({ rest: [], seen: false });
  });

  it('does not keep a group firing whose other alerts have ended', () => {
    const [left] = splitWatchdog([group('Watchdog', '-HostDown')], MATCH).rest;
    expect(left?.status).toBe('resolved');
  });

  it('is known by all of its labels', () => {
    const other = [group('Watchdog2', 'HostDown')];
    const { rest, seen } = splitWatchdog(other, MATCH);
    expect(rest).toEqual(other);
    expect(seen).toBe(false);
  });
});

describe('missing', () => {
  const missing = (seenAt: Date | undefined, listeningSince: Date, missingMs = minutes(5)): Date | undefined =>
    missingSince({ seenAt, listeningSince, missingMs }, NOW);

  it('is what did not come for the whole time', () => {
    expect(missing(ago(minutes(5)), ago(minutes(600)))).toEqual(ago(minutes(5)));
    expect(missing(ago(minutes(5) - 1), ago(minutes(600)))).toBeUndefined();
  });

  it('is not what never came, before the time has passed since the start', () => {
    expect(missing(undefined, ago(minutes(5) - 1))).toBeUndefined();
    expect(missing(undefined, ago(minutes(5)))).toEqual(ago(minutes(5)));
  });

  it('does not count the time in which the program was away, but comes soon after where it was known before', () => {
    const seen = ago(minutes(300));
    expect(missing(seen, ago(minutes(2)))).toBeUndefined();
    expect(missing(seen, ago(minutes(2.5)))).toEqual(seen);
  });

  it('gives a start no more than five minutes and no less than one, and never more than the time itself', () => {
    const seen = ago(minutes(6000));
    expect(missing(seen, ago(minutes(5)), minutes(600))).toEqual(seen);
    expect(missing(seen, ago(minutes(5) - 1), minutes(600))).toBeUndefined();
    expect(missing(seen, ago(minutes(1)), minutes(1))).toEqual(seen);
    expect(missing(seen, ago(minutes(1) - 1), minutes(1))).toBeUndefined();
  });
});
