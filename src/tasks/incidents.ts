import { z } from 'zod';
import type { Labels } from '../core/alertmanager.ts';
import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { defineMessages } from '../core/i18n.ts';
import type { IncidentData } from '../core/incident.ts';
import { touchCards } from '../store/cards.ts';
import type { Database, Tx } from '../store/db.ts';
import { appendEvents, claimOwner, incident, type Incident, releaseOwner, setSilence } from '../store/incidents.ts';

export const messages = defineMessages({
  en: `
    err-no-incident = There is no incident #{ $id }.
    err-incident-over = Incident #{ $id } is already over.
    err-incident-owned = { $owner } already has incident #{ $id }.
    err-incident-not-yours = Incident #{ $id } is not yours, so you cannot give it back.
  `,
  ru: `
    err-no-incident = Инцидента #{ $id } нет.
    err-incident-over = Инцидент #{ $id } уже закончился.
    err-incident-owned = Инцидентом #{ $id } уже занимается { $owner }.
    err-incident-not-yours = Инцидент #{ $id } не ваш, вернуть его нельзя.
  `,
});

/** The silence that covers an incident, as its card shows it. */
export const silenceSchema = z.object({ id: z.string(), until: z.coerce.date(), by: z.string() });
export type IncidentSilence = z.output<typeof silenceSchema>;

/** What operations may do with incidents. Every change is written to the incident's history and redraws its cards. */
export interface IncidentDesk {
  /** Throws `no-incident`. */
  get(id: number): Promise<Incident>;
  /** Throws `incident-owned` with the one who was faster, and `incident-over`. */
  claim(id: number, owner: string): Promise<void>;
  release(id: number, owner: string): Promise<void>;
  silenced(id: number, silence: IncidentSilence | null, by: string): Promise<void>;
}

export function createIncidentDesk({ db, clock }: { readonly db: Database; readonly clock: Clock }): IncidentDesk {
  const note = async (
    tx: Tx,
    id: number,
    kind: string,
    actor: string,
    data: Record<string, unknown> = {},
  ): Promise<void> => {
    await appendEvents(tx, [{ incidentId: id, at: clock.now(), kind, actor, data }]);
    await touchCards(tx, 'incident', String(id), clock.now());
  };
  return {
    get: async (id) => {
      const found = await incident(db, id);
      if (!found) throw new VakhtaError('usage', 'no-incident', `no incident ${id}`, { args: { id: String(id) } });
      return found;
    },
    claim: (id, owner) =>
      db.tx(async (tx) => {
        const claimed = await claimOwner(tx, id, owner, clock.now());
        if (claimed.won) return note(tx, id, 'acknowledged', owner);
        const args = { id: String(id), owner: claimed.owner ?? '' };
        if (claimed.state === undefined) throw new VakhtaError('usage', 'no-incident', `no incident ${id}`, { args });
        if (claimed.state === 'resolved')
          throw new VakhtaError('usage', 'incident-over', `incident ${id} is over`, { args });
        throw new VakhtaError('usage', 'incident-owned', `incident ${id} belongs to ${args.owner}`, { args });
      }),
    release: (id, owner) =>
      db.tx(async (tx) => {
        if (await releaseOwner(tx, id, owner, clock.now())) return note(tx, id, 'released', owner);
        throw new VakhtaError('usage', 'incident-not-yours', `incident ${id} is not ${owner}'s`, {
          args: { id: String(id) },
        });
      }),
    silenced: (id, silence, by) =>
      db.tx(async (tx) => {
        await setSilence(tx, id, silence, clock.now());
        await note(
          tx,
          id,
          silence ? 'silenced' : 'unsilenced',
          by,
          silence ? { silence: silence.id, until: silence.until } : {},
        );
      }),
  };
}

/**
 * The matchers that silence just this incident: the labels that all its alerts share, or what it is grouped by where the
 * sender left alerts out (then the shared labels would be too narrow). Empty when nothing tells it from other alerts.
 */
export function silenceMatchers(data: IncidentData): { name: string; value: string; isRegex: false; isEqual: true }[] {
  const alerts = Object.values(data.alerts);
  const shared: Labels =
    data.truncated > 0
      ? data.groupLabels
      : { ...sharedLabels(alerts.map((alert) => alert.labels)), ...data.groupLabels };
  return Object.entries(shared)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
}

function sharedLabels(all: readonly Labels[]): Labels {
  const [first, ...rest] = all;
  if (!first) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => rest.every((labels) => labels[name] === value)),
  );
}
