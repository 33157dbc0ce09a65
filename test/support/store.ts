import { onTestFinished } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { type Database, openDatabase } from '../../src/store/db.ts';
import { migrate } from '../../src/store/migrate.ts';
import { freshDatabase, type TestDatabase } from './database.ts';

/** A database with all tables, and the program's view of it. */
export interface StoreDatabase extends TestDatabase {
  readonly db: Database;
  /** Another process on the same database. Closed with the first. */
  another(max?: number): Database;
}

/** A fresh database with all tables, for whoever closes it: `close()` ends the connections and drops it. */
export async function openStore(max?: number): Promise<StoreDatabase & { close(): Promise<void> }> {
  const fresh = await freshDatabase({ name: 'migrated', prepare: async (url) => void (await migrate(url, silentLog)) });
  const open = (most = max) =>
    openDatabase({ url: fresh.url, log: silentLog, ...(most === undefined ? {} : { max: most }) });
  const opened = [open()];
  const [db] = opened as [Database];
  return {
    ...fresh,
    db,
    another: (most) => {
      const one = open(most);
      opened.push(one);
      return one;
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await fresh.drop();
    },
  };
}

/** A fresh database with all tables for one test; dropped at its end. */
export async function storeForTest(max?: number): Promise<StoreDatabase> {
  const store = await openStore(max);
  onTestFinished(() => store.close());
  return store;
}
