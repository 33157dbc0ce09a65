import type { ScratchDesk, ScratchThing } from '../../src/tasks/scratch/desk.ts';

/** What is temporary, in memory; `log` tells in which order things were claimed and released. */
export function createMemoryScratch(now: () => Date): ScratchDesk & { readonly log: readonly string[] } {
  const things = new Map<string, ScratchThing>();
  const log: string[] = [];
  let next = 1;
  return {
    log,
    claim: (thing) => {
      const id = String(next++);
      things.set(id, { ...thing, id, claimedAt: now() });
      log.push(`claim ${thing.kind} ${thing.place}`);
      return Promise.resolve(id);
    },
    released: (id) => {
      const thing = things.get(id);
      if (things.delete(id)) log.push(`released ${thing?.kind} ${thing?.place}`);
      return Promise.resolve();
    },
    open: () => Promise.resolve([...things.values()]),
  };
}
