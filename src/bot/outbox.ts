import { jitter } from '../core/jitter.ts';
import type { Clock } from '../core/clock.ts';
import { forgetMessage } from '../store/cards.ts';
import { block, disable, migrateChat, setTopic } from '../store/chats.ts';
import {
  claimDue,
  expiredLeases,
  nextDue,
  type OutboxRow,
  retryAt,
  settleFailed,
  settleSent,
  shortenLeases,
} from '../store/outbox.ts';
import { postpone } from '../store/outbox-postpone.ts';
import type { BotMetrics } from './metrics.ts';
import type { Lane } from './outbox/body.ts';
import { classify, loggable } from './outbox/classify.ts';
import { createDeliver, type DeliverOptions, topicName } from './outbox/deliver.ts';
import { createFallback } from './outbox/fallback.ts';
import { type Mode, readModes, writeModes } from './outbox/modes.ts';
import { createPersist } from './outbox/persist.ts';
import { afterFailure, ambiguous, type Attempted, type Next } from './outbox/policy.ts';
import { Traffic } from './outbox/traffic.ts';

export interface OutboxOptions extends Omit<DeliverOptions, 'now' | 'count' | 'persist'> {
  readonly clock: Clock;
  readonly metrics: BotMetrics;
}

/** The one way out: delivers the rows of the outbox within each chat's budget. */
export interface Outbox {
  /** Something was queued: look at once instead of waiting for the database's notification. */
  readonly wake: () => void;
  /** A person pressed a button of this card: its next drawing is not paced, and goes out even when it looks the same. */
  readonly urgent: (cardId: string) => void;
  readonly lane: Lane;
  /** Delivers while this process leads; resolves when `signal` aborts and what was under way has ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** A call may take this long; a lease outlives it, so that a living sender is never taken for a dead one. */
export const SEND_TIMEOUT_SECONDS = 25;
const LEASE_MS = 45_000;
/**
 * Whoever led before is dead, or has lost its connection to the database and connects again: long enough for the second to note
 * what came of its calls, short enough for a page that the first took with it.
 */
const FORMER_LEASE_MS = 4000;
/** Chats that are written to at the same time. */
const MAX_CHATS = 16;
/** Without any news, look again after this long. */
const IDLE_MS = 15_000;

export function createOutbox(options: OutboxOptions): Outbox {
  const { db, clock, log } = options;
  let wake = (): void => {};
  let news = false;
  let reserve: Lane['reserve'] = () => undefined;
  const urgent = new Set<string>();
  const notice = (): void => {
    news = true;
    wake();
  };

  /** One leadership: its memory of budgets is the truth while it lasts. */
  const lead = async (signal: AbortSignal): Promise<void> => {
    const traffic = new Traffic(options.config.telegram.limits);
    await traffic.load(db);
    let leasesAt = clock.now().getTime() + FORMER_LEASE_MS;
    await shortenLeases(db, new Date(leasesAt - 1));
    const post = createPost(options, traffic, urgent);
    const busy = new Map<number, Promise<void>>();
    const occupy = (chat: number, work: () => Promise<void>): void => {
      const before = busy.get(chat) ?? Promise.resolve();
      const mine: Promise<void> = before
        .then(work)
        .catch((error: unknown) => log.error({ ...loggable(error), chat }, 'a delivery broke; its lease will end'))
        .finally(() => {
          if (busy.get(chat) === mine) busy.delete(chat);
          notice();
        });
      busy.set(chat, mine);
    };
    const unlisten = await db.listen('vakhta_outbox', notice);
    reserve = (chat, priority) => {
      const isOpen = !signal.aborted && !busy.has(chat) && busy.size < MAX_CHATS && post.isFree(chat, priority);
      if (!isOpen) return undefined;
      let take: (row: OutboxRow | undefined) => void = () => {};
      const taken = new Promise<OutboxRow | undefined>((resolve) => {
        take = resolve;
      });
      occupy(chat, async () => {
        const row = await taken;
        if (row) await post.deliver(row);
      });
      return take;
    };
    signal.addEventListener('abort', notice, { once: true });
    try {
      while (!signal.aborted) {
        const now = clock.now();
        news = false;
        if (now.getTime() >= leasesAt) {
          leasesAt = now.getTime() + 5000;
          for (const row of await expiredLeases(db, now)) if (!busy.has(row.chat)) await post.abandoned(row);
        }
        let wait = Math.min(IDLE_MS, leasesAt - now.getTime());
        if (post.pausedUntil() > now.getTime()) wait = post.pausedUntil() - now.getTime();
        else if (busy.size < MAX_CHATS) {
          const closed = traffic.closed(now.getTime());
          const rows = await claimDue(db, {
            now,
            leaseMs: LEASE_MS,
            limit: MAX_CHATS - busy.size,
            exceptChats: [...busy.keys(), ...closed.chats],
          });
          for (const row of rows) occupy(row.chat, () => post.deliver(row));
          if (rows.length === 0) {
            const due = await nextDue(db, now);
            wait = Math.min(wait, closed.until - now.getTime(), (due?.getTime() ?? Infinity) - now.getTime());
          }
        }
        await idle(Math.max(1, wait), signal);
      }
    } finally {
      reserve = () => undefined;
      await unlisten();
      await Promise.all(busy.values());
    }
  };

  /** Until there is news, or for `ms`. */
  const idle = async (ms: number, signal: AbortSignal): Promise<void> => {
    if (news || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    wake = () => {};
  };

  return {
    wake: notice,
    lane: { reserve: (chat, priority) => reserve(chat, priority), leaseMs: LEASE_MS },
    urgent: (cardId) => {
      urgent.add(cardId);
    },
    run: (signal) =>
      db.leader('outbox', signal, async (leading) => {
        // A database that fails for a moment must not end the leadership for good.
        for (let failures = 0; !leading.aborted; failures++) {
          try {
            return await lead(leading);
          } catch (error) {
            log.warn({ ...loggable(error) }, 'the outbox starts again');
            await clock.sleep(jitter(options.random, Math.min(30_000, 500 * 2 ** failures)), leading).catch(() => {});
          }
        }
      }),
  };
}

/** What is done with one row. */
function createPost(options: OutboxOptions, traffic: Traffic, urgent: Set<string>) {
  const { db, clock, log, metrics, config } = options;
  let paused = 0;
  let outages = 0;
  const time = (): number => clock.now().getTime();
  const persist = createPersist(clock);
  const deliverNow = createDeliver({
    ...options,
    now: () => clock.now(),
    count: (chat) => traffic.count(chat, time),
    persist,
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
    if (decision.kind === 'wait') return void (await postpone(db, row.id, new Date(decision.until)));
    let edit = false;
    const isUrgent = row.cardId !== undefined && urgent.delete(row.cardId);
    try {
      const result = await deliverNow({
        row,
        modes,
        thread: threadOf(row),
        urgent: isUrgent,
        isEdit: (yes) => {
          edit = yes;
        },
      });
      if (result.kind === 'early') return void (await postpone(db, row.id, result.until));
      metrics.delivered(row.priority, time() - row.createdAt.getTime());
      chat.disabledReason = undefined;
      outages = 0;
    } catch (error) {
      const failure = classify(error);
      const next = afterFailure({ ...attempted, edit }, failure);
      if (['refused', 'unknown'].includes(failure.kind) || next.kind === 'settle' || next.kind === 'pause') {
        log.warn({ ...loggable(error), chat: row.chat, row: row.id, next: next.kind }, 'a message was not delivered');
      }
      if (isUrgent && row.cardId !== undefined) urgent.add(row.cardId);
      await persist(() => follow(row, next, modes));
    }
  };

  const again = async (row: OutboxRow, delayMs: number, modes: ReadonlySet<Mode>, reason: string): Promise<void> => {
    await retryAt(db, row.id, new Date(time() + delayMs), writeModes(modes, reason));
  };

  const follow = async (row: OutboxRow, next: Next, modes: ReadonlySet<Mode>): Promise<void> => {
    const { chat } = row;
    switch (next.kind) {
      case 'done':
        return void (await settleSent(db, row.id, clock.now()));
      case 'again': {
        const delay = next.delayMs === 0 ? 0 : jitter(options.random, next.delayMs);
        return again(row, delay, next.with ? new Set([...modes, next.with]) : modes, next.reason);
      }
      case 'block': {
        // A little longer than told: calls a moment too early make the ban longer.
        const until = time() + next.forMs + 250;
        const state = traffic.of(chat);
        state.blockedUntil = Math.max(state.blockedUntil, until);
        log.warn({ chat, seconds: next.forMs / 1000 }, 'Telegram asks this chat to wait');
        await block(db, chat, new Date(until));
        return void (await postpone(db, row.id, new Date(until)));
      }
      case 'pause':
        outages += 1;
        paused = time() + jitter(options.random, Math.min(30_000, next.forMs * 2 ** Math.min(6, outages - 1)));
        if (next.reason === 'unauthorized') log.error({}, 'Telegram does not accept the token: check telegram.token');
        return void (await postpone(db, row.id, new Date(paused)));
      case 'migrate':
        return migrate(row, next.to, modes);
      case 'recreate':
        if (row.cardId !== undefined) await forgetMessage(db, row.cardId);
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
        return void (await settleFailed(db, row.id, 'failed', clock.now(), next.reason));
      }
      case 'settle':
        if (next.state === 'failed') {
          log.error({ chat, row: row.id, reason: next.reason }, 'Telegram refused a message');
          await fallback.refused(row);
        }
        return void (await settleFailed(db, row.id, next.state, clock.now(), next.reason));
    }
  };

  const migrate = async (row: OutboxRow, to: number, modes: ReadonlySet<Mode>): Promise<void> => {
    const now = clock.now();
    await db.tx(async (tx) => {
      await retryAt(tx, row.id, now, writeModes(modes, 'migrated'));
      await migrateChat(tx, row.chat, to, now);
    });
    traffic.of(row.chat).migratedTo = to;
    log.warn({ from: row.chat, to }, 'a group became a supergroup: change chat_id in the configuration');
  };

  const threadOf = (row: OutboxRow): number | undefined => {
    if (row.thread === undefined) return undefined;
    const name = topicName(config, row.chat, row.thread) ?? String(row.thread);
    return traffic.of(row.chat).topics.get(name) ?? row.thread;
  };

  /** A topic is made again once; when that one is gone too, or may not be made, General has to do. */
  const replaceTopic = async (row: OutboxRow, modes: ReadonlySet<Mode>): Promise<void> => {
    const name = row.thread === undefined ? undefined : topicName(config, row.chat, row.thread);
    const { topics } = traffic.of(row.chat);
    const reason = 'message thread not found';
    if (name === undefined || topics.has(name)) return again(row, 0, new Set([...modes, 'general']), reason);
    try {
      const arrived = traffic.count(row.chat, time);
      const thread = await options.sender.createTopic(row.chat, name).finally(arrived);
      topics.set(name, thread);
      await setTopic(db, row.chat, name, thread);
      log.warn({ chat: row.chat, topic: name, thread }, 'a deleted topic was made again');
      return await again(row, 0, modes, reason);
    } catch (error) {
      log.warn({ ...loggable(error), chat: row.chat, topic: name }, 'a deleted topic could not be made again');
      return again(row, 0, new Set([...modes, 'general']), reason);
    }
  };

  return {
    deliver,
    pausedUntil: () => paused,
    /** Nothing stands in the way of a message to this chat now. */
    isFree: (chat: number, priority: number): boolean => {
      const now = time();
      const { migratedTo, disabledReason } = traffic.of(chat);
      if (paused > now || migratedTo !== undefined || disabledReason !== undefined) return false;
      return traffic.decide(chat, priority, now).kind === 'send';
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
