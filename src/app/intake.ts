import { type Clock, minutes } from '../core/clock.ts';
import type { Catalogue } from '../core/i18n.ts';
import type { Log } from '../core/log.ts';
import type { Config } from '../config/schema.ts';
import { type AlertIntake, createAlertIntake } from '../handlers/webhooks/alertmanager.ts';
import type { Database } from '../store/db.ts';
import type { Backlog } from '../store/webhook-log.ts';
import { createReducer, type Reducer } from '../tasks/watch/reducer.ts';
import { createSetAside } from '../tasks/watch/set-aside.ts';
import type { IncidentWriter } from '../tasks/watch/writer.ts';

export interface IntakeEdges {
  readonly db: Database;
  readonly writer: IncidentWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly catalogue: Catalogue;
}

/** The way in for alerts: what answers the webhook, and what applies it afterwards. */
export function createWayIn(
  config: Pick<Config, 'site'>,
  { catalogue, ...edges }: IntakeEdges,
): { readonly intake: AlertIntake; readonly reducer: Reducer } {
  const setAside = createSetAside({ ...edges, t: catalogue.for(config.site.language) });
  const reducer = createReducer({ ...edges, setAside, busy: () => intake.busy() });
  const intake = createAlertIntake({ ...edges, wake: reducer.wake });
  return { reducer, intake };
}

/** Webhooks that wait longer than this are not applied any more by themselves. */
const STUCK_MS = minutes(2);

/** For `/readyz`: what is wrong with the backlog, if anything. */
export const isStuck = ({ oldestMs }: Backlog): boolean => oldestMs > STUCK_MS;
export const backlogLine = ({ waiting, oldestMs, setAside }: Backlog): string =>
  `webhooks: ${waiting} to apply, the oldest for ${Math.round(oldestMs / 1000)} s, ${setAside} set aside`;
