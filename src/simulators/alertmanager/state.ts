import type { Clock } from '../../core/clock.ts';
import { type Random, newId } from '../../core/random.ts';
import { fingerprint, type Labels, type Matcher, matches } from './labels.ts';

export interface StoredAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Date;
  endsAt: Date;
  updatedAt: Date;
  readonly generatorURL: string;
}

export interface StoredSilence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  startsAt: Date;
  endsAt: Date;
  updatedAt: Date;
  readonly createdBy: string;
  readonly comment: string;
}

export interface IncomingAlert {
  readonly labels: Labels;
  readonly annotations?: Labels | undefined;
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
  readonly generatorURL?: string | undefined;
}

export type IncomingSilence = Omit<StoredSilence, 'id' | 'updatedAt'> & { readonly id?: string | undefined };

/** Prometheus repeats what fires; what is not repeated for this long counts as resolved (`resolve_timeout`). */
const RESOLVE_TIMEOUT_MS = 5 * 60_000;

/** Alerts and silences, with the rules that Alertmanager has for them. `undefined` answers mean accepted. */
export function createState(edges: { readonly clock: Clock; readonly random: Random }) {
  const alerts = new Map<string, StoredAlert>();
  const silences = new Map<string, StoredSilence>();
  const now = () => edges.clock.now();

  const silenceState = (silence: StoredSilence): 'pending' | 'active' | 'expired' => {
    const at = now();
    if (silence.endsAt <= at) return 'expired';
    return silence.startsAt > at ? 'pending' : 'active';
  };

  return {
    alerts,
    silences,
    silenceState,
    firing: (alert: StoredAlert): boolean => alert.endsAt > now(),
    silencedBy: (alert: StoredAlert): string[] =>
      [...silences.values()]
        .filter((each) => silenceState(each) === 'active' && each.matchers.every((one) => matches(one, alert.labels)))
        .map((each) => each.id),

    put(incoming: IncomingAlert): StoredAlert {
      const at = now();
      const labels = Object.fromEntries(Object.entries(incoming.labels).filter(([, value]) => value !== ''));
      const print = fingerprint(labels);
      const before = alerts.get(print);
      const endsAt = incoming.endsAt ?? new Date(at.getTime() + RESOLVE_TIMEOUT_MS);
      const startsAt = incoming.startsAt ?? (endsAt < at ? endsAt : at);
      const goesOn = before !== undefined && before.endsAt > startsAt;
      const alert: StoredAlert = {
        fingerprint: print,
        labels,
        annotations: incoming.annotations ?? {},
        startsAt: goesOn && before.startsAt < startsAt ? before.startsAt : startsAt,
        endsAt,
        updatedAt: at,
        generatorURL: incoming.generatorURL ?? '',
      };
      alerts.set(print, alert);
      return alert;
    },

    /** The silence, or the text of the refusal with its status. */
    setSilence(incoming: IncomingSilence): StoredSilence | { status: number; text: string } {
      const at = now();
      const before = incoming.id === undefined ? undefined : silences.get(incoming.id);
      if (incoming.id !== undefined && before === undefined) return { status: 404, text: 'silence not found' };
      if (incoming.endsAt <= incoming.startsAt) {
        return { status: 400, text: 'Failed to create silence: start time must be before end time' };
      }
      if (incoming.endsAt < at) return { status: 400, text: "Failed to create silence: end time can't be in the past" };
      for (const [index, { name, value, isRegex }] of incoming.matchers.entries()) {
        if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
          return { status: 400, text: `silence invalid: invalid label matcher ${index}: invalid label name "${name}"` };
        }
        if (isRegex && !isExpression(value)) {
          return {
            status: 400,
            text: `silence invalid: invalid label matcher ${index}: invalid regular expression "${value}": error parsing regexp`,
          };
        }
      }
      if (incoming.matchers.every((each) => matches(each, {}))) {
        return { status: 400, text: 'silence invalid: at least one matcher must not match the empty string' };
      }
      const same = before !== undefined && JSON.stringify(before.matchers) === JSON.stringify(incoming.matchers);
      const inPlace = same && silenceState(before) !== 'expired';
      // What cannot be changed in place ends, and another begins: the id is new.
      if (before !== undefined && !inPlace && silenceState(before) !== 'expired') this.expire(before);
      const silence: StoredSilence = {
        id: inPlace ? before.id : newId(edges.random, at),
        matchers: incoming.matchers,
        startsAt: inPlace && silenceState(before) === 'active' ? before.startsAt : laterOf(incoming.startsAt, at),
        endsAt: incoming.endsAt,
        updatedAt: at,
        createdBy: incoming.createdBy,
        comment: incoming.comment,
      };
      silences.set(silence.id, silence);
      return silence;
    },

    expire(silence: StoredSilence): void {
      const state = silenceState(silence);
      if (state === 'expired') return;
      const at = now();
      if (state === 'pending') silence.startsAt = at;
      silence.endsAt = at;
      silence.updatedAt = at;
    },
  };
}
export type State = ReturnType<typeof createState>;

const laterOf = (a: Date, b: Date): Date => (a > b ? a : b);

function isExpression(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
