import type { IncidentData } from '../../../core/incident.ts';
import type { Queryable } from '../../../store/db.ts';
import { events, type Incident } from '../../../store/incidents.ts';
import { silence } from '../../../store/silences.ts';
import { silenceSchema } from '../../../tasks/incidents.ts';
import { seenAlerts } from '../../../tasks/silences/alerts.ts';
import { loadFolding } from './folding.ts';
import type { Extras } from './part.ts';

const HISTORY = 300;

/** Reads what the view needs, and no more. */
export async function loadExtras(q: Queryable, row: Incident, _data: IncidentData, view: string): Promise<Extras> {
  return {
    history: view === 'details' ? await events(q, row.id, HISTORY) : [],
    folding: await loadFolding(q, row),
    ...(isView(view, 'silence') ? await silencing(q, row) : {}),
  };
}

const isView = (view: string, name: string): boolean => view === name || view.startsWith(`${name}:`);

async function silencing(q: Queryable, row: Incident): Promise<Pick<Extras, 'alerts' | 'silence'>> {
  const alerts = await seenAlerts(q);
  const is = row.silence && (await silence(q, silenceSchema.parse(row.silence).id));
  return { ...(alerts ? { alerts } : {}), ...(is ? { silence: is } : {}) };
}
