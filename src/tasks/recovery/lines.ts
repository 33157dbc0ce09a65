import { z } from 'zod';
import type { RestoreDrill } from '../../store/recovery.ts';
import { backupStateSchema } from './board.ts';
import type { BackupState, BackupVerdict } from './define.ts';
import type { GoodDrill } from './desk.ts';
import type { Integrity } from './integrity.ts';
import { goalsSchema, textSchema, VERDICTS } from './words.ts';

const integritySchema = z.object({
  state: z.enum(['ok', 'warning', 'failed', 'unproven', 'old', 'never', 'drills']),
  at: z.coerce.date().exactOptional(),
  caughtAt: z.coerce.date().exactOptional(),
});

/** One target on a board: how its backups stand, and when one was last restored. */
export const boardLine = z.object({
  target: z.string(),
  state: z.enum(['ok', 'warn', 'down', 'unknown']),
  /** Said when it is not in order. */
  line: textSchema,
  newestAt: z.coerce.date().exactOptional(),
  sizeBytes: z.number().exactOptional(),
  storedBytes: z.number().exactOptional(),
  rpoMs: z.number().exactOptional(),
  integrity: integritySchema.exactOptional(),
  /** `none`: there is no way to try it out here. */
  drill: z.object({
    state: z.enum(['fresh', 'stale', 'never', 'none']),
    at: z.coerce.date().exactOptional(),
    rtoMs: z.number().exactOptional(),
    /** The newest one failed, or could not be done. */
    failed: z.boolean().exactOptional(),
  }),
});
export type BoardLine = z.output<typeof boardLine>;

export const backupsResult = z.object({
  at: z.coerce.date(),
  lines: z.array(boardLine),
  /** Sources that did not answer, and when they last did. */
  silent: z.array(z.object({ name: z.string(), why: textSchema, at: z.coerce.date().exactOptional() })),
  /** How many were asked. */
  sources: z.number(),
  /** Of the one target that was asked for. */
  goals: goalsSchema.exactOptional(),
  detail: backupStateSchema.exactOptional(),
});
export type BackupsResult = z.output<typeof backupsResult>;

export interface LineContext {
  readonly now: Date;
  readonly isDrillable: boolean;
  /** Of its repository, where the checks are ours. */
  readonly integrity: Integrity | undefined;
  readonly good: GoodDrill | undefined;
  readonly last: RestoreDrill | undefined;
}

/** A state on the board, together with what the ledger knows of it. Damage that was found makes it bad, whatever its age. */
export function lineOf(state: BackupState, { isDrillable, integrity, good, last }: LineContext): BoardLine {
  const { target, line, newestAt, sizeBytes, storedBytes, rpoMs, verified } = state;
  const told = verified && { state: verified.state, ...(verified.at ? { at: verified.at } : {}) };
  const known = integrity && integrity.state !== 'never' ? shortIntegrity(integrity) : told;
  const isDamaged = known?.state === 'failed' && state.state !== 'unknown';
  const failed = last !== undefined && last.state !== 'passed' && last.error?.key !== 'err-cancelled';
  return {
    target,
    state: isDamaged ? 'down' : state.state,
    line: isDamaged && state.state === 'ok' ? { key: 'recovery-damaged' } : line,
    ...(newestAt ? { newestAt } : {}),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(storedBytes === undefined ? {} : { storedBytes }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    ...(known ? { integrity: known } : {}),
    drill: {
      state: good ? (good.isFresh ? 'fresh' : 'stale') : isDrillable ? 'never' : 'none',
      ...(good ? { at: good.at } : {}),
      ...(good?.drill.rtoMs === undefined ? {} : { rtoMs: good.drill.rtoMs }),
      ...(failed ? { failed } : {}),
    },
  };
}

const shortIntegrity = ({ state, at, caughtAt }: Integrity): NonNullable<BoardLine['integrity']> => ({
  state,
  ...(at ? { at } : {}),
  ...(caughtAt ? { caughtAt } : {}),
});

/** Kinds in the order in which people think of them; within a kind, and between kinds, the worst first. */
const KINDS = ['pg', 'guest', 'volume', 'offsite-pg', 'offsite-volume', 'pbs', 'proxmox', 'kit'];
export const kindName = (target: string): string => target.slice(0, Math.max(0, target.indexOf(':')));
const rank = (state: BackupVerdict): number => VERDICTS.indexOf(state);

/** Lines by kind, kinds with trouble first, worst lines first. */
export function sortLines(lines: readonly BoardLine[]): BoardLine[] {
  const worstOf = new Map<string, number>();
  for (const { target, state } of lines) {
    const kind = kindName(target);
    worstOf.set(kind, Math.min(worstOf.get(kind) ?? VERDICTS.length, rank(state)));
  }
  const place = ({ target }: BoardLine): number =>
    (worstOf.get(kindName(target)) ?? 0) * 10 + Math.max(0, KINDS.indexOf(kindName(target)));
  return lines.toSorted(
    (a, b) => place(a) - place(b) || rank(a.state) - rank(b.state) || (a.target < b.target ? -1 : 1),
  );
}

export interface BoardSummary {
  readonly down: number;
  readonly unknown: number;
  readonly warn: number;
  readonly ok: number;
  /** Never restored, or too long ago; of those that can be tried out. */
  readonly never: number;
  readonly stale: number;
}

export function summaryOf(lines: readonly BoardLine[]): BoardSummary {
  const states = (state: BackupVerdict): number => lines.filter((one) => one.state === state).length;
  const drills = (state: BoardLine['drill']['state']): number =>
    lines.filter((one) => one.drill.state === state).length;
  return {
    down: states('down'),
    unknown: states('unknown'),
    warn: states('warn'),
    ok: states('ok'),
    never: drills('never'),
    stale: drills('stale'),
  };
}
