import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Clock, days } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Catalogue, Text } from '../../core/i18n.ts';
import type { Config } from '../../config/schema.ts';
import type { Executor } from '../../integrations/exec/executor.ts';
import type { Database } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';
import { newestRestoreDrills } from '../../store/recovery.ts';
import type { Progress } from '../define.ts';
import { lastBoard } from '../recovery/board.ts';
import type { BackupSource, BackupState } from '../recovery/define.ts';
import type { Runbooks } from '../runbooks.ts';
import type { Several } from '../several.ts';
import { knownInventories } from '../watch/inventory.ts';
import { packTar, sha256 } from './archive.ts';
import { kitFiles } from './contents.ts';
import { type OffsiteFolder, offsiteSum, sendOffsite } from './offsite.ts';
import { seal } from './seal.ts';

/** A kit that was made. */
export const kitMade = z.object({
  name: z.string(),
  path: z.string(),
  at: z.coerce.date(),
  bytes: z.number(),
  sha256: z.string(),
  files: z.number(),
  recipients: z.number(),
  /** Absent when none is wanted. */
  offsite: z
    .object({ host: z.string(), path: z.string().exactOptional(), error: text().exactOptional() })
    .exactOptional(),
  /** What is not in it. */
  missing: z.array(z.enum(['config', 'database', 'board', 'inventory'])),
});
export type KitMade = z.output<typeof kitMade>;

function text() {
  return z.object({ key: z.string(), args: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional() });
}

/** Its name on the board of backups. */
const kitTarget = ({ site }: Pick<Config, 'site'>): string => `kit:${site.id}`;

const OBSERVED = 'kit';

/** The emergency kit of this installation. */
export interface KitDesk {
  /** Throws `kit-not-configured`. */
  settings(): NonNullable<Config['kit']>;
  /** Makes one under this name, keeps it here, sends it elsewhere. Throws `kit-not-configured`, `kit-file`, `kit-bad-recipient`, `kit-write`. */
  make(
    signal: AbortSignal,
    options?: { readonly name?: string; readonly progress?: (progress: Progress) => void },
  ): Promise<KitMade>;
  /** The name that a kit of this moment has. */
  nameOf(at: Date): string;
  /** Those kept here, the newest first. */
  kept(): Promise<readonly { readonly name: string; readonly at: Date }[]>;
  /** Whether this one lies here as it was made, and elsewhere if it was brought there; nothing when it is not here. */
  seen(
    made: Pick<KitMade, 'name' | 'sha256' | 'offsite'>,
    signal: AbortSignal,
  ): Promise<{ readonly ok: boolean; readonly text: Text }>;
  /** The kit that was made last under this name, as noted. */
  noted(name: string): Promise<KitMade | undefined>;
}

export interface KitOptions {
  readonly config: Config;
  /** Absent when it does not answer: a kit is made all the same. */
  readonly db: Database | undefined;
  readonly clock: Clock;
  readonly runbooks: Runbooks;
  readonly catalogue: Catalogue;
  readonly version: string;
  readonly redact: (text: string) => string;
  readonly hosts: Pick<Several<Pick<Executor, 'run'>>, 'get'>;
  /** Where the configuration was read from. */
  readonly configFile: string | undefined;
}

export function createKitDesk(options: KitOptions): KitDesk {
  const { config, db, clock, runbooks, catalogue, version, redact } = options;
  const folder = resolve(config.dataDir, 'kit');
  const names = new RegExp(`^vakhta-kit-${config.site.id}-(\\d{8}T\\d{6}Z)\\.age$`, 'u');

  const isOurs = (name: string): boolean => names.test(name);

  const settings = (): NonNullable<Config['kit']> => {
    if (config.kit) return config.kit;
    throw new VakhtaError('usage', 'kit-not-configured', 'no section kit');
  };

  const offsite = (): OffsiteFolder | undefined => {
    const to = config.kit?.offsite;
    return to && { ...to, executor: options.hosts.get(to.host) };
  };

  const kept: KitDesk['kept'] = async () => {
    const found = await readdir(folder).catch((): string[] => []);
    return found
      .flatMap((name) => {
        const stamp = names.exec(name)?.[1];
        return stamp === undefined ? [] : [{ name, at: timeOf(stamp) }];
      })
      .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  };

  const gather = async (name: string, at: Date) => {
    const kit = settings();
    const notes = await Promise.all(
      kit.notes.map(async (path) => ({ path, content: await readFile(path).catch(unreadable(path)) })),
    );
    const { configFile } = options;
    const configText =
      configFile === undefined ? undefined : await readFile(configFile, 'utf8').catch(unreadable(configFile));
    const board = db && (await lastBoard(db));
    const inventories = db ? (await knownInventories(db)).all : new Map<string, never>();
    const drills = db ? await newestRestoreDrills(db, 'ended') : [];
    const programs = Object.assign({}, ...drills.map((one) => one.versions)) as Record<string, string>;
    const missing: KitMade['missing'] = [
      ...(configText === undefined ? ['config' as const] : []),
      ...(db ? [] : ['database' as const]),
      ...(db && !board ? ['board' as const] : []),
      ...(db && config.proxmox.length > 0 && inventories.size === 0 ? ['inventory' as const] : []),
    ];
    const inputs = {
      name,
      at,
      version,
      config,
      configText,
      board,
      inventories,
      programs,
      notes,
      runbooks,
      catalogue,
      redact,
    };
    return { files: kitFiles(inputs), missing };
  };

  /** Under another name first: what has its name is whole. */
  const write = async (name: string, sealed: string): Promise<string> => {
    const path = join(folder, name);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.part`, sealed, { mode: 0o600 });
      await chmod(`${path}.part`, 0o600);
      await rename(`${path}.part`, path);
    } catch (cause) {
      const why = codeOf(cause);
      throw new VakhtaError('permanent', 'kit-write', `${path}: ${why}`, { args: { path, why }, cause });
    }
    const old = (await kept()).slice(settings().keep).map((one) => one.name);
    // What a process that died had begun.
    const parts = (await readdir(folder)).filter((one) => one.endsWith('.part') && isOurs(one.slice(0, -5)));
    await Promise.all([...old, ...parts].map((one) => rm(join(folder, one), { force: true })));
    return path;
  };

  const send = async (name: string, sealed: string, sum: string, signal: AbortSignal): Promise<KitMade['offsite']> => {
    const to = offsite();
    if (!to) return undefined;
    try {
      const keep = { count: settings().keep, isOurs };
      return { host: to.host, path: await sendOffsite(to, { name, text: sealed, sha256: sum }, keep, signal) };
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof VakhtaError) || thrown.kind === 'bug') throw thrown;
      return { host: to.host, error: { key: thrown.text, args: { ...thrown.args } } };
    }
  };

  const nameOf = (at: Date): string =>
    `vakhta-kit-${config.site.id}-${at.toISOString().replaceAll(/[-:]|\.\d+/gu, '')}.age`;

  return {
    settings,
    kept,
    nameOf,

    make: async (signal, { name: wanted, progress } = {}) => {
      const { recipients } = settings();
      const at = clock.now();
      const name = wanted ?? nameOf(at);
      progress?.({ step: { key: 'kit-step-gather' } });
      const { files, missing } = await gather(name, at);
      signal.throwIfAborted();
      progress?.({ step: { key: 'kit-step-seal' } });
      const sealed = await seal(packTar(files, at), recipients);
      const sum = sha256(sealed);
      const path = await write(name, sealed);
      signal.throwIfAborted();
      progress?.({ step: { key: 'kit-step-send' } });
      const sent = await send(name, sealed, sum, signal);
      const made: KitMade = {
        name,
        path,
        at,
        bytes: Buffer.byteLength(sealed),
        sha256: sum,
        files: files.length,
        recipients: recipients.length,
        ...(sent ? { offsite: sent } : {}),
        missing,
      };
      if (db) await observe(db, OBSERVED, sent?.error === undefined, made, clock.now());
      return made;
    },

    seen: async (made, signal) => {
      const here = await readFile(join(folder, made.name)).catch(() => undefined);
      if (!here) return { ok: false, text: { key: 'kit-line-gone' } };
      if (sha256(here) !== made.sha256) return { ok: false, text: { key: 'kit-line-damaged' } };
      if (made.offsite?.path === undefined) return { ok: true, text: { key: 'kit-line-ok' } };
      const to = offsite();
      const there = to && (await offsiteSum(to, made.name, signal));
      if (there === made.sha256) return { ok: true, text: { key: 'kit-line-ok-offsite' } };
      return { ok: false, text: { key: there === undefined ? 'kit-line-no-offsite' : 'kit-line-differs' } };
    },

    noted: async (name) => {
      const noted = db && kitMade.safeParse((await observation(db, OBSERVED))?.data);
      return noted?.success && noted.data.name === name ? noted.data : undefined;
    },
  };
}

/** How the kit stands, for the board of backups; nothing where none is wanted. */
export function kitSource(desk: KitDesk, config: Pick<Config, 'kit' | 'site'>, clock: Clock): BackupSource | undefined {
  const { kit } = config;
  if (!kit) return undefined;
  const target = kitTarget(config);
  return {
    name: 'kit',
    targets: [target],
    states: async (signal) => {
      const kits = await desk.kept();
      const [newest] = kits;
      const backups = kits.slice(0, 20).map(({ name, at }) => ({ label: name, kind: 'kit', at }));
      const base = { target, count: kits.length, notes: [], backups };
      if (!newest) return [{ ...base, state: 'down', line: { key: 'kit-line-none' } }];
      const dated = { ...base, newestAt: newest.at };
      const say = (state: BackupState['state'], line: Text): BackupState[] => [{ ...dated, state, line }];
      if (clock.now().getTime() - newest.at.getTime() > days(kit.maxAgeDays)) {
        return say('warn', { key: 'kit-line-old', args: { days: kit.maxAgeDays } });
      }
      const made = await desk.noted(newest.name);
      if (kit.offsite && made?.offsite?.path === undefined) return say('warn', { key: 'kit-line-no-offsite' });
      if (!made) return say('ok', { key: 'kit-line-ok' });
      const seen = await desk.seen(made, signal);
      return say(seen.ok ? 'ok' : 'warn', seen.text);
    },
  };
}

/** `20261124T050000Z` */
const timeOf = (stamp: string): Date =>
  new Date(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, '$1-$2-$3T$4:$5:$6Z'));

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);

const unreadable =
  (path: string) =>
  (cause: unknown): never => {
    const why = codeOf(cause);
    throw new VakhtaError('usage', 'kit-file', `${path}: ${why}`, { args: { path, why }, cause });
  };
