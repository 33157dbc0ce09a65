/** What the log of a `vzdump` task says about one guest. */
export interface VzdumpLog {
  /** File name, or `ct/110/2026-11-23T01:00:00Z` on a backup server: how the storage will call it, without `storage:backup/`. */
  readonly archive?: string;
  /** `Backup of VM 107 failed - …`, without the prefix; empty when none failed. */
  readonly failed: readonly string[];
  /** Disks and mount points that are not in the backup: `mp0 (/srv)`, `scsi1`. */
  readonly excluded: readonly string[];
  /** Complaints after the backup had ended well: a notification that could not be sent. The backup is good all the same. */
  readonly afterwards: readonly string[];
  /** Older backups that the retention removed. */
  readonly pruned: number;
  /** Bytes that were written into the archive, as far as the log tells. */
  readonly sizeBytes?: number;
}

/** Source: `PVE/VZDump.pm`, `PVE/VZDump/LXC.pm`, `PVE/VZDump/QemuServer.pm`; recorded logs are in the tests. */
export function readVzdumpLog(lines: readonly string[]): VzdumpLog {
  const failed: string[] = [];
  const excluded: string[] = [];
  const afterwards: string[] = [];
  let archive: string | undefined;
  let pruned = 0;
  let sizeBytes: number | undefined;
  let isOver = false;
  for (const line of lines) {
    const [, level = '', text = ''] = /^(INFO|WARN|ERROR): (.*)$/.exec(line) ?? [];
    if (level === 'ERROR') {
      if (isOver) afterwards.push(text);
      else failed.push(/^Backup of VM \d+ failed - (.*)$/s.exec(text)?.[1] ?? text);
    }
    if (text === 'Backup job finished successfully') isOver = true;
    archive ??= /^creating (?:vzdump|Proxmox Backup Server) archive '(.+)'$/
      .exec(text)?.[1]
      ?.replace(/^\/(?:.*\/)/, '');
    const disk = /^exclude disk '([^']+)'/.exec(text)?.[1];
    if (disk !== undefined) excluded.push(disk);
    const [, mount, path] = /^excluding .*mount point (\S+) \('([^']*)'\)/.exec(text) ?? [];
    if (mount !== undefined) excluded.push(`${mount} (${path})`);
    const gone = /^pruned (\d+) backup/.exec(text)?.[1];
    if (gone !== undefined) pruned += Number(gone);
    const size = archiveSize(text);
    if (size !== undefined) sizeBytes = size;
  }
  return {
    ...(archive === undefined ? {} : { archive }),
    // The line of the guest repeats what one before it said.
    failed: [...new Set(failed)],
    excluded,
    afterwards,
    pruned,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

const UNITS: Readonly<Record<string, number>> = { B: 0, KB: 1, MB: 2, GB: 3, TB: 4 };

/** `archive file size: 1.05GB`: units of 1024. */
function archiveSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^archive file size: ([\d.]+)(B|KB|MB|GB|TB)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * 1024 ** (UNITS[unit] ?? 0));
}

/** The percentage in the newest of these lines that has one; logs of containers have none. */
export function percentIn(lines: readonly string[]): number | undefined {
  for (const line of lines.toReversed()) {
    const found = /^(?:INFO:\s+)?(?:progress )?(\d{1,3})% [(\d]/.exec(line)?.[1];
    if (found !== undefined && Number(found) <= 100) return Number(found);
  }
  return undefined;
}
