import { access, readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { catalogue } from '../core/i18n.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Redactor } from '../core/redact.ts';
import type { Config } from '../config/schema.ts';
import { systemCode } from '../config/files.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Systems } from '../app/systems.ts';
import { allMessages } from '../messages.gen.ts';
import { type Database, openDatabase } from '../store/db.ts';
import { startEmbedded } from '../store/embedded.ts';
import { newestRestoreDrills } from '../store/recovery.ts';
import { openKit } from '../tasks/kit/check.ts';
import { createKitDesk } from '../tasks/kit/desk.ts';
import { makeRecorded } from '../tasks/kit/record.ts';
import { readIdentities } from '../tasks/kit/seal.ts';
import kit from '../tasks/operations/kit.ts';
import { lastBoard } from '../tasks/recovery/board.ts';
import { loadRunbooks } from '../tasks/runbooks.ts';
import type { Terminal } from './run.ts';
import { terminalText } from './terminal.ts';

export interface KitEdges {
  readonly config: Config;
  readonly configFile: string | undefined;
  /** The folder of the runbooks. */
  readonly runbooks: string;
  readonly secrets: Secrets;
  readonly systems: Pick<Systems, 'hosts'>;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
}

/**
 * `vakhta kit make`: without Telegram and queue, and without the database when it does not answer; when it does, the kit is in the
 * history of runs and in the audit. Gives the exit code: that of a passing failure when the copy did not get elsewhere, else 0.
 */
export async function makeKit(edges: KitEdges, { t, language, zone, print }: Terminal): Promise<number> {
  const { config, configFile, clock, random, log, version, redactor, systems } = edges;
  const store = await openStore(edges);
  try {
    const desk = createKitDesk({
      config,
      configFile,
      db: store?.db,
      clock,
      version,
      runbooks: await loadRunbooks(edges.runbooks),
      catalogue: catalogue(allMessages),
      redact: (text) => redactor.redact(text),
      hosts: systems.hosts,
    });
    const actor = { kind: 'cli', id: userInfo().username } as const;
    const worker = `cli ${hostname()}/${process.pid}`;
    const { made, run } = store
      ? await makeRecorded(desk, { db: store.db, clock, random, log, actor, worker })
      : { made: await desk.make(new AbortController().signal), run: undefined };
    print(made.path);
    print(terminalText(kit.report(made, {}, { t, language, now: clock.now() }), { zone, language }));
    print(run ? t('cli-kit-run', { number: String(run.number) }) : t('cli-kit-no-run'));
    return made.offsite?.error ? new VakhtaError('transient', 'kit-offsite', 'no copy elsewhere').exitCode : 0;
  } finally {
    await store?.close();
  }
}

/** `vakhta kit check`: everything that is needed is the kit and a key. Throws `kit-file` and what `openKit` throws. */
export async function checkKit(
  file: string,
  identities: readonly string[],
  { t, print }: Pick<Terminal, 't' | 'print'>,
): Promise<void> {
  const keys = await Promise.all(identities.map(async (path) => readIdentities((await read(path)).toString('utf8'))));
  const { manifest } = await openKit(await read(file), keys.flat());
  const { site, version, madeAt, files } = manifest;
  for (const { path, size } of files) print(`  ${String(size).padStart(9)}  ${path}`);
  print(t('cli-kit-ok', { site, version, n: files.length, at: madeAt.toISOString() }));
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = systemCode(cause);
    throw new VakhtaError('usage', 'kit-file', `${path}: ${why}`, { args: { path, why }, cause });
  }
}

/** The database, if it is there and up to date; nothing else, for a kit is never more urgent than when it is not. */
async function openStore(
  edges: KitEdges,
): Promise<{ readonly db: Database; readonly close: () => Promise<void> } | undefined> {
  const { config, secrets, log, clock } = edges;
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.toReversed()) await one().catch(() => undefined);
  };
  try {
    let url: string;
    if (config.database.url) url = (await secrets.source(config.database.url)()).reveal();
    else {
      // One that was never made is not made for this.
      await access(join(config.dataDir, 'postgres', 'PG_VERSION'));
      const embedded = await startEmbedded({ dataDir: config.dataDir, log, clock, join: true });
      closers.push(() => embedded.stop());
      url = embedded.url;
    }
    const db = openDatabase({ url, log, clock, max: 2 });
    closers.push(() => db.close());
    await lastBoard(db);
    await newestRestoreDrills(db, 'ended');
    return { db, close };
  } catch (error) {
    log.warn({ err: error }, 'the database does not answer: the kit is made without it');
    await close();
    return undefined;
  }
}
