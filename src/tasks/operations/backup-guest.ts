import { z } from 'zod';
import { hours, seconds } from '../../core/clock.ts';
import { code, doc, facts, type Inlines, time } from '../../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { backupLock, guestLock } from '../../core/locks.ts';
import type { BackupFile } from '../../integrations/proxmox/backup-port.ts';
import { holdsAt } from '../../integrations/proxmox/permissions.ts';
import type { Guest, Proxmox, TaskResult } from '../../integrations/proxmox/port.ts';
import { percentIn, readVzdumpLog } from '../../integrations/proxmox/vzdump-log.ts';
import { defineOperation, definite, type Outcome, type Reconciled } from '../define.ts';
import { findGuest } from '../guest-power.ts';
import { stopOf } from '../lifecycle/stop.ts';
import { scopesOfNames } from '../silences/selection.ts';

export const messages = defineMessages({
  en: `
    op-backup-guest = Back up a guest (Proxmox)
    op-backup-guest-arg-guest = Which guest? Its name or number.
    op-backup-guest-arg-storage = To which storage? Left out: the configured one.
    op-backup-guest-arg-mode = How? snapshot leaves it running; the other two interrupt it and are offered only where they are configured.
    backup-guest-plan = { $guest } on { $node } is backed up to { $storage }
    backup-guest-plan-suspend = it stands still for a part of the time
    backup-guest-plan-stop = it is shut down, and started again when its disks are saved; its services are away meanwhile
    backup-guest-plan-last = the last backup there is { $hours } h old, { $gb } GB
    backup-guest-plan-first = it has no backup there yet
    backup-guest-plan-space = { $free } GB are free there; about { $need } GB are needed
    backup-guest-started = Proxmox has begun the backup
    backup-guest-log = { $last }
    backup-guest-busy = Proxmox is still working on it
    backup-guest-seen = the storage lists it with { $gb } GB
    backup-guest-not-seen = the storage does not list it
    backup-guest-guest = Guest
    backup-guest-storage = Storage
    backup-guest-volume = Backup
    backup-guest-size = Size
    backup-guest-took = Took
    backup-guest-finished = Finished
    backup-guest-excluded = Not in it
    backup-guest-pruned = Removed
    backup-guest-pruned-n = { $n ->
        [one] an older backup
       *[other] { $n } older backups
      }, by the retention of the storage
    backup-guest-warning = Warning
    err-backup-guest-nothing = { $host } says that there is nothing to back up: { $guest } is probably on another node by now. Ask again.
    err-backup-guest-storage = Nothing says where to: name a storage, or set proxmox.backup.storage in the configuration. { $host } has for backups: { $storages }
    err-backup-guest-content = The storage { $storage } takes no backups. { $host } has for that: { $storages }
    err-backup-guest-away = The storage { $storage } cannot be reached from { $node }
    err-backup-guest-full = { $storage } has { $free } GB free, and about { $need } GB are needed
    err-backup-guest-mode = With “{ $mode }” { $guest } would be interrupted. That has to be configured: proxmox.backup.mode
    err-backup-guest-locked = { $guest } is locked in Proxmox ({ $lock }): somebody else is working on it. Wait until that ends.
  `,
  ru: `
    op-backup-guest = Резервная копия гостя (Proxmox)
    op-backup-guest-arg-guest = Какого гостя? Имя или номер.
    op-backup-guest-arg-storage = В какое хранилище? Если не указать — в то, что в конфигурации.
    op-backup-guest-arg-mode = Как? snapshot не останавливает гостя; остальные два его прерывают и доступны, только если так настроено.
    backup-guest-plan = { $guest } на { $node } копируется в { $storage }
    backup-guest-plan-suspend = часть времени он будет стоять
    backup-guest-plan-stop = он будет выключен и снова запущен, когда диски сохранятся; его сервисы на это время станут недоступны
    backup-guest-plan-last = последней копии там { $hours } ч, { $gb } ГБ
    backup-guest-plan-first = его копий там ещё нет
    backup-guest-plan-space = свободно там { $free } ГБ, нужно около { $need } ГБ
    backup-guest-started = Proxmox начал копирование
    backup-guest-log = { $last }
    backup-guest-busy = Proxmox ещё работает
    backup-guest-seen = хранилище показывает её, { $gb } ГБ
    backup-guest-not-seen = хранилище её не показывает
    backup-guest-guest = Гость
    backup-guest-storage = Хранилище
    backup-guest-volume = Копия
    backup-guest-size = Размер
    backup-guest-took = Заняло
    backup-guest-finished = Готово
    backup-guest-excluded = Не вошло
    backup-guest-pruned = Удалено
    backup-guest-pruned-n = { $n ->
        [one] { $n } старая копия
        [few] { $n } старые копии
       *[many] { $n } старых копий
      } по правилам хранения
    backup-guest-warning = Предупреждение
    err-backup-guest-nothing = { $host } отвечает, что копировать нечего: видимо, { $guest } уже на другом узле. Запросите снова.
    err-backup-guest-storage = Не сказано куда: укажите хранилище или задайте proxmox.backup.storage в конфигурации. Для копий на { $host } есть: { $storages }
    err-backup-guest-content = Хранилище { $storage } не принимает копии. Для этого на { $host } есть: { $storages }
    err-backup-guest-away = Хранилище { $storage } недоступно с { $node }
    err-backup-guest-full = В { $storage } свободно { $free } ГБ, а нужно около { $need } ГБ
    err-backup-guest-mode = «{ $mode }» прервёт работу { $guest }. Это должно быть настроено: proxmox.backup.mode
    err-backup-guest-locked = { $guest } заблокирован в Proxmox ({ $lock }): с ним работает кто-то ещё. Дождитесь окончания.
  `,
});

const MODES = ['snapshot', 'suspend', 'stop'] as const;

const boundSchema = z.object({
  host: z.string(),
  vmid: z.number(),
  name: z.string(),
  node: z.string(),
  storage: z.string(),
  mode: z.enum(MODES),
});
type Bound = z.output<typeof boundSchema>;

const rememberedSchema = z.object({ asked: boundSchema, at: z.coerce.date(), upid: z.string().optional() });

const resultSchema = z.object({
  guest: z.string(),
  host: z.string(),
  node: z.string(),
  vmid: z.number(),
  storage: z.string(),
  /** Empty when neither the log nor the storage named it. */
  volid: z.string(),
  sizeBytes: z.number().optional(),
  begunAt: z.coerce.date(),
  finishedAt: z.coerce.date(),
  excluded: z.array(z.string()),
  pruned: z.number(),
  warnings: z.array(z.string()),
});
type Result = z.output<typeof resultSchema>;

/** Refused before a task began. */
const NOT_BEGUN = new Set(['proxmox-unreachable', 'proxmox-locked']);
/** Clocks of two machines, and whole seconds. */
const CLOCK_SLACK_MS = seconds(2);
const LOG_LINES = 3;

const display = ({ name, vmid }: { readonly name: string; readonly vmid: number }): string => `${name} (${vmid})`;
const gb = (bytes: number): string => (bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0);

export default defineOperation({
  name: 'backup.guest',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({
    guest: z.string().min(1).max(64),
    storage: z
      .string()
      .regex(/^[a-zA-Z][a-zA-Z0-9\-_.]{0,63}$/)
      .optional(),
    mode: z.enum(MODES).optional(),
  }),
  fields: { guest: { choices: (known) => known.guests() } },
  result: resultSchema,
  ports: ['proxmox', 'guestSettings'],
  timeoutMs: hours(12),
  locks: (_args, plan) => {
    const { host, vmid, name } = boundSchema.parse(plan.bound);
    // What runs in it must stand still, and a drill must not lose the backup it restores to the retention.
    return [guestLock(host, vmid), backupLock(`guest-${name}`)];
  },

  plan: async ({ ports, clock, signal }, args) => {
    const { host, guest } = await findGuest(ports.proxmox, args.guest, signal);
    const settings = ports.guestSettings.of(host.id);
    const mode = args.mode ?? settings?.mode ?? 'snapshot';
    if (mode !== 'snapshot' && mode !== settings?.mode) {
      throw refuse('usage', 'mode', `mode ${mode} is not configured`, { mode, guest: guest.name });
    }
    if (guest.lock !== undefined) {
      throw refuse('usage', 'locked', `${guest.vmid} is locked`, { guest: display(guest), lock: guest.lock });
    }
    const storage = args.storage ?? settings?.storage;
    const room = await roomFor(host, guest, storage, signal);
    const lines: Text[] = [
      {
        key: 'backup-guest-plan',
        args: { guest: display(guest), node: guest.node, storage: room.storage },
      },
      ...(mode === 'snapshot' ? [] : [{ key: `backup-guest-plan-${mode}` }]),
      room.last
        ? {
            key: 'backup-guest-plan-last',
            args: {
              hours: Math.max(0, Math.floor((clock.now().getTime() - room.last.at.getTime()) / hours(1))),
              gb: gb(room.last.sizeBytes ?? 0),
            },
          }
        : { key: 'backup-guest-plan-first' },
      ...(room.free === undefined
        ? []
        : [{ key: 'backup-guest-plan-space', args: { free: gb(room.free), need: gb(room.need) } }]),
    ];
    const bound: Bound = {
      host: host.id,
      vmid: guest.vmid,
      name: guest.name,
      node: guest.node,
      storage: room.storage,
      mode,
    };
    return { target: guest.name, lines, bound: { ...bound } };
  },

  quiets: async (_args, plan, names) => {
    const { name, mode } = boundSchema.parse(plan.bound);
    const scopes = scopesOfNames(await names.place(name), ['guest', 'host', 'instance']);
    // One that goes on running is only slower.
    if (mode !== 'snapshot') return scopes;
    const load = {
      name: 'alertname',
      value: '.*(Load|C[Pp][Uu]|D[Ii][Ss][Kk]I[Oo]|I[Oo]Wait|Saturat).*',
      isRegex: true,
      isEqual: true,
    };
    return scopes.map((scope) => [...scope, load]);
  },

  run: async ({ ports, plan, clock, signal, progress, remember, log }) => {
    const bound = boundSchema.parse(plan.bound);
    const host = ports.proxmox.get(bound.host);
    const guest = await host.guest(bound.vmid, signal);
    if (guest.name !== bound.name) {
      const args = { guest: display(bound), vmid: bound.vmid, now: guest.name };
      throw new VakhtaError('permanent', 'guest-changed', `${bound.vmid} is now ${guest.name}`, { args });
    }
    const asked = { ...bound, node: guest.node };
    const at = clock.now();
    await remember({ asked, at });
    const { storage, mode } = asked;
    const task = await host.vzdump(guest, { storage, mode }, signal).catch((thrown: unknown) => {
      if (thrown instanceof VakhtaError && NOT_BEGUN.has(thrown.code)) throw definite(thrown);
      throw thrown;
    });
    if (task === undefined) {
      const args = { host: host.id, guest: display(guest) };
      throw refuse('permanent', 'nothing', 'vzdump answered OK', args);
    }
    await remember({ asked, at, upid: task.upid });
    progress({ step: { key: 'backup-guest-started' } });
    try {
      const ended = await host.waitForTask(task.upid, {
        signal,
        onProgress: ({ newLines }) => {
          const last = newLines.at(-1)?.replace(/^INFO:\s*/, '');
          const percent = percentIn(newLines);
          if (last) {
            const step = { key: 'backup-guest-log', args: { last } };
            progress({ step, ...(percent === undefined ? {} : { percent }) });
          }
        },
      });
      return await outcomeOf(host, { asked, at: task.startTime, upid: task.upid }, ended, clock.now(), signal);
    } catch (thrown) {
      // Who cancels wants the task to end as well; whether it did, reconcile sees.
      if (stopOf(signal) === 'cancel' || stopOf(signal) === 'timeout') {
        await host.stopTask(asked.node, task.upid).catch((error: unknown) => {
          log.warn({ err: error, upid: task.upid }, 'the task was not stopped');
        });
      }
      throw thrown;
    }
  },

  verify: async ({ ports, signal }, _args, { host, node, vmid, storage, volid, begunAt }) => {
    const stock = await ports.proxmox.get(host).backups.stock([{ node, storage }], { vmid }, signal);
    const [unread] = stock.unread;
    if (unread) throw unread.error;
    const found = stock.files.find((one) => one.volid === volid && isSince(one, begunAt));
    if (found === undefined || found.sizeBytes === 0) return { ok: false, text: { key: 'backup-guest-not-seen' } };
    return { ok: true, text: { key: 'backup-guest-seen', args: { gb: gb(found.sizeBytes ?? 0) } } };
  },

  reconcile: async ({ ports, clock, signal }, _args, external): Promise<Reconciled<Result>> => {
    if (external === undefined) return { state: 'again' };
    const { asked, at, upid: known } = rememberedSchema.parse(external);
    const host = ports.proxmox.get(asked.host);
    // Asked, but the answer never arrived: the host's own list tells whether a task of ours began. Nothing is asked twice.
    const since = new Date(at.getTime() - CLOCK_SLACK_MS);
    const tasks = await host.tasks(asked.node, { since, own: true, vmid: asked.vmid }, signal);
    const upid = known ?? tasks.findLast(({ type, id }) => type === 'vzdump' && id === String(asked.vmid))?.upid;
    if (upid === undefined)
      return { state: 'failed', text: { key: 'err-guest-task-none', args: { guest: display(asked) } } };
    const { status, startTime } = await host.task(asked.node, upid, signal);
    if (status === 'running') return { state: 'busy', text: { key: 'backup-guest-busy' } };
    const ended = await host.waitForTask(upid, { signal });
    const finishedAt = tasks.find((task) => task.upid === upid)?.endTime ?? clock.now();
    try {
      return await outcomeOf(host, { asked, at: startTime, upid }, ended, finishedAt, signal);
    } catch (thrown) {
      const { kind, text, args } = toVakhtaError(thrown);
      if (kind === 'transient') throw thrown;
      return { state: 'failed', text: { key: text, args } };
    }
  },

  report: (result, _args, { t }) => {
    const { guest, storage, volid, sizeBytes, begunAt, finishedAt, excluded, pruned, warnings } = result;
    const rows: (readonly [string, Inlines])[] = [
      ...warnings.slice(0, LOG_LINES).map((one) => [t('backup-guest-warning'), code(one)] as const),
      [t('backup-guest-guest'), guest],
      [t('backup-guest-storage'), storage],
      ...(volid === '' ? [] : [[t('backup-guest-volume'), code(volid.replace(/^[^:]+:backup\//, ''))] as const]),
      ...(sizeBytes === undefined ? [] : [[t('backup-guest-size'), formatBytes(sizeBytes, t)] as const]),
      [t('backup-guest-took'), formatDuration(Math.max(0, finishedAt.getTime() - begunAt.getTime()), t)],
      [t('backup-guest-finished'), time(finishedAt)],
    ];
    if (excluded.length > 0) rows.push([t('backup-guest-excluded'), code(excluded.join(', '))]);
    if (pruned > 0) rows.push([t('backup-guest-pruned'), t('backup-guest-pruned-n', { n: pruned })]);
    return doc(facts(...rows));
  },
});

const refuse = (
  kind: 'usage' | 'permanent',
  what: string,
  message: string,
  args: Readonly<Record<string, string>>,
): VakhtaError => new VakhtaError(kind, `backup-guest-${what}`, message, { args });

const isSince = ({ at }: BackupFile, begun: Date): boolean => at.getTime() >= begun.getTime() - CLOCK_SLACK_MS;

interface Room {
  readonly storage: string;
  readonly last?: BackupFile;
  /** Bytes; absent where a backup server stores only what is new. */
  readonly free?: number;
  readonly need: number;
}

/** Whether it fits there. Refuses a storage that takes no backups, is away, may not be written or is too small. */
async function roomFor(host: Proxmox, guest: Guest, storage: string | undefined, signal: AbortSignal): Promise<Room> {
  const { storage: all } = await host.resources('storage', signal);
  const here = all.filter((one) => one.node === guest.node || one.shared);
  const names = here.filter(({ content }) => content.includes('backup')).map((one) => one.storage);
  const storages = [...new Set(names)].join(', ') || '—';
  if (storage === undefined) throw refuse('usage', 'storage', 'no storage', { host: host.id, storages });
  if (!names.includes(storage)) {
    throw refuse('usage', 'content', `${storage} takes no backups`, { storage, host: host.id, storages });
  }
  const held = await host.permissions(signal);
  const lacking = [
    ['Datastore.AllocateSpace', `/storage/${storage}`],
    ['VM.Backup', `/vms/${guest.vmid}`],
  ].find(([privilege = '', path = '']) => !holdsAt(held, path, privilege));
  if (lacking) {
    const [privilege = '', path = ''] = lacking;
    throw new VakhtaError('permanent', 'proxmox-permission', `the token lacks ${privilege} on ${path}`, {
      args: { host: host.id, privilege, path },
    });
  }
  const status = await host.backups.storageStatus(guest.node, storage, signal);
  if (!status.isActive) throw refuse('permanent', 'away', `${storage} is not active`, { storage, node: guest.node });
  const { files } = await host.backups.stock([{ node: guest.node, storage }], { vmid: guest.vmid }, signal);
  const last = files[0];
  const need = last?.sizeBytes ?? (guest.disk === 0 ? guest.maxdisk : guest.disk) ?? 0;
  if (status.type === 'pbs') return { storage, need, ...(last ? { last } : {}) };
  const free = status.available ?? 0;
  if (free < need) {
    throw refuse('permanent', 'full', `${storage} is full`, { storage, free: gb(free), need: gb(need) });
  }
  return { storage, need, free, ...(last ? { last } : {}) };
}

interface Done {
  readonly asked: Bound;
  readonly at: Date;
  readonly upid: string;
}

/** What the ended task has made. Throws when it has made nothing, or nobody knows. */
async function outcomeOf(
  host: Proxmox,
  { asked, at, upid }: Done,
  ended: TaskResult,
  now: Date,
  signal: AbortSignal,
): Promise<Outcome<Result>> {
  const { lines } = await host.taskLog(asked.node, upid, 0, signal);
  const log = readVzdumpLog(lines);
  const guest = display(asked);
  if (ended.outcome === 'unknown') {
    throw new VakhtaError('permanent', 'guest-task-unknown', 'task ended without a status', { args: { guest } });
  }
  if (ended.outcome === 'error') {
    const status = log.failed.at(-1) ?? ended.exitstatus;
    throw new VakhtaError('permanent', 'guest-task-failed', ended.exitstatus, { args: { guest, status } });
  }
  const { node, vmid, storage } = asked;
  const { files } = await host.backups.stock([{ node, storage }], { vmid }, signal);
  const named = log.archive === undefined ? undefined : `${storage}:backup/${log.archive}`;
  const found = files.find((one) => (named === undefined ? isSince(one, at) : one.volid === named));
  const sizeBytes = found?.sizeBytes ?? log.sizeBytes;
  const warnings = ended.outcome === 'warning' ? lines.filter((one) => one.startsWith('WARN')) : [];
  return {
    state: ended.outcome === 'warning' ? 'warning' : 'succeeded',
    result: {
      guest,
      host: host.id,
      node,
      vmid,
      storage,
      volid: found?.volid ?? named ?? '',
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      begunAt: at,
      finishedAt: now,
      excluded: [...log.excluded],
      pruned: log.pruned,
      // A notification that could not be sent is no fault of the backup, but somebody waits for it.
      warnings: [
        ...(warnings.length === 0 && ended.outcome === 'warning' ? [ended.exitstatus] : warnings),
        ...log.afterwards,
      ],
    },
  };
}
