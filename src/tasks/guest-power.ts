import { z } from 'zod';
import { minutes, seconds } from '../core/clock.ts';
import { code, doc, facts, type Inlines } from '../core/doc.ts';
import { VakhtaError } from '../core/error.ts';
import { formatDuration } from '../core/format.ts';
import { defineMessages, type Messages } from '../core/i18n.ts';
import type { Risk } from '../core/policy.ts';
import type { Guest, PowerAction, Proxmox, TaskResult } from '../integrations/proxmox/port.ts';
import { defineOperation, type Operation, type Outcome, type Reconciled } from './define.ts';
import type { Several } from './several.ts';

export const messages = defineMessages({
  en: `
    guest-plan = { $guest } on { $node } is { $status } now
    guest-plan-restart = it is shut down in order and started again; what it serves is away meanwhile
    guest-plan-stop = it is switched off at once, without shutting down: data in memory is lost
    guest-plan-shutdown = it is shut down in order; what it serves is away until somebody starts it
    guest-plan-start = it is started
    guest-running = { $guest } runs
    guest-stopped = { $guest } is stopped
    guest-restarted = { $guest } runs, and for { $uptime } s only
    guest-not-restarted = { $guest } runs, but was not restarted: up for { $uptime } s
    guest-task = waiting for the task of Proxmox: { $last }
    guest-task-started = task started
    guest-name = Guest
    guest-state = State
    guest-took = Took
    guest-warnings = Warnings
    guest-log = Log
    err-guest-task-failed = Proxmox reports for { $guest }: { $status }
    err-guest-task-unknown = The task on { $guest } ended without a word: whether it worked is unknown. Look at the guest.
    guest-busy = the task of Proxmox still runs
  `,
  ru: `
    guest-plan = { $guest } на { $node }, сейчас { $status }
    guest-plan-restart = будет корректно выключен и запущен снова; его сервисы на это время пропадут
    guest-plan-stop = будет выключен сразу, без завершения работы: данные в памяти пропадут
    guest-plan-shutdown = будет корректно выключен; его сервисов не будет, пока его не запустят
    guest-plan-start = будет запущен
    guest-running = { $guest } работает
    guest-stopped = { $guest } выключен
    guest-restarted = { $guest } работает, и всего { $uptime } с
    guest-not-restarted = { $guest } работает, но перезапущен не был: включён { $uptime } с
    guest-task = жду задачу Proxmox: { $last }
    guest-task-started = задача запущена
    guest-name = Гость
    guest-state = Состояние
    guest-took = Заняло
    guest-warnings = Предупреждения
    guest-log = Журнал
    err-guest-task-failed = Proxmox сообщает о { $guest }: { $status }
    err-guest-task-unknown = Задача на { $guest } кончилась молча: удалась ли она, неизвестно. Посмотрите на гостя.
    guest-busy = задача Proxmox ещё идёт
  `,
});

const boundSchema = z.object({ host: z.string(), vmid: z.number(), name: z.string(), node: z.string() });
type Bound = z.output<typeof boundSchema>;

const resultSchema = z.object({
  guest: z.string(),
  host: z.string(),
  vmid: z.number(),
  status: z.string(),
  durationMs: z.number(),
  warnings: z.number().optional(),
  tail: z.array(z.string()),
});

type PowerResult = z.output<typeof resultSchema>;

/** Finds a guest by name or number on whichever host has it. Throws `usage` when none or several have. */
export async function findGuest(
  hosts: Several<Proxmox>,
  name: string,
  signal: AbortSignal,
): Promise<{ host: Proxmox; guest: Guest }> {
  const found: { host: Proxmox; guest: Guest }[] = [];
  let missing: unknown;
  for (const host of hosts.all) {
    try {
      found.push({ host, guest: await host.guest(name, signal) });
    } catch (error) {
      if (!(error instanceof VakhtaError) || error.code !== 'proxmox-no-such-guest') throw error;
      missing = error;
    }
  }
  const [only, second] = found;
  if (only && !second) return only;
  if (!only)
    throw missing ?? new VakhtaError('permanent', 'port-missing', 'no Proxmox host', { args: { port: 'proxmox' } });
  const candidates = found.map(({ host, guest }) => `${host.id}: ${guest.name} (${guest.vmid})`).join(', ');
  throw new VakhtaError('usage', 'proxmox-guest-ambiguous', `${name} is on several hosts`, {
    args: { guest: name, candidates },
  });
}

export interface PowerOperation {
  readonly word: 'restart' | 'start' | 'stop' | 'shutdown';
  readonly action: PowerAction;
  readonly risk: Risk;
  readonly messages: Messages;
  /** The status the guest must have afterwards. */
  readonly wanted: 'running' | 'stopped';
}

/** The four power operations differ in a word and in what must be seen afterwards. */
export function definePowerOperation(power: PowerOperation): Operation {
  const display = ({ name, vmid }: { name: string; vmid: number }): string => `${name} (${vmid})`;
  const outcome = (bound: Bound, task: TaskResult, status: string, durationMs: number): Outcome<PowerResult> => {
    const base = {
      guest: display(bound),
      host: bound.host,
      vmid: bound.vmid,
      status,
      durationMs,
      tail: [...task.tail],
    };
    switch (task.outcome) {
      case 'ok':
        return { state: 'succeeded', result: base };
      case 'warning':
        return { state: 'warning', result: { ...base, warnings: task.warnings ?? 1 } };
      case 'unknown':
        throw new VakhtaError('permanent', 'guest-task-unknown', 'task ended without a status', {
          args: { guest: base.guest },
        });
      case 'error':
        throw new VakhtaError('permanent', 'guest-task-failed', task.exitstatus, {
          args: { guest: base.guest, status: task.exitstatus },
        });
    }
  };

  return defineOperation({
    name: `guest.${power.word}`,
    messages: power.messages,
    role: 'operator',
    risk: power.risk,
    args: z.object({ guest: z.string().min(1).max(64) }),
    fields: { guest: { choices: (known) => known.guests() } },
    result: resultSchema,
    ports: ['proxmox'],
    timeoutMs: minutes(10),
    locks: (_args, plan) => {
      const bound = boundSchema.parse(plan.bound);
      return [`guest:${bound.host}:${bound.vmid}`];
    },

    plan: async ({ ports, signal }, { guest: name }) => {
      const { host, guest } = await findGuest(ports.proxmox, name, signal);
      if (guest.template) {
        throw new VakhtaError('usage', 'proxmox-template', `${guest.name} is a template`, {
          args: { guest: guest.name },
        });
      }
      const bound: Bound = { host: host.id, vmid: guest.vmid, name: guest.name, node: guest.node };
      const args = { guest: display(bound), node: guest.node, status: guest.status };
      return {
        target: guest.name,
        lines: [{ key: 'guest-plan', args }, { key: `guest-plan-${power.word}` }],
        bound: { ...bound },
      };
    },

    run: async ({ ports, plan, clock, signal, progress, remember }) => {
      const bound = boundSchema.parse(plan.bound);
      const host = ports.proxmox.get(bound.host);
      const guest = await host.guest(bound.vmid, signal);
      const started = clock.now();
      await remember({ asked: true });
      const upid = await host.power(guest, power.action, { timeout: 120 }, signal);
      await remember({ asked: true, upid: upid.upid });
      progress({ step: { key: 'guest-task-started' } });
      const task = await host.waitForTask(upid.upid, {
        signal,
        onProgress: ({ newLines }) => {
          const last = newLines.at(-1);
          if (last) progress({ step: { key: 'guest-task', args: { last } } });
        },
      });
      const after = await host.guest(bound.vmid, signal);
      return outcome(bound, task, after.status, clock.now().getTime() - started.getTime());
    },

    verify: async ({ ports, clock, signal }, _args, { host: hostId, vmid, guest: name, durationMs }) => {
      const host = ports.proxmox.get(hostId);
      // The cluster's list lags behind the task by a polling interval of pvestatd (10 s).
      for (let attempt = 1; ; attempt++) {
        const guest = await host.guest(vmid, signal);
        const uptime = guest.uptime ?? 0;
        const fresh = power.word !== 'restart' || uptime <= Math.ceil(durationMs / 1000) + attempt * 3 + 30;
        if (guest.status === power.wanted && fresh) {
          const key = power.word === 'restart' ? 'guest-restarted' : `guest-${power.wanted}`;
          return { ok: true, text: { key, args: { guest: name, uptime: String(uptime) } } };
        }
        if (attempt >= 10) {
          const key =
            guest.status === power.wanted
              ? 'guest-not-restarted'
              : guest.status === 'running'
                ? 'guest-running'
                : 'guest-stopped';
          return { ok: false, text: { key, args: { guest: name, uptime: String(uptime) } } };
        }
        await clock.sleep(seconds(2), signal);
      }
    },

    reconcile: async ({ ports, signal }, { guest: name }, external): Promise<Reconciled<PowerResult>> => {
      if (external?.['asked'] !== true) return { state: 'again' };
      const { host, guest } = await findGuest(ports.proxmox, name, signal);
      const bound: Bound = { host: host.id, vmid: guest.vmid, name: guest.name, node: guest.node };
      const upid = external['upid'];
      // Asked, but the answer with the task's id never arrived: nobody knows, so nothing is asked twice.
      if (typeof upid !== 'string')
        return { state: 'failed', text: { key: 'err-guest-task-unknown', args: { guest: display(bound) } } };
      const task = await host.task(guest.node, upid, signal);
      if (task.status === 'running') return { state: 'busy', text: { key: 'guest-busy' } };
      const result = await host.waitForTask(upid, { signal });
      const { state, result: value } = outcome(bound, result, guest.status, 0);
      return { state, result: value };
    },

    report: (result, _args, { t }) => {
      const rows: (readonly [string, Inlines])[] = [
        [t('guest-name'), result.guest],
        [t('guest-state'), result.status],
      ];
      if (result.durationMs > 0) rows.push([t('guest-took'), formatDuration(result.durationMs, t)]);
      if (result.warnings !== undefined) rows.push([t('guest-warnings'), String(result.warnings)]);
      const last = result.tail.at(-1);
      if (last && result.warnings !== undefined) rows.push([t('guest-log'), code(last)]);
      return doc(facts(...rows));
    },
  });
}
