import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { notify, openDatabase } from '../../../src/store/db.ts';
import { migrate } from '../../../src/store/migrate.ts';
import type { Cluster } from '../../support/components/cluster.ts';
import { withComponents } from '../../support/components/detect.ts';
import { startPostgres } from '../../support/components/postgres.ts';
import { until } from '../../support/components/process.ts';
import { freshDatabase } from '../../support/database.ts';
import { storeForTest } from '../../support/store.ts';

/** Ends every connection of the database but the one that asks, as a failing network or server would. */
const cutConnections =
  'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';

describe('transactions', () => {
  test('keep all or nothing', async () => {
    const { db } = await storeForTest();
    const insert = 'insert into conversations (key, state, updated_at) values ($1, $2, $3)';
    await expect(
      db.tx(async (tx) => {
        await tx.query(insert, ['a', '{}', new Date()]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await db.tx(async (tx) => (await tx.query('select from conversations')).rowCount)).toBe(0);
  });

  test('a late statement that fails undoes the transaction, and its error is the caller’s', async () => {
    const { db } = await storeForTest();
    const insert = 'insert into conversations (key, state, updated_at) values ($1, $2, $3)';
    await db.tx(async (tx) => {
      expect(await tx.late.query(insert, ['a', '1', new Date()])).toEqual({ rows: [], rowCount: 0 });
    });
    const second = db.tx(async (tx) => {
      await tx.query(insert, ['b', '1', new Date()]);
      await tx.late.query(insert, ['a', '2', new Date()]);
      await tx.late.query(insert, ['c', '2', new Date()]);
    });
    await expect(second).rejects.toMatchObject({ code: '23505' });
    const { rows } = await db.query('select key, state from conversations');
    expect(rows).toEqual([{ key: 'a', state: 1 }]);
  });

  test('a failure that the caller swallowed does not pass for a commit', async () => {
    const { db } = await storeForTest();
    const insert = 'insert into conversations (key, state, updated_at) values ($1, $2, $3)';
    const silent = db.tx(async (tx) => {
      await tx.query(insert, ['a', '1', new Date()]);
      await tx.query(insert, ['a', '2', new Date()]).catch(() => {});
    });
    await expect(silent).rejects.toMatchObject({ kind: 'bug' });
    expect((await db.query('select key from conversations')).rows).toEqual([]);
  });

  test('a deadlock is tried again and both get through', async () => {
    const { db } = await storeForTest();
    await db.query(`insert into conversations (key, state, updated_at) values ('a', '0', now()), ('b', '0', now())`);
    const add = "update conversations set state = to_jsonb((state #>> '{}')::int + 1) where key = $1";
    let attempts = 0;
    let arrived = 0;
    const both: (() => void)[] = [];
    const meet = () =>
      new Promise<void>((resolve) => {
        arrived += 1;
        both.push(resolve);
        if (arrived >= 2) for (const go of both) go();
      });
    const cross = (first: string, second: string) =>
      db.tx(async (tx) => {
        attempts += 1;
        await tx.query(add, [first]);
        await meet();
        await tx.query(add, [second]);
      });
    await Promise.all([cross('a', 'b'), cross('b', 'a')]);
    // Three as a rule; four when the server takes both for the victim.
    expect(attempts).toBeGreaterThanOrEqual(3);
    expect((await db.query('select state from conversations order by key')).rows).toEqual([{ state: 2 }, { state: 2 }]);
  });

  test('a database that is away is a transient error; a wrong statement is not', async () => {
    const dead = openDatabase({ url: 'postgresql://postgres@127.0.0.1:1/none', log: silentLog });
    onTestFinished(() => dead.close());
    const down = { kind: 'transient', code: 'database-down' };
    await expect(dead.query('select 1')).rejects.toMatchObject(down);
    await expect(dead.tx(async () => 1)).rejects.toMatchObject(down);
    const { db } = await storeForTest();
    await expect(db.query('select nonsense')).rejects.toMatchObject({ code: '42703' });
  });

  test('a connection that is lost in a transaction is a transient error, and the next one works', async () => {
    const store = await storeForTest();
    const other = store.another();
    const lost = store.db.tx(async (tx) => {
      await tx.query('select 1');
      await other.query(cutConnections);
      await tx.query('select 1');
    });
    await expect(lost).rejects.toMatchObject({ kind: 'transient', code: 'database-down' });
    expect((await store.db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('big integers are numbers; one beyond 2^53 is an error, not a rounding', async () => {
    const { db } = await storeForTest();
    expect((await db.query('select -1002147483648::bigint as n')).rows).toEqual([{ n: -1002147483648 }]);
    await expect(db.query('select 9007199254740993::bigint as n')).rejects.toThrow('out of range');
  });
});

describe('notifications', () => {
  test('arrive when the transaction commits, and not when it fails', async () => {
    const { db } = await storeForTest();
    const heard: (string | undefined)[] = [];
    const unlisten = await db.listen('vakhta_cancel', (payload) => heard.push(payload));
    await db
      .tx(async (tx) => {
        await notify(tx, 'vakhta_cancel', 'rolled back');
        throw new Error('no');
      })
      .catch(() => {});
    await db.tx((tx) => notify(tx, 'vakhta_cancel', 'kept'));
    await until('heard', () => heard.length > 0);
    expect(heard).toEqual(['kept']);
    await unlisten();
    const marker: (string | undefined)[] = [];
    await db.listen('vakhta_outbox', (payload) => marker.push(payload));
    await notify(db, 'vakhta_cancel', 'nobody listens');
    await notify(db, 'vakhta_outbox', 'marker');
    await until('marker', () => marker.length > 0);
    expect(heard).toEqual(['kept']);
  });

  test('a lost connection is made anew, and the handler is called once for what it may have missed', async () => {
    const store = await storeForTest();
    const heard: (string | undefined)[] = [];
    await store.db.listen('vakhta_outbox', (payload) => heard.push(payload));
    await store.another().query(cutConnections);
    await until('called after the reconnect', () => heard.length > 0);
    expect(heard).toEqual([undefined]);
    await notify(store.db, 'vakhta_outbox', 'again');
    await until('heard again', () => heard.length > 1);
    expect(heard).toEqual([undefined, 'again']);
  });
});

describe('leadership', () => {
  test('one leads; the other takes over when it ends', async () => {
    const store = await storeForTest();
    const leading: string[] = [];
    const [first, second] = [new AbortController(), new AbortController()];
    const lead = (name: string, signal: AbortSignal, db = store.db) =>
      db.leader('poller', signal, async (mine) => {
        leading.push(name);
        await new Promise<void>((resolve) => mine.addEventListener('abort', () => resolve()));
      });
    const one = lead('one', first.signal);
    await until('one leads', () => leading.length === 1);
    const two = lead('two', second.signal, store.another());
    const elsewhere = new AbortController();
    const third = store.db.leader('other name', elsewhere.signal, async () => void leading.push('elsewhere'));
    await third;
    expect(leading).toEqual(['one', 'elsewhere']);
    first.abort();
    await one;
    await until('two leads', () => leading.includes('two'));
    second.abort();
    await two;
  });

  test('a leader that loses its connection learns it by its signal, and asks again', async () => {
    const store = await storeForTest();
    const stop = new AbortController();
    let terms = 0;
    const reasons: unknown[] = [];
    const led = store.db.leader('poller', stop.signal, async (mine) => {
      terms += 1;
      await new Promise<void>((resolve) => mine.addEventListener('abort', () => resolve()));
      reasons.push(mine.reason);
    });
    await until('leads', () => terms === 1);
    await store.another().query(cutConnections);
    await until('leads again', () => terms === 2);
    expect(reasons).toMatchObject([{ kind: 'transient', code: 'database-down' }]);
    stop.abort();
    await led;
  });

  test('an error of the work ends the leadership and is the caller’s; a candidate that is stopped just ends', async () => {
    const store = await storeForTest();
    const stop = new AbortController();
    const failing = store.db.leader('poller', stop.signal, () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    const holding = new AbortController();
    let leads = false;
    const holder = store.db.leader('poller', holding.signal, (mine) => {
      leads = true;
      return new Promise<void>((resolve) => mine.addEventListener('abort', () => resolve()));
    });
    await until('it leads', () => leads);
    let began = false;
    const candidate = store.another().leader('poller', stop.signal, async () => {
      began = true;
    });
    stop.abort();
    await candidate;
    expect(began).toBe(false);
    holding.abort();
    await holder;
  });
});

describe('migrations', () => {
  const suite = (fresh: () => Promise<string>) => {
    test('make all tables once, also when several processes start together', async () => {
      const url = await fresh();
      const rounds = await Promise.all([migrate(url, silentLog), migrate(url, silentLog), migrate(url, silentLog)]);
      const files = await readdir(new URL('../../../src/store/migrations', import.meta.url));
      expect(rounds.flat()).toEqual(files.toSorted().map((file) => file.replace('.sql', '')));
      expect(await migrate(url, silentLog)).toEqual([]);
    });

    test('a database of a newer program is refused', async () => {
      const url = await fresh();
      await migrate(url, silentLog);
      const db = openDatabase({ url, log: silentLog });
      onTestFinished(() => db.close());
      await db.query("insert into vakhta_migrations (name, run_on) values ('9999_future', now())");
      await expect(migrate(url, silentLog)).rejects.toMatchObject({
        kind: 'usage',
        code: 'database-newer',
        args: { migration: '9999_future' },
      });
    });
  };

  describe('in the embedded PostgreSQL', () => {
    suite(async () => {
      const database = await freshDatabase();
      onTestFinished(() => database.drop());
      return database.url;
    });
  });

  withComponents(['postgres'], () => {
    describe('in PostgreSQL 15', () => {
      let cluster: Cluster;
      let n = 0;
      beforeAll(async () => {
        cluster = await startPostgres();
      });
      afterAll(() => cluster.stop());
      suite(async () => {
        n += 1;
        await cluster.query(`create database fresh_${n}`);
        return cluster.urlOf(`fresh_${n}`);
      });
    });
  });

  test('a database that is away is a transient error', async () => {
    await expect(migrate('postgresql://postgres@127.0.0.1:1/none', silentLog)).rejects.toMatchObject({
      kind: 'transient',
    });
  });
});
