import { afterAll, beforeAll, expect, it } from 'vitest';
import { withComponents } from '../support/components/index.ts';
import { type DatabaseSite, openDatabaseSite } from './support/database-site.ts';

// All moments are visited by `npm run test:faults`; here are those after which there is something to be cleared away.
withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let site: DatabaseSite;
  beforeAll(async () => {
    site = await openDatabaseSite(60_000);
    await site.backup();
  });
  afterAll(() => site?.stop());

  it.for(['handle startedAt'])('a backup whose worker is killed at “%s” is told as what it came to', async (moment) => {
    expect(await site.killBackupAt(moment)).toMatch(/^(?:succeeded|failed)$/u);
  });

  it.for(['progress pgbackrest-step-restoring'])(
    'a drill whose worker is killed at “%s” leaves nothing behind, and production as it was',
    async (moment) => {
      expect(await site.killDrillAt(moment)).toMatch(/^(?:failed|succeeded)$/u);
    },
  );

  it('a restore whose worker is killed when its copy is to stay says where the copy is, and it can be ended', async () => {
    expect(await site.killRestoreAt('gone pg-cluster', 1)).toMatch(/^(?:failed|succeeded)$/u);
  });
});
