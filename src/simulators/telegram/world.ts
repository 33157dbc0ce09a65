import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { badRequest } from './api-error.ts';
import {
  addTopic,
  type ChatState,
  chatObject,
  checkAccess,
  groupChat,
  privateChat,
  type Stored,
  type Topic,
  userObject,
} from './chats.ts';
import type { Params } from './params.ts';
import type {
  CallbackQuery,
  GroupSpec,
  InaccessibleMessage,
  InlineMarkup,
  Message,
  MessageContent,
  Person,
  User,
} from './types.ts';
import type { Updates } from './updates.ts';

/** What a client of the chat sees happen; the `type` values are those of `GET /cast/events`. */
export type WorldEvent =
  | { readonly type: 'message' | 'edit'; readonly chat: number; readonly message_id: number; readonly message: Message }
  | { readonly type: 'delete' | 'pin'; readonly chat: number; readonly message_id: number }
  | {
      readonly type: 'callback_answer';
      readonly chat: number;
      readonly message_id: number;
      readonly to: number;
      readonly text: string;
      readonly show_alert: boolean;
      readonly callback_query_id: string;
      readonly url?: string;
    }
  | { readonly type: 'chat_action'; readonly chat: number; readonly text: string; readonly thread?: number }
  | { readonly type: 'world'; readonly chat: number };

export interface OpenQuery {
  readonly query: CallbackQuery;
  readonly chat: number;
  readonly at: number;
}

/** A callback query can be answered for this long; the update itself is kept for longer (150 s). */
const ANSWER_WITHIN_MS = 15_000;
const DELETABLE_MS = 48 * 3_600_000;

/** Chats, messages and what happens in them. Knows nothing of HTTP and nothing of methods. */
export class World {
  readonly clock: Clock;
  readonly random: Random;
  readonly updates: Updates;
  readonly bot: User;
  /** `on`: in groups where it is a mere member, the bot sees only what speaks to it. */
  readonly privacy: 'on' | 'off';
  readonly people = new Map<number, Person>();
  readonly chats = new Map<number, ChatState>();
  readonly #queries = new Map<string, OpenQuery>();
  readonly #listeners = new Set<(event: WorldEvent) => void>();
  readonly #instance: string;

  constructor(options: {
    clock: Clock;
    random: Random;
    updates: Updates;
    bot: User;
    privacy: 'on' | 'off';
    cast: readonly Person[];
    chats: readonly GroupSpec[];
  }) {
    this.clock = options.clock;
    this.random = options.random;
    this.updates = options.updates;
    this.bot = options.bot;
    this.privacy = options.privacy;
    this.#instance = options.random.bytes(8).readBigUInt64BE().toString();
    for (const person of options.cast) {
      this.people.set(person.id, person);
      this.chats.set(person.id, privateChat(person));
    }
    for (const spec of options.chats) {
      const chat = groupChat(spec);
      this.chats.set(chat.id, chat);
    }
  }

  /** Unix time in seconds, as messages carry it. */
  get unixTime(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }

  subscribe(listener: (event: WorldEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: WorldEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  chat(id: number): ChatState {
    const chat = this.chats.get(id);
    if (chat === undefined) throw badRequest('chat not found');
    return chat;
  }

  /** The chat that `chat_id` names, which the bot must be able to reach. */
  target(params: Params): ChatState {
    const id = params.text('chat_id').trim();
    if (id === '') throw badRequest('chat_id is empty');
    if (!/^-?\d+$/.test(id)) throw badRequest('chat not found');
    const chat = this.chat(Number(id));
    checkAccess(chat);
    return chat;
  }

  /** Adds a message and tells everybody; `toBot` also makes an update of it. */
  post(
    chat: ChatState,
    from: User,
    content: MessageContent,
    options: { kind?: Stored['kind']; thread?: Topic | undefined; fixed?: boolean; toBot?: boolean } = {},
  ): Message {
    const message: Message = {
      message_id: ++chat.lastId,
      ...(options.thread === undefined ? {} : { message_thread_id: options.thread.thread_id, is_topic_message: true }),
      from,
      chat: chatObject(chat),
      date: this.unixTime,
      ...content,
    };
    chat.messages.set(message.message_id, {
      message,
      kind: options.kind ?? 'text',
      byBot: from.id === this.bot.id,
      fixed: options.fixed ?? false,
      version: 1,
    });
    this.emit({ type: 'message', chat: chat.id, message_id: message.message_id, message });
    if (options.toBot === true && (chat.bot === 'member' || chat.bot === 'administrator')) {
      this.updates.push('message', message, chat.id);
    }
    return message;
  }

  /** Replaces the content of a message; the keyboard is what `markup` says, none when undefined. */
  edit(chat: ChatState, stored: Stored, content: Partial<MessageContent>, markup: InlineMarkup | undefined): Message {
    const { reply_markup: _dropped, ...rest } = stored.message;
    const next: { -readonly [K in keyof Message]: Message[K] } = {
      ...rest,
      ...content,
      edit_date: this.unixTime,
      ...(markup === undefined ? {} : { reply_markup: markup }),
    };
    for (const field of Object.keys(next) as (keyof Message)[]) if (next[field] === undefined) delete next[field];
    stored.message = next;
    stored.version++;
    this.emit({ type: 'edit', chat: chat.id, message_id: next.message_id, message: next });
    return next;
  }

  remove(chat: ChatState, messageId: number): void {
    chat.messages.delete(messageId);
    const pin = chat.pinned.indexOf(messageId);
    if (pin >= 0) chat.pinned.splice(pin, 1);
    this.emit({ type: 'delete', chat: chat.id, message_id: messageId });
  }

  /** Whether the bot may delete it: younger than 48 h, and its own or with the right to. */
  deletable(chat: ChatState, stored: Stored): boolean {
    const age = this.clock.now().getTime() - stored.message.date * 1000;
    return age < DELETABLE_MS && (stored.byBot || chat.type === 'private' || chat.rights.can_delete_messages);
  }

  createTopic(chat: ChatState, by: User, name: string, color?: number): Topic {
    const topic = addTopic(chat, name, undefined, color);
    chat.lastId = topic.thread_id - 1;
    const created = { forum_topic_created: { name, icon_color: topic.icon_color } };
    this.post(chat, by, created, { kind: 'service', thread: topic, toBot: true });
    this.emit({ type: 'world', chat: chat.id });
    return topic;
  }

  closeTopic(chat: ChatState, by: User, topic: Topic, closed: boolean): void {
    topic.closed = closed;
    this.post(chat, by, closed ? { forum_topic_closed: {} } : { forum_topic_reopened: {} }, {
      kind: 'service',
      thread: topic,
      toBot: true,
    });
    this.emit({ type: 'world', chat: chat.id });
  }

  /** Deletes the topic with all its messages. */
  deleteTopic(chat: ChatState, topic: Topic): void {
    chat.topics.delete(topic.thread_id);
    for (const [id, { message }] of chat.messages)
      if (message.message_thread_id === topic.thread_id) this.remove(chat, id);
    this.emit({ type: 'world', chat: chat.id });
  }

  pin(chat: ChatState, by: User, stored: Stored): void {
    const { message } = stored;
    const at = chat.pinned.indexOf(message.message_id);
    if (at >= 0) chat.pinned.splice(at, 1);
    chat.pinned.push(message.message_id);
    const { reply_to_message: _nested, ...pinned } = message;
    const thread = message.message_thread_id === undefined ? undefined : chat.topics.get(message.message_thread_id);
    this.post(chat, by, { pinned_message: pinned }, { kind: 'service', thread, toBot: true });
    this.emit({ type: 'pin', chat: chat.id, message_id: message.message_id });
  }

  /** Opens a callback query and queues its update. A message that is gone comes as an inaccessible one. */
  press(chat: ChatState, person: Person, messageId: number, data: string): CallbackQuery {
    const gone: InaccessibleMessage = { chat: chatObject(chat), message_id: messageId, date: 0 };
    const query: CallbackQuery = {
      id: this.random.bytes(8).readBigUInt64BE().toString(),
      from: userObject(person),
      message: chat.messages.get(messageId)?.message ?? gone,
      chat_instance: `${this.#instance}${Math.abs(chat.id)}`,
      data,
    };
    this.#expireQueries();
    this.#queries.set(query.id, { query, chat: chat.id, at: this.clock.now().getTime() });
    this.updates.push('callback_query', query, chat.id);
    return query;
  }

  /** Answers a query once, in time; undefined when it is too old, unknown or answered already. */
  closeQuery(id: string): OpenQuery | undefined {
    this.#expireQueries();
    const open = this.#queries.get(id);
    this.#queries.delete(id);
    return open;
  }

  #expireQueries(): void {
    const oldest = this.clock.now().getTime() - ANSWER_WITHIN_MS;
    for (const [id, open] of this.#queries) {
      if (open.at >= oldest) break;
      this.#queries.delete(id);
    }
  }

  /** Turns a basic group into a supergroup: a new chat, service messages in both, the old one closed. */
  migrate(chat: ChatState, by: User): ChatState {
    if (chat.type !== 'group') throw badRequest('only a basic group becomes a supergroup');
    const next = groupChat({
      id: -1_000_000_000_000 - Math.abs(chat.id),
      title: chat.title,
      members: [...chat.members],
      admins: [...chat.admins],
      bot: chat.bot === 'administrator' ? 'administrator' : 'member',
      rights: chat.rights,
    });
    this.chats.set(next.id, next);
    this.post(chat, by, { migrate_to_chat_id: next.id }, { kind: 'service', toBot: true });
    chat.migratedTo = next.id;
    this.post(next, by, { migrate_from_chat_id: chat.id }, { kind: 'service', toBot: true });
    this.emit({ type: 'world', chat: next.id });
    return next;
  }
}
