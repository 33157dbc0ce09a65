import { VakhtaError } from '../../core/error.ts';
import type { Programs } from './programs.ts';

/** What a data folder says of itself, also when nothing runs there. */
export interface ControlData {
  /** 64 bits: a string. */
  readonly systemId: string;
  /** `in production`, `shut down`, `in archive recovery` */
  readonly state: string;
  readonly timeline: number;
  readonly walSegmentBytes: number;
  /** What the cluster that wrote the WAL was set to: a copy that replays it may not be set to less. */
  readonly limits: Readonly<Record<Limit, number>>;
}

const LIMITS = {
  max_connections: 'max_connections setting',
  max_worker_processes: 'max_worker_processes setting',
  max_wal_senders: 'max_wal_senders setting',
  max_prepared_transactions: 'max_prepared_xacts setting',
  max_locks_per_transaction: 'max_locks_per_xact setting',
} as const;
type Limit = keyof typeof LIMITS;

/** Source: postgresql.org/docs/15/app-pgcontroldata.html; the words are those of LANG=C. */
export function parseControlData(text: string, where = 'localhost'): ControlData {
  const fields = new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at === -1 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
    }),
  );
  const need = (name: string): string => {
    const value = fields.get(name);
    if (value !== undefined && value !== '') return value;
    throw new VakhtaError('permanent', 'pg-output', `pg_controldata: no ${name}`, {
      args: { program: 'pg_controldata', where, detail: `${name} ?` },
    });
  };
  const entries = Object.entries(LIMITS).map(([name, label]) => [name, Number(need(label))] as const);
  return {
    systemId: need('Database system identifier'),
    state: need('Database cluster state'),
    timeline: Number(need("Latest checkpoint's TimeLineID")),
    walSegmentBytes: Number(need('Bytes per WAL segment')),
    limits: Object.fromEntries(entries) as Record<Limit, number>,
  };
}

/** `pg_controldata` of a data folder. */
export async function controlDataOf(
  programs: Programs,
  binDir: string,
  dataDir: string,
  signal?: AbortSignal,
): Promise<ControlData> {
  const text = await programs.must([`${binDir}/pg_controldata`, '-D', dataDir], signal ? { signal } : {});
  return parseControlData(text, programs.where);
}
