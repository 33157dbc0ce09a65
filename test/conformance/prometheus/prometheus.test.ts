import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { Prometheus } from '../../../src/integrations/prometheus/port.ts';
import { createPrometheus } from '../../../src/integrations/prometheus/prometheus.ts';
import {
  freePort,
  type PrometheusServer,
  startPrometheus,
  until,
  withComponents,
} from '../../support/components/index.ts';

withComponents(['prometheus'], () => {
  let server: PrometheusServer;
  let port: Prometheus;
  beforeAll(async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const rule = {
      alert: 'Down',
      expr: 'up == 0',
      for: '0s',
      labels: { severity: 'critical' },
      annotations: { summary: 'нет {{ $labels.instance }}' },
    };
    server = await startPrometheus({
      rules: [{ groups: [{ name: 'g', rules: [rule] }] }],
      targets: [{ job: 'none', targets: [nobody] }],
    });
    port = createPrometheus({ url: server.url }, { fetch, clock: systemClock });
    await until('the alert', async () => (await port.alerts()).some((alert) => alert.state === 'firing'));
  });
  afterAll(() => server?.stop());

  test('values of every kind', async () => {
    expect(await port.query('vector(1.5)', new Date('2026-01-01T00:00:00Z'))).toEqual([
      { metric: {}, at: new Date('2026-01-01T00:00:00Z'), value: 1.5 },
    ]);
    expect((await port.query('1/0'))[0]?.value).toBe(Infinity);
    expect((await port.query('vector(0)/0'))[0]?.value).toBeNaN();
    expect(await port.query('up{job="nowhere"}')).toEqual([]);
  });

  test('targets, rules, alerts and the probe tell of what is down', async () => {
    expect(await port.targets()).toMatchObject([
      { job: 'none', health: 'down', lastError: expect.stringContaining('refused') as string },
    ]);
    expect(await port.rules()).toMatchObject([
      { type: 'alerting', group: 'g', name: 'Down', state: 'firing', labels: { severity: 'critical' } },
    ]);
    const [alert] = await port.alerts();
    expect(alert).toMatchObject({ state: 'firing', value: 0, labels: { alertname: 'Down', job: 'none' } });
    expect(alert?.annotations['summary']).toMatch(/^нет 127/);
    expect(await port.probe(new AbortController().signal)).toMatchObject({
      state: 'warn',
      text: 'prometheus-targets-down',
    });
  });

  test('a range has a point for each step, and none where there was no value', async () => {
    const to = new Date('2026-01-01T00:10:00Z');
    const range = { from: new Date('2026-01-01T00:00:00Z'), to, stepSeconds: 60 };
    const [line, ...others] = await port.queryRange('minute()', range);
    expect(others).toEqual([]);
    expect(line?.metric).toEqual({});
    expect(line?.points.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(line?.points.at(-1)?.at).toEqual(to);
    const gaps = await port.queryRange('minute() > 3 < 6', range);
    expect(gaps[0]?.points.map(({ at }) => at.getUTCMinutes())).toEqual([4, 5]);
    expect(await port.queryRange('up{job="nowhere"}', range)).toEqual([]);
    const [scalar] = await port.queryRange('1 / 0', range);
    expect(scalar?.points[0]?.value).toBe(Infinity);
  });

  test('a bad expression is the operator’s to mend, in Prometheus’ own words', async () => {
    await expect(port.query('up{')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'prometheus-refused',
      args: { detail: expect.stringContaining('parse error') as string },
    });
  });
});
