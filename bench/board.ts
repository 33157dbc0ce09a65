import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { recoveryParts } from '../src/app/recovery.ts';
import { createSystems } from '../src/app/systems.ts';
import { parseConfig, requireConfig } from '../src/config/load.ts';
import { createSecrets } from '../src/config/secrets.ts';
import { days, systemClock } from '../src/core/clock.ts';
import type { Executor } from '../src/integrations/exec/executor.ts';
import { createPgBackRest } from '../src/integrations/pgbackrest/pgbackrest.ts';
import { silentLog } from '../src/core/log.ts';
import { systemRandom } from '../src/core/random.ts';
import { PVEAuditor } from '../src/simulators/proxmox/access.ts';
import { smallCompany } from '../src/simulators/proxmox/inventory.ts';
import { createProxmoxSimulator } from '../src/simulators/proxmox/simulator.ts';
import { openDatabase } from '../src/store/db.ts';
import { lookAtBackups } from '../src/tasks/recovery/board.ts';
import { several } from '../src/tasks/several.ts';
import { createScratchDesk } from '../src/tasks/scratch/desk.ts';
import { configuration, environment } from './configuration.ts';
import { type Place, ROOT } from './place.ts';

const GUESTS = 500;
const STANZAS = 50;
/** How long `pgbackrest info` takes at the slowest stanza; the others answer before, evenly spread. */
const SLOWEST_MS = 2000;

/** Answers of an outside that has much to tell: Proxmox over HTTP, and the answer of pgBackRest for each stanza. */
export interface BenchBoard {
  /** Everything, as `/backups` shows it, until it is stored; milliseconds. */
  look(): Promise<number>;
  /** The slowest answer by itself; milliseconds. */
  slowest(): Promise<number>;
  close(): Promise<void>;
}

/** `pgbackrest info` of a stanza far away: tells of its backups after a fixed time. */
const pretending = (answer: string, ms: number): Executor => ({
  run: async () => {
    await systemClock.sleep(ms);
    return { code: 0, stdout: answer, stderr: '', truncated: false };
  },
  describe: () => 'bench',
  probe: () => Promise.resolve({ state: 'ok', text: 'doctor-ok' }),
});

export async function openBoard(place: Place): Promise<BenchBoard> {
  const template = await answer();
  const secret = '6f9619ff-8b86-4011-b42d-00c04fc964ff';
  const simulator = createProxmoxSimulator({
    clock: systemClock,
    random: systemRandom,
    tokens: [
      {
        id: 'vakhta@pve!bench',
        secret,
        acl: [{ path: '/', privileges: [...PVEAuditor, 'Datastore.Allocate', 'VM.Backup'] }],
      },
    ],
    inventory: manyGuests(),
  });
  const url = await simulator.start();
  const names = Array.from({ length: STANZAS }, (_, n) => `s${String(n)}`);
  const env = { ...environment(place.databaseUrl), BENCH_PVE: secret };
  const document = {
    ...(parse(configuration()) as Record<string, unknown>),
    proxmox: [
      { id: 'pve1', url, token_id: 'vakhta@pve!bench', token: 'env:BENCH_PVE', backup: { storage: 'backup-nfs' } },
    ],
    postgres: names.map((name) => ({ id: name, stanza: name })),
  };
  const config = requireConfig(parseConfig(stringify(document), 'bench.yaml', env));
  const readText = (path: string): Promise<string> => readFile(path, 'utf8');
  const secrets = createSecrets({ env, readFile: () => Promise.reject(new Error('no files')), learn: () => {} });
  const edges = { clock: systemClock, log: silentLog };
  const made = await createSystems(config, { ...edges, secrets, vault: undefined, readText });
  const stanzas = names.map((name, n) => {
    const executor = pretending(template.replaceAll('STANZA', name), (SLOWEST_MS * (n + 1)) / STANZAS);
    return [
      name,
      createPgBackRest({ id: name, stanza: name, binary: ['pgbackrest'] }, { executor, clock: systemClock }),
    ] as const;
  });
  const systems = { ...made, pgbackrest: several(stanzas) };
  const db = openDatabase({ url: place.databaseUrl, ...edges });
  const scratch = createScratchDesk({ db, clock: systemClock });
  const { sources } = recoveryParts(config, systems, { db, ...edges, random: systemRandom, scratch, secrets });
  const never = new AbortController().signal;

  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const from = performance.now();
    await work();
    return performance.now() - from;
  };
  const slow = systems.pgbackrest.get(names.at(-1) ?? '');
  const host = systems.proxmox.get('pve1');

  return {
    look: () =>
      timed(async () => {
        const { states, sources: asked } = await lookAtBackups({ db, ...edges, sources }, never);
        const guests = states.filter(({ target }) => target.startsWith('guest:')).length;
        const stanzas = states.filter(({ target, state }) => target.startsWith('pg:') && state !== 'unknown').length;
        if (guests < GUESTS || stanzas !== STANZAS || asked.some(({ ok }) => !ok)) {
          throw new Error(
            `only ${guests} guests and ${stanzas} stanzas have answered: ${JSON.stringify(asked.find(({ ok }) => !ok))}`,
          );
        }
      }),
    slowest: async () => {
      const alone = [await timed(() => slow.info(never)), await timed(() => host.resources(undefined, never))];
      return Math.max(...alone);
    },
    close: async () => {
      await systems.close();
      await db.close();
      await simulator.stop();
    },
  };
}

/** What the real program told once, without its damaged pages, for any stanza and as of an hour ago. */
async function answer(): Promise<string> {
  const recorded = await readFile(join(ROOT, 'test/fixtures/pgbackrest/info-bad-page.json'), 'utf8');
  const [stanza] = JSON.parse(recorded) as [{ name: string; backup: { error: boolean; timestamp: object }[] }];
  const stop = Math.floor((systemClock.now().getTime() - days(1 / 24)) / 1000);
  const backup = stanza.backup.map((one) => ({ ...one, error: false, timestamp: { start: stop - 60, stop } }));
  return JSON.stringify([{ ...stanza, name: 'STANZA', backup }]);
}

function manyGuests() {
  const inventory = smallCompany(systemClock.now());
  const [like] = inventory.guests;
  if (!like) throw new Error('the small company has no guests');
  const guests = Array.from({ length: GUESTS }, (_, n) => ({ ...like, vmid: 1000 + n, name: `guest${n}` }));
  const ctime = Math.floor((systemClock.now().getTime() - days(0.5)) / 1000);
  const backups = guests.map(({ vmid, type, name }) => ({
    storage: 'backup-nfs',
    volid: `backup-nfs:backup/vzdump-lxc-${vmid}-2026_01_01-00_00_00.tar.zst`,
    vmid,
    type,
    name,
    ctime,
    size: 1e9,
    notes: name,
    config: {},
  }));
  return { ...inventory, guests: [...inventory.guests, ...guests], backups };
}
