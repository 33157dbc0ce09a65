import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import { type Block, bold, code, type Inlines, line, list, time } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { View } from '../define.ts';
import { backupStateSchema, type Board } from './board.ts';
import { provenWords, shortLine, stateWords } from './board-doc.ts';
import type { BackupState } from './define.ts';
import type { RecoveryDesk } from './desk.ts';
import { backupsResult, type BackupsResult, type BoardLine, lineOf, sortLines, summaryOf } from './lines.ts';
import { DRILL_MARK } from './words.ts';

export const messages = defineMessages({
  en: `
    recovery-ov-head = All backups
    recovery-ov-old = as of
    recovery-ov-drills = Restore drills
    recovery-ov-drill-passed = restored in { $rto }
    recovery-ov-drill-failed = restored, but not as it has to be
    recovery-ov-drill-broken = could not be done
    recovery-ov-drill-running = under way
  `,
  ru: `
    recovery-ov-head = Все копии
    recovery-ov-old = по состоянию на
    recovery-ov-drills = Учения по восстановлению
    recovery-ov-drill-passed = восстановлено за { $rto }
    recovery-ov-drill-failed = восстановлено не так, как должно быть
    recovery-ov-drill-broken = не состоялось
    recovery-ov-drill-running = идёт
  `,
});

/** A board that is older is said to be. */
const OLD_MS = minutes(30);
const SHOWN = 5;

export const drillLine = z.object({
  number: z.number(),
  target: z.string(),
  state: z.enum(['passed', 'failed', 'broken', 'running']),
  startedAt: z.coerce.date(),
  rtoMs: z.number().exactOptional(),
});
export type DrillLine = z.output<typeof drillLine>;

/** The newest restore drills, newest first. */
export async function drillLines(
  recovery: Pick<RecoveryDesk, 'ledger'>,
  filter: { readonly since?: Date; readonly limit: number },
): Promise<DrillLine[]> {
  return (await recovery.ledger(filter)).map(({ number, target, state, startedAt, rtoMs }) => ({
    number,
    target,
    state,
    startedAt,
    ...(rtoMs === undefined ? {} : { rtoMs }),
  }));
}

/** The last look at all backups; nothing when nobody has looked yet. */
export async function lastResult(recovery: RecoveryDesk, now: Date): Promise<BackupsResult | undefined> {
  const board = await recovery.lastBoard();
  return board && backupsResult.parse(await boardResult(recovery, board, now, undefined));
}

/** How much of it wants a look; `told`: targets of which the caller speaks itself. */
export function judgeRecovery(
  result: BackupsResult | undefined,
  told: readonly string[],
): { readonly warning: number; readonly unknown: number } {
  if (!result) return { warning: 0, unknown: 0 };
  const lines = result.lines.filter(({ target }) => !told.includes(target));
  const isBad = ({ state }: BoardLine): boolean => state === 'warn' || state === 'down';
  // One silent source is one thing to look at, however many targets it has.
  const silent = lines.some(({ state }) => state === 'unknown') ? Math.max(1, result.silent.length) : 0;
  return { warning: lines.filter(isBad).length, unknown: silent };
}

/** All backups in a few lines: the worst by name, the others counted. */
export function recoveryBlocks(result: BackupsResult | undefined, view: View): Block[] {
  if (!result || result.lines.length === 0) return [];
  const { t, now } = view;
  const summary = summaryOf(result.lines);
  const proven = provenWords(summary, t);
  const old: Inlines[] =
    now.getTime() - result.at.getTime() > OLD_MS ? [` · ${t('recovery-ov-old')} `, time(result.at)] : [];
  const bad = sortLines(result.lines).filter(({ state }) => state !== 'ok');
  const shown = bad.slice(0, SHOWN);
  const more = bad.length - shown.length;
  const items = shown.map((one) => shortLine(one, view, true));
  return [
    line(
      bold(t('recovery-ov-head')),
      `: ${stateWords(summary, t)}${proven === '' ? '' : `; ${proven}`}`,
      ...old.flat(),
    ),
    ...(items.length > 0 ? [list(items, more > 0 ? `… +${more}` : undefined)] : []),
  ];
}

/** Restore drills, a line each. */
export function drillBlocks(drills: readonly DrillLine[], { t }: View): Block[] {
  if (drills.length === 0) return [];
  const items = drills.map(({ number, target, state, startedAt, rtoMs }): Inlines => {
    const words = t(`recovery-ov-drill-${state}`, { rto: rtoMs === undefined ? '' : formatDuration(rtoMs, t) });
    return [
      `${DRILL_MARK[state]} #${number} `,
      code(target),
      ' · ',
      time(startedAt),
      ' · ',
      state === 'failed' || state === 'broken' ? bold(words) : words,
    ];
  });
  return [line(bold(t('recovery-ov-drills'))), list(items)];
}

/** A board together with what the ledger knows of its targets. */
export async function boardResult(
  recovery: RecoveryDesk,
  board: Board,
  now: Date,
  target: string | undefined,
): Promise<BackupsResult> {
  const [integrity, drills, last] = await Promise.all([
    recovery.integrity(),
    recovery.lastGoodDrills(),
    recovery.lastDrills(),
  ]);
  const line = (state: BackupState) => {
    const repository = recovery.repositoryOf(state.target);
    return lineOf(state, {
      now,
      isDrillable: recovery.isDrillable(state.target),
      integrity: repository === undefined ? undefined : integrity.get(repository),
      good: drills.get(state.target),
      last: last.find((one) => one.target === state.target),
    });
  };
  const states = target === undefined ? board.states : board.states.filter((one) => one.target === target);
  const [only] = target === undefined ? [] : states;
  return {
    at: board.at,
    lines: states.map(line),
    silent: board.sources
      .filter((source) => !source.ok && (target === undefined || source.targets.includes(target)))
      .map(({ name, why, at }) => ({ name, why: why ?? { key: 'recovery-lost' }, ...(at ? { at } : {}) })),
    sources: board.sources.length,
    ...(only ? { goals: recovery.goalsOf(only.target), detail: backupStateSchema.parse(only) } : {}),
  };
}
