import { z } from 'zod';
import { type Clock, minutes } from '../core/clock.ts';
import { type Incident as Reduced, reduceAbsence } from '../core/incident.ts';
import type { Log } from '../core/log.ts';
import type { Alert, Alertmanager } from '../integrations/alertmanager/port.ts';
import { touchCards } from '../store/cards.ts';
import type { Database } from '../store/db.ts';
import { appendEvents, currentIncidents, firing, type Incident, setSilence } from '../store/incidents.ts';
import { observation, observe } from '../store/observations.ts';
import { ALERTMANAGER, incidentOf, silenceSchema } from './incidents.ts';
import type { IncidentWriter } from './watch/writer.ts';

/** An incident that was changed within this time waits: its webhook may be under way. */
const QUIET_MS = minutes(2);
/** Alertmanager keeps no alerts over a restart; by then every Prometheus has sent its own again. */
const SETTLED_MS = minutes(5);
/** Where it is noted which incidents this Alertmanager has been seen to hold. */
const HELD = 'alert-watch';
const held_ = z.object({ ids: z.array(z.number()) });

export interface AlertWatch {
  /** One round. Throws what the database or Alertmanager throw. */
  readonly round: (signal: AbortSignal) => Promise<void>;
}

/**
 * Finds the ends that no webhook tells: an alert that ends while it is silenced or inhibited is never reported as resolved,
 * and one beyond `max_alerts` is not named. Also redraws the cards of silences that have run out.
 *
 * Another sender's incidents (Grafana, a second Alertmanager) are none of its business: it ends only what it has seen
 * Alertmanager hold before, or what was silenced there.
 */
export function createAlertWatch(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: IncidentWriter;
  readonly alertmanager: Pick<Alertmanager, 'alerts' | 'status'>;
}): AlertWatch {
  const { db, clock, log, writer, alertmanager } = options;

  const dropSilence = (id: number): Promise<void> =>
    db.tx(async (tx) => {
      const now = clock.now();
      await setSilence(tx, id, null, now);
      await appendEvents(tx, [{ incidentId: id, at: now, kind: 'silence-ended' }]);
      await touchCards(tx, 'incident', String(id), now);
    });

  const settle = (incident: Incident, alerts: readonly Alert[]): Promise<boolean> =>
    db.tx(async (tx) => {
      const now = clock.now();
      const found = await currentIncidents(tx, ALERTMANAGER, [incident.groupKey], { forUpdate: true });
      const row = found.get(incident.groupKey);
      // Whatever happened since Alertmanager was asked is newer than its answer.
      if (!row || row.id !== incident.id || row.rev !== incident.rev) return false;
      const known = incidentOf(row);
      const reduction = reduceAbsence(known, fingerprints(alerts), anyOf(known, alerts), now);
      if (!reduction) return false;
      await writer.change(tx, row, reduction, now);
      return true;
    });

  return {
    round: async (signal) => {
      const now = clock.now();
      for (const { id, silence } of await firing(db, { source: ALERTMANAGER })) {
        if (silence && silenceSchema.parse(silence).until <= now) await dropSilence(id);
      }
      // Read before Alertmanager is asked: what changes after that is not settled by its answer.
      const open = await firing(db, { source: ALERTMANAGER });
      if (open.length === 0) return;
      const { startedAt } = await alertmanager.status(signal);
      if (now.getTime() - startedAt.getTime() < SETTLED_MS) return;
      const alerts = await alertmanager.alerts({}, signal);
      const active = fingerprints(alerts);
      const noted = await observation(db, HELD);
      const before = new Set(held_.safeParse(noted?.data).data?.ids);
      const holds = ({ data }: Incident): boolean => Object.keys(alertsOf(data)).some((one) => active.has(one));
      const held = open.filter((incident) => holds(incident) || before.has(incident.id) || incident.silence);
      await observe(db, HELD, true, { ids: held.map(({ id }) => id) }, now);
      for (const incident of held) {
        if (signal.aborted) return;
        if (now.getTime() - incident.updatedAt.getTime() < QUIET_MS) continue;
        if (await settle(incident, alerts)) log.info({ incident: incident.id }, 'alerts ended without a webhook');
      }
    },
  };
}

const fingerprints = (alerts: readonly Alert[]): ReadonlySet<string> =>
  new Set(alerts.map(({ fingerprint }) => fingerprint));

const alerts_ = z.object({ alerts: z.record(z.string(), z.unknown()) });
const alertsOf = (data: unknown): Readonly<Record<string, unknown>> => alerts_.parse(data).alerts;

/** Whether Alertmanager has an alert of the incident's group. */
function anyOf({ data }: Reduced, alerts: readonly Alert[]): boolean {
  return alerts.some(({ labels }) => Object.entries(data.groupLabels).every(([name, value]) => labels[name] === value));
}
