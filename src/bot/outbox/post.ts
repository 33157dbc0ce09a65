import type { Clock } from '../../core/clock.ts';
import { jitter } from '../../core/jitter.ts';
import { card as findCard, forgetMessage } from '../../store/cards.ts';
import { block, disable, migrateChat } from '../../store/chats.ts';
import { type OutboxRow, retryAt, settleFailed, settleSent, type Waited } from '../../store/outbox.ts';
import { postpone } from '../../store/outbox-postpone.ts';
import type { BotMetrics } from '../metrics.ts';
import { classify, type Failure, loggable } from './classify.ts';
import { createDeliver } from './deliver.ts';
import { createFallback } from './fallback.ts';
import { type Mode, readModes, writeModes } from './modes.ts';
import { topicName } from './notes.ts';
import type { Outage } from './outage.ts';
import { createPersist } from './persist.ts';
import { afterFailure, ambiguous, type Attempted, type Next } from './policy.ts';
import type { DeliverOptions } from './task.ts';
import { createTopics } from './topics.ts';
import type { Traffic } from './traffic.ts';

export interface OutboxOptions extends Omit<DeliverOptions, 'now' | 'count' | 'persist' | 'topics' | 'delayed'> {
  readonly clock: Clock;
  readonly metrics: BotMetrics;
}

/** A chat waits no longer than this on its own account when nobody was reached. */
const LONGEST_PAUSE_MS = 10_000;

/** What is done with one row, from its claim to what came of it. */
export function createPost(options: OutboxOptions, traffic: Traffic, urgent: Set<string>, outage: Outage) {
  const { db, clock, log, metrics, config } = options;
  let unreached = 0;
  const time = (): number => clock.now().getTime();
  const persist = createPersist(clock);
  const topics = createTopics({ ...options, traffic });
  const deliverNow = createDeliver({
    ...options,
    now: () => clock.now(),
    count: (chat) => traffic.count(chat, time),
    persist,
    topics,
    delayed: (row, since) => row.waited ?? traffic.reason(row.chat, since.getTime(), time()) ?? 'late',
  });
  const fallback = createFallback(options);

  const deliver = async (row: OutboxRow): Promise<void> => {
    const modes = readModes(row.error);
    const chat = traffic.of(row.chat);
    const attempted: Attempted = { priority: row.priority, kind: row.kind, attempts: row.attempts, modes, edit: false };
    if (chat.migratedTo !== undefined) return follow(row, { kind: 'migrate', to: chat.migratedTo }, modes);
    if (traffic.isDisabled(row.chat, time())) await traffic.reload(db, row.chat);
    if (traffic.isDisabled(row.chat, time())) {
      return follow(row, { kind: 'disable', reason: chat.disabledReason ?? '' }, modes);
    }
    const decision = traffic.decide(row.chat, row.priority, time());
    if (decision.kind === 'wait') {
      const waited = decision.until === chat.blockedUntil ? 'flood' : 'budget';
      return void (await postpone(db, row, new Date(decision.until), waited));
    }
    let edited: number | undefined;
    const isUrgent = row.cardId !== undefined && urgent.delete(row.cardId);
    try {
      const result = await deliverNow({
        row,
        modes,
        thread: topics.known(row.chat, row.thread),
        urgent: isUrgent,
        edits: (messageId) => {
          edited = messageId;
        },
      });
      if (result.kind === 'early') return void (await postpone(db, row, result.until));
      metrics.delivered(row.priority, time() - row.createdAt.getTime());
      chat.disabledReason = undefined;
      unreached = 0;
    } catch (error) {
      const failure = classify(error);
      const judged = { ...attempted, edit: edited !== undefined, outage: await isOutage(row, failure, edited) };
      const next = afterFailure(judged, failure);
      if (['refused', 'unknown'].includes(failure.kind) || next.kind === 'settle' || next.kind === 'pause') {
        log.warn({ ...loggable(error), chat: row.chat, row: row.id, next: next.kind }, 'a message was not delivered');
      }
      if (isUrgent && row.cardId !== undefined) urgent.add(row.cardId);
      await persist(() => follow(row, next, modes, edited));
    }
  };

  /** Whether Telegram answers is asked whenever it may be the reason; waited for only where the answer makes a difference. */
  const isOutage = async (row: OutboxRow, failure: Failure, edited: number | undefined): Promise<boolean> => {
    if (failure.kind !== 'unknown' && failure.kind !== 'unsent' && failure.kind !== 'unauthorized') return false;
    const answers = outage.suspect();
    if (failure.kind !== 'unknown' || edited !== undefined || row.kind === 'delete') return outage.isDown();
    return !(await answers);
  };

  const again = async (
    row: OutboxRow,
    delayMs: number,
    modes: ReadonlySet<Mode>,
    reason: string,
    waited?: Waited,
  ): Promise<void> => {
    await retryAt(db, row, new Date(time() + delayMs), writeModes(modes, reason), waited);
  };

  const follow = async (row: OutboxRow, next: Next, modes: ReadonlySet<Mode>, edited?: number): Promise<void> => {
    const { chat } = row;
    switch (next.kind) {
      case 'done':
        return void (await settleSent(db, row, clock.now()));
      case 'again': {
        const delay = next.delayMs === 0 ? 0 : jitter(options.random, next.delayMs);
        const after = next.with ? new Set([...modes, next.with]) : modes;
        return again(row, delay, after, next.reason, outage.isDown() ? 'unreachable' : undefined);
      }
      case 'block': {
        // A little longer than told: calls a moment too early make the ban longer.
        const until = time() + next.forMs + 250;
        const state = traffic.of(chat);
        state.blockedUntil = Math.max(state.blockedUntil, until);
        log.warn({ chat, seconds: next.forMs / 1000 }, 'Telegram asks this chat to wait');
        await block(db, chat, new Date(until));
        return void (await postpone(db, row, new Date(until), 'flood'));
      }
      case 'pause': {
        unreached += 1;
        const pause = Math.min(LONGEST_PAUSE_MS, next.forMs * 2 ** Math.min(6, unreached - 1));
        return void (await postpone(db, row, new Date(time() + jitter(options.random, pause)), 'unreachable'));
      }
      case 'migrate':
        return migrate(row, next.to, modes);
      case 'recreate':
        if (row.cardId !== undefined) await forgetMessage(db, row.cardId, edited);
        return again(row, 0, modes, 'message to edit not found');
      case 'topic':
        return replaceTopic(row, modes);
      case 'disable': {
        const state = traffic.of(chat);
        const isNew = state.disabledReason === undefined;
        state.disabledReason = next.reason;
        if (isNew || !traffic.isDisabled(chat, time())) state.refusedAt = time();
        await disable(db, chat, next.reason, clock.now());
        if (isNew) log.error({ chat, reason: next.reason }, 'a chat cannot be written to any more');
        await fallback.chatLost(row, next.reason);
        return void (await settleFailed(db, row, 'failed', clock.now(), next.reason));
      }
      case 'settle':
        if (next.state === 'failed') {
          log.error({ chat, row: row.id, reason: next.reason }, 'Telegram refused a message');
          await fallback.refused(row);
        }
        return void (await settleFailed(db, row, next.state, clock.now(), next.reason));
    }
  };

  const migrate = async (row: OutboxRow, to: number, modes: ReadonlySet<Mode>): Promise<void> => {
    const now = clock.now();
    await db.tx(async (tx) => {
      await retryAt(tx, row, now, writeModes(modes, 'migrated'));
      await migrateChat(tx, row.chat, to, now);
    });
    traffic.of(row.chat).migratedTo = to;
    log.warn({ from: row.chat, to }, 'a group became a supergroup: change chat_id in the configuration');
  };

  /** A topic that is gone is made again, once for a message; when it may not be made, General has to do. */
  const replaceTopic = async (row: OutboxRow, modes: ReadonlySet<Mode>): Promise<void> => {
    const reason = 'message thread not found';
    const general = (): Promise<void> => again(row, 0, new Set([...modes, 'general']), reason);
    const wanted = row.cardId === undefined ? undefined : (await findCard(db, row.cardId))?.topic;
    const name = wanted ?? (row.thread === undefined ? undefined : topicName(config, row.chat, row.thread));
    if (name === undefined || modes.has('remade')) return general();
    try {
      const gone = wanted === undefined ? topics.known(row.chat, row.thread) : traffic.of(row.chat).topics.get(name);
      const made = await topics.replace(row.chat, name, gone);
      if (made.kind === 'none') return await general();
      const delay = made.kind === 'wait' ? Math.max(0, made.until.getTime() - time()) : 0;
      return await again(row, delay, new Set([...modes, 'remade']), reason);
    } catch (error) {
      const next = afterFailure(
        { priority: row.priority, kind: row.kind, attempts: row.attempts, modes, edit: true },
        classify(error),
      );
      return next.kind === 'block' || next.kind === 'pause' || next.kind === 'migrate'
        ? follow(row, next, modes)
        : general();
    }
  };

  return {
    deliver,
    /** Nothing stands in the way of a message to this chat now. */
    isFree: (chat: number, priority: number): boolean => {
      const { migratedTo, disabledReason } = traffic.of(chat);
      if (outage.isDown() || migratedTo !== undefined || disabledReason !== undefined) return false;
      return traffic.decide(chat, priority, time()).kind === 'send';
    },
    /** Its sender vanished while sending. */
    abandoned: async (row: OutboxRow): Promise<void> => {
      const modes = readModes(row.error);
      const next = ambiguous(
        { priority: row.priority, kind: row.kind, attempts: row.attempts, modes, edit: await fallback.isEdit(row) },
        'the sender stopped while sending',
      );
      log.warn({ row: row.id, chat: row.chat, next: next.kind }, 'a sender stopped while sending');
      await follow(row, next, modes);
    },
  };
}
