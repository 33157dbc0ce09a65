import { z } from 'zod';
import { minutes, seconds } from '../core/clock.ts';
import { code, doc, facts, type Inlines } from '../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../core/error.ts';
import { formatDuration } from '../core/format.ts';
import { defineMessages, type Messages } from '../core/i18n.ts';
import { guestLock } from '../core/locks.ts';
import type { Risk } from '../core/policy.ts';
import type { Guest, PowerAction, Proxmox, TaskResult } from '../integrations/proxmox/port.ts';
import { defineOperation, definite, type Operation, type Outcome, type Reconciled } from './define.ts';
import { stopOf } from './lifecycle/stop.ts';
import type { Several } from './several.ts';
import { scopesOfNames } from './silences/selection.ts';

export const messages = defineMessages({
  en: `
    guest-plan = { $guest } on { $node } { $status ->
        [running] is running now
        [stopped] is stopped now
       *[other] is in the state “{ $status }” now
    }
    guest-plan-restart = it is shut down in order and started again; its services are away meanwhile
    guest-plan-stop = it is switched off at once, without shutting down: unsaved data is lost
    guest-plan-shutdown = it is shut down in order; its services are away until somebody starts it
    guest-plan-start = it is started
    guest-running = { $guest } is running
    guest-stopped = { $guest } is stopped
    guest-restarted = { $guest } is running again, up for { $uptime } s
    guest-not-restarted = { $guest } is running, but was not restarted: it has been up for { $uptime } s
    guest-task = Proxmox: { $last }
    guest-task-started = Proxmox has started the task
    guest-status = { $status ->
        [running] running
        [stopped] stopped
       *[other] { $status }
    }
    guest-name = Guest
    guest-state = State
    guest-took = Took
    guest-warnings = Warnings
    guest-log = Log
    err-guest-task-failed = Proxmox reports for { $guest }: { $status }
    err-guest-task-unknown = The task of Proxmox on { $guest } ended without a result, so whether it worked is unknown. Look at the guest.
    err-guest-task-none = Proxmox knows no task of this request on { $guest }. Look at the guest, then ask again if it is still wanted.
    err-guest-changed = { $guest } is not the guest of the plan any more: the number { $vmid } now belongs to { $now }. Nothing was done; ask again.
    guest-busy = the task is still running in Proxmox
  `,
  ru: `
    guest-plan = { $guest } на { $node } сейчас { $status ->
        [running] работает
        [stopped] выключен
       *[other] в состоянии «{ $status }»
    }
    guest-plan-restart = будет корректно выключен и запущен снова; его сервисы на это время станут недоступны
    guest-plan-stop = будет выключен сразу, без завершения работы: несохранённые данные пропадут
    guest-plan-shutdown = будет корректно выключен; его сервисы будут недоступны, пока его не запустят
    guest-plan-start = будет запущен
    guest-running = { $guest } работает
    guest-stopped = { $guest } выключен
    guest-restarted = { $guest } снова работает, включён { $uptime } с
    guest-not-restarted = { $guest } работает, но перезапущен не был: включён уже { $uptime } с
    guest-task = Proxmox: { $last }
    guest-task-started = Proxmox запустил задачу
    guest-status = { $status ->
        [running] работает
        [stopped] выключен
       *[other] { $status }
    }
    guest-name = Гость
    guest-state = Состояние
    guest-took = Заняло
    guest-warnings = Предупреждения
    guest-log = Журнал
    err-guest-task-failed = Proxmox сообщает о { $guest }: { $status }
    err-guest-task-unknown = Задача Proxmox на { $guest } завершилась без результата: удалась ли она, неизвестно. Посмотрите на гостя.
    err-guest-task-none = Proxmox не знает задачи этого запроса на { $guest }. Посмотрите на гостя и, если ещё нужно, запросите снова.
    err-guest-changed = { $guest } — уже не тот гость, что в плане: номер { $vmid } теперь у { $now }. Ничего не сделано; запросите снова.
    guest-busy = задача в Proxmox ещё выполняется
  `,
});

const boundSchema = z.object({ host: z.string(), vmid: z.number(), name: z.string(), node: z.string() });
type Bound = z.output<typeof boundSchema>;

/** Stored before Proxmox is asked, then again with the task that it answered. */
const rememberedSchema = z.object({ asked: boundSchema, at: z.coerce.date(), upid: z.string().optional() });

/** Refused before a task began: it is known that nothing happened, so there is nothing to find out. */
const NOT_BEGUN = new Set(['proxmox-unreachable', 'proxmox-locked']);
/** Clocks of two machines, and whole seconds. */
const CLOCK_SLACK_MS = seconds(2);

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

  /** The task that our token began on this guest, of this kind, since then. */
  const taskSince = async (
    host: Proxmox,
    { node, vmid }: Bound,
    { type }: Guest,
    at: Date,
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    const since = new Date(at.getTime() - CLOCK_SLACK_MS);
    const tasks = await host.tasks(node, { since, own: true, vmid }, signal);
    const kind = `${type === 'lxc' ? 'vz' : 'qm'}${power.action}`;
    return tasks.findLast((task) => task.type === kind && task.id === String(vmid))?.upid;
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
      return [guestLock(bound.host, bound.vmid)];
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

    quiets: async (_args, plan, names) => {
      const bound = boundSchema.parse(plan.bound);
      // What is switched on makes no alerts of its own.
      if (power.word === 'start') return [];
      return scopesOfNames(await names.place(bound.name), ['guest', 'host', 'instance']);
    },

    run: async ({ ports, plan, clock, signal, progress, remember, log }) => {
      const bound = boundSchema.parse(plan.bound);
      const host = ports.proxmox.get(bound.host);
      const guest = await host.guest(bound.vmid, signal);
      if (guest.name !== bound.name) {
        const args = { guest: display(bound), vmid: bound.vmid, now: guest.name };
        throw new VakhtaError('permanent', 'guest-changed', `${bound.vmid} is now ${guest.name}`, { args });
      }
      const started = clock.now();
      const asked = { ...bound, node: guest.node };
      await remember({ asked, at: started });
      const upid = await host.power(guest, power.action, { timeout: 120 }, signal).catch((thrown: unknown) => {
        if (thrown instanceof VakhtaError && NOT_BEGUN.has(thrown.code)) throw definite(thrown);
        throw thrown;
      });
      await remember({ asked, at: started, upid: upid.upid });
      progress({ step: { key: 'guest-task-started' } });
      try {
        const task = await host.waitForTask(upid.upid, {
          signal,
          onProgress: ({ newLines }) => {
            const last = newLines.at(-1);
            if (last) progress({ step: { key: 'guest-task', args: { last } } });
          },
        });
        const after = await host.guest(bound.vmid, signal);
        return outcome(asked, task, after.status, clock.now().getTime() - started.getTime());
      } catch (thrown) {
        // Who cancels wants the task to end as well; whether it did, reconcile sees.
        if (stopOf(signal) === 'cancel') {
          await host.stopTask(asked.node, upid.upid).catch((error: unknown) => {
            log.warn({ err: error, upid: upid.upid }, 'the task was not stopped');
          });
        }
        throw thrown;
      }
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

    reconcile: async ({ ports, signal }, _args, external): Promise<Reconciled<PowerResult>> => {
      if (external === undefined) return { state: 'again' };
      const { asked, at, upid: known } = rememberedSchema.parse(external);
      const host = ports.proxmox.get(asked.host);
      const guest = await host.guest(asked.vmid, signal);
      // Asked, but the answer never arrived: the host's own list tells whether a task of ours began. Nothing is asked twice.
      const upid = known ?? (await taskSince(host, asked, guest, at, signal));
      if (upid === undefined) {
        return { state: 'failed', text: { key: 'err-guest-task-none', args: { guest: display(asked) } } };
      }
      const task = await host.task(asked.node, upid, signal);
      if (task.status === 'running') return { state: 'busy', text: { key: 'guest-busy' } };
      const ended = await host.waitForTask(upid, { signal });
      try {
        const { state, result } = outcome(asked, ended, guest.status, 0);
        return { state, result };
      } catch (thrown) {
        const { text, args } = toVakhtaError(thrown);
        return { state: 'failed', text: { key: text, args } };
      }
    },

    report: (result, _args, { t }) => {
      const rows: (readonly [string, Inlines])[] = [
        [t('guest-name'), result.guest],
        [t('guest-state'), t('guest-status', { status: result.status })],
      ];
      if (result.durationMs > 0) rows.push([t('guest-took'), formatDuration(result.durationMs, t)]);
      if (result.warnings !== undefined) rows.push([t('guest-warnings'), String(result.warnings)]);
      const last = result.tail.at(-1);
      if (last && result.warnings !== undefined) rows.push([t('guest-log'), code(last)]);
      return doc(facts(...rows));
    },
  });
}
