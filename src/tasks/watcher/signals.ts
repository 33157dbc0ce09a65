import type { AlertGroup } from '../../core/alertmanager.ts';
import { PRIORITY } from '../../core/budget.ts';
import { splitWatchdog } from '../../core/watchdog.ts';
import type { Config } from '../../config/schema.ts';
import { wantCards } from '../../store/cards.ts';
import type { Tx } from '../../store/db.ts';
import { drill as findDrill, drillReceived } from '../../store/drills.ts';
import { observe } from '../../store/observations.ts';

export type SignalsConfig = Pick<Config, 'watchdog' | 'drill' | 'chats'>;

/** Where it is noted when the alert that always fires last arrived. */
export const WATCHDOG = 'watchdog';
/** The name of the synthetic alert, and the label that says which drill it belongs to. */
export const DRILL_ALERT = 'VakhtaDrill';
export const DRILL_LABEL = 'drill';

/**
 * Takes out of what arrived what is there for the watch over the watch itself: the alert that always fires, and alerts of known
 * drills. They are noted where they belong; the rest is for incidents.
 */
export async function takeSignals(
  tx: Tx,
  groups: readonly AlertGroup[],
  now: Date,
  config: SignalsConfig,
): Promise<readonly AlertGroup[]> {
  let rest = groups;
  if (config.watchdog) {
    const split = splitWatchdog(groups, config.watchdog.match);
    if (split.seen) await observe(tx.late, WATCHDOG, true, {}, now);
    rest = split.rest;
  }
  const given = new Set(
    rest.flatMap(({ alerts }) =>
      alerts.flatMap(({ labels }) => (labels['alertname'] === DRILL_ALERT ? (labels[DRILL_LABEL] ?? []) : [])),
    ),
  );
  for (const id of given) {
    // An alert of that name which nobody here has asked for is shown as any other.
    const drill = await findDrill(tx, id);
    if (!drill) continue;
    rest = splitWatchdog(rest, { alertname: { equals: DRILL_ALERT }, [DRILL_LABEL]: { equals: id } }).rest;
    if (!(await drillReceived(tx, id, now))) continue;
    await wantCards(tx.late, [{ kind: 'drill', ref: id, priority: PRIORITY.warning, ...drillPlace(config) }], now);
  }
  return rest;
}

/** The chat and topic of drills. */
export function drillPlace({ drill, chats }: SignalsConfig): { readonly chat: number; readonly thread?: number } {
  const chat = chats.find(({ id }) => id === drill?.chat) ?? chats[0];
  const thread = drill?.topic === undefined ? undefined : chat?.topics[drill.topic];
  return { chat: chat?.chatId ?? 0, ...(thread === undefined ? {} : { thread }) };
}
