import { type Clock, seconds } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';

/** With the time that a call may take, this ends before the lease of the row does. */
const PERSIST_MS = seconds(15);
const LONGEST_PAUSE_MS = 1000;

/** Does `work` again while the database is away. Throws what it threw when that takes longer than a row can wait. */
export type Persist = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * What Telegram answered is known to nobody else: when it cannot be noted because the database restarts, it is noted a little
 * later, instead of being forgotten and asked again.
 */
export const createPersist =
  (clock: Clock): Persist =>
  async (work) => {
    const giveUp = clock.now().getTime() + PERSIST_MS;
    for (let pause = 100; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      try {
        return await work();
      } catch (error) {
        if (toVakhtaError(error).kind !== 'transient' || clock.now().getTime() + pause > giveUp) throw error;
        await clock.sleep(pause);
      }
    }
  };
