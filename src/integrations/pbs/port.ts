import type { Probeable } from '../define.ts';
import type { Permissions } from '../proxmox/permissions.ts';
import type { TaskLog, TaskResult, WaitOptions } from '../proxmox/port.ts';
import type { Upid } from './upid.ts';

export interface Version {
  readonly version: string;
  readonly release: string;
}

/** A datastore as `/status/datastore-usage` has it. */
export interface DatastoreUsage {
  readonly store: string;
  /** Bytes; absent when the server could not open it (`error` says why), or tells this token only that it exists. */
  readonly total?: number | undefined;
  readonly used?: number | undefined;
  readonly error?: string | undefined;
  /** Parts of the whole, 0–1, oldest first, over the last month; null where nothing was measured. */
  readonly history: readonly (number | null)[];
  readonly historyStart?: Date | undefined;
  /** Milliseconds between two of them. */
  readonly historyStepMs?: number | undefined;
}

export interface DatastoreStatus {
  /** Bytes. */
  readonly total: number;
  readonly used: number;
  readonly avail: number;
}

export type GuestKind = 'vm' | 'ct' | 'host';

export interface Group {
  /** Namespace, empty for the root. */
  readonly ns: string;
  readonly type: GuestKind;
  /** A VMID, or the name of a host. */
  readonly id: string;
  readonly count: number;
  readonly lastBackup: Date;
  readonly owner?: string | undefined;
}

export interface Snapshot {
  readonly ns: string;
  readonly type: GuestKind;
  readonly id: string;
  readonly at: Date;
  /** Bytes; absent while the backup runs, and when its manifest cannot be read: then it is no backup. */
  readonly size?: number | undefined;
  readonly protected: boolean;
  /** Absent: never verified. */
  readonly verification?: { readonly state: 'ok' | 'failed'; readonly at?: Date | undefined } | undefined;
}

/** The last run of a job, in the server's words. */
export interface JobRun {
  /** `OK`, `WARNINGS: n`, `unknown`, or an error's text; absent while it runs, and when it never ran. */
  readonly lastState?: string | undefined;
  readonly lastEnd?: Date | undefined;
  readonly lastUpid?: string | undefined;
  readonly nextRun?: Date | undefined;
  /** A calendar event of systemd; absent when it is started by hand only. */
  readonly schedule?: string | undefined;
}

export interface Job extends JobRun {
  readonly id: string;
  readonly store: string;
  readonly ns?: string | undefined;
  readonly disabled: boolean;
  /** Of a sync job. */
  readonly direction?: 'pull' | 'push' | undefined;
  readonly remote?: string | undefined;
}

export interface Jobs {
  readonly verify: readonly Job[];
  readonly prune: readonly Job[];
  readonly sync: readonly Job[];
  /** The token lacks Remote.Audit: sync jobs may be left out of the list. */
  readonly syncLimited: boolean;
}

export interface Collection extends JobRun {
  /** Of the last collection, bytes. */
  readonly removedBytes: number;
  readonly pendingBytes: number;
  /** Damaged chunks that were found and could not be put right. */
  readonly stillBad: number;
}

export interface TaskStatus {
  readonly upid: string;
  readonly status: 'running' | 'stopped';
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly startTime: Date;
  /** Only when stopped; empty when the server does not know. */
  readonly exitstatus?: string | undefined;
}

export interface TaskRow {
  readonly upid: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly startTime: Date;
  readonly endTime?: Date | undefined;
  readonly running: boolean;
  readonly exitstatus?: string | undefined;
}

/**
 * One Proxmox Backup Server, through `/api2/json`. All calls reject with a VakhtaError; the codes are `pbs-unauthorized`,
 * `pbs-permission` (the token lacks a privilege, also where the server would only leave entries out), `pbs-unreachable`,
 * `pbs-unanswered` (something was started, and no answer came: look before you repeat), `pbs-no-such-datastore`, `pbs-failed` …
 */
export interface Pbs extends Probeable {
  readonly id: string;
  version(signal?: AbortSignal): Promise<Version>;
  /** The token's own privileges. */
  permissions(signal?: AbortSignal): Promise<Permissions>;
  /** Refuses with `pbs-permission` unless the token holds the privilege on the datastore and on everything in it. */
  mayDo(store: string, privilege: string, signal?: AbortSignal): Promise<void>;
  /** Those that the token may see; filtered silently by the server. */
  usage(signal?: AbortSignal): Promise<readonly DatastoreUsage[]>;
  status(store: string, signal?: AbortSignal): Promise<DatastoreStatus>;
  /** Names of namespaces, the root (empty) first. */
  namespaces(store: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** Of all namespaces. They say nothing of verification. */
  groups(store: string, signal?: AbortSignal): Promise<readonly Group[]>;
  /** Of all namespaces, oldest first. */
  snapshots(store: string, signal?: AbortSignal): Promise<readonly Snapshot[]>;
  collection(store: string, signal?: AbortSignal): Promise<Collection>;
  jobs(store: string, signal?: AbortSignal): Promise<Jobs>;
  /** Reads every chunk of what was never verified, or longer ago than `outdatedAfterDays`. */
  verify(store: string, options: { readonly outdatedAfterDays: number }, signal?: AbortSignal): Promise<Upid>;
  collect(store: string, signal?: AbortSignal): Promise<Upid>;
  task(node: string, upid: string, signal?: AbortSignal): Promise<TaskStatus>;
  /** Lines from number `start` (0 first) on, all that there are by now; each begins with its time. */
  taskLog(node: string, upid: string, start?: number, signal?: AbortSignal): Promise<TaskLog>;
  /** Follows a task to its end. Rejects when the signal aborts (the task goes on) or the server stays unreachable. */
  waitForTask(upid: string, options?: WaitOptions): Promise<TaskResult>;
  stopTask(node: string, upid: string, signal?: AbortSignal): Promise<void>;
  /** What this token started at or after `since`, newest first, running ones too. */
  ownTasks(since: Date, type: string, signal?: AbortSignal): Promise<readonly TaskRow[]>;
}
