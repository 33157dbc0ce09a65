import { allowed, dumpPermissions, type SimToken } from './access.ts';
import { type Call, forbidden, type Host, type Reply, type Route, SimError, storeOf } from './host.ts';
import { ANY_STORE, COUNT, DEPTH, FLAG, ID, NODE, NS, STORE, TEXT, THREADS, TIME, TYPE, UPID } from './parameters.ts';
import { HISTORY_STEP, type SimDatastore, type SimJob, type SimSnapshot } from './state.ts';
import type { SimTask } from './tasks.ts';
import { verify } from './verify.ts';

const TASK = { node: NODE, upid: UPID };

export const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/version',
    run: ({ host }) => {
      const [major, minor, release] = host.version.split('.');
      return { data: { version: `${major}.${minor}`, release: release ?? '1', repoid: 'f8c7b2a1d3e4f5a6' } };
    },
  },
  {
    method: 'GET',
    path: '/access/permissions',
    parameters: { 'auth-id': TEXT, path: TEXT },
    run: ({ token, p }) => {
      const other = p['auth-id'] !== undefined && p['auth-id'] !== token.id;
      if (other && !allowed(token, '/access', 'Sys.Audit')) throw forbidden();
      return { data: dumpPermissions(token, p['path']) };
    },
  },
  { method: 'GET', path: '/status/datastore-usage', run: ({ host, token }) => ({ data: usage(host, token) }) },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/status',
    parameters: { store: STORE, verbose: FLAG },
    run: ({ host, token, p }) => {
      if (!allowed(token, `/datastore/${p['store']}`, 'Datastore.Audit', 'Datastore.Backup')) throw forbidden();
      const { total, used } = storeOf(host, p['store']);
      return { data: { total, used, avail: total - used, 'backend-type': 'filesystem' } };
    },
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/namespace',
    parameters: { store: STORE, parent: NS, 'max-depth': DEPTH },
    run: ({ host, token, p }) => {
      const store = storeOf(host, p['store']);
      const visible = ['', ...store.namespaces].filter((ns) =>
        allowed(token, aclPath(store.name, ns), 'Datastore.Audit', 'Datastore.Modify', 'Datastore.Backup'),
      );
      if (visible.length === 0) throw forbidden();
      return { data: visible.map((ns) => ({ ns })) };
    },
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/groups',
    parameters: { store: STORE, ns: NS },
    run: (call) => ({ data: groups(snapshotsFor(call)) }),
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/snapshots',
    parameters: { store: STORE, ns: NS, 'backup-type': TYPE, 'backup-id': ID },
    run: (call) => ({
      data: snapshotsFor(call)
        .filter(({ type }) => call.p['backup-type'] === undefined || type === call.p['backup-type'])
        .filter(({ id }) => call.p['backup-id'] === undefined || id === call.p['backup-id'])
        .map(snapshotRow),
    }),
  },
  {
    method: 'POST',
    path: '/admin/datastore/{store}/verify',
    parameters: {
      store: STORE,
      ns: NS,
      'backup-type': TYPE,
      'backup-id': ID,
      'backup-time': TIME,
      'ignore-verified': FLAG,
      'outdated-after': COUNT,
      'max-depth': DEPTH,
      'read-threads': THREADS,
      'verify-threads': THREADS,
    },
    run: (call) => ({ data: verify(call) }),
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/gc',
    parameters: { store: STORE },
    needs: ['/datastore/{store}', 'Datastore.Audit'],
    run: ({ host, p }) => ({ data: gcStatus(host, storeOf(host, p['store'])) }),
  },
  {
    method: 'POST',
    path: '/admin/datastore/{store}/gc',
    parameters: { store: STORE },
    needs: ['/datastore/{store}', 'Datastore.Modify'],
    run: ({ host, token, p }) => {
      const store = storeOf(host, p['store']);
      const steps = [
        'Start GC phase1 (mark used chunks)',
        'Start GC phase2 (sweep unused chunks)',
        'Removed garbage: 0 B',
      ];
      const task = host.tasks.start({
        type: 'garbage_collection',
        id: store.name,
        user: token.id,
        durationMs: 3000,
        steps: [`starting garbage collection on store ${store.name}`, ...steps].map((line) => ({ line })),
        onEnd: ({ upid, exitstatus, endtime }) => {
          Object.assign(store.gc, { upid, lastState: exitstatus, lastEnd: endtime, pendingBytes: 0 });
        },
      });
      return { data: task.upid };
    },
  },
  ...(['verify', 'prune', 'sync'] as const).map(
    (kind): Route => ({
      method: 'GET',
      path: `/admin/${kind}`,
      parameters: {
        store: ANY_STORE,
        ...(kind === 'sync' ? { 'sync-direction': { type: 'string', enum: ['all', 'push', 'pull'] } as const } : {}),
      },
      run: (call) => ({ data: jobs(call, kind) }),
    }),
  ),
  {
    method: 'GET',
    path: '/nodes/{node}/tasks',
    parameters: {
      node: NODE,
      errors: FLAG,
      limit: COUNT,
      running: FLAG,
      since: COUNT,
      start: COUNT,
      store: ANY_STORE,
      typefilter: TEXT,
      until: COUNT,
      userfilter: TEXT,
    },
    run: ({ host, token, p }) => taskList(host, token, p),
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/status',
    parameters: TASK,
    run: (call) => {
      const { upid, pid, pstart, starttime, type, id, user, exitstatus, endtime } = taskOf(call, 'Sys.Audit');
      const [owner = '', tokenid] = user.split('!');
      return {
        data: {
          upid,
          node: call.host.server.node,
          pid,
          pstart,
          starttime,
          type,
          id: id.replace(/\\x3a/g, ':'),
          user: owner,
          ...(tokenid === undefined ? {} : { tokenid }),
          status: exitstatus === undefined ? 'running' : 'stopped',
          ...(exitstatus === undefined ? {} : { exitstatus, endtime }),
        },
      };
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/tasks/{upid}/log',
    parameters: { ...TASK, start: COUNT, limit: COUNT, download: FLAG, 'test-status': FLAG },
    run: (call) => {
      const { log } = taskOf(call, 'Sys.Audit');
      const start = Number(call.p['start'] ?? 0);
      const limit = Number(call.p['limit'] ?? 50);
      const page = log.slice(start, limit === 0 ? undefined : start + limit);
      return { data: page.map((t, i) => ({ n: start + i + 1, t })), total: log.length };
    },
  },
  {
    method: 'DELETE',
    path: '/nodes/{node}/tasks/{upid}',
    parameters: TASK,
    run: (call) => {
      call.host.tasks.stop(taskOf(call, 'Sys.Modify'));
      return { data: null };
    },
  },
];

const aclPath = (store: string, ns: string): string => `/datastore/${store}${ns === '' ? '' : `/${ns}`}`;

/** Without a right, a datastore is left out; one that cannot be opened tells why, and nothing else. */
function usage(host: Host, token: SimToken): unknown[] {
  const common = { 'backend-type': 'filesystem', 'mount-status': 'nonremovable' };
  return host.server.datastores
    .filter(({ name }) => allowed(token, `/datastore/${name}`, 'Datastore.Audit', 'Datastore.Backup'))
    .map(({ name: store, total, used, history, error }) => {
      if (error !== undefined) return { store, error, ...common };
      return {
        store,
        total,
        used,
        avail: total - used,
        ...(history.length === 0
          ? {}
          : {
              history,
              'history-start': host.now() - (history.length - 1) * HISTORY_STEP,
              'history-delta': HISTORY_STEP,
              // Of a datastore that does not grow the server gives a date in the past.
              'estimated-full-date': host.now() - HISTORY_STEP,
            }),
        ...common,
      };
    });
}

/** All of a namespace for who may audit it, one's own groups for who may back up, silently. */
function snapshotsFor({ host, token, p }: Call): SimSnapshot[] {
  const ns = p['ns'] ?? '';
  const path = aclPath(p['store'] ?? '', ns);
  const mayAll = allowed(token, path, 'Datastore.Audit');
  if (!mayAll && !allowed(token, path, 'Datastore.Backup')) throw forbidden();
  const store = storeOf(host, p['store']);
  if (ns !== '' && !store.namespaces.includes(ns)) throw new SimError(400, `namespace '${ns}' not found`);
  return store.snapshots.filter((one) => one.ns === ns && (mayAll || one.owner === token.id));
}

const filesOf = ({ type }: SimSnapshot): string[] =>
  type === 'vm'
    ? ['drive-scsi0.img.fidx', 'qemu-server.conf.blob', 'index.json.blob']
    : ['root.pxar.didx', 'pct.conf.blob', 'index.json.blob'];

function snapshotRow(one: SimSnapshot) {
  const { type, id, time, size, owner, verification } = one;
  return {
    'backup-type': type,
    'backup-id': id,
    'backup-time': time,
    owner,
    protected: one.protected ?? false,
    // While it is being written there is no manifest, and so neither a size nor the last of the files.
    files: size === undefined ? filesOf(one).slice(0, 1) : filesOf(one),
    ...(size === undefined ? {} : { size }),
    ...(verification === undefined ? {} : { verification: { ...verification } }),
  };
}

/** A group tells the newest that is complete; nothing of verification. */
function groups(snapshots: readonly SimSnapshot[]): unknown[] {
  const names = [...new Set(snapshots.map(({ type, id }) => `${type}/${id}`))];
  return names.flatMap((name) => {
    const members = snapshots.filter(({ type, id }) => `${type}/${id}` === name).toSorted((a, b) => b.time - a.time);
    const [newest] = members.filter(({ size }) => size !== undefined);
    if (newest === undefined) return [];
    return [
      {
        'backup-type': newest.type,
        'backup-id': newest.id,
        'backup-count': members.length,
        'last-backup': newest.time,
        owner: newest.owner,
        files: filesOf(newest),
      },
    ];
  });
}

function gcStatus(host: Host, { name, used, gc }: SimDatastore) {
  const { schedule, lastEnd, lastState, upid, removedBytes, pendingBytes, stillBad } = gc;
  return {
    store: name,
    ...(upid === undefined ? {} : { upid }),
    ...(schedule === undefined ? {} : { schedule, 'next-run': host.now() + 3600 }),
    ...(lastEnd === undefined ? {} : { 'last-run-endtime': lastEnd, duration: 600 }),
    ...(lastState === undefined ? {} : { 'last-run-state': lastState }),
    'disk-bytes': used,
    'disk-chunks': Math.round(used / 2e6),
    'index-data-bytes': used * 7,
    'index-file-count': 63,
    'pending-bytes': pendingBytes,
    'pending-chunks': Math.round(pendingBytes / 2e6),
    'removed-bytes': removedBytes,
    'removed-chunks': Math.round(removedBytes / 2e6),
    'removed-bad': 0,
    'still-bad': stillBad,
  };
}

/** Jobs that the token may see: sync jobs ask for a right on the remote as well. Only pulling ones, unless asked otherwise. */
function jobs({ host, token, p }: Call, kind: SimJob['kind']): unknown[] {
  const right = kind === 'verify' ? 'Datastore.Verify' : 'Datastore.Modify';
  return host.server.jobs
    .filter((job) => job.kind === kind && (p['store'] === undefined || p['store'] === job.store))
    .filter((job) => allowed(token, `/datastore/${job.store}`, 'Datastore.Audit', ...(kind === 'sync' ? [] : [right])))
    .filter(
      (job) => kind !== 'sync' || job.remote === undefined || allowed(token, `/remote/${job.remote}`, 'Remote.Audit'),
    )
    .filter((job) => {
      const wanted = p['sync-direction'] ?? 'pull';
      return kind !== 'sync' || wanted === 'all' || wanted === (job.direction ?? 'pull');
    })
    .map(({ kind: _kind, direction, remoteStore, outdatedAfter, lastState, lastEnd, lastUpid, ...rest }) => ({
      ...rest,
      ...(kind === 'sync' ? { 'remote-store': remoteStore ?? 'main', 'sync-direction': direction ?? 'pull' } : {}),
      ...(kind === 'prune' ? { 'keep-daily': 7, schedule: rest.schedule ?? 'daily' } : {}),
      ...(outdatedAfter === undefined ? {} : { 'outdated-after': outdatedAfter, 'ignore-verified': true }),
      ...(lastUpid === undefined ? {} : { 'last-run-upid': lastUpid }),
      ...(lastState === undefined ? {} : { 'last-run-state': lastState }),
      ...(lastEnd === undefined ? {} : { 'last-run-endtime': lastEnd }),
      'next-run': host.now() + 1800,
    }));
}

function taskOf({ host, token, p }: Call, privilege: string): SimTask {
  const upid = p['upid'] ?? '';
  const owner = upid.split(':').at(-2);
  if (owner !== token.id && !allowed(token, '/system/tasks', privilege)) throw forbidden();
  const task = host.tasks.find(upid);
  if (task === undefined) throw new SimError(400, 'no such task');
  return task;
}

/** One's own tasks only, without a word about it, unless the caller may audit them. */
function taskList(host: Host, token: SimToken, p: Call['p']): Reply {
  const auditor = allowed(token, '/system/tasks', 'Sys.Audit');
  const rows = host.tasks.all
    .filter((task) => auditor || task.user === token.id)
    .filter((task) => p['since'] === undefined || task.starttime >= Number(p['since']))
    .filter((task) => p['until'] === undefined || task.starttime <= Number(p['until']))
    .filter((task) => p['typefilter'] === undefined || task.type.includes(p['typefilter']))
    .filter((task) => p['userfilter'] === undefined || task.user.includes(p['userfilter']))
    .filter((task) => p['store'] === undefined || task.id.split('\\x3a')[0] === p['store'])
    .filter((task) => !['1', 'true'].includes(p['running'] ?? '') || task.exitstatus === undefined)
    .filter((task) => !['1', 'true'].includes(p['errors'] ?? '') || !['OK', undefined].includes(task.exitstatus));
  const start = Number(p['start'] ?? 0);
  const limit = Number(p['limit'] ?? 50);
  const page = rows.slice(start, limit === 0 ? undefined : start + limit);
  return {
    data: page.map(({ upid, pid, pstart, starttime, type, id, user, exitstatus, endtime }) => ({
      upid,
      node: host.server.node,
      pid,
      pstart,
      starttime,
      worker_type: type,
      worker_id: id.replace(/\\x3a/g, ':'),
      user,
      ...(endtime === undefined ? {} : { endtime }),
      ...(exitstatus === undefined ? {} : { status: exitstatus }),
    })),
    total: rows.length,
  };
}
