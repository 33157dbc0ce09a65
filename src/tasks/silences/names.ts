import { LOCAL_HOST, type Config } from '../../config/schema.ts';
import type { Queryable } from '../../store/db.ts';
import { knownInventories } from '../watch/inventory.ts';

/** By which names and addresses the alerts of something may know it. */
export interface TargetNames {
  /** A guest, host or node of this name: itself, its address, what the inventory knows. */
  place(name: string): Promise<readonly string[]>;
  /** The stanza's own names, and those of the host that it lies on; none for the program's own host. */
  stanza(id: string): Promise<{ readonly stanza: readonly string[]; readonly host: readonly string[] }>;
}

export function createTargetNames(q: Queryable, config: Pick<Config, 'hosts' | 'postgres' | 'proxmox'>): TargetNames {
  const place = async (name: string): Promise<readonly string[]> => {
    const hosts = config.hosts.filter(({ id, address }) => id === name || address === name);
    const { all } = await knownInventories(q, config.proxmox);
    const guests = [...all.values()]
      .flatMap((inventory) => inventory.guests)
      .filter((guest) => guest.name === name || String(guest.vmid) === name);
    const names = [
      name,
      ...hosts.flatMap(({ id, address }) => [id, address]),
      ...guests.flatMap((guest) => [guest.name, ...(guest.addresses ?? [])]),
    ];
    // A number alone is no name that an alert would have.
    return [...new Set(names)].filter((one) => !/^\d+$/u.test(one));
  };
  return {
    place,
    stanza: async (id) => {
      const found = config.postgres.find((one) => one.id === id);
      if (!found) return { stanza: [id], host: [] };
      const host = found.host === LOCAL_HOST ? [] : await place(found.host);
      return { stanza: [...new Set([id, found.stanza])], host };
    },
  };
}
