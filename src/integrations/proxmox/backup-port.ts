import type { VakhtaError } from '../../core/error.ts';
import type { Guest } from './port.ts';
import type { Upid } from './upid.ts';

/** A backup as a storage lists it. */
export interface BackupFile {
  /** `pbs:backup/ct/103/2026-11-23T01:00:00Z`, `nfs:backup/vzdump-lxc-103-2026_11_23-01_00_00.tar.zst`. */
  readonly volid: string;
  readonly storage: string;
  /** The node that listed it: it can restore it. */
  readonly node: string;
  readonly vmid: number;
  readonly at: Date;
  /** Bytes as stored; what a backup server tells is the size before deduplication. */
  readonly sizeBytes?: number | undefined;
  /** The first line. */
  readonly notes?: string | undefined;
  readonly isProtected: boolean;
  readonly isEncrypted: boolean;
  /** Of the storages that verify (`pbs`); absent there: never verified. */
  readonly verification?: { readonly isOk: boolean; readonly at?: Date | undefined } | undefined;
}

/** What the storages hold, and what of it the token cannot see. */
export interface BackupStock {
  readonly files: readonly BackupFile[];
  readonly unread: readonly { readonly storage: string; readonly node: string; readonly error: VakhtaError }[];
  /** Whether every storage would list a backup of that guest; the host leaves out without a word what the token may not see. */
  sees(vmid: number): boolean;
}

/** A scheduled backup job of the cluster. */
export interface BackupJob {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly storage?: string | undefined;
  readonly schedule?: string | undefined;
  readonly all: boolean;
  readonly vmids: readonly number[];
  readonly exclude: readonly number[];
  readonly pool?: string | undefined;
  /** It runs on this node only. */
  readonly node?: string | undefined;
  readonly nextRun?: Date | undefined;
}

/** Options of a guest by name, all as text; the raw `lxc.` lines are left out. */
export type GuestConfig = Readonly<Record<string, string>>;

export interface GuestStatus {
  readonly status: string;
  /** Seconds. */
  readonly uptime: number;
  readonly lock?: string | undefined;
}

export interface StorageStatus {
  readonly type: string;
  readonly isActive: boolean;
  readonly content: readonly string[];
  /** Bytes; absent when it is not active. */
  readonly total?: number | undefined;
  readonly used?: number | undefined;
  readonly available?: number | undefined;
}

export interface RestoreRequest {
  readonly type: 'lxc' | 'qemu';
  readonly node: string;
  /** Must be free: nothing is ever restored over a guest. */
  readonly vmid: number;
  readonly volid: string;
  /** Where its disks go. */
  readonly storage: string;
  /** Host name of the copy. */
  readonly name: string;
  readonly description: string;
  readonly pool?: string | undefined;
}

/** What of Proxmox VE is about backups. Errors as `Proxmox` has them. */
export interface GuestBackups {
  /** Needs Sys.Audit on `/`; 403 without it. Source: `GET /cluster/backup`. */
  jobs(signal?: AbortSignal): Promise<readonly BackupJob[]>;
  /**
   * Numbers of guests that no job names. Disabled jobs count as jobs here, and guests that the token may not audit are left out:
   * it can only make a picture worse, never better. Source: `GET /cluster/backup-info/not-backed-up`.
   */
  notBackedUp(signal?: AbortSignal): Promise<readonly number[]>;
  /**
   * What a job leaves out, by number of guest: `['mp0', 'scsi1']`. Mount points of containers are left out unless they say otherwise. Source:
   * `GET /cluster/backup/{id}/included_volumes`.
   */
  leftOut(job: string, signal?: AbortSignal): Promise<ReadonlyMap<number, readonly string[]>>;
  /** The backups on these storages, one call for each, and one for the token's rights. Source: `…/storage/{s}/content`. */
  stock(
    places: readonly { readonly node: string; readonly storage: string }[],
    options?: { readonly vmid?: number },
    signal?: AbortSignal,
  ): Promise<BackupStock>;
  storageStatus(node: string, storage: string, signal?: AbortSignal): Promise<StorageStatus>;
  /** The configuration that lies in a backup, as text. Source: `GET …/vzdump/extractconfig`. */
  configIn(file: Pick<BackupFile, 'node' | 'volid'>, signal?: AbortSignal): Promise<string>;
  status(guest: Pick<Guest, 'type' | 'vmid' | 'node'>, signal?: AbortSignal): Promise<GuestStatus>;
  config(guest: Pick<Guest, 'type' | 'vmid' | 'node'>, signal?: AbortSignal): Promise<GuestConfig>;
  /** Refused by the host when the configuration is not the one with this digest any more. */
  configure(
    guest: Pick<Guest, 'type' | 'vmid' | 'node'>,
    change: {
      readonly set?: Readonly<Record<string, string | number>>;
      readonly remove?: readonly string[];
      readonly digest?: string | undefined;
    },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Restores as a new guest that does not start, with new network addresses. Source: `POST …/lxc`, `POST …/qemu`. */
  restore(request: RestoreRequest, signal?: AbortSignal): Promise<Upid>;
  /** Destroys a stopped guest with its disks, and takes it out of jobs and rights. */
  destroy(guest: Pick<Guest, 'type' | 'vmid' | 'node'>, signal?: AbortSignal): Promise<Upid>;
  /** Whether the agent in a machine answers; rejects where that may not be asked. */
  agentAnswers(guest: Pick<Guest, 'vmid' | 'node'>, signal?: AbortSignal): Promise<boolean>;
}
