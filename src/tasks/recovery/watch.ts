import { type Clock, days, minutes, seconds } from '../../core/clock.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { type OwnAlert, ownGroup, spoken } from '../../core/own-alert.ts';
import type { Database } from '../../store/db.ts';
import { currentIncidents, type Incident as StoredIncident } from '../../store/incidents.ts';
import {
  breakOrphanedDrills,
  enterRefusedDrills,
  type IntegrityCheck,
  newestIntegrityChecks,
  newestRestoreDrills,
  type RestoreDrill,
} from '../../store/recovery.ts';
import { lastFinished } from '../../store/run-upkeep.ts';
import { incidentOf } from '../incidents.ts';
import type { IncidentWriter } from '../watch/writer.ts';
import { OWN_SOURCE } from '../watcher/watchdog.ts';
import type { RecoveryDesk } from './desk.ts';

export const messages = defineMessages({
  en: `
    recovery-incident-failed = Restore drill of { $target } failed
    recovery-incident-broken = Restore drill of { $target } could not be done
    recovery-incident-text = Until a drill succeeds (/drill restore { $target }), nobody knows whether it can be brought back.
    recovery-incident-proof = { $proof }. { $rest }
    recovery-incident-damaged = Damage found in the backups { $target }
    recovery-incident-damaged-text = Do not rely on them. /verify { $target } looks again; a check that finds none ends this incident.
  `,
  ru: `
    recovery-incident-failed = Учение провалено: { $target } не восстановить как надо
    recovery-incident-broken = Учение не состоялось: { $target }
    recovery-incident-text = Пока учение не пройдёт (/drill restore { $target }), неизвестно, можно ли это вернуть.
    recovery-incident-proof = { $proof }. { $rest }
    recovery-incident-damaged = В копиях { $target } найдено повреждение
    recovery-incident-damaged-text = На них полагаться нельзя. /verify { $target } проверит снова; если повреждений не будет, инцидент закроется.
  `,
});

/** How far back drills that were refused before they began are entered. */
const REFUSED_DAYS = 2;
const keyOf = (target: string): string => `restore-drill:${target}`;
const damageKey = (target: string): string => `damage:${target}`;

export interface LedgerWatchOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: IncidentWriter;
  /** In the language of the site. */
  readonly t: Translate;
}

/**
 * Keeps the ledger true: drills whose run has ended otherwise are completed, and what the newest drill of a target says is an
 * incident until a good one has come.
 */
export function createLedgerWatch({ db, clock, log, writer, t }: LedgerWatchOptions): {
  readonly round: (signal: AbortSignal) => Promise<void>;
} {
  const report = async (drill: RestoreDrill, row: StoredIncident | undefined): Promise<void> => {
    const { target, state } = drill;
    const key = keyOf(target);
    const open = row?.state === 'firing' ? row : undefined;
    const labels = { alertname: 'RestoreDrillFailed', severity: 'warning', service: 'backups', target };
    const now = clock.now();
    if (state !== 'passed' && !isCancelled(drill) && !open) {
      const words = annotationsOf(drill, t);
      const startsAt = drill.endedAt ?? now;
      // One that somebody has ended by hand stays ended until the next drill fails.
      if (row?.resolvedAt && row.resolvedAt >= startsAt) return;
      const group = ownGroup({ key, status: 'firing', labels, ...words, startsAt });
      await db.tx((tx) => writer.apply(tx, OWN_SOURCE, [group], now));
      log.warn({ target, drill: drill.number, state }, 'a restore drill has failed');
    } else if (state === 'passed' && open) {
      const { annotations = { summary: open.title }, extra } = Object.values(incidentOf(open).data.alerts)[0] ?? {};
      const startsAt = open.startedAt;
      const group = ownGroup({ key, status: 'resolved', labels, annotations, extra, startsAt, endsAt: now });
      await db.tx((tx) => writer.apply(tx, OWN_SOURCE, [group], now));
    }
  };

  /** Damage that a check has found burns until a check finds none. One that could not be done says nothing. */
  const reportCheck = async (check: IntegrityCheck, row: StoredIncident | undefined): Promise<void> => {
    const { target, state, lines } = check;
    const key = damageKey(target);
    const open = row?.state === 'firing' ? row : undefined;
    const labels = { alertname: 'BackupDamaged', severity: 'warning', service: 'backups', target };
    const now = clock.now();
    if (state === 'failed' && !open) {
      if (row?.resolvedAt && row.resolvedAt >= check.at) return;
      const [line] = lines;
      const rest = { key: 'recovery-incident-damaged-text', args: { target } };
      const words = spoken(t, {
        summary: { key: 'recovery-incident-damaged', args: { target } },
        description: line ? { key: 'recovery-incident-proof', args: { proof: line, rest } } : rest,
      });
      const group = ownGroup({ key, status: 'firing', labels, ...words, startsAt: check.at });
      await db.tx((tx) => writer.apply(tx, OWN_SOURCE, [group], now));
    } else if ((state === 'ok' || state === 'warning') && open) {
      const { annotations = { summary: open.title }, extra } = Object.values(incidentOf(open).data.alerts)[0] ?? {};
      const startsAt = open.startedAt;
      const group = ownGroup({ key, status: 'resolved', labels, annotations, extra, startsAt, endsAt: now });
      await db.tx((tx) => writer.apply(tx, OWN_SOURCE, [group], now));
    }
  };

  return {
    round: async () => {
      const now = clock.now();
      const broken = await breakOrphanedDrills(db, now);
      if (broken > 0) log.warn({ broken }, 'drills were completed in the ledger: their runs had ended otherwise');
      await enterRefusedDrills(db, new Date(now.getTime() - days(REFUSED_DAYS)));
      const drills = await newestRestoreDrills(db, 'ended');
      const incidents = await currentIncidents(
        db,
        OWN_SOURCE,
        drills.map(({ target }) => keyOf(target)),
      );
      for (const drill of drills) await report(drill, incidents.get(keyOf(drill.target)));
      const checks = (await newestIntegrityChecks(db)).filter(({ kind }) => kind === 'verify');
      const damage = await currentIncidents(
        db,
        OWN_SOURCE,
        checks.map(({ target }) => damageKey(target)),
      );
      for (const check of checks) await reportCheck(check, damage.get(damageKey(check.target)));
    },
  };
}

/** Somebody stopped it: that says nothing of the backups. */
const isCancelled = ({ error }: RestoreDrill): boolean => error?.key === 'err-cancelled';

function annotationsOf(drill: RestoreDrill, t: Translate): Pick<OwnAlert, 'annotations' | 'extra'> {
  const { target, state, proofs, error } = drill;
  const wrong = proofs.find(({ ok }) => !ok)?.text ?? error;
  const rest = { key: 'recovery-incident-text', args: { target } };
  const { annotations, extra } = spoken(t, {
    summary: { key: `recovery-incident-${state === 'failed' ? 'failed' : 'broken'}`, args: { target } },
    description: wrong ? { key: 'recovery-incident-proof', args: { proof: wrong, rest } } : rest,
  });
  const took = drill.endedAt && formatDuration(drill.endedAt.getTime() - drill.startedAt.getTime(), t);
  return { annotations: took === undefined ? annotations : { ...annotations, took }, extra };
}

/** What changes backups, so that the board is looked at after it. */
const CHANGES_BACKUPS = [
  'backup.pg',
  'backup.guest',
  'backup.volume',
  'drill.restore',
  'expire.pg',
  'forget',
  'offsite.sync',
  'restore.production',
];

const BOARD_EVERY_MS = minutes(10);

/** Between looks that runs have caused. */
const CALM_MS = seconds(15);

export interface BoardWatchOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly recovery: Pick<RecoveryDesk, 'board' | 'lastBoard'>;
}

/** Looks at all backups every ten minutes, and after each run that changes them. */
export function createBoardWatch({ db, clock, recovery }: BoardWatchOptions): {
  readonly round: (signal: AbortSignal) => Promise<void>;
} {
  return {
    round: async (signal) => {
      const [board, changed] = await Promise.all([recovery.lastBoard(), lastFinished(db, CHANGES_BACKUPS)]);
      const age = board ? clock.now().getTime() - board.at.getTime() : Infinity;
      const isOutdated = board !== undefined && changed !== undefined && changed > board.at && age >= CALM_MS;
      if (age >= BOARD_EVERY_MS || isOutdated) await recovery.board(signal);
    },
  };
}
