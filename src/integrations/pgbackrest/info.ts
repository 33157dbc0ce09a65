import { z } from 'zod';
import { VakhtaError } from '../../core/error.ts';

/** Stanza and repository status codes (pgBackRest source, src/command/info/info.c). */
export const STANZA_STATES = {
  0: 'ok',
  1: 'missing-stanza-path',
  2: 'no-valid-backups',
  3: 'missing-stanza-data',
  4: 'different-across-repos',
  5: 'database-mismatch',
  6: 'backup-not-found',
  99: 'other',
} as const;
export type StanzaState = (typeof STANZA_STATES)[keyof typeof STANZA_STATES];

export type BackupType = 'full' | 'diff' | 'incr';

export interface BackupInfo {
  /** `20261123-172404F_20261123-172414I` */
  readonly label: string;
  readonly type: BackupType;
  readonly prior: string | null;
  readonly startedAt: Date;
  readonly stoppedAt: Date;
  /** Bytes of the database, and how many of them this backup copied. */
  readonly sizeBytes: number;
  readonly deltaBytes: number;
  /** Bytes in the repository for all that a restore needs, and for this backup alone; absent for block incrementals. */
  readonly repoSizeBytes?: number;
  readonly repoDeltaBytes?: number;
  /** Damaged pages were found while copying: never green. Absent before pgBackRest 2.36. */
  readonly error?: boolean;
  /** Files with damaged pages; present only in `info --set`. */
  readonly errorList?: readonly string[];
  readonly annotation: Readonly<Record<string, string>>;
  readonly walStart: string | null;
  readonly walStop: string | null;
  readonly repoKey: number;
}

export interface RepoInfo {
  readonly key: number;
  readonly cipher: string;
  readonly state: StanzaState;
  readonly message: string;
}

export interface StanzaInfo {
  readonly name: string;
  readonly state: StanzaState;
  readonly code: number;
  /** pgBackRest's own words, made printable. */
  readonly message: string;
  /** A backup or expire runs now; bytes of it when already known. */
  readonly backupLock: { readonly held: boolean; readonly sizeBytes?: number; readonly doneBytes?: number };
  readonly repos: readonly RepoInfo[];
  /** `systemId` is a string: 64 bits do not fit a JavaScript number. */
  readonly databases: readonly { id: number; repoKey: number; systemId: string; version: string }[];
  readonly archives: readonly { id: string; repoKey: number; min: string | null; max: string | null }[];
  /** Oldest first, as pgBackRest lists them. */
  readonly backups: readonly BackupInfo[];
}

const status = z.object({ code: z.number(), message: z.string() });
const lock = z.object({ held: z.boolean(), size: z.number().optional(), 'size-cplt': z.number().optional() });
const bytes = z.number().nullish();

const backupSchema = z.object({
  label: z.string(),
  type: z.enum(['full', 'diff', 'incr']),
  prior: z.string().nullish(),
  timestamp: z.object({ start: z.number(), stop: z.number() }),
  archive: z.object({ start: z.string().nullish(), stop: z.string().nullish() }).optional(),
  database: z.object({ 'repo-key': z.number().default(1) }).optional(),
  info: z.object({
    size: z.number(),
    delta: z.number(),
    repository: z.object({ size: bytes, delta: bytes }).optional(),
  }),
  error: z.boolean().nullish(),
  'error-list': z.array(z.string()).nullish(),
  annotation: z.record(z.string(), z.string()).nullish(),
});

const stanzaSchema = z.object({
  name: z.string(),
  status: status.extend({ lock: z.object({ backup: lock }).optional() }),
  repo: z.array(z.object({ key: z.number(), cipher: z.string().default('none'), status })).default([]),
  db: z
    .array(
      z.object({ id: z.number(), 'repo-key': z.number().default(1), 'system-id': z.string(), version: z.string() }),
    )
    .default([]),
  archive: z
    .array(
      z.object({
        id: z.string(),
        database: z.object({ 'repo-key': z.number().default(1) }).optional(),
        min: z.string().nullish(),
        max: z.string().nullish(),
      }),
    )
    .default([]),
  backup: z.array(backupSchema).nullish(),
});

/**
 * What `pgbackrest info --output=json` printed, as typed stanzas. The output is not always JSON: a wrong passphrase puts
 * the raw bytes of the encrypted file into `message`. Throws `pgbackrest-output` (permanent) when nothing sensible is in it.
 * Source: pgbackrest.org/command.html#command-info
 */
export function parseInfo(text: string): readonly StanzaInfo[] {
  let json: unknown;
  try {
    json = JSON.parse(wholeIds(withoutControls(text)));
  } catch (cause) {
    throw new VakhtaError('permanent', 'pgbackrest-output', `info: not JSON: ${printable(text)}`, {
      args: { detail: printable(text) || '(empty)' },
      cause,
    });
  }
  const parsed = z.array(stanzaSchema).safeParse(json);
  if (!parsed.success) {
    const detail = z.prettifyError(parsed.error).split('\n').slice(0, 2).join(' ');
    throw new VakhtaError('permanent', 'pgbackrest-output', `info: ${detail}`, {
      args: { detail },
      cause: parsed.error,
    });
  }
  return parsed.data.map(toStanza);
}

function toStanza(raw: z.infer<typeof stanzaSchema>): StanzaInfo {
  const held = raw.status.lock?.backup;
  return {
    name: raw.name,
    state: stateOf(raw.status.code),
    code: raw.status.code,
    message: printable(raw.status.message),
    backupLock: {
      held: held?.held ?? false,
      ...(held?.size === undefined ? {} : { sizeBytes: held.size }),
      ...(held?.['size-cplt'] === undefined ? {} : { doneBytes: held['size-cplt'] }),
    },
    repos: raw.repo.map((repo) => ({
      key: repo.key,
      cipher: repo.cipher,
      state: stateOf(repo.status.code),
      message: printable(repo.status.message),
    })),
    databases: raw.db.map((db) => ({
      id: db.id,
      repoKey: db['repo-key'],
      systemId: db['system-id'],
      version: db.version,
    })),
    archives: raw.archive.map(({ id, database, min, max }) => ({
      id,
      repoKey: database?.['repo-key'] ?? 1,
      min: min ?? null,
      max: max ?? null,
    })),
    backups: (raw.backup ?? []).map(toBackup),
  };
}

function toBackup(raw: z.infer<typeof backupSchema>): BackupInfo {
  const { repository } = raw.info;
  return {
    label: raw.label,
    type: raw.type,
    prior: raw.prior ?? null,
    startedAt: new Date(raw.timestamp.start * 1000),
    stoppedAt: new Date(raw.timestamp.stop * 1000),
    sizeBytes: raw.info.size,
    deltaBytes: raw.info.delta,
    ...(typeof repository?.size === 'number' ? { repoSizeBytes: repository.size } : {}),
    ...(typeof repository?.delta === 'number' ? { repoDeltaBytes: repository.delta } : {}),
    ...(typeof raw.error === 'boolean' ? { error: raw.error } : {}),
    ...(raw['error-list'] ? { errorList: raw['error-list'] } : {}),
    annotation: raw.annotation ?? {},
    walStart: raw.archive?.start ?? null,
    walStop: raw.archive?.stop ?? null,
    repoKey: raw.database?.['repo-key'] ?? 1,
  };
}

/** A code that we do not know is a failure that we do not understand: never ok. */
function stateOf(code: number): StanzaState {
  return (STANZA_STATES as Readonly<Record<number, StanzaState>>)[code] ?? 'other';
}

/** In a JSON string the quotes would be escaped, so this touches the key only. */
const wholeIds = (text: string): string => text.replace(/("system-id"\s*:\s*)(\d+)/g, '$1"$2"');

/** pgBackRest escapes \n, \r, \t, \b, \f and leaves other control characters as they are, which JSON forbids. */
const withoutControls = (text: string): string => text.replace(/[^\P{Cc}\t\n\r]/gu, '\uFFFD');

/** One line for people: without what no terminal shows, at most 300 characters. */
export function printable(text: string): string {
  const clean = text
    .replace(/[\p{C}\uFFFD]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length > 300 ? `${clean.slice(0, 299)}…` : clean;
}
