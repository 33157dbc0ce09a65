import type { GuestConfig } from './backup-port.ts';

/** A configuration file as it lies in a backup: its options, without comments, snapshots and raw `lxc.` lines. */
export function parseConfig(text: string): GuestConfig {
  const options: Record<string, string> = {};
  for (const line of text.split('\n')) {
    // What follows are snapshots of it.
    if (/^\[.+\]\s*$/.test(line)) break;
    const [, name, value = ''] = /^([a-z][a-z0-9_-]*):\s*(.*?)\s*$/i.exec(line) ?? [];
    if (name !== undefined) options[name] = value;
  }
  return options;
}

export const networksOf = (config: GuestConfig): string[] =>
  Object.keys(config)
    .filter((name) => /^net\d+$/.test(name))
    .sort();

export interface Disk {
  readonly key: string;
  /** `local-zfs:subvol-101-disk-0`, or a path of the host. */
  readonly volume: string;
  /** As it is written: `32G`. */
  readonly size?: string;
  /** A CD drive, or the disk of cloud-init. */
  readonly isMedia: boolean;
  /** Not in backups: so marked, or a mount point of a container that is not marked to be. */
  readonly isExcluded: boolean;
}

const DISK = /^(?:rootfs|(?:mp|scsi|sata|ide|virtio|efidisk|tpmstate)\d+)$/;

export function disksOf(config: GuestConfig): Disk[] {
  return Object.entries(config)
    .filter(([key]) => DISK.test(key))
    .map(([key, text]): Disk => {
      const [first = '', ...rest] = text.split(',');
      const options = new Map(rest.map((part) => part.split('=', 2) as [string, string]));
      const size = options.get('size');
      const backup = options.get('backup');
      return {
        key,
        volume: first.replace(/^(?:volume|file)=/, ''),
        ...(size === undefined ? {} : { size }),
        isMedia: options.get('media') === 'cdrom' || first.includes('cloudinit'),
        isExcluded: /^mp\d+$/.test(key) ? backup !== '1' : backup === '0',
      };
    })
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Devices and programs of the host, which a copy would take from the original, or run a second time. */
const REACHES_OUT = /^(?:net|hostpci|usb|dev|virtiofs|parallel)\d+$|^(?:hookscript|args)$/;

/**
 * The options by which a copy with this number could touch anything but itself: networks, devices and folders of the host, disks of
 * another guest. It may be started when there are none.
 */
export function reachesOut(config: GuestConfig, vmid: number): string[] {
  const own = new RegExp(`(?:^|[-:/])(?:vm|subvol|base)-${vmid}-`);
  const disks = disksOf(config)
    .filter(({ volume, isMedia }) => !own.test(volume) && !(isMedia && !volume.startsWith('/dev/')))
    .map(({ key }) => key);
  // A serial port on a socket is inside; any other is a device of the host.
  const isPort = (name: string, value: string): boolean => /^serial\d+$/.test(name) && value !== 'socket';
  const devices = Object.entries(config)
    .filter(([name, value]) => REACHES_OUT.test(name) || isPort(name, value))
    .map(([name]) => name);
  return [...new Set([...devices, ...disks])].sort();
}

/** Differ for good reason in a copy: what it is called, what the drill cuts off, what the host numbers anew. */
const OWN =
  /^(?:digest|hostname|name|description|onboot|protection|lock|parent|snaptime|snapstate|meta|vmgenid|smbios1|template|startup|vmstate|running.*|pool)$/;

/** What of the backed-up options is not so in the copy: `memory`, `scsi0 (32G → 8G)`. */
export function differences(backedUp: GuestConfig, copy: GuestConfig): string[] {
  const isCompared = (name: string): boolean =>
    !OWN.test(name) && !REACHES_OUT.test(name) && !DISK.test(name) && !/^unused\d+$/.test(name);
  const names = [...new Set([...Object.keys(backedUp), ...Object.keys(copy)])].filter(isCompared);
  const options = names.filter((name) => normal(name, backedUp[name]) !== normal(name, copy[name]));
  const copied = new Map(disksOf(copy).map((disk) => [disk.key, disk]));
  const disks = disksOf(backedUp).flatMap(({ key, size, isMedia, isExcluded }) => {
    if (isMedia || isExcluded) return [];
    const other = copied.get(key);
    if (other === undefined) return [`${key} (${size ?? '?'} → 0)`];
    return other.size === size ? [] : [`${key} (${size ?? '?'} → ${other.size ?? '?'})`];
  });
  return [...options, ...disks].sort();
}

/** Networks are cut off, so they are booted from no more. */
const normal = (name: string, value: string | undefined): string | undefined =>
  name === 'boot' ? value?.replace(/;?net\d+/g, '').replace('=;', '=') : value;
