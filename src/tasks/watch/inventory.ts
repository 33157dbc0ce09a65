import { z } from 'zod';
import { type Clock, minutes, seconds } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Inventory } from '../../core/topology.ts';
import type { Config } from '../../config/schema.ts';
import type { Guest, Proxmox } from '../../integrations/proxmox/port.ts';
import type { Database, Queryable } from '../../store/db.ts';
import { observation, observationsLike, observe } from '../../store/observations.ts';
import type { Several } from '../several.ts';

/** How long one installation may take to answer. */
const LIMIT_MS = seconds(15);
/** Addresses of guests change seldom, and each guest has to be asked by itself. */
const ADDRESSES_EVERY_MS = minutes(10);
const AT_ONCE = 4;

const inventory_ = z.object({
  nodes: z.array(z.object({ name: z.string(), status: z.string() })),
  guests: z.array(
    z.object({
      vmid: z.number(),
      name: z.string(),
      node: z.string(),
      type: z.enum(['lxc', 'qemu']),
      status: z.string(),
      addresses: z.array(z.string()).exactOptional(),
    }),
  ),
  /** The token sees a part only: the list is true, but nobody knows whether it is complete. */
  limited: z.boolean().default(false),
});

/** Where the last good inventory of an installation is kept. */
export const inventorySource = (id: string): string => `proxmox.${id}.inventory`;

export interface KnownInventories {
  /** By the id of the installation; one that was never seen is left out. */
  readonly all: ReadonlyMap<string, Inventory>;
  /** When the oldest of them was seen. */
  readonly seenAt?: Date;
}

/** What runs where, as last seen: on these installations, or on all that were ever seen. */
export async function knownInventories(q: Queryable, installations?: Config['proxmox']): Promise<KnownInventories> {
  if (installations?.length === 0) return { all: new Map() };
  const wanted = installations && new Set(installations.map(({ id }) => inventorySource(id)));
  const found = (await observationsLike(q, inventorySource('%'))).filter(({ source }) => wanted?.has(source) ?? true);
  const all = new Map<string, Inventory>();
  const times: number[] = [];
  for (const { source, at, data } of found) {
    const known = inventory_.safeParse(data);
    if (!known.success) continue;
    all.set(source, known.data);
    times.push(at.getTime());
  }
  return times.length === 0 ? { all } : { all, seenAt: new Date(Math.min(...times)) };
}

export interface InventoryWatch {
  /** Asks every installation; one that does not answer keeps what was last seen of it, with its time. */
  readonly round: (signal: AbortSignal) => Promise<void>;
}

type Host = Pick<Proxmox, 'id' | 'resources' | 'addresses'>;

/** Keeps what runs where, for folding and for whoever wonders. */
export function createInventoryWatch(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly proxmox: Several<Host>;
}): InventoryWatch {
  const { db, clock, log } = options;

  /** When each guest was last asked for its addresses. */
  const asked = new Map<string, number>();

  /** What the guests that are due say; one that does not tell, or does not run, keeps what it had. */
  const tell = async (host: Host, guests: readonly Guest[], signal: AbortSignal): Promise<Map<number, string[]>> => {
    const now = clock.now().getTime();
    const found = new Map<number, string[]>();
    const due = guests.filter(({ vmid, status }) => {
      return status === 'running' && now - (asked.get(`${host.id} ${vmid}`) ?? -Infinity) >= ADDRESSES_EVERY_MS;
    });
    const lane = async (): Promise<void> => {
      for (let guest = due.shift(); guest && !signal.aborted; guest = due.shift()) {
        const { vmid } = guest;
        try {
          found.set(vmid, [...(await host.addresses(guest, signal))]);
        } catch (error) {
          // Without an agent, or the right to ask it, a machine is known by its name alone.
          log.debug({ err: error, installation: host.id, guest: vmid }, 'a guest does not tell its addresses');
        }
        asked.set(`${host.id} ${vmid}`, now);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return found;
  };

  const look = async (host: Host, signal: AbortSignal): Promise<void> => {
    const { id } = host;
    const limit = new AbortController();
    const stop = clock.after(LIMIT_MS, () => limit.abort(new DOMException(`${id} did not answer`, 'TimeoutError')));
    try {
      const { nodes, guests, limited } = await host.resources(undefined, AbortSignal.any([signal, limit.signal]));
      const isPart = limited.some((kind) => kind !== 'storage');
      const before = inventory_.safeParse((await observation(db, inventorySource(id)))?.data).data;
      // A token that lost rights sees less: that is no news of what runs where.
      if (isPart && before && !before.limited) {
        log.warn({ installation: id, limited }, 'the token sees a part only, the inventory of before is kept');
        return;
      }
      const real = guests.filter(({ template }) => !template);
      const known = new Map((before?.guests ?? []).map(({ vmid, addresses }) => [vmid, addresses]));
      const note = (told: ReadonlyMap<number, readonly string[]>): Promise<void> => {
        const seen = {
          nodes: nodes.map(({ node, status }) => ({ name: node, status })),
          guests: real.map(({ vmid, name, node, type, status }) => {
            const addresses = told.get(vmid) ?? known.get(vmid);
            return { vmid, name, node, type, status, ...(addresses ? { addresses } : {}) };
          }),
          limited: isPart,
        };
        return observe(db, inventorySource(id), true, seen, clock.now());
      };
      // What runs where does not wait for guests that are slow to answer.
      await note(new Map());
      const told = await tell(host, real, AbortSignal.any([signal, limit.signal]));
      if (told.size > 0) await note(told);
    } finally {
      stop();
    }
  };

  return {
    round: async (signal) => {
      await Promise.all(
        options.proxmox.all.map((one) =>
          look(one, signal).catch((error: unknown) =>
            log.warn(
              { err: error, installation: one.id },
              'what runs there could not be read; the last answer is kept',
            ),
          ),
        ),
      );
    },
  };
}
