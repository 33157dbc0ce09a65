import { describe, expect, it } from 'vitest';
import {
  hostAndPort,
  instanceOf,
  isHost,
  nextProbeState,
  type ProbeResult,
  type ProbeState,
} from '../../src/core/probe.ts';

const T0 = Date.parse('2026-11-23T09:00:00Z');
const at = (second: number): Date => new Date(T0 + second * 1000);
const OK: ProbeResult = { ok: true, latencyMs: 12 };
const BAD: ProbeResult = { ok: false, reason: 'HTTP 503' };
const UNABLE: ProbeResult = { ok: 'unavailable', reason: 'ping: not installed' };

/** One result each ten seconds; answers the states and what people were told, by second. */
function play(results: readonly ProbeResult[], failures = 3): { state: ProbeState | undefined; told: string[] } {
  let state: ProbeState | undefined;
  const told: string[] = [];
  results.forEach((result, n) => {
    const { after, turned } = nextProbeState(state, result, at(n * 10), { failures });
    state = after;
    if (turned) told.push(`${turned} at ${n * 10}`);
  });
  return { state, told };
}

describe('a probe', () => {
  it('is down after the configured number of failures in a row, since the first of them', () => {
    const { state, told } = play([OK, BAD, BAD, BAD]);
    expect(told).toEqual(['down at 30']);
    expect(state).toMatchObject({ state: 'down', since: at(10), failures: 3, reason: 'HTTP 503', latencyMs: 12 });
  });

  it('is not down while failures are not in a row', () => {
    expect(play([OK, BAD, BAD, OK, BAD, BAD, OK]).told).toEqual([]);
  });

  it('is up again after two successes in a row, not after one', () => {
    const before = play([BAD, BAD, BAD, OK, BAD, OK]);
    expect(before.told).toEqual(['down at 20']);
    expect(before.state).toMatchObject({ state: 'down', since: at(0) });
    const after = play([BAD, BAD, BAD, OK, BAD, OK, OK]);
    expect(after.told).toEqual(['down at 20', 'up at 60']);
    expect(after.state).toMatchObject({ state: 'up', since: at(60), failures: 0 });
    expect(after.state?.reason).toBeUndefined();
  });

  it('is unknown until it answered, or failed often enough', () => {
    expect(play([BAD, BAD]).state).toMatchObject({ state: 'unknown' });
    expect(play([OK]).state).toMatchObject({ state: 'up', since: at(0) });
    expect(play([BAD], 1).told).toEqual(['down at 0']);
  });

  it('is unknown, and neither up nor down, when it cannot be tried', () => {
    const { state, told } = play([OK, UNABLE, UNABLE, UNABLE, UNABLE]);
    expect(told).toEqual([]);
    expect(state).toMatchObject({ state: 'unknown', since: at(10), reason: 'ping: not installed' });
  });

  it('stays down when it cannot be tried any more: nobody has seen it recover', () => {
    const { state, told } = play([BAD, BAD, BAD, UNABLE, OK]);
    expect(told).toEqual(['down at 20']);
    expect(state).toMatchObject({ state: 'down', since: at(0) });
  });
});

describe('targets', () => {
  it.each([
    ['example.net:443', { host: 'example.net', port: 443 }],
    ['192.0.2.1:53', { host: '192.0.2.1', port: 53 }],
    ['[2001:db8::1]:993', { host: '2001:db8::1', port: 993 }],
    ['2001:db8::1:993', undefined],
    ['example.net', undefined],
    ['example.net:0', undefined],
    ['example.net:70000', undefined],
    ['a b:1', undefined],
  ])('%s', (target, wanted) => {
    expect(hostAndPort(target)).toEqual(wanted);
  });

  it.each([
    ['192.0.2.1', true],
    ['2001:db8::1', true],
    ['db-1.example.net', true],
    ['-f', false],
    ['a;b', false],
    ['$(x)', false],
    ['', false],
  ])('host %s: %s', (text, wanted) => {
    expect(isHost(text)).toBe(wanted);
  });

  it('show neither user nor password nor path', () => {
    expect(instanceOf('http', 'https://me:secret@example.net:8443/-/health?token=x')).toBe('example.net:8443');
    expect(instanceOf('tcp', 'dns.example.net:53')).toBe('dns.example.net:53');
  });
});
