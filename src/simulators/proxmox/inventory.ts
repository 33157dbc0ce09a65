/** What the simulated host consists of. Sizes in bytes, times in seconds, loads as fractions. */
export interface SimGuest {
  readonly vmid: number;
  readonly type: 'lxc' | 'qemu';
  name: string;
  node: string;
  status: 'running' | 'stopped';
  readonly template?: boolean;
  readonly tags?: string;
  readonly cores: number;
  readonly maxmem: number;
  readonly maxdisk: number;
  /** Where the load swings around. */
  readonly load: { readonly cpu: number; readonly mem: number; readonly disk: number };
  /** Configuration lock: `backup`, `migrate`, `snapshot` … */
  lock?: string | undefined;
  /** Seconds since the epoch at which it was started. */
  startedAt: number;
  /** Its resource pool. */
  pool?: string;
  /** Options as the configuration file has them; made up from the figures above when absent. */
  config?: Record<string, string>;
  /** Addresses of its first interface, with prefix: `192.168.10.31/24`. */
  addresses?: readonly string[];
  /** How long after its start the guest agent of a machine answers; default 20 s. */
  agentAfterSeconds?: number;
}

/** A backup that lies in a storage. */
export interface SimBackup {
  readonly storage: string;
  readonly volid: string;
  readonly vmid: number;
  readonly type: 'lxc' | 'qemu';
  readonly name: string;
  /** Seconds since the epoch. */
  readonly ctime: number;
  size: number;
  readonly notes: string;
  readonly isProtected?: boolean;
  /** What a backup server tells; absent: never verified. */
  verification?: { readonly state: string; readonly upid: string } | undefined;
  /** The configuration file that lies in it. */
  readonly config: Readonly<Record<string, string>>;
}

/** A scheduled backup job, with the names of the host's own schema. */
export interface SimJob {
  readonly id: string;
  readonly enabled?: 0 | 1;
  readonly storage: string;
  readonly schedule: string;
  readonly all?: 1;
  vmid?: string;
  readonly exclude?: string;
  readonly pool?: string;
  readonly node?: string;
}

export interface SimNode {
  readonly node: string;
  online: boolean;
  readonly cores: number;
  readonly model: string;
  readonly maxmem: number;
  readonly maxdisk: number;
  readonly load: { readonly cpu: number; readonly mem: number; readonly disk: number };
  bootedAt: number;
}

export interface SimStorage {
  readonly storage: string;
  readonly node: string;
  readonly plugintype: string;
  readonly content: string;
  readonly shared: boolean;
  readonly total: number;
  used: number;
  active: boolean;
}

export interface SimCertificate {
  readonly node: string;
  readonly filename: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notbefore: number;
  notafter: number;
  readonly san: readonly string[];
}

export interface Inventory {
  readonly nodes: SimNode[];
  readonly guests: SimGuest[];
  readonly storage: SimStorage[];
  readonly certificates: SimCertificate[];
  readonly backups: SimBackup[];
  readonly jobs: SimJob[];
}

const MB = 1024 ** 2;
const GB = 1024 ** 3;
const DAY = 86_400;

/** One host with eight containers, one VM and one template, as a small company runs them. */
export function smallCompany(now: Date): Inventory {
  const at = Math.floor(now.getTime() / 1000);
  const booted = at - 47 * DAY;
  const node = 'pve1';
  const lxc = (
    vmid: number,
    name: string,
    cores: number,
    mem: number,
    disk: number,
    load: SimGuest['load'],
    tags: string,
  ): SimGuest => ({
    vmid,
    type: 'lxc',
    name,
    node,
    status: 'running',
    tags,
    cores,
    maxmem: mem * MB,
    maxdisk: disk * GB,
    load,
    startedAt: booted + 60 + vmid,
  });
  return {
    nodes: [
      {
        node,
        online: true,
        cores: 16,
        model: 'AMD Ryzen 9 5950X 16-Core Processor',
        maxmem: 64 * GB,
        maxdisk: 94 * GB,
        load: { cpu: 0.17, mem: 0.66, disk: 0.24 },
        bootedAt: booted,
      },
    ],
    guests: [
      lxc(101, 'pg1', 4, 8192, 120, { cpu: 0.22, mem: 0.71, disk: 0.58 }, 'db;prod'),
      lxc(102, 'docker1', 4, 8192, 80, { cpu: 0.31, mem: 0.64, disk: 0.49 }, 'docker;prod'),
      lxc(103, 'gitlab', 4, 12_288, 150, { cpu: 0.18, mem: 0.82, disk: 0.63 }, 'prod'),
      lxc(104, 'nginx', 2, 1024, 8, { cpu: 0.04, mem: 0.31, disk: 0.27 }, 'prod;web'),
      lxc(105, 'dns', 1, 512, 4, { cpu: 0.02, mem: 0.24, disk: 0.35 }, 'infra'),
      lxc(106, 'vault', 1, 1024, 8, { cpu: 0.03, mem: 0.38, disk: 0.21 }, 'infra'),
      lxc(107, 'monitoring', 2, 4096, 60, { cpu: 0.27, mem: 0.69, disk: 0.72 }, 'infra'),
      lxc(108, 'mail', 2, 2048, 40, { cpu: 0.05, mem: 0.52, disk: 0.66 }, 'prod'),
      {
        vmid: 201,
        type: 'qemu',
        name: 'build1',
        node,
        status: 'running',
        tags: 'ci',
        cores: 4,
        maxmem: 8192 * MB,
        maxdisk: 64 * GB,
        load: { cpu: 0.12, mem: 0.55, disk: 0 },
        startedAt: at - 9 * DAY,
      },
      {
        vmid: 9000,
        type: 'lxc',
        name: 'debian-13-template',
        node,
        status: 'stopped',
        template: true,
        cores: 1,
        maxmem: 512 * MB,
        maxdisk: 4 * GB,
        load: { cpu: 0, mem: 0, disk: 0 },
        startedAt: 0,
      },
    ],
    storage: [
      storage('local', 'dir', 'iso,vztmpl,backup', false, 94, 0.24),
      storage('local-zfs', 'zfspool', 'images,rootdir', false, 1788, 0.57),
      storage('backup-nfs', 'nfs', 'backup', true, 3726, 0.71),
    ],
    backups: [],
    jobs: [],
    certificates: [
      {
        node,
        filename: 'pve-root-ca.pem',
        subject: '/CN=Proxmox Virtual Environment/OU=6b1f0a52-7d0e-4c39-9a5e-2f6f8f3f7a11/O=PVE Cluster Manager CA',
        issuer: '/CN=Proxmox Virtual Environment/OU=6b1f0a52-7d0e-4c39-9a5e-2f6f8f3f7a11/O=PVE Cluster Manager CA',
        notbefore: at - 400 * DAY,
        notafter: at + 3250 * DAY,
        san: [],
      },
      {
        node,
        filename: 'pve-ssl.pem',
        subject: '/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN=pve1.lan',
        issuer: '/CN=Proxmox Virtual Environment/OU=6b1f0a52-7d0e-4c39-9a5e-2f6f8f3f7a11/O=PVE Cluster Manager CA',
        notbefore: at - 400 * DAY,
        notafter: at + 330 * DAY,
        san: ['127.0.0.1', '::1', 'localhost', '192.168.1.10', 'pve1', 'pve1.lan'],
      },
    ],
  };

  function storage(
    name: string,
    plugintype: string,
    content: string,
    shared: boolean,
    gigabytes: number,
    used: number,
  ): SimStorage {
    const total = gigabytes * GB;
    return { storage: name, node, plugintype, content, shared, total, used: Math.round(total * used), active: true };
  }
}

/**
 * A load that swings around `base` with the hour and the minute, the same for the same instant: two readings at one
 * time agree, readings over time draw a plausible curve. `seed` keeps the guests out of step.
 */
export function swing(base: number, seed: number, atSeconds: number): number {
  const day = Math.sin((2 * Math.PI * (atSeconds + seed * 997)) / DAY);
  const minute = Math.sin((2 * Math.PI * (atSeconds + seed * 31)) / 173);
  return Math.max(0, Math.min(1, base * (1 + 0.18 * day + 0.09 * minute)));
}

/** Usage figures of a guest as `/cluster/resources` and `status/current` print them: zeroes when it is stopped. */
export function guestUsage(guest: SimGuest, at: number) {
  const on = guest.status === 'running';
  const uptime = on ? Math.max(0, at - guest.startedAt) : 0;
  const { cpu, mem, disk } = guest.load;
  return {
    cpu: on ? swing(cpu, guest.vmid, at) : 0,
    mem: on ? Math.round(swing(mem, guest.vmid + 1, at) * guest.maxmem) : 0,
    disk: on && guest.type === 'lxc' ? Math.round(disk * guest.maxdisk) : 0,
    uptime,
    netin: uptime * 4096 * (guest.vmid % 7),
    netout: uptime * 2048 * (guest.vmid % 5),
    diskread: uptime * 8192 * (guest.vmid % 3),
    diskwrite: uptime * 6144 * (guest.vmid % 4),
  };
}
