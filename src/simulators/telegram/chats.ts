import { ApiError, badRequest, forbidden } from './api-error.ts';
import type { BotRights, Chat, ChatType, GroupSpec, Message, Person, User } from './types.ts';

export interface Topic {
  readonly thread_id: number;
  readonly icon_color: number;
  name: string;
  closed: boolean;
}

/** A message as the chat keeps it; `message` is replaced, never changed, by an edit. */
export interface Stored {
  message: Message;
  /** A text becomes a picture by an edit. */
  kind: 'text' | 'media' | 'service';
  readonly byBot: boolean;
  /** Carries a reply keyboard or a forced reply, and so cannot be edited. */
  readonly fixed: boolean;
  /** 1 when sent, one more with each edit. */
  version: number;
}

export interface ChatState {
  readonly id: number;
  readonly type: ChatType;
  readonly title: string;
  readonly person?: Person;
  readonly forum: boolean;
  readonly topics: Map<number, Topic>;
  readonly members: Set<number>;
  readonly admins: Set<number>;
  readonly messages: Map<number, Stored>;
  readonly pinned: number[];
  lastId: number;
  bot: 'administrator' | 'member' | 'left' | 'kicked';
  rights: BotRights;
  deleted: boolean;
  migratedTo?: number;
  blocked: boolean;
  deactivated: boolean;
  started: boolean;
}

const ALL_RIGHTS: BotRights = {
  can_send_messages: true,
  can_send_media: true,
  can_pin_messages: true,
  can_manage_topics: true,
  can_delete_messages: true,
};

const TOPIC_COLOR = 0x6fb9f0;

export function privateChat(person: Person): ChatState {
  return {
    ...emptyChat(person.id, 'private', person.first_name, false),
    person,
    members: new Set([person.id]),
    bot: 'member',
    started: person.started ?? true,
  };
}

export function groupChat(spec: GroupSpec): ChatState {
  const bot = spec.bot ?? 'administrator';
  const chat: ChatState = {
    ...emptyChat(spec.id, spec.type ?? 'supergroup', spec.title, spec.forum ?? false),
    members: new Set(spec.members),
    admins: new Set(spec.admins ?? []),
    bot,
    rights: {
      ...ALL_RIGHTS,
      // An ordinary member may write, but needs to be made an administrator for the rest.
      ...(bot === 'member' ? { can_pin_messages: false, can_manage_topics: false, can_delete_messages: false } : {}),
      ...spec.rights,
    },
  };
  // The first message of a forum is General's own: no topic has its number.
  if (chat.forum) chat.lastId = 1;
  for (const topic of spec.topics ?? []) addTopic(chat, topic.name, topic.thread_id);
  return chat;
}

const emptyChat = (id: number, type: ChatType, title: string, forum: boolean): ChatState => ({
  id,
  type,
  title,
  forum,
  topics: new Map(),
  members: new Set(),
  admins: new Set(),
  messages: new Map(),
  pinned: [],
  lastId: 0,
  bot: 'member',
  rights: ALL_RIGHTS,
  deleted: false,
  blocked: false,
  deactivated: false,
  started: true,
});

/** A topic is named by the message that created it; `threadId` keeps a number that the caller chose. */
export function addTopic(chat: ChatState, name: string, threadId?: number, color?: number): Topic {
  const thread_id = threadId ?? chat.lastId + 1;
  chat.lastId = Math.max(chat.lastId, thread_id);
  const topic: Topic = { thread_id, name, icon_color: color ?? TOPIC_COLOR, closed: false };
  chat.topics.set(thread_id, topic);
  return topic;
}

/** The chat as messages carry it. */
export function chatObject(chat: ChatState): Chat {
  const { person } = chat;
  if (person !== undefined)
    return { id: chat.id, type: 'private', first_name: person.first_name, username: person.username };
  return { id: chat.id, type: chat.type, title: chat.title, ...(chat.forum ? { is_forum: true } : {}) };
}

/** The person as a Telegram user: without role and colour, of which Telegram knows nothing. */
export function userObject(person: Person): User {
  const { id, first_name, username, language_code } = person;
  return { id, is_bot: false, first_name, username, language_code };
}

/** Throws what the bot gets when it may not reach the chat. */
export function checkAccess(chat: ChatState): void {
  if (chat.migratedTo !== undefined) {
    throw new ApiError(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
      migrate_to_chat_id: chat.migratedTo,
    });
  }
  if (chat.type === 'private') {
    if (chat.deactivated) throw forbidden('user is deactivated');
    if (!chat.started) throw forbidden("bot can't initiate conversation with a user");
    if (chat.blocked) throw forbidden('bot was blocked by the user');
    return;
  }
  const kind = chat.type === 'supergroup' ? 'supergroup' : 'group';
  if (chat.deleted) throw forbidden('the group chat was deleted');
  if (chat.bot === 'kicked') throw forbidden(`bot was kicked from the ${kind} chat`);
  if (chat.bot === 'left') throw forbidden(`bot is not a member of the ${kind} chat`);
}

/** The topic to write into; undefined for General and for chats without topics. */
export function checkThread(chat: ChatState, threadId: number): Topic | undefined {
  if (threadId === 0) return undefined;
  const topic = chat.topics.get(threadId);
  if (topic === undefined) throw badRequest('message thread not found');
  if (topic.closed) throw badRequest('TOPIC_CLOSED');
  return topic;
}

/** `what` completes "not enough rights to …". */
export function checkRight(chat: ChatState, right: keyof BotRights, what: string): void {
  if (chat.type !== 'private' && !chat.rights[right]) throw badRequest(`not enough rights to ${what}`);
}
