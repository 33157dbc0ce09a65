import { z } from 'zod';
import { toVakhtaError } from '../../core/error.ts';
import { createHttp, type HttpEdges, type HttpSettings } from './http.ts';
import type { Labels, Prometheus, Sample, Series } from './port.ts';

export type * from './port.ts';

/** `"NaN"`, `"+Inf"`, `"-Inf"`, `"0e+00"` (prometheus.io/docs/prometheus/latest/querying/api, "Expression query result formats"). */
export function parseValue(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text === '' ? Number.NaN : Number(text);
}

const labels = z.record(z.string(), z.string());
const point = z.tuple([z.number(), z.string()]);
const ok = <T extends z.ZodType>(data: T) => z.object({ status: z.literal('success'), data });

const querySchema = ok(
  z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point })) }),
    z.object({
      resultType: z.literal('matrix'),
      result: z.array(z.object({ metric: labels, values: z.array(point) })),
    }),
    z.object({ resultType: z.literal('scalar'), result: point }),
    z.object({ resultType: z.literal('string'), result: point }),
  ]),
);
const rangeSchema = ok(
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(point) })),
  }),
);
const rulesSchema = ok(
  z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(
          z.object({
            type: z.enum(['alerting', 'recording']),
            name: z.string(),
            query: z.string(),
            health: z.string(),
            lastError: z.string().optional(),
            state: z.string().optional(),
            duration: z.number().optional(),
            labels: labels.optional(),
            annotations: labels.optional(),
          }),
        ),
      }),
    ),
  }),
);
const targetsSchema = ok(
  z.object({
    activeTargets: z.array(
      z.object({ labels, health: z.string(), lastError: z.string(), lastScrape: z.string(), scrapeUrl: z.string() }),
    ),
  }),
);
const alertsSchema = ok(
  z.object({
    alerts: z.array(
      z.object({ labels, annotations: labels, state: z.string(), activeAt: z.string(), value: z.string() }),
    ),
  }),
);

/** Text of an answer of `/api/v1/query` as samples; of a matrix, the newest point of each series. */
export function parseQuery(json: z.infer<typeof querySchema>): Sample[] {
  const { data } = json;
  const sample = (metric: Labels, [at, value]: [number, string]): Sample => ({
    metric,
    at: new Date(at * 1000),
    value: parseValue(value),
  });
  switch (data.resultType) {
    case 'vector':
      return data.result.map((each) => sample(each.metric, each.value));
    case 'matrix':
      return data.result.flatMap(({ metric, values }) => {
        const last = values.at(-1);
        return last === undefined ? [] : [sample(metric, last)];
      });
    case 'scalar':
    case 'string':
      return [sample({}, data.result)];
  }
}

export function createPrometheus(settings: HttpSettings, edges: HttpEdges): Prometheus {
  const http = createHttp('prometheus', settings, edges);
  const asked = (signal: AbortSignal | undefined) => (signal ? { signal } : {});

  const prometheus: Prometheus = {
    query: async (expr, at, signal) => {
      const query = new URLSearchParams({ query: expr, ...(at ? { time: String(at.getTime() / 1000) } : {}) });
      return parseQuery(await http.get(querySchema, { path: '/api/v1/query', query, ...asked(signal) }));
    },
    queryRange: async (expr, { from, to, stepSeconds }, signal) => {
      const query = new URLSearchParams({
        query: expr,
        start: String(from.getTime() / 1000),
        end: String(to.getTime() / 1000),
        step: String(stepSeconds),
      });
      const { data } = await http.get(rangeSchema, { path: '/api/v1/query_range', query, ...asked(signal) });
      return data.result.map(
        ({ metric, values }): Series => ({
          metric,
          points: values.map(([at, value]) => ({ at: new Date(at * 1000), value: parseValue(value) })),
        }),
      );
    },
    rules: async (signal) => {
      const { data } = await http.get(rulesSchema, { path: '/api/v1/rules', ...asked(signal) });
      return data.groups.flatMap((group) =>
        group.rules.map(({ lastError, state, duration, ...rule }) => ({
          ...rule,
          group: group.name,
          labels: rule.labels ?? {},
          annotations: rule.annotations ?? {},
          ...(lastError ? { lastError } : {}),
          ...(state === undefined ? {} : { state }),
          ...(duration === undefined ? {} : { duration }),
        })),
      );
    },
    targets: async (signal) => {
      const query = new URLSearchParams({ state: 'active' });
      const { data } = await http.get(targetsSchema, { path: '/api/v1/targets', query, ...asked(signal) });
      return data.activeTargets.map((target) => ({
        job: target.labels['job'] ?? '',
        instance: target.labels['instance'] ?? target.scrapeUrl,
        health: target.health,
        lastError: target.lastError,
        lastScrape: new Date(target.lastScrape),
        labels: target.labels,
      }));
    },
    alerts: async (signal) => {
      const { data } = await http.get(alertsSchema, { path: '/api/v1/alerts', ...asked(signal) });
      return data.alerts.map((alert) => ({
        ...alert,
        activeAt: new Date(alert.activeAt),
        value: parseValue(alert.value),
      }));
    },
    probe: async (signal) => {
      try {
        const targets = await prometheus.targets(signal);
        const down = targets
          .filter((target) => target.health === 'down')
          .map((target) => `${target.job} ${target.instance}`);
        const args = { where: http.where, targets: targets.length, down: down.length, first: down[0] ?? '—' };
        if (targets.length === 0) return { state: 'warn', text: 'prometheus-no-targets', args };
        return down.length > 0
          ? { state: 'warn', text: 'prometheus-targets-down', args }
          : { state: 'ok', text: 'prometheus-ok', args };
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        return { state: 'down', text: error.text, args: error.args };
      }
    },
  };
  return prometheus;
}
