import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { formatMoment, parseMoment } from '../../core/pitr.ts';
import type { Asked, Choice, Restorable } from '../define.ts';

export const messages = defineMessages({
  en: `
    moment-ago = { $minutes ->
        [15] 15 min ago
        [60] 1 h ago
        [180] 3 h ago
       *[other] { $minutes } min ago
      } · { $at }
    moment-midnight = midnight · { $at }
    moment-deployment = before the last deployment · { $at }
    moment-latest = as far as the archive reaches · { $at }
    err-moment-unreadable = “{ $typed }” is no moment. Write 14:15, yesterday 14:15, 2026-01-30 14:15:11, 2026-01-30 14:15 +03:00, -2h, or latest.
    err-moment-twice = The clock of { $zone } shows { $typed } twice. Write which one is meant: { $first } or { $second }.
    err-moment-never = The clock of { $zone } never shows { $typed }: it is put forward there. Write { $first } or { $second }.
  `,
  ru: `
    moment-ago = { $minutes ->
        [15] 15 мин назад
        [60] 1 ч назад
        [180] 3 ч назад
       *[other] { $minutes } мин назад
      } · { $at }
    moment-midnight = полночь · { $at }
    moment-deployment = до последнего развёртывания · { $at }
    moment-latest = до конца архива · { $at }
    err-moment-unreadable = «{ $typed }» — не момент времени. Напишите 14:15, вчера 14:15, 2026-01-30 14:15:11, 2026-01-30 14:15 +03:00, -2h или latest.
    err-moment-twice = Часы в зоне { $zone } показывают { $typed } дважды. Уточните: { $first } или { $second }.
    err-moment-never = Часы в зоне { $zone } никогда не показывают { $typed }: их переводят вперёд. Напишите { $first } или { $second }.
  `,
});

/** The moment that was typed; nothing for “latest”. Throws `moment-*` (usage). */
export function readMoment(typed: string, zone: string, now: Date): Date | undefined {
  const read = parseMoment(typed, zone, now);
  switch (read.kind) {
    case 'at':
      return read.at;
    case 'latest':
      return undefined;
    case 'unreadable':
      throw new VakhtaError('usage', 'moment-unreadable', `no moment: ${typed}`, { args: { typed } });
    case 'twice':
    case 'never': {
      const [first, second] = read.both.map((at) => formatMoment(at, zone));
      const args = { typed, zone, first: first ?? '', second: second ?? '' };
      throw new VakhtaError('usage', `moment-${read.kind}`, `${typed} in ${zone} is there ${read.kind}`, { args });
    }
  }
}

/** Buttons for the usual moments, as far as they can be restored. Each says its instant, with the offset. */
export function momentChoices({ window, deployedAt }: Restorable, { now, zone }: Asked): readonly Choice[] {
  if (window === undefined) return [];
  const whole = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
  const ago = [15, 60, 180].map((n) => ({
    at: whole(now.getTime() - minutes(n)),
    key: 'moment-ago',
    args: { minutes: n },
  }));
  const midnight = parseMoment('midnight', zone, now);
  const moments = [
    ...ago,
    ...(midnight.kind === 'at' ? [{ at: midnight.at, key: 'moment-midnight', args: {} }] : []),
    ...(deployedAt ? [{ at: whole(deployedAt.getTime() - 1000), key: 'moment-deployment', args: {} }] : []),
  ];
  const inside = moments.filter(({ at }) => at >= window.from && at <= window.to);
  return [
    ...inside.map(({ at, key, args }) => {
      const shown = formatMoment(at, zone);
      return { value: shown, label: { key, args: { ...args, at: shown } } };
    }),
    { value: 'latest', label: { key: 'moment-latest', args: { at: formatMoment(whole(window.to.getTime()), zone) } } },
  ];
}
