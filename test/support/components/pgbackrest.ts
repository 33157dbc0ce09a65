import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';
import { need } from './detect.ts';
import { temporaryFolder } from './place.ts';
import { asUser, isRoot, type Ran, run, systemUser } from './process.ts';

/** A pgBackRest repository (encrypted, zstd) with WAL archiving of one cluster into it. */
export interface PgBackRest {
  readonly stanza: string;
  readonly configFile: string;
  readonly repoFolder: string;
  readonly logFolder: string;
  readonly lockFolder: string;
  readonly cipherPass: string;
  /** What to put before pgBackRest's own arguments: user switch, program, `--config`. Holds no secret. */
  readonly argv: readonly string[];
  /** Runs `pgbackrest --stanza=… ARGS` to its end. Never throws for an exit code. */
  run(...args: string[]): Promise<Ran>;
  /** Removes the repository. The cluster is the caller's to stop, before or after. */
  stop(): Promise<void>;
}

export interface PgBackRestOptions {
  readonly stanza?: string;
  /** Further lines of `[global]`. */
  readonly global?: Readonly<Record<string, string>>;
  /** Default true. False leaves a stanza whose `info` says "missing stanza path". */
  readonly create?: boolean;
  /** PostgreSQL's `archive_timeout`, default 60 s; `0`: only what a test asks for is archived. */
  readonly archiveTimeout?: string;
}

/** Writes the configuration, switches the cluster to archive mode and creates the stanza. The cluster is restarted. */
export async function startPgBackRest(cluster: Cluster, options: PgBackRestOptions = {}): Promise<PgBackRest> {
  const program = need('pgbackrest');
  const stanza = options.stanza ?? 'main';
  const { path: folder, remove } = await temporaryFolder({ quick: true });
  const at = (name: string) => join(folder, name);
  const cipherPass = 'test-only-passphrase';
  const configFile = at('pgbackrest.conf');
  const global: Record<string, string> = {
    'repo1-path': at('repo'),
    'repo1-retention-full': '2',
    'repo1-cipher-type': 'aes-256-cbc',
    'repo1-cipher-pass': cipherPass,
    'compress-type': 'zst',
    'compress-level': '3',
    'process-max': '2',
    'start-fast': 'y',
    'log-path': at('log'),
    'lock-path': at('lock'),
    'spool-path': at('spool'),
    'log-level-console': 'info',
    'log-level-file': 'detail',
    ...options.global,
  };
  const section = {
    'pg1-path': cluster.dataFolder,
    'pg1-port': String(cluster.port),
    'pg1-socket-path': cluster.socketFolder,
    'pg1-user': cluster.user,
  };
  const lines = (entries: Record<string, string>) =>
    Object.entries(entries)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  await writeFile(configFile, `[global]\n${lines(global)}\n[${stanza}]\n${lines(section)}`);
  await chmod(configFile, 0o640);
  const owner = isRoot() ? systemUser(cluster.systemUser) : undefined;
  for (const name of ['repo', 'log', 'lock', 'spool']) {
    await mkdir(at(name), { mode: 0o750 });
    if (owner) await chown(at(name), owner.uid, owner.gid);
  }
  if (owner) await chown(configFile, owner.uid, owner.gid);

  const argv = asUser(cluster.systemUser, [program, `--config=${configFile}`]);
  const backrest: PgBackRest = {
    stanza,
    configFile,
    repoFolder: at('repo'),
    logFolder: at('log'),
    lockFolder: at('lock'),
    cipherPass,
    argv,
    run: (...args) => run([...argv, `--stanza=${stanza}`, ...args]),
    stop: remove,
  };
  try {
    await cluster.configure({
      wal_level: 'replica',
      archive_mode: 'on',
      archive_command: `${program} --config=${configFile} --stanza=${stanza} archive-push %p`,
      archive_timeout: options.archiveTimeout ?? '60',
      max_wal_senders: '3',
    });
    if (options.create ?? true) {
      const made = await backrest.run('stanza-create');
      if (made.code !== 0) throw new Error(`pgbackrest stanza-create: ${made.code}\n${made.stdout}${made.stderr}`);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return backrest;
}
