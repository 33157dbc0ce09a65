import { createServer } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { createApi } from './api.ts';
import { createDispatcher, type Delivery, type RouteSettings } from './dispatcher.ts';
import { fingerprint, goJson, type Labels } from './labels.ts';
import { createState } from './state.ts';

export type { Delivery } from './dispatcher.ts';

export interface AlertmanagerSimulatorSettings extends Partial<Omit<RouteSettings, 'webhook'>> {
  readonly webhook: RouteSettings['webhook'];
  /** Port to listen on, on loopback; a free one when absent. */
  readonly port?: number;
}

export interface AlertmanagerSimulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Raises an alert that fires until it is resolved; its fingerprint. */
  fire(labels: Labels, annotations?: Labels, generatorURL?: string): string;
  /** Ends a firing alert; false when there is none with this fingerprint. */
  resolve(fingerprint: string): boolean;
  /** The last thousand attempts to deliver, oldest first. */
  readonly deliveries: readonly Delivery[];
  stop(): Promise<void>;
}

/** Far enough for any demo, near enough for a date. */
const FOREVER_MS = 10 * 365 * 86_400_000;

/** An Alertmanager 0.25 with one route and one webhook receiver: API v2 on loopback, real webhooks to the given address. */
export async function startAlertmanagerSimulator(
  settings: AlertmanagerSimulatorSettings,
  edges: { readonly clock: Clock; readonly random: Random; readonly fetch: typeof fetch },
): Promise<AlertmanagerSimulator> {
  const route: RouteSettings = {
    receiver: 'vakhta',
    groupBy: ['alertname'],
    groupWaitMs: 5_000,
    groupIntervalMs: 30_000,
    repeatIntervalMs: 4 * 3_600_000,
    maxAlerts: 0,
    ...settings,
  };
  const { clock } = edges;
  let url = '';
  const state = createState(edges);
  const dispatcher = createDispatcher(route, state, { ...edges, externalUrl: () => url });
  const api = createApi(route, state, dispatcher, clock.now());

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = api({
        method: request.method ?? 'GET',
        url: new URL(request.url ?? '/', 'http://localhost'),
        contentType: request.headers['content-type'] ?? '',
        body: Buffer.concat(chunks).toString('utf8'),
      });
      if (answer.text !== undefined) {
        response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' }).end(answer.text);
      } else if (answer.json === undefined) response.writeHead(answer.status).end();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(goJson(answer.json));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;

  return {
    url,
    fire(labels, annotations = {}, generatorURL = '') {
      const endsAt = new Date(clock.now().getTime() + FOREVER_MS);
      dispatcher.add(state.put({ labels, annotations, endsAt, generatorURL }));
      return fingerprint(labels);
    },
    resolve(print) {
      const alert = state.alerts.get(print);
      if (alert === undefined || !state.firing(alert)) return false;
      alert.endsAt = clock.now();
      alert.updatedAt = clock.now();
      return true;
    },
    deliveries: dispatcher.deliveries,
    async stop() {
      dispatcher.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
