import { isAbsolute, relative } from 'node:path/posix';
import { parseTarget, TARGET_KINDS } from '../core/recovery.ts';
import type { Path } from './document.ts';
import { type Check, isMapping, type Item, type Mapping, unknown } from './reference-check.ts';
import { LOCAL_HOST } from './sections/common.ts';

/** What the sections about backups say of the others, and of one another. */
export function recoveryReferences(check: Check): void {
  guestsOfHosts(check);
  clusters(check);
  guestDrills(check);
  resticSets(check);
  datastores(check);
  kit(check);
  restoreDrills(check);
  goals(check);
}

const idsOf = (items: readonly Item[]): string[] =>
  items.flatMap(({ of }) => (typeof of.id === 'string' ? [of.id] : []));

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

function guestsOfHosts(check: Check): void {
  const known = idsOf(check.items('proxmox'));
  for (const { of, path } of check.items('hosts')) {
    const [proxmox, vmid] = typeof of.guest === 'string' ? of.guest.split('/') : [];
    if (proxmox !== undefined && vmid !== undefined && !known.includes(proxmox)) {
      unknown(check, [...path, 'guest'], 'proxmox', proxmox, known);
    }
  }
}

function clusters(check: Check): void {
  for (const { of, path } of check.items('postgres')) {
    const { cluster, scratch } = of;
    if (of.driver === 'wal-g' && of.offsite_repo !== undefined) {
      check.report([...path, 'offsite_repo'], 'cfg-offsite-wal-g');
    }
    if (isMapping(cluster)) absolute(check, cluster, [...path, 'cluster'], ['bin_dir', 'data_dir', 'socket_dir']);
    if (!isMapping(scratch)) continue;
    const at = [...path, 'scratch'];
    absolute(check, scratch, at, ['dir']);
    const { port_from: from = 54_330, port_to: to = 54_339 } = scratch;
    order(check, from, to, [...at, 'port_to']);
    if (!isMapping(cluster)) {
      check.report(at, 'cfg-scratch-no-cluster');
      continue;
    }
    const { port = 5432, data_dir: data } = cluster;
    if (typeof port === 'number' && typeof from === 'number' && typeof to === 'number' && port >= from && port <= to) {
      check.report([...at, 'port_from'], 'cfg-port-production', { port: String(port) });
    }
    if (typeof data === 'string' && typeof scratch.dir === 'string' && isInside(scratch.dir, data)) {
      check.report([...at, 'dir'], 'cfg-scratch-inside', { dir: data });
    }
  }
}

function guestDrills(check: Check): void {
  for (const { of, path } of check.items('proxmox')) {
    const drill = isMapping(of.backup) ? of.backup.drill : undefined;
    if (!isMapping(drill)) continue;
    const { vmid_from: from = 9000, vmid_to: to = 9019 } = drill;
    order(check, from, to, [...path, 'backup', 'drill', 'vmid_to']);
  }
}

function resticSets(check: Check): void {
  const hosts = [LOCAL_HOST, ...idsOf(check.items('hosts'))];
  const engines = idsOf(check.items('docker'));
  const first = new Map<string, Path>();
  for (const { of, path } of check.items('restic')) {
    if (typeof of.host === 'string' && !hosts.includes(of.host)) {
      unknown(check, [...path, 'host'], 'host', of.host, hosts);
    }
    absolute(check, of, path, ['scratch_dir']);
    for (const volume of volumesOf(of, path)) {
      volumeOf(check, volume, engines);
      const { id } = volume.of;
      if (typeof id !== 'string') continue;
      const before = first.get(id);
      const at = [...volume.path, 'id'];
      if (before === undefined) first.set(id, at);
      else check.report(at, 'cfg-duplicate', { value: id, line: check.document.placeOf(before).line });
    }
  }
}

const volumesOf = ({ volumes }: Mapping, path: Path): Item[] =>
  Array.isArray(volumes)
    ? volumes.flatMap((of: unknown, n) => (isMapping(of) ? [{ of, path: [...path, 'volumes', n] }] : []))
    : [];

function volumeOf(check: Check, { of, path }: Item, engines: readonly string[]): void {
  const { engine, volume, paths, before } = of;
  const isVolume = engine !== undefined && volume !== undefined && paths === undefined;
  // Files may belong to containers of an engine, which are then stopped for them.
  const isPaths = paths !== undefined && volume === undefined;
  if (!isVolume && !isPaths) check.report(path, 'cfg-volume-source');
  if (typeof engine === 'string' && !engines.includes(engine)) {
    unknown(check, [...path, 'engine'], 'engine', engine, engines);
  }
  for (const [n, one] of strings(paths).entries()) {
    if (!isAbsolute(one)) check.report([...path, 'paths', n], 'cfg-absolute');
  }
  if (!isMapping(before)) return;
  const { pause, stop, dump } = before;
  const needsEngine = pause !== undefined || stop !== undefined || (isMapping(dump) && dump.container !== undefined);
  if (needsEngine && engine === undefined) check.report([...path, 'before'], 'cfg-before-engine');
  const both = strings(pause).find((name) => strings(stop).includes(name));
  if (both !== undefined) check.report([...path, 'before'], 'cfg-stop-and-pause', { name: both });
}

function datastores(check: Check): void {
  for (const { of, path } of check.items('pbs')) {
    const seen = new Map<string, Path>();
    const list: readonly unknown[] = Array.isArray(of.datastores) ? of.datastores : [];
    for (const [n, one] of list.entries()) {
      if (!isMapping(one) || typeof one.name !== 'string') continue;
      const at = [...path, 'datastores', n, 'name'];
      const before = seen.get(one.name);
      if (before === undefined) seen.set(one.name, at);
      else check.report(at, 'cfg-duplicate', { value: one.name, line: check.document.placeOf(before).line });
    }
  }
}

function kit(check: Check): void {
  const offsite = check.mapping('kit', 'offsite');
  const hosts = idsOf(check.items('hosts'));
  if (typeof offsite?.host === 'string' && !hosts.includes(offsite.host)) {
    unknown(check, ['kit', 'offsite', 'host'], 'host', offsite.host, hosts);
  }
  if (offsite) absolute(check, offsite, ['kit', 'offsite'], ['dir']);
}

function restoreDrills(check: Check): void {
  const postgres = check.items('postgres');
  const sets = check.items('restic');
  const volumes = sets.flatMap(({ of, path }) => volumesOf(of, path).map((item) => ({ ...item, set: of })));
  for (const { of, path } of check.items('restore_drills')) {
    if (typeof of.target !== 'string') continue;
    const at = [...path, 'target'];
    const target = parseTarget(of.target);
    if (!target) {
      check.report(at, 'cfg-target', { target: of.target });
      continue;
    }
    const { kind, id } = target;
    if (kind === 'guest') {
      const isReady = check
        .items('proxmox')
        .some(({ of: one }) => isMapping(one.backup) && isMapping(one.backup.drill));
      if (!isReady) check.report(at, 'cfg-target-guest');
      continue;
    }
    const isPostgres = kind === 'pg' || kind === 'offsite-pg';
    const known = isPostgres ? idsOf(postgres) : idsOf(volumes);
    if (!known.includes(id)) {
      unknown(check, at, isPostgres ? 'postgres' : 'volume', id, known);
    } else if (isPostgres) {
      const one = postgres.find((item) => item.of.id === id)?.of;
      if (!isMapping(one?.cluster) || !isMapping(one.scratch)) {
        check.report(at, 'cfg-target-place', { target: of.target, id });
      } else if (kind === 'offsite-pg' && one.offsite_repo === undefined) {
        check.report(at, 'cfg-target-offsite', { id, key: 'offsite_repo' });
      }
    } else if (kind === 'offsite-volume') {
      const set = volumes.find((item) => item.of.id === id)?.set;
      if (!isMapping(set?.offsite)) check.report(at, 'cfg-target-offsite', { id, key: 'offsite' });
    }
  }
}

/** Whose goal it is has to be known, or it would never be held to. Guests come and go: their names are not asked for. */
function goals(check: Check): void {
  const seen = new Map<string, Path>();
  for (const { of, path } of check.items('recovery', 'goals')) {
    if (of.rto_minutes === undefined && of.rpo_minutes === undefined) check.report(path, 'cfg-goal-empty');
    const name = of.for;
    if (typeof name !== 'string') continue;
    const at = [...path, 'for'];
    const before = seen.get(name);
    if (before === undefined) seen.set(name, at);
    else check.report(at, 'cfg-duplicate', { value: name, line: check.document.placeOf(before).line });
    if (TARGET_KINDS.some((kind) => kind === name)) continue;
    const target = parseTarget(name);
    if (!target) {
      check.report(at, 'cfg-goal-for', { given: name });
      continue;
    }
    const { kind, id } = target;
    if (kind === 'guest') continue;
    const isPostgres = kind === 'pg' || kind === 'offsite-pg';
    const known = isPostgres
      ? idsOf(check.items('postgres'))
      : idsOf(check.items('restic').flatMap((set) => volumesOf(set.of, set.path)));
    if (!known.includes(id)) unknown(check, at, isPostgres ? 'postgres' : 'volume', id, known);
  }
}

function absolute(check: Check, of: Mapping, path: Path, keys: readonly string[]): void {
  for (const key of keys) {
    const value = of[key];
    if (typeof value === 'string' && !isAbsolute(value)) check.report([...path, key], 'cfg-absolute');
  }
}

function order(check: Check, from: unknown, to: unknown, path: Path): void {
  if (typeof from === 'number' && typeof to === 'number' && to < from) {
    check.report(path, 'cfg-range-order', { from: String(from), to: String(to) });
  }
}

/** Whether a folder is another one, or lies in it. */
function isInside(dir: string, of: string): boolean {
  const way = relative(of, dir);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}
