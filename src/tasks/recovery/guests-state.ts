import { days, hours } from '../../core/clock.ts';
import { type Fill, forecastFill } from '../../core/forecast.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { BackupFile, BackupJob } from '../../integrations/proxmox/backup-port.ts';
import type { Guest, Storage } from '../../integrations/proxmox/port.ts';
import type { BackupState, BackupVerdict } from './define.ts';
import type { Fills } from './fill.ts';
import type { GuestsLook } from './guests-look.ts';

export const messages = defineMessages({
  en: `
    guest-backup-ok = The newest backup is { $hours } h old, in { $storage }
    guest-backup-stale = The newest backup is { $hours } h old; allowed are { $max } h
    guest-backup-none = There is no backup of it in any storage
    guest-backup-only-bad = All its backups have failed their verification
    guest-backup-hidden = Nobody knows whether it has backups: the token needs VM.Backup on the guest and Datastore.AllocateSpace on the storages to be told
    guest-backup-unread = Nobody knows whether it has newer backups: { $storage } could not be read
    guest-backup-damaged = The newest backup has failed its verification ({ $volid })
    guest-backup-never = None of its backups was verified yet
    guest-backup-unverified = The newest backup was not verified yet; the last verified one is { $hours } h old
    guest-backup-verified-long-ago = It was verified last { $days } d ago; after { $max } d that does not count any more
    guest-backup-uncovered = No backup job covers it
    guest-backup-job-off = The only job that covers it is off: { $jobs }
    guest-backup-left-out = Not in its backups, as it is configured: { $disks }
    guest-backup-jobs-hidden = Which jobs there are could not be read
    guest-backup-away = The storage { $storage } cannot be reached
    guest-backup-storages-hidden = The token sees some of the storages only: give it Datastore.Audit on /storage
    guest-backup-some = The token sees some of the guests only: of the others nobody knows. Give it VM.Audit on /vms
    guest-backup-all-seen = { $count ->
        [one] 1 guest, seen in full
       *[other] { $count } guests, all seen
      }; { $jobs ->
        [0] no backup job
        [one] 1 backup job
       *[other] { $jobs } backup jobs
      }
    guest-backup-no-job = There is no backup job
    guest-backup-jobs-off = Switched off: { $jobs }
    guest-storage-full = { $percent } % full: there is room for { $free } GB
    guest-storage-filling = { $percent } % full, at this rate completely in { $days } d
    guest-storage-steady = { $percent } % full, and it does not grow
    guest-storage-used = { $percent } % full; how fast it fills is known after three days
  `,
  ru: `
    guest-backup-ok = Новейшей копии { $hours } ч, лежит в { $storage }
    guest-backup-stale = Новейшей копии { $hours } ч, допустимо { $max } ч
    guest-backup-none = Ни в одном хранилище нет его копий
    guest-backup-only-bad = Все его копии не прошли проверку
    guest-backup-hidden = Есть ли копии, неизвестно: чтобы их видеть, токену нужны VM.Backup на гостя и Datastore.AllocateSpace на хранилища
    guest-backup-unread = Есть ли копии новее, неизвестно: { $storage } не прочитать
    guest-backup-damaged = Новейшая копия не прошла проверку ({ $volid })
    guest-backup-never = Ни одна из копий ещё не проверена
    guest-backup-unverified = Новейшая копия ещё не проверена; последней проверенной { $hours } ч
    guest-backup-verified-long-ago = Последняя проверка была { $days } дн. назад; старше { $max } дн. не считается
    guest-backup-uncovered = Ни одно задание его не копирует
    guest-backup-job-off = Единственное задание с ним выключено: { $jobs }
    guest-backup-left-out = По настройке не входит в копии: { $disks }
    guest-backup-jobs-hidden = Прочитать задания копирования не удалось
    guest-backup-away = Хранилище { $storage } недоступно
    guest-backup-storages-hidden = Токен видит не все хранилища: выдайте ему Datastore.Audit на /storage
    guest-backup-some = Токен видит не всех гостей, об остальных ничего не известно. Выдайте ему VM.Audit на /vms
    guest-backup-all-seen = { $count ->
        [one] { $count } гость, виден полностью
        [few] { $count } гостя, видны все
       *[many] { $count } гостей, видны все
      }; { $jobs ->
        [0] заданий копирования нет
        [one] { $jobs } задание копирования
        [few] { $jobs } задания копирования
       *[many] { $jobs } заданий копирования
      }
    guest-backup-no-job = Заданий копирования нет
    guest-backup-jobs-off = Выключены: { $jobs }
    guest-storage-full = Занято { $percent } %: осталось { $free } ГБ
    guest-storage-filling = Занято { $percent } %, такими темпами место кончится через { $days } дн.
    guest-storage-steady = Занято { $percent } %, и оно не растёт
    guest-storage-used = Занято { $percent } %; как быстро заполняется, станет видно через трое суток
  `,
});

/** What is expected of the guests of one installation. */
export interface GuestRules {
  readonly id: string;
  readonly maxAgeHours: number;
  /** Names or numbers. */
  readonly exempt: readonly string[];
  /** Numbers that drills use; a copy of theirs needs no backup. */
  readonly drill?: { readonly vmidFrom: number; readonly vmidTo: number } | undefined;
  /** Days after which a verification does not count, by storage; of the others {@link VERIFY_DAYS}. */
  readonly verifyDays: ReadonlyMap<string, number>;
}

/** How a copy that a drill makes is called. */
export const copyName = (vmid: number): string => `vakhta-drill-${vmid}`;

const VERIFY_DAYS = 30;
const WARN_PERCENT = 85;
const FULL_PERCENT = 95;
/** Time enough to buy a disk. */
const FULL_SOON_MS = days(14);

interface Finding {
  readonly weight: Exclude<BackupVerdict, 'ok'> | 'note';
  readonly text: Text;
}
const HEAVIEST = ['down', 'unknown', 'warn', 'note'] as const;
const find = (weight: Finding['weight'], key: string, args: NonNullable<Text['args']> = {}): Finding => ({
  weight,
  text: { key, args },
});

/** Those that need a backup. */
export function guestsToBackUp(guests: readonly Guest[], { exempt, drill }: GuestRules): Guest[] {
  const left = new Set(exempt.map((one) => one.toLowerCase()));
  const isCopy = ({ vmid, name }: Guest): boolean =>
    drill !== undefined && vmid >= drill.vmidFrom && vmid <= drill.vmidTo && name === copyName(vmid);
  return guests.filter(
    (guest) =>
      !guest.template && !isCopy(guest) && !left.has(guest.name.toLowerCase()) && !left.has(String(guest.vmid)),
  );
}

/** `guest:gitlab`; where several have one name, `guest:pve1/103`. */
export function guestTargets(id: string, guests: readonly Guest[]): Map<number, string> {
  const count = new Map<string, number>();
  for (const { name } of guests) count.set(name.toLowerCase(), (count.get(name.toLowerCase()) ?? 0) + 1);
  return new Map(
    guests.map(({ vmid, name }) => [
      vmid,
      count.get(name.toLowerCase()) === 1 ? `guest:${name}` : `guest:${id}/${vmid}`,
    ]),
  );
}

/** How the backups of all guests stand, and the storages that hold them. Pure: the same look at the same time says the same. */
export function guestStates(look: GuestsLook, rules: GuestRules, fills: Fills, now: Date): BackupState[] {
  const files = filesByGuest(look);
  const targets = guestTargets(rules.id, look.guests);
  const guests = guestsToBackUp(look.guests, rules);
  return [
    ...guests.map((guest) =>
      stateOf(guest, targets.get(guest.vmid) ?? '', files.get(guest.vmid) ?? [], look, rules, now),
    ),
    installationState(look, guests.length, rules),
    // A backup server tells of its datastores itself, where it is configured.
    ...look.storages
      .filter(({ storage }) => !rules.verifyDays.has(storage))
      .map((one) => storageState(one, rules.id, fills.get(fillName(one)) ?? [], now)),
  ];
}

/** A storage of one node only is another one on each. */
export const fillName = ({ storage, node, shared }: Storage): string => (shared ? storage : `${node}/${storage}`);

/** One backup, from whichever side it was told. */
interface Known {
  readonly volid: string;
  readonly storage: string;
  readonly at: Date;
  readonly sizeBytes?: number | undefined;
  /** Absent where nothing verifies. */
  readonly verified?: { readonly state: 'ok' | 'failed' | 'never'; readonly at?: Date | undefined };
}

function filesByGuest({ files, storages }: GuestsLook): Map<number, Known[]> {
  const verifying = new Set(storages.filter(({ plugintype }) => plugintype === 'pbs').map(({ storage }) => storage));
  const known = (file: BackupFile): Known => {
    const { volid, storage, at, sizeBytes, verification } = file;
    const told = verification && {
      state: verification.isOk ? ('ok' as const) : ('failed' as const),
      at: verification.at,
    };
    const verified = told ?? (verifying.has(storage) ? { state: 'never' as const } : undefined);
    return { volid, storage, at, sizeBytes, ...(verified ? { verified } : {}) };
  };
  const byGuest = new Map<number, Known[]>();
  for (const file of files) {
    const others = byGuest.get(file.vmid);
    if (others) others.push(known(file));
    else byGuest.set(file.vmid, [known(file)]);
  }
  return byGuest;
}

const hoursSince = (at: Date, now: Date): number => Math.max(0, Math.floor((now.getTime() - at.getTime()) / hours(1)));

function stateOf(
  guest: Guest,
  target: string,
  files: readonly Known[],
  look: GuestsLook,
  rules: GuestRules,
  now: Date,
): BackupState {
  const newest = files[0];
  const good = files.find(({ verified }) => verified?.state !== 'failed');
  const newestAt = newestGood(good, guest, look);
  const findings = [
    ...ofAge(guest, newestAt, files.length > 0, look, rules, now),
    ...ofVerification(files, rules, now),
    ...ofJobs(guest, look),
    ...ofDisks(guest, look),
  ].toSorted((a, b) => HEAVIEST.indexOf(a.weight) - HEAVIEST.indexOf(b.weight));
  const [worst] = findings;
  const bad = worst !== undefined && worst.weight !== 'note';
  const fine: Text = {
    key: 'guest-backup-ok',
    args: { hours: hoursSince(newestAt ?? now, now), storage: good?.storage ?? '—' },
  };
  const verified = newest && verifiedOf(newest, rules, now);
  const stored = files.filter(({ verified: by }) => by === undefined);
  return {
    target,
    state: bad ? worst.weight : 'ok',
    line: bad ? worst.text : fine,
    ...(newestAt === undefined ? {} : { newestAt, rpoMs: Math.max(0, now.getTime() - newestAt.getTime()) }),
    count: files.length,
    ...(good?.sizeBytes === undefined ? {} : { sizeBytes: good.sizeBytes }),
    // What a backup server tells is before deduplication: nobody knows what one guest takes up there.
    ...(files.length === 0 || stored.length < files.length
      ? {}
      : { storedBytes: stored.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0) }),
    ...(verified ? { verified } : {}),
    notes: (bad ? findings.slice(1) : findings).map(({ text }) => text),
    backups: files.slice(0, 20).map(({ volid, storage, at, sizeBytes, verified: by }) => ({
      label: volid.replace(/^[^:]+:backup\//, ''),
      kind: storage,
      at,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(by?.state === 'failed' ? { error: true } : {}),
    })),
  };
}

/** A backup server may know of newer ones than the token of Proxmox VE is told of. */
function newestGood(
  good: Known | undefined,
  { vmid, type }: Guest,
  { servers, storages }: GuestsLook,
): Date | undefined {
  const own = new Set(storages.map(({ storage }) => storage));
  const told = (servers.byGuest.get(vmid) ?? [])
    // The same number may be another guest elsewhere: only what is a storage of this installation is of its guests.
    .filter((one) => !one.offsite && one.storage !== undefined && own.has(one.storage))
    .filter((one) => one.type === (type === 'lxc' ? 'ct' : 'vm'))
    .flatMap(({ newestAt }) => (newestAt ? [newestAt] : []));
  const all = [...(good ? [good.at] : []), ...told].map((at) => at.getTime());
  return all.length === 0 ? undefined : new Date(Math.max(...all));
}

function ofAge(
  { vmid }: Guest,
  newestAt: Date | undefined,
  isAny: boolean,
  { sees, unread }: GuestsLook,
  { maxAgeHours }: GuestRules,
  now: Date,
): Finding[] {
  const [blind] = unread;
  const isFresh = newestAt !== undefined && now.getTime() - newestAt.getTime() <= hours(maxAgeHours);
  const hidden = sees(vmid) ? [] : [find('unknown', 'guest-backup-hidden')];
  // A good one that is young enough is enough, whatever else nobody could read.
  if (isFresh) return [];
  if (hidden.length > 0) return hidden;
  if (blind) {
    return [
      find('unknown', 'guest-backup-unread', { storage: blind.storage || '?' }),
      { weight: 'note', text: blind.why },
    ];
  }
  if (newestAt === undefined) return [find('down', isAny ? 'guest-backup-only-bad' : 'guest-backup-none')];
  return [find('warn', 'guest-backup-stale', { hours: hoursSince(newestAt, now), max: maxAgeHours })];
}

const daysOf = ({ storage }: Known, { verifyDays }: GuestRules): number => verifyDays.get(storage) ?? VERIFY_DAYS;

function verifiedOf(one: Known, rules: GuestRules, now: Date): BackupState['verified'] {
  const { verified } = one;
  if (verified === undefined) return undefined;
  const when = verified.at ? { at: verified.at } : {};
  if (verified.state !== 'ok') return { state: verified.state, ...when };
  const isOld = verified.at === undefined || now.getTime() - verified.at.getTime() > days(daysOf(one, rules));
  return { state: isOld ? 'old' : 'ok', ...when };
}

function ofVerification(files: readonly Known[], rules: GuestRules, now: Date): Finding[] {
  const [newest] = files;
  const verified = newest && verifiedOf(newest, rules, now);
  if (newest === undefined || verified === undefined) return [];
  switch (verified.state) {
    case 'ok':
      return [];
    case 'failed':
      return [find('down', 'guest-backup-damaged', { volid: newest.volid })];
    case 'old': {
      const age = verified.at === undefined ? 0 : Math.floor((now.getTime() - verified.at.getTime()) / days(1));
      return [find('warn', 'guest-backup-verified-long-ago', { days: age, max: daysOf(newest, rules) })];
    }
    case 'never': {
      // Last night's may have to wait for tonight's verification.
      const last = files.find((file) => verifiedOf(file, rules, now)?.state === 'ok');
      return last
        ? [find('note', 'guest-backup-unverified', { hours: hoursSince(last.at, now) })]
        : [find('warn', 'guest-backup-never')];
    }
  }
}

/** Whether a job takes this guest. Source: `PVE/VZDump.pm`, `get_included_guests`. */
export function covers(job: BackupJob, guest: Guest): boolean {
  if (job.node !== undefined && job.node !== guest.node) return false;
  if (job.vmids.length > 0) return job.vmids.includes(guest.vmid);
  if (job.pool !== undefined) return job.pool === guest.pool;
  return job.all && !job.exclude.includes(guest.vmid);
}

function ofJobs(guest: Guest, { jobs, uncovered, jobsWhy }: GuestsLook): Finding[] {
  if (jobsWhy) return [find('warn', 'guest-backup-jobs-hidden'), { weight: 'note', text: jobsWhy }];
  const naming = jobs.filter((job) => covers(job, guest));
  // The host's own word counts where it is the worse one; it takes jobs that are off for jobs.
  if (naming.some(({ isEnabled }) => isEnabled) && !uncovered.has(guest.vmid)) return [];
  const off = naming.filter(({ isEnabled }) => !isEnabled).map(({ id }) => id);
  return off.length > 0 && !uncovered.has(guest.vmid)
    ? [find('warn', 'guest-backup-job-off', { jobs: off.join(', ') })]
    : [find('warn', 'guest-backup-uncovered')];
}

function ofDisks({ vmid }: Guest, { leftOut }: GuestsLook): Finding[] {
  const disks = leftOut.get(vmid) ?? [];
  return disks.length === 0 ? [] : [find('note', 'guest-backup-left-out', { disks: disks.join(', ') })];
}

/** What no single guest can tell: those that are not seen, and the jobs as a whole. */
function installationState(look: GuestsLook, count: number, { id }: GuestRules): BackupState {
  const { jobs, jobsWhy, isLimited, unread } = look;
  const off = jobs.filter(({ isEnabled }) => !isEnabled).map((job) => job.id);
  const findings = [
    ...(isLimited ? [find('unknown', 'guest-backup-some')] : []),
    ...(jobsWhy ? [{ weight: 'unknown' as const, text: jobsWhy }] : []),
    ...(!jobsWhy && jobs.length === 0 ? [find('warn', 'guest-backup-no-job')] : []),
    ...unread.map(({ why }): Finding => ({ weight: 'warn', text: why })),
    ...(off.length > 0 ? [find('note', 'guest-backup-jobs-off', { jobs: off.join(', ') })] : []),
  ];
  const [worst] = findings;
  const bad = worst !== undefined && worst.weight !== 'note';
  return {
    target: `proxmox:${id}`,
    state: bad ? worst.weight : 'ok',
    line: bad ? worst.text : { key: 'guest-backup-all-seen', args: { count, jobs: jobs.length } },
    notes: (bad ? findings.slice(1) : findings).map(({ text }) => text),
    backups: [],
  };
}

/** How full a storage is, and when it will be. */
export function storageState(storage: Storage, id: string, past: readonly Fill[], now: Date): BackupState {
  const { used, total, status } = storage;
  const base = { target: `proxmox:${id}/${fillName(storage)}`, notes: [], backups: [] };
  if (status !== 'available' || used === undefined || total === undefined || total <= 0) {
    return { ...base, state: 'unknown', line: { key: 'guest-backup-away', args: { storage: storage.storage } } };
  }
  const percent = Math.floor((used / total) * 100);
  const stored = { storedBytes: used };
  if (percent >= FULL_PERCENT) {
    const args = { percent, free: Math.floor((total - used) / 1e9) };
    return { ...base, ...stored, state: 'down', line: { key: 'guest-storage-full', args } };
  }
  const state = percent >= WARN_PERCENT ? 'warn' : 'ok';
  const forecast = forecastFill([...past, { at: now, used, total }], now);
  if (forecast.state === 'filling') {
    const leftMs = forecast.fullAt.getTime() - now.getTime();
    const args = { percent, days: Math.max(0, Math.floor(leftMs / days(1))) };
    const line = { key: 'guest-storage-filling', args };
    return { ...base, ...stored, state: leftMs < FULL_SOON_MS ? 'warn' : state, line };
  }
  const key = forecast.state === 'steady' ? 'guest-storage-steady' : 'guest-storage-used';
  return { ...base, ...stored, state, line: { key, args: { percent } } };
}
