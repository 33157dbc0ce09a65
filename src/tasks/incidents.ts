import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { defineMessages, type Translate } from '../core/i18n.ts';
import { type Incident as Reduced, incidentData, type IncidentData, shared } from '../core/incident.ts';
import { OWN_SOURCES, SAYS, titleIn } from '../core/own-alert.ts';
import { type Matcher, quoteRegex } from '../integrations/alertmanager/matchers.ts';
import type { Alertmanager, Silence } from '../integrations/alertmanager/port.ts';
import { showAtOnce, touchCards } from '../store/cards.ts';
import type { Database, Tx } from '../store/db.ts';
import {
  appendEvents,
  claimOwner,
  handOver,
  incident,
  type Incident,
  releaseOwner,
  setSilence,
} from '../store/incidents.ts';
import { leaveView } from '../store/silences.ts';
import { callPerson } from './watch/paging.ts';

export const messages = defineMessages({
  en: `
    err-no-incident = There is no incident #{ $id }.
    err-incident-over = Incident #{ $id } is already over.
    err-incident-owned = { $owner } already has incident #{ $id }.
    err-incident-not-yours = Incident #{ $id } is not in your name, so there is nothing to give back.
  `,
  ru: `
    err-no-incident = Инцидента #{ $id } нет.
    err-incident-over = Инцидент #{ $id } уже закончился.
    err-incident-owned = Инцидентом #{ $id } уже занимается { $owner }.
    err-incident-not-yours = Инцидент #{ $id } записан не на вас, снимать нечего.
  `,
});

/** Where incidents of the webhook come from; together with the group key it identifies the group. */
export const ALERTMANAGER = 'alertmanager';

/** A row as the reducer knows it. */
export function incidentOf({ state, severity, title, startedAt, resolvedAt, data }: Incident): Reduced {
  return { state, severity, title, startedAt, resolvedAt: resolvedAt ?? null, data: incidentData.parse(data) };
}

/** What an incident that this program found out itself says (`core/own-alert.ts`); undefined for others. */
export function saysOf({ source, data }: Pick<Incident, 'source' | 'data'>): string | undefined {
  if (!OWN_SOURCES.includes(source)) return undefined;
  const [only] = Object.values(incidentData.parse(data).alerts);
  return only?.extra[SAYS];
}

/** The title of an incident in this language. */
export const titleFor = (t: Translate, row: Pick<Incident, 'source' | 'data' | 'title'>): string =>
  titleIn(t, { title: row.title, says: saysOf(row) });

/** The silence that covers an incident, or a part of it, as its card shows it. */
export const silenceSchema = z
  .object({
    id: z.string(),
    until: z.coerce.date().exactOptional(),
    partUntil: z.coerce.date().exactOptional(),
    /** Who made it: an operator's id, or the name that somebody else gave to Alertmanager. */
    by: z.string(),
    /** How many of the incident's alerts it mutes, where that is not all of them. */
    muted: z.number().exactOptional(),
    of: z.number().exactOptional(),
    /** Not made for this incident: it may mute others too. */
    elsewhere: z.boolean().exactOptional(),
    /** Renewed until the incident is over. */
    resolved: z.boolean().exactOptional(),
  })
  .transform(({ until, partUntil, ...rest }) => ({ ...rest, until: until ?? partUntil ?? new Date(0) }));
export type IncidentSilence = z.output<typeof silenceSchema>;

/**
 * As it is stored. Only what covers all of an incident has `until`, by which the queries tell what is silent: an incident that is
 * silenced in part escalates as any other.
 */
export const storedSilence = ({ until, ...rest }: IncidentSilence): Readonly<Record<string, unknown>> =>
  rest.muted === undefined ? { ...rest, until } : { ...rest, partUntil: until };

/** `missing`: Alertmanager does not know it any more. Other failures come through. */
export async function silenceState(
  port: Pick<Alertmanager, 'silence'>,
  id: string,
  signal: AbortSignal,
): Promise<Silence['state'] | 'missing'> {
  try {
    return (await port.silence(id, signal)).state;
  } catch (error) {
    if (error instanceof VakhtaError && error.code === 'silence-not-found') return 'missing';
    throw error;
  }
}

/** Ends a silence; one that has ended by itself or is forgotten is what was wanted. */
export async function endSilence(
  port: Pick<Alertmanager, 'silence' | 'expireSilence'>,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const state = await silenceState(port, id, signal);
  if (state === 'missing' || state === 'expired') return;
  await port.expireSilence(id, signal).catch((error: unknown) => {
    if (!(error instanceof VakhtaError) || error.code !== 'silence-not-found') throw error;
  });
}

/** What operations may do with incidents. Every change is written to the incident's history and redraws its cards. */
export interface IncidentDesk {
  /** Throws `no-incident`. */
  get(id: number): Promise<Incident>;
  /** Fine when it is theirs already. Throws `incident-owned` with the one who was faster, `incident-over`, `no-incident`. */
  claim(id: number, owner: string): Promise<void>;
  /** Throws `incident-not-yours`. */
  release(id: number, owner: string): Promise<void>;
  /**
   * Gives it from whom it was seen with (undefined: nobody) to somebody else, who is called in private. Throws `no-incident`,
   * `incident-over`, `handover-self`, `handover-moved`.
   */
  handOver(
    id: number,
    who: { readonly from: string | undefined; readonly to: string; readonly by: string },
  ): Promise<void>;
  /** Notes the silence, or that it has ended; cards leave the choice of silences. Throws `no-incident`. */
  silenced(id: number, silence: IncidentSilence | null, by: string): Promise<void>;
}

const missing = (id: number): VakhtaError =>
  new VakhtaError('usage', 'no-incident', `no incident ${id}`, { args: { id: String(id) } });

export function createIncidentDesk({ db, clock }: { readonly db: Database; readonly clock: Clock }): IncidentDesk {
  const note = async (
    tx: Tx,
    id: number,
    kind: string,
    actor: string,
    data: Record<string, unknown> = {},
  ): Promise<void> => {
    await appendEvents(tx, [{ incidentId: id, at: clock.now(), kind, actor, data }]);
    await showAtOnce(tx, 'incident', String(id));
    await touchCards(tx, 'incident', String(id), clock.now());
  };
  return {
    get: async (id) => {
      const found = await incident(db, id);
      if (!found) throw missing(id);
      return found;
    },
    claim: (id, owner) =>
      db.tx(async (tx) => {
        const claimed = await claimOwner(tx, id, owner, clock.now());
        if (claimed.won) return note(tx, id, 'acknowledged', owner);
        const args = { id: String(id), owner: claimed.owner ?? '' };
        if (claimed.state === 'firing' && claimed.owner === owner) return;
        if (claimed.state === undefined) throw missing(id);
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
    handOver: (id, { from, to, by }) =>
      db.tx(async (tx) => {
        const now = clock.now();
        const args = { id: String(id), who: to };
        const is = await incident(tx, id, { forUpdate: true });
        if (!is) throw missing(id);
        if (is.state === 'resolved')
          throw new VakhtaError('usage', 'incident-over', `incident ${id} is over`, { args });
        if (is.owner === to) throw new VakhtaError('usage', 'handover-self', `incident ${id} is ${to}'s`, { args });
        if (!(await handOver(tx, id, { from, to }, now))) {
          throw new VakhtaError('usage', 'handover-moved', `incident ${id} is ${is.owner ?? 'nobody'}'s now`, { args });
        }
        await leaveView(tx, 'incident', String(id), 'handover');
        await note(tx, id, 'handed-over', by, { from: from ?? '', to });
        if (to !== by) await callPerson(tx, id, to, { key: 'page-why-handed-over', args: { who: by } }, now);
      }),
    silenced: (id, silence, by) =>
      db.tx(async (tx) => {
        if (!(await setSilence(tx, id, silence && storedSilence(silence), clock.now()))) throw missing(id);
        await leaveView(tx, 'incident', String(id), 'silence');
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
 * sender left alerts out (then the shared labels would be too narrow). Where the name of the alert is not among them, the
 * names that the incident has are added, so that other alerts of the same host are still heard. Empty when nothing tells
 * it from other alerts: a list of names alone would silence them everywhere.
 */
export function silenceMatchers(data: IncidentData): Matcher[] {
  const alerts = Object.values(data.alerts);
  const isPart = data.truncated > 0;
  const equal = Object.entries(
    isPart ? data.groupLabels : { ...shared(alerts.map(({ labels }) => labels)), ...data.groupLabels },
  )
    .filter(([, value]) => value !== '')
    .map(([name, value]): Matcher => ({ name, value, isRegex: false, isEqual: true }));
  if (equal.length === 0 || isPart || equal.some(({ name }) => name === 'alertname')) return equal.toSorted(byName);
  const names = alerts.map(({ labels }) => labels['alertname'] ?? '');
  if (names.length === 0 || names.includes('')) return equal.toSorted(byName);
  const value = [...new Set(names)].toSorted().map(quoteRegex).join('|');
  return [...equal, { name: 'alertname', value, isRegex: true, isEqual: true }].toSorted(byName);
}

const byName = (a: Matcher, b: Matcher): number => (a.name < b.name ? -1 : 1);
