import { codePoints } from '../code-points.ts';
import { badRequest } from '../api-error.ts';
import { type ChatState, chatObject, checkRight, type Topic, userObject } from '../chats.ts';
import type { Params } from '../params.ts';
import type { User } from '../types.ts';
import type { World } from '../world.ts';
import type { Methods } from './define.ts';

export const chatMethods: Methods = {
  getChat: ({ world }, params) => {
    const chat = world.target(params);
    const pinned = chat.messages.get(chat.pinned.at(-1) ?? 0)?.message;
    return {
      ...chatObject(chat),
      accent_color_id: Math.abs(chat.id) % 7,
      max_reaction_count: 11,
      accepted_gift_types: {
        unlimited_gifts: false,
        limited_gifts: false,
        unique_gifts: false,
        premium_subscription: false,
        gifts_from_channels: false,
      },
      ...(pinned === undefined ? {} : { pinned_message: pinned }),
    };
  },

  getChatMember: ({ world }, params) => {
    const chat = world.target(params);
    return memberOf(world, chat, params.integer('user_id'));
  },

  pinChatMessage: ({ world, flood }, params) => {
    const chat = world.target(params);
    checkRight(chat, 'can_pin_messages', 'manage pinned messages in the chat');
    flood.respect(chat.id);
    const stored = chat.messages.get(params.integer('message_id'));
    if (stored === undefined || stored.kind === 'service') throw badRequest('message to pin not found');
    world.pin(chat, world.bot, stored);
    return true;
  },

  unpinChatMessage: ({ world, flood }, params) => {
    const chat = world.target(params);
    checkRight(chat, 'can_pin_messages', 'manage pinned messages in the chat');
    flood.respect(chat.id);
    const id = params.has('message_id') ? params.integer('message_id') : chat.pinned.at(-1);
    const at = id === undefined ? -1 : chat.pinned.indexOf(id);
    if (id === undefined || at < 0) throw badRequest('message to unpin not found');
    chat.pinned.splice(at, 1);
    world.emit({ type: 'pin', chat: chat.id, message_id: id });
    return true;
  },

  unpinAllChatMessages: ({ world, flood }, params) => {
    const chat = world.target(params);
    checkRight(chat, 'can_pin_messages', 'manage pinned messages in the chat');
    flood.respect(chat.id);
    chat.pinned.splice(0);
    world.emit({ type: 'world', chat: chat.id });
    return true;
  },

  createForumTopic: ({ world, flood }, params) => {
    const chat = forum(world, params);
    checkRight(chat, 'can_manage_topics', 'create a topic');
    const name = topicName(params.text('name'));
    flood.spend(chat.id);
    const topic = world.createTopic(
      chat,
      world.bot,
      name,
      params.has('icon_color') ? params.integer('icon_color') : undefined,
    );
    return { message_thread_id: topic.thread_id, name: topic.name, icon_color: topic.icon_color };
  },

  editForumTopic: ({ world, flood }, params) => {
    const [chat, topic] = topicOf(world, params);
    checkRight(chat, 'can_manage_topics', 'edit the topic');
    flood.spend(chat.id);
    const name = params.has('name') && params.text('name') !== '' ? topicName(params.text('name')) : topic.name;
    if (name === topic.name) throw badRequest('TOPIC_NOT_MODIFIED');
    topic.name = name;
    world.post(chat, world.bot, { forum_topic_edited: { name } }, { kind: 'service', thread: topic, toBot: true });
    world.emit({ type: 'world', chat: chat.id });
    return true;
  },

  closeForumTopic: ({ world, flood }, params) => setClosed(world, params, true, (id) => flood.respect(id)),
  reopenForumTopic: ({ world, flood }, params) => setClosed(world, params, false, (id) => flood.respect(id)),

  deleteForumTopic: ({ world, flood }, params) => {
    const [chat, topic] = topicOf(world, params);
    checkRight(chat, 'can_delete_messages', 'delete the topic');
    flood.respect(chat.id);
    world.deleteTopic(chat, topic);
    return true;
  },

  leaveChat: ({ world }, params) => {
    const chat = world.target(params);
    if (chat.type === 'private') throw badRequest("chat member status can't be changed in private chats");
    chat.bot = 'left';
    world.emit({ type: 'world', chat: chat.id });
    return true;
  },
};

function setClosed(world: World, params: Params, closed: boolean, respect: (chat: number) => void): true {
  const [chat, topic] = topicOf(world, params);
  checkRight(chat, 'can_manage_topics', closed ? 'close the topic' : 'reopen the topic');
  respect(chat.id);
  if (topic.closed === closed) throw badRequest('TOPIC_NOT_MODIFIED');
  world.closeTopic(chat, world.bot, topic, closed);
  return true;
}

function forum(world: World, params: Params): ChatState {
  const chat = world.target(params);
  if (!chat.forum) throw badRequest('the chat is not a forum');
  return chat;
}

function topicOf(world: World, params: Params): [ChatState, Topic] {
  const chat = forum(world, params);
  const topic = chat.topics.get(params.integer('message_thread_id'));
  if (topic === undefined) throw badRequest('message thread not found');
  return [chat, topic];
}

function topicName(raw: string): string {
  const name = raw.trim();
  if (name === '' || codePoints(name) > 128) throw badRequest('TOPIC_TITLE_EMPTY');
  return name;
}

function memberOf(world: World, chat: ChatState, userId: number): object {
  if (userId === world.bot.id) return botMember(chat, world.bot);
  const person = world.people.get(userId);
  if (person === undefined) throw badRequest('user not found');
  const user = userObject(person);
  if (!chat.members.has(userId)) return { status: 'left', user };
  return chat.admins.has(userId) ? administrator(user, true) : { status: 'member', user };
}

/** The bot as a ChatMember of the chat. */
export function botMember(chat: ChatState, bot: User): object {
  if (chat.blocked || chat.bot === 'kicked') return { status: 'kicked', user: bot, until_date: 0 };
  if (chat.bot === 'administrator') return { ...administrator(bot, chat.rights.can_delete_messages), ...pick(chat) };
  return { status: chat.bot, user: bot };
}

const pick = ({ rights }: ChatState) => ({
  can_pin_messages: rights.can_pin_messages,
  can_manage_topics: rights.can_manage_topics,
});

const administrator = (user: User, canDelete: boolean) => ({
  status: 'administrator',
  user,
  can_be_edited: false,
  is_anonymous: false,
  can_manage_chat: true,
  can_delete_messages: canDelete,
  can_manage_video_chats: false,
  can_restrict_members: false,
  can_promote_members: false,
  can_change_info: false,
  can_invite_users: true,
  can_post_stories: false,
  can_edit_stories: false,
  can_delete_stories: false,
});
