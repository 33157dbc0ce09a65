import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';

export interface SimTask {
  readonly upid: string;
  readonly node: string;
  readonly pid: number;
  readonly pstart: number;
  readonly starttime: number;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly log: string[];
  endtime?: number;
  /** Undefined while it runs. */
  exitstatus?: string;
}

/** What the next task that fits shall do, instead of succeeding. */
export interface TaskScript {
  readonly type?: string;
  readonly vmid?: number;
  /** `OK`, `WARNINGS: 1`, an error text, `unexpected status`, or empty. Default `OK`. */
  readonly exitstatus?: string;
  readonly lines?: readonly string[];
  readonly durationMs?: number;
  /** Runs until it is stopped. */
  readonly hang?: boolean;
  /** Whether the guest changes although the exit status tells of a failure (an answer lost half-way). */
  readonly applies?: boolean;
}

export interface TaskPlan {
  readonly node: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly durationMs: number;
  readonly lines?: readonly string[];
  /** Ends the task with this error, for reasons of the host's own. */
  readonly error?: string | undefined;
  /** What the task changes, when it works. */
  readonly apply?: () => void;
  /** Comes at the end, however it ends. */
  readonly onEnd?: () => void;
}

const hex = (value: number, width: number): string => value.toString(16).toUpperCase().padStart(width, '0');

/** The host's task workers: they take time by the given clock, write a log line by line, and end as scripted. */
export function createTasks(clock: Clock, random: Random, bootedAt: () => number) {
  const tasks: SimTask[] = [];
  const scripts: TaskScript[] = [];
  const timers = new Map<SimTask, (() => void)[]>();
  const endings = new Map<SimTask, () => void>();
  const now = () => Math.floor(clock.now().getTime() / 1000);

  const end = (task: SimTask, exitstatus: string): void => {
    for (const cancel of timers.get(task) ?? []) cancel();
    timers.delete(task);
    endings.get(task)?.();
    endings.delete(task);
    task.endtime = now();
    task.exitstatus = exitstatus;
    if (exitstatus === 'OK') task.log.push('TASK OK');
    else if (exitstatus.startsWith('WARNINGS:')) task.log.push(`TASK ${exitstatus}`);
    // A worker that dies without a word leaves no last line: that is how the status becomes unexpected.
    else if (exitstatus !== '' && exitstatus !== 'unexpected status') task.log.push(`TASK ERROR: ${exitstatus}`);
  };

  const start = (plan: TaskPlan): SimTask => {
    const at = scripts.findIndex(
      ({ type, vmid }) => (type ?? plan.type) === plan.type && String(vmid ?? plan.id) === plan.id,
    );
    const script = at < 0 ? {} : (scripts.splice(at, 1)[0] ?? {});
    const pid = 1000 + (random.bytes(3).readUIntBE(0, 3) % 4_000_000);
    const starttime = now();
    const pstart = Math.max(0, starttime - bootedAt()) * 100;
    const { node, type, id, user } = plan;
    const upid = `UPID:${node}:${hex(pid, 8)}:${hex(pstart, 8)}:${hex(starttime, 8)}:${type}:${id}:${user}:`;
    const task: SimTask = { upid, node, pid, pstart, starttime, type, id, user, log: [] };
    tasks.unshift(task);
    const exitstatus = plan.error ?? script.exitstatus ?? 'OK';
    const duration = plan.error === undefined ? (script.durationMs ?? plan.durationMs) : 100;
    const lines = script.lines ?? plan.lines ?? [];
    const pending = lines.map((line, i) =>
      clock.after((duration * (i + 1)) / (lines.length + 1), () => task.log.push(line)),
    );
    timers.set(task, pending);
    if (plan.onEnd) endings.set(task, plan.onEnd);
    if (script.hang !== true || plan.error !== undefined) {
      pending.push(
        clock.after(duration, () => {
          const worked = exitstatus === 'OK' || exitstatus.startsWith('WARNINGS:');
          if (script.applies ?? worked) plan.apply?.();
          end(task, exitstatus);
        }),
      );
    }
    return task;
  };

  return {
    start,
    /** Newest first. */
    all: tasks,
    script: (script: TaskScript) => void scripts.push(script),
    find: (node: string, upid: string) => tasks.find((task) => task.node === node && task.upid === upid),
    running: (id: string) => tasks.find((task) => task.id === id && task.exitstatus === undefined),
    /** As the terminate signal does; a task that has ended stays as it is. */
    stop: (task: SimTask) => {
      if (task.exitstatus === undefined) end(task, 'received interrupt');
    },
    /** Puts an ended task into the list, for histories. */
    add: (task: SimTask) => {
      tasks.push(task);
      tasks.sort((a, b) => b.starttime - a.starttime);
    },
  };
}

export type Tasks = ReturnType<typeof createTasks>;
