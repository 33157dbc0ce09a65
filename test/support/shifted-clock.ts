import { type Clock, systemClock } from '../../src/core/clock.ts';

export interface ShiftedClock extends Clock {
  /** From now on it shows this time, and goes on from there. */
  jump(to: Date | string): void;
}

/** Goes at the speed of the real clock from another instant: for a whole program, whose sockets wait in real time anyway. */
export function createShiftedClock(start: Date | string): ShiftedClock {
  let offset = 0;
  const jump = (to: Date | string): void => {
    offset = new Date(to).getTime() - Date.now();
  };
  jump(start);
  return { ...systemClock, now: () => new Date(Date.now() + offset), jump };
}
