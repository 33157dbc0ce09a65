import type { Clock } from '../../src/core/clock.ts';

export interface ManualClock extends Clock {
  /** Lets `ms` pass: fires what falls due, in order of time, each at its own instant, with its promises settled before the next. */
  advance(ms: number): Promise<void>;
  /** Moves to `date`: forwards as `advance` does; backwards the wall time only, as a corrected clock would (nothing fires). */
  set(date: Date | string): Promise<void>;
  /** How many timers and sleeps wait. */
  readonly pending: number;
  /** Resolves when at least `n` timers or sleeps wait: "the code under test has gone to sleep". */
  untilTimers(n?: number): Promise<void>;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until told. `start` as a date or an ISO time. */
export function createManualClock(start: Date | string = '2026-01-05T08:00:00Z'): ManualClock {
  let wall = new Date(start).getTime();
  /** Monotonic: timers hang on it, so that setting the wall time back does not postpone them. */
  let elapsed = 0;
  let order = 0;
  const timers = new Set<Timer>();
  let waiters: { n: number; resolve: () => void }[] = [];

  const add = (ms: number, run: () => void): (() => void) => {
    const timer: Timer = { due: elapsed + Math.max(0, ms), order: order++, run };
    timers.add(timer);
    waiters = waiters.filter((waiter) => {
      if (timers.size < waiter.n) return true;
      waiter.resolve();
      return false;
    });
    return () => timers.delete(timer);
  };

  const nextDue = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.due > until) continue;
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer;
    }
    return first;
  };

  const advance = async (ms: number): Promise<void> => {
    if (!(ms >= 0)) throw new RangeError(`advance(${ms}): time does not run backwards; use set()`);
    const until = elapsed + ms;
    await settled();
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timers.delete(timer);
      const step = Math.max(0, timer.due - elapsed);
      elapsed += step;
      wall += step;
      timer.run();
      await settled();
    }
    wall += until - elapsed;
    elapsed = until;
    await settled();
  };

  return {
    now: () => new Date(wall),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const onAbort = () => {
          cancel();
          reject(signal?.reason as Error);
        };
        const cancel = add(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    after: add,
    advance,
    set: async (date) => {
      const target = new Date(date).getTime();
      if (Number.isNaN(target)) throw new RangeError(`set(${String(date)}): not a date`);
      if (target >= wall) await advance(target - wall);
      else wall = target;
    },
    get pending() {
      return timers.size;
    },
    untilTimers: (n = 1) =>
      timers.size >= n ? Promise.resolve() : new Promise((resolve) => waiters.push({ n, resolve })),
  };
}

/** One turn of the event loop: promise chains that follow from what just fired have run (socket traffic has not). */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
