import { jitter } from '../core/jitter.ts';
import { claimDue, expiredLeases, markUnreachable, nextDue, type OutboxRow, shortenLeases } from '../store/outbox.ts';
import type { Lane } from './outbox/body.ts';
import { loggable } from './outbox/classify.ts';
import { createOutage } from './outbox/outage.ts';
import { createPost, type OutboxOptions } from './outbox/post.ts';
import { Traffic } from './outbox/traffic.ts';

export type { OutboxOptions } from './outbox/post.ts';

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
    await traffic.load(db, clock.now().getTime());
    let leasesAt = clock.now().getTime() + FORMER_LEASE_MS;
    await shortenLeases(db, new Date(leasesAt - 1));
    const outage = createOutage({
      ...options,
      signal,
      over: () => markUnreachable(db, clock.now()),
      known: (isUp) => options.metrics.telegram('out', isUp),
      wake: notice,
    });
    options.metrics.telegram('out', true);
    const post = createPost(options, traffic, urgent, outage);
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
    const unlisten = await db.listen('vakhta_outbox', (payload) => {
      const chat = payload?.startsWith('chat:') ? Number(payload.slice(5)) : undefined;
      if (chat === undefined) return notice();
      traffic.reload(db, chat).catch((error: unknown) => log.warn({ ...loggable(error), chat }, 'a chat was not read'));
    });
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
        if (!outage.isDown() && busy.size < MAX_CHATS) {
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
      options.metrics.telegram('out', undefined);
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
