import type { CastApi, ChatRef, PersonRef } from './cast-api.ts';
import type { ChatState, Stored } from './chats.ts';
import type { InlineButton, Message } from './types.ts';
import type { WorldEvent } from './world.ts';

/** A piece of the text (or caption), a pattern for it, or a predicate. */
export type Matcher = string | RegExp | ((message: Message) => boolean);
/** A piece of a button's label, a pattern for it, or a predicate. */
export type LabelMatcher = string | RegExp | ((button: InlineButton) => boolean);

export type CallbackAnswer = Extract<WorldEvent, { type: 'callback_answer' }>;

export interface Press {
  readonly callback_query_id: string;
  readonly message: Message;
  /** What the bot answered to the press (the toast); rejects when it does not in time. */
  answered(): Promise<CallbackAnswer>;
}

export interface WaitOptions {
  /** How long to wait in real time before giving up, in ms; default 45,000. */
  readonly timeoutMs?: number;
}

export interface ChatView {
  readonly id: number;
  /** Every message, oldest first. */
  messages(): readonly Message[];
  /** The newest message of the bot that matches; undefined when there is none. Does not count as looking. */
  find(matcher: Matcher): Message | undefined;
  /**
   * The next state of a bot's message that matches: one that no earlier `waitFor` has returned, so that two waits in a row
   * see a card's first and second state. Resolves at once when it is there already.
   */
  waitFor(matcher: Matcher, options?: WaitOptions): Promise<Message>;
  /** The chat as text, for error messages. */
  describe(): string;
}

export interface CastPerson {
  readonly id: number;
  readonly name: string;
  /** The private chat with the bot. */
  readonly chat: ChatView;
  /** Writes into the private chat, or into `chat`. */
  says(
    text: string,
    where?: { chat?: ChatRef; thread?: number; replyTo?: Message | number; anonymous?: boolean },
  ): Message;
  /**
   * Presses the button so labelled on the message `on`, or on the newest message that has it, waiting until there is one.
   * In the private chat, or in `chat`.
   */
  presses(label: LabelMatcher, where?: { on?: Message | Matcher; chat?: ChatRef } & WaitOptions): Promise<Press>;
  /** Sends any data from a message, as a modified client can. */
  forges(data: string, on: Message): Press;
  /** The menu of commands that the person sees. */
  commands(chat?: ChatRef): readonly { readonly command: string; readonly description: string }[];
}

export interface Stage {
  person(ref: PersonRef): CastPerson;
  chat(ref: ChatRef): ChatView;
  /** As `ChatView.waitFor`, in any chat. */
  waitFor(matcher: Matcher, options?: WaitOptions): Promise<Message>;
  /** Messages of the bot that no wait has returned and no press used, oldest first. */
  unseen(): readonly Message[];
  /** Counts what matches as looked at, also what is said later. */
  ignore(matcher: Matcher): void;
  /** Throws, with the texts, when the bot has said something that nobody waited for. */
  expectQuiet(): void;
}

/** The people and chats of a simulator, to write tests with: `alice.says('/backup')`, `await bob.presses('Approve')`. */
export function createStage(cast: CastApi): Stage {
  const seen = new Map<string, number>();
  const ignored: ((message: Message) => boolean)[] = [];
  const key = (message: Message) => `${message.chat.id}:${message.message_id}`;
  const look = (stored: Stored) => void seen.set(key(stored.message), stored.version);
  const allChats = () => cast.world().chats.map(({ id }) => cast.chat(id));

  const isFresh = (stored: Stored) => stored.byBot && stored.version > (seen.get(key(stored.message)) ?? 0);

  const fresh = (chats: readonly ChatState[], matches: (message: Message) => boolean): Stored | undefined => {
    for (const chat of chats) {
      for (const stored of chat.messages.values()) if (isFresh(stored) && matches(stored.message)) return stored;
    }
    return undefined;
  };

  const waitFor = async (
    chats: () => readonly ChatState[],
    matcher: Matcher,
    options: WaitOptions,
  ): Promise<Message> => {
    const matches = messageTest(matcher);
    // After the first look only what an event names is looked at: chats may hold ten thousands of messages.
    const named = (event: WorldEvent): Stored | undefined => {
      if (event.type !== 'message' && event.type !== 'edit') return undefined;
      const chat = chats().find(({ id }) => id === event.chat);
      const stored = chat?.messages.get(event.message_id);
      return stored !== undefined && isFresh(stored) && matches(stored.message) ? stored : undefined;
    };
    const stored = await until(
      cast,
      () => fresh(chats(), matches),
      named,
      options,
      () => failed(String(matcher), chats()),
    );
    look(stored);
    return stored.message;
  };

  const chatView = (ref: ChatRef): ChatView => {
    const state = cast.chat(ref);
    return {
      id: state.id,
      messages: () => all(state),
      find: (matcher) => newest(state, messageTest(matcher)),
      waitFor: (matcher, options = {}) => waitFor(() => [state], matcher, options),
      describe: () => describe(state),
    };
  };

  const person = (ref: PersonRef): CastPerson => {
    const who = cast.person(ref);

    const press = (
      message: Message,
      target: { row: number; col: number } | { data: string },
      options: WaitOptions,
    ): Press => {
      let answer: CallbackAnswer | undefined;
      const { callback_query_id } = cast.press({
        as: who.id,
        chat: message.chat.id,
        message_id: message.message_id,
        ...target,
      });
      const unsubscribe = cast.subscribe((event) => {
        if (event.type !== 'callback_answer' || event.callback_query_id !== callback_query_id) return;
        answer = event;
        unsubscribe();
      });
      const state = cast.chat(message.chat.id);
      const stored = state.messages.get(message.message_id);
      if (stored !== undefined && !seen.has(key(stored.message))) look(stored);
      return {
        callback_query_id,
        message,
        answered: () =>
          until(
            cast,
            () => answer,
            () => answer,
            options,
            () => failed(`an answer to ${who.first_name}'s press`, [state]),
          ),
      };
    };

    return {
      id: who.id,
      name: who.first_name,
      chat: chatView(who.id),
      says: (text, where = {}) =>
        cast.say({
          as: who.id,
          chat: where.chat ?? who.id,
          text,
          thread: where.thread,
          reply_to: typeof where.replyTo === 'object' ? where.replyTo.message_id : where.replyTo,
          anonymous: where.anonymous,
        }),
      presses: async (label, where = {}) => {
        const on = where.on;
        const state = cast.chat(typeof on === 'object' && 'chat' in on ? on.chat.id : (where.chat ?? who.id));
        const isTarget = targetTest(on);
        const find = () => findButton(state, isTarget, labelTest(label));
        const found = await until(cast, find, find, where, () => failed(`a button ${String(label)}`, [state]));
        return press(found.message, { row: found.row, col: found.col }, where);
      },
      forges: (data, on) => press(on, { data }, {}),
      commands: (chat) => cast.commands(who.id, chat ?? who.id),
    };
  };

  const unseen = () =>
    allChats().flatMap((chat) =>
      [...chat.messages.values()]
        .filter((stored) => stored.byBot && stored.kind !== 'service' && !seen.has(key(stored.message)))
        .map((stored) => stored.message)
        .filter((message) => !ignored.some((matches) => matches(message))),
    );

  return {
    person,
    chat: chatView,
    waitFor: (matcher, options = {}) => waitFor(allChats, matcher, options),
    unseen,
    ignore: (matcher) => {
      const matches = messageTest(matcher);
      ignored.push(matches);
      for (const chat of allChats())
        for (const stored of chat.messages.values()) if (matches(stored.message)) look(stored);
    },
    expectQuiet: () => {
      const rest = unseen();
      if (rest.length > 0)
        throw new Error(`the bot said what nobody expected:\n${rest.map(describeMessage).join('\n')}`);
    },
  };
}

const all = (chat: ChatState): readonly Message[] => [...chat.messages.values()].map((stored) => stored.message);

function newest(chat: ChatState, matches: (message: Message) => boolean): Message | undefined {
  return [...chat.messages.values()].findLast((stored) => stored.byBot && matches(stored.message))?.message;
}

function messageTest(matcher: Matcher): (message: Message) => boolean {
  if (typeof matcher === 'function') return matcher;
  const text = (message: Message) => message.text ?? message.caption ?? '';
  return typeof matcher === 'string'
    ? (message) => text(message).includes(matcher)
    : (message) => matcher.test(text(message));
}

function labelTest(matcher: LabelMatcher): (button: InlineButton) => boolean {
  if (typeof matcher === 'function') return matcher;
  return typeof matcher === 'string' ? ({ text }) => text.includes(matcher) : ({ text }) => matcher.test(text);
}

function targetTest(on: Message | Matcher | undefined): (message: Message) => boolean {
  if (on === undefined) return () => true;
  if (typeof on === 'object' && 'message_id' in on) return (message) => message.message_id === on.message_id;
  return messageTest(on);
}

/** The newest live button of that label; inert ones do not count, for they cannot be pressed. */
function findButton(
  chat: ChatState,
  isTarget: (message: Message) => boolean,
  isLabel: (button: InlineButton) => boolean,
) {
  for (const message of all(chat).toReversed()) {
    if (!isTarget(message)) continue;
    for (const [row, buttons] of (message.reply_markup?.inline_keyboard ?? []).entries()) {
      const col = buttons.findIndex((button) => button.disabled === undefined && isLabel(button));
      if (col >= 0) return { message, row, col };
    }
  }
  return undefined;
}

/** Looks now, and again at every event, until there is something or the time is over. */
function until<T>(
  cast: CastApi,
  look: () => T | undefined,
  lookAt: (event: WorldEvent) => T | undefined,
  { timeoutMs = 45_000 }: WaitOptions,
  error: () => Error,
): Promise<T> {
  const now = look();
  if (now !== undefined) return Promise.resolve(now);
  return new Promise((resolve, reject) => {
    // Real time: it only bounds how long a failing test hangs.
    const timer = setTimeout(() => {
      unsubscribe();
      reject(error());
    }, timeoutMs);
    const unsubscribe = cast.subscribe((event) => {
      const found = lookAt(event);
      if (found === undefined) return;
      unsubscribe();
      clearTimeout(timer);
      resolve(found);
    });
  });
}

const failed = (what: string, chats: readonly ChatState[]): Error =>
  new Error(
    `waited in vain for ${what}\n${chats
      .filter((chat) => chat.messages.size > 0 || chats.length === 1)
      .map(describe)
      .join('\n')}`,
  );

/** The last 15 messages of a chat, buttons in brackets. */
function describe(chat: ChatState): string {
  const lines = all(chat).slice(-15).map(describeMessage);
  return [`— ${chat.title} (${chat.id}) —`, ...(lines.length === 0 ? ['(empty)'] : lines)].join('\n');
}

function describeMessage(message: Message): string {
  const name = message.from?.first_name ?? '';
  const text = message.text ?? message.caption ?? (message.pinned_message ? '(pinned a message)' : '(service message)');
  const buttons = (message.reply_markup?.inline_keyboard ?? []).map(
    (row) =>
      `    ${row.map((button) => `[${button.text}${button.disabled === undefined ? '' : ' (inert)'}]`).join(' ')}`,
  );
  const thread = message.message_thread_id === undefined ? '' : ` in topic ${message.message_thread_id}`;
  return [
    `${message.message_id}${thread} ${name}: ${text}${message.edit_date === undefined ? '' : ' (edited)'}`,
    ...buttons,
  ].join('\n');
}
