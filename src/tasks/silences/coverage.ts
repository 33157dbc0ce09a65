import { minutes } from '../../core/clock.ts';
import type { IncidentData } from '../../core/incident.ts';
import type { SilenceRow } from '../../store/silences.ts';
import type { IncidentSilence } from '../incidents.ts';
import type { SeenAlert } from './alerts.ts';
import { isOurs } from './comment.ts';

const MOMENT_MS = minutes(1);

/**
 * What mutes an incident, as Alertmanager says. `unknown`: it holds none of the incident's alerts, so it cannot be said.
 * `null`: nothing does.
 */
export function coverageOf(
  { alerts }: IncidentData,
  incident: number,
  noted: IncidentSilence | undefined,
  seen: ReadonlyMap<string, SeenAlert>,
  silences: ReadonlyMap<string, SilenceRow>,
  now: Date,
): IncidentSilence | null | 'unknown' {
  const live = Object.values(alerts).flatMap(({ fingerprint, status }) => {
    const one = seen.get(fingerprint);
    return one && status !== 'resolved' ? [one] : [];
  });
  if (live.length === 0) return 'unknown';
  const muting = live.flatMap(({ silencedBy }) => {
    const [longest] = silencedBy
      .flatMap((id) => silences.get(id) ?? [])
      .filter(({ state }) => state === 'active')
      .toSorted((a, b) => b.endsAt.getTime() - a.endsAt.getTime() || (a.id < b.id ? -1 : 1));
    return longest ? [longest] : [];
  });
  const [next] = muting.toSorted((a, b) => a.endsAt.getTime() - b.endsAt.getTime() || (a.id < b.id ? -1 : 1));
  // A run is just making it, and is about to note it.
  const isUnderWay =
    next?.purpose === 'other' && isOurs(next.comment) && now.getTime() - next.startsAt.getTime() < MOMENT_MS;
  if (isUnderWay) return 'unknown';
  if (next) return describe(next, incident, muting.length, live.length);
  // One that was made for this incident and is in force, but mutes none of its alerts any more, can still be ended here.
  const own = noted && silences.get(noted.id);
  return own?.state === 'active' && own.incident === incident ? describe(own, incident, 0, live.length) : null;
}

function describe(row: SilenceRow, incident: number, muted: number, of: number): IncidentSilence {
  return {
    id: row.id,
    until: row.endsAt,
    by: row.createdBy,
    ...(muted < of ? { muted, of } : {}),
    ...(row.incident === incident ? {} : { elsewhere: true }),
    ...(row.untilResolved ? { resolved: true } : {}),
  };
}
