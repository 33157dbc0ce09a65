import { describe, expect, test } from 'vitest';
import { expressionOf, graphable, unitOf } from '../../src/core/promql.ts';

describe('what to draw of a rule', () => {
  test.each([
    ['up == 0', 'up', '==', 0],
    ['node_load1 > 8', 'node_load1', '>', 8],
    ['90 < cpu_percent', 'cpu_percent', '>', 90],
    ['100 * (a / b) >= 95.5', '100 * (a / b)', '>=', 95.5],
    ['time() - last_timestamp_seconds > 26 * 3600', 'time() - last_timestamp_seconds', '>', 93_600],
    ['x < 10 * 1024 ^ 3', 'x', '<', 10 * 1024 ** 3],
    ['x > -(2 + 3)', 'x', '>', -5],
    ['x > -2 ^ 2', 'x', '>', -4],
    ['(x > 1e3)', 'x', '>', 1000],
    ['((x)) > 5', 'x', '>', 5],
    ['x{job="a > b", path=`c < 1`} < 5', 'x{job="a > b", path=`c < 1`}', '<', 5],
    ['x > 5 # or so\n', 'x', '>', 5],
    ['sum by (a) (rate(x[5m])) > 5 and on (a) y == 1', 'sum by (a) (rate(x[5m]))', '>', 5],
    ['x > 5 unless y', 'x', '>', 5],
    ['x{a!="b"} != 1', 'x{a!="b"}', '!=', 1],
    ['orders:and_or > 5', 'orders:and_or', '>', 5],
  ])('%s', (rule, expr, op, value) => expect(graphable(rule)).toEqual({ expr, threshold: { op, value } }));

  test.each([
    ['x', 'x'],
    ['x > 5 or y > 7', 'x > 5 or y > 7'],
    ['x > bool 5', 'x > bool 5'],
    ['x > 1 < 5', 'x > 1 < 5'],
    ['absent(up{job="a"})', 'absent(up{job="a"})'],
    ['rate(x[5m]) > on (a) y', 'rate(x[5m])'],
    ['x > 5m', 'x'],
    ['x > scalar(y)', 'x'],
    ['sum(x > 5)', 'sum(x > 5)'],
    ['', ''],
    ['(((', '((('],
  ])('%s has no threshold', (rule, expr) => expect(graphable(rule)).toEqual({ expr }));

  test('the expression stands in the link of the alert', () => {
    expect(expressionOf('http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1')).toBe('up == 0');
    expect(expressionOf('http://grafana/d/abc')).toBeUndefined();
    expect(expressionOf('')).toBeUndefined();
  });
});

test.each([
  ['node_filesystem_avail_bytes{mountpoint="/"}', 'bytes'],
  ['sum by (le_bytes) (max_over_time(x_bytes[5m]))', 'bytes'],
  ['a_bytes - b_bytes', 'bytes'],
  ['a_bytes / b_bytes', 'plain'],
  ['rate(a_bytes[5m])', 'plain'],
  ['time() - x_timestamp_seconds', 'seconds'],
  ['x_timestamp_seconds', 'plain'],
  ['probe_duration_seconds', 'seconds'],
  ['up', 'plain'],
  ['1', 'plain'],
])('the unit of %s is %s', (expr, unit) => expect(unitOf(expr)).toBe(unit));
