import { backupOf, content, destroy, restore, storageOf, vzdump } from './backups.ts';
import { configOf, configText, digestOf, interfacesOf } from './guest-config.ts';
import { type Call, guestOf, type Host, may, need, type Route, SimError } from './host.ts';
import type { SimGuest, SimJob } from './inventory.ts';
import { FLAG, NODE, type Parameters, TEXT, VMID } from './parameters.ts';

const STORAGE: Parameters = { node: NODE, storage: { type: 'string', required: true } };
const GUEST: Parameters = { node: NODE, vmid: VMID };
const AUDIT = ['/', 'Sys.Audit'] as const;

/** Options that a change may set, beside those that it deletes. */
const OPTIONS: Parameters = {
  delete: TEXT,
  digest: TEXT,
  description: TEXT,
  onboot: FLAG,
  protection: FLAG,
  tags: TEXT,
  ...Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`net${n}`, TEXT])),
};

/** Which privilege an option needs; those of the first kind belong to root alone. */
const PRIVILEGES: readonly (readonly [RegExp, string])[] = [
  [/^(?:hookscript|dev\d+|hostpci\d+|args)$/, 'root'],
  [/^net\d+$/, 'VM.Config.Network'],
  [/^(?:rootfs|mp\d+|scsi\d+|sata\d+|virtio\d+|unused\d+)$/, 'VM.Config.Disk'],
  [/^usb\d+$/, 'VM.Config.HWType'],
  [/^/, 'VM.Config.Options'],
];

export const backupRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/cluster/backup',
    needs: AUDIT,
    run: ({ host }) => ({
      data: host.inventory.jobs.map((job) => ({
        type: 'vzdump',
        mode: 'snapshot',
        'notes-template': '{{guestname}}',
        'next-run': host.now() + 3600,
        ...job,
      })),
    }),
  },
  {
    method: 'GET',
    path: '/cluster/backup/{id}/included_volumes',
    parameters: { id: { type: 'string', required: true } },
    needs: AUDIT,
    run: ({ host, token, p }) => {
      const job = host.inventory.jobs.find(({ id }) => id === p['id']);
      if (job === undefined)
        throw new SimError(400, `Parameter verification failed.\n`, { id: `No such job '${p['id']}'` });
      const named = host.inventory.guests.filter((guest) => covers(job, guest));
      const seen = named.filter(({ vmid }) => may(host, token, `/vms/${vmid}`, 'VM.Audit'));
      return { data: { id: 'root', children: seen.map(volumesOf) } };
    },
  },
  {
    method: 'GET',
    path: '/cluster/backup-info/not-backed-up',
    needs: AUDIT,
    run: ({ host, token }) => ({
      data: host.inventory.guests
        .filter((guest) => !host.inventory.jobs.some((job) => covers(job, guest)))
        .filter(({ vmid }) => may(host, token, `/vms/${vmid}`, 'VM.Audit'))
        .map(({ vmid, type, name }) => ({ vmid, type, name })),
    }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/storage/{storage}/content',
    parameters: { ...STORAGE, content: TEXT, vmid: { ...VMID, required: false } },
    run: ({ host, token, p }) => {
      need(host, token, `/storage/${p['storage']}`, 'Datastore.Audit', 'Datastore.AllocateSpace');
      return { data: content(host, token, p) };
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/storage/{storage}/status',
    parameters: STORAGE,
    run: ({ host, token, p }) => {
      need(host, token, `/storage/${p['storage']}`, 'Datastore.Audit', 'Datastore.AllocateSpace');
      const { plugintype, content, shared, total, used, active } = storageOf(host, p['node'], p['storage']);
      const figures = active ? { total, used, avail: total - used } : { total: 0, used: 0, avail: 0 };
      const data = {
        type: plugintype,
        content,
        shared: shared ? 1 : 0,
        enabled: 1,
        active: active ? 1 : 0,
        ...figures,
      };
      return { data };
    },
  },
  {
    method: 'POST',
    path: '/nodes/{node}/vzdump',
    parameters: {
      node: NODE,
      vmid: TEXT,
      storage: TEXT,
      mode: { type: 'string', enum: ['snapshot', 'suspend', 'stop'] },
      compress: { type: 'string', enum: ['0', '1', 'gzip', 'lzo', 'zstd'] },
      'notes-template': TEXT,
      all: FLAG,
    },
    run: ({ host, token, p }) => ({ data: vzdump(host, token, p) }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/vzdump/extractconfig',
    parameters: { node: NODE, volume: { type: 'string', required: true } },
    run: ({ host, token, p }) => ({ data: configText(backupOf(host, token, p['volume']).config) }),
  },
  ...(['lxc', 'qemu'] as const).flatMap((type): Route[] => [
    {
      method: 'POST',
      path: `/nodes/{node}/${type}`,
      parameters: {
        ...GUEST,
        storage: TEXT,
        unique: FLAG,
        start: FLAG,
        onboot: FLAG,
        description: TEXT,
        pool: TEXT,
        force: FLAG,
        ...(type === 'lxc'
          ? { ostemplate: { type: 'string', required: true } as const, restore: FLAG, hostname: TEXT }
          : { archive: { type: 'string', required: true } as const, name: TEXT }),
      },
      run: ({ host, token, p }) => {
        if (type === 'lxc' && p['restore'] !== '1')
          throw new SimError(500, 'the simulated host makes no new containers\n');
        return { data: restore(host, token, type, p) };
      },
    },
    {
      method: 'GET',
      path: `/nodes/{node}/${type}/{vmid}/config`,
      parameters: { ...GUEST, current: FLAG, snapshot: TEXT },
      needs: ['/vms/{vmid}', 'VM.Audit'],
      run: ({ host, p }) => {
        const config = configOf(guestOf(host, type, p));
        const figures = [
          'cores',
          'onboot',
          'protection',
          'swap',
          'unprivileged',
          'sockets',
          ...(type === 'lxc' ? ['memory'] : []),
        ];
        const entries = Object.entries(config).map(([k, v]) => [k, figures.includes(k) ? Number(v) : v] as const);
        return { data: { ...Object.fromEntries(entries), digest: digestOf(config) } };
      },
    },
    {
      method: 'PUT',
      path: `/nodes/{node}/${type}/{vmid}/config`,
      parameters: { ...GUEST, ...OPTIONS },
      run: ({ host, token, p }) => {
        change(host, token, guestOf(host, type, p), p);
        return { data: null };
      },
    },
    {
      method: 'DELETE',
      path: `/nodes/{node}/${type}/{vmid}`,
      parameters: {
        ...GUEST,
        purge: FLAG,
        'destroy-unreferenced-disks': FLAG,
        ...(type === 'lxc' ? { force: FLAG } : { skiplock: FLAG }),
      },
      needs: ['/vms/{vmid}', 'VM.Allocate'],
      run: ({ host, token, p }) => ({ data: destroy(host, token, guestOf(host, type, p), p) }),
    },
  ]),
  {
    method: 'POST',
    path: '/nodes/{node}/qemu/{vmid}/agent/ping',
    parameters: GUEST,
    run: (call) => {
      agentOf(call);
      return { data: { result: {} } };
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces',
    parameters: GUEST,
    run: (call) => ({
      // In the words of the agent, which knows nothing of `inet` and `hwaddr`.
      data: {
        result: interfacesOf(agentOf(call)).map((one) => ({
          name: one.name,
          'hardware-address': one['hardware-address'],
          'ip-addresses': one['ip-addresses'],
        })),
      },
    }),
  },
];

/** A machine whose agent answers this token. */
function agentOf({ host, token, p }: Call): SimGuest {
  need(host, token, `/vms/${p['vmid']}`, 'VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted');
  const guest = guestOf(host, 'qemu', p);
  if (!/^1|enabled=1/.test(configOf(guest)['agent'] ?? '')) throw new SimError(500, 'No QEMU guest agent configured\n');
  if (guest.status !== 'running') throw new SimError(500, `VM ${guest.vmid} is not running\n`);
  const isUp = host.now() - guest.startedAt >= (guest.agentAfterSeconds ?? 20);
  if (!isUp) throw new SimError(500, 'QEMU guest agent is not running\n');
  return guest;
}

/** Whether a job names a guest, whether or not the job is switched on. Source: `PVE/VZDump.pm`, `get_included_guests`. */
function covers(job: SimJob, guest: SimGuest): boolean {
  if (job.node !== undefined && job.node !== guest.node) return false;
  const has = (list: string | undefined) => (list ?? '').split(',').includes(String(guest.vmid));
  if (job.vmid !== undefined) return has(job.vmid);
  if (job.pool !== undefined) return job.pool === guest.pool;
  return !has(job.exclude);
}

/** The disks of a guest, and which of them a backup takes. Source: `PVE/API2/Backup.pm`, `get_volume_backup_included`. */
function volumesOf(guest: SimGuest) {
  const disks = Object.entries(configOf(guest)).filter(
    ([key, value]) => /^(?:rootfs|(?:mp|scsi|sata|ide|virtio)\d+)$/.test(key) && !value.includes('media=cdrom'),
  );
  const children = disks.map(([key, value]) => {
    const isMount = /^mp\d+$/.test(key);
    const included = isMount ? value.includes('backup=1') && !value.startsWith('/') : !value.includes('backup=0');
    const reason = isMount ? (included ? 'enabled' : 'disabled') : included ? 'enabled' : 'backup=no';
    return { id: key, name: value.split(',')[0], included: included ? 1 : 0, reason };
  });
  return { id: guest.vmid, name: guest.name, type: guest.type, children };
}

function change(host: Host, token: Call['token'], guest: SimGuest, p: Call['p']): void {
  const config = configOf(guest);
  const { digest } = p;
  const gone = (p['delete'] ?? '').split(/[,;\s]+/).filter((one) => one !== '');
  const set = Object.entries(p).filter(([name]) => !['node', 'vmid', 'delete', 'digest'].includes(name));
  for (const name of [...gone, ...set.map(([key]) => key)]) {
    const privilege = PRIVILEGES.find(([pattern]) => pattern.test(name))?.[1] ?? '';
    if (privilege === 'root') throw new SimError(500, `only root can set '${name}' config\n`);
    need(host, token, `/vms/${guest.vmid}`, privilege);
  }
  if (guest.lock !== undefined)
    throw new SimError(500, `${guest.type === 'lxc' ? 'CT' : 'VM'} is locked (${guest.lock})\n`);
  if (digest !== undefined && digest !== digestOf(config)) {
    throw new SimError(500, 'checksum mismatch (file change by other user?)\n');
  }
  for (const name of gone) delete config[name];
  for (const [name, value] of set) config[name] = value;
  const boot = config['boot'];
  // A device that is gone is booted from no more.
  if (boot !== undefined) {
    const order = boot
      .replace('order=', '')
      .split(';')
      .filter((one) => !gone.includes(one));
    config['boot'] = `order=${order.join(';')}`;
  }
}
