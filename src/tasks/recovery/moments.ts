import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { formatMoment, parseMoment, type Window } from '../../core/pitr.ts';
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
    moment-note = Any moment from { $from } to { $to } can be restored.
    moment-note-none = What can be restored is not known yet: nobody has looked at the backups.
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
    moment-note = Можно восстановить любой момент с { $from } до { $to }.
    moment-note-none = Что можно восстановить, пока неизвестно: копии ещё не осмотрены.
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

const wholeSeconds = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

/** `from` and `to` of what can be restored, in whole seconds, with their offset. */
export const windowArgs = ({ from, to }: Window, zone: string) => ({
  from: formatMoment(from, zone),
  to: formatMoment(wholeSeconds(to.getTime()), zone),
});

/** Stands under the question. */
export const momentNote = ({ window }: Restorable, { zone }: Asked): Text =>
  window ? { key: 'moment-note', args: windowArgs(window, zone) } : { key: 'moment-note-none' };

/** Buttons for the usual moments, as far as they can be restored. Each says its instant, with the offset. */
export function momentChoices({ window, deployedAt }: Restorable, { now, zone }: Asked): readonly Choice[] {
  if (window === undefined) return [];
  const ago = [15, 60, 180].map((n) => ({
    at: new Date(Math.floor(now.getTime() / minutes(1) - n) * minutes(1)),
    key: 'moment-ago',
    args: { minutes: n },
  }));
  const midnight = parseMoment('midnight', zone, now);
  const moments = [
    ...ago,
    ...(midnight.kind === 'at' ? [{ at: midnight.at, key: 'moment-midnight', args: {} }] : []),
    ...(deployedAt ? [{ at: wholeSeconds(deployedAt.getTime() - 1000), key: 'moment-deployment', args: {} }] : []),
  ];
  const inside = moments.filter(({ at }) => at >= window.from && at <= window.to);
  return [
    ...inside.map(({ at, key, args }) => {
      const shown = formatMoment(at, zone);
      return { value: shown, label: { key, args: { ...args, at: shown } } };
    }),
    { value: 'latest', label: { key: 'moment-latest', args: { at: windowArgs(window, zone).to } } },
  ];
}
