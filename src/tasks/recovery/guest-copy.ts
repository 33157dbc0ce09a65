import { minutes, seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Guest, Proxmox } from '../../integrations/proxmox/port.ts';
import type { ScratchRemover } from '../scratch/desk.ts';
import type { Several } from '../several.ts';
import type { GuestSettings } from './guest-settings.ts';
import { copyName } from './guests-state.ts';

/** A guest that a drill has made, or is about to make. */
export interface Copy {
  /** Id of the installation. */
  readonly host: string;
  readonly node: string;
  readonly type: 'lxc' | 'qemu';
  readonly vmid: number;
  readonly runId: string;
}

/** What stands in the description of a copy, and tells that it is one. */
export const markOf = (runId: string): string => `Vakhta drill ${runId}: destroyed afterwards`;

interface Removal {
  readonly copy: Copy;
  /** Numbers of drills; no other one is ever destroyed. */
  readonly range: { readonly vmidFrom: number; readonly vmidTo: number } | undefined;
  readonly mark: string;
  /** No task of ours on it began before. */
  readonly since: Date;
}

const POLL_MS = seconds(1);
const PATIENCE = minutes(1);
/** Clocks of two machines, and whole seconds. */
const CLOCK_SLACK_MS = seconds(5);

/**
 * Destroys a copy: ends what we still do to it, stops it, destroys it, and sees that it is gone. Succeeds when there is none. A guest whose
 * number, name and description do not all say that it is this copy is left alone: `guest-drill-not-ours`.
 */
export async function removeCopy(
  host: Proxmox,
  { copy, range, mark, since }: Removal,
  signal: AbortSignal,
): Promise<void> {
  const { vmid, node } = copy;
  const wait = { signal, pollMs: POLL_MS, patienceMs: PATIENCE };
  if (range === undefined || vmid < range.vmidFrom || vmid > range.vmidTo) {
    // Numbers of drills have changed meanwhile: that somebody has removed it can be seen all the same.
    if ((await statusOf(host, copy, signal)) === undefined) return;
    throw notOurs(copy, range ? `${range.vmidFrom}–${range.vmidTo}` : 'proxmox.backup.drill');
  }
  // The worker may have died before it heard of a task that it had asked for: the host's own list tells.
  const from = new Date(since.getTime() - CLOCK_SLACK_MS);
  const tasks = await host.tasks(node, { since: from, own: true, vmid }, signal);
  for (const { upid, running } of tasks) if (running) await endTask(host, node, upid, wait);
  const there = await statusOf(host, copy, signal);
  if (there === undefined) return;
  const config = await host.backups.config(copy, signal);
  const name = config['hostname'] ?? config['name'];
  if (name !== copyName(vmid)) throw notOurs(copy, name ?? '?');
  if (!(config['description'] ?? '').includes(mark)) throw notOurs(copy, 'description');
  if (config['protection'] === '1') await host.backups.configure(copy, { set: { protection: 0 } }, signal);
  const guest: Guest = { ...copy, name, status: there.status, template: false, tags: [] };
  if (there.status === 'running') {
    const stop = await host.power(guest, 'stop', {}, signal);
    // One that did not stop is refused below, in the host's own words.
    await host.waitForTask(stop.upid, wait);
  }
  const task = await host.backups.destroy(copy, signal);
  const { outcome, exitstatus } = await host.waitForTask(task.upid, wait);
  // By another way than the task's own word.
  if ((await statusOf(host, copy, signal)) === undefined) return;
  const problem = outcome === 'ok' ? 'it is there still' : exitstatus || '?';
  throw new VakhtaError('transient', 'guest-drill-remove', `${vmid} was not destroyed: ${problem}`, {
    args: { vmid: String(vmid), host: host.id, problem },
  });
}

const notOurs = ({ vmid, host }: Copy, why: string): VakhtaError =>
  new VakhtaError('permanent', 'guest-drill-not-ours', `${vmid} is not the copy: ${why}`, {
    args: { vmid: String(vmid), host, why },
  });

async function statusOf(host: Proxmox, copy: Copy, signal: AbortSignal) {
  try {
    return await host.backups.status(copy, signal);
  } catch (thrown) {
    if (toVakhtaError(thrown).code === 'proxmox-no-such-guest') return undefined;
    throw thrown;
  }
}

async function endTask(
  host: Proxmox,
  node: string,
  upid: string,
  wait: { readonly signal: AbortSignal; readonly pollMs: number; readonly patienceMs: number },
): Promise<void> {
  try {
    if ((await host.task(node, upid, wait.signal)).status === 'running') {
      await host.stopTask(node, upid, wait.signal);
      await host.waitForTask(upid, wait);
    }
  } catch (thrown) {
    // A host forgets tasks that are old enough.
    if (toVakhtaError(thrown).code !== 'proxmox-no-such-task') throw thrown;
  }
}

/** Removes what a drill left behind when its worker died. */
export function guestRemover(edges: {
  readonly proxmox: Several<Proxmox>;
  readonly settings: GuestSettings;
}): ScratchRemover {
  const { proxmox, settings } = edges;
  return {
    kind: 'guest',
    remove: async ({ runId, place, what, claimedAt }, signal) => {
      const host = proxmox.get(place);
      const vmid = Number(what['vmid']);
      const node = String(what['node']);
      const type = what['type'] === 'qemu' ? 'qemu' : 'lxc';
      const copy: Copy = { host: place, node, type, vmid, runId };
      const range = settings.of(place)?.drill;
      const removal = { copy, range, mark: markOf(runId), since: claimedAt };
      await removeCopy(host, removal, signal);
    },
  };
}
