import { afterAll, beforeAll, expect, it } from 'vitest';
import { isFinal } from '../../src/core/run.ts';
import { until, withComponents } from '../support/components/index.ts';
import { type DatabaseSite, openDatabaseSite } from './support/database-site.ts';
import { processesWith } from './support/steps.ts';

/** Five seconds are promised; where everything else runs beside it they may become more. */
const WITHIN_MS = 15_000;

withComponents(['postgres', 'pgbackrest', 'sshd', 'ssh-keygen'], () => {
  let site: DatabaseSite;
  beforeAll(async () => {
    // Copying takes long enough to be interrupted.
    site = await openDatabaseSite(900_000);
    await site.backup();
  });
  afterAll(() => site?.stop());

  /** Cancels by the half without credentials; how long the outside work goes on, in ms. */
  const cancel = async (id: string, goesOn: () => Promise<boolean>): Promise<number> => {
    expect(await goesOn()).toBe(true);
    const begun = Date.now();
    await site.cancel(id);
    await until('the end of the outside work', async () => !(await goesOn()), { timeoutMs: 45_000 });
    return Date.now() - begun;
  };

  /** A drill of which this moment is told: of progress a quick step may pass untold, and then the drill ends by itself. */
  const drillAt = async (moment: string): Promise<string> => {
    for (;;) {
      const id = await site.ask('drill.restore', { target: 'pg:main' });
      if ((await site.reached(id, moment)) && !isFinal((await site.run(id)).state)) return id;
      await site.ended(id);
    }
  };

  it.for(['main', 'here'])('a cancelled backup has ended outside within five seconds: %s', async (stanza) => {
    const id = await site.ask('backup.pg', { stanza, type: 'full' });
    expect(await site.reached(id, 'progress pgbackrest-step-copying')).toBe(true);
    const ms = await cancel(id, async () => (await site.atWork()).length > 0);
    expect(ms).toBeLessThan(WITHIN_MS);
    expect(await site.ended(id)).toMatchObject({ state: 'cancelled', error: { args: { by: 'anna' } } });
    expect((await site.backups()).filter(({ run }) => run === id)).toEqual([]);
    await site.expectTidy();
  });

  it.for(['progress pgbackrest-step-restoring', 'progress pg-step-replaying'])(
    'of a drill cancelled at “%s” nothing is there after five seconds',
    async (moment) => {
      const id = await drillAt(moment);
      const isThere = async () => (await site.entries()).length + (await processesWith(site.scratch)).length > 0;
      await until('the scratch folder', isThere);
      expect(await cancel(id, isThere)).toBeLessThan(WITHIN_MS);
      expect(await site.ended(id)).toMatchObject({ state: 'cancelled' });
      await site.expectTidy();
    },
  );

  it('a restore that does not heed TERM is at an end within five seconds, too', async () => {
    const id = await site.ask('drill.restore', { target: 'pg:slow' });
    const isThere = async () => (await processesWith(site.scratch)).length > 0;
    await until('the restore', isThere);
    expect(await cancel(id, isThere)).toBeLessThan(WITHIN_MS);
    expect(await site.ended(id)).toMatchObject({ state: 'cancelled' });
    await site.expectTidy();
  });

  it('a worker asked to end in the middle of a drill takes it down before it goes, and the next one says so', async () => {
    const id = await site.ask('drill.restore', { target: 'pg:slow' });
    await until('the restore', async () => (await processesWith(site.scratch)).length > 0);
    expect(await site.stopInOrder()).toBe(0);
    // Nobody is there who could tidy up after it.
    expect(await site.entries()).toEqual([]);
    await expect.poll(() => processesWith(site.scratch)).toEqual([]);
    expect(await site.rows('select from scratch_things where released_at is null')).toEqual([]);
    await site.restart();
    await site.expectDrill(id);
    expect((await site.run(id)).state).toBe('failed');
  });
});
