import pg from 'pg';
import { inject } from 'vitest';
import { ask } from './broker.ts';
import { uniqueName } from './components/cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Port of 127.0.0.1 that answers the URL of the run's shared PostgreSQL, and starts it when asked for the first time. */
    databaseBroker: number;
  }
}

export interface TestDatabase {
  /** `postgresql://postgres@127.0.0.1:PORT/NAME` */
  readonly url: string;
  readonly name: string;
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>;
}

/** Makes a template once in a test run; the databases made of it start as its copy. */
export interface Template {
  /** Unique in the test suite, a plain identifier (`migrated`). */
  readonly name: string;
  /** Fills the database, and leaves no connection open. */
  readonly prepare: (url: string) => Promise<void>;
}

/** URL of the maintenance database of the shared PostgreSQL (embedded, 18); it starts at the first call in a run. */
export async function sharedPostgresUrl(): Promise<string> {
  const answer = await ask(inject('databaseBroker'));
  if (!answer.startsWith('postgresql:')) throw new Error(`the shared PostgreSQL did not start: ${answer}`);
  return answer;
}

/** An empty database of its own, or a copy of a template, in about 30 ms. Works in parallel from several workers. */
export async function freshDatabase(template?: Template): Promise<TestDatabase> {
  const maintenance = await sharedPostgresUrl();
  const source = template === undefined ? 'template0' : await ensureTemplate(maintenance, template);
  const name = uniqueName('test');
  await withClient(maintenance, (client) => client.query(`create database ${name} template ${source}`));
  return {
    url: other(maintenance, name),
    name,
    drop: () => withClient(maintenance, (client) => client.query(`drop database if exists ${name} with (force)`)),
  };
}

async function ensureTemplate(maintenance: string, template: Template): Promise<string> {
  const name = `template_${template.name}`;
  if (!/^[a-z_0-9]+$/.test(name)) throw new Error(`not a plain identifier: ${template.name}`);
  await withClient(maintenance, async (client) => {
    // Two workers may want it at once; the lock goes with this connection.
    await client.query('select pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 1) return;
    const draft = uniqueName('draft');
    await client.query(`create database ${draft} template template0`);
    await template.prepare(other(maintenance, draft));
    // Renamed when complete, so that a failure in `prepare` never leaves half a template.
    await client.query(`alter database ${draft} rename to ${name}`);
  });
  return name;
}

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function other(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
