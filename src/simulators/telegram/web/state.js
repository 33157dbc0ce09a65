/** @typedef {import('./types.js').World} World */
/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {import('./types.js').Person} Person */
/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').Message} Message */

/** Telegram's id of the topic "General"; requests and messages leave it out. */
const GENERAL = 1;

/**
 * What the page knows. Views read it and never change it; `app.js` changes it and draws again.
 * @typedef {{
 *   world: World, me: number, place: Place | undefined, online: boolean,
 *   messages: Map<string, Message[]>, complete: Set<string>,
 *   unread: Map<string, number>, unreadFrom: number | undefined,
 *   actions: Map<string, string>, pending: Set<string>, pinned: Message | undefined,
 * }} State
 */

/** @param {World} world @param {number} me @returns {State} */
export const initialState = (world, me) => ({
  world,
  me,
  place: undefined,
  online: true,
  messages: new Map(),
  complete: new Set(),
  unread: new Map(),
  unreadFrom: undefined,
  actions: new Map(),
  pending: new Set(),
  pinned: undefined,
});

/** @param {Place} place */
export const placeKey = ({ chat, thread }) => `${chat}:${thread}`;

/** @param {number} person @param {Place} place */
export const unreadKey = (person, place) => `${person}|${placeKey(place)}`;

/** @param {Place | undefined} a @param {Place | undefined} b */
export const samePlace = (a, b) => a?.chat === b?.chat && a?.thread === b?.thread;

/** The chats that a person sees: the own private one first, then the groups they are in. @param {World} world @param {number} person */
export const chatsOf = (world, person) =>
  world.chats
    .filter((chat) => (chat.type === 'private' ? chat.person === person : chat.members.includes(person)))
    .sort((a, b) => Number(b.type === 'private') - Number(a.type === 'private'));

/** @param {World} world @param {number} id */
export const chatById = (world, id) => world.chats.find((chat) => chat.id === id);

/** @param {World} world @param {number} id */
export const personById = (world, id) => world.people.find((person) => person.id === id);

/** A private chat is named after the other side, and for every one of the cast that is the bot. @param {World} world @param {Chat} chat */
export const chatTitle = (world, chat) => (chat.type === 'private' ? world.bot.first_name : chat.title);

/** The topics of a forum, General (thread 0) first; none for other chats. @param {Chat} chat @param {string} general its name */
export function topicsOf(chat, general) {
  if (!chat.forum) return [];
  const declared = chat.topics?.find((topic) => topic.thread_id === GENERAL);
  const others = (chat.topics ?? []).filter((topic) => topic.thread_id !== GENERAL);
  return [{ ...declared, thread_id: 0, name: general }, ...others];
}

/** @param {Chat} chat @returns {Place[]} */
export const placesOf = (chat) =>
  chat.forum
    ? topicsOf(chat, '').map((topic) => ({ chat: chat.id, thread: topic.thread_id }))
    : [{ chat: chat.id, thread: 0 }];

/** Where a message of this chat is shown. @param {Chat} chat @param {Message} message @returns {Place} */
export function placeOfMessage(chat, message) {
  const thread = message.message_thread_id ?? 0;
  return { chat: chat.id, thread: chat.forum && thread !== GENERAL ? thread : 0 };
}

/**
 * The list with the message in it, ascending by id; the same message replaces its older version.
 * @param {readonly Message[]} list @param {Message} message @returns {Message[]}
 */
export function upsert(list, message) {
  const index = list.findIndex((one) => one.message_id >= message.message_id);
  if (index < 0) return [...list, message];
  const replaced = list[index]?.message_id === message.message_id ? 1 : 0;
  return [...list.slice(0, index), message, ...list.slice(index + replaced)];
}

/**
 * The newest page with the older pages that were read before it. Without an overlap there may be a hole between them: then
 * only the newest counts, and the older are read again when somebody scrolls there.
 * @param {readonly Message[]} known @param {readonly Message[]} newest @returns {Message[]}
 */
export function joinPages(known, newest) {
  const first = newest[0]?.message_id;
  const overlap = first !== undefined && (known.at(-1)?.message_id ?? 0) >= first;
  return [...(overlap ? known.filter(({ message_id }) => message_id < first) : []), ...newest];
}

/** @param {State} state @param {number} chat @param {number} id @returns {Message | undefined} */
export function findMessage(state, chat, id) {
  for (const list of state.messages.values()) {
    const found = list.find((message) => message.message_id === id && message.chat.id === chat);
    if (found) return found;
  }
  return undefined;
}

/** Unread messages of one person, in one place or everywhere. @param {State} state @param {number} person @param {Place} [place] */
export function unreadOf(state, person, place) {
  if (place) return state.unread.get(unreadKey(person, place)) ?? 0;
  let sum = 0;
  for (const [key, count] of state.unread) if (key.startsWith(`${person}|`)) sum += count;
  return sum;
}

/** @param {Message} message */
export const isService = (message) =>
  Boolean(
    message.pinned_message ||
      message.forum_topic_created ||
      message.forum_topic_edited ||
      message.forum_topic_closed ||
      message.forum_topic_reopened ||
      message.new_chat_members ||
      message.left_chat_member ||
      message.new_chat_title ||
      message.migrate_to_chat_id ||
      message.migrate_from_chat_id,
  );

/**
 * What the message answers. Telegram gives the first message of a topic as the "reply" of all others in it: no quote then.
 * @param {Message} message @returns {Message | undefined}
 */
export function repliedTo(message) {
  const target = message.reply_to_message;
  return target && !target.forum_topic_created && target.message_id !== message.message_thread_id ? target : undefined;
}
