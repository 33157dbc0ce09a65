import { allowed, dumpPermissions, type SimToken } from './access.ts';
import { nodeRow, nodeStatus, resources } from './answers.ts';
import { backupRoutes } from './backup-routes.ts';
import { type Call, guestOf, type Host, nodeOf, type Reply, type Route, SimError } from './host.ts';
import { interfacesOf } from './guest-config.ts';
import { guestUsage } from './inventory.ts';
import { COUNT, FLAG, NODE, NUMBER, type Parameters, TEXT, VMID } from './parameters.ts';
import { power } from './power.ts';
import type { SimTask } from './tasks.ts';

const GUEST: Parameters = { node: NODE, vmid: VMID };
const TASK: Parameters = { node: NODE, upid: { type: 'string', required: true } };
const AUDIT_VM = ['/vms/{vmid}', 'VM.Audit'] as const;
const POWER_VM = ['/vms/{vmid}', 'VM.PowerMgmt'] as const;
const ACTIONS: Record<'lxc' | 'qemu', Record<string, Parameters>> = {
  lxc: {
    start: { debug: FLAG, skiplock: FLAG },
    stop: { skiplock: FLAG, 'overrule-shutdown': FLAG },
    shutdown: { timeout: COUNT, forceStop: FLAG },
    reboot: { timeout: COUNT },
  },
  qemu: {
    start: { skiplock: FLAG, timeout: COUNT },
    stop: { skiplock: FLAG, timeout: COUNT, keepActive: FLAG, 'overrule-shutdown': FLAG },
    shutdown: { skiplock: FLAG, timeout: COUNT, keepActive: FLAG, forceStop: FLAG },
    reboot: { timeout: COUNT },
  },
};

export const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/version',
    run: ({ host }) => ({
      data: { version: host.version, release: host.version.replace(/\.\d+$/, ''), repoid: '43df2e01f27a1a19' },
    }),
  },
  {
    method: 'GET',
    path: '/access/permissions',
    parameters: { path: TEXT, userid: TEXT },
    run: ({ host, token, p }) => {
      if (p['userid'] !== undefined && p['userid'] !== token.id && !allowed(token, '/access', 'Sys.Audit')) {
        throw new SimError(403, 'Permission check failed (/access, Sys.Audit)\n');
      }
      return { data: dumpPermissions(token, p['path'], host.inventory.guests) };
    },
  },
  {
    method: 'GET',
    path: '/cluster/resources',
    parameters: { type: { type: 'string', enum: ['vm', 'storage', 'node', 'sdn'] } },
    run: ({ host, token, p }) => ({ data: resources(host, token, p['type']) }),
  },
  {
    method: 'GET',
    path: '/nodes',
    run: ({ host, token }) => ({ data: host.inventory.nodes.map((node) => nodeRow(host, token, node)) }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/status',
    parameters: { node: NODE },
    needs: ['/nodes/{node}', 'Sys.Audit'],
    run: ({ host, p }) => ({ data: nodeStatus(host, nodeOf(host, p['node'])) }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/certificates/info',
    parameters: { node: NODE },
    run: ({ host, p }) => ({
      data: host.inventory.certificates
        .filter((certificate) => certificate.node === p['node'])
        .map(({ node: _node, ...rest }, i) => ({
          ...rest,
          'public-key-type': 'rsaEncryption',
          'public-key-bits': i === 0 ? 4096 : 2048,
          fingerprint: Array.from({ length: 32 }, (_, at) => (((at * 37 + i * 91) % 256) + 256).toString(16).slice(-2))
            .join(':')
            .toUpperCase(),
        })),
    }),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/storage',
    parameters: { node: NODE, content: TEXT, enabled: FLAG, format: FLAG, storage: TEXT, target: TEXT },
    run: ({ host, token, p }) => ({
      data: host.inventory.storage
        .filter((s) => s.node === p['node'] && (p['storage'] === undefined || p['storage'] === s.storage))
        .filter((s) => allowed(token, `/storage/${s.storage}`, 'Datastore.Audit', 'Datastore.AllocateSpace'))
        .map(({ storage, plugintype, content, shared, total, used, active }) => ({
          storage,
          type: plugintype,
          content,
          enabled: 1,
          active: active ? 1 : 0,
          shared: shared ? 1 : 0,
          ...(active ? { total, used, avail: total - used, used_fraction: used / total } : {}),
        })),
    }),
  },
  ...(['lxc', 'qemu'] as const).flatMap((type): Route[] => [
    {
      method: 'GET',
      path: `/nodes/{node}/${type}/{vmid}/status/current`,
      parameters: GUEST,
      needs: AUDIT_VM,
      run: ({ host, p }) => {
        const guest = guestOf(host, type, p);
        const { vmid, name, status, cores, maxmem, maxdisk, tags, lock, template } = guest;
        return {
          data: {
            vmid,
            name,
            status,
            cpus: cores,
            maxmem,
            maxdisk,
            ha: { managed: 0 },
            ...(type === 'lxc'
              ? { type, ...guestUsage(guest, host.now()) }
              : withoutDisk(guestUsage(guest, host.now()))),
            ...(type === 'qemu' ? { qmpstatus: status } : {}),
            ...(tags === undefined ? {} : { tags }),
            ...(lock === undefined ? {} : { lock }),
            ...(template === true ? { template: 1 } : {}),
          },
        };
      },
    },
    ...Object.entries(ACTIONS[type]).map(
      ([action, parameters]): Route => ({
        method: 'POST',
        path: `/nodes/{node}/${type}/{vmid}/status/${action}`,
        parameters: { ...GUEST, ...parameters },
        needs: POWER_VM,
        run: async ({ host, token, p }) => {
          if (p['skiplock'] === '1') {
            const errors = { skiplock: 'Only root may use this option.' };
            throw new SimError(400, 'Parameter verification failed.\n', errors);
          }
          return { data: await power(host, guestOf(host, type, p), action, token.id) };
        },
      }),
    ),
  ]),
  {
    method: 'GET',
    path: '/nodes/{node}/lxc/{vmid}/interfaces',
    parameters: GUEST,
    needs: AUDIT_VM,
    run: ({ host, p }) => {
      const guest = guestOf(host, 'lxc', p);
      return { data: guest.status === 'running' ? interfacesOf(guest) : [] };
    },
  },
  ...backupRoutes,
  {
    method: 'GET',
    path: '/nodes/{node}/tasks',
    parameters: {
      node: NODE,
      errors: FLAG,
      limit: COUNT,
      start: COUNT,
      since: NUMBER,
      until: NUMBER,
      source: { type: 'string', enum: ['archive', 'active', 'all'] },
      statusfilter: TEXT,
      typefilter: TEXT,
      userfilter: TEXT,
      vmid: { ...VMID, required: false },
    },
    run: ({ host, token, p }) => taskList(host, token, p),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/status',
    parameters: TASK,
    run: ({ host, token, p }) => {
      const task = taskOf(host, token, p, 'Sys.Audit');
      const { log: _log, endtime: _endtime, exitstatus, ...rest } = task;
      const stopped = exitstatus !== undefined;
      return { data: { ...rest, status: stopped ? 'stopped' : 'running', ...(stopped ? { exitstatus } : {}) } };
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/log',
    parameters: { ...TASK, start: COUNT, limit: COUNT, download: FLAG },
    run: ({ host, token, p }) => {
      const { log } = taskOf(host, token, p, 'Sys.Audit');
      if (log.length === 0) return { data: [{ n: 1, t: 'no content' }], total: 1 };
      const start = Number(p['start'] ?? 0);
      const lines = log.slice(start, start + Number(p['limit'] ?? 50));
      return { data: lines.map((t, i) => ({ n: start + i + 1, t })), total: log.length };
    },
  },
  {
    method: 'DELETE',
    path: '/nodes/{node}/tasks/{upid}',
    parameters: TASK,
    run: ({ host, token, p }) => {
      host.tasks.stop(taskOf(host, token, p, 'Sys.Modify'));
      return { data: null };
    },
  },
];

function taskOf(host: Host, token: SimToken, p: Call['p'], privilege: string): SimTask {
  const upid = p['upid'] ?? '';
  if (!/^UPID:[^:]+:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8}:[^:\s/]+:[^:\s/]*:[^:\s/]+:$/.test(upid)) {
    throw new SimError(400, 'Parameter verification failed.\n', { upid: 'unable to parse worker upid' });
  }
  const task = host.tasks.find(p['node'] ?? '', upid);
  const owner = upid.split(':')[7];
  if (owner !== token.id && !allowed(token, `/nodes/${p['node']}`, privilege)) {
    throw new SimError(403, `Permission check failed (/nodes/${p['node']}, ${privilege})\n`);
  }
  if (task === undefined) throw new SimError(400, 'Parameter verification failed.\n', { upid: 'no such task' });
  return task;
}

/** Own tasks only, without a word about it, unless the caller may audit the node. */
function taskList(host: Host, token: SimToken, p: Call['p']): Reply {
  const auditor = allowed(token, `/nodes/${p['node']}`, 'Sys.Audit');
  const source = p['source'] ?? 'archive';
  const failed = (task: SimTask) => task.exitstatus !== 'OK' && !/^WARNINGS: \d+$/.test(task.exitstatus ?? '');
  const rows = host.tasks.all
    .filter((task) => task.node === p['node'] && (auditor || task.user === token.id))
    .filter((task) => source === 'all' || (source === 'active') === (task.exitstatus === undefined))
    .filter((task) => p['since'] === undefined || task.starttime >= Number(p['since']))
    .filter((task) => p['until'] === undefined || task.starttime <= Number(p['until']))
    .filter((task) => p['typefilter'] === undefined || task.type.includes(p['typefilter']))
    .filter((task) => p['userfilter'] === undefined || task.user.includes(p['userfilter']))
    .filter((task) => p['vmid'] === undefined || task.id === p['vmid'])
    .filter((task) => p['errors'] !== '1' || failed(task));
  const start = Number(p['start'] ?? 0);
  const page = rows.slice(start, start + Number(p['limit'] ?? 50));
  return {
    data: page.map(({ log: _log, exitstatus, endtime, ...rest }) => ({
      ...rest,
      ...(endtime === undefined ? {} : { endtime }),
      ...(exitstatus === undefined ? {} : { status: exitstatus }),
    })),
    total: rows.length,
  };
}

function withoutDisk({ disk: _disk, ...rest }: ReturnType<typeof guestUsage>) {
  return rest;
}
