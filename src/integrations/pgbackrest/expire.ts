import { hours } from '../../core/clock.ts';
import type { Executor } from '../exec/executor.ts';
import { exitError } from './errors.ts';

/** What an expire removes, or would. */
export interface Expired {
  /** Labels, each once, in the order of the log. */
  readonly backups: readonly { readonly label: string; readonly repo: number }[];
  /** Segments of WAL that go, from and to. */
  readonly archives: readonly {
    readonly repo: number;
    readonly archive: string;
    readonly from: string;
    readonly to: string;
  }[];
}

/**
 * Reads the log of `expire`, with `--dry-run` or without. Source: pgBackRest, src/command/expire/expire.c; recorded with 2.45, where
 * a removed backup is told as `repo1: remove expired backup LABEL` and WAL as `repo1: 15-1 remove archive, start = …, stop = …`.
 */
export function parseExpire(text: string): Expired {
  const backups = new Map<string, { label: string; repo: number }>();
  const archives: Expired['archives'][number][] = [];
  for (const line of text.split('\n')) {
    const [, repo, label] = /\brepo(\d+): remove expired backup (\S+)/u.exec(line) ?? [];
    if (repo !== undefined && label !== undefined) backups.set(`${repo}/${label}`, { label, repo: Number(repo) });
    const wal = /\brepo(\d+): (\S+) remove archive, start = ([0-9A-F]{24}), stop = ([0-9A-F]{24})/u.exec(line);
    if (wal) {
      archives.push({ repo: Number(wal[1]), archive: wal[2] ?? '', from: wal[3] ?? '', to: wal[4] ?? '' });
    }
  }
  return { backups: [...backups.values()], archives };
}

/** Removes what retention does not keep any more, in all repositories; with `dryRun` it only says what that would be. */
export async function expireStanza(
  at: { readonly executor: Executor; readonly stanza: string; readonly words: readonly string[] },
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<Expired> {
  const result = await at.executor.run(
    [...at.words, ...(dryRun ? ['--dry-run'] : []), '--log-level-console=info', '--log-level-stderr=warn', 'expire'],
    { ...(signal ? { signal } : {}), timeoutMs: hours(2), maxOutputBytes: 16 * 1024 * 1024 },
  );
  if (result.code !== 0) throw exitError(at.stanza, result);
  return parseExpire(result.stdout);
}
