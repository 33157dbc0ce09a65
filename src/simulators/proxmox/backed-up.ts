import type { SimDatastore } from '../pbs/state.ts';
import { configOf } from './guest-config.ts';
import { type Inventory, type SimBackup, type SimGuest, smallCompany } from './inventory.ts';
import { volidOf } from './backups.ts';

const GB = 1024 ** 3;
const DAY = 86_400;
const HOUR = 3600;

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** As a backup server tells it through Proxmox VE. */
export const verificationAt = (state: 'ok' | 'failed', atSeconds: number): SimBackup['verification'] => ({
  state,
  upid: `UPID:pbs1:0000041A:0000A1B2:00000003:${hex(atSeconds)}:verificationjob:main:root@pam:`,
});

/** Puts a backup of a guest into a storage. */
export function addBackup(
  { storage, backups }: Inventory,
  guest: SimGuest,
  where: string,
  ctime: number,
  verification?: SimBackup['verification'],
): SimBackup {
  const place = storage.find((one) => one.storage === where);
  if (place === undefined) throw new Error(`the simulated host has no storage ${where}`);
  const { vmid, type, name, maxdisk, load } = guest;
  const one: SimBackup = {
    storage: where,
    volid: volidOf(place, guest, ctime),
    vmid,
    type,
    name,
    ctime,
    size: Math.round(maxdisk * (type === 'lxc' ? load.disk : 0.5) * 0.45),
    notes: name,
    config: { ...configOf(guest) },
    ...(verification ? { verification } : {}),
  };
  backups.push(one);
  return one;
}

/**
 * The small company with a backup server and a week of nightly backups. Not all is well, as nowhere: the newest of dns failed its
 * verification, that of gitlab was never verified, build1 was last backed up three days ago, and the only job that names mail is off.
 */
export function backedUpCompany(now: Date): Inventory {
  const inventory = smallCompany(now);
  const at = Math.floor(now.getTime() / 1000);
  const lastNight = at - (at % DAY) + 2 * HOUR - (at % DAY < 3 * HOUR ? DAY : 0);
  const node = inventory.nodes[0]?.node ?? '';
  inventory.storage.push({
    storage: 'pbs',
    node,
    plugintype: 'pbs',
    content: 'backup',
    shared: true,
    total: 3726 * GB,
    used: 2310 * GB,
    active: true,
  });
  inventory.jobs.push(
    { id: 'backup-nightly', enabled: 1, storage: 'pbs', schedule: '02:00', all: 1, exclude: '108' },
    { id: 'backup-mail', enabled: 0, storage: 'backup-nfs', schedule: 'sun 04:00', vmid: '108' },
  );
  for (const [i, guest] of inventory.guests.entries()) {
    if (guest.template === true) continue;
    if (guest.name === 'mail') {
      addBackup(inventory, guest, 'backup-nfs', lastNight - 41 * DAY);
      continue;
    }
    for (let night = 6; night >= 0; night--) {
      if (guest.name === 'build1' && night < 3) continue;
      const ctime = lastNight - night * DAY + i * 240;
      const verified = verificationAt(guest.name === 'dns' && night === 0 ? 'failed' : 'ok', ctime + 3 * HOUR);
      addBackup(inventory, guest, 'pbs', ctime, guest.name === 'gitlab' && night === 0 ? undefined : verified);
    }
  }
  return inventory;
}

/** Makes the storage of that name show what a simulated backup server holds, as a real one would. */
export function mirrorDatastore(inventory: Inventory, name: string, datastore: SimDatastore): void {
  const at = inventory.storage.findIndex(({ storage }) => storage === name);
  const storage = inventory.storage[at];
  if (storage === undefined) throw new Error(`the simulated host has no storage ${name}`);
  inventory.storage[at] = { ...storage, total: datastore.total, used: datastore.used };
  const others = inventory.backups.filter((one) => one.storage !== name);
  inventory.backups.splice(0, inventory.backups.length, ...others);
  for (const { ns, type, id, time, size, verification } of datastore.snapshots) {
    const guest = inventory.guests.find(({ vmid }) => String(vmid) === id);
    if (guest === undefined || type === 'host' || ns !== '' || size === undefined) continue;
    addBackup(inventory, guest, name, time, verification).size = size;
  }
}
