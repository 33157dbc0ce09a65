import { z } from 'zod';
import type { BackupFile, BackupJob, GuestConfig, GuestStatus, StorageStatus } from './backup-port.ts';
import { flag, list, num, text } from './wire.ts';

const seconds = num.transform((value) => new Date(value * 1000));
const numbers = list(/[,;\s]+/).transform((parts) => parts.map(Number).filter((part) => Number.isInteger(part)));

export const jobs = z.array(
  z
    .object({
      id: text,
      enabled: flag.default(true),
      storage: text.optional(),
      schedule: text.optional(),
      all: flag.default(false),
      vmid: numbers.default([]),
      exclude: numbers.default([]),
      pool: text.optional(),
      node: text.optional(),
      'next-run': seconds.optional(),
    })
    .transform(({ enabled, vmid, 'next-run': nextRun, ...rest }): BackupJob => {
      // `exclude` alone means all others.
      const all = rest.all || (rest.exclude.length > 0 && vmid.length === 0 && rest.pool === undefined);
      return { ...rest, all, isEnabled: enabled, vmids: vmid, nextRun };
    }),
);

export const notBackedUp = z.array(z.object({ vmid: num })).transform((rows) => rows.map(({ vmid }) => vmid));

const volume = z.object({ id: text, included: flag.default(true) });

/** Guests without anything left out are left out themselves. */
export const leftOut = z
  .object({ children: z.array(z.object({ id: num, children: z.array(volume).default([]) })).default([]) })
  .transform(({ children }): ReadonlyMap<number, readonly string[]> => {
    const all = children.map(({ id, children: volumes }) => {
      const out = volumes.filter(({ included }) => !included).map((one) => one.id);
      return [id, out.toSorted((a, b) => (a < b ? -1 : 1))] as const;
    });
    return new Map(all.filter(([, volumes]) => volumes.length > 0));
  });

/** Rows of other contents, and backups that belong to no guest, are passed over. */
export const content = (place: { readonly node: string; readonly storage: string }) =>
  z
    .array(
      z.object({
        volid: z.string(),
        content: text.optional(),
        vmid: num.optional(),
        ctime: num.optional(),
        size: num.optional(),
        notes: text.optional(),
        protected: flag.default(false),
        encrypted: text.optional(),
        verification: z.object({ state: text, upid: text.optional() }).optional(),
      }),
    )
    .transform((rows) =>
      rows.flatMap((row): BackupFile[] => {
        const { volid, vmid, ctime, verification } = row;
        if (vmid === undefined || ctime === undefined || (row.content ?? 'backup') !== 'backup') return [];
        const { upid } = verification ?? {};
        return [
          {
            ...place,
            volid,
            vmid,
            at: new Date(ctime * 1000),
            sizeBytes: row.size,
            notes: row.notes,
            isProtected: row.protected,
            isEncrypted: row.encrypted !== undefined && row.encrypted !== '0',
            ...(verification && {
              verification: {
                isOk: verification.state === 'ok',
                at: upid === undefined ? undefined : verifiedAt(upid),
              },
            }),
          },
        ];
      }),
    );

/** When a backup server began a verification: in its task id, which has one field more than those of Proxmox VE. */
export function verifiedAt(upid: string): Date | undefined {
  const start = /^UPID:[^:]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8,16}:([0-9A-F]{8}):/i.exec(upid)?.[1];
  return start === undefined ? undefined : new Date(Number.parseInt(start, 16) * 1000);
}

export const storageStatus = z
  .object({
    type: text,
    active: flag.default(false),
    content: list(/[,;\s]+/).default([]),
    total: num.optional(),
    used: num.optional(),
    avail: num.optional(),
  })
  .transform(({ active, avail, ...rest }): StorageStatus => ({ ...rest, isActive: active, available: avail }));

export const status = z.object({
  status: text,
  uptime: num.default(0),
  lock: text.optional(),
}) satisfies z.ZodType<GuestStatus>;

export const config = z.record(z.string(), z.unknown()).transform((options): GuestConfig => {
  const kept = Object.entries(options).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [[name, String(value)] as const] : [],
  );
  return Object.fromEntries(kept);
});
