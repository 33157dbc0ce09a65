import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';

export interface SimTask {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  readonly starttime: number;
  readonly type: string;
  /** As it stands in the UPID, escaped. */
  readonly id: string;
  /** `user@realm!token`. */
  readonly user: string;
  readonly log: string[];
  endtime?: number;
  /** Undefined while it runs. */
  exitstatus?: string;
}

/** A line of the log, and what is done when it is written. */
export interface Step {
  readonly line: string;
  readonly apply?: () => void;
}

/** What the next task that fits shall do, instead of what it would. */
export interface TaskScript {
  readonly type?: string;
  /** `OK`, `WARNINGS: 1`, an error text, `unknown`. */
  readonly exitstatus?: string;
  readonly durationMs?: number;
  /** Runs until it is stopped, after its first line. */
  readonly hang?: boolean;
}

export interface TaskPlan {
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly durationMs: number;
  readonly steps: readonly Step[];
  /** How it ends, asked at its end; default OK. */
  readonly exit?: () => string;
  readonly onEnd?: (task: SimTask) => void;
}

const hex = (value: number, width: number): string => value.toString(16).toUpperCase().padStart(width, '0');

/** As names of systemd units: `main:v-1` is `main\x3av-1`. */
export const escapeUnit = (text: string): string =>
  text.replace(/[^A-Za-z0-9_.]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** The name of a task that began at this second. Source: `proxmox-schema/src/upid.rs`. */
export const upidOf = (
  task: Pick<SimTask, 'node' | 'pid' | 'pstart' | 'starttime' | 'type' | 'id' | 'user'>,
  number: number,
): string =>
  `UPID:${task.node}:${hex(task.pid, 8)}:${hex(task.pstart, 8)}:${hex(number, 8)}:${hex(task.starttime, 8)}:${task.type}:${task.id}:${task.user}:`;

/** The server's task workers: they take time by the given clock, write a log line by line, and end as scripted. */
export function createTasks(clock: Clock, random: Random, node: string) {
  const tasks: SimTask[] = [];
  const scripts: TaskScript[] = [];
  const timers = new Map<SimTask, (() => void)[]>();
  const endings = new Map<SimTask, (task: SimTask) => void>();
  let count = 0;
  const now = () => Math.floor(clock.now().getTime() / 1000);

  const write = (task: SimTask, text: string): void => {
    task.log.push(`${clock.now().toISOString().slice(0, 19)}+00:00: ${text}`);
  };

  const end = (task: SimTask, exitstatus: string): void => {
    for (const cancel of timers.get(task) ?? []) cancel();
    timers.delete(task);
    task.endtime = now();
    task.exitstatus = exitstatus;
    if (exitstatus === 'OK') write(task, 'TASK OK');
    else if (exitstatus.startsWith('WARNINGS:')) write(task, `TASK ${exitstatus}`);
    // A worker that dies without a word leaves no last line: that is how the state becomes unknown.
    else if (exitstatus !== 'unknown') write(task, `TASK ERROR: ${exitstatus}`);
    endings.get(task)?.(task);
    endings.delete(task);
  };

  const start = (plan: TaskPlan): SimTask => {
    const at = scripts.findIndex(({ type }) => (type ?? plan.type) === plan.type);
    const script = at < 0 ? {} : (scripts.splice(at, 1)[0] ?? {});
    const pid = 1000 + (random.bytes(3).readUIntBE(0, 3) % 4_000_000);
    const { type, user, steps } = plan;
    const parts = { node, pid, pstart: 0x1f00, starttime: now(), type, id: escapeUnit(plan.id), user };
    const task: SimTask = { ...parts, upid: upidOf(parts, count++), log: [] };
    tasks.unshift(task);
    const duration = script.durationMs ?? plan.durationMs;
    const shown = script.hang === true ? steps.slice(0, 1) : steps;
    const pending = shown.map((step, i) =>
      clock.after((duration * i) / steps.length, () => {
        write(task, step.line);
        step.apply?.();
      }),
    );
    timers.set(task, pending);
    if (plan.onEnd) endings.set(task, plan.onEnd);
    if (script.hang !== true)
      pending.push(clock.after(duration, () => end(task, script.exitstatus ?? plan.exit?.() ?? 'OK')));
    return task;
  };

  return {
    start,
    /** Newest first. */
    all: tasks,
    script: (script: TaskScript) => void scripts.push(script),
    find: (upid: string) => tasks.find((task) => task.upid === upid),
    /** Asks it to stop; one that has ended stays as it is. */
    stop: (task: SimTask) => {
      if (task.exitstatus === undefined) end(task, 'abort requested - aborting task');
    },
  };
}

export type Tasks = ReturnType<typeof createTasks>;
