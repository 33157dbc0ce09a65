import { afterAll, beforeAll, expect, it } from 'vitest';
import { withComponents } from '../../support/components/index.ts';
import { type DatabaseSite, openDatabaseSite } from '../support/database-site.ts';

withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let site: DatabaseSite;
  beforeAll(async () => {
    site = await openDatabaseSite();
  });
  afterAll(() => site?.stop());

  /** What a run that nothing happens to tells, its end left out. */
  const moments = async (operation: string, args: Record<string, unknown>): Promise<readonly string[]> => {
    const id = await site.ask(operation, args);
    expect((await site.ended(id)).state).toBe('succeeded');
    return (await site.moments(id)).filter((moment) => moment !== 'state succeeded');
  };

  it('a backup whose worker is killed at any of its steps is told as what it came to', async () => {
    const all = await moments('backup.pg', { stanza: 'main', type: 'full' });
    expect(all.length).toBeGreaterThanOrEqual(5);
    for (const moment of all) expect(await site.killBackupAt(moment)).toMatch(/^(?:succeeded|failed)$/u);
  });

  it('a drill whose worker is killed at any of its steps leaves nothing behind, and production as it was', async () => {
    const all = await moments('drill.restore', { target: 'pg:main' });
    expect(all).toContain('made pg-cluster');
    for (const moment of all) expect(await site.killDrillAt(moment)).toMatch(/^(?:succeeded|failed)$/u);
  });

  it('a restore whose worker is killed at any of its steps leaves nothing behind, and production as it was', async () => {
    const all = await moments('restore.pg', { stanza: 'main', at: 'latest' });
    expect(all).toContain('made pg-cluster');
    for (const moment of all) expect(await site.killRestoreAt(moment, 0)).toMatch(/^(?:succeeded|failed)$/u);
  });

  it('a drill whose worker is killed at any time leaves nothing behind, and production as it was', async () => {
    for (let ms = 250; ms <= 8000; ms += 775) {
      const id = await site.ask('drill.restore', { target: 'pg:main' });
      await new Promise((resolve) => setTimeout(resolve, ms));
      await site.kill();
      await site.restart();
      expect(await site.expectDrill(id)).toMatch(/^(?:succeeded|failed)$/u);
    }
  });
});
