import { z } from 'zod';
import { type Clock, seconds } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import type { Database, Queryable } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';
import type { BackupSource, BackupState } from './define.ts';

export const messages = defineMessages({
  en: `
    recovery-no-answer = { $source } does not answer
    recovery-not-told = { $source } answers, but says nothing of it
  `,
  ru: `
    recovery-no-answer = { $source } не отвечает
    recovery-not-told = { $source } отвечает, но об этом молчит
  `,
});

const text = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
});

export const backupStateSchema = z.object({
  target: z.string(),
  state: z.enum(['ok', 'warn', 'down', 'unknown']),
  line: text,
  newestAt: z.coerce.date().exactOptional(),
  count: z.number().exactOptional(),
  sizeBytes: z.number().exactOptional(),
  storedBytes: z.number().exactOptional(),
  capacityBytes: z.number().exactOptional(),
  verified: z
    .object({ state: z.enum(['ok', 'failed', 'never', 'old']), at: z.coerce.date().exactOptional() })
    .exactOptional(),
  rpoMs: z.number().exactOptional(),
  notes: z.array(text),
  window: z.object({ from: z.coerce.date(), to: z.coerce.date() }).exactOptional(),
  backups: z.array(
    z.object({
      label: z.string(),
      kind: z.string(),
      at: z.coerce.date(),
      sizeBytes: z.number().exactOptional(),
      error: z.boolean().exactOptional(),
    }),
  ),
});

/** How all backups stood at one moment. */
export interface Board {
  readonly at: Date;
  readonly states: readonly BackupState[];
  /** Who was asked, and why it said nothing. `at`: when it last answered. */
  readonly sources: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly why?: Text;
    readonly at?: Date;
    readonly targets: readonly string[];
  }[];
}

const sourceSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  why: text.exactOptional(),
  at: z.coerce.date().exactOptional(),
  targets: z.array(z.string()),
});
const boardSchema = z.object({ states: z.array(backupStateSchema), sources: z.array(sourceSchema) });

/** The board among the observations. */
export const BOARD_KEY = 'backups';
/** A source that takes longer has not answered. */
export const SOURCE_LIMIT_MS = seconds(20);
const BACKUPS_KEPT = 20;

/** The board as it was last looked at, by whichever process could; nothing when nobody has looked yet. */
export async function lastBoard(q: Queryable): Promise<Board | undefined> {
  const seen = await observation(q, BOARD_KEY);
  const parsed = seen && boardSchema.safeParse(seen.data);
  return seen && parsed?.success ? { at: seen.at, ...parsed.data } : undefined;
}

/**
 * Asks the sources side by side and stores what they say; with `targets` only those that speak of one of them, the rest stays as
 * it is known. A source that is silent makes its targets unknown, with the last known age.
 */
export async function lookAtBackups(
  { db, clock, log, sources }: BoardEdges,
  signal: AbortSignal,
  targets?: readonly string[],
): Promise<Board> {
  const asked = targets ? sources.filter((one) => one.targets.some((target) => targets.includes(target))) : sources;
  const answers = await Promise.all(asked.map((source) => ask(source, { clock, log }, signal)));
  signal.throwIfAborted();
  const before = await lastBoard(db);
  const at = clock.now();
  const spoken = answers.map((answer) => mergeAnswer(answer, before, at));
  const names = new Set(asked.map(({ name }) => name));
  const declared = new Set(sources.map(({ name }) => name));
  const kept = (before?.sources ?? []).filter(({ name }) => declared.has(name) && !names.has(name));
  const keptTargets = new Set(kept.flatMap((one) => one.targets));
  const told = new Set(spoken.flatMap(({ states }) => states.map(({ target }) => target)));
  const board: Board = {
    at,
    states: [
      ...spoken.flatMap(({ states }) => states),
      ...(before?.states ?? []).filter(({ target }) => keptTargets.has(target) && !told.has(target)),
    ],
    sources: [...spoken.map(({ source }) => source), ...kept],
  };
  await observe(
    db,
    BOARD_KEY,
    board.sources.every(({ ok }) => ok),
    { states: board.states, sources: board.sources },
    at,
  );
  return board;
}

export interface BoardEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly sources: readonly BackupSource[];
}

interface Answer {
  readonly source: BackupSource;
  readonly states?: readonly BackupState[];
  readonly why?: Text;
}

async function ask(
  source: BackupSource,
  { clock, log }: Pick<BoardEdges, 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<Answer> {
  const limit = new AbortController();
  const stop = clock.after(SOURCE_LIMIT_MS, () =>
    limit.abort(new DOMException(`${source.name} did not answer`, 'TimeoutError')),
  );
  const all = AbortSignal.any([signal, limit.signal]);
  try {
    // A source that does not heed the signal must not hold up the others.
    const given_up = new Promise<never>((_, reject) => {
      all.addEventListener('abort', () => reject(all.reason as Error), { once: true });
    });
    const states = await Promise.race([source.states(all), given_up]);
    return { source, states };
  } catch (thrown) {
    const error = toVakhtaError(thrown);
    if (error.kind === 'bug') log.error({ err: thrown, source: source.name }, 'a source of backups failed');
    const isSilent = error.code === 'timeout' || error.code === 'unreachable';
    const why = isSilent
      ? { key: 'recovery-no-answer', args: { source: source.name } }
      : { key: error.text, args: { ...error.args } };
    return { source, why };
  } finally {
    stop();
  }
}

function mergeAnswer({ source, states, why }: Answer, before: Board | undefined, now: Date) {
  const { name } = source;
  const past = before?.sources.find((one) => one.name === name);
  const missing = { key: 'recovery-not-told', args: { source: name } };
  const told = (states ?? []).map((one) => ({ ...one, backups: one.backups.slice(0, BACKUPS_KEPT) }));
  // Also those that it spoke of before: a source that cannot look may not even know what there is.
  const expected = states ? source.targets : [...new Set([...source.targets, ...(past?.targets ?? [])])];
  const silent = expected.filter((target) => !told.some((one) => one.target === target));
  const known = new Map((before?.states ?? []).map((one) => [one.target, one]));
  const unknown = silent.map((target): BackupState => unknownState(target, why ?? missing, known.get(target), now));
  const all = [...told, ...unknown];
  return {
    states: all,
    source: {
      name,
      ok: why === undefined,
      ...(why ? { why } : {}),
      ...(why === undefined ? { at: now } : past?.at ? { at: past.at } : {}),
      targets: all.map(({ target }) => target),
    },
  };
}

/** Nobody could look: what was known of its age stays, as old as it has become; nothing of it is good any more. */
function unknownState(target: string, why: Text, before: BackupState | undefined, now: Date): BackupState {
  return {
    target,
    state: 'unknown',
    line: why,
    ...(before?.newestAt ? { newestAt: before.newestAt, rpoMs: now.getTime() - before.newestAt.getTime() } : {}),
    ...(before?.sizeBytes === undefined ? {} : { sizeBytes: before.sizeBytes }),
    notes: [],
    backups: before?.backups ?? [],
  };
}
