import { serve, type ServerType } from '@hono/node-server';
import { VakhtaError } from '../core/error.ts';
import type { Config } from '../config/schema.ts';

/** Listens; throws `port-taken` when another program does. */
export function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  where: Config['http'],
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: where.host, port: where.port }, () => resolve(server));
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      const address = `${where.host}:${where.port}`;
      reject(
        taken
          ? new VakhtaError('usage', 'port-taken', `${address} is taken by another program`, { args: { address } })
          : error,
      );
    });
  });
}

/** `http://127.0.0.1:8080`, once it listens. */
export const addressOf = (server: ServerType | undefined): string | undefined => {
  const address = server?.address();
  return address && typeof address === 'object'
    ? `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
    : undefined;
};

/** Takes no more connections and ends the idle ones. */
export const closeServer = (server: ServerType | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (!server) return resolve();
    server.close(() => resolve());
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  });
