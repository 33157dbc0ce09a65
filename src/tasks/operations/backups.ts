import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { backupStateSchema, type Board } from '../recovery/board.ts';
import { backupList, backupView } from '../recovery/board-doc.ts';
import type { BackupState } from '../recovery/define.ts';
import type { RecoveryDesk } from '../recovery/desk.ts';
import { backupsResult, type BackupsResult, lineOf } from '../recovery/lines.ts';

export const messages = defineMessages({
  en: `
    op-backups = All backups: age, size, integrity, last restore
    op-backups-arg-target = Which one? Left out: all of them.
  `,
  ru: `
    op-backups = Все резервные копии: возраст, размер, целостность, последнее восстановление
    op-backups-arg-target = Какая? Не указано — все.
  `,
});

export default defineOperation({
  name: 'backups',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ target: z.string().min(1).max(120).optional() }),
  fields: { target: { choices: (known) => known.backupTargets() } },
  result: backupsResult,
  ports: ['recovery'],
  timeoutMs: minutes(2),
  plan: async (_context, { target }) => ({ target: target ?? 'backups', lines: [] }),
  run: async ({ ports, clock, signal }, { target }) => {
    const { recovery } = ports;
    const board = await recovery.board(signal, target === undefined ? undefined : [target]);
    const result = await resultOf(recovery, board, clock.now(), target);
    const isWell = result.lines.every(({ state }) => state === 'ok');
    return { state: isWell ? 'succeeded' : 'warning', result };
  },
  report: (result, { target }, view) =>
    target === undefined ? backupList(result, view) : backupView(result, target, view),
});

async function resultOf(
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
    goals: { rtoMs: recovery.goals.rtoMs, rpoMs: recovery.goals.rpoMs },
    ...(only ? { detail: backupStateSchema.parse(only) } : {}),
  };
}
