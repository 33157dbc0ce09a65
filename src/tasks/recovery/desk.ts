import { type Clock, days } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { actorName, type Actor } from '../../core/people.ts';
import { type DrillReport, drillPassed, type Goals, goalsOf, parseTarget } from '../../core/recovery.ts';
import type { Config } from '../../config/schema.ts';
import type { Database } from '../../store/db.ts';
import {
  addIntegrityCheck,
  beginRestoreDrill,
  breakRestoreDrill,
  endRestoreDrill,
  type IntegrityCheck,
  integrityChecks,
  newestCaught,
  newestIntegrityChecks,
  newestRestoreDrills,
  type RestoreDrill,
  restoreDrill,
  restoreDrills,
} from '../../store/recovery.ts';
import { type Board, lastBoard, lookAtBackups } from './board.ts';
import type { Drillable, RecoveryParts, Verifiable } from './define.ts';
import { type Integrity, judgeIntegrity, repositoryOf } from './integrity.ts';

export const messages = defineMessages({
  en: `
    err-no-drillable = There is no restore of “{ $target }” to try out. There are: { $known }
    err-no-verifiable = There is nothing called “{ $target }” to verify. There is: { $known }
    recovery-lost = The program ended in the middle, so nobody saw how it went
  `,
  ru: `
    err-no-drillable = Пробного восстановления «{ $target }» нет. Есть: { $known }
    err-no-verifiable = Проверять «{ $target }» нечем. Есть: { $known }
    recovery-lost = Программа прервалась на середине, чем кончилось — никто не видел
  `,
});

/** The last time that a restore of a target was seen to work. */
export interface GoodDrill {
  readonly drill: RestoreDrill;
  /** When it was begun. */
  readonly at: Date;
  /** Younger than `recovery.drill_max_age_days`. */
  readonly isFresh: boolean;
}

/** Everything about recovery in one place: what can be tried out and verified, how backups stand, and the ledger. */
export interface RecoveryDesk {
  /** Targets whose restore can be tried out (`pg:main`); empty in a process without credentials. */
  targets(): readonly string[];
  /** Throws `no-drillable`. */
  drillable(target: string): Drillable;
  verifiables(): readonly string[];
  /** Throws `no-verifiable`. */
  verifiable(target: string): Verifiable;
  /** What recovery has to reach, in milliseconds. */
  readonly goals: { readonly drillMaxAgeMs: number };
  /** The same for one target. */
  goalsOf(target: string): Goals;
  /** Looks now, at everything or at the sources of these targets, and stores what was seen. */
  board(signal: AbortSignal, targets?: readonly string[]): Promise<Board>;
  /** Who is asked for the board, by the names for people. */
  sources(): readonly string[];
  lastBoard(): Promise<Board | undefined>;
  /** Enters the drill of this run into the ledger; again changes nothing. */
  begin(id: string, target: string, actor: Actor): Promise<void>;
  /** Notes what was seen; the drill as the ledger has it then, whoever ended it. */
  ended(id: string, report: DrillReport): Promise<RestoreDrill | undefined>;
  /** Notes that it could not be done; when it has ended, nothing changes. */
  broke(id: string, error: Text): Promise<void>;
  drill(id: string): Promise<RestoreDrill | undefined>;
  /** The newest first. */
  ledger(filter?: {
    readonly target?: string;
    readonly since?: Date;
    readonly limit?: number;
  }): Promise<readonly RestoreDrill[]>;
  /** Of each target the newest drill that has ended. */
  lastDrills(): Promise<readonly RestoreDrill[]>;
  /** `undefined`: never. */
  lastGoodDrill(target: string, now: Date): Promise<GoodDrill | undefined>;
  lastGoodDrills(): Promise<ReadonlyMap<string, GoodDrill>>;
  /** Enters a check of integrity into the ledger. */
  checked(check: IntegrityCheck, run?: string): Promise<void>;
  checks(filter?: { readonly target?: string; readonly limit?: number }): Promise<readonly IntegrityCheck[]>;
  /** Of each target and kind the newest one. */
  lastChecks(): Promise<readonly IntegrityCheck[]>;
  /** What the checks of each repository are worth now; those never checked are left out where nobody knows of them. */
  integrity(): Promise<ReadonlyMap<string, Integrity>>;
  /** The same for the repository in which the backups of a target lie; nothing where its source tells by itself. */
  repositoryOf(target: string): string | undefined;
  /** Whether its restore can be tried out here. */
  isDrillable(target: string): boolean;
}

export interface RecoveryDeskOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<Config, 'recovery' | 'restic'>;
  /** Absent in a process without credentials: the ledger and the last board are there all the same. */
  readonly parts: RecoveryParts | undefined;
}

export function createRecoveryDesk({ db, clock, log, config, parts }: RecoveryDeskOptions): RecoveryDesk {
  const drillables = parts?.drillables ?? [];
  const verifiables = parts?.verifiables ?? [];
  const maxAgeMs = days(config.recovery.drillMaxAgeDays);
  const good = (drill: RestoreDrill, now: Date): GoodDrill => ({
    drill,
    at: drill.startedAt,
    isFresh: now.getTime() - drill.startedAt.getTime() <= maxAgeMs,
  });

  const findDrillable = (target: string): Drillable | undefined => {
    const parsed = parseTarget(target);
    return drillables.find((one) => one.target === target) ?? (parsed && parts?.findDrillable?.(parsed));
  };

  return {
    targets: () => drillables.map(({ target }) => target),
    drillable: (target) => {
      const found = findDrillable(target);
      if (found) return found;
      const known = drillables.map((one) => one.target).join(', ') || '—';
      throw new VakhtaError('usage', 'no-drillable', `no drillable ${target}`, { args: { target, known } });
    },
    verifiables: () => verifiables.map(({ target }) => target),
    verifiable: (target) => {
      const found = verifiables.find((one) => one.target === target);
      if (found) return found;
      const known = verifiables.map((one) => one.target).join(', ') || '—';
      throw new VakhtaError('usage', 'no-verifiable', `no verifiable ${target}`, { args: { target, known } });
    },
    goals: { drillMaxAgeMs: maxAgeMs },
    goalsOf: (target) => goalsOf(target, config.recovery),
    board: (signal, targets) => lookAtBackups({ db, clock, log, sources: parts?.sources ?? [] }, signal, targets),
    sources: () => (parts?.sources ?? []).map(({ name }) => name),
    lastBoard: () => lastBoard(db),

    begin: (id, target, actor) =>
      beginRestoreDrill(db, {
        id,
        target,
        trigger: actor.kind === 'schedule' ? 'schedule' : 'person',
        actor: actorName(actor),
        startedAt: clock.now(),
      }),
    ended: async (id, report) =>
      (await endRestoreDrill(db, id, drillPassed(report) ? 'passed' : 'failed', report, clock.now())) ??
      (await restoreDrill(db, id)),
    broke: async (id, error) => {
      await breakRestoreDrill(db, id, error, clock.now());
    },
    drill: (id) => restoreDrill(db, id),
    ledger: (filter) => restoreDrills(db, filter),
    lastDrills: () => newestRestoreDrills(db, 'ended'),
    lastGoodDrill: async (target, now) => {
      const found = (await newestRestoreDrills(db, 'passed')).find((one) => one.target === target);
      return found && good(found, now);
    },
    lastGoodDrills: async () => {
      const now = clock.now();
      return new Map((await newestRestoreDrills(db, 'passed')).map((one) => [one.target, good(one, now)]));
    },
    checked: (check, run) => addIntegrityCheck(db, check, run),
    checks: (filter) => integrityChecks(db, filter),
    lastChecks: () => newestIntegrityChecks(db),
    integrity: async () => {
      const [newest, caught] = await Promise.all([newestIntegrityChecks(db), newestCaught(db)]);
      const targets = new Set([...verifiables.map(({ target }) => target), ...newest.map(({ target }) => target)]);
      const now = clock.now();
      const judge = (target: string): Integrity => {
        const known = verifiables.find((one) => one.target === target);
        const of = (kind: IntegrityCheck['kind']) => newest.find((one) => one.target === target && one.kind === kind);
        return judgeIntegrity(
          { verify: of('verify'), decoy: of('decoy'), caught: caught.find((one) => one.target === target) },
          {
            now,
            damageMaxAgeDays: config.recovery.damageMaxAgeDays,
            // In a process without credentials nobody knows: on a backup server nothing can be damaged without harm.
            hasDecoy: known ? known.decoy !== undefined : !target.startsWith('pbs:'),
          },
        );
      };
      return new Map([...targets].map((target) => [target, judge(target)]));
    },
    repositoryOf: (target) => repositoryOf(target, config),
    isDrillable: (target) => findDrillable(target) !== undefined,
  };
}
