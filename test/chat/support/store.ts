import type { StoreDatabase } from '../../support/store.ts';

/** Everything that was kept of what people wrote. */
export const inboxIn = async ({ db }: StoreDatabase): Promise<readonly unknown[]> =>
  (await db.query('select payload from inbox order by seq')).rows;

export const conversationsIn = async ({ db }: StoreDatabase): Promise<readonly unknown[]> =>
  (await db.query(`select key, state from conversations where key like '%:%'`)).rows;
