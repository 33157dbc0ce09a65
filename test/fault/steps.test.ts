import { afterAll, beforeAll, expect, it } from 'vitest';
import { withComponents } from '../support/components/index.ts';
import { type DatabaseSite, openDatabaseSite } from './support/database-site.ts';

withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let site: DatabaseSite;
  beforeAll(async () => {
    site = await openDatabaseSite();
  });
  afterAll(() => site?.stop());

  it.for(['state running', 'handle startedAt', /^progress pgbackrest/u])(
    'a backup whose worker is killed at “%s” is told as what it came to',
    async (moment) => {
      const id = await site.ask('backup.pg', { stanza: 'main', type: 'full' });
      expect(await site.reached(id, moment)).toBe(true);
      await site.kill();
      await site.restart();
      const run = await site.ended(id);
      const made = (await site.backups()).filter((backup) => backup.run === id);
      // Never green without a backup, never red with one.
      expect([run.state, made.length]).toEqual(made.length === 1 ? ['succeeded', 1] : ['failed', 0]);
      await site.expectTidy();
    },
  );
});
