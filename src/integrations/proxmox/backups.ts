import type { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { BackupStock, GuestBackups } from './backup-port.ts';
import * as backupWire from './backup-wire.ts';
import { permissionError } from './errors.ts';
import { holdsAt, type Permissions, sight } from './permissions.ts';
import type { Guest } from './port.ts';
import { startedTask, type Upid } from './upid.ts';
import * as wire from './wire.ts';

export type Call = <T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
  schema: z.ZodType<T>,
  signal?: AbortSignal,
  /** For this request, where it may take longer than others. */
  timeoutMs?: number,
) => Promise<T>;

/** A storage is read: an archive's head, or a manifest for each snapshot. The host itself gives up after half a minute. */
const STORAGE_TIMEOUT_MS = seconds(60);

interface Host {
  readonly id: string;
  readonly call: Call;
  readonly permissions: (signal?: AbortSignal) => Promise<Permissions>;
  /** `/nodes/pve1`; throws for what is no name of a node. */
  readonly nodePath: (node: string) => string;
}

/** The calls about backups, over the client's own way of calling. */
export function createGuestBackups({ id, call, permissions, nodePath }: Host): GuestBackups {
  const guestPath = ({ node, type, vmid }: Pick<Guest, 'type' | 'vmid' | 'node'>): string =>
    `${nodePath(node)}/${type}/${vmid}`;

  const storagePath = (node: string, storage: string): string => {
    if (/^[a-z][a-z0-9\-_.]*[a-z0-9]$/i.test(storage)) return `${nodePath(node)}/storage/${storage}`;
    throw new VakhtaError('usage', 'proxmox-no-such-storage', `not a storage name: ${storage}`, {
      args: { host: id, storage },
    });
  };

  const task = (path: string, answer: string): Upid => {
    const upid = startedTask(answer);
    if (upid !== undefined) return upid;
    throw new VakhtaError('permanent', 'proxmox-answer', `${path}: OK instead of a UPID`, { args: { problem: 'OK' } });
  };

  return {
    jobs: (signal) => call('GET', '/cluster/backup', {}, backupWire.jobs, signal),

    notBackedUp: (signal) => call('GET', '/cluster/backup-info/not-backed-up', {}, backupWire.notBackedUp, signal),

    leftOut: async (job, signal) => {
      const path = `/cluster/backup/${encodeURIComponent(job)}/included_volumes`;
      return call('GET', path, {}, backupWire.leftOut, signal);
    },

    stock: async (places, { vmid } = {}, signal): Promise<BackupStock> => {
      const held = await permissions(signal);
      const read = await Promise.all(
        places.map(async ({ node, storage }) => {
          try {
            const lacks = lacking(held, storage, vmid);
            if (lacks) throw permissionError(id, lacks.privilege, lacks.path);
            const path = `${storagePath(node, storage)}/content`;
            const schema = backupWire.content({ node, storage });
            return {
              storage,
              node,
              files: await call('GET', path, { content: 'backup', vmid }, schema, signal, STORAGE_TIMEOUT_MS),
            };
          } catch (thrown) {
            if (signal?.aborted === true) throw thrown;
            return { storage, node, error: toVakhtaError(thrown) };
          }
        }),
      );
      // One storage may be asked through two nodes.
      const byVolid = new Map(read.flatMap(({ files = [] }) => files).map((file) => [file.volid, file]));
      return {
        files: [...byVolid.values()].toSorted((a, b) => b.at.getTime() - a.at.getTime()),
        unread: read.flatMap(({ storage, node, error }) => (error ? [{ storage, node, error }] : [])),
        sees: (guest) => places.every(({ storage }) => seesBackups(held, storage, guest)),
      };
    },

    storageStatus: async (node, storage, signal) =>
      call('GET', `${storagePath(node, storage)}/status`, {}, backupWire.storageStatus, signal),

    configIn: async ({ node, volid }, signal) =>
      call(
        'GET',
        `${nodePath(node)}/vzdump/extractconfig`,
        { volume: volid },
        wire.started,
        signal,
        STORAGE_TIMEOUT_MS,
      ),

    status: async (guest, signal) => call('GET', `${guestPath(guest)}/status/current`, {}, backupWire.status, signal),
    config: async (guest, signal) => call('GET', `${guestPath(guest)}/config`, {}, backupWire.config, signal),

    configure: async (guest, { set = {}, remove = [], digest }, signal) => {
      const deleted = remove.length === 0 ? undefined : remove.join(',');
      await call('PUT', `${guestPath(guest)}/config`, { ...set, delete: deleted, digest }, wire.nothing, signal);
    },

    restore: async (request, signal) => {
      const { type, node, vmid, volid, storage, name, description, pool } = request;
      const path = `${nodePath(node)}/${type}`;
      const common = { vmid, storage, unique: 1, start: 0, onboot: 0, description, pool };
      const own = type === 'lxc' ? { ostemplate: volid, restore: 1, hostname: name } : { archive: volid, name };
      return task(path, await call('POST', path, { ...common, ...own }, wire.started, signal, STORAGE_TIMEOUT_MS));
    },

    destroy: async (guest, signal) => {
      const path = guestPath(guest);
      // Only what its own configuration names: a disk of that number which somebody keeps is not ours.
      const parameters = { purge: 1, 'destroy-unreferenced-disks': 0 };
      return task(path, await call('DELETE', path, parameters, wire.started, signal));
    },

    agentAnswers: async ({ node, vmid }, signal) => {
      try {
        await call('POST', `${nodePath(node)}/qemu/${vmid}/agent/ping`, {}, wire.nothing, signal);
        return true;
      } catch (thrown) {
        // "QEMU guest agent is not running": 500, like everything that goes wrong there.
        const { code } = toVakhtaError(thrown);
        if (code === 'proxmox-failed' || code === 'proxmox-guest-state') return false;
        throw thrown;
      }
    },
  };
}

/**
 * Whether a backup of that guest in that storage would be listed. An auditor of the storage sees none of them, and is told so by
 * nothing. Source: `PVE/Storage.pm`, `check_volume_access`.
 */
export function seesBackups(held: Permissions, storage: string, vmid: number): boolean {
  const at = `/storage/${storage}`;
  if (holdsAt(held, at, 'Datastore.Allocate')) return true;
  return holdsAt(held, at, 'Datastore.AllocateSpace') && holdsAt(held, `/vms/${vmid}`, 'VM.Backup');
}

/** What the token lacks to be told of any backup there: then the list is empty whatever there is. */
function lacking(
  held: Permissions,
  storage: string,
  vmid: number | undefined,
): { readonly privilege: string; readonly path: string } | undefined {
  const at = `/storage/${storage}`;
  if (holdsAt(held, at, 'Datastore.Allocate')) return undefined;
  if (!holdsAt(held, at, 'Datastore.AllocateSpace')) return { privilege: 'Datastore.AllocateSpace', path: at };
  const some = vmid === undefined ? sight(held, '/vms', 'VM.Backup') !== 'none' : seesBackups(held, storage, vmid);
  return some ? undefined : { privilege: 'VM.Backup', path: vmid === undefined ? '/vms' : `/vms/${vmid}` };
}
