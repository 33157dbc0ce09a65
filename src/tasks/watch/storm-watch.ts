import type { Clock } from '../../core/clock.ts';
import { byWeight, isCalm, releasable } from '../../core/storm.ts';
import type { Log } from '../../core/log.ts';
import type { Config } from '../../config/schema.ts';
import { liveCards, wantCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import { appendEvents, incidents } from '../../store/incidents.ts';
import {
  calmDown,
  changedCards,
  endStorm,
  openStorms,
  release,
  type Storm,
  storm as findStorm,
  stormMembers,
  waitingCards,
} from '../../store/storms.ts';
import { incidentOf } from '../incidents.ts';
import { PRIORITY } from '../lifecycle/shared.ts';
import { counted } from '../storms.ts';
import { knownInventories } from './inventory.ts';
import {
  incidentWish,
  placeAgain,
  type PlacementConfig,
  placeOf,
  priorityOf,
  stormPolicy,
  stormWish,
} from './placement.ts';

export interface StormWatch {
  /** One round: ends what has calmed down, and folds anew when what runs where has changed. */
  readonly round: (signal: AbortSignal) => Promise<void>;
}

export type StormWatchConfig = PlacementConfig & Pick<Config, 'storm'>;

/**
 * What only time brings: a storm calms down, then what it collected and still fires gets cards of its own, a few at a time
 * as the chat takes them, then it is over. All of it is in the database: whoever leads goes on where another has stopped.
 */
export function createStormWatch(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: StormWatchConfig;
}): StormWatch {
  const { db, clock, log, config } = options;
  const policy = stormPolicy(config.storm);
  /** What was folded by; the first round looks in any case. */
  let inventory = '';

  /** While it stormed, cards were not drawn at each change: now they are. One that looks the same costs no call. */
  const redraw = async (tx: Tx, { chat, startedAt }: Storm, now: Date): Promise<void> => {
    const cards = await changedCards(tx, chat, startedAt);
    await wantCards(
      tx,
      cards.map(({ ref, priority }) => ({ kind: 'incident', ref, chat, priority })),
      now,
    );
  };

  /** The next few that still fire get their cards, the heaviest first. True when nothing is left. */
  const releaseSome = async (tx: Tx, { id, chat }: Storm, now: Date): Promise<boolean> => {
    const left = (await stormMembers(tx, id)).filter(
      ({ ownCard, state, folded }) => !ownCard && !folded && state === 'firing',
    );
    if (left.length === 0) return true;
    const n = releasable(await waitingCards(tx, chat), policy);
    const next = left.map(counted).toSorted(byWeight).slice(0, n);
    if (next.length === 0) return false;
    const ids = next.map((one) => one.id);
    await release(tx, id, ids, now);
    const shown = new Set(
      (await liveCards(tx, 'incident', ids.map(String))).map(({ ref, chat: in_ }) => `${ref} ${in_}`),
    );
    const rows = new Map((await incidents(tx, ids)).map((row) => [row.id, incidentOf(row)]));
    const wishes = ids.flatMap((one) => {
      const incident = rows.get(one);
      const place = incident && placeOf(incident, config);
      return place && !shown.has(`${one} ${place.chat}`) ? [incidentWish(one, priorityOf(incident), place)] : [];
    });
    await wantCards(tx, wishes, now);
    await appendEvents(
      tx,
      ids.map((incidentId) => ({
        incidentId,
        at: now,
        kind: 'carded',
        data: { chat: String(chat), storm: String(id) },
      })),
    );
    return next.length === left.length;
  };

  const tend = (id: number): Promise<void> =>
    db.tx(async (tx) => {
      const now = clock.now();
      const storm = await findStorm(tx, id, { forUpdate: true });
      if (!storm || storm.endedAt) return;
      if (!storm.calmAt) {
        if (!isCalm(storm.lastAt, now, policy) || !(await calmDown(tx, id, storm.lastAt, now))) return;
        log.info({ storm: id, chat: storm.chat }, 'a storm calms down');
        await redraw(tx, storm, now);
      }
      if (await releaseSome(tx, storm, now)) {
        await endStorm(tx, id, now);
        log.info({ storm: id, chat: storm.chat }, 'a storm is over');
      }
      await wantCards(tx, [stormWish(storm, PRIORITY.warning)], now);
    });

  const refold = async (): Promise<void> => {
    const { all } = await knownInventories(db, config.proxmox ?? []);
    const seen = JSON.stringify([...all]);
    if (seen === inventory) return;
    await db.tx((tx) => placeAgain(tx, clock.now(), config));
    inventory = seen;
  };

  return {
    round: async (signal) => {
      if ((config.proxmox ?? []).length > 0) await refold();
      for (const { id } of await openStorms(db)) {
        if (signal.aborted) return;
        await tend(id);
      }
    },
  };
}
