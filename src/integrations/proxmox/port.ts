import type { Probeable } from '../define.ts';
import type { GuestBackups } from './backup-port.ts';
import type { Permissions } from './permissions.ts';
import type { TaskOutcome, Upid } from './upid.ts';

export interface Version {
  readonly version: string;
  readonly release: string;
}

export interface Node {
  readonly node: string;
  readonly status: string;
  /** Fraction of all cores, 0–1. */
  readonly cpu?: number | undefined;
  readonly maxcpu?: number | undefined;
  /** Bytes. */
  readonly mem?: number | undefined;
  readonly maxmem?: number | undefined;
  /** The root file system, bytes. */
  readonly disk?: number | undefined;
  readonly maxdisk?: number | undefined;
  /** Seconds. */
  readonly uptime?: number | undefined;
}

export interface Guest {
  readonly type: 'lxc' | 'qemu';
  readonly vmid: number;
  /** `CT101` or `VM 101` where the host tells none. */
  readonly name: string;
  readonly node: string;
  readonly status: string;
  readonly template: boolean;
  readonly tags: readonly string[];
  /** The configuration lock (`backup`, `migrate` …), absent when free. */
  readonly lock?: string | undefined;
  /** The resource pool that it belongs to. */
  readonly pool?: string | undefined;
  /** Fraction of the guest's own cores, 0–1. */
  readonly cpu?: number | undefined;
  readonly maxcpu?: number | undefined;
  /** Bytes. */
  readonly mem?: number | undefined;
  readonly maxmem?: number | undefined;
  /** Used bytes of the root disk; always 0 for a VM: the host does not look inside. */
  readonly disk?: number | undefined;
  readonly maxdisk?: number | undefined;
  /** Seconds. */
  readonly uptime?: number | undefined;
}

export interface Storage {
  readonly storage: string;
  readonly node: string;
  /** `available`, or `unknown` when the node cannot reach it. */
  readonly status: string;
  readonly plugintype?: string | undefined;
  readonly content: readonly string[];
  readonly shared: boolean;
  /** Bytes. */
  readonly used?: number | undefined;
  readonly total?: number | undefined;
}

export type ResourceKind = 'node' | 'vm' | 'storage';

export interface Resources {
  readonly nodes: readonly Node[];
  readonly guests: readonly Guest[];
  readonly storage: readonly Storage[];
  /** Kinds of which the token may see only a part: the list is true, but not known to be complete. */
  readonly limited: readonly ResourceKind[];
}

export interface NodeStatus {
  readonly pveversion: string;
  readonly kernel?: string | undefined;
  /** Fraction 0–1. */
  readonly cpu: number;
  readonly cpus?: number | undefined;
  readonly loadavg: readonly number[];
  /** Bytes. */
  readonly memory: { readonly used: number; readonly total: number };
  readonly rootfs: { readonly used: number; readonly total: number };
  readonly swap?: { readonly used: number; readonly total: number } | undefined;
  /** Seconds. */
  readonly uptime?: number | undefined;
}

export interface TaskStatus {
  readonly upid: string;
  readonly status: 'running' | 'stopped';
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly startTime: Date;
  /** Only when stopped; `taskOutcome` says what it means. */
  readonly exitstatus?: string | undefined;
}

/** A row of the task list. Here the host's `status` is the exit status, absent while the task runs. */
export interface TaskRow {
  readonly upid: string;
  readonly node: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly startTime: Date;
  readonly endTime?: Date | undefined;
  readonly running: boolean;
  readonly exitstatus?: string | undefined;
}

export interface TaskLog {
  /** Lines from the asked one on. */
  readonly lines: readonly string[];
  /** Number to ask for next. */
  readonly next: number;
}

export interface TaskProgress {
  readonly upid: Upid;
  /** Milliseconds since the task began, by our clock. */
  readonly elapsedMs: number;
  /** Log lines that came since the last call. */
  readonly newLines: readonly string[];
}

export interface TaskResult {
  readonly outcome: TaskOutcome;
  /** The host's own words; empty when it gave none. */
  readonly exitstatus: string;
  readonly warnings?: number;
  /** The last lines of the log. */
  readonly tail: readonly string[];
}

export interface NodeCertificate {
  readonly filename?: string | undefined;
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  /** SHA-256, colon-separated. */
  readonly fingerprint?: string | undefined;
  readonly san: readonly string[];
}

export type PowerAction = 'start' | 'stop' | 'shutdown' | 'reboot';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each poll that brought something; its failures are not caught. */
  readonly onProgress?: ((progress: TaskProgress) => void | Promise<void>) | undefined;
  /** Between two polls; default 2000. */
  readonly pollMs?: number | undefined;
  /** How long the host may be unreachable in between before the wait gives up; default 120000. */
  readonly patienceMs?: number | undefined;
}

export interface TaskFilter {
  readonly since: Date;
  /** Only what this token started; needs no privilege. Without it Sys.Audit on the node is needed, and checked. */
  readonly own?: boolean;
  readonly vmid?: number;
  readonly type?: string;
}

/**
 * One Proxmox VE installation, through `/api2/json`. All calls reject with a VakhtaError; the codes are
 * `proxmox-unauthorized`, `proxmox-permission` (the token lacks a privilege, also where the host would only leave
 * entries out), `proxmox-unreachable`, `proxmox-unanswered` (a change was sent and no answer came: look before you
 * repeat), `proxmox-tls`, `proxmox-fingerprint`, `proxmox-no-such-guest`, `proxmox-guest-state`, `proxmox-locked` …
 */
export interface Proxmox extends Probeable {
  readonly id: string;
  version(signal?: AbortSignal): Promise<Version>;
  /** The token's own privileges. */
  permissions(signal?: AbortSignal): Promise<Permissions>;
  /** Nodes, guests and storage, or one kind. Rejects with `proxmox-permission` where the token may see nothing. */
  resources(kind?: ResourceKind, signal?: AbortSignal): Promise<Resources>;
  /**
   * The addresses by which others reach a running guest: of a container as the host sees them (`VM.Audit`), of a machine as its agent
   * tells them (`VM.GuestAgent.Audit`). Rejects where they may not be asked, or no agent answers.
   */
  addresses(guest: Pick<Guest, 'type' | 'vmid' | 'node'>, signal?: AbortSignal): Promise<readonly string[]>;
  /** By VMID, by name (case does not matter) or as `lxc/101`. An ambiguous name is `usage` with the candidates. */
  guest(nameOrId: string | number, signal?: AbortSignal): Promise<Guest>;
  /** `timeout` (seconds) limits a shutdown and a reboot; `forceStop` ends a shutdown that does not finish. */
  power(
    guest: Guest,
    action: PowerAction,
    options?: { readonly timeout?: number; readonly forceStop?: boolean },
    signal?: AbortSignal,
  ): Promise<Upid>;
  /** Starts a backup of one guest; `undefined` when the host says that there is nothing to do. */
  vzdump(
    guest: Guest,
    options: { readonly storage: string; readonly mode?: 'snapshot' | 'suspend' | 'stop' },
    signal?: AbortSignal,
  ): Promise<Upid | undefined>;
  task(node: string, upid: string, signal?: AbortSignal): Promise<TaskStatus>;
  /** Lines from number `start` (0 first) on, all that there are by now. */
  taskLog(node: string, upid: string, start?: number, signal?: AbortSignal): Promise<TaskLog>;
  /** Follows a task to its end. Rejects when the signal aborts (the task goes on) or the host stays unreachable. */
  waitForTask(upid: string, options?: WaitOptions): Promise<TaskResult>;
  stopTask(node: string, upid: string, signal?: AbortSignal): Promise<void>;
  /** Tasks that began at or after `since`, newest first, running ones too. */
  tasks(node: string, filter: TaskFilter, signal?: AbortSignal): Promise<readonly TaskRow[]>;
  nodeStatus(node: string, signal?: AbortSignal): Promise<NodeStatus>;
  certificates(node: string, signal?: AbortSignal): Promise<readonly NodeCertificate[]>;
  readonly backups: GuestBackups;
}
