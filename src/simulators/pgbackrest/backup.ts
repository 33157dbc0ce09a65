import { createHash } from 'node:crypto';
import { type ListedBackup, type SimulatorSettings, type StanzaState, walName, walNumber } from './repository.ts';

export type BackupType = ListedBackup['type'];

/** The share of the database that each type copies, and of the time that it takes. */
export const SHARE: Readonly<Record<BackupType, number>> = { full: 1, diff: 0.3, incr: 0.15 };

/** The same name always gives the same cluster, so that a demo can be repeated. Nineteen digits, as real ones have. */
export const newStanza = (name: string): StanzaState => ({
  systemId: `7${(createHash('sha256').update(name).digest().readBigUInt64BE() % 10n ** 18n).toString().padStart(18, '0')}`,
  wal: 1,
  backups: [],
  errorLists: {},
});

const two = (n: number): string => String(n).padStart(2, '0');

/** `20261123-172404F`, in local time as pgBackRest does; dependent ones hang on their full backup's label. */
export function label(type: BackupType, start: Date, full: string | undefined): string {
  const day = `${start.getFullYear()}${two(start.getMonth() + 1)}${two(start.getDate())}`;
  const time = `${two(start.getHours())}${two(start.getMinutes())}${two(start.getSeconds())}`;
  const own = `${day}-${time}${type === 'full' ? 'F' : type === 'diff' ? 'D' : 'I'}`;
  return type === 'full' || full === undefined ? own : `${full}_${own}`;
}

/** The backup that this type builds on, in the same repository: the last full for a diff, the last of any type for an incr. */
export function priorOf(state: StanzaState, type: BackupType, repo = 1): ListedBackup | undefined {
  if (type === 'full') return undefined;
  return inRepo(state, repo).findLast((each) => type === 'incr' || each.type === 'full');
}

export const inRepo = ({ backups }: StanzaState, repo: number): readonly ListedBackup[] =>
  backups.filter(({ database }) => database['repo-key'] === repo);

export interface NewBackup {
  readonly type: BackupType;
  readonly repo?: number;
  /** Bytes of the database, when it is not the simulated one. */
  readonly size?: number;
  readonly start: Date;
  readonly stop: Date;
  readonly annotation?: Record<string, string>;
  readonly badFiles?: readonly string[];
}

/** Adds a finished backup to the state, and returns it. */
export function record(state: StanzaState, settings: SimulatorSettings, made: NewBackup): ListedBackup {
  const { repo = 1, size = settings.databaseBytes } = made;
  const prior = priorOf(state, made.type, repo);
  const delta = Math.round(size * SHARE[made.type]);
  // zst brings a typical database to about an eighth of its size.
  const repoDelta = Math.round(delta / 8);
  const wal = state.wal + 1;
  state.wal = wal;
  const backup: ListedBackup = {
    ...(made.annotation && Object.keys(made.annotation).length > 0 ? { annotation: made.annotation } : {}),
    archive: { start: walName(wal), stop: walName(wal) },
    backrest: { format: 5, version: '2.45' },
    database: { id: 1, 'repo-key': repo },
    error: (made.badFiles?.length ?? 0) > 0,
    info: { delta, repository: { delta: repoDelta, size: Math.round(size / 8) }, size },
    label: label(made.type, made.start, prior?.label.split('_')[0]),
    lsn: { start: `0/${wal.toString(16).toUpperCase()}000028`, stop: `0/${wal.toString(16).toUpperCase()}000100` },
    prior: prior?.label ?? null,
    reference: prior === undefined ? null : [...new Set([...(prior.reference ?? []), prior.label])],
    timestamp: { start: seconds(made.start), stop: seconds(made.stop) },
    type: made.type,
  };
  state.backups.push(backup);
  if (made.badFiles?.length) state.errorLists[backup.label] = [...made.badFiles];
  return backup;
}

/** What one repository loses: labels, and segments of WAL from and to. */
interface Gone {
  readonly repo: number;
  readonly labels: readonly string[];
  readonly wal?: readonly [number, number];
}

/** Removes full backups beyond the retention, with what hangs on them and the WAL that only they need. */
export function expire(state: StanzaState, retentionFull: number, repo = 1): Gone {
  const fulls = inRepo(state, repo).filter(({ type }) => type === 'full');
  const old = new Set(fulls.slice(0, Math.max(0, fulls.length - retentionFull)).map(({ label: full }) => full));
  const labels = inRepo(state, repo)
    .map((each) => each.label)
    .filter((each) => old.has(each.split('_')[0] ?? ''));
  state.backups = state.backups.filter((each) => each.database['repo-key'] !== repo || !labels.includes(each.label));
  // As the real one: with fewer full backups than are kept, all WAL stays.
  const oldest = inRepo(state, repo)[0];
  if (fulls.length < retentionFull || oldest === undefined) return { repo, labels };
  const from = state.archivedFrom?.[repo] ?? 1;
  const to = walNumber(oldest.archive.start);
  if (to <= from) return { repo, labels };
  state.archivedFrom = { ...state.archivedFrom, [repo]: to };
  return { repo, labels, wal: [from, to - 1] };
}

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);
