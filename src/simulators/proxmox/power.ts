import type { SimGuest } from './inventory.ts';
import { type Host, SimError } from './host.ts';

const DURATION: Record<string, number> = { start: 3000, stop: 1500, shutdown: 6000, reboot: 10_000 };

/**
 * Starts, stops … a guest: the UPID of the worker, or the refusal that comes before one is forked. What is checked
 * before and what only inside the worker (and so ends up as its exit status) differs between containers and VMs.
 * Source: `PVE/API2/LXC/Status.pm`, `PVE/LXC.pm`, `PVE/API2/Qemu.pm`, `PVE/QemuServer.pm`.
 */
export async function power(host: Host, guest: SimGuest, action: string, user: string): Promise<string> {
  const container = guest.type === 'lxc';
  const running = guest.status === 'running';
  const { vmid } = guest;
  if (container) {
    if (action === 'start' && running) throw new SimError(500, `CT ${vmid} already running\n`);
    if ((action === 'stop' || action === 'shutdown') && !running) throw new SimError(500, `CT ${vmid} not running\n`);
  }
  // The container's code says VM here, too.
  if (action === 'reboot' && !running) throw new SimError(500, `VM ${vmid} not running\n`);
  const type = `${container ? 'vz' : 'qm'}${action}`;
  const other = host.tasks.running(String(vmid));
  if (container && (other?.type === 'vzstart' || other?.type === 'vzreboot')) {
    await host.sleep(10_000);
    if (other.exitstatus === undefined) {
      throw new SimError(500, `can't lock file '/run/lock/lxc/pve-config-${vmid}.lock' - got timeout\n`);
    }
  }
  const task = host.tasks.start({
    node: guest.node,
    type,
    id: String(vmid),
    user,
    durationMs: !container && !running && action !== 'start' ? 100 : (DURATION[action] ?? 3000),
    lines: action === 'reboot' && container ? ['requesting reboot'] : [],
    error: refusal(guest, action),
    apply: () => {
      guest.status = action === 'start' || action === 'reboot' ? 'running' : 'stopped';
      if (guest.status === 'running') guest.startedAt = host.now();
    },
  });
  return task.upid;
}

function refusal(guest: SimGuest, action: string): string | undefined {
  const kind = guest.type === 'lxc' ? 'CT' : 'VM';
  if (action === 'start') {
    if (guest.template === true) return `you can't start a ${guest.type === 'lxc' ? 'CT' : 'vm'} if it's a template`;
    if (guest.type === 'qemu' && guest.status === 'running') return `VM ${guest.vmid} already running`;
  }
  return guest.lock === undefined ? undefined : `${kind} is locked (${guest.lock})`;
}
