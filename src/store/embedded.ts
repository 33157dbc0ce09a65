import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Clock, systemClock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import { createServerProcess, embeddedFailed } from './embedded-process.ts';
import { commandLine, ENVIRONMENT, type Programs, programs, type RunAs, runAs, spawnIds } from './embedded-programs.ts';
import { codeOf } from './errors.ts';

const exec = promisify(execFile);
const USER = 'vakhta';
const DATABASE = 'vakhta';
const PASSWORD_FILE = 'vakhta.password';
/** Session lock that a running Vakhta holds in its own server: it dies with its holder, so nothing is stale after SIGKILL. */
const OWNER_LOCK = 7_203_118_424;
const OWNER_MS = 3000;
const LOG_BYTES = 5_000_000;

export interface EmbeddedPostgres {
  readonly url: string;
  /** Ends the server in order; the data stays. */
  stop(): Promise<void>;
}

/**
 * PostgreSQL as a part of this program, its data in `dataDir`: made at the first start, continued later. It listens on a free
 * port of 127.0.0.1 only, with a random password. A server that outlived a killed Vakhta is taken over. Throws `usage` when
 * another Vakhta lives in the folder, or when its data belongs to another version of PostgreSQL.
 */
export async function startEmbedded(options: {
  readonly dataDir: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** For a command beside a running Vakhta: a server that runs already is used, and left running by `stop`. */
  readonly join?: boolean;
}): Promise<EmbeddedPostgres> {
  const { log, clock = systemClock } = options;
  const dataDir = resolve(options.dataDir);
  const data = join(dataDir, 'postgres');
  const logFile = join(dataDir, 'postgres.log');
  await mkdir(dataDir, { recursive: true });
  const binaries = await programs();
  const as = await runAs(binaries, dataDir);
  const server = createServerProcess({ data, log: logFile, binaries, as, clock });

  if (!(await exists(join(data, 'PG_VERSION')))) {
    log.info({ dataDir }, 'making the database of the built-in PostgreSQL');
    await initialise(dataDir, data, binaries, as);
  }
  await refuseOtherVersion(data, binaries);
  const password = await readPassword(join(data, PASSWORD_FILE));

  let port = await server.running();
  if (port !== undefined && options.join) {
    const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
    return { url, stop: async () => {} };
  }
  if (port === undefined) {
    await shorten(logFile);
    port = await freePort();
    await server.start(port);
  } else log.info({ dataDir }, 'the built-in PostgreSQL runs already');

  const urlOf = (database: string) => `postgresql://${USER}:${password}@127.0.0.1:${port}/${database}`;
  const owner = await becomeOwner(urlOf('postgres'), dataDir, clock);
  try {
    const { rowCount } = await owner.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await owner.query(`create database ${DATABASE}`);
  } catch (error) {
    await owner.end().catch(() => {});
    await server.stop();
    throw embeddedFailed(logFile, String(error));
  }
  let stopping = false;
  owner.on('end', () => {
    if (!stopping) log.error({ log: logFile }, 'the built-in PostgreSQL ended by itself: restart Vakhta');
  });
  log.info({ dataDir, port }, 'the built-in PostgreSQL runs');
  return {
    url: urlOf(DATABASE),
    async stop() {
      if (stopping) return;
      stopping = true;
      await owner.end().catch(() => {});
      await server.stop();
    },
  };
}

/** Makes a cluster beside its place and moves it there when it is whole: a crash half-way leaves nothing that looks like one. */
async function initialise(dataDir: string, data: string, binaries: Programs, as: RunAs | undefined): Promise<void> {
  const draft = join(dataDir, `postgres.new-${process.pid}`);
  const secret = `${draft}.password`;
  await rm(draft, { recursive: true, force: true });
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(secret, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (as) for (const path of [draft, secret]) await chown(path, as.uid, as.gid);
    const where = ['--pgdata', draft, '--username', USER, '--pwfile', secret, '--auth', 'scram-sha-256'];
    const language = [
      '--encoding',
      'UTF8',
      '--locale-provider',
      'builtin',
      '--locale',
      'C.UTF-8',
      '--lc-messages',
      'C',
    ];
    await exec(...commandLine(as, binaries.initdb, where.concat(language)), {
      ...spawnIds(as),
      env: ENVIRONMENT,
      cwd: '/',
    });
    await rename(secret, join(draft, PASSWORD_FILE));
    await rename(draft, data);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    await rm(secret, { force: true });
    // Two Vakhtas began at once, and the other was faster.
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') throw inUse(dataDir);
    const text = error instanceof Error ? error.message : String(error);
    throw embeddedFailed(join(dataDir, 'postgres.log'), text);
  }
}

async function refuseOtherVersion(data: string, binaries: Programs): Promise<void> {
  const found = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (found === binaries.major) return;
  throw new VakhtaError('usage', 'embedded-version', `${data} is of PostgreSQL ${found}, not ${binaries.major}`, {
    args: { dir: data, found, expected: binaries.major },
  });
}

async function readPassword(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new VakhtaError('usage', 'embedded-password', `cannot read ${path}`, { args: { path }, cause: error });
  }
}

/** A session with the owner's lock. A Vakhta that was killed just now may hold it for a moment longer. */
async function becomeOwner(url: string, dataDir: string, clock: Clock): Promise<pg.Client> {
  const giveUp = clock.now().getTime() + OWNER_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url, application_name: 'vakhta owner', keepAlive: true });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ won: boolean }>('select pg_try_advisory_lock($1::bigint) as won', [
      OWNER_LOCK,
    ]);
    if (rows[0]?.won === true) return client;
    await client.end();
    if (clock.now().getTime() >= giveUp) throw inUse(dataDir);
    await clock.sleep(100);
  }
}

/** The server's own log starts anew when it got long; nobody else rotates it. */
async function shorten(path: string): Promise<void> {
  const size = await stat(path).then(
    (is) => is.size,
    () => 0,
  );
  if (size > LOG_BYTES) await truncate(path);
}

function freePort(): Promise<number> {
  return new Promise((found, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address
          ? found(address.port)
          : reject(new Error('no port of 127.0.0.1 is free')),
      );
    });
  });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const inUse = (dir: string) =>
  new VakhtaError('usage', 'data-dir-in-use', `another Vakhta uses ${dir}`, { args: { dir } });
