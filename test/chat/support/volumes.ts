import { createHash } from 'node:crypto';
import { VakhtaError } from '../../../src/core/error.ts';
import type { Container, Docker } from '../../../src/integrations/docker/port.ts';
import type { HostFiles } from '../../../src/integrations/restic/files.ts';
import type { Lock, Repository, Restic, Snapshot } from '../../../src/integrations/restic/port.ts';
import { createVolumeDesk } from '../../../src/tasks/volumes/desk.ts';
import { createLockPaths } from '../../../src/tasks/lock-paths.ts';
import { createScratchDesk } from '../../../src/tasks/scratch/desk.ts';
import { several } from '../../../src/tasks/several.ts';
import type { Operation } from '../../../src/tasks/define.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import { resticParts } from '../../../src/tasks/recovery/restic.ts';
import { createRecoveryDesk } from '../../../src/tasks/recovery/desk.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { silentLog } from '../../../src/core/log.ts';
import { openLife } from './life.ts';
import { configWith } from './shown.ts';

interface OnDisk {
  readonly text: string;
  readonly mtime: string;
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const refused = (kind: 'permanent' | 'transient', code: string, args: Record<string, string> = {}) =>
  new VakhtaError(kind, code, code, { args: { set: 'files', detail: '—', pid: '?', host: '?', since: '?', ...args } });

/** A repository in memory that does as the real one (test/conformance/restic). */
function repositoryInMemory(disk: Map<string, OnDisk>, now: () => Date) {
  const held: { snapshot: Snapshot; files: ReadonlyMap<string, OnDisk> }[] = [];
  let made = 0;
  const state = { exists: true, isDamaged: false, holder: undefined as Lock | undefined, held };
  const open = (): void => {
    if (!state.exists) throw refused('permanent', 'restic-no-repository');
  };
  const of = (id: string) => {
    const found = held.find(({ snapshot }) => snapshot.id === id);
    if (found) return found;
    throw refused('permanent', 'restic-no-snapshot');
  };
  const sum = (files: ReadonlyMap<string, OnDisk>): number =>
    [...files.values()].reduce((all, { text }) => all + text.length, 0);
  const repository: Repository = {
    init: async () => {
      if (state.exists) throw refused('permanent', 'restic-exists');
      state.exists = true;
    },
    snapshots: async (tags) => {
      open();
      return held.map(({ snapshot }) => snapshot).filter((one) => tags.every((tag) => one.tags.includes(tag)));
    },
    size: async (id, as) => sum(of(id).files) * (as === 'stored' ? 2 : 1),
    list: async (id, onNode) => {
      const { files } = of(id);
      for (const [path, { text }] of files) onNode({ type: 'file', path, sizeBytes: text.length });
      return files.size;
    },
    restore: async (id, target) => {
      if (state.isDamaged) throw refused('permanent', 'restic-restore-damaged', { detail: 'ciphertext' });
      for (const [path, file] of of(id).files) disk.set(`${target}${path}`, file);
    },
    check: async (part, count) => ({
      ok: !state.isDamaged,
      findings: state.isDamaged ? ['pack 1a2b contains errors'] : [],
      part,
      of: count,
    }),
    forget: async ({ keep, tags, dryRun }) => {
      const own = held.filter(({ snapshot }) => tags.every((tag) => snapshot.tags.includes(tag)));
      const removed = own.slice(0, Math.max(0, own.length - keep.last)).map(({ snapshot }) => snapshot);
      if (!dryRun) held.splice(0, held.length, ...held.filter((one) => !removed.includes(one.snapshot)));
      return { kept: own.length - removed.length, removed };
    },
    prune: async () => 2048,
    locks: async () => (state.holder ? [state.holder] : []),
    clearOwnLock: async () => 'none',
  };
  const add = (files: ReadonlyMap<string, OnDisk>, tags: readonly string[], at = now(), tree?: string): Snapshot => {
    const id = hash(`snapshot ${++made}`);
    const contents = tree ?? hash(JSON.stringify([...files]));
    const snapshot = {
      id,
      shortId: id.slice(0, 8),
      at,
      tree: contents,
      host: 'docker',
      paths: [...files.keys()],
      tags,
    };
    held.push({ snapshot, files });
    held.sort((a, b) => a.snapshot.at.getTime() - b.snapshot.at.getTime());
    return snapshot;
  };
  return { repository, state, add };
}

const SET = {
  id: 'files',
  repository: '/srv/restic',
  password: 'env:RESTIC',
  scratch_dir: '/scratch',
  keep: { last: 2, daily: 0, weekly: 0, monthly: 0 },
  volumes: [
    { id: 'etc', paths: ['/etc'] },
    { id: 'web', engine: 'docker1', volume: 'web_data', before: { pause: ['nginx'] } },
    {
      id: 'wiki',
      engine: 'docker1',
      volume: 'wiki_data',
      before: { stop: ['wiki'], dump: { container: 'wiki-db', command: ['pg_dumpall'], file: 'wiki.sql' } },
    },
  ],
  offsite: { repository: 'rclone:far:', password: 'env:RESTIC', read_limit_gb: 1, price_per_gb: 2, currency: '€' },
};

/** Volumes in the life cycle, with a disk, an engine and two repositories in memory. */
export async function openVolumes(operations: readonly Operation[]) {
  const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
  const life = await openLife({ operations, ports });
  const { db, clock } = life;
  const config = configWith({
    restic: [SET],
    docker: [{ id: 'docker1', host: 'local' }],
    recovery: { rto_minutes: 30, rpo_minutes: 10_000 },
  });
  const disk = new Map<string, OnDisk>();
  const write = (path: string, text: string): void => {
    disk.set(path, { text, mtime: String(clock.now().getTime() / 1000) });
  };
  for (const [path, text] of [
    ['/etc/hosts', 'localhost'],
    ['/etc/passwd', 'root'],
    ['/var/lib/docker/web_data/index.html', '<html>'],
    ['/var/lib/docker/wiki_data/page', 'page'],
  ] as const) {
    write(path, text);
  }

  /** What happened to containers and repositories, in order. */
  const log: string[] = [];
  const base = { image: 'x:1', exitCode: 0, restarts: 0, startedAt: clock.now() } as const;
  const containers = new Map(
    ['nginx', 'wiki', 'wiki-db'].map((name): [string, Container] => [
      name,
      { ...base, id: hash(name), name, status: 'running' },
    ]),
  );
  const find = (name: string): Container => {
    const found = [...containers.values()].find((one) => one.name === name || one.id === name);
    if (found) return found;
    throw new VakhtaError('usage', 'docker-no-container', `no ${name}`, {
      args: { engine: 'docker1', container: name },
    });
  };
  const becomes = (word: string, status: Container['status']) => async (name: string) => {
    const one = find(name);
    if (outside.stays.has(one.name) && status === 'running') {
      throw new VakhtaError('transient', 'docker-down', 'away', { args: { engine: 'docker1' } });
    }
    log.push(`${word} ${one.name}`);
    containers.set(one.name, { ...one, status });
  };
  const engine: Docker = {
    id: 'docker1',
    inspect: async (name) => find(name),
    restart: async () => {},
    pause: becomes('pause', 'paused'),
    unpause: becomes('unpause', 'running'),
    stop: becomes('stop', 'exited'),
    start: becomes('start', 'running'),
    mountpoint: async (volume) => `/var/lib/docker/${volume}`,
    execWords: (id, command) => ['docker', 'exec', id, ...command],
    ps: async () => [],
    probe: async () => ({ state: 'ok', text: 'docker-probe-ok' }),
  };

  const outside = {
    /** Containers that cannot be set going again. */
    stays: new Set<string>(),
    unreadable: [] as string[],
    dump: 'create table',
    freeBytes: 1e12,
    failsWith: undefined as VakhtaError | undefined,
  };
  const files: HostFiles = {
    missing: async (paths) => paths.filter((path) => ![...disk.keys()].some((one) => `${one}/`.startsWith(`${path}/`))),
    space: async () => ({ free: outside.freeBytes, total: 2e12 }),
    tree: async (folder) =>
      [...disk].flatMap(([path, { text, mtime }]) =>
        path.startsWith(`${folder}/`) ? [{ name: path.slice(folder.length + 1), bytes: text.length, mtime }] : [],
      ),
    hashes: async (folder, names) =>
      new Map(
        names.flatMap((name) => {
          const found = disk.get(folder === '/' ? `/${name}` : `${folder}/${name}`);
          return found ? [[name, hash(found.text)] as const] : [];
        }),
      ),
    makeScratch: async (folder, owner) => write(`${folder}/.vakhta-scratch`, owner),
    removeScratch: async (folder) => {
      for (const path of disk.keys()) if (path.startsWith(`${folder}/`)) disk.delete(path);
    },
    capture: async (argv, file) => {
      log.push(`capture ${argv.at(-1)}`);
      write(file, outside.dump);
      return outside.dump.length;
    },
    damage: async () => {},
    alive: async () => false,
    hostName: async () => 'docker',
  };
  const primary = repositoryInMemory(disk, () => clock.now());
  const offsite = repositoryInMemory(disk, () => clock.now());
  const restic: Restic = {
    id: 'files',
    primary: primary.repository,
    offsite: offsite.repository,
    files,
    version: async () => '0.14.0',
    backup: async ({ paths, tags }) => {
      log.push('copy');
      if (outside.failsWith) throw outside.failsWith;
      const of = [...disk].filter(([path]) => paths.some((one) => path === one || path.startsWith(`${one}/`)));
      const readable = of.filter(([path]) => !outside.unreadable.includes(path));
      const { id } = primary.add(new Map(readable), tags);
      const skipped = of.flatMap(([path]) => (outside.unreadable.includes(path) ? [path] : []));
      const bytes = readable.reduce((sum, [, { text }]) => sum + text.length, 0);
      return {
        snapshot: id,
        files: readable.length,
        newFiles: readable.length,
        changedFiles: 0,
        bytes,
        addedBytes: bytes,
        durationMs: 1500,
        skipped,
        skippedCount: skipped.length,
      };
    },
    copy: async (ids) => {
      log.push(`offsite ${ids.length}`);
      for (const { snapshot, files: its } of primary.state.held) {
        if (ids.includes(snapshot.id)) offsite.add(its, snapshot.tags, snapshot.at, snapshot.tree);
      }
    },
    probe: async () => ({ state: 'ok', text: 'restic-probe-ok', args: { version: '0.14.0', count: 0 } }),
  };

  const volumes = createVolumeDesk(config, {
    db,
    restic: several([['files', restic]]),
    docker: several([['docker1', engine]]),
    lockPaths: createLockPaths(config),
  });
  const scratch = createScratchDesk({ db, clock });
  const parts = resticParts(volumes, { db, clock, random: systemRandom, scratch, other: () => restic });
  ports.volumes = volumes;
  ports.scratch = scratch;
  ports.recovery = createRecoveryDesk({ db, clock, log: silentLog, config, parts });
  return { life, config, disk, write, log, outside, containers, primary, offsite, volumes, scratch, parts, engine };
}
