import { type Clock, seconds } from '../../core/clock.ts';
import { jitter } from '../../core/jitter.ts';
import type { Log } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import { classify, loggable } from './classify.ts';
import type { Sender } from './sender.ts';

/** Telegram is there, or it is not; while it is not, nothing is sent that nobody would know the fate of. */
export interface Outage {
  readonly isDown: () => boolean;
  /** A call failed in a way that may be Telegram's absence. Answers whether Telegram is there, as soon as that is known. */
  readonly suspect: () => Promise<boolean>;
}

/** Longer than this is no answer. */
const PROBE_MS = seconds(5);
const FIRST_PAUSE_MS = seconds(1);
/** With the time of a probe, this is how long an end of the outage goes unnoticed. */
const LONGEST_PAUSE_MS = seconds(5);

export function createOutage(options: {
  readonly sender: Pick<Sender, 'probe'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called when Telegram answers again, before anything is sent. */
  readonly over: () => Promise<void>;
  /** Called when it is known that Telegram is there, or is not. */
  readonly known: (isUp: boolean) => void;
  /** Called when things may be sent again. */
  readonly wake: () => void;
}): Outage {
  const { sender, clock, random, log, signal } = options;
  let down = false;
  let first: Promise<boolean> | undefined;

  const probe = async (): Promise<boolean> => {
    const giveUp = new AbortController();
    const cancel = clock.after(PROBE_MS, () => giveUp.abort(new Error('no answer')));
    try {
      await sender.probe(AbortSignal.any([giveUp.signal, signal]));
      return true;
    } catch (error) {
      if (classify(error).kind === 'unauthorized' && !down)
        log.error({}, 'Telegram does not accept the token: check telegram.token');
      else log.debug(loggable(error), 'Telegram does not answer');
      return false;
    } finally {
      cancel();
    }
  };

  const untilBack = async (since: Date): Promise<void> => {
    log.warn({ since }, 'Telegram does not answer: everything waits');
    for (let failures = 0; !signal.aborted; failures++) {
      await clock
        .sleep(jitter(random, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)), signal)
        .catch(() => {});
      if (signal.aborted || !(await probe())) continue;
      log.warn({ since }, 'Telegram answers again');
      await options.over().catch((error: unknown) => log.warn(loggable(error), 'an outage was not noted'));
      down = false;
      options.known(true);
      return options.wake();
    }
  };

  return {
    isDown: () => down,
    suspect: () => {
      if (down) return Promise.resolve(false);
      const since = clock.now();
      first ??= probe().then((answered) => {
        first = undefined;
        if (answered || signal.aborted) return answered;
        if (!down) {
          down = true;
          options.known(false);
          void untilBack(since);
        }
        return false;
      });
      return first;
    },
  };
}
