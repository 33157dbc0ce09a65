import type { Database } from '../../store/db.ts';
import type { Clock } from '../../core/clock.ts';

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
  /** Notes a thing before it is made; its id. */
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
