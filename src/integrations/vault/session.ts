import { type Clock, seconds } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import { Secret } from '../../core/secret.ts';
import type { Log } from '../define.ts';

/** The `auth` of a login or a renewal. `lease_duration` in seconds; 0 means without end. */
export interface Auth {
  readonly client_token: string;
  readonly lease_duration: number;
  readonly renewable: boolean;
}

export interface SessionParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly login: () => Promise<Auth>;
  readonly renew: (token: Secret) => Promise<Auth>;
}

interface Held {
  readonly token: Secret;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** A token this close to its end is not used any more: the request would arrive with a dead one. */
const MARGIN = seconds(5);
/** Renewals that give less are not worth it: the token nears its maximum age, and a new login is due. */
const SHORT = seconds(30);

/**
 * Keeps one token: logs in when there is none, renews it at two thirds of its life (also when nobody asks: a secret id
 * may be good for few logins), logs in anew when it cannot be renewed any more. Concurrent callers share one login.
 */
export function createSession({ clock, log, login, renew }: SessionParts) {
  let held: Held | undefined;
  let entering: Promise<Secret> | undefined;
  let cancel = () => {};
  let closed = false;

  const hold = (token: Secret, auth: Auth): void => {
    cancel();
    const lifetime = auth.lease_duration === 0 ? Number.POSITIVE_INFINITY : seconds(auth.lease_duration);
    held = { token, expires: clock.now().getTime() + lifetime };
    if (auth.renewable && Number.isFinite(lifetime) && !closed) plan((lifetime * 2) / 3);
  };

  const plan = (ms: number): void => {
    cancel = clock.after(ms, () => void extend());
  };

  const extend = async (): Promise<void> => {
    const present = held;
    if (present === undefined) return;
    try {
      const auth = await renew(present.token);
      if (held !== present) return;
      if (seconds(auth.lease_duration) < SHORT) {
        // Near its maximum age. Usable to the end; the next caller after that logs in.
        held = { ...present, expires: clock.now().getTime() + seconds(auth.lease_duration) };
      } else hold(present.token, auth);
    } catch (thrown) {
      if (held !== present) return;
      const error = toVakhtaError(thrown);
      const left = present.expires - clock.now().getTime();
      if (error.kind === 'transient' && left > 2 * MARGIN) {
        plan(left / 2);
        log.warn({ code: error.code, message: error.message }, 'the Vault token could not be renewed, trying again');
      } else held = undefined;
    }
  };

  return {
    /** A token good for a request now. Rejects as the login does, which no single caller's signal may end. */
    token: async (): Promise<Secret> => {
      if (held !== undefined && held.expires - MARGIN > clock.now().getTime()) return held.token;
      held = undefined;
      entering ??= login()
        .then((auth) => {
          const token = new Secret(auth.client_token);
          hold(token, auth);
          return token;
        })
        .finally(() => {
          entering = undefined;
        });
      return entering;
    },
    /** Forgets a token that Vault no longer knows, unless another has taken its place meanwhile. */
    drop: (token: Secret): void => {
      if (held?.token === token) {
        held = undefined;
        cancel();
      }
    },
    /** Ends the renewal; the token, if there is one, is the caller's to give back. */
    close: (): Secret | undefined => {
      closed = true;
      cancel();
      const token = held?.token;
      held = undefined;
      return token;
    },
  };
}
