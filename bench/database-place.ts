import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../test/support/components/cluster.ts';
import { find } from '../test/support/components/detect.ts';
import { type PgBackRest, startPgBackRest } from '../test/support/components/pgbackrest.ts';
import { temporaryFolder } from '../test/support/components/place.ts';
import { startPostgres } from '../test/support/components/postgres.ts';
import { asUser, isRoot, must, systemUser } from '../test/support/components/process.ts';
import { startSshd } from '../test/support/components/sshd.ts';
import { systemClock } from '../src/core/clock.ts';
import { freePort } from './place.ts';

/** A database of about a gigabyte with pgBackRest, as an installation reaches it: over SSH. */
export interface DatabasePlace {
  readonly cluster: Cluster;
  readonly backrest: PgBackRest;
  /** Sections of Vakhta's configuration. */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly megabytes: number;
  /** `pgbackrest restore` into an empty folder, start, until it has left recovery; milliseconds. */
  bareRestore(): Promise<number>;
  /** `pgbackrest backup`, full; milliseconds of its process. */
  bareBackup(): Promise<number>;
  /** Milliseconds of the process of the last `pgbackrest backup`, whoever began it. */
  lastBackupMs(): Promise<number>;
  close(): Promise<void>;
}

/** About 15 MB each. */
const SCALE = Number(process.env['BENCH_SCALE'] ?? 68);

/** Notes when the process of a backup began and ended; the same for both sides. */
const TIMED = `#!/bin/sh
times=$1; shift
for word; do [ "$word" = backup ] && backup=1; done
[ "$backup" ] || exec "$@"
from=$(date +%s%N)
"$@"; code=$?
echo "$from $(date +%s%N)" >> "$times"
exit $code
`;

/** undefined: what it needs is not installed. */
export async function openDatabasePlace(report: (progress: string) => void): Promise<DatabasePlace | undefined> {
  if (!find('postgres') || !find('pgbackrest') || !find('sshd')) return undefined;
  report('a database is made');
  const cluster = await startPostgres({ version: 15, settings: { max_wal_size: '4GB', shared_buffers: '256MB' } });
  const as = (...words: string[]): string[] => asUser(cluster.systemUser, words);
  const connection = ['-h', cluster.socketFolder, '-p', String(cluster.port), '-U', cluster.user];
  await must(as(join(cluster.bin, 'pgbench'), ...connection, '-q', '-i', '-s', String(SCALE), 'postgres'));
  const backrest = await startPgBackRest(cluster);
  const sshd = await startSshd({ sameAs: cluster.systemUser });
  const temporary = await temporaryFolder();
  const { path } = temporary;
  await chmod(path, 0o755);
  const [scratch, bare, timed, times] = [join(path, 's'), join(path, 'b'), join(path, 'timed'), join(path, 'times')];
  await writeFile(timed, TIMED, { mode: 0o755 });
  await writeFile(times, '');
  for (const folder of [scratch, bare]) await mkdir(folder, { mode: 0o700 });
  if (isRoot()) {
    const { uid, gid } = systemUser(cluster.systemUser);
    for (const own of [scratch, bare, times]) await chown(own, uid, gid);
  }
  const program = backrest.argv.slice(backrest.argv.findIndex((word) => word.endsWith('pgbackrest')));
  const [scratchPort, barePort] = [await freePort(), await freePort()];
  const [size] = await cluster.query('select pg_database_size(current_database())::float8 as bytes');

  const lastBackupMs = async (): Promise<number> => {
    const last = (await readFile(times, 'utf8')).trim().split('\n').at(-1) ?? '';
    const [from = Number.NaN, to = Number.NaN] = last.split(' ').map((ns) => Number(ns) / 1e6);
    return to - from;
  };

  return {
    cluster,
    backrest,
    megabytes: Number(size?.['bytes']) / 1e6,
    sections: {
      hosts: [
        {
          id: 'db1',
          address: sshd.host,
          port: sshd.port,
          user: sshd.user,
          private_key: `file:${sshd.privateKeyFile}`,
          host_key: sshd.hostKeyFingerprint,
        },
      ],
      postgres: [
        {
          id: 'main',
          stanza: backrest.stanza,
          host: 'db1',
          binary: [timed, times, ...program],
          cluster: {
            bin_dir: cluster.bin,
            data_dir: cluster.dataFolder,
            socket_dir: cluster.socketFolder,
            port: cluster.port,
            canary: true,
          },
          scratch: { dir: scratch, port_from: scratchPort, port_to: scratchPort, free_percent: 0 },
        },
      ],
    },
    lastBackupMs,
    bareBackup: async () => {
      await must(as(timed, times, ...program, `--stanza=${backrest.stanza}`, '--type=full', 'backup'));
      return lastBackupMs();
    },
    bareRestore: async () => {
      const data = join(bare, 'data');
      await must(as('mkdir', '-m', '700', data));
      const ctl = (...words: string[]): string[] => as(join(cluster.bin, 'pg_ctl'), '-D', data, '-s', ...words);
      const from = performance.now();
      await must(as(...program, `--stanza=${backrest.stanza}`, `--pg1-path=${data}`, '--archive-mode=off', 'restore'));
      const settings = `-p ${barePort} -k ${bare} -c listen_addresses= -c archive_mode=off`;
      await must(ctl('-W', '-l', join(bare, 'log'), '-o', settings, 'start'));
      const sql = 'select pg_is_in_recovery()';
      const psql = as(join(cluster.bin, 'psql'), '-h', bare, '-p', String(barePort), '-U', cluster.user, '-Atc', sql);
      for (;;) {
        const answer = await must([...psql, 'postgres']).catch(() => '');
        if (answer.trim() === 'f') break;
        if (performance.now() - from > 600_000) throw new Error('the restored database does not open');
        await systemClock.sleep(20);
      }
      const ms = performance.now() - from;
      await must(ctl('-m', 'immediate', 'stop'));
      await rm(data, { recursive: true });
      return ms;
    },
    close: async () => {
      await sshd.stop();
      await cluster.stop();
      await backrest.stop();
      await temporary.remove();
    },
  };
}
