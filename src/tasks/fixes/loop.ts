import type { Clock } from '../../core/clock.ts';
import { incidentData } from '../../core/incident.ts';
import type { Log } from '../../core/log.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import { firingSince, type FixAttempt, moveAttempt, newestIncident, openAttempts } from '../../store/fixes.ts';
import { appendEvents, incident } from '../../store/incidents.ts';
import type { Operation, Text } from '../define.ts';
import { type FixRule, offersFor } from './offers.ts';
import { type Verdict, verdictOn } from './verdict.ts';

export interface FixLoopOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly rules: readonly FixRule[];
  readonly operations: ReadonlyMap<string, Operation>;
  /** Calls people to an incident once more. */
  readonly pageAgain: (tx: Tx, incidentId: number, why: Text, now: Date) => Promise<void>;
}

/** Closes the loop: a fix ends when its alerts are over, and pages again when they are not. */
export function createFixLoop(options: FixLoopOptions) {
  const { db, clock, log } = options;
  let looked: number | undefined;

  const settle = (attempt: FixAttempt): Promise<Verdict> =>
    db.tx(async (tx) => {
      const now = clock.now();
      const row = await incident(tx, attempt.incidentId);
      if (!row) return { state: 'stay' };
      const verdict = verdictOn(attempt, incidentData.parse(row.data), now);
      if (verdict.state === 'stay') return verdict;
      const why = 'why' in verdict ? verdict.why : undefined;
      const clearsBy = 'clearsBy' in verdict ? verdict.clearsBy : undefined;
      const endedAt = verdict.state === 'waiting' ? undefined : now;
      const moved = await moveAttempt(tx, attempt.runId, attempt.state, {
        state: verdict.state,
        why,
        clearsBy,
        endedAt,
      });
      if (!moved) return { state: 'stay' };
      const { incidentId, operation } = attempt;
      // As text: a number that people type is not grouped.
      const run = String(attempt.number);
      if (verdict.state !== 'waiting') {
        const data = { run, operation, ...(why === undefined ? {} : { why }) };
        await appendEvents(tx, [{ incidentId, at: now, kind: `fix-${verdict.state}`, data }]);
      }
      await touchCards(tx, 'incident', String(incidentId), now);
      if (verdict.state === 'failed') {
        await options.pageAgain(tx, incidentId, { key: `fix-page-${verdict.why}`, args: { operation, run } }, now);
      }
      return verdict;
    });

  /** What a rule names and cannot be offered is told once for each incident, where whoever wrote the rule looks. */
  const tellRefusals = async (): Promise<void> => {
    looked ??= await newestIncident(db);
    const rows = await firingSince(db, looked);
    for (const { id, data } of rows) {
      for (const refusal of offersFor(incidentData.parse(data), options.rules, options.operations).refusals) {
        log.warn({ incident: id, ...refusal }, 'a fix is not offered');
      }
      looked = id;
    }
  };

  return {
    /** One look at every fix under way. */
    round: async (signal: AbortSignal): Promise<void> => {
      await tellRefusals();
      for (const attempt of await openAttempts(db)) {
        if (signal.aborted) return;
        const verdict = await settle(attempt);
        if (verdict.state === 'failed') {
          const { incidentId, operation, number } = attempt;
          log.warn({ incident: incidentId, operation, run: number, why: verdict.why }, 'a fix did not help');
        }
      }
    },
  };
}
