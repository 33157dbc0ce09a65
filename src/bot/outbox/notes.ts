import type { Config } from '../../config/schema.ts';
import { minutes } from '../../core/clock.ts';
import type { Translate } from '../../core/i18n.ts';
import type { Card } from '../../store/cards.ts';
import type { OutboxRow } from '../../store/outbox.ts';
import type { Mode } from './modes.ts';

/** What took no longer than this is not worth a word. */
const WORTH_SAYING_MS = minutes(2);

export const isLate = (ms: number): boolean => ms > WORTH_SAYING_MS;

/** What people should know of the way this message took. */
export function wayNotes(row: OutboxRow, modes: ReadonlySet<Mode>, t: Translate, config: Config): string[] {
  const notes: string[] = [];
  if (modes.has('repeat')) notes.push(t('outbox-repeat'));
  if (modes.has('general') && row.thread !== undefined) {
    notes.push(t('outbox-no-topic', { topic: topicName(config, row.chat, row.thread) ?? String(row.thread) }));
  }
  return notes;
}

/** "Delayed 47 min: Telegram could not be reached." */
export function delayNote(ms: number, by: NonNullable<Card['delayedBy']>, t: Translate): string {
  const total = Math.max(1, Math.floor(ms / 60_000));
  const hours = Math.floor(total / 60);
  const time =
    hours === 0 ? t('unit-min', { n: total }) : `${t('unit-h', { n: hours })} ${t('unit-min', { n: total % 60 })}`;
  return t(`outbox-delayed-${by}`, { time });
}

/** The configured name of a thread. */
export function topicName(config: Config, chat: number, thread: number): string | undefined {
  const topics = config.chats.find((one) => one.chatId === chat)?.topics ?? {};
  return Object.entries(topics).find(([, id]) => id === thread)?.[0];
}
