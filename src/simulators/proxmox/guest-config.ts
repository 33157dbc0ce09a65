import { createHash } from 'node:crypto';
import type { Random } from '../../core/random.ts';
import type { SimGuest } from './inventory.ts';

const GB = 1024 ** 3;
const MB = 1024 ** 2;

/** The options of a guest; made up from its figures when nobody has set any. The same object each time. */
export function configOf(guest: SimGuest): Record<string, string> {
  guest.config ??= guest.type === 'lxc' ? container(guest) : machine(guest);
  return guest.config;
}

function container({ vmid, name, cores, maxmem, maxdisk, tags }: SimGuest): Record<string, string> {
  return {
    arch: 'amd64',
    cores: String(cores),
    features: 'nesting=1',
    hostname: name,
    memory: String(maxmem / MB),
    net0: `name=eth0,bridge=vmbr0,firewall=1,hwaddr=${mac(vmid)},ip=dhcp,type=veth`,
    onboot: '1',
    ostype: 'debian',
    rootfs: `local-zfs:subvol-${vmid}-disk-0,size=${maxdisk / GB}G`,
    swap: '512',
    unprivileged: '1',
    ...(tags === undefined ? {} : { tags }),
  };
}

function machine({ vmid, name, cores, maxmem, maxdisk, tags }: SimGuest): Record<string, string> {
  return {
    agent: '1',
    boot: 'order=scsi0;ide2;net0',
    cores: String(cores),
    ide2: 'none,media=cdrom',
    memory: String(maxmem / MB),
    name,
    net0: `virtio=${mac(vmid)},bridge=vmbr0,firewall=1`,
    onboot: '1',
    ostype: 'l26',
    scsi0: `local-zfs:vm-${vmid}-disk-0,iothread=1,size=${maxdisk / GB}G`,
    scsihw: 'virtio-scsi-single',
    smbios1: `uuid=00000000-0000-4000-8000-${String(vmid).padStart(12, '0')}`,
    sockets: '1',
    ...(tags === undefined ? {} : { tags }),
  };
}

/** What is seen from inside: the loopback, the first interface, and a bridge of containers that every guest has alike. */
export function interfacesOf({ vmid, addresses = [] }: SimGuest) {
  const one = (name: string, hardware: string, all: readonly string[]) => {
    const v6 = all.find((address) => address.includes(':'));
    const v4 = all.find((address) => !address.includes(':'));
    return {
      name,
      hwaddr: hardware,
      'hardware-address': hardware,
      ...(v4 === undefined ? {} : { inet: v4 }),
      ...(v6 === undefined ? {} : { inet6: v6 }),
      'ip-addresses': all.map((address) => ({
        'ip-address': address.split('/')[0] ?? '',
        'ip-address-type': address.includes(':') ? 'inet6' : 'inet',
        prefix: Number(address.split('/')[1]),
      })),
    };
  };
  const own = mac(vmid).toLowerCase();
  return [
    one('lo', '00:00:00:00:00:00', ['127.0.0.1/8', '::1/128']),
    one('eth0', own, [...addresses, 'fe80::be24:11ff:fe00:1/64']),
    one('docker0', own, ['172.17.0.1/16']),
  ];
}

const mac = (seed: number): string =>
  `BC:24:11:${[seed >> 16, seed >> 8, seed].map((n) => (n & 255).toString(16).toUpperCase().padStart(2, '0')).join(':')}`;

/** The digest that guards against changes in between. */
export const digestOf = (config: Readonly<Record<string, string>>): string =>
  createHash('sha1').update(configText(config)).digest('hex');

/** As the file has it, which lies in a backup. */
export const configText = (config: Readonly<Record<string, string>>): string =>
  Object.entries(config)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

/**
 * What a restore makes of a backed-up configuration: disks of the new number on the new storage, new network addresses, new ids. What is
 * no disk is taken over as it is, devices of the host too.
 */
export function restoredConfig(
  backedUp: Readonly<Record<string, string>>,
  to: { readonly vmid: number; readonly storage: string },
  random: Random,
): Record<string, string> {
  const fresh = (): string => mac(random.bytes(3).readUIntBE(0, 3));
  let disk = 0;
  const entries = Object.entries(backedUp).map(([name, value]): [string, string] => {
    if (/^net\d+$/.test(name)) return [name, value.replace(/(?:[0-9A-F]{2}:){5}[0-9A-F]{2}/i, fresh)];
    if (/^(?:rootfs|mp\d+)$/.test(name) && !value.startsWith('/'))
      return [name, value.replace(/^[^,]*/, `${to.storage}:subvol-${to.vmid}-disk-${disk++}`)];
    if (/^(?:scsi|sata|ide|virtio|efidisk|tpmstate)\d+$/.test(name) && /^(?!\/)[^,]+:(?!iso\/)/.test(value))
      return [name, value.replace(/^[^,]*/, `${to.storage}:vm-${to.vmid}-disk-${disk++}`)];
    if (name === 'smbios1') return [name, `uuid=${uuid(random)}`];
    return [name, value];
  });
  return Object.fromEntries(entries);
}

const uuid = (random: Random): string =>
  random
    .bytes(16)
    .toString('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
