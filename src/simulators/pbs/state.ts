import { upidOf } from './tasks.ts';

/** What a simulated server consists of. Sizes in bytes, times in seconds. */
export interface SimSnapshot {
  readonly ns: string;
  readonly type: 'vm' | 'ct' | 'host';
  readonly id: string;
  readonly time: number;
  /** Absent while the backup is being written. */
  size?: number;
  readonly owner: string;
  protected?: boolean;
  verification?: { state: 'ok' | 'failed'; upid: string } | undefined;
  /** A chunk of it is rotten; nobody knows before it is read. */
  damaged?: boolean;
  /** Somebody reads or removes it: a verification leaves it out. */
  inUse?: boolean;
}

export interface SimGc {
  schedule?: string | undefined;
  lastEnd?: number | undefined;
  lastState?: string | undefined;
  upid?: string | undefined;
  removedBytes: number;
  pendingBytes: number;
  stillBad: number;
}

export interface SimDatastore {
  readonly name: string;
  total: number;
  used: number;
  /** Parts of the whole at each step of the last month, the newest last; null where nothing was measured. */
  history: (number | null)[];
  /** The server cannot open it. */
  error?: string | undefined;
  readonly namespaces: string[];
  readonly snapshots: SimSnapshot[];
  readonly gc: SimGc;
}

export interface SimJob {
  readonly id: string;
  readonly kind: 'verify' | 'prune' | 'sync';
  readonly store: string;
  ns?: string;
  schedule?: string;
  disable?: boolean;
  direction?: 'pull' | 'push';
  remote?: string;
  remoteStore?: string;
  outdatedAfter?: number;
  lastState?: string | undefined;
  lastEnd?: number | undefined;
  lastUpid?: string | undefined;
}

export interface SimServer {
  readonly node: string;
  readonly datastores: SimDatastore[];
  readonly jobs: SimJob[];
}

const GB = 1024 ** 3;
const HOUR = 3600;
const DAY = 86_400;
export const HISTORY_STEP = DAY / 2;

/** Guests that the small company of the simulated Proxmox VE backs up, with the size of a backup in gigabytes. */
const GUESTS: readonly (readonly [type: 'ct' | 'vm', id: string, gigabytes: number])[] = [
  ['ct', '101', 68],
  ['ct', '102', 39],
  ['ct', '103', 94],
  ['ct', '104', 2],
  ['ct', '105', 1],
  ['ct', '106', 2],
  ['ct', '107', 43],
  ['ct', '108', 26],
  ['vm', '201', 41],
];

/** A task of the server's own that ended well, `ago` seconds before. */
const ranAt = (node: string, type: string, id: string, at: number): string =>
  upidOf({ node, pid: 1234, pstart: 0x1f00, starttime: at, type, id, user: 'root@pam' }, 1);

/** One server: a datastore filled every night, and the copy of another one elsewhere. */
export function smallServer(now: Date): SimServer {
  const at = Math.floor(now.getTime() / 1000);
  const node = 'pbs1';
  // The last backups ended five hours ago, and the nights before at the same hour.
  const night = (n: number) => at - 5 * HOUR - n * DAY;
  const verified = (time: number) => ({
    state: 'ok' as const,
    upid: ranAt(node, 'verificationjob', 'main', time + HOUR),
  });
  const nights = (owner: string, count: number, late = 0): SimSnapshot[] =>
    GUESTS.flatMap(([type, id, gigabytes], i) =>
      Array.from({ length: count }, (_, n): SimSnapshot => {
        const time = night(count - 1 - n) + i * 300 - late;
        return { ns: '', type, id, time, size: gigabytes * GB, owner, verification: verified(time) };
      }),
    );
  const growing = (from: number, to: number) =>
    Array.from({ length: 60 }, (_, i) => (i < 2 ? null : from + ((to - from) * i) / 59));
  return {
    node,
    datastores: [
      {
        name: 'main',
        total: 4000 * GB,
        used: 2440 * GB,
        history: growing(0.52, 0.61),
        namespaces: [],
        snapshots: nights('backup@pbs!pve1', 7),
        gc: {
          schedule: 'daily',
          lastEnd: at - 3 * HOUR,
          lastState: 'OK',
          upid: ranAt(node, 'garbage_collection', 'main', at - 4 * HOUR),
          removedBytes: 18 * GB,
          pendingBytes: 2 * GB,
          stillBad: 0,
        },
      },
      {
        name: 'offsite',
        total: 4000 * GB,
        used: 1720 * GB,
        history: growing(0.41, 0.43),
        namespaces: [],
        snapshots: nights('sync@pbs!far', 3),
        gc: {
          schedule: 'sat 18:15',
          lastEnd: at - 2 * DAY,
          lastState: 'OK',
          upid: ranAt(node, 'garbage_collection', 'offsite', at - 2 * DAY),
          removedBytes: 0,
          pendingBytes: 0,
          stillBad: 0,
        },
      },
    ],
    jobs: [
      job('verify', 'v-main', 'main', { schedule: '05:00', outdatedAfter: 30, type: 'verificationjob', ago: 2 * HOUR }),
      job('verify', 'v-offsite', 'offsite', {
        schedule: 'sun 05:00',
        outdatedAfter: 30,
        type: 'verificationjob',
        ago: DAY,
      }),
      job('prune', 'p-main', 'main', { schedule: 'daily', type: 'prunejob', ago: 4 * HOUR }),
      job('prune', 'p-offsite', 'offsite', { schedule: 'daily', type: 'prunejob', ago: 4 * HOUR }),
      job('sync', 's-offsite', 'offsite', {
        schedule: 'hourly',
        type: 'syncjob',
        ago: HOUR / 2,
        remote: 'far',
        remoteStore: 'main',
        direction: 'pull',
      }),
    ],
  };

  function job(
    kind: SimJob['kind'],
    id: string,
    store: string,
    { type, ago, ...rest }: Partial<SimJob> & { readonly type: string; readonly ago: number },
  ): SimJob {
    const lastUpid = ranAt(node, type, `${store}\\x3a${id}`, at - ago - 60);
    return { kind, id, store, lastState: 'OK', lastEnd: at - ago, lastUpid, ...rest };
  }
}
