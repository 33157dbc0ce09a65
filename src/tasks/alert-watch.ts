import { z } from 'zod';
import { type Clock, minutes, seconds } from '../core/clock.ts';
import { type Incident as Reduced, incidentData, reduceAbsence } from '../core/incident.ts';
import type { Log } from '../core/log.ts';
import type { Config } from '../config/schema.ts';
import type { Alert, Alertmanager } from '../integrations/alertmanager/port.ts';
import { touchCards } from '../store/cards.ts';
import type { Database } from '../store/db.ts';
import { appendEvents, currentIncidents, firing, type Incident, incident, setSilence } from '../store/incidents.ts';
import { observation, observe } from '../store/observations.ts';
import { ALERTMANAGER, incidentOf, type IncidentSilence, silenceSchema, storedSilence } from './incidents.ts';
import { coverageOf } from './silences/coverage.ts';
import { createKeeper } from './silences/keeper.ts';
import { mirror, type Mirrored } from './silences/mirror.ts';
import type { PlacementConfig } from './watch/placement.ts';
import type { IncidentWriter } from './watch/writer.ts';

/** An incident that was changed within this time waits: its webhook may be under way. */
const QUIET_MS = minutes(2);
/** Of a silenced one no webhook tells anything. */
const SILENCED_QUIET_MS = seconds(10);
/** Alertmanager keeps no alerts over a restart; by then every Prometheus has sent its own again. */
const SETTLED_MS = minutes(5);
/** Where it is noted which incidents this Alertmanager has been seen to hold. */
const HELD = 'alert-watch';
const held_ = z.object({ ids: z.array(z.number()) });
/** More than any storm leaves open. */
const MANY = 5000;

export interface AlertWatch {
  /** One round. Throws what the database or Alertmanager throw. */
  readonly round: (signal: AbortSignal) => Promise<void>;
}

/**
 * Looks at Alertmanager itself. Finds the ends that no webhook tells: an alert that ends while it is silenced or inhibited is never
 * reported as resolved, and one beyond `max_alerts` is not named. Keeps what it says of alerts and silences where cards and commands
 * read it, shows on incidents what silences them, whoever made it, and looks after silences as time goes on.
 *
 * Another sender's incidents (Grafana, a second Alertmanager) are none of its business: it ends only what it has seen
 * Alertmanager hold before, or what was silenced there.
 */
export function createAlertWatch(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: IncidentWriter;
  readonly alertmanager: Pick<
    Alertmanager,
    'alerts' | 'silences' | 'status' | 'silence' | 'createSilence' | 'expireSilence'
  >;
  readonly config: PlacementConfig & Pick<Config, 'silences'>;
  /** More to look after with every answer. */
  readonly also?: (mirrored: Mirrored, signal: AbortSignal) => Promise<void>;
}): AlertWatch {
  const { db, clock, log, writer, alertmanager } = options;
  const keep = createKeeper(options);

  /** Notes what silences an incident now, unless the incident has changed since Alertmanager was asked. */
  const noteSilence = ({ id, rev }: Incident, now: IncidentSilence | null): Promise<void> =>
    db.tx(async (tx) => {
      const row = await incident(tx, id, { forUpdate: true });
      if (row?.rev !== rev) return;
      const before = row.silence ? silenceSchema.parse(row.silence) : undefined;
      const at = clock.now();
      await setSilence(tx, id, now && storedSilence(now), at);
      if (now && before?.id !== now.id) {
        const data = { silence: now.id, until: now.until };
        await appendEvents(tx, [{ incidentId: id, at, kind: 'silenced', actor: now.by, data }]);
      } else if (!now) await appendEvents(tx, [{ incidentId: id, at, kind: 'silence-ended' }]);
      await touchCards(tx, 'incident', String(id), at);
    });

  const cover = async (open: readonly Incident[], { alerts, silences }: Mirrored): Promise<void> => {
    const seen = new Map(alerts.map((alert) => [alert.fingerprint, alert]));
    const byId = new Map(silences.map((row) => [row.id, row]));
    for (const row of open) {
      const noted = row.silence ? silenceSchema.parse(row.silence) : undefined;
      const is = coverageOf(incidentData.parse(row.data), row.id, noted, seen, byId, clock.now());
      if (is === 'unknown' || sameSilence(noted, is)) continue;
      await noteSilence(row, is);
    }
  };

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
      for (const row of await firing(db, { source: ALERTMANAGER, limit: MANY })) {
        // Also while Alertmanager cannot be asked.
        if (row.silence && silenceSchema.parse(row.silence).until <= now) await noteSilence(row, null);
      }
      // Read before Alertmanager is asked: what changes after that is not settled by its answer.
      const open = await firing(db, { source: ALERTMANAGER, limit: MANY });
      const [alerts, silences] = await Promise.all([alertmanager.alerts({}, signal), alertmanager.silences(signal)]);
      const mirrored = await mirror(db, { alerts, silences }, now);
      await cover(open, mirrored);
      if (open.length > 0) await settleAll(open, alerts, now, signal);
      await keep(mirrored, signal);
      await options.also?.(mirrored, signal);
    },
  };

  async function settleAll(
    open: readonly Incident[],
    alerts: readonly Alert[],
    now: Date,
    signal: AbortSignal,
  ): Promise<void> {
    const { startedAt } = await alertmanager.status(signal);
    if (now.getTime() - startedAt.getTime() < SETTLED_MS) return;
    const active = fingerprints(alerts);
    const noted = await observation(db, HELD);
    const before = new Set(held_.safeParse(noted?.data).data?.ids);
    const holds = ({ data }: Incident): boolean => Object.keys(alertsOf(data)).some((one) => active.has(one));
    const held = open.filter((one) => holds(one) || before.has(one.id) || one.silence);
    await observe(db, HELD, true, { ids: held.map(({ id }) => id) }, now);
    for (const one of held) {
      if (signal.aborted) return;
      const quietMs = one.silence ? SILENCED_QUIET_MS : QUIET_MS;
      if (now.getTime() - one.updatedAt.getTime() < quietMs) continue;
      if (await settle(one, alerts)) log.info({ incident: one.id }, 'alerts ended without a webhook');
    }
  }
}

function sameSilence(noted: IncidentSilence | undefined, is: IncidentSilence | null): boolean {
  if (!noted || !is) return !noted && !is;
  return (
    noted.id === is.id &&
    noted.until.getTime() === is.until.getTime() &&
    noted.by === is.by &&
    noted.muted === is.muted &&
    noted.of === is.of &&
    noted.elsewhere === is.elsewhere &&
    noted.resolved === is.resolved
  );
}

const fingerprints = (alerts: readonly Alert[]): ReadonlySet<string> =>
  new Set(alerts.map(({ fingerprint }) => fingerprint));

const alerts_ = z.object({ alerts: z.record(z.string(), z.unknown()) });
const alertsOf = (data: unknown): Readonly<Record<string, unknown>> => alerts_.parse(data).alerts;

/** Whether Alertmanager has an alert of the incident's group. */
function anyOf({ data }: Reduced, alerts: readonly Alert[]): boolean {
  return alerts.some(({ labels }) => Object.entries(data.groupLabels).every(([name, value]) => labels[name] === value));
}
