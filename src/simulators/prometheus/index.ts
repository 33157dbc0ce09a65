import { serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Clock } from '../../core/clock.ts';

/** One series that this Prometheus knows, by the text of the expression that selects it. */
export interface Curve {
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  /** NaN where there is no sample. */
  readonly value: (at: Date, now: Date) => number;
}

export interface PrometheusSimulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

const MAX_POINTS = 11_000;

/**
 * The part of the HTTP API (prometheus.io/docs/prometheus/latest/querying/api) that the demo needs. It computes nothing: an
 * expression that is not one of `curves` has no series. Values are strings, ranges are refused as the real one refuses them.
 */
export async function startPrometheusSimulator(
  curves: readonly Curve[],
  { clock }: { readonly clock: Clock },
): Promise<PrometheusSimulator> {
  const app = new Hono();
  const success = (context: Context, data: unknown) => context.json({ status: 'success', data });
  const refused = (context: Context, error: string) =>
    context.json({ status: 'error', errorType: 'bad_data', error }, 400);
  const asked = (expr: string): readonly Curve[] => curves.filter((curve) => curve.expr === expr.trim());
  const sample = (curve: Curve, seconds: number): [number, string] => [
    seconds,
    String(curve.value(new Date(seconds * 1000), clock.now())),
  ];
  const metric = ({ expr, labels }: Curve): Record<string, string> => {
    const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/u.test(expr) ? { __name__: expr } : {};
    return { ...name, ...labels };
  };

  app.get('/api/v1/query', (context) => {
    const { query, time } = context.req.query();
    if (!query)
      return refused(context, 'invalid parameter "query": unknown position: parse error: no expression found in input');
    const at = time === undefined ? clock.now().getTime() / 1000 : Number(time);
    const result = asked(query)
      .map((curve) => ({ metric: metric(curve), value: sample(curve, at) }))
      .filter(({ value }) => value[1] !== 'NaN');
    return success(context, { resultType: 'vector', result });
  });

  app.get('/api/v1/query_range', (context) => {
    const { query, start, end, step } = context.req.query();
    const [from, to, every] = [Number(start), Number(end), Number(step)];
    if (!query)
      return refused(context, 'invalid parameter "query": unknown position: parse error: no expression found in input');
    if (!(every > 0))
      return refused(
        context,
        'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
      );
    if (to < from) return refused(context, 'invalid parameter "end": end timestamp must not be before start time');
    if ((to - from) / every > MAX_POINTS) {
      return refused(
        context,
        'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
      );
    }
    const instants = Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, n) => from + n * every);
    const result = asked(query)
      .map((curve) => ({
        metric: metric(curve),
        values: instants.map((at) => sample(curve, at)).filter(([, value]) => value !== 'NaN'),
      }))
      .filter(({ values }) => values.length > 0);
    return success(context, { resultType: 'matrix', result });
  });

  app.get('/api/v1/rules', (context) => success(context, { groups: [] }));
  app.get('/api/v1/alerts', (context) => success(context, { alerts: [] }));
  app.get('/api/v1/targets', (context) => success(context, { activeTargets: [], droppedTargets: [] }));

  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const one = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(one));
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
