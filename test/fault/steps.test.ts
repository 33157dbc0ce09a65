import { afterAll, beforeAll, expect, it } from 'vitest';
import { withComponents } from '../support/components/index.ts';
import { type DatabaseSite, openDatabaseSite } from './support/database-site.ts';

// All moments are visited by `npm run test:faults`; here are those after which there is something to be cleared away.
withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let site: DatabaseSite;
  beforeAll(async () => {
    site = await openDatabaseSite();
    const first = await site.ask('backup.pg', { stanza: 'main', type: 'full' });
    expect((await site.ended(first)).state).toBe('succeeded');
  });
  afterAll(() => site?.stop());

  it.for(['handle startedAt'])('a backup whose worker is killed at “%s” is told as what it came to', (moment) =>
    site.killBackupAt(moment),
  );

  it.for(['made pg-cluster', 'progress pgbackrest-step-restoring', 'progress pg-step-replaying', 'gone pg-cluster'])(
    'a drill whose worker is killed at “%s” leaves nothing behind, and production as it was',
    (moment) => site.killDrillAt(moment),
  );
});
