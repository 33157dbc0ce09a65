import { decide, type Decision, type Limits, PRIORITY, recentSends } from '../../core/budget.ts';
import { type ChatState, chatStates } from '../../store/chats.ts';
import type { Queryable } from '../../store/db.ts';
import { chatsSending } from '../../store/outbox.ts';

/** A chat whose route was disabled is tried again after this long, in case it was mended without a word. */
const PROBE_MS = 3_600_000;

/** What the sender keeps in memory of a chat; the database has the same for after a restart. */
export interface ChatTraffic {
  sends: number[];
  blockedUntil: number;
  migratedTo: number | undefined;
  disabledReason: string | undefined;
  /** Last refusal, while the route is disabled. */
  refusedAt: number;
  readonly topics: Map<string, number>;
}

/** Budgets of all chats. Only the one leading outbox has it, so that its memory is the truth while it leads. */
export class Traffic {
  readonly #limits: Limits;
  readonly #chats = new Map<number, ChatTraffic>();
  #overall: number[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Reads what an earlier leader left: budgets, and bans that outlive a restart. What it was sending counts as sent now. */
  async load(q: Queryable, now: number): Promise<void> {
    this.#chats.clear();
    for (const [chat, state] of await chatStates(q)) this.#chats.set(chat, fromStore(state));
    for (const chat of await chatsSending(q)) {
      this.of(chat).sends.push(now);
      this.#overall.push(now);
    }
  }

  /** Reads one chat again: somebody else changed it (a person unblocked the bot, another process was asked to wait). */
  async reload(q: Queryable, chat: number): Promise<void> {
    const state = (await chatStates(q, [chat])).get(chat);
    if (state === undefined) return;
    const known = this.of(chat);
    known.disabledReason = state.disabledReason;
    known.blockedUntil = Math.max(known.blockedUntil, state.blockedUntil?.getTime() ?? 0);
    for (const [name, thread] of Object.entries(state.topics)) known.topics.set(name, thread);
  }

  /** Why something that waits in this chat since then was not sent before, as far as the chat is to blame. */
  reason(chat: number, since: number, now: number): 'flood' | 'budget' | undefined {
    const { blockedUntil, sends } = this.of(chat);
    if (blockedUntil > since) return 'flood';
    return isGroup(chat) && recentSends(sends, now).length * 2 >= this.#limits.perGroupPerMinute ? 'budget' : undefined;
  }

  of(chat: number): ChatTraffic {
    let traffic = this.#chats.get(chat);
    if (traffic === undefined) {
      traffic = {
        sends: [],
        blockedUntil: 0,
        migratedTo: undefined,
        disabledReason: undefined,
        refusedAt: 0,
        topics: new Map(),
      };
      this.#chats.set(chat, traffic);
    }
    return traffic;
  }

  decide(chat: number, priority: number, now: number): Decision {
    const { sends, blockedUntil } = this.of(chat);
    return decide(now, this.#limits, { group: isGroup(chat), sends, blockedUntil }, this.#overall, priority);
  }

  /**
   * Counted before the call: a message that perhaps arrived counts too. The answer is to be called when the call ended:
   * Telegram's window begins when the message arrived there, which is no later than that.
   */
  count(chat: number, clock: () => number): () => void {
    const traffic = this.of(chat);
    const began = clock();
    traffic.sends = [...recentSends(traffic.sends, began), began];
    this.#overall = [...recentSends(this.#overall, began), began];
    return () => {
      const ended = clock();
      const moved = (sends: readonly number[]): number[] => {
        const at = sends.lastIndexOf(began);
        return at < 0 ? [...sends, ended] : sends.with(at, ended);
      };
      traffic.sends = moved(traffic.sends);
      this.#overall = moved(this.#overall);
    };
  }

  isDisabled(chat: number, now: number): boolean {
    const { disabledReason, refusedAt } = this.of(chat);
    return disabledReason !== undefined && now - refusedAt < PROBE_MS;
  }

  /** Chats that not even a critical message may go to now, and the first instant at which one of them is free. */
  closed(now: number): { readonly chats: number[]; readonly until: number } {
    const chats: number[] = [];
    let until = Infinity;
    for (const chat of this.#chats.keys()) {
      const decision = this.decide(chat, PRIORITY.critical, now);
      if (decision.kind === 'send') continue;
      chats.push(chat);
      until = Math.min(until, decision.until);
    }
    return { chats, until };
  }
}

export const isGroup = (chat: number): boolean => chat < 0;

function fromStore(state: ChatState): ChatTraffic {
  return {
    sends: state.sends.map((at) => at.getTime()),
    blockedUntil: state.blockedUntil?.getTime() ?? 0,
    migratedTo: state.migratedTo,
    disabledReason: state.disabledReason,
    refusedAt: state.disabledAt?.getTime() ?? 0,
    topics: new Map(Object.entries(state.topics)),
  };
}
