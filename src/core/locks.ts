/**
 * Locks are paths, from the whole to the part: `pve1/101/pg-main/backup`. A lock on the whole and one on a part of it exclude each
 * other; two parts of one whole do not.
 */

/** Everything on a Proxmox host or cluster. */
const hostLock = (proxmox: string): string => segment(proxmox);

/** A guest, and what runs in it. */
export const guestLock = (proxmox: string, vmid: number): string => `${hostLock(proxmox)}/${vmid}`;

/** A machine reached over SSH: the guest that it is, when the configuration says so (`pve1/101`). */
export const machineLock = (host: string, guest?: string): string => guest ?? `host-${segment(host)}`;

/** A service on a machine, as `pg-main`, `docker`, `restic-files`. */
export const serviceLock = (machine: string, service: string): string => `${machine}/${segment(service)}`;

/** The backups of a service: a restore into scratch, a drill and a backup exclude each other, the service goes on. */
export const backupLock = (service: string): string => `${service}/backup`;

/** Whether two runs with these locks have to wait for each other. */
export const conflict = (a: string, b: string): boolean => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);

const segment = (name: string): string => name.replaceAll('/', '-');
