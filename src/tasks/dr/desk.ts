import { parseChecklist, type Checklist } from '../../core/checklist.ts';
import { type Clock, minutes } from '../../core/clock.ts';
import { drTarget, runbookOfScenario, type Scenario, SCENARIOS } from '../../core/dr.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Language } from '../../core/people.ts';
import { drillPassed, type DrillReport } from '../../core/recovery.ts';
import type { Config } from '../../config/schema.ts';
import { showAtOnce, touchCards, wantCard } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import {
  beginDrSession,
  type DrSession,
  drSession,
  drSessionByNumber,
  type DrStep,
  drSteps,
  endDrSession,
  endDrStep,
  liveDrSession,
  lockDrSession,
  newestDrSessions,
  reopenDrStep,
} from '../../store/dr.ts';
import { beginRestoreDrill, endRestoreDrill } from '../../store/recovery.ts';
import { run as findRun } from '../../store/runs.ts';
import { PRIORITY } from '../lifecycle/shared.ts';
import type { Runbooks } from '../runbooks.ts';
import { placeFor } from '../watch/placement.ts';

/** A session with its steps. */
export interface DrView {
  readonly session: DrSession;
  readonly steps: readonly DrStep[];
}

/** What is known of a scenario. */
export interface DrScenario {
  readonly scenario: Scenario;
  readonly title: Readonly<Record<Language, string>>;
  readonly minutes: number;
  readonly steps: number;
  /** The session that is under way. */
  readonly live?: { readonly number: number; readonly mode: DrSession['mode']; readonly step: number | undefined };
  /** The newest one that was walked through to its end. */
  readonly last?: {
    readonly number: number;
    readonly mode: DrSession['mode'];
    readonly at: Date;
    readonly by: string;
    readonly ms: number;
    readonly skipped: number;
  };
}

/** The walk through disaster runbooks: who does what when, kept in the database alone. */
export interface DrDesk {
  scenarios(): Promise<readonly DrScenario[]>;
  /** The runbook in both languages. Throws `dr-no-runbook`. */
  checklist(scenario: Scenario): Readonly<Record<Language, Checklist>>;
  /** Begins the session of this run, and shows its card where the run was asked for; again changes nothing. Throws `dr-live`. */
  begin(id: string, scenario: Scenario, mode: DrSession['mode'], by: string): Promise<DrView>;
  /** The session that is under way, or with `id` that one. Throws `dr-none`. */
  view(scenario: string, id?: string): Promise<DrView>;
  /** Ends the current step. Throws `dr-moved` when it is not this one any more, `dr-none`. */
  step(
    scenario: string,
    how: {
      readonly state: 'done' | 'skipped';
      readonly by: string;
      readonly n?: number;
      readonly id?: string;
      readonly reason?: string;
    },
  ): Promise<DrView>;
  /** Opens the last ended step again. Throws `dr-moved`, `dr-none`. */
  back(scenario: string, how: { readonly n?: number; readonly id?: string }): Promise<DrView>;
  /** Ends a session all of whose steps have ended, and enters it into the ledger. Throws `dr-unfinished`, `dr-none`. */
  finish(scenario: string, by: string, id?: string): Promise<DrView>;
  /** Gives it up. Throws `dr-none`. */
  abort(scenario: string, by: string, reason: string, id?: string): Promise<DrView>;
  byNumber(number: number): Promise<DrSession | undefined>;
  /** The newest session of a scenario that was walked through to its end. */
  last(scenario: Scenario): Promise<DrScenario['last']>;
  /** What a recovery may take, in milliseconds (`recovery.rto_minutes`). */
  readonly targetMs: number;
}

export interface DrDeskOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Pick<Config, 'routes' | 'chats' | 'recovery'>;
  readonly runbooks: Runbooks;
  /** Noted in the ledger. */
  readonly version: string;
}

export function createDrDesk({ db, clock, config, runbooks, version }: DrDeskOptions): DrDesk {
  const readChecklist = (scenario: Scenario, language: Language): Checklist => {
    const name = runbookOfScenario(scenario);
    const text = runbooks(name, language);
    const read = text === undefined ? undefined : parseChecklist(text);
    if (read?.ok) return read.checklist;
    const why = read ? read.problem : 'it is missing';
    throw new VakhtaError('permanent', 'dr-no-runbook', `runbook ${name} (${language}): ${why}`, { args: { name } });
  };

  const checklist: DrDesk['checklist'] = (scenario) => {
    const [en, ru] = [readChecklist(scenario, 'en'), readChecklist(scenario, 'ru')];
    if (en.steps.length === ru.steps.length) return { en, ru };
    const name = runbookOfScenario(scenario);
    throw new VakhtaError('permanent', 'dr-no-runbook', `runbook ${name} differs by language`, { args: { name } });
  };

  const none = (scenario: string): VakhtaError =>
    new VakhtaError('usage', 'dr-none', `no live session of ${scenario}`, { args: { scenario } });

  const viewOf = async (q: Tx | Database, session: DrSession): Promise<DrView> => ({
    session,
    steps: await drSteps(q, session.id),
  });

  /** The card stands where the run was asked for; without a chat, where an alert of that weight would stand. */
  const showCard = async (tx: Tx, id: string, mode: DrSession['mode']): Promise<void> => {
    const origin = (await findRun(tx, id))?.origin;
    const labels = { alertname: 'DisasterRecovery', service: 'recovery' };
    const place = placeFor(labels, mode === 'real' ? 'critical' : 'info', config);
    const { chat, thread } = origin?.chat === undefined ? place : { chat: origin.chat, thread: origin.thread };
    const where = { chat, ...(thread === undefined ? {} : { thread }) };
    await wantCard(tx, { kind: 'dr', ref: id, ...where, priority: PRIORITY.answer, sound: true }, clock.now());
  };

  /** Changes the live session, one after the other, and shows it. `isDone`: this has been done to it already. */
  const change = (
    scenario: string,
    id: string | undefined,
    work: (tx: Tx, session: DrSession, steps: readonly DrStep[]) => Promise<DrSession>,
    isDone: (session: DrSession) => boolean = () => false,
  ): Promise<DrView> =>
    db.tx(async (tx) => {
      const meant = id ?? (await liveDrSession(tx, scenario))?.id;
      const session = meant === undefined ? undefined : await lockDrSession(tx, meant);
      if (session && isDone(session)) return viewOf(tx, session);
      if (session?.state !== 'running' || session.scenario !== scenario) throw none(scenario);
      const after = await work(tx, session, await drSteps(tx, session.id));
      await showAtOnce(tx, 'dr', session.id);
      await touchCards(tx, 'dr', session.id, clock.now(), { priority: PRIORITY.answer });
      return viewOf(tx, after);
    });

  return {
    checklist,

    scenarios: async () => {
      const sessions = await newestDrSessions(db);
      const all: DrScenario[] = [];
      for (const scenario of SCENARIOS) {
        const { en, ru } = checklist(scenario);
        const live = sessions.find((one) => one.scenario === scenario && one.state === 'running');
        const last = sessions.find((one) => one.scenario === scenario && one.state === 'finished');
        const current = live && (await drSteps(db, live.id)).find(({ state }) => state === 'current')?.n;
        const told = last && lastOf({ session: last, steps: await drSteps(db, last.id) });
        all.push({
          scenario,
          title: { en: en.title, ru: ru.title },
          minutes: en.steps.reduce((sum, { minutes }) => sum + minutes, 0),
          steps: en.steps.length,
          ...(live ? { live: { number: live.number, mode: live.mode, step: current } } : {}),
          ...(told ? { last: told } : {}),
        });
      }
      return all;
    },

    begin: (id, scenario, mode, by) =>
      db.tx(async (tx) => {
        const { en, ru } = checklist(scenario);
        const steps = en.steps.map((step, n) => {
          const other = ru.steps[n] ?? step;
          const content = {
            en: { title: step.title, text: step.text },
            ru: { title: other.title, text: other.text },
          };
          return { minutes: step.minutes, content, operation: step.operation };
        });
        const title = { en: en.title, ru: ru.title };
        const begun = await beginDrSession(tx, { id, scenario, mode, by, title, steps }, clock.now());
        if (begun) await showCard(tx, id, mode);
        const session = await drSession(tx, id);
        if (session) return viewOf(tx, session);
        const live = await liveDrSession(tx, scenario);
        const number = String(live?.number ?? '?');
        throw new VakhtaError('usage', 'dr-live', `${scenario} is under way`, { args: { scenario, number } });
      }),

    view: async (scenario, id) => {
      const session = id === undefined ? await liveDrSession(db, scenario) : await drSession(db, id);
      if (!session) throw none(scenario);
      return viewOf(db, session);
    },

    step: (scenario, { state, by, n, id, reason }) =>
      change(scenario, id, async (tx, session, steps) => {
        const current = steps.find((one) => one.state === 'current');
        const meant = n ?? current?.n;
        const why = reason === undefined ? {} : { reason };
        // Asked for a second time, after a crash or by a second press: it is as it should be.
        const its = steps.find((one) => one.n === meant);
        if (its?.state === state && its.endedBy === by) return session;
        if (meant === undefined || !(await endDrStep(tx, session.id, meant, { state, by, ...why }, clock.now()))) {
          throw moved(steps, meant);
        }
        return session;
      }),

    back: (scenario, { n, id }) =>
      change(scenario, id, async (tx, session, steps) => {
        const last = steps.findLast((one) => one.state === 'done' || one.state === 'skipped')?.n;
        if (n !== undefined && steps.some((one) => one.n === n && one.state === 'current')) return session;
        if (last === undefined || (n !== undefined && n !== last) || !(await reopenDrStep(tx, session.id, last))) {
          throw moved(steps, n);
        }
        return session;
      }),

    finish: (scenario, by, id) =>
      change(
        scenario,
        id,
        async (tx, session, steps) => {
          const open = steps.find(({ state }) => state === 'current' || state === 'waiting');
          if (open) {
            const args = { n: String(open.n) };
            throw new VakhtaError('usage', 'dr-unfinished', `step ${open.n} is open`, { args });
          }
          const now = clock.now();
          const ended = await endDrSession(tx, session.id, { state: 'finished', by }, now);
          if (!ended) throw none(scenario);
          const report = reportOf({ session: ended, steps }, version, now);
          const { startedAt, startedBy: actor } = session;
          await beginRestoreDrill(tx, {
            id: session.id,
            target: drTarget(scenario),
            trigger: 'person',
            actor,
            startedAt,
          });
          await endRestoreDrill(tx, session.id, drillPassed(report) ? 'passed' : 'failed', report, now);
          return ended;
        },
        endedSo('finished', by),
      ),

    abort: (scenario, by, reason, id) =>
      change(
        scenario,
        id,
        async (tx, session) => {
          const ended = await endDrSession(tx, session.id, { state: 'aborted', by, reason }, clock.now());
          if (!ended) throw none(scenario);
          return ended;
        },
        endedSo('aborted', by),
      ),

    byNumber: (number) => drSessionByNumber(db, number),

    last: async (scenario) => {
      const found = (await newestDrSessions(db)).find((one) => one.scenario === scenario && one.state === 'finished');
      return found && lastOf({ session: found, steps: await drSteps(db, found.id) });
    },

    targetMs: minutes(config.recovery.rtoMinutes),
  };
}

const endedSo =
  (state: DrSession['state'], by: string) =>
  (session: DrSession): boolean =>
    session.state === state && session.endedBy === by;

/** What is told of a session that was walked through. */
function lastOf(view: DrView): DrScenario['last'] {
  const { session, steps } = view;
  if (!session.endedAt) return undefined;
  return {
    number: session.number,
    mode: session.mode,
    at: session.endedAt,
    by: session.endedBy ?? session.startedBy,
    ms: timeOf(view, session.endedAt),
    skipped: steps.filter(({ state }) => state === 'skipped').length,
  };
}

/** Somebody else was faster, or it is another step's turn. */
function moved(steps: readonly DrStep[], n: number | undefined): VakhtaError {
  const step = steps.find((one) => one.n === n);
  const by = step?.endedBy?.replace(/^[a-z]+:/u, '');
  const text = by === undefined ? 'err-dr-moved' : 'err-dr-moved-by';
  const args = { n: String(n ?? '—'), ...(by === undefined ? {} : { by }) };
  return new VakhtaError('usage', 'dr-moved', `step ${n} is ${step?.state ?? 'not there'}`, { text, args });
}

/** Milliseconds from the beginning until the last step was done; until now while it goes on. */
export function timeOf({ session, steps }: DrView, now: Date): number {
  const ends = steps.flatMap(({ endedAt }) => (endedAt ? [endedAt.getTime()] : []));
  const until =
    session.state === 'finished' && ends.length > 0 ? Math.max(...ends) : (session.endedAt ?? now).getTime();
  return Math.max(0, until - session.startedAt.getTime());
}

/** For the ledger: a step that was left out has proven nothing. */
function reportOf(view: DrView, version: string, now: Date): DrillReport {
  const { session, steps } = view;
  const skipped = steps.filter(({ state }) => state === 'skipped');
  const done = steps.filter(({ state }) => state === 'done');
  return {
    source: `#${session.number} ${session.mode}`,
    rtoMs: timeOf(view, now),
    versions: { vakhta: version },
    steps: steps.map(({ n, startedAt, endedAt }) => ({
      text: { key: 'dr-ledger-step', args: { n } },
      ms: startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : 0,
    })),
    proofs: [
      { ok: done.length > 0, text: { key: 'dr-ledger-done', args: { n: done.length, of: steps.length } } },
      ...skipped.map(({ n, reason = '' }) => ({
        ok: false,
        text: { key: 'dr-ledger-skipped', args: { n, reason } },
      })),
    ],
  };
}
