import type { TelegramSimulator } from '../../../src/simulators/telegram/index.ts';

/** A message of the bot, with every text that it has shown. */
export interface Shown {
  readonly chat: number;
  readonly id: number;
  readonly versions: readonly string[];
  readonly buttons: readonly string[];
}

/** What people have seen of the bot, in order. */
export interface Ledger {
  /** The messages of a chat that have ever shown this text, oldest first. */
  about(chat: number, text: string): Shown[];
  readonly all: readonly Shown[];
  /** The program is about to be killed. */
  killed(): void;
  /**
   * Calls that came while the chat was banned, though the program had been told and had had half a second to remember it: a kill
   * in between is the only excuse for a call too early.
   */
  callsDuringBan(): { readonly excused: number; readonly wrong: readonly string[] };
}

const MEMORY_MS = 500;
/** The log tells when a call came to its answer, not when the ban began to the millisecond. */
const CLOCK_MS = 50;
const isMessage = (method: string): boolean => /^(send|edit)/i.test(method);

export function watchMessages(telegram: TelegramSimulator): Ledger {
  const all: { chat: number; id: number; versions: string[]; buttons: string[] }[] = [];
  const kills: number[] = [];
  telegram.cast.subscribe((event) => {
    if (event.type !== 'message' && event.type !== 'edit') return;
    const stored = telegram.cast.chat(event.chat).messages.get(event.message_id);
    if (!stored?.byBot) return;
    const text = stored.message.text ?? stored.message.caption ?? '';
    const buttons = (stored.message.reply_markup?.inline_keyboard ?? []).flat().map((button) => button.text);
    const known = all.find((one) => one.chat === event.chat && one.id === event.message_id);
    if (known) {
      known.versions.push(text);
      known.buttons = buttons;
    } else all.push({ chat: event.chat, id: event.message_id, versions: [text], buttons });
  });
  return {
    about: (chat, text) =>
      all.filter((one) => one.chat === chat && one.versions.some((version) => version.includes(text))),
    all,
    killed: () => void kills.push(Date.now()),
    callsDuringBan: () => {
      const wrong: string[] = [];
      let excused = 0;
      const bans = new Map<number, { told: number; until: number }>();
      for (const { chat_id: chat, method, outcome, at, retry_after: seconds = 0 } of telegram.state.calls) {
        if (chat === undefined || !isMessage(method)) continue;
        const ban = bans.get(chat);
        if (ban !== undefined && at.getTime() < ban.until - CLOCK_MS) {
          const { told } = ban;
          if (kills.some((kill) => kill >= told - CLOCK_MS && kill <= told + MEMORY_MS)) excused += 1;
          else
            wrong.push(
              `${method} to ${chat} at ${at.toISOString()}, banned until ${new Date(ban.until).toISOString()}`,
            );
        }
        if (outcome === 429) bans.set(chat, { told: at.getTime(), until: at.getTime() + seconds * 1000 });
      }
      return { excused, wrong };
    },
  };
}
