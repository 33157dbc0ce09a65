import { createServer, type Server } from 'node:https';
import type { Random } from '../../core/random.ts';
import { type Identity, issue } from './certificate.ts';

export interface SimulatedEndpoint {
  readonly id: string;
  /** The certificate's validity, in days from `now`; negative lies in the past. */
  readonly fromDays?: number;
  readonly toDays: number;
  /** Names in the certificate; `localhost` and 127.0.0.1 when absent. */
  readonly names?: readonly string[];
  readonly chain?: 'complete' | 'leaf-only' | 'self-signed';
  /** Port to listen on; a free one when absent. */
  readonly port?: number;
}

export interface EndpointServers {
  readonly host: '127.0.0.1';
  /** PEM of the root to trust. */
  readonly ca: string;
  readonly ports: Readonly<Record<string, number>>;
  /** A fresh certificate for an endpoint, as a renewal gives it; new connections see it at once. */
  renew(id: string, certificate: Omit<SimulatedEndpoint, 'id' | 'port'>, now: Date): void;
  stop(): Promise<void>;
}

const DAY = 86_400_000;

/** HTTPS servers on loopback, each with a certificate of the asked kind under one root and one intermediate. */
export async function startEndpoints(
  endpoints: readonly SimulatedEndpoint[],
  edges: { readonly now: Date; readonly random: Random },
): Promise<EndpointServers> {
  const { random } = edges;
  const at = (now: Date, days: number) => new Date(now.getTime() + days * DAY);
  const years = { validFrom: at(edges.now, -365), validTo: at(edges.now, 3650), ca: true };
  const root = issue({ subject: 'Demo Root', ...years }, random);
  const intermediate = issue({ subject: 'Demo Intermediate', ...years, issuer: root }, random);

  const credentials = (wanted: Omit<SimulatedEndpoint, 'id' | 'port'>, now: Date) => {
    const names = wanted.names ?? ['localhost', '127.0.0.1'];
    const leaf: Identity = issue(
      {
        subject: names[0] ?? 'localhost',
        names,
        validFrom: at(now, wanted.fromDays ?? Math.min(-1, wanted.toDays - 90)),
        validTo: at(now, wanted.toDays),
        ...(wanted.chain === 'self-signed' ? {} : { issuer: intermediate }),
      },
      random,
    );
    const complete = (wanted.chain ?? 'complete') === 'complete';
    return { key: leaf.key, cert: leaf.certificate + (complete ? intermediate.certificate : '') };
  };

  const servers = new Map<string, Server>();
  const ports: Record<string, number> = {};
  const stop = async () => {
    for (const server of servers.values()) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  };
  try {
    for (const endpoint of endpoints) {
      const server = createServer(credentials(endpoint, edges.now), (_, response) => {
        response.setHeader('content-type', 'text/plain').end(`${endpoint.id}\n`);
      });
      // A prober hangs up without a word; that is no error of ours.
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(endpoint.port ?? 0, '127.0.0.1', resolve);
      });
      servers.set(endpoint.id, server);
      const address = server.address();
      if (typeof address === 'object' && address !== null) ports[endpoint.id] = address.port;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: '127.0.0.1',
    ca: root.certificate,
    ports,
    renew(id, certificate, now) {
      const server = servers.get(id);
      if (server === undefined) throw new Error(`no endpoint ${id}`);
      server.setSecureContext(credentials(certificate, now));
    },
    stop,
  };
}
