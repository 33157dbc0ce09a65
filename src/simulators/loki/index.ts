import { serve } from '@hono/node-server';
import { Hono } from 'hono';

export interface LokiEntry {
  readonly at: Date;
  readonly stream: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface LokiSimulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The questions so far, oldest first. */
  readonly asked: URLSearchParams[];
  stop(): Promise<void>;
}

/**
 * What the HTTP API of Loki documents for `query_range` of a selector of plain equalities (grafana.com/docs/loki/latest/reference/loki-http-api):
 * the newest first with `direction=backward`, [start, end), at most `limit`, grouped by stream; 401 without the token; 400 with
 * the parser's words as plain text.
 */
export async function startLokiSimulator(
  entries: readonly LokiEntry[] | (() => readonly LokiEntry[]),
  options: { readonly token?: string } = {},
): Promise<LokiSimulator> {
  const asked: URLSearchParams[] = [];
  const app = new Hono();
  app.use(async (c, next) => {
    if (options.token !== undefined && c.req.header('authorization') !== `Bearer ${options.token}`) {
      return c.text('no org id\n', 401);
    }
    return next();
  });
  app.get('/loki/api/v1/labels', (c) => c.json({ status: 'success', data: ['service'] }));
  app.get('/loki/api/v1/query_range', (c) => {
    const params = new URL(c.req.url).searchParams;
    asked.push(params);
    const matchers = /^\{(.*)\}$/u.exec(params.get('query') ?? '')?.[1];
    const wanted = [...(matchers ?? '').matchAll(/(\w+)="([^"\\]*)"/gu)];
    if (wanted.length === 0) {
      return c.text('parse error at line 1, col 1: syntax error: unexpected IDENTIFIER', 400);
    }
    const at = (name: string): number => Number(BigInt(params.get(name) ?? '0') / 1_000_000n);
    const found = (typeof entries === 'function' ? entries() : entries)
      .filter(({ stream }) => wanted.every(([, name = '', value]) => stream[name] === value))
      .filter((one) => one.at.getTime() >= at('start') && one.at.getTime() < at('end'))
      .toSorted((a, b) => b.at.getTime() - a.at.getTime())
      .slice(0, Number(params.get('limit') ?? '100'));
    const streams = new Map<string, { stream: Readonly<Record<string, string>>; values: [string, string][] }>();
    for (const { at: time, stream, text } of found) {
      const key = JSON.stringify(stream);
      const one = streams.get(key) ?? { stream, values: [] };
      one.values.push([`${time.getTime()}000000`, text]);
      streams.set(key, one);
    }
    return c.json({ status: 'success', data: { resultType: 'streams', result: [...streams.values()], stats: {} } });
  });
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const one = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(one));
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
