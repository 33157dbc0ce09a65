import type { Config } from '../../config/schema.ts';
import { type Clock, hours, minutes, seconds } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Queryable } from '../../store/db.ts';
import { claimTopic, forgetTopic, refuseTopic, releaseTopic, setTopic } from '../../store/topics.ts';
import { firstCodePoints, visibleLine } from '../render/text.ts';
import { classify, loggable } from './classify.ts';
import { topicName } from './notes.ts';
import type { Sender } from './sender.ts';
import type { Traffic } from './traffic.ts';

/** Topics of forums by name: those of the configuration, and those that Vakhta makes. */
export interface Topics {
  /** The thread that a configured one leads to now: its topic may have been made again. */
  known(chat: number, thread: number | undefined): number | undefined;
  /** The thread of a topic; one that is missing is made. `none`: it may not be made, General has to do. */
  find(chat: number, name: string): Promise<Found>;
  /** Telegram does not know the thread any more: another topic of that name is made. */
  replace(chat: number, name: string, gone: number | undefined): Promise<Found>;
}

export type Found =
  | { readonly kind: 'thread'; readonly thread: number }
  /** It was just made, which was a message of the chat's budget, or somebody else is making it: ask again then. */
  | { readonly kind: 'wait'; readonly until: Date }
  | { readonly kind: 'none' };

/** Telegram takes no longer names. */
const MAX_NAME = 128;
/** Whoever makes a topic has this long to say so: longer than a call takes. */
const CLAIM_MS = seconds(60);
const LOOK_AGAIN_MS = seconds(2);
/** After a refusal somebody has to change a right first. */
const REFUSED_MS = hours(1);
/** The call broke off: the topic may be there without anybody knowing its thread. */
const UNKNOWN_MS = minutes(10);

export function createTopics(options: {
  readonly db: Queryable;
  readonly config: Config;
  readonly sender: Pick<Sender, 'createTopic'>;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly log: Log;
}): Topics {
  const { db, config, sender, traffic, clock, log } = options;
  const time = (): number => clock.now().getTime();
  const configured = (chat: number, name: string): number | undefined =>
    config.chats.find((one) => one.chatId === chat)?.topics[name];

  const make = async (chat: number, name: string): Promise<Found> => {
    const now = clock.now();
    const claim = await claimTopic(db, chat, name, now, new Date(now.getTime() + CLAIM_MS));
    if (claim.kind === 'refused') return { kind: 'none' };
    // Somebody else may have made it just now, and given back the claim.
    await traffic.reload(db, chat);
    const thread = traffic.of(chat).topics.get(name);
    if (thread !== undefined) {
      if (claim.kind === 'mine') await releaseTopic(db, chat, name);
      return { kind: 'thread', thread };
    }
    if (claim.kind === 'taken') {
      const until = Math.min(Math.max(claim.until.getTime(), time() + 100), time() + LOOK_AGAIN_MS);
      return { kind: 'wait', until: new Date(until) };
    }
    try {
      const arrived = traffic.count(chat, time);
      const made = await sender.createTopic(chat, name).finally(arrived);
      await setTopic(db, chat, name, made);
      traffic.of(chat).topics.set(name, made);
      log.info({ chat, topic: name, thread: made }, 'a topic was made');
      return { kind: 'wait', until: clock.now() };
    } catch (error) {
      const failure = classify(error);
      if (['flood', 'unsent', 'unauthorized', 'migrated'].includes(failure.kind)) {
        await releaseTopic(db, chat, name);
        throw error;
      }
      const isUnknown = failure.kind === 'unknown';
      await refuseTopic(db, chat, name, new Date(time() + (isUnknown ? UNKNOWN_MS : REFUSED_MS)));
      log.warn({ ...loggable(error), chat, topic: name }, 'a topic could not be made: messages go to General');
      return { kind: 'none' };
    }
  };

  return {
    known: (chat, thread) => {
      if (thread === undefined) return undefined;
      return traffic.of(chat).topics.get(topicName(config, chat, thread) ?? String(thread)) ?? thread;
    },
    find: async (chat, name) => {
      const clean = cleanTopic(name);
      if (clean === undefined) return { kind: 'none' };
      const thread = traffic.of(chat).topics.get(clean) ?? configured(chat, clean);
      return thread === undefined ? make(chat, clean) : { kind: 'thread', thread };
    },
    replace: async (chat, name, gone) => {
      const clean = cleanTopic(name);
      if (clean === undefined) return { kind: 'none' };
      const { topics } = traffic.of(chat);
      const current = topics.get(clean);
      if (current !== undefined && current !== gone) return { kind: 'thread', thread: current };
      if (current !== undefined) {
        await forgetTopic(db, chat, clean, current);
        topics.delete(clean);
      }
      return make(chat, clean);
    },
  };
}

/** A name as Telegram takes it: one line, 128 characters at the most; `undefined` when nothing of it can be seen. */
export function cleanTopic(name: string): string | undefined {
  const line = visibleLine(name.trim()).trim();
  return line === '' ? undefined : firstCodePoints(line, MAX_NAME).trim();
}
