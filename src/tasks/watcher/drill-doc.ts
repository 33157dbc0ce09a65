import { type Inlines, time } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    drill-word = DRILL
    drill-leg-received = Alertmanager → Vakhta
    drill-leg-direct = Vakhta itself
    drill-leg-shown = Vakhta → chat
    drill-leg-pressed = Answer
    drill-waits = on its way
    drill-lost-received = did not arrive
    drill-lost-shown = could not be shown
    drill-lost-pressed = nobody answered
    drill-late = { $time } (late)
  `,
  ru: `
    drill-word = УЧЕНИЕ
    drill-leg-received = Alertmanager → Вахта
    drill-leg-direct = Сама Вахта
    drill-leg-shown = Вахта → чат
    drill-leg-pressed = Ответ
    drill-waits = в пути
    drill-lost-received = не пришёл
    drill-lost-shown = не удалось показать
    drill-lost-pressed = никто не ответил
    drill-late = { $time } (поздно)
  `,
});

export interface DrillTimes {
  readonly via: 'alertmanager' | 'direct';
  readonly failedLeg?: 'received' | 'shown' | 'pressed' | undefined;
  readonly startedAt: Date;
  readonly postedAt?: Date | undefined;
  readonly receivedAt?: Date | undefined;
  readonly shownAt?: Date | undefined;
  readonly pressedAt?: Date | undefined;
}

export const LEGS = ['received', 'shown', 'pressed'] as const;
export type Leg = (typeof LEGS)[number];

/** How long a leg took, in milliseconds; undefined when it has not ended. */
export function legMs(drill: DrillTimes, leg: Leg): number | undefined {
  const { startedAt, postedAt = startedAt, receivedAt, shownAt, pressedAt } = drill;
  const between = (from: Date | undefined, to: Date | undefined): number | undefined =>
    from && to ? Math.max(0, to.getTime() - from.getTime()) : undefined;
  if (leg === 'received') return between(postedAt, receivedAt);
  // Some press faster than the chat's answer is noted.
  return leg === 'shown' ? between(receivedAt, shownAt) : between(shownAt ?? receivedAt, pressedAt);
}

/** The whole way from the alert to the chat. */
export function wayMs({ startedAt, postedAt = startedAt, shownAt }: DrillTimes): number | undefined {
  return shownAt ? Math.max(0, shownAt.getTime() - postedAt.getTime()) : undefined;
}

/** What is known of a leg, in words. */
export function legText(drill: DrillTimes, leg: Leg, t: Translate): string {
  const ms = legMs(drill, leg);
  const isLost = drill.failedLeg === leg;
  if (ms !== undefined) {
    const took = formatDuration(ms, t);
    return isLost ? t('drill-late', { time: took }) : took;
  }
  return isLost ? t(`drill-lost-${leg}`) : t('drill-waits');
}

/** The legs that have ended, well or not: whoever reads the card knows that it has come. */
export function legRows(
  drill: DrillTimes,
  t: Translate,
  answeredBy: string | undefined,
): (readonly [string, Inlines])[] {
  return LEGS.filter((leg) => legMs(drill, leg) !== undefined || drill.failedLeg === leg).map((leg) => {
    const key = leg === 'received' && drill.via === 'direct' ? 'direct' : leg;
    const by =
      leg === 'pressed' && drill.pressedAt ? [` · ${answeredBy ?? '?'}, `, time(drill.pressedAt, 'clock')] : [];
    return [t(`drill-leg-${key}`), [legText(drill, leg, t), ...by]] as const;
  });
}
