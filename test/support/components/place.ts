import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A new folder that other system users may enter. The path is short: a Unix socket below it must stay under 108 bytes. `quick`: in
 * memory where there is much of it, for what writes thousands of small files, each with an fsync. No test switches the power off.
 */
export async function temporaryFolder(
  options: { readonly quick?: boolean } = {},
): Promise<{ path: string; remove(): Promise<void> }> {
  const disk = tmpdir().length > 40 ? '/tmp' : tmpdir();
  const isQuick = options.quick === true && (await hasRoom(MEMORY));
  if (isQuick) await (swept ??= sweep(MEMORY));
  const path = await mkdtemp(isQuick ? join(MEMORY, `vk-${process.pid}-`) : join(disk, 'vk-'));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}

const MEMORY = '/dev/shm';
const ROOM_BYTES = 3_000_000_000;

/** In a container it is often 64 MB. */
async function hasRoom(folder: string): Promise<boolean> {
  const room = await statfs(folder).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize > ROOM_BYTES && freemem() > 2 * ROOM_BYTES;
}

let swept: Promise<void> | undefined;
const KEPT_MS = 3_600_000;

/** A run that was killed leaves its folders behind, and memory is dearer than a disk. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^vk-(\d+)-/u.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    const path = join(folder, name);
    const seen = await stat(path).catch(() => undefined);
    if (seen === undefined || Date.now() - seen.mtimeMs < KEPT_MS) continue;
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

const FIRST = 20_000;
const LAST = 32_000;
/** Each worker of vitest takes ports of a part of its own: two would ask for the same one between its choice and its bind. */
const PARTS = 4;
const SIZE = (LAST - FIRST) / PARTS;
const given = new Set<number>();

/**
 * A free TCP port of 127.0.0.1, below the range from which the kernel takes ports for outgoing connections, so that
 * nobody gets it by chance between this call and the component's own bind.
 */
export async function freePort(): Promise<number> {
  const from = FIRST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % PARTS) * SIZE;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(from, from + SIZE);
    if (given.has(port)) continue;
    given.add(port);
    if (await canListen(port)) return port;
  }
  throw new Error(`no free port between ${from} and ${from + SIZE}`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
