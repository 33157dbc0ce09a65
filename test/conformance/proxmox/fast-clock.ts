import { type Clock, systemClock } from '../../../src/core/clock.ts';

/**
 * A clock that runs `factor` times as fast as the system's: real sockets and real timers, but a task of six simulated
 * seconds is over in 60 ms. Both sides of a test must share one.
 */
export function createFastClock(factor: number): Clock {
  const start = systemClock.now().getTime();
  return {
    now: () => new Date(start + (systemClock.now().getTime() - start) * factor),
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
    after: (ms, run) => systemClock.after(ms / factor, run),
  };
}
