import { toVakhtaError } from '../../core/error.ts';
import type { Text } from '../../core/i18n.ts';
import type { BackupFile, BackupJob } from '../../integrations/proxmox/backup-port.ts';
import type { Guest, Proxmox, Storage } from '../../integrations/proxmox/port.ts';
import type { AllGuestSnapshots } from './pbs-look.ts';

/** What one installation says of its guests and their backups, in a number of calls that does not grow with the guests. */
export interface GuestsLook {
  readonly guests: readonly Guest[];
  /** The token is told of some guests only. */
  readonly isLimited: boolean;
  /** Storages for backups, each once; those that a node cannot reach too. */
  readonly storages: readonly Storage[];
  readonly files: readonly BackupFile[];
  readonly unread: readonly { readonly storage: string; readonly why: Text }[];
  /** Whether the token would be told of a backup of that guest, wherever it lies. */
  readonly sees: (vmid: number) => boolean;
  readonly jobs: readonly BackupJob[];
  /** Guests that the host itself says no job names. */
  readonly uncovered: ReadonlySet<number>;
  /** Disks and mount points that no job which is on takes, by number of guest. */
  readonly leftOut: ReadonlyMap<number, readonly string[]>;
  /** Why jobs are not known. */
  readonly jobsWhy?: Text;
  /** What backup servers say themselves. */
  readonly servers: AllGuestSnapshots;
}

export const NO_SERVERS: AllGuestSnapshots = { byGuest: new Map(), unseen: [] };

/** Asks; rejects when guests or storages cannot be seen at all. */
export async function lookAtGuests(
  host: Proxmox,
  servers: (signal: AbortSignal) => Promise<AllGuestSnapshots>,
  signal: AbortSignal,
): Promise<GuestsLook> {
  // Side by side: what takes longest is the list of a storage.
  const [{ guests, storages, limited, stock }, jobs, snapshots] = await Promise.all([
    stockOf(host, signal),
    jobsOf(host, signal),
    servers(signal),
  ]);
  const away = storages.filter(({ status }) => status !== 'available');
  return {
    guests,
    isLimited: limited.includes('vm'),
    storages,
    files: stock.files,
    unread: [
      ...away.map(({ storage: name }) => ({
        storage: name,
        why: { key: 'guest-backup-away', args: { storage: name } },
      })),
      ...stock.unread.map(({ storage: name, error: { text, args } }) => ({ storage: name, why: { key: text, args } })),
      // A list of storages that is not whole may lack the one with the backups.
      ...(limited.includes('storage') ? [{ storage: '', why: { key: 'guest-backup-storages-hidden' } }] : []),
    ],
    sees: (vmid) => stock.sees(vmid),
    ...jobs,
    servers: snapshots,
  };
}

async function stockOf(host: Proxmox, signal: AbortSignal) {
  const { guests, storage, limited } = await host.resources(undefined, signal);
  const storages = backupStorages(storage);
  const reachable = storages.filter(({ status }) => status === 'available');
  return { guests, storages, limited, stock: await host.backups.stock(reachable, {}, signal) };
}

/** A shared storage is listed by each node: one that reaches it is enough. */
export function backupStorages(all: readonly Storage[]): Storage[] {
  const found = new Map<string, Storage>();
  for (const one of all) {
    if (!one.content.includes('backup')) continue;
    const key = one.shared ? one.storage : `${one.node}/${one.storage}`;
    if (found.get(key)?.status !== 'available') found.set(key, one);
  }
  return [...found.values()];
}

async function jobsOf(
  host: Proxmox,
  signal: AbortSignal,
): Promise<Pick<GuestsLook, 'jobs' | 'uncovered' | 'leftOut' | 'jobsWhy'>> {
  try {
    const [jobs, uncovered] = await Promise.all([host.backups.jobs(signal), host.backups.notBackedUp(signal)]);
    const on = jobs.filter(({ isEnabled }) => isEnabled);
    const taken = await Promise.all(on.map(({ id }) => host.backups.leftOut(id, signal)));
    return { jobs, uncovered: new Set(uncovered), leftOut: mergeLeftOut(taken) };
  } catch (thrown) {
    signal.throwIfAborted();
    const { text, args } = toVakhtaError(thrown);
    return { jobs: [], uncovered: new Set(), leftOut: new Map(), jobsWhy: { key: text, args } };
  }
}

/** Whether a disk is taken stands in the guest's own configuration: all jobs that take the guest say the same. */
function mergeLeftOut(jobs: readonly ReadonlyMap<number, readonly string[]>[]): ReadonlyMap<number, readonly string[]> {
  return new Map(jobs.flatMap((one) => [...one]));
}
