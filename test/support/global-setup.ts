import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import type { Cluster } from './components/cluster.ts';
import { startEmbeddedPostgres } from './components/embedded-postgres.ts';

/**
 * One embedded PostgreSQL for the whole run, started when the first test asks for it: a run of unit tests never pays for
 * it. Whoever connects to the broker's port gets the URL (or the error) and the end of the connection.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<Cluster> | undefined;
  const broker = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    starting ??= startEmbeddedPostgres();
    starting.then(
      (cluster) => socket.end(cluster.url),
      (error: unknown) => socket.end(String(error)),
    );
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  project.provide('databaseBroker', (broker.address() as AddressInfo).port);
  return async () => {
    await new Promise((resolve) => broker.close(resolve));
    const cluster = await starting?.catch(() => undefined);
    await cluster?.stop();
  };
}
