import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { defineMessages } from '../core/i18n.ts';
import { byWeight, type StormIncident } from '../core/storm.ts';
import { liveCards, touchCards, wantCards } from '../store/cards.ts';
import type { Database } from '../store/db.ts';
import { appendEvents } from '../store/incidents.ts';
import { claimStorm, storm, type Storm, stormMembers, type StormMember, unowned } from '../store/storms.ts';
import { incidentWish } from './watch/placement.ts';

export const messages = defineMessages({
  en: `
    err-no-storm = That storm is not known any more.
  `,
  ru: `
    err-no-storm = Этого шквала больше нет в памяти.
  `,
});

/** What operations may do with storms. */
export interface StormDesk {
  /** Throws `no-storm`. */
  get(id: number): Promise<Storm>;
  /** Its incidents, firing ones first, the heaviest of them before the others. */
  incidents(id: number): Promise<StormMember[]>;
  /** Takes on every firing incident that nobody has; answers their numbers. Throws `no-storm`. */
  ack(id: number, owner: string): Promise<number[]>;
  /** How many firing incidents nobody has. */
  unowned(id: number): Promise<number>;
}

/** An incident of a storm as the rules count it. */
export const counted = (member: StormMember): StormIncident => ({
  ...member,
  alerts: member.all.length + member.truncated,
});

/** Firing ones first, the heaviest of them before the others. */
export const inOrder = (members: readonly StormMember[]): StormMember[] =>
  members.toSorted(
    (a, b) => Number(a.state === 'resolved') - Number(b.state === 'resolved') || byWeight(counted(a), counted(b)),
  );

export function createStormDesk({ db, clock }: { readonly db: Database; readonly clock: Clock }): StormDesk {
  const get = async (id: number): Promise<Storm> => {
    const found = await storm(db, id);
    if (!found) throw new VakhtaError('usage', 'no-storm', `no storm ${id}`, { args: { id: String(id) } });
    return found;
  };
  return {
    get,
    incidents: async (id) => inOrder(await stormMembers(db, id)),
    ack: async (id, owner) => {
      await get(id);
      return db.tx(async (tx) => {
        const now = clock.now();
        const claimed = await claimStorm(tx, id, owner, now);
        await appendEvents(
          tx.late,
          claimed.map((incidentId) => ({ incidentId, at: now, kind: 'acknowledged', actor: owner })),
        );
        const cards = await liveCards(tx, 'incident', claimed.map(String));
        await wantCards(
          tx.late,
          cards.map((card) => incidentWish(Number(card.ref), card.priority, card)),
          now,
        );
        await touchCards(tx, 'storm', String(id), now);
        return claimed;
      });
    },
    unowned: (id) => unowned(db, id),
  };
}
