import { describe, expect, it } from 'vitest';
import { days, hours, minutes } from '../../src/core/clock.ts';
import { SOURCE_LIMIT_MS } from '../../src/tasks/recovery/board.ts';
import { createBoardWatch } from '../../src/tasks/recovery/watch.ts';
import backups from '../../src/tasks/operations/backups.ts';
import { as, gate } from './support/life.ts';
import { backupState, goodReport, openRecovery } from './support/recovery.ts';
import { shownRun } from './support/shown.ts';

const PG = { name: 'postgres main', targets: ['pg:main'] };
const FILES = { name: 'restic files', targets: ['volume:etc', 'volume:wiki'] };
const NONE = new AbortController().signal;

async function open(sources: readonly { readonly name: string; readonly targets: readonly string[] }[] = [PG, FILES]) {
  const opened = await openRecovery([backups], { sources });
  const { life, recovery } = opened;
  const ask = async (args: Record<string, unknown> = {}) => {
    const { id } = await life.requests.request(as('vera'), 'backups', args);
    await life.deliver();
    const run = await life.run(id);
    return { run, ...(await shownRun(run, life, [backups], life.clock.now())) };
  };
  const drilled = async (id: string, target: string) => {
    await recovery.begin(id, target, as('anna'));
    await recovery.ended(id, goodReport());
  };
  return { ...opened, clock: life.clock, ask, drilled };
}

describe('/backups', () => {
  it('says what is missing when nothing is configured', async () => {
    const { ask } = await open([]);
    expect((await ask()).en.text).toContain('No backups are configured yet');
  });

  it('shows the worst first, each in icon and word, and what was never restored', async () => {
    const { ask, fake, clock, drilled } = await open();
    await drilled('0199b1a0-0000-7000-8000-000000000001', 'pg:main');
    await clock.advance(days(2));
    const at = new Date(clock.now().getTime() - hours(3));
    fake.states = (name) =>
      Promise.resolve(
        name === PG.name
          ? [backupState('pg:main', { newestAt: at, sizeBytes: 1_200_000_000 })]
          : [backupState('volume:etc', { state: 'down', line: { key: 'life-lost' } }), backupState('volume:wiki')],
      );
    const { run, en } = await ask();
    expect(run.state).toBe('warning');
    const [head] = en.text.split('\n');
    expect(head).toContain('Backups · 1 bad of 3');
    expect(en.text).toContain('1 target was never restored');
    expect(en.text).toContain('🔴 etc · no backup · never restored — the work is not there');
    expect(en.text).toContain('🟢 main · 3 h old · 1.2 GB · restored 2 d ago');
    expect(en.text.indexOf('🔴')).toBeLessThan(en.text.indexOf('🟢 main'));
  });

  it('a source that is silent makes its targets unknown with the last known age, and holds up nobody', async () => {
    const { ask, fake, clock, life } = await open();
    const newestAt = clock.now();
    fake.states = (name) =>
      Promise.resolve(
        name === PG.name ? [backupState('pg:main', { newestAt })] : FILES.targets.map((one) => backupState(one)),
      );
    await ask();
    await clock.advance(hours(5));
    const meet = gate();
    fake.states = async (name) => {
      if (name !== PG.name) return FILES.targets.map((one) => backupState(one));
      await meet.pass();
      return [];
    };
    const { id } = await life.requests.request(as('vera'), 'backups', {});
    const delivered = life.deliver();
    await meet.reached;
    await clock.advance(SOURCE_LIMIT_MS);
    await delivered;
    const { en } = await shownRun(await life.run(id), life, [backups], clock.now());
    expect(en.text).toContain('1 unknown of 3');
    expect(en.text).toContain('postgres main does not answer');
    expect(en.text).toContain('❔ main · 5 h');
    expect(en.text).toContain('🟢 etc');
  });

  it('turns pages when there are many, the worst on the first', async () => {
    const targets = Array.from({ length: 40 }, (_, n) => `guest:vm${String(n).padStart(2, '0')}`);
    const { ask, fake } = await open([{ name: 'proxmox pve1', targets }]);
    fake.states = () =>
      Promise.resolve(targets.map((one) => backupState(one, one.endsWith('39') ? { state: 'warn' } : {})));
    const { en } = await ask();
    expect(en.text.match(/vm\d\d/gu)?.length).toBe(15);
    expect(en.text.match(/vm\d\d/u)?.[0]).toBe('vm39');
    expect(en.text).toContain('1 of 3');
  });

  it('shows one target with what can be done about it, asking its source only', async () => {
    const { ask, fake, clock } = await open();
    await ask();
    const asked: string[] = [];
    const at = new Date(clock.now().getTime() - minutes(90));
    fake.states = (name) => {
      asked.push(name);
      return Promise.resolve([
        backupState('pg:main', {
          newestAt: at,
          rpoMs: minutes(90),
          count: 7,
          sizeBytes: 1e9,
          storedBytes: 3e9,
          window: { from: new Date(at.getTime() - days(7)), to: at },
          notes: [{ key: 'life-busy' }],
          backups: [{ label: '20261123-F', kind: 'full', at, sizeBytes: 1e9 }],
        }),
      ]);
    };
    const { en } = await ask({ target: 'pg:main' });
    expect(asked).toEqual([PG.name]);
    expect(en.text).toContain('PostgreSQL main · in order');
    expect(en.text).toContain('Would be lost now: ✘ 1 h 30 min · goal 1 h');
    expect(en.text).toContain('1.0 GB, all 7 stored: 3.0 GB');
    expect(en.text).toContain('still busy');
    expect(en.text).toContain('20261123-F full');
    expect(en.keyboard.flat().map((one) => ('label' in one ? one.label : ''))).toEqual(
      expect.arrayContaining(['💾 Back up now', '🧯 Try a restore', '⏪ Restore…']),
    );
    expect((await ask({ target: 'pg:other' })).en.text).toContain('Nothing is known of pg:other');
  });

  it('damage that a check has found makes a target bad, however new its backup is', async () => {
    const { ask, recovery, clock } = await open();
    const check = { target: 'pg:main', at: clock.now(), lines: [], readBytes: undefined, ofBytes: undefined };
    await recovery.checked({ ...check, kind: 'verify', state: 'failed' });
    const { en } = await ask();
    expect(en.text).toContain('1 bad of 3');
    expect(en.text).toContain('✘ damaged');
  });
});

describe('the board', () => {
  it('is looked at every ten minutes, and after a run that changes backups', async () => {
    const { recovery, life, clock, fake } = await open();
    let looks = 0;
    fake.states = () => {
      looks += 1;
      return Promise.resolve([]);
    };
    const { round } = createBoardWatch({ db: life.db, clock, recovery });
    await round(NONE);
    await clock.advance(minutes(5));
    await round(NONE);
    expect(looks).toBe(2);
    await clock.advance(minutes(5));
    await round(NONE);
    expect(looks).toBe(4);
    // What a source does not speak of is not good, it is unknown.
    expect((await recovery.lastBoard())?.states.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown']);
    const { id } = await life.requests.request(as('vera'), 'backups', {});
    await life.deliver();
    await clock.advance(minutes(1));
    await life.db.query(`update runs set operation = 'backup.pg', finished_at = $2 where id = $1`, [id, clock.now()]);
    looks = 0;
    await round(NONE);
    expect(looks).toBe(2);
  });
});
