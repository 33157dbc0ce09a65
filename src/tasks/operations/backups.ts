import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { backupList, backupView } from '../recovery/board-doc.ts';
import { backupsResult } from '../recovery/lines.ts';
import { boardResult } from '../recovery/overview.ts';

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
    const result = await boardResult(recovery, board, clock.now(), target);
    const isWell = result.lines.every(({ state }) => state === 'ok');
    return { state: isWell ? 'succeeded' : 'warning', result };
  },
  report: (result, { target }, view) =>
    target === undefined ? backupList(result, view) : backupView(result, target, view),
});
