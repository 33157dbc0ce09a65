import { days, hours } from '../../core/clock.ts';
import { forecastFill } from '../../core/forecast.ts';
import type { Text } from '../../core/i18n.ts';
import type { Collection, DatastoreUsage, Job, JobRun, Jobs, Snapshot } from '../../integrations/pbs/port.ts';
import type { BackupState, BackupVerdict } from './define.ts';
import {
  type Datastore,
  type DatastoreLook,
  groupsOf,
  snapshotName,
  type SnapshotGroup,
  type Verification,
  verificationOf,
} from './pbs-look.ts';

/** What was found, with its weight; `note` is only told. */
interface Finding {
  readonly weight: Exclude<BackupVerdict, 'ok'> | 'note';
  readonly text: Text;
}

const find = (weight: Finding['weight'], key: string, args: NonNullable<Text['args']> = {}): Finding => ({
  weight,
  text: { key, args },
});

/** What nobody could see outweighs what is merely known to be late. */
const HEAVIEST = ['down', 'unknown', 'warn', 'note'] as const;
/** Daily or weekly is usual; after this long nobody collects any more. */
const GC_OLD_MS = days(8);
const WARN_PERCENT = 85;
const FULL_PERCENT = 95;
/** Time enough to buy a disk. */
const FULL_SOON_MS = days(14);
const YEAR_MS = days(365);
const NAMES = 5;
const BACKUPS = 20;

/** How one datastore stands. Pure: the same look at the same time says the same. */
export function datastoreState({ datastore, target, usage, seen, why }: DatastoreLook, now: Date): BackupState {
  if (usage?.error !== undefined) {
    const line = { key: 'pbs-broken', args: { problem: usage.error } };
    return { target, state: 'down', line, notes: why ? [why] : [], backups: [] };
  }
  if (seen === undefined || why !== undefined) {
    return { target, state: 'unknown', line: why ?? { key: 'pbs-untold' }, notes: [], backups: [] };
  }
  const groups = groupsOf(seen.snapshots);
  const complete = seen.snapshots.filter(({ size }) => size !== undefined);
  const newestAt = complete.findLast(({ verification }) => verification?.state !== 'failed')?.at;
  const verifications = groups.flatMap(({ complete: all }) => {
    const newest = all.at(-1);
    return newest ? [verificationOf(newest, datastore.verifyDays, now)] : [];
  });
  const findings = [
    ...ofSnapshots(complete, newestAt, datastore, now),
    ...ofGroups(groups, datastore, now),
    ...ofUsage(usage, now),
    ...ofSync(seen.jobs, datastore, now),
    ...ofVerifyJobs(seen.jobs.verify, now),
    ...ofCollection(seen.collection, now),
    ...ofPruneJobs(seen.jobs.prune, now),
    ...ofNamespaces(groups),
  ].toSorted((a, b) => HEAVIEST.indexOf(a.weight) - HEAVIEST.indexOf(b.weight));
  const [worst] = findings;
  const bad = worst !== undefined && worst.weight !== 'note';
  const worstVerified = worstOf(verifications);
  return {
    target,
    state: bad ? worst.weight : 'ok',
    line: bad ? worst.text : { key: 'pbs-line-ok', args: { groups: groups.length, percent: percentOf(usage) ?? '?' } },
    ...(newestAt === undefined ? {} : { newestAt }),
    count: complete.length,
    ...(usage?.used === undefined ? {} : { storedBytes: usage.used }),
    ...(usage?.total === undefined ? {} : { capacityBytes: usage.total }),
    ...(worstVerified === undefined ? {} : { verified: worstVerified }),
    notes: (bad ? findings.slice(1) : findings).map(({ text }) => text),
    backups: complete
      .slice(-BACKUPS)
      .toReversed()
      .map((one) => ({
        label: snapshotName(one),
        kind: one.type,
        at: one.at,
        ...(one.size === undefined ? {} : { sizeBytes: one.size }),
        ...(one.verification?.state === 'failed' ? { error: true } : {}),
      })),
  };
}

function ofSnapshots(
  complete: readonly Snapshot[],
  newestAt: Date | undefined,
  store: Datastore,
  now: Date,
): Finding[] {
  const damaged = complete.filter(({ verification }) => verification?.state === 'failed').map(snapshotName);
  const age = newestAt === undefined ? undefined : now.getTime() - newestAt.getTime();
  const stale = age !== undefined && age > hours(store.maxAgeHours);
  const args = { hours: Math.floor((age ?? 0) / hours(1)), max: store.maxAgeHours };
  return [
    ...(damaged.length > 0
      ? [find('down', 'pbs-damaged', { count: damaged.length, names: firstOf(damaged.toReversed()) })]
      : []),
    ...(newestAt === undefined ? [find('down', 'pbs-empty')] : []),
    ...(stale ? [find('warn', store.offsite ? 'pbs-stale-offsite' : 'pbs-stale', args)] : []),
  ];
}

function ofGroups(groups: readonly SnapshotGroup[], store: Datastore, now: Date): Finding[] {
  const named = (wanted: Verification['state']) =>
    groups
      .filter(({ complete }) => {
        const newest = complete.at(-1);
        return newest && verificationOf(newest, store.verifyDays, now).state === wanted;
      })
      .map(groupName);
  const never = named('never');
  const old = named('old');
  const late = groups
    .filter(({ complete }) => now.getTime() - (complete.at(-1)?.at.getTime() ?? 0) > hours(store.maxAgeHours))
    .map(groupName);
  const unfinished = groups.flatMap(({ incomplete }) => incomplete.map(snapshotName));
  return [
    ...(never.length > 0 ? [find('warn', 'pbs-never', { names: firstOf(never) })] : []),
    ...(old.length > 0 ? [find('warn', 'pbs-old', { names: firstOf(old), days: store.verifyDays })] : []),
    // Whether a guest that is late should have been backed up, only Proxmox VE knows; its own line says so.
    ...(late.length > 0 && late.length < groups.length
      ? [find('note', 'pbs-groups-stale', { names: firstOf(late), max: store.maxAgeHours })]
      : []),
    ...(unfinished.length > 0 ? [find('note', 'pbs-unfinished', { names: firstOf(unfinished) })] : []),
  ];
}

function ofUsage(usage: DatastoreUsage | undefined, now: Date): Finding[] {
  const percent = percentOf(usage);
  if (usage?.total === undefined || usage.used === undefined || percent === undefined)
    return [find('unknown', 'pbs-untold')];
  const { total, used } = usage;
  if (percent >= FULL_PERCENT) {
    return [find('down', 'pbs-full', { percent, free: Math.floor((total - used) / 1e9) })];
  }
  const weight = percent >= WARN_PERCENT ? 'warn' : 'note';
  const { historyStart, historyStepMs } = usage;
  const past =
    historyStart === undefined || historyStepMs === undefined
      ? []
      : usage.history.flatMap((part, i) =>
          part === null
            ? []
            : [{ at: new Date(historyStart.getTime() + i * historyStepMs), used: part * total, total }],
        );
  // Our own line, not the server's `estimated-full-date`: one rule for all storages, and a date in the past is no answer.
  const forecast = forecastFill([...past, { at: now, used, total }], now);
  if (forecast.state === 'filling') {
    const leftMs = forecast.fullAt.getTime() - now.getTime();
    if (leftMs > YEAR_MS) return [find(weight, 'pbs-roomy', { percent })];
    const args = { percent, days: Math.max(0, Math.floor(leftMs / days(1))) };
    return [find(leftMs < FULL_SOON_MS ? 'warn' : weight, 'pbs-filling', args)];
  }
  return [find(weight, forecast.state === 'steady' ? 'pbs-steady' : 'pbs-used', { percent })];
}

/** How a job's last run ended. WARNINGS are an end of its own: what they mean differs from job to job. */
function endOf({ lastState, lastUpid }: JobRun): 'ok' | 'warnings' | 'failed' | 'unknown' | 'running' | 'never' {
  const state = lastState?.trim();
  if (state === undefined) return lastUpid === undefined ? 'never' : 'running';
  if (state === 'OK') return 'ok';
  if (state === '' || state === 'unknown') return 'unknown';
  return state.startsWith('WARNINGS:') ? 'warnings' : 'failed';
}

/** As two days are told in hours, and more in days; less than an hour as one. */
function ageOf(run: JobRun, now: Date): { readonly n: number; readonly unit: 'h' | 'd' } {
  const ms = Math.max(0, now.getTime() - (run.lastEnd ?? now).getTime());
  return ms < days(2)
    ? { n: Math.max(1, Math.floor(ms / hours(1))), unit: 'h' }
    : { n: Math.floor(ms / days(1)), unit: 'd' };
}

function ofSync({ sync, syncLimited }: Jobs, store: Datastore, now: Date): Finding[] {
  const findings = sync.map((job) => {
    const args = { job: job.id, problem: (job.lastState ?? '').trim() };
    switch (endOf(job)) {
      case 'ok':
        return find('note', 'pbs-sync-ok', { job: job.id, ...ageOf(job, now) });
      // Groups that it could not take are left out with a warning: the copy lacks them.
      case 'warnings':
        return find('down', 'pbs-sync-warnings', args);
      case 'failed':
        return find('down', 'pbs-sync-failed', args);
      case 'unknown':
        return find('warn', 'pbs-sync-unknown', args);
      case 'running':
        return find('note', 'pbs-running', args);
      case 'never':
        return find('warn', 'pbs-sync-never', args);
    }
  });
  if (!store.offsite) return findings;
  if (syncLimited) return [find('unknown', 'pbs-sync-hidden'), ...findings];
  return sync.some(({ direction }) => direction !== 'push') ? findings : [find('warn', 'pbs-sync-none'), ...findings];
}

function ofVerifyJobs(jobs: readonly Job[], now: Date): Finding[] {
  if (jobs.length === 0) return [find('note', 'pbs-verify-none')];
  return jobs.map((job) => {
    const args = { job: job.id, problem: (job.lastState ?? '').trim() };
    switch (endOf(job)) {
      case 'ok':
        return find('note', 'pbs-verify-ok', { job: job.id, ...ageOf(job, now) });
      case 'warnings':
        return find('warn', 'pbs-verify-failed', args);
      case 'failed':
        // Its words for damage; a job that was stopped has found none.
        return find(args.problem.startsWith('verification failed') ? 'down' : 'warn', 'pbs-verify-failed', args);
      case 'unknown':
        return find('warn', 'pbs-verify-unknown', args);
      case 'running':
        return find('note', 'pbs-running', args);
      case 'never':
        return find('note', 'pbs-verify-never', args);
    }
  });
}

function ofPruneJobs(jobs: readonly Job[], now: Date): Finding[] {
  if (jobs.length === 0) return [find('note', 'pbs-prune-none')];
  return jobs.map((job) => {
    const args = { job: job.id, problem: (job.lastState ?? '').trim() };
    if (job.disabled) return find('note', 'pbs-prune-disabled', args);
    switch (endOf(job)) {
      case 'ok':
        return find('note', 'pbs-prune-ok', { job: job.id, ...ageOf(job, now) });
      case 'warnings':
      case 'failed':
        return find('warn', 'pbs-prune-failed', args);
      case 'unknown':
        return find('warn', 'pbs-prune-unknown', args);
      case 'running':
        return find('note', 'pbs-running', args);
      case 'never':
        return find('note', 'pbs-prune-never', args);
    }
  });
}

function ofCollection(gc: Collection, now: Date): Finding[] {
  const bad = gc.stillBad > 0 ? [find('warn', 'pbs-gc-bad', { count: gc.stillBad })] : [];
  const unscheduled = gc.schedule === undefined ? [find('note', 'pbs-gc-unscheduled')] : [];
  const end = endOf(gc);
  if (gc.lastEnd === undefined) {
    return [
      ...bad,
      end === 'running' ? find('note', 'pbs-running', { job: 'GC' }) : find('warn', 'pbs-gc-never'),
      ...unscheduled,
    ];
  }
  const age = now.getTime() - gc.lastEnd.getTime();
  const args = { days: Math.floor(age / days(1)) };
  const failed = end === 'failed' || end === 'unknown' || end === 'warnings';
  if (failed)
    return [...bad, find('warn', 'pbs-gc-failed', { problem: (gc.lastState ?? '').trim() || '?' }), ...unscheduled];
  return [
    ...bad,
    age > GC_OLD_MS ? find('warn', 'pbs-gc-old', args) : find('note', 'pbs-gc-ok', ageOf(gc, now)),
    ...unscheduled,
  ];
}

function ofNamespaces(groups: readonly SnapshotGroup[]): Finding[] {
  const names = [...new Set(groups.map(({ ns }) => ns))].filter((ns) => ns !== '');
  return names.length === 0 ? [] : [find('note', 'pbs-namespaces', { names: firstOf(names) })];
}

const groupName = ({ ns, type, id }: SnapshotGroup): string => `${ns === '' ? '' : `${ns}/`}${type}/${id}`;

/** The first few of a list, and how many there are besides. */
const firstOf = (names: readonly string[]): string =>
  names.length <= NAMES ? names.join(', ') : `${names.slice(0, NAMES).join(', ')} … +${names.length - NAMES}`;

function percentOf(usage: DatastoreUsage | undefined): number | undefined {
  if (usage?.total === undefined || usage.used === undefined || usage.total <= 0) return undefined;
  return Math.floor((usage.used / usage.total) * 100);
}

const WORST: readonly Verification['state'][] = ['failed', 'never', 'old', 'ok'];

/** The worst of them, with the oldest date of its kind. */
function worstOf(all: readonly Verification[]): Verification | undefined {
  const state = WORST.find((one) => all.some((verification) => verification.state === one));
  if (state === undefined) return undefined;
  const dates = all.flatMap((one) => (one.state === state && one.at ? [one.at.getTime()] : []));
  return dates.length === 0 ? { state } : { state, at: new Date(Math.min(...dates)) };
}
