import { type Clock, hours, seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { backupLock } from '../../core/locks.ts';
import type { DrillReport, Proof, Step } from '../../core/recovery.ts';
import type { BackupFile, GuestConfig } from '../../integrations/proxmox/backup-port.ts';
import { differences, disksOf, parseConfig, reachesOut } from '../../integrations/proxmox/guest-config.ts';
import type { Guest, Proxmox } from '../../integrations/proxmox/port.ts';
import { percentIn } from '../../integrations/proxmox/vzdump-log.ts';
import { findGuest } from '../guest-power.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import type { Several } from '../several.ts';
import type { Drillable, WorkContext } from './define.ts';
import { type Copy, markOf, removeCopy } from './guest-copy.ts';
import { drillRights, lackingRight } from './guest-rights.ts';
import type { GuestBackupSettings, GuestSettings } from './guest-settings.ts';
import { backupStorages } from './guests-look.ts';
import { copyName } from './guests-state.ts';

export const messages = defineMessages({
  en: `
    guest-drill-plan = the newest backup of { $guest } ({ $storage }, { $hours } h old) is restored as { $vmid } on { $to }, without a network, and destroyed afterwards
    guest-drill-plan-space = { $need } GB are needed there, { $free } GB are free
    guest-drill-restoring = Proxmox restores: { $last }
    guest-drill-cutting = the network is cut off
    guest-drill-booting = the copy boots
    guest-drill-removing = the copy is destroyed
    guest-drill-part-restore = Restored
    guest-drill-part-cut = Cut off
    guest-drill-part-boot = Booted
    guest-drill-part-remove = Destroyed
    guest-drill-restored = Restored from { $volid } without a complaint
    guest-drill-restored-warnings = Restored, Proxmox warns: { $problem }
    guest-drill-same = Its options and the sizes of its disks are those of the backup
    guest-drill-differs = Not as in the backup: { $what }
    guest-drill-excluded = Not in the backup, as it is configured: { $disks }
    guest-drill-cut = Nothing leads out of the copy: no network, no device of the host
    guest-drill-unsafe = It was not started, for it could touch what is not its own: { $what }
    guest-drill-uncut = It was not started: what leads out could not be removed ({ $problem })
    guest-drill-no-start = It does not start: { $problem }
    guest-drill-runs = It runs, and its uptime grows
    guest-drill-agent = It runs, and its agent answers
    guest-drill-unseen = The machine runs; whether the system in it has booted nobody can tell without a guest agent
    guest-drill-agent-hidden = The machine runs; its agent may not be asked, the token lacks VM.GuestAgent.Audit
    guest-drill-not-up = It was not up within { $seconds } s
    guest-drill-fell = It started, and has stopped again
    err-guest-drill-off = Restores of guests of { $host } are not tried out: set proxmox.backup.drill in the configuration
    err-guest-drill-none = There is no backup of { $guest } that could be restored
    err-guest-drill-unread = Nobody knows the newest backup of { $guest }: { $storage } cannot be read
    err-guest-drill-storage = { $to } cannot take it: on { $node } there is no such storage for disks of guests
    err-guest-drill-full = { $to } has { $free } GB free, and { $need } GB are needed
    err-guest-drill-range = All numbers from { $from } to { $until } are taken
    err-guest-drill-restore = Proxmox could not restore it: { $problem }
    err-guest-drill-not-ours = The guest { $vmid } on { $host } is not the copy that was made ({ $why }), so it is left alone
    err-guest-drill-remove = The copy { $vmid } on { $host } could not be destroyed: { $problem }
  `,
  ru: `
    guest-drill-plan = новейшая копия { $guest } ({ $storage }, { $hours } ч) восстановится как { $vmid } на { $to }, без сети, и потом будет уничтожена
    guest-drill-plan-space = нужно там { $need } ГБ, свободно { $free } ГБ
    guest-drill-restoring = Proxmox восстанавливает: { $last }
    guest-drill-cutting = сеть отключается
    guest-drill-booting = дубль загружается
    guest-drill-removing = дубль уничтожается
    guest-drill-part-restore = Восстановлен
    guest-drill-part-cut = Отрезан от сети
    guest-drill-part-boot = Загружен
    guest-drill-part-remove = Уничтожен
    guest-drill-restored = Восстановлен из { $volid } без замечаний
    guest-drill-restored-warnings = Восстановлен, Proxmox предупреждает: { $problem }
    guest-drill-same = Параметры и размеры дисков такие же, как в копии
    guest-drill-differs = Не так, как в копии: { $what }
    guest-drill-excluded = По настройке не входит в копию: { $disks }
    guest-drill-cut = Наружу из дубля ничего не ведёт: ни сети, ни устройств хоста
    guest-drill-unsafe = Не запускался: мог бы задеть чужое — { $what }
    guest-drill-uncut = Не запускался: то, что ведёт наружу, убрать не удалось ({ $problem })
    guest-drill-no-start = Не запускается: { $problem }
    guest-drill-runs = Работает, время работы растёт
    guest-drill-agent = Работает, гостевой агент отвечает
    guest-drill-unseen = Машина работает; загрузилась ли система внутри, без гостевого агента не узнать
    guest-drill-agent-hidden = Машина работает; агента спросить нельзя, у токена нет VM.GuestAgent.Audit
    guest-drill-not-up = Не заработал за { $seconds } с
    guest-drill-fell = Запустился и снова выключился
    err-guest-drill-off = Пробное восстановление гостей { $host } не настроено: задайте proxmox.backup.drill в конфигурации
    err-guest-drill-none = У { $guest } нет копии, которую можно восстановить
    err-guest-drill-unread = Новейшая копия { $guest } неизвестна: { $storage } не прочитать
    err-guest-drill-storage = { $to } не подходит: на { $node } нет такого хранилища для дисков гостей
    err-guest-drill-full = В { $to } свободно { $free } ГБ, а нужно { $need } ГБ
    err-guest-drill-range = Все номера с { $from } по { $until } заняты
    err-guest-drill-restore = Proxmox не смог восстановить: { $problem }
    err-guest-drill-not-ours = Гость { $vmid } на { $host } — не тот дубль, который создавался ({ $why }), поэтому его не трогают
    err-guest-drill-remove = Дубль { $vmid } на { $host } не удалось уничтожить: { $problem }
  `,
});

export interface GuestDrillEdges {
  readonly proxmox: Several<Proxmox>;
  readonly settings: GuestSettings;
  readonly scratch: ScratchDesk;
  readonly clock: Clock;
}

type DrillSettings = NonNullable<GuestBackupSettings['drill']>;

/** What is restored, from where and to where. */
interface Prepared {
  readonly host: Proxmox;
  readonly guest: Guest;
  readonly drill: DrillSettings;
  readonly file: BackupFile;
  readonly node: string;
  /** Free numbers, in order. */
  readonly vmids: readonly number[];
  readonly freeBytes: number;
  readonly needBytes: number;
}

/** One drill of guests at a time: they share their numbers, and a host that restores two is slower than either would be. */
const LOCK = 'guest-drills';
/** Disks there take only what is written into them. */
const THIN = new Set(['zfspool', 'lvmthin', 'rbd', 'btrfs', 'dir', 'nfs', 'cifs', 'cephfs']);
const POLL_MS = seconds(2);
const TEAR_DOWN_MS = hours(1);

const gb = (bytes: number): string => (bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0);

/**
 * Restores the newest backup of a guest as a new one that nothing leads out of, starts it, and destroys it. `id` is its name, its number
 * or `pve1/103`.
 */
export function createGuestDrill(id: string, edges: GuestDrillEdges): Drillable {
  const { proxmox, settings, scratch } = edges;
  const locks = [LOCK];

  const prepare = async (signal: AbortSignal): Promise<Prepared> => {
    const [, on = '', number = ''] = /^([^/]+)\/(\d+)$/.exec(id) ?? [];
    const { host, guest } = proxmox.ids.includes(on)
      ? { host: proxmox.get(on), guest: await proxmox.get(on).guest(number, signal) }
      : await findGuest(proxmox, id, signal);
    const drill = settings.of(host.id)?.drill;
    if (drill === undefined) throw refuse('off', { host: host.id });
    const { storage, guests } = await host.resources(undefined, signal);
    const reachable = backupStorages(storage).filter(({ status }) => status === 'available');
    const { files, unread } = await host.backups.stock(reachable, { vmid: guest.vmid }, signal);
    const file = files.find(({ verification }) => verification?.isOk !== false);
    if (file === undefined) {
      const [blind] = unread;
      if (blind?.error.code === 'proxmox-permission') throw blind.error;
      throw refuse(blind ? 'unread' : 'none', { guest: guest.name, storage: blind?.storage ?? '' });
    }
    const from = reachable.find((one) => one.storage === file.storage);
    const node = from?.shared === true ? guest.node : file.node;
    const place = storage.find((one) => one.storage === drill.storage && one.node === node);
    const kind = guest.type === 'lxc' ? 'rootdir' : 'images';
    if (place?.status !== 'available' || !place.content.includes(kind))
      throw refuse('storage', { to: drill.storage, node });
    const { available = 0 } = await host.backups.storageStatus(node, drill.storage, signal);
    const needBytes = needOf(guest, file, place.plugintype);
    if (available < needBytes) throw refuse('full', { to: drill.storage, free: gb(available), need: gb(needBytes) });
    const taken = new Set([...guests.map(({ vmid }) => vmid), ...(await claimed(host.id))]);
    const range = Array.from({ length: drill.vmidTo - drill.vmidFrom + 1 }, (_, n) => drill.vmidFrom + n);
    const vmids = range.filter((vmid) => !taken.has(vmid));
    const [first] = vmids;
    if (first === undefined) throw refuse('range', { from: String(drill.vmidFrom), until: String(drill.vmidTo) });
    await checkRights(host, drill, first, signal);
    if (locks.length === 1) locks.push(backupLock(`guest-${guest.name}`));
    return { host, guest, drill, file, node, vmids, freeBytes: available, needBytes };
  };

  const claimed = async (host: string): Promise<number[]> =>
    (await scratch.open())
      .filter(({ kind, place }) => kind === 'guest' && place === host)
      .map(({ what }) => Number(what['vmid']));

  /** Claims a number and begins to restore into it; a number that somebody has taken meanwhile is left, for the next one. */
  const begin = async (prepared: Prepared, context: WorkContext) => {
    const { host, guest, drill, file, node, vmids } = prepared;
    const { runId, signal } = context;
    for (const vmid of vmids) {
      const since = context.clock.now();
      const copy: Copy = { host: host.id, node, type: guest.type, vmid, runId };
      const claim = await scratch.claim({
        runId,
        kind: 'guest',
        place: host.id,
        what: { vmid, node, type: guest.type },
      });
      await context.remember({ copy: { ...copy } });
      try {
        const { pool } = drill;
        const upid = await host.backups.restore(
          {
            type: guest.type,
            node,
            vmid,
            volid: file.volid,
            storage: drill.storage,
            name: copyName(vmid),
            description: markOf(runId),
            ...(pool === undefined ? {} : { pool }),
          },
          signal,
        );
        await context.remember({ copy: { ...copy }, upid: upid.upid });
        return { copy, claim, since, upid: upid.upid };
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        // Whether it began is not known: whoever removes what is left finds out.
        if (error.code === 'proxmox-unanswered' || signal.aborted) throw error;
        await scratch.released(claim);
        if (!/already exists/.test(error.message)) throw error;
      }
    }
    throw refuse('range', { from: String(drill.vmidFrom), until: String(drill.vmidTo) });
  };

  const run = async (context: WorkContext): Promise<DrillReport> => {
    const { clock, signal, progress, log } = context;
    const steps: Step[] = [];
    const timed = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
      const begun = clock.now().getTime();
      try {
        return await work();
      } finally {
        steps.push({ text: { key: `guest-drill-part-${key}` }, ms: clock.now().getTime() - begun });
      }
    };
    const prepared = await prepare(signal);
    const { host, file, drill } = prepared;
    const rpoMs = Math.max(0, clock.now().getTime() - file.at.getTime());
    const backedUp = parseConfig(await host.backups.configIn(file, signal));
    const { version } = await host.version(signal);
    const made: { now?: Awaited<ReturnType<typeof begin>> } = {};
    const proofs: Proof[] = [];
    let sizeBytes = file.sizeBytes;
    try {
      const restored = await timed('restore', async () => {
        const begun = await begin(prepared, context);
        made.now = begun;
        return { ...begun, ...(await follow(host, begun.upid, context)) };
      });
      const { copy, warnings } = restored;
      sizeBytes = restored.sizeBytes ?? sizeBytes;
      proofs.push(
        warnings === undefined
          ? proof(true, 'restored', { volid: file.volid })
          : proof(true, 'restored-warnings', { problem: warnings }),
      );
      progress({ step: { key: 'guest-drill-cutting' } });
      const cut = await timed('cut', () => cutOff(host, copy, backedUp, signal));
      proofs.push(...cut.proofs);
      if (cut.isSafe) {
        progress({ step: { key: 'guest-drill-booting' } });
        proofs.push(await timed('boot', () => boot(host, copy, cut.config, drill.bootSeconds, context)));
      }
    } finally {
      const begun = made.now;
      if (begun !== undefined) {
        progress({ step: { key: 'guest-drill-removing' } });
        await timed('remove', () => tearDown(host, { ...begun, drill }, context)).catch((thrown: unknown) => {
          // The claim stays, so that whoever sweeps tries again, and the drill does not pass.
          log.warn({ err: thrown, copy: begun.copy }, 'the copy of a drill was not destroyed');
        });
      }
    }
    const ms = (key: string): number => steps.find(({ text }) => text.key === `guest-drill-part-${key}`)?.ms ?? 0;
    return {
      source: file.volid,
      rtoMs: ms('restore') + ms('boot'),
      rpoMs,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      versions: { proxmox: version },
      steps,
      proofs,
    };
  };

  /** Goes on when the drill was cancelled: what was made is destroyed all the same. */
  const tearDown = async (
    host: Proxmox,
    { copy, claim, since, drill }: { copy: Copy; claim: string; since: Date; drill: DrillSettings },
    { clock, runId }: WorkContext,
  ): Promise<void> => {
    const limit = new AbortController();
    const stop = clock.after(TEAR_DOWN_MS, () => limit.abort(new DOMException('tearing down', 'TimeoutError')));
    try {
      await removeCopy(host, { copy, range: drill, mark: markOf(runId), since }, limit.signal);
      await scratch.released(claim);
    } finally {
      stop();
    }
  };

  return {
    target: `guest:${id}`,
    locks,
    plan: async (signal) => {
      const { guest, file, drill, vmids, freeBytes, needBytes } = await prepare(signal);
      const ageMs = edges.clock.now().getTime() - file.at.getTime();
      return {
        ...(file.sizeBytes === undefined ? {} : { sizeBytes: file.sizeBytes }),
        lines: [
          {
            key: 'guest-drill-plan',
            args: {
              guest: guest.name,
              storage: file.storage,
              hours: Math.max(0, Math.floor(ageMs / hours(1))),
              vmid: String(vmids[0]),
              to: drill.storage,
            },
          },
          { key: 'guest-drill-plan-space', args: { need: gb(needBytes), free: gb(freeBytes) } },
        ],
      };
    },
    run,
  };
}

const refuse = (what: string, args: Readonly<Record<string, string>>): VakhtaError =>
  new VakhtaError('permanent', `guest-drill-${what}`, `drill of a guest: ${what} ${JSON.stringify(args)}`, { args });

const proof = (ok: boolean, key: string, args: NonNullable<Text['args']> = {}): Proof => ({
  ok,
  text: { key: `guest-drill-${key}`, args },
});

/** Bytes that the restored disks take up at first. */
function needOf(
  { type, disk = 0, maxdisk = 0 }: Guest,
  { sizeBytes = 0 }: BackupFile,
  plugin: string | undefined,
): number {
  if (type === 'lxc') return disk > 0 ? disk : maxdisk;
  // The host does not look into machines: what is compressed in the backup is the least.
  return THIN.has(plugin ?? '') ? sizeBytes : maxdisk;
}

/** Names what the token lacks before anything is made. */
async function checkRights(host: Proxmox, drill: DrillSettings, vmid: number, signal: AbortSignal): Promise<void> {
  const lacking = lackingRight(await host.permissions(signal), drillRights(drill, vmid));
  if (lacking === undefined) return;
  const [privilege, path] = lacking;
  throw new VakhtaError('permanent', 'proxmox-permission', `the token lacks ${privilege} on ${path}`, {
    args: { host: host.id, privilege, path },
  });
}

/** Waits for the restore. One that ends in warnings has made the guest. */
async function follow(
  host: Proxmox,
  upid: string,
  { signal, progress }: WorkContext,
): Promise<{ readonly warnings?: string; readonly sizeBytes?: number }> {
  let sizeBytes: number | undefined;
  const ended = await host.waitForTask(upid, {
    signal,
    pollMs: POLL_MS,
    onProgress: ({ newLines }) => {
      for (const line of newLines) {
        const bytes = /^Total bytes read: (\d+)/.exec(line)?.[1];
        if (bytes !== undefined) sizeBytes = Number(bytes);
      }
      const last = newLines.at(-1);
      const percent = percentIn(newLines);
      if (last) {
        const step = { key: 'guest-drill-restoring', args: { last } };
        progress({ step, ...(percent === undefined ? {} : { percent }) });
      }
    },
  });
  const size = sizeBytes === undefined ? {} : { sizeBytes };
  if (ended.outcome === 'ok') return size;
  const problem = ended.tail.findLast((line) => /^(?:WARN|ERROR)/.test(line)) ?? (ended.exitstatus || '?');
  if (ended.outcome === 'warning') return { ...size, warnings: problem };
  throw refuse('restore', { problem: ended.exitstatus || problem });
}

/** Takes away all that leads out, and reads again whether it is gone. Only then may the copy be started. */
async function cutOff(
  host: Proxmox,
  copy: Copy,
  backedUp: GuestConfig,
  signal: AbortSignal,
): Promise<{ readonly isSafe: boolean; readonly config: GuestConfig; readonly proofs: readonly Proof[] }> {
  const { backups } = host;
  const before = await backups.config(copy, signal);
  const differing = differences(backedUp, before);
  const excluded = disksOf(backedUp).filter(({ isExcluded, isMedia }) => isExcluded && !isMedia);
  const proofs: Proof[] = [
    differing.length === 0 ? proof(true, 'same') : proof(false, 'differs', { what: differing.join(', ') }),
    ...(excluded.length === 0 ? [] : [proof(true, 'excluded', { disks: excluded.map(({ key }) => key).join(', ') })]),
  ];
  // Disks stay as they are: one that is not the copy's own is not to be touched, and keeps it from being started.
  const disks = new Set(disksOf(before).map(({ key }) => key));
  const remove = reachesOut(before, copy.vmid).filter((name) => !disks.has(name));
  try {
    await backups.configure(copy, { set: { onboot: 0, protection: 0 }, remove, digest: before['digest'] }, signal);
  } catch (thrown) {
    const error = toVakhtaError(thrown);
    if (error.kind === 'transient') throw error;
    const problem = error.args['problem'] ?? error.args['privilege'] ?? error.message;
    return { isSafe: false, config: before, proofs: [...proofs, proof(false, 'uncut', { problem: String(problem) })] };
  }
  const config = await backups.config(copy, signal);
  const left = reachesOut(config, copy.vmid);
  const isSafe = left.length === 0;
  return {
    isSafe,
    config,
    proofs: [...proofs, isSafe ? proof(true, 'cut') : proof(false, 'unsafe', { what: left.join(', ') })],
  };
}

/** Starts it, and waits until it is seen to run: twice with a longer uptime, or by the word of its agent. */
async function boot(
  host: Proxmox,
  copy: Copy,
  config: GuestConfig,
  bootSeconds: number,
  { clock, signal }: WorkContext,
): Promise<Proof> {
  const { backups } = host;
  const guest: Guest = { ...copy, name: copyName(copy.vmid), status: 'stopped', template: false, tags: [] };
  const task = await host.power(guest, 'start', {}, signal);
  const started = await host.waitForTask(task.upid, { signal, pollMs: POLL_MS });
  if (started.outcome === 'error' || started.outcome === 'unknown') {
    return proof(false, 'no-start', { problem: started.exitstatus || '?' });
  }
  const until = clock.now().getTime() + seconds(bootSeconds);
  let asksAgent = copy.type === 'qemu' && /^1|enabled=1/.test(config['agent'] ?? '');
  let isHidden = false;
  let first: number | undefined;
  for (;;) {
    const { status, uptime } = await backups.status(copy, signal);
    if (status !== 'running') return proof(false, 'fell');
    if (asksAgent) {
      const answer = await backups.agentAnswers(copy, signal).catch((thrown: unknown) => {
        if (toVakhtaError(thrown).code !== 'proxmox-permission') throw thrown;
        return undefined;
      });
      if (answer === true) return proof(true, 'agent');
      if (answer === undefined) [asksAgent, isHidden] = [false, true];
    } else {
      first ??= uptime;
      if (uptime > first) return proof(true, copy.type === 'lxc' ? 'runs' : isHidden ? 'agent-hidden' : 'unseen');
    }
    if (clock.now().getTime() >= until) return proof(false, 'not-up', { seconds: bootSeconds });
    await clock.sleep(POLL_MS, signal);
  }
}
