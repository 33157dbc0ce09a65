import type { Tx } from '../../store/db.ts';
import { incident } from '../../store/incidents.ts';
import { owePages, restartEscalation, type Why } from '../../store/pages.ts';

/**
 * Calls people to an incident once more: within seconds a new message with sound in reply to its card (or a card of its own, when
 * only that of a storm shows it), its owner (when it has one) in private, and the escalation from the start, without waiting for
 * its first step. Nothing for an incident that is over. Only writes to the database, so any role may call it; `why` is a sentence
 * of the catalogue, in which `who` is a person's id.
 */
export async function pageAgain(tx: Tx, incidentId: number, why: Why, now: Date): Promise<void> {
  const found = await incident(tx, incidentId);
  if (found?.state !== 'firing') return;
  const { owner } = found;
  const call = (person: string | null) => ({ incident: incidentId, person, step: null, why });
  await owePages(tx, owner === undefined ? [call(null)] : [call(null), call(owner)], now);
  if (owner === undefined) await restartEscalation(tx, incidentId, now);
}

/** Calls one person to an incident, whether it has an owner or not. */
export async function callPerson(tx: Tx, incidentId: number, person: string, why: Why, now: Date): Promise<void> {
  await owePages(tx, [{ incident: incidentId, person, step: null, why }], now);
}
