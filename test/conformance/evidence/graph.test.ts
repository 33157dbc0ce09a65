import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { Prometheus } from '../../../src/integrations/prometheus/port.ts';
import { createPrometheus } from '../../../src/integrations/prometheus/prometheus.ts';
import { drawGraph, type Graph, type GraphEdges, type Missing } from '../../../src/tasks/evidence/graph.ts';
import { type PrometheusServer, startPrometheus, until, withComponents } from '../../support/components/index.ts';
import { incidentRow, link, reader } from './support.ts';

const signal = new AbortController().signal;
const named = (name: string, instance: string, value: string): string =>
  `label_replace(${value}, "${name}", "${instance}", "", "")`;
/** Has a value at every time, also before the server was started. */
const SAW = 'vector(time() % 3600 / 36)';

describe('without Prometheus', () => {
  const edges = (prometheus?: Partial<Prometheus>): GraphEdges => ({
    prometheus: prometheus as Prometheus | undefined,
    clock: systemClock,
    redact: (text) => text,
    keep: () => Promise.reject(new Error('nothing to keep')),
  });
  const alert = { labels: { alertname: 'Down', severity: 'critical' } };

  test('it says that none is configured, or that nobody knows the rule', async () => {
    const row = incidentRow([alert], new Date());
    expect(await drawGraph(edges(), row, reader, 'dark', signal)).toMatchObject({ why: 'no-prometheus' });
    const rules = (queries: readonly string[]) => () =>
      Promise.resolve(
        queries.map((query) => ({
          type: 'alerting' as const,
          group: 'g',
          name: 'Down',
          query,
          health: 'ok',
          labels: {},
          annotations: {},
        })),
      );
    expect(await drawGraph(edges({ rules: rules([]) }), row, reader, 'dark', signal)).toMatchObject({
      why: 'no-rule',
      args: { name: 'Down' },
    });
    expect(await drawGraph(edges({ rules: rules(['a > 1', 'b > 2']) }), row, reader, 'dark', signal)).toMatchObject({
      why: 'several-rules',
    });
  });
});

withComponents(['prometheus'], () => {
  let server: PrometheusServer;
  let prometheus: Prometheus;
  const kept: string[] = [];
  beforeAll(async () => {
    const rules = [
      { alert: 'Saw', expr: `${named('instance', 'pve1', SAW)} >= 0`, labels: { severity: 'critical' } },
      { alert: 'Saw', expr: `${named('instance', 'pve2', SAW)} > 1000`, labels: { severity: 'warning' } },
    ];
    server = await startPrometheus({ rules: [{ groups: [{ name: 'g', rules }] }] });
    prometheus = createPrometheus({ url: server.url }, { fetch, clock: systemClock });
    await until('the alert', async () => (await prometheus.alerts()).some(({ state }) => state === 'firing'));
  });
  afterAll(() => server?.stop());

  const draw = (row: ReturnType<typeof incidentRow>): Promise<Graph | Missing> =>
    drawGraph(
      {
        prometheus,
        clock: systemClock,
        redact: (text) => text.replaceAll('hunter2', '[redacted]'),
        keep: (svg) => Promise.resolve(String(kept.push(svg))),
      },
      row,
      reader,
      'dark',
      signal,
    );
  const graphOf = async (...args: Parameters<typeof incidentRow>): Promise<{ graph: Graph; svg: string }> => {
    const graph = await draw(incidentRow(...args));
    if (graph.kind !== 'graph') throw new Error(`no graph: ${graph.why}`);
    return { graph, svg: kept[Number(graph.picture) - 1] ?? '' };
  };

  test('the expression of the link is drawn without its comparison, with the threshold', async () => {
    const now = new Date();
    const rule = `${named('instance', 'pve1', SAW)} > 90`;
    const labels = { alertname: 'CpuHigh', instance: 'pve1', severity: 'critical' };
    const { graph, svg } = await graphOf(
      [{ labels, generatorURL: link(rule), startsAt: new Date(now.getTime() - 3_600_000) }],
      now,
    );
    expect(graph).toMatchObject({ threshold: { op: '>', value: 90 }, more: 0, strange: 0, firing: true });
    expect(graph.to.getTime() - graph.from.getTime()).toBe(6 * 3_600_000);
    const [line] = graph.lines;
    // Below the threshold too: the comparison would have left only what is above.
    expect(line?.min).toBeLessThan(5);
    expect(line?.max).toBeGreaterThan(95);
    expect(line?.label).toBe('');
    expect(svg).toContain('threshold &gt; 90');
    expect(svg).toContain('>firing<');
  });

  test('without a link the rule of that name that fits the labels is taken', async () => {
    const labels = { alertname: 'Saw', instance: 'pve1', severity: 'critical' };
    const { graph } = await graphOf([{ labels }], new Date());
    expect(graph).toMatchObject({ threshold: { op: '>=', value: 0 } });
    expect(graph.expr).toContain('"pve1"');
  });

  test('only the lines of the alerts, each under the name that tells it apart', async () => {
    const all = ['pve1', 'pve2', 'pve3'].map((name) => named('instance', name, SAW)).join(' or ');
    const labels = (instance: string) => ({ alertname: 'Saw', instance, severity: 'critical' });
    const generatorURL = link(`(${all}) > 50`);
    const { graph } = await graphOf(
      [
        { labels: labels('pve3'), generatorURL },
        { labels: labels('pve1'), generatorURL },
      ],
      new Date(),
    );
    expect(graph.lines.map(({ label }) => label).toSorted()).toEqual(['pve1', 'pve3']);
  });

  test('of very many series only those of the alert are asked for', async () => {
    // In a replacement `$$` stands for the sign itself.
    const many = Array.from({ length: 80 }, (_, n) => named('instance', ['vm', '$$', n].join(''), `vector(${n})`));
    const generatorURL = link(`(${many.join(' or ')}) > 5`);
    const labels = { alertname: 'Many', instance: 'vm$42', severity: 'warning', extra: 'of the rule' };
    const { graph } = await graphOf([{ labels, generatorURL }], new Date());
    expect(graph.lines).toEqual([{ label: '', last: 42, min: 42, max: 42 }]);
  });

  test('more than six lines are counted, not drawn', async () => {
    const many = Array.from({ length: 9 }, (_, n) => named('instance', `vm${n}`, `vector(${n})`)).join(' or ');
    const { graph, svg } = await graphOf(
      [{ labels: { alertname: 'M' }, generatorURL: link(`(${many}) > 5`) }],
      new Date(),
    );
    expect(graph.lines).toHaveLength(6);
    expect(graph.more).toBe(3);
    expect(svg).toContain('3 more not drawn');
  });

  test('values that are no numbers are counted and left out', async () => {
    const { graph } = await graphOf(
      [{ labels: { alertname: 'N' }, generatorURL: link('vector(0) / 0 > 1') }],
      new Date(),
    );
    expect(graph).toMatchObject({ strange: 361, lines: [{ last: null, min: null, max: null }] });
  });

  test('no data is said, and a secret in the expression is not', async () => {
    const generatorURL = link('up{password="hunter2"} == 0');
    const none = await draw(incidentRow([{ labels: { alertname: 'X' }, generatorURL }], new Date()));
    expect(none).toMatchObject({ kind: 'missing', why: 'no-data', args: { expr: 'up{password="[redacted]"}' } });
  });

  test('of an incident that is over, the hours around it', async () => {
    const now = new Date();
    const over = new Date(now.getTime() - 24 * 3_600_000);
    const { graph } = await graphOf(
      [{ labels: { alertname: 'Saw', instance: 'pve1' }, generatorURL: link(`${SAW} > 5`) }],
      now,
      { state: 'resolved', resolvedAt: over },
    );
    expect(graph.to.getTime()).toBe(over.getTime() + 1_800_000);
    expect(graph.firing).toBe(false);
  });
});
