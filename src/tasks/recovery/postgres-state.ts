import { z } from 'zod';
import { type Clock, days, hours, minutes } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Text } from '../../core/i18n.ts';
import { restoreWindow } from '../../core/pitr.ts';
import { type GoalSettings, goalsOf } from '../../core/recovery.ts';
import type { Config, Stanza } from '../../config/schema.ts';
import type { BackupInfo, StanzaInfo } from '../../integrations/pgbackrest/info.ts';
import { type ArchiveHealth, archiveFails, archiveLag, archiveOf } from '../../integrations/postgres/archive.ts';
import type { PostgresBackups } from '../../integrations/postgres/backups.ts';
import { leadsHere, type Lineage } from '../../integrations/postgres/lineage.ts';
import type { Psql } from '../../integrations/postgres/psql.ts';
import type { Database } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';
import { type IntegrityCheck, newestIntegrityChecks } from '../../store/recovery.ts';
import type { BackupSource, BackupState, BackupVerdict } from './define.ts';

/** After this much without WAL the lag says nothing: nobody writes. One commit takes more. */
const IDLE_BYTES = 128;
/** A failure of archiving that has passed is shown this long. */
const GROWTH_SHOWN_MS = hours(1);
const BACKUPS_SHOWN = 20;

export interface PostgresSourceEdges {
  readonly config: { readonly recovery: PostgresFacts['recovery'] };
  readonly backups: PostgresBackups;
  /** Absent where the configuration names no cluster. */
  readonly psql?: Psql;
  /** How the cluster came to be, by its data folder; absent as above. */
  readonly lineage?: (signal: AbortSignal) => Promise<Lineage | undefined>;
  readonly db: Database;
  readonly clock: Clock;
}

/** How the backups of one cluster stand, here (`pg:main`) and elsewhere (`offsite-pg:main`). */
export function postgresSource(stanza: Stanza, edges: PostgresSourceEdges): BackupSource {
  const { id, offsiteRepo } = stanza;
  const { backups, psql, lineage, db, clock, config } = edges;
  const targets = [`pg:${id}`, ...(offsiteRepo === undefined ? [] : [`offsite-pg:${id}`])];
  return {
    name: `postgres ${id}`,
    targets,
    states: async (signal) => {
      const [info, archive, checks, line] = await Promise.all([
        backups.info(signal),
        psql ? lookAtArchive(id, psql, { db, clock }, signal) : undefined,
        newestIntegrityChecks(db),
        lineage?.(signal),
      ]);
      const known = {
        ...(line ? { lineage: line } : {}),
        stanza,
        info,
        now: clock.now(),
        recovery: config.recovery,
        driver: backups.driver,
      };
      return targets.map((target) =>
        postgresState({ ...known, target, archive, checks: checks.filter((one) => one.target === target) }),
      );
    },
  };
}

/** The archive as asked, or why it did not answer. `failures`: how often archiving failed lately, and passed. */
export interface ArchiveSeen {
  readonly health?: ArchiveHealth;
  readonly unasked?: Text;
  readonly failures: number;
}

const memory = z.object({
  failedCount: z.number(),
  reset: z.string().exactOptional(),
  grewAt: z.coerce.date().exactOptional(),
  grewBy: z.number().exactOptional(),
});

/** Asks the server, and compares the counter of failures with the one before: it only ever grows. */
async function lookAtArchive(
  id: string,
  psql: Psql,
  { db, clock }: Pick<PostgresSourceEdges, 'db' | 'clock'>,
  signal: AbortSignal,
): Promise<ArchiveSeen> {
  let health: ArchiveHealth;
  try {
    health = await archiveOf(psql, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    const { text, args } = toVakhtaError(thrown);
    return { unasked: { key: text, args: { ...args } }, failures: 0 };
  }
  const key = `postgres.${id}.archiver`;
  const now = clock.now();
  const before = memory.safeParse((await observation(db, key))?.data).data;
  const next = growth(before, health, now);
  await observe(db, key, true, next, now);
  return { health, failures: next.grewBy ?? 0 };
}

/** What is remembered of the counter; a reset of the statistics begins anew. */
export function growth(
  before: z.output<typeof memory> | undefined,
  health: ArchiveHealth,
  now: Date,
): z.output<typeof memory> {
  const reset = health.statsResetAt?.toISOString();
  const base = { failedCount: health.failedCount, ...(reset === undefined ? {} : { reset }) };
  const isSame = before !== undefined && before.reset === reset && before.failedCount <= health.failedCount;
  const grown = isSame ? health.failedCount - before.failedCount : 0;
  const wasRecent = before?.grewAt !== undefined && now.getTime() - before.grewAt.getTime() < GROWTH_SHOWN_MS;
  const grewBy = grown + (isSame && wasRecent ? (before.grewBy ?? 0) : 0);
  if (grewBy === 0) return base;
  return { ...base, grewAt: grown > 0 ? now : (before?.grewAt ?? now), grewBy };
}

export interface PostgresFacts {
  readonly target: string;
  readonly stanza: Stanza;
  readonly driver: PostgresBackups['driver'];
  readonly info: StanzaInfo;
  readonly archive: ArchiveSeen | undefined;
  /** Absent where it is not known, and while the cluster was never put back. */
  readonly lineage?: Lineage;
  readonly checks: readonly IntegrityCheck[];
  readonly now: Date;
  readonly recovery: GoalSettings & Pick<Config['recovery'], 'damageMaxAgeDays'>;
}

/** The verdict: the worst of what is known, in one sentence, the rest as notes. */
export function postgresState(facts: PostgresFacts): BackupState {
  const { target, stanza, info, archive, lineage, now, driver } = facts;
  const isOffsite = target.startsWith('offsite-');
  const isOurs = (repo: number): boolean => (repo === stanza.offsiteRepo) === isOffsite;
  const all = info.backups.filter(({ repoKey }) => isOurs(repoKey));
  // pgBackRest lists backups that were made after the moment to which the cluster was put back, and calls them good.
  const isLeft = ({ walStop }: BackupInfo): boolean =>
    lineage !== undefined && walStop !== null && !leadsHere(lineage, walStop);
  const left = all.filter(isLeft);
  const backups = all.filter((one) => !isLeft(one));
  const newest = backups.at(-1);
  const good = backups.findLast(({ error }) => error !== true);
  const health = archive?.health;
  const lag = health && archiveLag(health);
  const isIdle = health?.unarchivedBytes !== undefined && health.unarchivedBytes <= IDLE_BYTES;
  const verified = verifiedOf(facts);
  const goalMs = goalsOf(target, facts.recovery).rpoMs;

  const said: [BackupVerdict, Text][] = [];
  const say = (state: BackupVerdict, key: string, args?: Text['args']): void => {
    said.push([state, args ? { key, args } : { key }]);
  };
  const broken = brokenState(info, isOurs, all.length);
  if (broken) say('down', broken.key, broken.args);
  else if (backups.length === 0 && left.length > 0) say('down', 'pg-state-left');
  else if (newest === undefined || good === undefined) {
    const key = newest === undefined ? 'no-valid-backups' : 'page-errors';
    say('down', `pgbackrest-stanza-${key}`, { stanza: info.name, ...(newest ? { label: newest.label } : {}) });
  } else if (newest.error === true) {
    say('down', 'pgbackrest-stanza-page-errors', { stanza: info.name, label: newest.label });
  }
  if (health && !health.inRecovery) for (const [key, args] of archiveFaults(health, driver)) say('down', key, args);
  if (verified?.state === 'failed') say('down', 'pg-state-verify-failed');
  if (archive && archive.failures > 0 && health && !archiveFails(health)) {
    say('down', 'pg-state-archive-failed', { count: archive.failures });
  }
  const maxHours = isOffsite ? stanza.offsiteMaxAgeHours : stanza.maxAgeHours;
  if (good && now.getTime() - good.stoppedAt.getTime() > hours(maxHours)) {
    say('warn', 'pg-state-old', { label: good.label, hours: maxHours });
  }
  if (lag !== undefined && !isIdle && !health?.inRecovery && lag > goalMs) {
    say('warn', 'pg-state-rpo', { minutes: Math.round(lag / minutes(1)), target: Math.round(goalMs / minutes(1)) });
  }
  const empty = info.repos.find(({ key, state }) => isOurs(key) && state === 'no-valid-backups');
  if (empty && all.length > 0) say('warn', 'pg-state-repo-empty', { repo: empty.key });
  if (archive?.unasked) say('warn', 'pg-note-archive-unasked', { detail: detailOf(archive.unasked) });
  if (good) say('ok', 'pg-state-ok', { label: good.label });

  const order: readonly BackupVerdict[] = ['down', 'warn', 'ok', 'unknown'];
  said.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const [state, line] = said[0] ?? (['unknown', { key: 'pgbackrest-stanza-no-valid-backups' }] as const);
  const notes = [
    ...said.slice(1).flatMap(([verdict, text]) => (verdict === 'ok' ? [] : [text])),
    ...leftNote(left),
    ...lockNote(info, driver),
    ...backups
      .filter(({ error, label }) => error === true && label !== newest?.label)
      .map(({ label }) => ({ key: 'pg-note-page-errors', args: { label } })),
    ...(isIdle && lag !== undefined && lag > goalMs ? [{ key: 'pg-note-idle' }] : []),
    ...(health?.inRecovery ? [{ key: 'pg-note-standby' }] : []),
    ...(archive === undefined ? [{ key: 'pg-note-archive-unwatched' }] : []),
    ...(driver === 'wal-g' ? [{ key: 'pg-note-walg' }] : []),
  ];
  const archivedAt = health?.lastArchivedAt ?? good?.stoppedAt;
  const window = archivedAt && restoreWindow(backups, archivedAt);
  const rpoMs = lag ?? (good ? Math.max(0, now.getTime() - good.stoppedAt.getTime()) : undefined);
  const stored = all.flatMap(({ repoDeltaBytes }) => (repoDeltaBytes === undefined ? [] : [repoDeltaBytes]));
  return {
    target,
    state,
    line,
    ...(good ? { newestAt: good.stoppedAt, sizeBytes: good.sizeBytes } : {}),
    count: all.length,
    ...(stored.length > 0 ? { storedBytes: stored.reduce((sum, bytes) => sum + bytes, 0) } : {}),
    ...(verified ? { verified } : {}),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    notes,
    ...(window ? { window } : {}),
    backups: backups.toReversed().slice(0, BACKUPS_SHOWN).map(shown),
  };
}

const shown = (backup: BackupInfo): BackupState['backups'][number] => ({
  label: backup.label,
  kind: backup.type,
  at: backup.stoppedAt,
  sizeBytes: backup.sizeBytes,
  ...(backup.error === undefined ? {} : { error: backup.error }),
});

/**
 * What is wrong with the repositories in question. With several, the state of the whole only says that they differ; each says for
 * itself what it is. Without a list of them (a missing stanza) the whole speaks.
 */
function brokenState(info: StanzaInfo, isOurs: (repo: number) => boolean, count: number): Text | undefined {
  const repos = info.repos.filter(({ key }) => isOurs(key));
  const bad = repos.find(({ state }) => state !== 'ok' && state !== 'no-valid-backups');
  const args = { stanza: info.name };
  if (bad) return { key: `pgbackrest-stanza-${bad.state}`, args: { ...args, detail: bad.message || '—' } };
  if (info.state === 'database-mismatch') return { key: 'pgbackrest-stanza-database-mismatch', args };
  if (repos.length > 0 || (info.repos.length > 0 && count > 0)) return undefined;
  if (info.state === 'ok' || info.state === 'no-valid-backups') return undefined;
  return { key: `pgbackrest-stanza-${info.state}`, args: { ...args, detail: info.message || '—' } };
}

/** What keeps WAL out of the archive, by the server's own word. */
function archiveFaults(health: ArchiveHealth, driver: PostgresBackups['driver']): [string, Text['args']?][] {
  if (health.mode === 'off') return [['pg-state-archive-off']];
  if (health.archiver === 'none') return [['pg-state-archive-none']];
  const name = driver === 'pgbackrest' ? 'pgBackRest' : 'WAL-G';
  const faults: [string, Text['args']?][] = [];
  if (health.archiver !== driver) faults.push(['pg-state-archive-other', { driver: name }]);
  if (archiveFails(health)) faults.push(['pg-state-archive-fails', { wal: health.lastFailedWal ?? '—' }]);
  return faults;
}

function leftNote(left: readonly BackupInfo[]): Text[] {
  const newest = left.at(-1);
  return newest ? [{ key: 'pg-note-left', args: { count: left.length, label: newest.label } }] : [];
}

function lockNote({ backupLock }: StanzaInfo, driver: PostgresBackups['driver']): Text[] {
  const { held, sizeBytes, doneBytes } = backupLock;
  if (!held) return [];
  if (sizeBytes === undefined || doneBytes === undefined || sizeBytes === 0) {
    return [{ key: 'pg-note-lock', args: { driver: driver === 'pgbackrest' ? 'pgBackRest' : 'WAL-G' } }];
  }
  const percent = Math.min(100, Math.floor((doneBytes / sizeBytes) * 100));
  return [{ key: 'pg-note-lock-percent', args: { percent } }];
}

/** By the ledger. A check that has caught no planted damage for long proves nothing, nor does a driver's that reads no data. */
function verifiedOf({ checks, now, recovery, target }: PostgresFacts): BackupState['verified'] {
  if (target.startsWith('offsite-')) return undefined;
  const last = checks.find(({ kind }) => kind === 'verify');
  if (last === undefined || last.state === 'broken') return { state: 'never' };
  if (last.state === 'failed') return { state: 'failed', at: last.at };
  if (last.state === 'warning') return { state: 'never', at: last.at };
  const limit = now.getTime() - days(recovery.damageMaxAgeDays);
  const decoy = checks.find(({ kind }) => kind === 'decoy');
  const isTrusted = decoy?.state === 'ok' && decoy.at.getTime() >= limit;
  return { state: isTrusted && last.at.getTime() >= limit ? 'ok' : 'old', at: last.at };
}

/** The reason inside another sentence: the detail where there is one. */
const detailOf = ({ key, args }: Text): string => String(args?.['detail'] ?? args?.['reason'] ?? key);
