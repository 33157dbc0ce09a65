import { describe, expect, it } from 'vitest';
import { type Clock, hours } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createMetrics } from '../../src/app/metrics.ts';
import { backupSnapshot } from '../../src/app/metrics-backups.ts';
import { DatastoreAudit, DatastoreReader, RemoteAudit, type SimToken } from '../../src/simulators/pbs/access.ts';
import { createPbs } from '../../src/integrations/pbs/pbs.ts';
import { createPbsSimulator } from '../../src/simulators/pbs/simulator.ts';
import { smallServer } from '../../src/simulators/pbs/state.ts';
import verify from '../../src/tasks/operations/verify.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import { createRecoveryDesk } from '../../src/tasks/recovery/desk.ts';
import { createPbsLook, pbsParts } from '../../src/tasks/recovery/pbs.ts';
import { createScratchDesk } from '../../src/tasks/scratch/desk.ts';
import { several } from '../../src/tasks/several.ts';
import { directly, settingsFor, TOKEN } from '../conformance/pbs/subject.ts';
import { createFastClock } from '../conformance/proxmox/fast-clock.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shownRun } from './support/shown.ts';

const NONE = new AbortController().signal;
const READER = [
  { path: '/datastore', privileges: DatastoreReader },
  { path: '/remote', privileges: RemoteAudit },
];

/** The life cycle over a simulated backup server. */
async function open(acl: SimToken['acl'] = READER) {
  const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
  const life = await openLife({ operations: [verify], ports });
  const { db, clock } = life;
  const token = { ...TOKEN, acl };
  // Its time goes by itself, a hundred times as fast: the database between the steps takes real time.
  const fast = createFastClock(100);
  const [begin, from] = [clock.now().getTime(), fast.now().getTime()];
  const time: Clock = { ...fast, now: () => new Date(begin + fast.now().getTime() - from) };
  // As old as the clock that stands still says: on the fast one a moment of delay is seconds.
  const server = smallServer(clock.now());
  const simulator = createPbsSimulator({ clock: time, random: systemRandom, tokens: [token], server });
  const pbs = createPbs(settingsFor('https://pbs1.lan:8007', token, { timeoutMs: 1_000_000 }), {
    clock: time,
    log: silentLog,
    transport: directly(simulator),
  });
  const config = configWith({
    pbs: [
      {
        id: 'pbs1',
        url: 'https://pbs1.lan:8007',
        token_id: TOKEN.id,
        token: 'env:PBS',
        datastores: [{ name: 'main' }, { name: 'offsite', offsite: true }],
      },
    ],
    restore_drills: [{ target: 'guest:gitlab', at: '04:00' }],
  });
  const servers = several([['pbs1', pbs]]);
  const look = createPbsLook(config.pbs, servers, { clock });
  const parts = { drillables: [], ...pbsParts(config.pbs, { clock, pbs: servers, look }) };
  const recovery = createRecoveryDesk({ db, clock, log: silentLog, config, parts });
  ports.recovery = recovery;
  ports.scratch = createScratchDesk({ db, clock });
  const check = async (target?: string) => {
    const { id } = await life.requests.request(as('anna'), 'verify', target === undefined ? {} : { target });
    await life.deliver();
    const run = await life.run(id);
    const { en, ru } = await shownRun(run, life, [verify], clock.now());
    return { run, en: en.text, ru: ru.text };
  };
  const scrape = async () => (await createMetrics('1', async () => snapshot()).scrape()).text;
  const snapshot = async () => ({
    outbox: { queued: 0, unknown: 0, oldestAgeMs: {} },
    queue: {},
    openRuns: {},
    firing: {},
    webhooks: { waiting: 0, oldestMs: 0, setAside: 0 },
    backups: await backupSnapshot(db, config),
  });
  return { life, db, clock, simulator, recovery, check, scrape };
}

describe('the verification of a datastore', () => {
  it('reads what was not read, and says that only restores prove it', async () => {
    const { simulator, check } = await open();
    simulator.newest('main', 'ct/104').verification = undefined;
    const { run, en, ru } = await check('pbs:pbs1/main');
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(en).toContain('No damage found; whether the check would see any, only drills can tell');
    expect(en).toContain('Read now: 1; read within 30 d and therefore skipped: 62');
    expect(ru).toContain('Все снимки main (63) проверены за последние 30 дн.');
    expect(simulator.newest('main', 'ct/104').verification).toMatchObject({ state: 'ok' });
  });

  it('fails when a chunk is rotten, in the chat and on the board', async () => {
    const { simulator, check, recovery } = await open();
    Object.assign(simulator.newest('main', 'ct/104'), { damaged: true, verification: undefined });
    const { run, en } = await check();
    expect(run.state).toBe('failed');
    expect(en).toContain('Damage found');
    expect(en).toMatch(/Damaged: ct\/104\/2\d{3}-/);
    const { states } = await recovery.board(NONE);
    expect(states.find(({ target }) => target === 'pbs:pbs1/main')).toMatchObject({
      state: 'down',
      line: { key: 'pbs-damaged' },
    });
  });

  it('that the token may not do is unknown, and names the right', async () => {
    const { check, simulator } = await open([{ path: '/datastore', privileges: DatastoreAudit }]);
    const { run, en } = await check('pbs:pbs1/main');
    expect(run.state).toBe('warning');
    expect(en).toContain('Unknown: the check could not be done');
    expect(en).toContain('lacks Datastore.Verify on /datastore/main');
    expect(simulator.tasks.all).toEqual([]);
  });
});

describe('the metrics', () => {
  it('tell how datastores stand, how full they are, and what was never tried out', async () => {
    const { recovery, scrape, simulator, clock, db } = await open();
    expect(await scrape()).toContain('vakhta_backup_board_timestamp_seconds 0');
    simulator.newest('main', 'ct/104').verification = undefined;
    await recovery.board(NONE);
    const text = await scrape();
    expect(text).toContain('vakhta_backup_state{target="pbs:pbs1/main",state="warn"} 1');
    expect(text).toContain('vakhta_backup_state{target="pbs:pbs1/main",state="ok"} 0');
    expect(text).toContain('vakhta_backup_state{target="pbs:pbs1/offsite",state="ok"} 1');
    expect(text).toContain(`vakhta_backup_capacity_bytes{target="pbs:pbs1/main"} ${4000 * 1024 ** 3}`);
    expect(text).toContain(`vakhta_backup_stored_bytes{target="pbs:pbs1/main"} ${2440 * 1024 ** 3}`);
    expect(text).toContain('vakhta_backup_age_limit_seconds{target="pbs:pbs1/main"} 93600');
    expect(text).toContain('vakhta_restore_drill_last_good_timestamp_seconds{target="guest:gitlab"} 0');
    expect(text).toContain('vakhta_restore_drill_max_age_seconds 2592000');
    const newest = /vakhta_backup_newest_timestamp_seconds\{target="pbs:pbs1\/main"\} (\d+)/.exec(text)?.[1];
    expect(clock.now().getTime() - Number(newest) * 1000).toBe(hours(4) + 20 * 60_000);
    // What was seen is in the database, the secret is not.
    const { rows } = await db.query('select data::text as data from observations');
    expect(JSON.stringify(rows)).toContain('pbs:pbs1/main');
    expect(JSON.stringify(rows)).not.toContain(TOKEN.secret);
  });

  it('of a server that is away say unknown, and keep its age', async () => {
    const { recovery, scrape, simulator, clock } = await open();
    await recovery.board(NONE);
    simulator.faults.refuse = true;
    await clock.advance(hours(1));
    await recovery.board(NONE);
    const text = await scrape();
    expect(text).toContain('vakhta_backup_state{target="pbs:pbs1/main",state="unknown"} 1');
    expect(text).toMatch(/vakhta_backup_newest_timestamp_seconds\{target="pbs:pbs1\/main"\} \d{10}/);
    // How full it is, nobody knows now.
    expect(text).not.toContain('vakhta_backup_stored_bytes{');
  });
});
