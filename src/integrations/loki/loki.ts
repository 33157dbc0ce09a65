import { z } from 'zod';
import { toVakhtaError } from '../../core/error.ts';
import { createHttp, type HttpEdges, type HttpSettings } from '../prometheus/http.ts';
import type { Loki } from './port.ts';

const answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('streams'),
    // A third element, structured metadata, comes with newer versions.
    result: z.array(z.object({ values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())) })),
  }),
});

const NANO = 1_000_000n;

export function createLoki(settings: HttpSettings, edges: HttpEdges): Loki {
  const http = createHttp('loki', settings, edges);
  return {
    lines: async (query, { from, to, limit }, signal) => {
      const nanoseconds = (at: Date): string => String(BigInt(at.getTime()) * NANO);
      const params = new URLSearchParams({
        query,
        start: nanoseconds(from),
        end: nanoseconds(to),
        limit: String(limit),
        direction: 'backward',
      });
      const path = '/loki/api/v1/query_range';
      const { data } = await http.get(answer, { path, query: params, ...(signal ? { signal } : {}) });
      return data.result
        .flatMap(({ values }) => values.map(([at, text]) => ({ at: BigInt(at), text })))
        .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
        .slice(-limit)
        .map(({ at, text }) => ({ at: new Date(Number(at / NANO)), text: text.replace(/\n+$/u, '') }));
    },
    probe: async (signal) => {
      try {
        const { status, text } = await http.call({ path: '/loki/api/v1/labels', signal });
        if (status !== 200) throw http.refused({ status, text });
        return { state: 'ok', text: 'loki-ok', args: { where: http.where } };
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        return { state: 'down', text: error.text, args: error.args };
      }
    },
  };
}
