import { Agent, request } from 'node:http';
import { z } from 'zod';
import { quantile } from './figures.ts';
import { payload } from './payload.ts';
import { serveParent } from './place.ts';

/** The load of a benchmark, in a process of its own so that its cost is the same for both sides. */
const order = z.object({
  port: z.int(),
  token: z.string(),
  connections: z.int(),
  requests: z.int(),
  /** Number of the first payload; each one is a group of its own. */
  from: z.int(),
});
export type LoadOrder = z.output<typeof order>;

const loadResult = z.object({ perSecond: z.number(), p50: z.number(), p99: z.number() });
/** Requests a second, and milliseconds. */
export type LoadResult = z.output<typeof loadResult>;
export const parseLoadResult = (value: unknown): LoadResult => loadResult.parse(value);

async function run({ port, token, connections, requests, from }: LoadOrder): Promise<LoadResult> {
  const bodies = Array.from({ length: requests }, (_, n) => Buffer.from(payload(from + n)));
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  let next = 0;
  const one = (body: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          agent,
          host: '127.0.0.1',
          port,
          path: '/webhooks/alertmanager',
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': body.length,
            authorization: `Bearer ${token}`,
          },
        },
        (response) => {
          response.resume();
          response.once('end', () =>
            response.statusCode === 200 ? resolve() : reject(new Error(`answer ${response.statusCode}`)),
          );
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  const connection = async (): Promise<void> => {
    for (let body = bodies[next++]; body; body = bodies[next++]) {
      const began = performance.now();
      await one(body);
      times.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  return { perSecond: requests / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

if (process.send) serveParent(0, (question) => run(order.parse(question)));
