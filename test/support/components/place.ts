import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that other system users may enter. The path is short: a Unix socket below it must stay under 108 bytes. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const base = tmpdir().length > 40 ? '/tmp' : tmpdir();
  const path = await mkdtemp(join(base, 'vk-'));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

const FIRST = 20_000;
const LAST = 32_000;

/**
 * A free TCP port of 127.0.0.1, below the range from which the kernel takes ports for outgoing connections, so that
 * nobody gets it by chance between this call and the component's own bind.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(FIRST, LAST);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
