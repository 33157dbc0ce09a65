import { z } from 'zod';
import { bold, type Icon, type Inlines } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages, type Text, type Translate } from '../../core/i18n.ts';
import { parseTarget } from '../../core/recovery.ts';
import type { BackupVerdict } from './define.ts';

export const messages = defineMessages({
  en: `
    recovery-kind-pg = PostgreSQL
    recovery-kind-guest = Guests
    recovery-kind-volume = Volumes and files
    recovery-kind-offsite-pg = PostgreSQL, elsewhere
    recovery-kind-offsite-volume = Volumes and files, elsewhere
    recovery-kind-pbs = Backup servers
    recovery-kind-proxmox = Proxmox and its storages
    recovery-kind-kit = Emergency kit
    recovery-state-ok = in order
    recovery-state-warn = look at it
    recovery-state-down = bad
    recovery-state-unknown = unknown
    recovery-goal = goal { $goal }
    recovery-goal-of = goal { $goal } ({ $of })
  `,
  ru: `
    recovery-kind-pg = PostgreSQL
    recovery-kind-guest = Гости
    recovery-kind-volume = Тома и файлы
    recovery-kind-offsite-pg = PostgreSQL, другая площадка
    recovery-kind-offsite-volume = Тома и файлы, другая площадка
    recovery-kind-pbs = Серверы копий
    recovery-kind-proxmox = Proxmox и его хранилища
    recovery-kind-kit = Аварийный набор
    recovery-state-ok = в порядке
    recovery-state-warn = обратите внимание
    recovery-state-down = плохо
    recovery-state-unknown = неизвестно
    recovery-goal = норма { $goal }
    recovery-goal-of = норма { $goal } ({ $of })
  `,
});

/** A sentence by catalogue key, as results and rows keep it. */
export const textSchema = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
});

export const say = (t: Translate, { key, args }: Text): string => (t.has(key) ? t(key, args) : key);

export const VERDICT_ICON: Readonly<Record<BackupVerdict, Icon>> = {
  ok: 'ok',
  warn: 'warning',
  down: 'critical',
  unknown: 'unknown',
};
/** The same in a line among others. */
export const VERDICT_MARK: Readonly<Record<BackupVerdict, string>> = {
  ok: '🟢',
  warn: '🟠',
  down: '🔴',
  unknown: '❔',
};
export const DRILL_MARK = { passed: '🟢', failed: '🔴', broken: '🟠', running: '⏳' } as const;
/** Worst first. */
export const VERDICTS: readonly BackupVerdict[] = ['down', 'unknown', 'warn', 'ok'];

export const worst = (verdicts: readonly BackupVerdict[]): BackupVerdict =>
  VERDICTS.find((one) => verdicts.includes(one)) ?? 'ok';

/** Goals of a target, as results keep them. */
export const goalsSchema = z.object({
  rtoMs: z.number(),
  rpoMs: z.number(),
  rtoOf: z.string().exactOptional(),
  rpoOf: z.string().exactOptional(),
});

/** `✔ 4 min · goal 30 min`: what was measured against what it has to be, and whose goal that is where it is not that of all. */
export const againstGoal = (ms: number, goalMs: number, of: string | undefined, t: Translate): Inlines => [
  `${ms <= goalMs ? '✔' : '✘'} `,
  bold(formatDuration(ms, t)),
  ` · ${goalWords(goalMs, of, t)}`,
];

export function goalWords(goalMs: number, of: string | undefined, t: Translate): string {
  const goal = formatDuration(goalMs, t);
  return of === undefined ? t('recovery-goal', { goal }) : t('recovery-goal-of', { goal, of });
}

export const kindOf = (target: string, t: Translate): string => {
  if (target.startsWith('pbs:')) return t('recovery-kind-pbs');
  if (target.startsWith('proxmox:')) return t('recovery-kind-proxmox');
  if (target.startsWith('kit:')) return t('recovery-kind-kit');
  const parsed = parseTarget(target);
  return parsed ? t(`recovery-kind-${parsed.kind}`) : target;
};
