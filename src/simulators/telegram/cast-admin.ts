import { z } from 'zod';
import { type ChatState, chatObject, userObject } from './chats.ts';
import { FAULT_KINDS, type Faults } from './faults.ts';
import { botMember } from './methods/chat.ts';
import type { User } from './types.ts';
import type { World } from './world.ts';

const chat = z.number().int();
const fault = z.union([
  z.enum(FAULT_KINDS),
  z.object({ error_code: z.number().int(), description: z.string() }),
  z.object({ flood: z.number().positive() }),
]);
const probability = z.partialRecord(z.enum(FAULT_KINDS), z.number().min(0).max(1));

/** `POST /cast/admin`: what Telegram, the group's owner, or fate does. */
export const adminAction = z.discriminatedUnion('action', [
  z.object({ action: z.literal('delete_message'), chat, message_id: z.number().int() }),
  z.object({ action: z.literal('create_topic'), chat, name: z.string().min(1) }),
  z.object({ action: z.enum(['close_topic', 'reopen_topic', 'delete_topic']), chat, thread_id: z.number().int() }),
  z.object({ action: z.enum(['migrate', 'delete_chat', 'kick', 'leave', 'add_bot']), chat }),
  z.object({ action: z.enum(['block', 'unblock', 'deactivate', 'never_started']), person: z.number().int() }),
  z.object({
    action: z.literal('rights'),
    chat,
    rights: z.object({
      can_send_messages: z.boolean().optional(),
      can_send_media: z.boolean().optional(),
      can_pin_messages: z.boolean().optional(),
      can_manage_topics: z.boolean().optional(),
      can_delete_messages: z.boolean().optional(),
    }),
  }),
  z.object({ action: z.literal('advance'), ms: z.number().nonnegative() }),
  z.object({
    action: z.literal('fault'),
    method: z.string(),
    fault: z.union([fault, z.enum(['duplicate-update', 'late-update', 'double-press'])]),
    times: z.number().int().positive().optional(),
    chat: chat.optional(),
    delay_ms: z.number().positive().optional(),
  }),
  z.object({ action: z.literal('outage'), fault }),
  z.object({ action: z.literal('probability'), rates: probability, methods: z.array(z.string()).optional() }),
  z.object({ action: z.literal('clear_faults') }),
  z.object({ action: z.literal('restart') }),
]);
export type AdminAction = z.infer<typeof adminAction>;

/** Carries one action out; gives what the caller may want to know (the new chat's id, the topic's). */
export type CastAdmin = (action: AdminAction) => Promise<Record<string, unknown>>;

export function createAdmin(world: World, faults: Faults, restart: () => Promise<void>): CastAdmin {
  return async (action) => {
    switch (action.action) {
      case 'delete_message':
        world.remove(world.chat(action.chat), action.message_id);
        return {};
      case 'create_topic': {
        const where = world.chat(action.chat);
        return { thread_id: world.createTopic(where, someone(world, where), action.name).thread_id };
      }
      case 'close_topic':
      case 'reopen_topic':
      case 'delete_topic':
        changeTopic(world, action);
        return {};
      case 'migrate': {
        const where = world.chat(action.chat);
        return { chat: world.migrate(where, someone(world, where)).id };
      }
      case 'delete_chat':
        world.chat(action.chat).deleted = true;
        world.emit({ type: 'world', chat: action.chat });
        return {};
      case 'kick':
        return changeBot(world, world.chat(action.chat), (where) => void (where.bot = 'kicked'));
      case 'leave':
        return changeBot(world, world.chat(action.chat), (where) => void (where.bot = 'left'));
      case 'add_bot':
        return changeBot(world, world.chat(action.chat), (where) => void (where.bot = 'administrator'));
      case 'block':
        return changeBot(world, world.chat(action.person), (where) => void (where.blocked = true));
      case 'unblock':
        return changeBot(world, world.chat(action.person), (where) => void (where.blocked = false));
      case 'deactivate':
        world.chat(action.person).deactivated = true;
        return {};
      case 'never_started':
        world.chat(action.person).started = false;
        return {};
      case 'rights': {
        const where = world.chat(action.chat);
        const given = Object.entries(action.rights).filter(([, value]) => value !== undefined);
        where.rights = { ...where.rights, ...Object.fromEntries(given) };
        return {};
      }
      case 'advance':
        await advance(world, action.ms);
        return { now: world.clock.now().toISOString() };
      case 'fault':
        faults.next(action.method, action.fault, {
          ...(action.times === undefined ? {} : { times: action.times }),
          ...(action.chat === undefined ? {} : { chat: action.chat }),
          ...(action.delay_ms === undefined ? {} : { delayMs: action.delay_ms }),
        });
        return {};
      case 'outage':
        faults.outage(action.fault);
        return {};
      case 'probability':
        faults.probability(action.rates, action.methods);
        return {};
      case 'clear_faults':
        faults.clear();
        return {};
      case 'restart':
        await restart();
        return {};
    }
  };
}

/** The first member of the group acts for it. */
function someone(world: World, where: ChatState): User {
  for (const id of where.members) {
    const person = world.people.get(id);
    if (person !== undefined) return userObject(person);
  }
  return world.bot;
}

function changeTopic(
  world: World,
  action: { action: 'close_topic' | 'reopen_topic' | 'delete_topic'; chat: number; thread_id: number },
) {
  const where = world.chat(action.chat);
  const topic = where.topics.get(action.thread_id);
  if (topic === undefined) throw new RangeError(`there is no topic ${action.thread_id}`);
  if (action.action === 'delete_topic') world.deleteTopic(where, topic);
  else world.closeTopic(where, someone(world, where), topic, action.action === 'close_topic');
}

/** Changes the bot's standing in a chat and tells the bot by a `my_chat_member` update. */
function changeBot(world: World, where: ChatState, change: (where: ChatState) => void): Record<string, unknown> {
  const old = botMember(where, world.bot);
  change(where);
  world.updates.push(
    'my_chat_member',
    {
      chat: chatObject(where),
      from: where.person === undefined ? someone(world, where) : userObject(where.person),
      date: world.unixTime,
      old_chat_member: old,
      new_chat_member: botMember(where, world.bot),
    },
    where.id,
  );
  world.emit({ type: 'world', chat: where.id });
  return {};
}

async function advance(world: World, ms: number): Promise<void> {
  const { clock } = world;
  if (!('advance' in clock) || typeof clock.advance !== 'function') {
    throw new RangeError('the simulator runs on a real clock, which cannot be moved on');
  }
  await (clock.advance as (ms: number) => Promise<void>)(ms);
}
