import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Database } from '../../store/db.ts';
import { claimScratch, openScratch, releaseScratch, type ScratchRow } from '../../store/scratch.ts';

/** Something temporary outside that a run has made, or is about to make. */
export interface ScratchThing {
  readonly id: string;
  readonly runId: string;
  /** Which remover knows it: `pg-cluster`, `guest`, `folder`, `repository`, `paused-container`. */
  readonly kind: string;
  /** Where: id of a host, an engine, a Proxmox. */
  readonly place: string;
  /** What the remover needs to find it: paths, ports, numbers. Never a secret. */
  readonly what: Readonly<Record<string, string | number | boolean>>;
  readonly claimedAt: Date;
}

/** Knows what is temporary, so that nothing of it outlives its run, whatever dies in between. */
export interface ScratchDesk {
  /**
   * Notes a thing before it is made; its id. Throws `scratch-run-over` when the run has ended: a worker that was given up for dead
   * must not make what nobody would look for. `what.until` (an ISO time) lets it outlive its run until then.
   */
  claim(thing: Pick<ScratchThing, 'runId' | 'kind' | 'place' | 'what'>): Promise<string>;
  /** It is gone, seen by the one who removed it. */
  released(id: string): Promise<void>;
  /** What is there still, oldest first. */
  open(): Promise<readonly ScratchThing[]>;
}

/** Removes things of one kind; succeeds when nothing is there. Never touches what it cannot tell to be the thing. */
export interface ScratchRemover {
  readonly kind: string;
  remove(thing: ScratchThing, signal: AbortSignal): Promise<void>;
}

export interface ScratchEdges {
  readonly db: Database;
  readonly clock: Clock;
}

const value = z.union([z.string(), z.number(), z.boolean()]);

/** What is no plain value in an old row is left out. */
export const plainOf = (what: ScratchRow['what']): ScratchThing['what'] =>
  Object.fromEntries(
    Object.entries(what).flatMap(([name, raw]) => {
      const { data } = value.safeParse(raw);
      return data === undefined ? [] : [[name, data]];
    }),
  );

/** A row as the parts know it. */
export const thingOf = ({ id, runId, kind, place, what, claimedAt }: ScratchRow): ScratchThing => ({
  id,
  runId,
  kind,
  place,
  claimedAt,
  what: plainOf(what),
});

export function createScratchDesk({ db, clock }: ScratchEdges): ScratchDesk {
  return {
    claim: async (thing) => {
      const { until } = thing.what;
      // The sweeper's question to the database would fail for all things because of this one.
      if (until !== undefined && !z.iso.datetime({ offset: true }).safeParse(until).success) {
        throw new VakhtaError('bug', 'internal', `until of a scratch thing is no time: ${String(until)}`);
      }
      const id = await claimScratch(db, thing, clock.now());
      if (id !== undefined) return id;
      throw new VakhtaError('permanent', 'scratch-run-over', `run ${thing.runId} has ended: nothing is made for it`);
    },
    released: async (id) => {
      await releaseScratch(db, id, clock.now());
    },
    open: async () => (await openScratch(db)).map(thingOf),
  };
}
