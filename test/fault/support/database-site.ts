import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { isFinal } from '../../../src/core/run.ts';
import type { Run } from '../../../src/store/runs.ts';
import {
  type Cluster,
  freePort,
  type PgBackRest,
  type SshServer,
  startPgBackRest,
  startPostgres,
  startSshd,
  temporaryFolder,
  until,
} from '../../support/components/index.ts';
import { isRoot, systemUser } from '../../support/components/process.ts';
import { openSite, processesWith, type Site } from './steps.ts';

/** A database with backups by pgBackRest, reached over SSH; the place of its scratch clusters beside it. */
export interface DatabaseSite extends Site {
  readonly cluster: Cluster;
  readonly backrest: PgBackRest;
  readonly scratch: string;
  /** What lies there. */
  entries(): Promise<readonly string[]>;
  /** Labels of the backups, with the run that each was made by. */
  backups(): Promise<readonly { readonly label: string; readonly run: string | undefined; readonly error: boolean }[]>;
  /** A full backup, made without a disturbance. */
  backup(): Promise<Run>;
  /** Begins a full backup, kills the worker at that moment, and sees that what is told of it is true; its state. */
  killBackupAt(moment: string): Promise<Run['state']>;
  killDrillAt(moment: string): Promise<Run['state']>;
  killRestoreAt(moment: string, keep: number): Promise<Run['state']>;
  /** That run has come to its end, and what is told of it is true; its state. */
  expectDrill(id: string): Promise<Run['state']>;
  /** Nothing temporary is left, nothing is locked, and production is as it was and archives. */
  expectTidy(): Promise<void>;
  /** Programs of pgBackRest at work for this stanza, archiving left out. */
  atWork(): Promise<readonly string[]>;
}

interface Info {
  readonly status: { readonly lock: { readonly backup: { readonly held: boolean } } };
  readonly backup: readonly {
    readonly label: string;
    readonly error: boolean;
    readonly annotation?: Readonly<Record<string, string>>;
  }[];
}

/** A restore that never comes to an end; it does not heed TERM, as a process in a system call does not. */
const SLOW = `#!/bin/sh
for word; do [ "$word" = restore ] && { trap '' TERM; while :; do sleep 1; done; }; done
exec "$@"
`;

export async function openDatabaseSite(rows = 300_000): Promise<DatabaseSite> {
  const cluster = await startPostgres({ version: 15 });
  // Enough to copy for a second or two, so that there is something to be interrupted.
  await cluster.query(`create table ballast as select md5(n::text) as a, md5((n * 7)::text) as b
    from generate_series(1, ${rows}) n`);
  const global = { 'compress-type': 'gz', 'compress-level': '6', 'process-max': '1' };
  const [backrest, sshd]: [PgBackRest, SshServer] = await Promise.all([
    startPgBackRest(cluster, { global }),
    startSshd({ sameAs: cluster.systemUser }),
  ]);
  const { path, remove } = await temporaryFolder({ quick: true });
  const scratch = `${path}/s`;
  await chmod(path, 0o755);
  await mkdir(scratch, { mode: 0o700 });
  if (isRoot()) {
    const { uid, gid } = systemUser(cluster.systemUser);
    await chown(scratch, uid, gid);
  }
  const scratchPort = await freePort();
  const slow = `${path}/slow`;
  await writeFile(slow, SLOW, { mode: 0o755 });
  const binary = backrest.argv.slice(backrest.argv.findIndex((word) => word.endsWith('pgbackrest')));
  const onHost = {
    stanza: backrest.stanza,
    host: 'db1',
    cluster: {
      bin_dir: cluster.bin,
      data_dir: cluster.dataFolder,
      socket_dir: cluster.socketFolder,
      port: cluster.port,
      canary: true,
    },
    scratch: { dir: scratch, port_from: scratchPort, port_to: scratchPort, free_percent: 0 },
  };
  const site = await openSite({
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
        { id: 'main', ...onHost, binary },
        { id: 'slow', ...onHost, binary: [slow, ...binary] },
        { id: 'here', stanza: backrest.stanza, binary: backrest.argv },
      ],
    },
  });

  const info = async (): Promise<Info> => {
    const { stdout } = await backrest.run('--output=json', 'info');
    const [stanza] = JSON.parse(stdout) as [Info];
    return stanza;
  };
  const identity = async () => {
    const [row] = await cluster.query(
      `select (select timeline_id from pg_control_checkpoint()) as timeline, pg_is_in_recovery() as recovering,
         (select system_identifier::text from pg_control_system()) as system, count(*)::int as rows from ballast`,
    );
    return row;
  };
  const before = await identity();

  const backups: DatabaseSite['backups'] = async () =>
    (await info()).backup.map(({ label, error, annotation }) => ({ label, error, run: annotation?.['vakhta-run'] }));

  const expectTidy = async (): Promise<void> => {
    expect(await readdir(scratch)).toEqual([]);
    expect(await processesWith(scratch)).toEqual([]);
    expect((await info()).status.lock.backup.held).toBe(false);
    expect(await identity()).toEqual(before);
    expect(await site.rows('select key from run_locks')).toEqual([]);
    const archived = await backrest.run('check');
    expect([archived.code, archived.stderr]).toEqual([0, '']);
  };

  const expectDrill: DatabaseSite['expectDrill'] = async (id) => {
    const state = await site.drilled(id);
    await expectTidy();
    return state;
  };

  /** Killed at that moment; whether the run had come to its end before the signal arrived. */
  const killAt = async (id: string, moment: string): Promise<boolean> => {
    // Progress is told once a second at most, so that a quick step may pass untold: then the run has ended, and shows it.
    const isReached = await site.reached(id, moment);
    expect([moment, isReached || moment.startsWith('progress ')]).toEqual([moment, true]);
    await site.kill();
    const isOver = isFinal((await site.run(id)).state);
    await site.restart();
    return isOver;
  };

  return {
    ...site,
    expectTidy,
    expectDrill,
    backups,
    killBackupAt: async (moment) => {
      const id = await site.ask('backup.pg', { stanza: 'main', type: 'full' });
      await killAt(id, moment);
      const { state } = await site.ended(id);
      const made = (await backups()).filter(({ run }) => run === id).length;
      // Never green without a backup, never red with one.
      expect([state, made]).toEqual(made === 1 ? ['succeeded', 1] : ['failed', 0]);
      await expectTidy();
      return state;
    },
    killDrillAt: async (moment) => {
      const id = await site.ask('drill.restore', { target: 'pg:main' });
      await killAt(id, moment);
      return expectDrill(id);
    },
    killRestoreAt: async (moment, keep) => {
      const id = await site.ask('restore.pg', { stanza: 'main', at: 'latest', keep });
      const wasOver = await killAt(id, moment);
      await until('the end of the restore', async () => isFinal((await site.run(id)).state));
      const { state } = await site.run(id);
      // Nobody saw that it was well; or the signal came too late, and it had been seen.
      if (keep > 0) expect(state).toBe(wasOver ? 'succeeded' : 'failed');
      const kept = `select from scratch_things where run_id = $1 and released_at is null and what ? 'until'`;
      if ((await site.rows(kept, [id])).length > 0) {
        // It was to stay, and what is told of it is true: it is there, and can be ended.
        expect((await readdir(scratch)).length).toBe(1);
        expect(await site.ended(await site.ask('restore.end', { stanza: 'main' }))).toMatchObject({
          state: 'succeeded',
        });
      }
      await site.ended(id);
      await expectTidy();
      return state;
    },
    backup: async () => site.ended(await site.ask('backup.pg', { stanza: 'main', type: 'full' })),
    cluster,
    backrest,
    scratch,
    entries: () => readdir(scratch),
    atWork: async () =>
      (await processesWith(backrest.configFile)).filter((command) => !command.includes('archive-push')),
    stop: async () => {
      await site.stop();
      await sshd.stop();
      await cluster.stop();
      await backrest.stop();
      await remove();
    },
  };
}
