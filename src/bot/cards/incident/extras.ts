import type { IncidentData } from '../../../core/incident.ts';
import type { Queryable } from '../../../store/db.ts';
import { events, type Incident } from '../../../store/incidents.ts';
import type { Extras } from './part.ts';

const HISTORY = 300;

/** Reads what the view needs, and no more. */
export async function loadExtras(q: Queryable, row: Incident, _data: IncidentData, view: string): Promise<Extras> {
  return { history: view === 'details' ? await events(q, row.id, HISTORY) : [] };
}
