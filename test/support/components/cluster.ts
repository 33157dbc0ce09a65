import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, chown, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, temporaryFolder } from './place.ts';
import { isRoot, launch, type Launched, must, systemUser, until } from './process.ts';

/** A PostgreSQL cluster of our own with trust authentication on 127.0.0.1 and on its socket. */
export interface Cluster {
  /** `postgresql://postgres@127.0.0.1:PORT/postgres` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly dataFolder: string;
  readonly socketFolder: string;
  /** Folder of initdb, postgres and, for the distribution's version, psql and pg_dump. */
  readonly bin: string;
  /** The system user that the cluster runs as. */
  readonly systemUser: string;
  /** A URL of another database of this cluster. */
  urlOf(database: string): string;
  /** Runs SQL in a database (default `postgres`) and gives the rows. */
  query(sql: string, values?: readonly unknown[], database?: string): Promise<Record<string, unknown>[]>;
  /** `ALTER SYSTEM SET …`, then a restart. */
  configure(settings: Readonly<Record<string, string>>): Promise<void>;
  restart(): Promise<void>;
  /** Ends it at once, as a crash would (`immediate`), or after rolling back what runs (`fast`); the data stays. */
  halt(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again after `halt`, on the same port. */
  resume(): Promise<void>;
  log(): string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly bin: string;
  /** Lines for postgresql.conf; values are quoted here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** fsync stays on for tests about durability. */
  readonly durable?: boolean;
}

/** PostgreSQL refuses root; `nobody` stands in where no package has made the user postgres. */
function serverUser(): string {
  if (!isRoot()) return userInfo().username;
  return /^postgres:/m.test(readFileSync('/etc/passwd', 'utf8')) ? 'postgres' : 'nobody';
}

/** initdb, start, wait until it answers a query. About one second. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { path: folder, remove } = await temporaryFolder({ quick: true });
  const dataFolder = join(folder, 'data');
  const socketFolder = join(folder, 's');
  const user = serverUser();
  await mkdir(dataFolder, { mode: 0o700 });
  await mkdir(socketFolder);
  if (isRoot()) {
    const { uid, gid } = systemUser(user);
    await chown(dataFolder, uid, gid);
    await chown(socketFolder, uid, gid);
  }
  const port = await freePort();
  await must(
    [
      join(options.bin, 'initdb'),
      `--pgdata=${dataFolder}`,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
      ...(options.durable ? ['--data-checksums'] : []),
    ],
    { user },
  );
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: socketFolder,
    max_connections: '200',
    shared_buffers: '64MB',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  await appendFile(
    join(dataFolder, 'postgresql.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
      .join(''),
  );
  const urlOf = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;

  const query: Cluster['query'] = async (sql, values = [], database = 'postgres') => {
    const client = new pg.Client({ connectionString: urlOf(database) });
    await client.connect();
    try {
      const { rows } = await client.query<Record<string, unknown>>(sql, [...values]);
      return rows;
    } finally {
      await client.end();
    }
  };
  const answers = async () => {
    try {
      await query('select 1');
      return true;
    } catch {
      return false;
    }
  };

  let server: Launched;
  const resume = async () => {
    server = launch('postgres', [join(options.bin, 'postgres'), '-D', dataFolder], { user, orphanSignal: 'INT' });
    await until('PostgreSQL', answers, { process: server, timeoutMs: 60_000 });
  };
  const halt = (mode: 'fast' | 'immediate' = 'fast') => server.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  const restart = async () => {
    await halt();
    await resume();
  };
  try {
    await resume();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: urlOf('postgres'),
    host: '127.0.0.1',
    port,
    user: 'postgres',
    dataFolder,
    socketFolder,
    bin: options.bin,
    systemUser: user,
    urlOf,
    query,
    async configure(wanted) {
      for (const [name, value] of Object.entries(wanted)) {
        await query(`alter system set ${pg.escapeIdentifier(name)} = ${pg.escapeLiteral(value)}`);
      }
      await restart();
    },
    restart,
    halt,
    resume,
    log: () => server.log(),
    async stop() {
      // Nobody looks at the data again.
      await halt('immediate');
      await remove();
    },
  };
}

/** Unique within the test run: names of databases, stanzas, users. */
export const uniqueName = (prefix: string): string => `${prefix}_${randomBytes(5).toString('hex')}`;
