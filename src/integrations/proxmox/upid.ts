import { VakhtaError } from '../../core/error.ts';

/** The parts of a task's name. Source: `PVE/UPID.pm` of pve-common. */
export interface Upid {
  /** The whole name, as the API wants it back. */
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  /** Start of the process in clock ticks since boot; nine hexadecimal digits after 497 days of uptime. */
  readonly pstart: number;
  readonly startTime: Date;
  /** `vzstart`, `qmshutdown`, `vzdump` … */
  readonly type: string;
  /** Mostly a VMID; may be empty. */
  readonly id: string;
  /** `user@realm` or `user@realm!token`. */
  readonly user: string;
}

const UPID =
  /^UPID:([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8}):([^:\s/]+):([^:\s/]*):([^:\s/]+):$/;

/** The parts of a UPID, or undefined when the text is none (a backup server's, with one field more, is none either). */
export function parseUpid(text: string): Upid | undefined {
  const match = UPID.exec(text);
  if (match === null) return undefined;
  const [, node = '', pid = '', pstart = '', start = '', type = '', id = '', user = ''] = match;
  return {
    upid: text,
    node,
    pid: Number.parseInt(pid, 16),
    pstart: Number.parseInt(pstart, 16),
    startTime: new Date(Number.parseInt(start, 16) * 1000),
    type,
    id,
    user,
  };
}

/** Like `parseUpid`, for a value that has to be one. Throws `usage`. */
export function requireUpid(text: string): Upid {
  const upid = parseUpid(text);
  if (upid === undefined) {
    throw new VakhtaError('usage', 'proxmox-upid', `not a Proxmox VE task id: ${text}`, { args: { upid: text } });
  }
  return upid;
}

/**
 * What the answer of a call that starts a task means: the task, or `undefined` for the word `OK`, by which `vzdump`
 * says that there was nothing to do. Anything else is refused: a task that cannot be followed must not look done.
 */
export function startedTask(answer: string): Upid | undefined {
  if (answer === 'OK') return undefined;
  const upid = parseUpid(answer);
  if (upid === undefined) {
    throw new VakhtaError(
      'permanent',
      'proxmox-answer',
      `expected a UPID, got ${JSON.stringify(answer.slice(0, 100))}`,
      {
        args: { problem: 'UPID?' },
      },
    );
  }
  return upid;
}

export type TaskOutcome = 'ok' | 'warning' | 'unknown' | 'error';

/**
 * What a finished task's exit status says. `WARNINGS: n` did what was asked (a container created so exists); an empty
 * or `unexpected status` means that nobody knows: the worker died without a word. Never take it for success.
 */
export function taskOutcome(exitstatus: string | undefined): { outcome: TaskOutcome; warnings?: number } {
  const text = exitstatus?.trim() ?? '';
  if (text === 'OK') return { outcome: 'ok' };
  if (text === '' || text === 'unexpected status') return { outcome: 'unknown' };
  const warnings = /^WARNINGS: (\d+)$/.exec(text)?.[1];
  return warnings === undefined ? { outcome: 'error' } : { outcome: 'warning', warnings: Number(warnings) };
}
