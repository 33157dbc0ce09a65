import { PRIORITY } from '../../core/budget.ts';
import { type Clock, days, minutes } from '../../core/clock.ts';
import { dueSteps } from '../../core/escalation.ts';
import type { Log } from '../../core/log.ts';
import { holds } from '../../core/people.ts';
import type { OnWatch } from '../../core/rota.ts';
import type { Config, ConfiguredOperator } from '../../config/schema.ts';
import { type Card, liveCards, touchCards, wantCards } from '../../store/cards.ts';
import { chatStates } from '../../store/chats.ts';
import type { Database, Tx } from '../../store/db.ts';
import { heldPeople, holdOn, release, releasedIncidents } from '../../store/held.ts';
import { appendEvents, expireOwner, staleOwners } from '../../store/incidents.ts';
import {
  dropPages,
  escalations,
  lastCalls,
  type OwedPage,
  outdatedCalls,
  owedPages,
  owePages,
  type PageRow,
  startEscalations,
  stepsDone,
  stopEscalations,
  tellPages,
} from '../../store/pages.ts';
import { takeUntold } from '../../store/watch.ts';
import { pageAgain } from './paging.ts';
import { letThrough, quietOf } from './quiet.ts';
import { onWatch } from './rota.ts';
import { type SayAgainConfig, sayAgain } from './say-again.ts';

export type EscalationConfig = Pick<Config, 'escalation' | 'operators' | 'watch'> & SayAgainConfig;

/** A person is not called more often; what comes due meanwhile is told by the next message. */
const CALL_EVERY_MS = minutes(1);
/** For this long a call in a chat follows what becomes of its incident. */
const FOLLOW_MS = days(1);

type Target = Config['escalation']['steps'][number]['to'];

/**
 * Calls people: who is on watch, who is second, and so on, until somebody takes an incident on. All it knows is in the database, so
 * that a restart changes nothing; what is to be said goes out as cards.
 */
export function createEscalation(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: EscalationConfig;
}): { readonly round: () => Promise<void> } {
  const { db, clock, log, config } = options;
  const { severity: severities, ackMinutes, repeatMinutes } = config.escalation;
  const person = (id: string): ConfiguredOperator | undefined => config.operators.find((one) => one.id === id);

  /** An acknowledgement that nothing followed: nobody has it any more, and people are called again. */
  const wearOff = async (now: Date): Promise<void> => {
    if (ackMinutes === 0) return;
    for (const { id, owner, ackedAt } of await staleOwners(db, ago(now, minutes(ackMinutes)), now)) {
      if (owner === undefined || ackedAt === undefined) continue;
      const data = { who: owner, minutes: ackMinutes };
      await db.tx(async (tx) => {
        if (!(await expireOwner(tx, id, owner, ackedAt, now))) return;
        await appendEvents(tx, [{ incidentId: id, at: now, kind: 'ack-expired', data }]);
        const why = { key: 'page-why-ack-expired', args: data };
        await pageAgain(tx, id, why, now);
        await owePages(tx, [{ incident: id, person: owner, step: 0, why }], now);
        await touchCards(tx, 'incident', String(id), now);
      });
    }
  };

  const targets = (to: Target, watch: OnWatch): readonly string[] => {
    if (to === 'watch' || to === 'second') {
      const id = to === 'watch' ? watch.person : watch.second;
      return id === undefined || !person(id) ? [] : [id];
    }
    const least = to === 'admins' ? 'admin' : 'operator';
    return config.operators.filter(({ role }) => holds(role, least)).map(({ id }) => id);
  };

  /** Notes whom to call by now. */
  const climb = async (now: Date, unreachable: ReadonlySet<string>): Promise<void> => {
    await stopEscalations(db, severities, now);
    await startEscalations(db, severities, now);
    const all = await escalations(db);
    if (all.length === 0) return;
    const watch = await onWatch(db, config, now);
    const steps = config.escalation.steps.map(({ afterMinutes, to }) => {
      const people = targets(to, watch);
      return { afterMs: minutes(afterMinutes), to, people, isVoid: people.every((id) => unreachable.has(id)) };
    });
    const moves: { incident: number; was: number; done: number }[] = [];
    const calls: PageRow[] = [];
    for (const { incident, done, ...state } of all) {
      const due = dueSteps(steps, { ...state, done }, minutes(repeatMinutes), now);
      const numbers = due.repeat ? steps.map((_, n) => n) : due.steps;
      if (numbers.length === 0) continue;
      moves.push({ incident, was: done, done: Math.max(done, ...numbers.map((n) => n + 1)) });
      for (const n of numbers) {
        const { people, to } = steps[n] ?? { people: [], to: 'watch' };
        const why = { key: due.repeat ? 'page-why-repeat' : `page-why-${to}` };
        calls.push(...people.map((one) => ({ incident, person: one, step: n, why })));
      }
    }
    if (moves.length === 0) return;
    await db.tx(async (tx) => {
      const moved = new Set(await stepsDone(tx, moves, now));
      await owePages(
        tx,
        calls.filter(({ incident }) => moved.has(incident)),
        now,
      );
    });
  };

  /** Makes the calls that are owed: one message a person, whatever the number of incidents. */
  const tell = async (now: Date, unreachable: ReadonlySet<string>): Promise<void> => {
    const owed = await owedPages(db, now);
    if (owed.length === 0) return;
    const isLost = ({ person: id }: OwedPage): boolean => id !== undefined && (!person(id) || unreachable.has(id));
    const [needless, needed] = split(owed, (page) => page.needless || isLost(page));
    await dropPages(db, ids(needless), now);
    const last = await lastCalls(db, ago(now, CALL_EVERY_MS));
    for (const id of new Set(needed.map(({ person: whom }) => whom))) {
      const pages = needed.filter(({ person: whom }) => whom === id);
      if (id === undefined) await db.tx(async (tx) => note(tx, await sayAgain(tx, pages, now, config), 'chat', now));
      else if (!last.has(id)) await db.tx((tx) => call(tx, id, pages, now));
    }
  };

  const call = async (tx: Tx, id: string, pages: readonly OwedPage[], now: Date): Promise<void> => {
    const operator = person(id);
    if (!operator) return;
    const wanted = pages.map((page) => ({ ...page, chat: operator.telegramId }));
    const open = await letThrough(tx, wanted, now, config);
    await dropPages(tx, ids(wanted.filter((page) => !open.includes(page))), now);
    const [lead] = open;
    if (!lead) return;
    const told = new Set(await tellPages(tx, ids(open), lead.id, now));
    if (!told.has(lead.id)) return;
    await note(
      tx,
      open.filter((page) => told.has(page.id)),
      id,
      now,
    );
    const cards = await liveCards(tx, 'incident', [String(lead.incident)]);
    const shown = cards.find(({ chat }) => chat === operator.telegramId);
    const wish = {
      chat: operator.telegramId,
      reader: id,
      priority: lead.severity === 'critical' ? PRIORITY.critical : PRIORITY.warning,
      sound: true,
    };
    // The card itself is the call. Whoever has it already hears a new message.
    if (shown?.messageId === undefined)
      await wantCards(tx, [{ kind: 'incident', ref: String(lead.incident), ...wish }], now);
    else await wantCards(tx, [{ kind: 'page', ref: String(lead.id), replyTo: shown.messageId, ...wish }], now);
    await redraw(
      tx,
      cards.filter((card) => card !== shown),
      now,
    );
  };

  const note = (tx: Tx, pages: readonly OwedPage[], whom: string, now: Date): Promise<void> =>
    appendEvents(
      tx,
      pages.map(({ incident, step, why }) => ({
        incidentId: incident,
        at: now,
        kind: 'paged',
        data: { person: whom, ...(step === undefined ? {} : { step: step + 1 }), why: why.key },
      })),
    );

  const redraw = async (tx: Tx, cards: readonly Card[], now: Date): Promise<void> => {
    for (const ref of new Set(cards.map((card) => card.ref))) await touchCards(tx, 'incident', ref, now);
  };

  /** What quiet hours held back and still burns, in one message as soon as they end. */
  const letGo = async (now: Date): Promise<void> => {
    for (const id of await heldPeople(db, now)) {
      const operator = person(id);
      const until = operator && quietOf(operator, now);
      if (until !== undefined) {
        await holdOn(db, id, until);
        continue;
      }
      await db.tx(async (tx) => {
        if ((await release(tx, id, now)) === 0 || !operator) return;
        const incidents = await releasedIncidents(tx, id, now, now);
        const burns = incidents.some(({ state }) => state === 'firing');
        const ref = `${id}:${now.getTime()}`;
        const priority = burns ? PRIORITY.warning : PRIORITY.information;
        await wantCards(
          tx,
          [{ kind: 'quiet', ref, chat: operator.telegramId, reader: id, priority, sound: burns }],
          now,
        );
      });
    }
  };

  /** Whoever was given the watch by somebody else is told. */
  const tellWatch = async (now: Date): Promise<void> => {
    await db.tx(async (tx) => {
      const given = await takeUntold(tx, now);
      const wishes = given.flatMap(({ id, person: to }) => {
        const operator = person(to);
        const wish = { kind: 'watch', ref: String(id), reader: to, priority: PRIORITY.warning, sound: true };
        return operator ? [{ ...wish, chat: operator.telegramId }] : [];
      });
      await wantCards(tx, wishes, now);
    });
  };

  return {
    round: async () => {
      const now = clock.now();
      const states = await chatStates(
        db,
        config.operators.map(({ telegramId }) => telegramId),
      );
      const lost = config.operators.filter(({ telegramId }) => states.get(telegramId)?.disabledAt !== undefined);
      const unreachable = new Set(lost.map(({ id }) => id));
      await wearOff(now);
      await climb(now, unreachable);
      await tell(now, unreachable);
      await letGo(now);
      await tellWatch(now);
      for (const { kind, ref } of await outdatedCalls(db, ago(now, FOLLOW_MS))) await touchCards(db, kind, ref, now);
      if (lost.length > 0) log.debug({ people: [...unreachable] }, 'these people cannot be called');
    },
  };
}

const ago = (now: Date, ms: number): Date => new Date(now.getTime() - ms);

const ids = (pages: readonly { readonly id: number }[]): number[] => pages.map(({ id }) => id);

function split<T>(all: readonly T[], test: (one: T) => boolean): [yes: T[], no: T[]] {
  return [all.filter(test), all.filter((one) => !test(one))];
}
