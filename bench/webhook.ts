import { WEBHOOK_TOKEN } from './configuration.ts';
import { type Bench, figure, interleaved } from './figures.ts';
import { type LoadOrder, type LoadResult, parseLoadResult } from './load-client.ts';
import { openPlace, type Program } from './place.ts';

const ROUNDS = 7;
const REQUESTS = 2000;
const WARM_UP = 1500;
const CONNECTIONS = 32;
/** More than a burst: the reducer has to keep up while webhooks still come in. */
const LONG_ROUNDS = 3;
const LONG = 8000;

/** Webhook → 200, which is given after the commit only; and how many a second are wholly applied while others come in. */
export const webhook: Bench = {
  name: 'webhook',
  about: `webhook → 200 committed, ${CONNECTIONS} connections, against node:http with one INSERT a request`,
  run: async (report) => {
    const place = await openPlace();
    try {
      const env = { BENCH_DATABASE: place.databaseUrl };
      const client = await place.module('load-client.ts');
      const program = await place.module('intake-server.ts', env);
      const baseline = await place.module('insert-server.ts', env);
      let from = 0;
      /** `applied`: webhooks a second until every one of them has its incident. */
      const load = async (server: Program, requests: number): Promise<LoadResult & { readonly applied: number }> => {
        const order: LoadOrder = {
          port: server.port,
          token: WEBHOOK_TOKEN,
          connections: CONNECTIONS,
          requests,
          from,
        };
        from += requests;
        const result = parseLoadResult(await client.ask(order));
        const answered = performance.now();
        if (server === program) await server.ask('applied');
        const more = (performance.now() - answered) / 1000;
        const kept = await server.ask('count and empty');
        if (kept !== requests) throw new Error(`${requests} requests were answered 200, ${String(kept)} are kept`);
        return { ...result, applied: requests / (requests / result.perSecond + more) };
      };
      report('warming up');
      await load(baseline, WARM_UP);
      await load(program, WARM_UP);
      const rounds = await interleaved(
        ROUNDS,
        { program: () => load(program, REQUESTS), baseline: () => load(baseline, REQUESTS) },
        report,
      );
      const long = await interleaved(
        LONG_ROUNDS,
        { program: () => load(program, LONG), baseline: () => load(baseline, LONG) },
        (progress) => report(`long, ${progress}`),
      );
      const of = (key: keyof LoadResult | 'applied') =>
        rounds.map((round) => ({ program: round.program[key], baseline: round.baseline[key] }));
      return [
        figure('webhook throughput', 'requests/s', of('perSecond'), { at: 'least', ratio: 0.8 }),
        figure('webhook applied', 'requests/s', of('applied')),
        figure(
          `webhook throughput, ${LONG} in a row`,
          'requests/s',
          long.map(({ program: ours, baseline: theirs }) => ({ program: ours.perSecond, baseline: theirs.perSecond })),
        ),
        figure('webhook p50', 'ms', of('p50')),
        figure('webhook p99', 'ms', of('p99')),
      ];
    } finally {
      await place.close();
    }
  },
};
