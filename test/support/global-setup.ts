import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import type { Cluster } from './components/cluster.ts';
import { startEmbeddedPostgres } from './components/embedded-postgres.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What a whole run shares, made when the first test asks for it, so that a run of unit tests never pays for it: one
 * embedded PostgreSQL, and the program built once for all processes that tests start.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let cluster: Promise<Cluster> | undefined;
  const database = await onDemand(async () => {
    cluster = startEmbeddedPostgres();
    return (await cluster).url;
  });
  const folder = join(ROOT, `.test-build-${process.pid}`);
  const program = await onDemand(() => build(folder));
  project.provide('databaseBroker', database.port);
  project.provide('programBroker', program.port);
  return async () => {
    await Promise.all([database.close(), program.close()]);
    await (await cluster?.catch(() => undefined))?.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Whoever connects to the port gets the value (or the error) and the end of the connection. */
async function onDemand(make: () => Promise<string>): Promise<{ port: number; close: () => Promise<void> }> {
  let making: Promise<string> | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    making ??= make();
    making.then(
      (value) => socket.end(value),
      (error: unknown) => socket.end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** `main.js` of the built program, beside the repository's other folders, where it looks for its runbooks. */
function build(folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts/build.mjs'), basename(folder)], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0 ? resolve(join(folder, 'main.js')) : reject(new Error(`the build ended with ${status}`)),
    );
  });
}
