import { z } from 'zod';
import type { Permissions } from '../proxmox/permissions.ts';
import type {
  Collection,
  DatastoreStatus,
  DatastoreUsage,
  Group,
  Job,
  Snapshot,
  TaskRow,
  TaskStatus,
  Version,
} from './port.ts';
import { parseUpid } from './upid.ts';

const seconds = z.number().transform((value) => new Date(value * 1000));
const bytes = z.number().min(0);
const kind = z.enum(['vm', 'ct', 'host']);

export const envelope = z.object({ data: z.unknown().optional() });

export const version = z.object({ version: z.string(), release: z.string() }) satisfies z.ZodType<Version>;

export const permissions = z
  .record(z.string(), z.record(z.string(), z.boolean()))
  .transform(
    (paths): Permissions => new Map(Object.entries(paths).map(([path, held]) => [path, new Map(Object.entries(held))])),
  );

export const usage = z.array(
  z
    .object({
      store: z.string(),
      // -1 when the server could not look.
      total: z.number().optional(),
      used: z.number().optional(),
      error: z.string().optional(),
      history: z.array(z.number().nullable()).default([]),
      'history-start': seconds.optional(),
      'history-delta': z.number().optional(),
    })
    .transform(
      ({
        store,
        total,
        used,
        error,
        history,
        'history-start': historyStart,
        'history-delta': step,
      }): DatastoreUsage => ({
        store,
        total: known(total),
        used: known(used),
        error,
        history,
        historyStart,
        historyStepMs: step === undefined ? undefined : step * 1000,
      }),
    ),
);

const known = (value: number | undefined): number | undefined => (value === undefined || value < 0 ? undefined : value);

export const status = z.object({ total: bytes, used: bytes, avail: bytes }) satisfies z.ZodType<DatastoreStatus>;

export const namespaces = z
  .array(z.object({ ns: z.string().default('') }))
  .transform((rows) => [...new Set(['', ...rows.map(({ ns }) => ns)])].toSorted());

export const groups = (ns: string) =>
  z.array(
    z
      .object({
        'backup-type': kind,
        'backup-id': z.string(),
        'backup-count': z.number(),
        'last-backup': seconds,
        owner: z.string().optional(),
      })
      .transform(
        (row): Group => ({
          ns,
          type: row['backup-type'],
          id: row['backup-id'],
          count: row['backup-count'],
          lastBackup: row['last-backup'],
          owner: row.owner,
        }),
      ),
  );

export const snapshots = (ns: string) =>
  z.array(
    z
      .object({
        'backup-type': kind,
        'backup-id': z.string(),
        'backup-time': seconds,
        size: bytes.optional(),
        protected: z.boolean().default(false),
        verification: z.object({ state: z.enum(['ok', 'failed']), upid: z.string() }).optional(),
      })
      .transform(
        (row): Snapshot => ({
          ns,
          type: row['backup-type'],
          id: row['backup-id'],
          at: row['backup-time'],
          size: row.size,
          protected: row.protected,
          // The only place that tells when: the start time inside the task's name.
          verification: row.verification && {
            state: row.verification.state,
            at: parseUpid(row.verification.upid)?.startTime,
          },
        }),
      ),
  );

const run = {
  'last-run-state': z.string().optional(),
  'last-run-endtime': seconds.optional(),
  'next-run': seconds.optional(),
  schedule: z.string().optional(),
};

export const jobs = z.array(
  z
    .object({
      id: z.string(),
      store: z.string(),
      ns: z.string().optional(),
      disable: z.boolean().default(false),
      'sync-direction': z.enum(['pull', 'push']).optional(),
      remote: z.string().optional(),
      'last-run-upid': z.string().optional(),
      ...run,
    })
    .transform(
      (row): Job => ({
        id: row.id,
        store: row.store,
        ns: row.ns,
        disabled: row.disable,
        direction: row['sync-direction'],
        remote: row.remote,
        lastState: row['last-run-state'],
        lastEnd: row['last-run-endtime'],
        lastUpid: row['last-run-upid'],
        nextRun: row['next-run'],
        schedule: row.schedule,
      }),
    ),
);

export const collection = z
  .object({
    upid: z.string().optional(),
    'removed-bytes': bytes,
    'pending-bytes': bytes,
    'still-bad': z.number(),
    ...run,
  })
  .transform(
    (row): Collection => ({
      removedBytes: row['removed-bytes'],
      pendingBytes: row['pending-bytes'],
      stillBad: row['still-bad'],
      lastUpid: row.upid,
      lastState: row['last-run-state'],
      // Servers before 3.2 tell only the task's name.
      lastEnd: row['last-run-endtime'] ?? (row.upid === undefined ? undefined : parseUpid(row.upid)?.startTime),
      nextRun: row['next-run'],
      schedule: row.schedule,
    }),
  );

/** `unknown` is what Proxmox VE says with an empty status: the worker died without a word. */
const exit = z.string().transform((text) => (text.trim() === 'unknown' ? '' : text));

export const task = z
  .object({
    upid: z.string(),
    status: z.enum(['running', 'stopped']),
    type: z.string(),
    id: z.string().optional(),
    user: z.string(),
    tokenid: z.string().optional(),
    starttime: seconds,
    exitstatus: exit.optional(),
  })
  .transform(
    ({ starttime, tokenid, user, id, ...rest }): TaskStatus => ({
      ...rest,
      id: id ?? '',
      user: tokenid === undefined ? user : `${user}!${tokenid}`,
      startTime: starttime,
    }),
  );

export const tasks = z.array(
  z
    .object({
      upid: z.string(),
      worker_type: z.string(),
      worker_id: z.string().nullish(),
      user: z.string(),
      starttime: seconds,
      endtime: seconds.optional(),
      status: exit.optional(),
    })
    .transform(
      (row): TaskRow => ({
        upid: row.upid,
        type: row.worker_type,
        id: row.worker_id ?? '',
        user: row.user,
        startTime: row.starttime,
        endTime: row.endtime,
        running: row.endtime === undefined,
        exitstatus: row.status,
      }),
    ),
);

export const taskLog = z.array(z.object({ n: z.number(), t: z.string().default('') }));

export const started = z.string();

export const nothing = z.unknown();
