import type { SimToken } from './access.ts';
import { configOf, restoredConfig } from './guest-config.ts';
import { type Call, type Host, may, need, SimError } from './host.ts';
import type { SimBackup, SimGuest, SimStorage } from './inventory.ts';

const GB = 1024 ** 3;

/** The storage of that name as a node sees it; the host's own words when there is none, or it is away. */
export function storageOf(host: Host, node: string | undefined, name: string | undefined): SimStorage {
  const found = host.inventory.storage.find((one) => one.storage === name && (one.node === node || one.shared));
  if (found === undefined) throw new SimError(500, `storage '${name}' does not exist\n`);
  return found;
}

/** Whether a token is told of a backup. Source: `PVE/Storage.pm`, `check_volume_access`. */
export const seesBackup = (host: Host, token: SimToken, { storage, vmid }: SimBackup): boolean =>
  may(host, token, `/storage/${storage}`, 'Datastore.Allocate') ||
  (may(host, token, `/storage/${storage}`, 'Datastore.AllocateSpace') && may(host, token, `/vms/${vmid}`, 'VM.Backup'));

/** The backups of a storage, with those left out that the token may not see, without a word about it. */
export function content(host: Host, token: SimToken, p: Call['p']): unknown[] {
  const { storage, active, plugintype } = storageOf(host, p['node'], p['storage']);
  if (!active) throw new SimError(500, `storage '${storage}' is not online\n`);
  if (p['content'] !== undefined && p['content'] !== 'backup') return [];
  return host.inventory.backups
    .filter((one) => one.storage === storage && (p['vmid'] === undefined || String(one.vmid) === p['vmid']))
    .filter((one) => seesBackup(host, token, one))
    .map(({ volid, vmid, type, ctime, size, notes, isProtected, verification }) => ({
      volid,
      content: 'backup',
      subtype: type,
      vmid,
      ctime,
      size,
      format: plugintype === 'pbs' ? `pbs-${type === 'lxc' ? 'ct' : 'vm'}` : type === 'lxc' ? 'tar.zst' : 'vma.zst',
      notes,
      ...(isProtected === true ? { protected: 1 } : {}),
      ...(verification === undefined ? {} : { verification }),
    }));
}

export function backupOf(host: Host, token: SimToken, volid: string | undefined): SimBackup {
  const found = host.inventory.backups.find((one) => one.volid === volid);
  const storage = /^([^:]+):/.exec(volid ?? '')?.[1] ?? '';
  const owner = found?.vmid ?? Number(/(?:-(?:lxc|qemu)-|\/(?:ct|vm)\/)(\d+)/.exec(volid ?? '')?.[1] ?? 0);
  if (!may(host, token, `/storage/${storage}`, 'Datastore.Allocate')) {
    need(host, token, `/storage/${storage}`, 'Datastore.AllocateSpace');
    need(host, token, `/vms/${owner}`, 'VM.Backup');
  }
  if (found === undefined) throw new SimError(500, `volume '${volid}' does not exist\n`);
  return found;
}

/** The name that a backup gets: of a file, or of a snapshot on a backup server. */
export function volidOf(storage: SimStorage, guest: Pick<SimGuest, 'type' | 'vmid'>, atSeconds: number): string {
  const iso = new Date(atSeconds * 1000).toISOString().slice(0, 19);
  if (storage.plugintype === 'pbs')
    return `${storage.storage}:backup/${guest.type === 'lxc' ? 'ct' : 'vm'}/${guest.vmid}/${iso}Z`;
  const stamp = iso.replaceAll('-', '_').replace('T', '-').replaceAll(':', '_');
  return `${storage.storage}:backup/vzdump-${guest.type}-${guest.vmid}-${stamp}.${guest.type === 'lxc' ? 'tar.zst' : 'vma.zst'}`;
}

export function vzdump(host: Host, token: SimToken, p: Call['p']): string {
  const name = p['storage'] ?? 'local';
  need(host, token, `/storage/${name}`, 'Datastore.AllocateSpace');
  const guest = host.inventory.guests.find((candidate) => String(candidate.vmid) === p['vmid']);
  if (guest === undefined) throw new SimError(500, `unable to find VM '${p['vmid'] ?? ''}'\n`);
  need(host, token, `/vms/${guest.vmid}`, 'VM.Backup');
  const { vmid, node } = guest;
  // A guest of another node is not this node's business: there is nothing to do, and the answer is the word.
  if (node !== p['node']) return 'OK';
  const storage = storageOf(host, node, name);
  if (!storage.content.split(',').includes('backup')) {
    throw new SimError(500, `can't use storage '${name}' for backups - wrong content type\n`);
  }
  const startedAt = host.now();
  const volid = volidOf(storage, guest, startedAt);
  const size = Math.round(sizeOf(guest));
  const isFull = storage.used + size > storage.total;
  const busy = guest.lock !== undefined ? `Backup of VM ${vmid} failed - ${lockText(guest)}` : undefined;
  const away = storage.active
    ? undefined
    : `could not get storage information for '${name}': storage '${name}' is not online`;
  const task = host.tasks.start({
    node,
    type: 'vzdump',
    id: String(vmid),
    user: token.id,
    durationMs: 20_000,
    lines: away
      ? []
      : busy === undefined
        ? logOf(guest, { volid, storage, size, startedAt, mode: p['mode'] ?? 'snapshot', isFull })
        : [`ERROR: ${busy}`, 'INFO: Backup job finished with errors'],
    error: away ?? (busy === undefined && !isFull ? undefined : 'job errors'),
    apply: () => {
      host.inventory.backups.push({
        storage: name,
        volid,
        vmid,
        type: guest.type,
        name: guest.name,
        ctime: startedAt,
        size,
        notes: guest.name,
        config: { ...configOf(guest) },
      });
      storage.used += size;
    },
    onEnd: () => {
      if (busy === undefined) guest.lock = undefined;
    },
  });
  if (busy === undefined) guest.lock = 'backup';
  return task.upid;
}

const lockText = ({ type, lock }: SimGuest): string => `${type === 'lxc' ? 'CT' : 'VM'} is locked (${lock})`;

/** Compressed: what is used of the disk, of a machine a half. */
const sizeOf = ({ type, maxdisk, load }: SimGuest): number => maxdisk * (type === 'lxc' ? load.disk : 0.5) * 0.45;

interface Dump {
  readonly volid: string;
  readonly storage: SimStorage;
  readonly size: number;
  readonly startedAt: number;
  readonly mode: string;
  readonly isFull: boolean;
}

function logOf(guest: SimGuest, { volid, storage, size, startedAt, mode, isFull }: Dump): string[] {
  const { vmid, type, name, status } = guest;
  const at = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const isPbs = storage.plugintype === 'pbs';
  const file = volid.replace(/^[^:]+:backup\//, '');
  const gib = (bytes: number) => `${(bytes / GB).toFixed(1)} GiB`;
  const excluded = Object.entries(configOf(guest)).flatMap(([key, value]) => {
    if (/^mp\d+$/.test(key) && !value.includes('backup=1'))
      return [`INFO: excluding volume mount point ${key} ('${/mp=([^,]+)/.exec(value)?.[1]}') from backup (disabled)`];
    if (/^(?:scsi|sata|virtio)\d+$/.test(key) && value.includes('backup=0'))
      return [`INFO: exclude disk '${key}' '${value.split(',')[0]}' (backup=no)`];
    return [];
  });
  const done =
    type === 'qemu'
      ? [8, 33, 57, 81, 100].map(
          (n) =>
            `INFO: ${String(n).padStart(3)}% (${gib((size * n) / 100)} of ${gib(size)}) in ${n / 5}s, read: 210.0 MiB/s, write: 96.0 MiB/s`,
        )
      : [`INFO: Total bytes written: ${size} (${Math.round(size / 1024 ** 2)}MiB, 93MiB/s)`];
  const failed = [
    `ERROR: Backup of VM ${vmid} failed - command 'tar cpf -' failed: No space left on device`,
    `INFO: Failed at ${at(startedAt + 20)}`,
    'INFO: Backup job finished with errors',
  ];
  return [
    `INFO: starting new backup job: vzdump ${vmid} --storage ${storage.storage} --mode ${mode}`,
    `INFO: Starting Backup of VM ${vmid} (${type})`,
    `INFO: Backup started at ${at(startedAt)}`,
    `INFO: status = ${status}`,
    `INFO: ${type === 'lxc' ? 'CT' : 'VM'} Name: ${name}`,
    ...(type === 'lxc' ? ["INFO: including mount point rootfs ('/') in backup"] : []),
    ...excluded,
    `INFO: backup mode: ${mode}`,
    isPbs
      ? `INFO: creating Proxmox Backup Server archive '${file}'`
      : `INFO: creating vzdump archive '/mnt/pve/${storage.storage}/dump/${file}'`,
    ...(isFull
      ? failed
      : [
          ...done,
          ...(isPbs ? [] : [`INFO: archive file size: ${(size / GB).toFixed(2)}GB`]),
          `INFO: Finished Backup of VM ${vmid} (00:00:20)`,
          `INFO: Backup finished at ${at(startedAt + 20)}`,
          'INFO: Backup job finished successfully',
        ]),
  ];
}

/** Restores as a new guest. What is refused before the worker is forked, and what only in it, as the host has it. */
export function restore(host: Host, token: SimToken, type: 'lxc' | 'qemu', p: Call['p']): string {
  const { inventory } = host;
  const vmid = Number(p['vmid']);
  const pool = p['pool'];
  const volid = type === 'lxc' ? p['ostemplate'] : p['archive'];
  if (pool !== undefined) need(host, token, `/pool/${pool}`, 'Pool.Allocate', 'Permissions.Modify');
  if (pool === undefined || !may(host, token, `/pool/${pool}`, 'VM.Allocate'))
    need(host, token, `/vms/${vmid}`, 'VM.Allocate');
  const target = storageOf(host, p['node'], p['storage'] ?? 'local');
  need(host, token, `/storage/${target.storage}`, 'Datastore.AllocateSpace');
  const backup = backupOf(host, token, volid);
  const kind = type === 'lxc' ? 'CT' : 'VM';
  const other = inventory.guests.find((guest) => guest.vmid === vmid);
  if (other !== undefined) {
    if (p['force'] === '1' && configOf(other)['protection'] === '1')
      throw new SimError(500, `unable to restore ${kind} ${vmid} - protection mode enabled\n`);
    if (p['force'] === '1' && other.status === 'running')
      throw new SimError(500, `unable to restore ${kind} ${vmid} - can't overwrite running container\n`);
    throw new SimError(
      500,
      `unable to restore ${kind} ${vmid} - ${kind} ${vmid} already exists on node '${other.node}'\n`,
    );
  }
  for (const value of Object.entries(backup.config).flatMap(([key, text]) => (/^net\d+$/.test(key) ? [text] : []))) {
    const bridge = /bridge=([^,]+)/.exec(value)?.[1];
    if (bridge !== undefined) need(host, token, `/sdn/zones/localnetwork/${bridge}`, 'SDN.Use');
  }
  if (type === 'lxc' && backup.config['unprivileged'] !== '1') need(host, token, '/', 'Sys.Modify');
  const bind = Object.entries(backup.config).find(([key, value]) => /^mp\d+$/.test(key) && value.startsWith('/'));
  if (bind) throw new SimError(403, `Permission check failed (mount point type bind is only allowed for root@pam)\n`);

  const original = inventory.guests.find((guest) => guest.vmid === backup.vmid);
  const size = Math.round(backup.size / 0.45);
  const guest: SimGuest = {
    vmid,
    type,
    name: p['hostname'] ?? p['name'] ?? backup.name,
    node: p['node'] ?? '',
    status: 'stopped',
    cores: Number(backup.config['cores'] ?? 1),
    maxmem: Number(backup.config['memory'] ?? 512) * 1024 ** 2,
    maxdisk: original?.maxdisk ?? size,
    load: { cpu: 0.05, mem: 0.3, disk: original?.load.disk ?? 0.5 },
    lock: 'create',
    startedAt: 0,
    ...(pool === undefined ? {} : { pool }),
    config: {},
  };
  let isDone = false;
  const isFull = target.used + size > target.total;
  const task = host.tasks.start({
    node: guest.node,
    type: type === 'lxc' ? 'vzrestore' : 'qmrestore',
    id: String(vmid),
    user: token.id,
    durationMs: 20_000,
    lines:
      type === 'lxc'
        ? [
            `recovering backed-up configuration from '${volid}'`,
            `restoring '${volid}' now..`,
            `Total bytes read: ${size} (120MiB/s)`,
          ]
        : [
            `restore vma archive: ${volid}`,
            ...[20, 40, 60, 80, 100].map(
              (n) => `progress ${n}% (read ${Math.round((size * n) / 100)} bytes, duration ${n / 5} sec)`,
            ),
          ],
    error: isFull ? `unable to restore ${kind} ${vmid} - no space left on device` : undefined,
    apply: () => {
      isDone = true;
      const restored = restoredConfig(backup.config, { vmid, storage: target.storage }, host.random);
      delete restored['description'];
      guest.config = {
        ...restored,
        ...(type === 'lxc' ? { hostname: guest.name } : { name: guest.name }),
        ...(p['description'] === undefined ? {} : { description: `${p['description']}\n` }),
        ...(p['onboot'] === undefined ? {} : { onboot: p['onboot'] }),
      };
      target.used += size;
    },
    onEnd: () => {
      guest.lock = undefined;
      if (!isDone) remove(host, guest);
    },
  });
  inventory.guests.push(guest);
  return task.upid;
}

const remove = ({ inventory }: Host, guest: SimGuest): void => {
  const at = inventory.guests.indexOf(guest);
  if (at >= 0) inventory.guests.splice(at, 1);
};

/** Destroys a guest. Source: `PVE/API2/LXC.pm`, `PVE/API2/Qemu.pm`, `destroy_vm`. */
export function destroy(host: Host, token: SimToken, guest: SimGuest, p: Call['p']): string {
  const { vmid, type } = guest;
  const kind = type === 'lxc' ? 'CT' : 'VM';
  if (configOf(guest)['protection'] === '1')
    throw new SimError(500, `can't remove ${kind} ${vmid} - protection mode enabled\n`);
  const isRunning = guest.status === 'running' && p['force'] !== '1';
  if (isRunning && type === 'lxc') throw new SimError(500, `unable to destroy CT ${vmid} - container is running\n`);
  if (isRunning) throw new SimError(500, `VM ${vmid} is running - destroy failed\n`);
  const busy = guest.lock === undefined ? undefined : lockText(guest);
  return host.tasks.start({
    node: guest.node,
    type: type === 'lxc' ? 'vzdestroy' : 'qmdestroy',
    id: String(vmid),
    user: token.id,
    durationMs: 3000,
    error: busy,
    apply: () => {
      remove(host, guest);
      if (p['purge'] !== '1') return;
      for (const job of host.inventory.jobs) {
        if (job.vmid !== undefined)
          job.vmid = job.vmid
            .split(',')
            .filter((one) => one !== String(vmid))
            .join(',');
      }
    },
  }).upid;
}
