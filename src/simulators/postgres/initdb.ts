import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './cluster.ts';

/** `initdb --pgdata=folder`: a few files of the right names and sizes, for a backup that is to be damaged; the exit code. */
export function initdb(argv: readonly string[], world: World): number {
  const folder = argv.find((word) => word.startsWith('--pgdata='))?.slice('--pgdata='.length) ?? '';
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) {
    world.err(`initdb: error: directory "${folder}" exists but is not empty\n`);
    return 1;
  }
  for (const path of ['base/1', 'base/4', 'base/5', 'global']) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, 'PG_VERSION'), '15\n');
  writeFileSync(join(folder, 'global/pg_control'), Buffer.alloc(8192));
  for (let n = 0; n < 12; n++) {
    const page = Buffer.alloc(8192 * (1 + (n % 3)), n);
    writeFileSync(join(folder, 'base', String([1, 4, 5][n % 3]), String(1247 + n)), page);
  }
  world.out('Success. You can now start the database server.\n');
  return 0;
}
