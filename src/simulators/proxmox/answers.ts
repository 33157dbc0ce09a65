import { allowed, type SimToken } from './access.ts';
import { type Host, may } from './host.ts';
import { guestUsage, type SimGuest, type SimNode, swing } from './inventory.ts';

export function resources(host: Host, token: SimToken, type: string | undefined): unknown[] {
  const { inventory } = host;
  const wanted = (kind: string) => type === undefined || type === kind;
  return [
    ...(wanted('vm') ? inventory.guests : [])
      .filter((guest) => may(host, token, `/vms/${guest.vmid}`, 'VM.Audit'))
      .map((guest) => guestRow(guest, host.now())),
    ...(wanted('node') ? inventory.nodes : []).map((node) => {
      const row = nodeRow(host, token, node);
      return { ...row, ...(allowed(token, `/nodes/${node.node}`, 'Sys.Audit') ? { 'cgroup-mode': 2 } : {}) };
    }),
    ...(wanted('storage') ? inventory.storage : [])
      .filter((s) => allowed(token, `/storage/${s.storage}`, 'Datastore.Audit'))
      .map(({ storage, node, plugintype, content, shared, total, used, active }) => ({
        id: `storage/${node}/${storage}`,
        type: 'storage',
        storage,
        node,
        plugintype,
        content,
        shared: shared ? 1 : 0,
        status: active ? 'available' : 'unknown',
        ...(active ? { disk: used, maxdisk: total } : { disk: 0, maxdisk: 0 }),
      })),
    ...(wanted('sdn') ? inventory.nodes : [])
      .filter(() => allowed(token, '/sdn/zones/localnetwork', 'SDN.Audit'))
      .map(({ node }) => ({ id: `sdn/${node}/localnetwork`, type: 'sdn', sdn: 'localnetwork', node, status: 'ok' })),
  ];
}

function guestRow(guest: SimGuest, now: number) {
  const { vmid, type, name, node, status, template, tags, cores, maxmem, maxdisk, lock } = guest;
  return {
    id: `${type}/${vmid}`,
    type,
    vmid,
    name,
    node,
    status,
    template: template === true ? 1 : 0,
    maxcpu: cores,
    maxmem,
    maxdisk,
    ...guestUsage(guest, now),
    ...(tags === undefined ? {} : { tags }),
    ...(lock === undefined ? {} : { lock }),
    ...(guest.pool === undefined ? {} : { pool: guest.pool }),
  };
}

/** Without Sys.Audit the node is still named, but nothing is told of it. */
export function nodeRow(host: Host, token: SimToken, entry: SimNode) {
  const { node, online, cores, maxmem, maxdisk, load, bootedAt } = entry;
  const named = { id: `node/${node}`, type: 'node', node, status: online ? 'online' : 'offline' };
  if (!online || !allowed(token, `/nodes/${node}`, 'Sys.Audit')) return named;
  const now = host.now();
  return {
    ...named,
    level: '',
    cpu: swing(load.cpu, 1, now),
    maxcpu: cores,
    mem: Math.round(swing(load.mem, 2, now) * maxmem),
    maxmem,
    disk: Math.round(load.disk * maxdisk),
    maxdisk,
    uptime: now - bootedAt,
  };
}

export function nodeStatus(host: Host, { cores, model, maxmem, maxdisk, load, bootedAt }: SimNode) {
  const now = host.now();
  const used = Math.round(swing(load.mem, 2, now) * maxmem);
  const rootUsed = Math.round(load.disk * maxdisk);
  const cpu = swing(load.cpu, 1, now);
  return {
    pveversion: `pve-manager/${host.version}/43df2e01f27a1a19`,
    kversion: 'Linux 6.17.4-1-pve #1 SMP PREEMPT_DYNAMIC PMX 6.17.4-1',
    'current-kernel': {
      sysname: 'Linux',
      release: '6.17.4-1-pve',
      version: '#1 SMP PREEMPT_DYNAMIC PMX 6.17.4-1',
      machine: 'x86_64',
    },
    'boot-info': { mode: 'efi', secureboot: 0 },
    cpu,
    wait: cpu / 40,
    cpuinfo: { model, sockets: 1, cores: cores / 2, cpus: cores },
    loadavg: [1, 0.93, 0.88].map((factor) => (cpu * cores * factor).toFixed(2)),
    memory: { total: maxmem, used, free: maxmem - used, available: maxmem - used },
    swap: { total: 8 * 1024 ** 3, used: 0, free: 8 * 1024 ** 3 },
    rootfs: { total: maxdisk, used: rootUsed, free: maxdisk - rootUsed, avail: maxdisk - rootUsed },
    uptime: now - bootedAt,
  };
}
