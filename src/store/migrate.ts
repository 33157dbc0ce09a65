import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { z } from 'zod';
import { VakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import { connectionConfig } from './db.ts';
import { asStoreError } from './errors.ts';

const DIR = fileURLToPath(new URL('./migrations', import.meta.url));
const TABLE = 'vakhta_migrations';
/** Any constant: processes that start together take turns. */
const LOCK = 7_203_118_423;

/**
 * Brings the database up to date; answers the names of the changes that were made. Forward only: a database that knows a
 * change which this program does not is refused (`usage`), since an old program could harm it.
 */
export async function migrate(database: string | pg.ClientConfig, log: Log): Promise<readonly string[]> {
  const client = new pg.Client(connectionConfig(database));
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select pg_advisory_lock($1::bigint)', [LOCK]);
    await refuseNewer(client);
    const done = await runner({
      dbClient: client,
      dir: DIR,
      direction: 'up',
      migrationsTable: TABLE,
      singleTransaction: true,
      noLock: true,
      logger: {
        debug: (message) => log.debug({}, message),
        info: (message) => log.debug({}, message),
        warn: (message) => log.warn({}, message),
        error: (message) => log.error({}, message),
      },
    });
    for (const { name } of done) log.info({ migration: name }, 'database changed');
    return done.map(({ name }) => name);
  } catch (error) {
    const known = asStoreError(error);
    if (known instanceof VakhtaError) throw known;
    const reason = error instanceof Error ? error.message : String(error);
    throw new VakhtaError('permanent', 'migration-failed', `migration failed: ${reason}`, {
      args: { reason },
      cause: error,
    });
  } finally {
    await client.end().catch(() => {});
  }
}

async function refuseNewer(client: pg.Client): Promise<void> {
  const { rows } = await client.query('select to_regclass($1) is not null as exists', [TABLE]);
  if (!z.tuple([z.object({ exists: z.boolean() })]).parse(rows)[0].exists) return;
  const known = new Set((await readdir(DIR)).map((file) => file.replace(/\.sql$/, '')));
  const applied = await client.query(`select name from ${TABLE} order by id`);
  for (const { name } of z.array(z.object({ name: z.string() })).parse(applied.rows)) {
    if (known.has(name)) continue;
    throw new VakhtaError('usage', 'database-newer', `the database knows migration ${name}, this program does not`, {
      args: { migration: name },
    });
  }
}
