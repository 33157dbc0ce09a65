import { codePoints } from './code-points.ts';
import { type ChatState, chatObject, type Stored, type Topic, userObject } from './chats.ts';
import type { CastAdmin } from './cast-admin.ts';
import { addresses, findEntities } from './entities.ts';
import type { Faults } from './faults.ts';
import type { Files, StoredFile } from './files.ts';
import { replyContent } from './methods/send.ts';
import type { BotCommand, Profile } from './profile.ts';
import type { CallbackQuery, Message, MessageContent, Person, User } from './types.ts';
import type { World, WorldEvent } from './world.ts';

/** A request of the cast that cannot be: the person is not there, the button is not there. */
export class CastError extends Error {
  readonly status: 400 | 403 | 404;

  constructor(status: 400 | 403 | 404, message: string) {
    super(message);
    this.status = status;
  }
}

/** One of the cast, by id or by user name. */
export type PersonRef = number | string;
/** A chat by id, or a group by its title. */
export type ChatRef = number | string;

export interface CastChat {
  readonly id: number;
  readonly type: 'private' | 'group' | 'supergroup';
  readonly title: string;
  readonly person?: number;
  readonly forum?: true;
  readonly topics?: readonly { readonly thread_id: number; readonly name: string; readonly closed: boolean }[];
  readonly members: readonly number[];
  readonly last?: { readonly message_id: number; readonly text: string; readonly date: number };
  readonly pinned?: number;
}

export interface CastWorld {
  readonly now: string;
  readonly bot: User;
  readonly people: readonly Omit<Person, 'started'>[];
  readonly chats: readonly CastChat[];
}

export interface SayRequest {
  readonly as: PersonRef;
  readonly chat: ChatRef;
  readonly thread?: number | undefined;
  readonly text: string;
  readonly reply_to?: number | undefined;
  /** Write as the anonymous administrator of a group. */
  readonly anonymous?: boolean | undefined;
}

export interface PressRequest {
  readonly as: PersonRef;
  readonly chat: ChatRef;
  readonly message_id: number;
  readonly row?: number | undefined;
  readonly col?: number | undefined;
  /** Any data, as a modified client can send: no button needs to carry it. */
  readonly data?: string | undefined;
}

/** The people's side of the chat: what they see, say and press. The same functions stand behind `/cast/…`. */
export interface CastApi {
  world(): CastWorld;
  commands(as: PersonRef, chat: ChatRef): readonly BotCommand[];
  /** The newest 100, or the 100 before `before`; oldest first. */
  messages(request: { as: PersonRef; chat: ChatRef; thread?: number | undefined; before?: number | undefined }): {
    messages: readonly Message[];
  };
  say(request: SayRequest): Message;
  press(request: PressRequest): { callback_query_id: string };
  file(id: string): StoredFile | undefined;
  /** The chat's own records; for tests. */
  chat(ref: ChatRef): ChatState;
  person(ref: PersonRef): Person;
  subscribe(listener: (event: WorldEvent) => void): () => void;
  readonly admin: CastAdmin;
}

const PAGE = 100;
const ANONYMOUS: User = { id: 1_087_968_824, is_bot: true, first_name: 'Group', username: 'GroupAnonymousBot' };

export function createCastApi(options: {
  world: World;
  files: Files;
  profile: Profile;
  faults: Faults;
  admin: CastAdmin;
}): CastApi {
  const { world, files, profile, faults } = options;

  const person = (ref: PersonRef): Person => {
    const byId = world.people.get(Number(ref));
    if (byId !== undefined) return byId;
    for (const one of world.people.values()) if (one.username === ref) return one;
    throw new CastError(404, `nobody in the cast is called ${ref}`);
  };

  const chat = (ref: ChatRef): ChatState => {
    const byId = world.chats.get(Number(ref));
    if (byId !== undefined) return byId;
    for (const one of world.chats.values()) if (one.title === ref) return one;
    throw new CastError(404, `there is no chat ${ref}`);
  };

  const present = (who: Person, where: ChatState): void => {
    if (!where.members.has(who.id)) throw new CastError(403, `${who.first_name} is not in "${where.title}"`);
  };

  return {
    world: () => ({
      now: world.clock.now().toISOString(),
      bot: world.bot,
      people: [...world.people.values()].map(({ started: _private, ...shown }) => shown),
      chats: [...world.chats.values()].filter((one) => !one.deleted && one.migratedTo === undefined).map(describeChat),
    }),

    commands: (as, ref) => {
      const who = person(as);
      return profile.commandsFor(chat(ref), who.id, who.language_code);
    },

    messages: ({ as, chat: ref, thread, before }) => {
      const who = person(as);
      const where = chat(ref);
      present(who, where);
      const all = [...where.messages.values()].map(({ message }) => message);
      const shown = all.filter(
        (message) =>
          (before === undefined || message.message_id < before) &&
          (thread === undefined || (message.message_thread_id ?? 0) === thread),
      );
      return { messages: shown.slice(-PAGE) };
    },

    say: (request) => {
      const who = person(request.as);
      const where = chat(request.chat);
      present(who, where);
      return say(world, who, where, request);
    },

    press: (request) => {
      const who = person(request.as);
      const where = chat(request.chat);
      present(who, where);
      const data = request.data ?? buttonData(where, request);
      const query: CallbackQuery = world.press(where, who, request.message_id, data);
      if (faults.takeDoublePress()) world.press(where, who, request.message_id, data);
      return { callback_query_id: query.id };
    },

    file: (id) => files.get(id),
    chat,
    person,
    subscribe: (listener) => world.subscribe(listener),
    admin: options.admin,
  };
}

function describeChat(chat: ChatState): CastChat {
  const last = lastMessage(chat);
  const pinned = chat.pinned.at(-1);
  return {
    id: chat.id,
    type: chat.type,
    title: chat.title,
    ...(chat.person === undefined ? {} : { person: chat.person.id }),
    ...(chat.forum
      ? {
          forum: true,
          topics: [...chat.topics.values()].map(({ thread_id, name, closed }) => ({ thread_id, name, closed })),
        }
      : {}),
    members: [...chat.members],
    ...(last === undefined ? {} : { last: { message_id: last.message_id, text: preview(last), date: last.date } }),
    ...(pinned === undefined ? {} : { pinned }),
  };
}

function lastMessage(chat: ChatState): Message | undefined {
  for (let id = chat.lastId; id > 0 && chat.messages.size > 0; id--) {
    const found = chat.messages.get(id);
    if (found !== undefined) return found.message;
  }
  return undefined;
}

function preview(message: Message): string {
  const text = message.text ?? message.caption ?? message.document?.file_name ?? '';
  return Array.from(text.split('\n')[0] ?? '')
    .slice(0, 80)
    .join('');
}

function say(world: World, who: Person, where: ChatState, request: SayRequest): Message {
  if (where.deleted || where.migratedTo !== undefined) throw new CastError(400, `"${where.title}" is closed`);
  if (where.blocked) throw new CastError(400, `${who.first_name} has blocked the bot: unblock it first`);
  const text = request.text.trim();
  if (text === '') throw new CastError(400, 'an empty message cannot be sent');
  if (codePoints(text) > 4096) throw new CastError(400, 'a message holds 4096 characters at most');
  const topic = topicFor(where, request.thread);
  const reply = request.reply_to === undefined ? undefined : where.messages.get(request.reply_to);
  if (request.reply_to !== undefined && reply === undefined)
    throw new CastError(404, 'the message to reply to is gone');
  where.started = true;
  const entities = findEntities(text).toSorted((a, b) => a.offset - b.offset);
  const content: MessageContent = {
    text,
    ...(entities.length === 0 ? {} : { entities }),
    ...replyContent(reply),
    ...(request.anonymous === true ? { sender_chat: chatObject(where) } : {}),
  };
  const from = request.anonymous === true ? ANONYMOUS : userObject(who);
  return world.post(where, from, content, { thread: topic, toBot: botSees(world, where, content, reply) });
}

function topicFor(where: ChatState, thread: number | undefined): Topic | undefined {
  if (thread === undefined || thread === 0) return undefined;
  const topic = where.topics.get(thread);
  if (topic === undefined) throw new CastError(404, `there is no topic ${thread} in "${where.title}"`);
  if (topic.closed) throw new CastError(400, `the topic "${topic.name}" is closed`);
  return topic;
}

/** Privacy mode: an administrator sees everything, a member only what speaks to the bot. */
function botSees(world: World, where: ChatState, content: MessageContent, reply: Stored | undefined): boolean {
  if (where.type === 'private' || where.bot === 'administrator' || world.privacy === 'off') return true;
  return reply?.byBot === true || addresses(content.text ?? '', content.entities ?? [], world.bot);
}

function buttonData(where: ChatState, { message_id, row, col }: PressRequest): string {
  const message = where.messages.get(message_id)?.message;
  if (message === undefined) throw new CastError(404, `message ${message_id} is not in "${where.title}"`);
  const button = message.reply_markup?.inline_keyboard[row ?? -1]?.[col ?? -1];
  if (button === undefined)
    throw new CastError(404, `message ${message_id} has no button at row ${row}, column ${col}`);
  if (button.disabled !== undefined) throw new CastError(400, `the button "${button.text}" is inert`);
  if (button.callback_data === undefined) throw new CastError(400, `the button "${button.text}" does not call the bot`);
  return button.callback_data;
}
