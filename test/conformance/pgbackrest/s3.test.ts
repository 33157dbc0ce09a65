/** The second repository of pgBackRest in an S3 store: the real programs, in front of the simulated store. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createPgDrill } from '../../../src/tasks/recovery/postgres-drill.ts';
import { finds } from '../../support/canaries.ts';
import { type RestoreGround, startRestoreGround } from '../../support/components/restores.ts';
import { type S3Server, startS3, withComponents } from '../../support/components/index.ts';

const KEY = { id: 'AKTESTPGBACKREST0001', secret: 'test-pgbackrest-secret-canary-3d1e' };

withComponents(['pgbackrest', 'postgres', 'openssl'], () => {
  describe('repo2 of pgBackRest in an S3 store', () => {
    let s3: S3Server;
    let ground: RestoreGround;
    const { signal } = new AbortController();

    beforeAll(async () => {
      s3 = await startS3({ keys: [KEY], pageSize: 50, tls: true });
      // As docs/recovery.md shows it; pgBackRest speaks to S3 over TLS only.
      ground = await startRestoreGround({
        'repo2-type': 's3',
        'repo2-path': '/main',
        'repo2-s3-bucket': 'backup',
        'repo2-s3-endpoint': '127.0.0.1',
        'repo2-storage-port': String(s3.port),
        'repo2-storage-verify-tls': 'n',
        'repo2-s3-uri-style': 'path',
        'repo2-s3-region': 'us-east-1',
        'repo2-s3-key': KEY.id,
        'repo2-s3-key-secret': KEY.secret,
      });
    }, 60_000);
    afterAll(async () => {
      await ground?.stop();
      await s3?.stop();
    });

    test('a backup goes there, is listed, and a drill restores from there, WAL and all', async () => {
      const { backrest, restorer, scratchDir, scratch } = ground;
      const made = await backrest.run('backup', '--type=full', '--repo=2');
      expect(made).toMatchObject({ code: 0 });
      const info = await restorer.backups.info();
      expect(info.backups.map(({ repoKey, error }) => [repoKey, error])).toEqual([[2, false]]);
      expect(s3.requests.some(({ method, path }) => method === 'PUT' && path.startsWith('/backup/main/backup/'))).toBe(
        true,
      );

      const drill = createPgDrill({
        target: 'offsite-pg:main',
        restorer,
        canary: false,
        lock: 'host-local/pg-main',
        zone: 'Europe/Moscow',
        repo: 2,
      });
      const report = await drill.run({
        runId: 'run-1',
        clock: systemClock,
        log: silentLog,
        signal,
        progress: () => undefined,
        remember: () => Promise.resolve(),
      });
      expect(report.proofs.length).toBeGreaterThan(0);
      expect(report.proofs.filter(({ ok }) => !ok)).toEqual([]);
      expect(s3.requests.some(({ method, path }) => method === 'GET' && path.includes('/main/archive/'))).toBe(true);
      expect(await readdir(scratchDir)).toEqual([]);
      expect(await scratch.open()).toEqual([]);
      expect(finds({ key: KEY.secret }, [['report', JSON.stringify([report, info])]])).toEqual([]);
      expect(s3.requests.filter(({ status }) => status === 501)).toEqual([]);
    });
  });
});
