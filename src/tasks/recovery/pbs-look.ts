import { type Clock, seconds } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Text } from '../../core/i18n.ts';
import type { Config } from '../../config/schema.ts';
import type { Collection, DatastoreUsage, Jobs, Pbs, Snapshot } from '../../integrations/pbs/port.ts';
import type { Several } from '../several.ts';

type PbsConfig = Config['pbs'][number];
export type Datastore = PbsConfig['datastores'][number];

/** All that a server says of one datastore, or why it says nothing. */
export interface DatastoreLook {
  readonly datastore: Datastore;
  /** `pbs:pbs1/main`. */
  readonly target: string;
  readonly usage?: DatastoreUsage | undefined;
  readonly seen?: { readonly snapshots: readonly Snapshot[]; readonly collection: Collection; readonly jobs: Jobs };
  /** Why there is no `seen`. */
  readonly why?: Text;
}

/** Looks at the servers of the configuration; whoever asks at about the same time gets the same answer. */
export interface PbsLook {
  readonly ids: readonly string[];
  /** Rejects when the server does not answer at all; what is wrong with one datastore stands there. */
  at(id: string, signal: AbortSignal): Promise<readonly DatastoreLook[]>;
}

/** A list of snapshots is dear: the server reads a manifest for each. */
const KEPT_MS = seconds(60);
/** What took long is kept for so many times as long. */
const KEPT_TIMES = 30;

export function createPbsLook(
  servers: Config['pbs'],
  pbs: Several<Pbs>,
  { clock }: { readonly clock: Clock },
): PbsLook {
  const known = new Map<string, { readonly until: number; readonly answer: readonly DatastoreLook[] }>();
  const running = new Map<string, Promise<readonly DatastoreLook[]>>();

  const look = async (server: PbsConfig): Promise<readonly DatastoreLook[]> => {
    const began = clock.now().getTime();
    const port = pbs.get(server.id);
    const usages = await port.usage();
    const answer = await Promise.all(
      server.datastores.map((datastore) =>
        lookAt(
          port,
          datastore,
          usages.find(({ store }) => store === datastore.name),
        ),
      ),
    );
    const ended = clock.now().getTime();
    known.set(server.id, { until: ended + Math.max(KEPT_MS, (ended - began) * KEPT_TIMES), answer });
    return answer;
  };

  return {
    ids: servers.map(({ id }) => id),
    at: async (id, signal) => {
      const before = known.get(id);
      if (before !== undefined && clock.now().getTime() < before.until) return before.answer;
      const server = servers.find((one) => one.id === id);
      if (server === undefined) throw new Error(`no backup server ${id}`);
      // Not ended by the one who asked first: others wait for it too, and the client has limits of its own.
      const work = running.get(id) ?? look(server).finally(() => running.delete(id));
      running.set(id, work);
      return untilAborted(work, signal);
    },
  };
}

async function lookAt(port: Pbs, datastore: Datastore, usage: DatastoreUsage | undefined): Promise<DatastoreLook> {
  const base = { datastore, target: `pbs:${port.id}/${datastore.name}`, usage };
  try {
    const [snapshots, collection, jobs] = await Promise.all([
      port.snapshots(datastore.name),
      port.collection(datastore.name),
      port.jobs(datastore.name),
    ]);
    return { ...base, seen: { snapshots, collection, jobs } };
  } catch (thrown) {
    const { text, args } = toVakhtaError(thrown);
    return { ...base, why: { key: text, args } };
  }
}

/** Another one's work, as long as this one waits for it. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    leave = () => signal.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    leave();
  }
}

/** What a datastore holds of one guest. */
export interface GuestSnapshots {
  /** `pbs:pbs1/main`. */
  readonly target: string;
  /** The storage of Proxmox VE that the datastore is, when the configuration says so. */
  readonly storage?: string | undefined;
  readonly offsite: boolean;
  readonly ns: string;
  readonly type: 'vm' | 'ct';
  readonly vmid: number;
  /** Complete ones. */
  readonly count: number;
  /** The newest complete one that is not known to be damaged. */
  readonly newestAt?: Date | undefined;
  readonly sizeBytes?: number | undefined;
  /** Of the newest complete one. */
  readonly verified: Verification;
}

export interface Verification {
  readonly state: 'ok' | 'failed' | 'never' | 'old';
  /** When; absent when never. */
  readonly at?: Date;
}

export interface AllGuestSnapshots {
  readonly byGuest: ReadonlyMap<number, readonly GuestSnapshots[]>;
  /** Datastores that could not be looked at: of what is there nothing may be concluded. */
  readonly unseen: readonly { readonly target: string; readonly storage?: string | undefined; readonly why: Text }[];
}

/** What all backup servers hold, by number of guest. Never rejects but when the signal aborts: who is silent is `unseen`. */
export const snapshotsOf =
  (look: PbsLook, servers: Config['pbs'], { clock }: { readonly clock: Clock }) =>
  async (signal: AbortSignal): Promise<AllGuestSnapshots> => {
    const answers = await Promise.all(
      servers.map(({ id, datastores }) =>
        look.at(id, signal).catch((thrown: unknown) => {
          signal.throwIfAborted();
          const { text, args } = toVakhtaError(thrown);
          return datastores.map(
            (datastore): DatastoreLook => ({
              datastore,
              target: `pbs:${id}/${datastore.name}`,
              why: { key: text, args },
            }),
          );
        }),
      ),
    );
    const byGuest = new Map<number, GuestSnapshots[]>();
    const unseen: { target: string; storage?: string | undefined; why: Text }[] = [];
    for (const { target, datastore, seen, why } of answers.flat()) {
      const { storage, offsite } = datastore;
      if (why !== undefined) unseen.push({ target, storage, why });
      for (const group of groupsOf(seen?.snapshots ?? [])) {
        const vmid = Number(group.id);
        const newest = group.complete.at(-1);
        if (group.type === 'host' || !Number.isInteger(vmid) || newest === undefined) continue;
        const good = group.complete.findLast(({ verification }) => verification?.state !== 'failed');
        const one = {
          target,
          storage,
          offsite,
          ns: group.ns,
          type: group.type,
          vmid,
          count: group.complete.length,
          newestAt: good?.at,
          sizeBytes: good?.size,
          verified: verificationOf(newest, datastore.verifyDays, clock.now()),
        };
        byGuest.set(vmid, [...(byGuest.get(vmid) ?? []), one]);
      }
    }
    return { byGuest, unseen };
  };

export interface SnapshotGroup {
  readonly ns: string;
  readonly type: Snapshot['type'];
  readonly id: string;
  /** Oldest first. */
  readonly complete: readonly Snapshot[];
  /** Being written, or without a readable manifest: no backups. */
  readonly incomplete: readonly Snapshot[];
}

/** Snapshots by what they are of. */
export function groupsOf(snapshots: readonly Snapshot[]): SnapshotGroup[] {
  const groups = new Map<string, Snapshot[]>();
  for (const one of snapshots) {
    const key = `${one.ns}\n${one.type}\n${one.id}`;
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [one]);
    else members.push(one);
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { ns, type, id } = first;
    const sorted = members.toSorted((a, b) => a.at.getTime() - b.at.getTime());
    return [
      {
        ns,
        type,
        id,
        complete: sorted.filter(({ size }) => size !== undefined),
        incomplete: sorted.filter(({ size }) => size === undefined),
      },
    ];
  });
}

/** Absent means never; what was verified longer ago than `days` does not count any more, and neither does what has no date. */
export function verificationOf(
  { verification }: Pick<Snapshot, 'verification'>,
  days: number,
  now: Date,
): Verification {
  if (verification === undefined) return { state: 'never' };
  const { state, at } = verification;
  const when = at === undefined ? {} : { at };
  if (state === 'failed') return { state, ...when };
  const isOld = at === undefined || now.getTime() - at.getTime() > days * 86_400_000;
  return { state: isOld ? 'old' : 'ok', ...when };
}

/** As the server writes it: `ct/101/2026-11-23T01:00:00Z`, with the namespace before. */
export const snapshotName = ({ ns, type, id, at }: Pick<Snapshot, 'ns' | 'type' | 'id' | 'at'>): string =>
  `${ns === '' ? '' : `${ns}/`}${type}/${id}/${at.toISOString().replace(/\.\d+Z$/, 'Z')}`;
