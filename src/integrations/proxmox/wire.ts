import { z } from 'zod';
import type { Permissions } from './permissions.ts';
import type { Guest, Node, NodeCertificate, NodeStatus, Storage, TaskRow, TaskStatus, Version } from './port.ts';

/** Perl does not keep numbers and strings apart: the same field comes as 101 or "101". */
export const num = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(?:\.\d+)?(?:e-?\d+)?$/i)
    .transform(Number),
]);
export const text = z.union([z.string(), z.number().transform(String)]);
/** 0 and 1; a few newer endpoints answer true and false. */
export const flag = z.union([z.boolean(), num.transform((value) => value !== 0)]);
const seconds = num.transform((value) => new Date(value * 1000));
export const list = (separator: RegExp) =>
  text.transform((value) => value.split(separator).filter((part) => part !== ''));

/** Every JSON answer; `message` exists since pve-http-server 5.2 only. */
export const envelope = z.object({
  data: z.unknown().optional(),
  message: z.string().optional(),
  errors: z.record(z.string(), z.unknown()).optional(),
  total: num.optional(),
});

export const version = z.object({ version: text, release: text }) satisfies z.ZodType<Version>;

export const permissions = z.record(z.string(), z.record(z.string(), flag)).transform(
  (paths): Permissions =>
    // The host echoes an asked path with a trailing slash.
    new Map(Object.entries(paths).map(([path, held]) => [path.replace(/(.)\/$/, '$1'), new Map(Object.entries(held))])),
);

const usage = {
  cpu: num.optional(),
  maxcpu: num.optional(),
  mem: num.optional(),
  maxmem: num.optional(),
  disk: num.optional(),
  maxdisk: num.optional(),
  uptime: num.optional(),
};

const node = z.object({ type: z.literal('node'), node: text, status: text.default('unknown'), ...usage });

const guest = z.object({
  type: z.enum(['lxc', 'qemu']),
  vmid: num,
  name: text.optional(),
  node: text,
  status: text.default('unknown'),
  template: flag.default(false),
  tags: list(/[;,\s]+/).default([]),
  lock: text.optional(),
  pool: text.optional(),
  ...usage,
});

const storage = z.object({
  type: z.literal('storage'),
  storage: text,
  node: text,
  status: text.default('unknown'),
  plugintype: text.optional(),
  content: list(/[,;\s]+/).default([]),
  shared: flag.default(false),
  disk: num.optional(),
  maxdisk: num.optional(),
});

/** Pools, SDN zones and what later versions add are passed over. */
const other = z.object({ type: z.string().refine((type) => !['node', 'lxc', 'qemu', 'storage'].includes(type)) });

export const resources = z.array(z.union([node, guest, storage, other])).transform((rows) => {
  const nodes: Node[] = [];
  const guests: Guest[] = [];
  const stores: Storage[] = [];
  for (const row of rows) {
    if ('vmid' in row) {
      guests.push({ ...row, name: row.name ?? (row.type === 'lxc' ? `CT${row.vmid}` : `VM ${row.vmid}`) });
    } else if ('storage' in row) {
      const { disk, maxdisk, type: _type, ...rest } = row;
      stores.push({ ...rest, used: disk, total: maxdisk });
    } else if ('node' in row) {
      const { type: _type, ...rest } = row;
      nodes.push(rest);
    }
  }
  return { nodes, guests: guests.toSorted((a, b) => a.vmid - b.vmid), storage: stores };
});

export const task = z
  .object({
    upid: z.string(),
    status: z.enum(['running', 'stopped']),
    type: text,
    id: text,
    user: text,
    starttime: seconds,
    exitstatus: text.optional(),
  })
  .transform(({ starttime, ...rest }): TaskStatus => ({ ...rest, startTime: starttime }));

export const tasks = z.array(
  z
    .object({
      upid: z.string(),
      node: text,
      type: text,
      id: text,
      user: text,
      starttime: seconds,
      endtime: seconds.optional(),
      status: text.optional(),
    })
    .transform(({ starttime, endtime, status, ...rest }): TaskRow => {
      // A running task has no status in the archive and the word RUNNING in the list of the active ones.
      const running = endtime === undefined && (status === undefined || status === 'RUNNING');
      return {
        ...rest,
        startTime: starttime,
        endTime: endtime,
        running,
        exitstatus: running ? undefined : (status ?? ''),
      };
    }),
);

export const taskLog = z.array(z.object({ n: num, t: z.string().nullable().default('') }));

const amount = z.object({ used: num, total: num });

export const nodeStatus = z
  .object({
    pveversion: text,
    'current-kernel': z.object({ release: text }).optional(),
    cpu: num,
    cpuinfo: z.object({ cpus: num }).optional(),
    loadavg: z.array(num),
    memory: amount,
    rootfs: amount,
    swap: amount.optional(),
    uptime: num.optional(),
  })
  .transform(
    ({ 'current-kernel': kernel, cpuinfo, ...rest }): NodeStatus => ({
      ...rest,
      kernel: kernel?.release,
      cpus: cpuinfo?.cpus,
    }),
  );

export const certificates = z.array(
  z
    .object({
      filename: text.optional(),
      subject: text.optional(),
      issuer: text.optional(),
      notbefore: seconds.optional(),
      notafter: seconds.optional(),
      fingerprint: text.optional(),
      san: z.array(z.string()).default([]),
    })
    .transform(
      ({ notbefore, notafter, ...rest }): NodeCertificate => ({ ...rest, notBefore: notbefore, notAfter: notafter }),
    ),
);

/** What a call that starts a task answers: a UPID, or a word. */
export const started = z.string();

export const nothing = z.unknown();
