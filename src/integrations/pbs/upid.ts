import { VakhtaError } from '../../core/error.ts';

/** The parts of a task's name. Source: `proxmox-schema/src/upid.rs` of proxmox-rs. */
export interface Upid {
  /** The whole name, as the API wants it back. */
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  /** The field that a UPID of Proxmox VE does not have. */
  readonly taskId: number;
  readonly startTime: Date;
  /** `verificationjob`, `verify`, `garbage_collection`, `syncjob`, `prune` … */
  readonly type: string;
  /** What it works on, as `main` or `main:v-1234`; may be empty. */
  readonly id: string;
  /** `user@realm` or `user@realm!token`. */
  readonly user: string;
}

const UPID =
  /^UPID:([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8,16}):([0-9A-Fa-f]{8}):([^:\s]+):([^:\s]*):([^:\s]+):$/;

/** The parts of a UPID of a backup server, or undefined when the text is none (one of Proxmox VE, with a field less, is none either). */
export function parseUpid(text: string): Upid | undefined {
  const match = UPID.exec(text);
  if (match === null) return undefined;
  const [, node = '', pid = '', pstart = '', task = '', start = '', type = '', id = '', user = ''] = match;
  return {
    upid: text,
    node,
    pid: Number.parseInt(pid, 16),
    pstart: Number.parseInt(pstart, 16),
    taskId: Number.parseInt(task, 16),
    startTime: new Date(Number.parseInt(start, 16) * 1000),
    type,
    id: unescapeUnit(id),
    user,
  };
}

/** Like `parseUpid`, for a value that has to be one. Throws `usage`. */
export function requireUpid(text: string): Upid {
  const upid = parseUpid(text);
  if (upid === undefined) {
    throw new VakhtaError('usage', 'pbs-upid', `not a task id of a backup server: ${text}`, { args: { upid: text } });
  }
  return upid;
}

/** Ids are escaped as names of systemd units are: `main\x3av-1` is `main:v-1`. */
const unescapeUnit = (text: string): string =>
  text.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
