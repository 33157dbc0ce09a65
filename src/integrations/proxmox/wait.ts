import type { Clock } from '../../core/clock.ts';
import { minutes } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Proxmox, TaskResult, WaitOptions } from './port.ts';
import { taskOutcome, type Upid } from './upid.ts';

const TAIL = 20;

/** Polls a task until it stops. A host that is away for a while is waited for: the task runs on without us. */
export async function followTask(
  proxmox: Pick<Proxmox, 'task' | 'taskLog'>,
  clock: Clock,
  upid: Upid,
  { signal, onProgress, pollMs = 2000, patienceMs = minutes(2) }: WaitOptions,
): Promise<TaskResult> {
  let next = 0;
  let tail: readonly string[] = [];
  let lostSince: number | undefined;
  for (;;) {
    if (aborted(signal)) throw toVakhtaError(signal?.reason);
    const seen = await look(proxmox, upid, next, signal).catch((thrown: unknown) => {
      const error = toVakhtaError(thrown);
      const now = clock.now().getTime();
      lostSince ??= now;
      if (error.kind !== 'transient' || aborted(signal) || now - lostSince >= patienceMs) throw error;
      return undefined;
    });
    if (seen !== undefined) {
      const { status, log } = seen;
      lostSince = undefined;
      next = log.next;
      tail = [...tail, ...log.lines].slice(-TAIL);
      if (log.lines.length > 0) {
        const elapsedMs = Math.max(0, clock.now().getTime() - upid.startTime.getTime());
        await onProgress?.({ upid, elapsedMs, newLines: log.lines });
      }
      if (status.status === 'stopped') {
        return { ...taskOutcome(status.exitstatus), exitstatus: status.exitstatus?.trim() ?? '', tail };
      }
    }
    await clock.sleep(pollMs, signal).catch((reason: unknown) => {
      throw toVakhtaError(reason);
    });
  }
}

/** Status first, log second: what a stopped task wrote is then complete. */
async function look(proxmox: Pick<Proxmox, 'task' | 'taskLog'>, upid: Upid, start: number, signal?: AbortSignal) {
  const status = await proxmox.task(upid.node, upid.upid, signal);
  return { status, log: await proxmox.taskLog(upid.node, upid.upid, start, signal) };
}

const aborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
