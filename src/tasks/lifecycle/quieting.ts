import { type Clock, minutes } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Log } from '../../core/log.ts';
import { isFinal } from '../../core/run.ts';
import { formatMatcher, type Matcher } from '../../integrations/alertmanager/matchers.ts';
import type { Alertmanager, Silence } from '../../integrations/alertmanager/port.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database } from '../../store/db.ts';
import {
  closeQuieting,
  failQuieting,
  openQuieting,
  openQuietings,
  type Quieting,
  quieting,
  settleQuieting,
} from '../../store/quietings.ts';
import { type Run, run as findRun } from '../../store/runs.ts';
import { noteEnd, noteOwn } from '../../store/silences.ts';
import type { Operation } from '../define.ts';
import { endSilence } from '../incidents.ts';
import { namesOf, under } from '../silences/alerts.ts';
import { commentOf, isMadeBy } from '../silences/comment.ts';
import { LEASE_MS } from '../silences/duration.ts';
import type { TargetNames } from '../silences/names.ts';
import { NO_PLAN } from './tools.ts';

/** After work that went well its alerts have this long to end by themselves. */
const SETTLE_MS = minutes(2);
const RENEW_BEFORE_MS = minutes(20);
/** More lists of matchers than this nobody means. */
const SCOPES_MAX = 6;

/**
 * Mutes what a run's own work makes noisy, for as long as it works: scoped to its target, made before it begins, ended after it,
 * also when it failed or its process died. Each silence lasts an hour and is renewed, so without the program it ends by itself.
 */
export interface Quieter {
  /** Never throws: what cannot be muted is told on the run's card, and the work goes on. */
  open(run: Run, operation: Operation, signal: AbortSignal): Promise<void>;
  /** The run has come to an end, perhaps; never throws. */
  after(runId: string): Promise<void>;
  /** Looks after those that are open: the regular round. */
  round(signal: AbortSignal): Promise<void>;
}

export function createQuieter(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly alertmanager: Pick<Alertmanager, 'alerts' | 'silences' | 'silence' | 'createSilence' | 'expireSilence'>;
  readonly names: TargetNames;
}): Quieter {
  const { db, clock, log, alertmanager, names } = options;

  const make = async (
    run: Pick<Run, 'id' | 'operation' | 'actor'>,
    scopes: readonly Matcher[][],
    signal?: AbortSignal,
  ) => {
    const all = await alertmanager.silences(signal);
    for (const matchers of scopes) {
      const text = textOf(matchers);
      const there = all.find(
        (one) => isMadeBy(one.comment, run.id) && one.state !== 'expired' && textOf(one.matchers) === text,
      );
      if (there && there.endsAt.getTime() - clock.now().getTime() > RENEW_BEFORE_MS) continue;
      const startsAt = clock.now();
      const silence = {
        matchers,
        startsAt,
        endsAt: new Date(startsAt.getTime() + LEASE_MS),
        createdBy: run.actor.id,
        comment: commentOf(run.operation, run.id),
      };
      const id = await alertmanager.createSilence(silence, signal);
      await db.tx(async (tx) => {
        await noteOwn(tx, { ...silence, id, purpose: 'work', runId: run.id, untilResolved: false }, clock.now());
        if (there) await noteEnd(tx, there.id, { replacedBy: id }, clock.now());
      });
      if (there) await endSilence(alertmanager, there.id, signal ?? NEVER);
    }
  };

  const close = async (row: Quieting, isWell: boolean, signal: AbortSignal): Promise<void> => {
    const [alerts, silences] = await Promise.all([alertmanager.alerts({}, signal), alertmanager.silences(signal)]);
    const still = namesOf(
      alerts.filter(({ labels }) => row.scopes.some((scope) => under(scope, [{ labels }]).length > 0)),
    );
    const now = clock.now();
    const isWaiting = row.state === 'open' ? isWell : (row.closeAt ?? now) > now;
    if (still.length > 0 && isWaiting) {
      if (row.state !== 'open') return;
      await db.tx(async (tx) => {
        await settleQuieting(tx, row.runId, new Date(now.getTime() + SETTLE_MS));
        await touchCards(tx, 'run', row.runId, now);
      });
      return;
    }
    const ours = silences.filter(({ comment, state }) => isMadeBy(comment, row.runId) && state !== 'expired');
    for (const { id } of ours) await endSilence(alertmanager, id, signal);
    await db.tx(async (tx) => {
      for (const { id } of ours) await noteEnd(tx, id, {}, now);
      await closeQuieting(tx, row.runId, still, now);
      await touchCards(tx, 'run', row.runId, now);
    });
  };

  return {
    open: async (run, operation, signal) => {
      if (!operation.isNoisy) return;
      try {
        const scopes = (await operation.quiets(run.args, run.plan ?? NO_PLAN, names)).slice(0, SCOPES_MAX);
        if (scopes.length === 0) return;
        const mutable = scopes.map((scope) => [...scope]);
        await openQuieting(db, run.id, mutable, clock.now());
        await make(run, mutable, signal);
        await touchCards(db, 'run', run.id, clock.now());
      } catch (thrown) {
        const { text: key, args } = toVakhtaError(thrown);
        log.warn({ run: run.id, err: thrown }, 'alerts of a run could not be muted, it works all the same');
        await failQuieting(db, run.id, { key, args: { ...args } }, clock.now()).catch(() => {});
        await touchCards(db, 'run', run.id, clock.now()).catch(() => {});
      }
    },
    after: async (runId) => {
      try {
        const row = await quieting(db, runId);
        const run = row && (row.state === 'open' || row.state === 'failed') ? await findRun(db, runId) : undefined;
        // What broke off half-way is found out first; the regular round comes back to it.
        if (!row || !run || !isFinal(run.state)) return;
        if (row.state === 'open') await close(row, isWellEnded(run.state), NEVER);
        else await sweepFailed(runId);
      } catch (thrown) {
        log.warn({ run: runId, err: thrown }, 'silences around a run were not ended, it is tried again');
      }
    },
    round: async (signal) => {
      for (const row of await openQuietings(db)) {
        if (signal.aborted) return;
        const { runId, runState } = row;
        if (row.state === 'settling' || isFinal(runState)) await close(row, isWellEnded(runState), signal);
        else {
          const run = await findRun(db, runId);
          if (run) await make(run, row.scopes, signal);
        }
      }
    },
  };

  /** Some of its silences may have been made before one failed. */
  async function sweepFailed(runId: string): Promise<void> {
    const ours = (await alertmanager.silences()).filter((one) => isOpenOf(one, runId));
    for (const { id } of ours) await endSilence(alertmanager, id, NEVER);
  }
}

/** Ending what was opened is not cut short by what ended the run. */
const NEVER = new AbortController().signal;

const isOpenOf = ({ comment, state }: Silence, runId: string): boolean =>
  isMadeBy(comment, runId) && state !== 'expired';

const isWellEnded = (state: string): boolean => state === 'succeeded' || state === 'warning';

const textOf = (matchers: readonly Matcher[]): string => matchers.map(formatMatcher).toSorted().join(', ');
