import { type Clock, minutes, seconds } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../store/db.ts';
import type { AlertWatch } from '../tasks/alert-watch.ts';
import type { Operation } from '../tasks/define.ts';
import { createDockerLook } from '../tasks/docker-look.ts';
import { createTraitsIndex } from '../tasks/evidence/traits.ts';
import { createFixLoop } from '../tasks/fixes/loop.ts';
import { createEscalation } from '../tasks/watch/escalate.ts';
import { createInventoryWatch } from '../tasks/watch/inventory.ts';
import { pageAgain } from '../tasks/watch/paging.ts';
import { createStormWatch } from '../tasks/watch/storm-watch.ts';
import { createHousekeeping } from './housekeeping.ts';
import type { Systems } from './systems.ts';

type Work = (signal: AbortSignal) => Promise<void>;

/** Work that goes on in the background until its signal aborts. */
export interface Standing {
  /** Each process does it; otherwise one of all, which leads. */
  readonly everywhere?: boolean;
  readonly run: Work;
}

/** Repeats until the program stops; a round that fails is logged and the next one comes. */
export type Every = (ms: number, what: string, round: Work) => Work;

export const createEvery =
  ({ clock, log }: { readonly clock: Clock; readonly log: Log }): Every =>
  (ms, what, round) =>
  async (signal) => {
    while (!signal.aborted) {
      await round(signal).catch((error: unknown) => log.warn({ err: error }, `${what} failed, it is tried again`));
      await clock.sleep(ms, signal).catch(() => {});
    }
  };

/** All that only one process does, under one leadership: each would take a connection of its own otherwise. */
export const ledTogether =
  (standing: readonly Standing[], log: Log): Work =>
  async (signal) => {
    const led = standing.filter(({ everywhere }) => everywhere !== true);
    const ended = (error: unknown): void => log.error({ err: error }, 'a background task ended');
    await Promise.all(led.map(({ run }) => run(signal).catch(ended)));
  };

export interface RoundsEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly every: Every;
}

/** What needs credentials. */
export function roundsOfWorker(
  {
    systems,
    alertWatch,
    reconcile,
    sweep,
  }: { systems: Systems | undefined; alertWatch: AlertWatch | undefined; reconcile: Work; sweep?: Work | undefined },
  { db, clock, log, every }: RoundsEdges,
): readonly Standing[] {
  const standing: Standing[] = [{ run: every(seconds(5), 'reconciling', reconcile) }];
  if (sweep) standing.push({ run: every(seconds(15), 'removing what is left over', sweep) });
  if (alertWatch) standing.push({ run: every(seconds(15), 'asking Alertmanager', alertWatch.round) });
  if (systems && systems.proxmox.ids.length > 0) {
    const inventory = createInventoryWatch({ db, clock, log, proxmox: systems.proxmox });
    standing.push({ run: every(minutes(1), 'reading what runs where', inventory.round) });
  }
  if (systems && systems.docker.ids.length > 0) {
    const look = createDockerLook({ db, clock, log, engines: systems.docker });
    standing.push({ run: every(minutes(5), 'looking at Docker', look.round) });
  }
  return standing;
}

/** What speaks with people. */
export function roundsOfBot(
  config: Config,
  operations: ReadonlyMap<string, Operation>,
  { db, clock, log, every }: RoundsEdges,
): readonly Standing[] {
  const edges = { db, clock, log };
  const escalation = createEscalation({ ...edges, config });
  const storms = createStormWatch({ ...edges, config });
  const fixes = createFixLoop({ ...edges, rules: config.fixes, operations, pageAgain });
  return [
    { run: every(seconds(3), 'calling people', escalation.round) },
    { run: every(seconds(5), 'looking after storms', storms.round) },
    { run: every(seconds(3), 'looking after fixes', fixes.round) },
  ];
}

/** What the database alone needs. */
export function roundsOfAll(retentionMs: number, { db, clock, log, every }: RoundsEdges): readonly Standing[] {
  const housekeeping = createHousekeeping({ db, clock, log, retentionMs });
  const traits = createTraitsIndex({ db });
  return [
    { run: every(minutes(10), 'housekeeping', housekeeping.round) },
    { run: every(seconds(20), 'noting traits', traits.round) },
  ];
}
