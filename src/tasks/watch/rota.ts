import type { Clock } from '../../core/clock.ts';
import { hours } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { holds, type Operator } from '../../core/people.ts';
import { type OnWatch, onWatchAt, type Override, type Rota, type Turn, turns, wallInstant } from '../../core/rota.ts';
import type { Config } from '../../config/schema.ts';
import { chatStates } from '../../store/chats.ts';
import type { Database, Queryable } from '../../store/db.ts';
import { addWatchOverride, endWatchOverrides, watchOverrideOf, watchOverrides } from '../../store/watch.ts';

export type WatchConfig = Pick<Config, 'watch' | 'operators'>;

/** Without a rotation there is no next change: the watch is taken for this long. */
const WITHOUT_ROTATION_MS = hours(8);

/** The rota as configured, with what was changed by command; a command wins. */
export async function rotaOf(q: Queryable, { watch }: Pick<Config, 'watch'>, now: Date): Promise<Rota> {
  const configured = watch.overrides.map(
    ({ person, from, to }): Override => ({
      person,
      from: wallInstant(from, watch.zone),
      to: wallInstant(to, watch.zone),
      why: 'override',
    }),
  );
  const taken = (await watchOverrides(q, now)).map(
    ({ person, from, to }): Override => ({ person, from, to, why: 'taken' }),
  );
  return { zone: watch.zone, rotation: watch.rotation, overrides: [...configured, ...taken] };
}

/** Who is on watch now, who is second, and until when. */
export async function onWatch(q: Queryable, config: Pick<Config, 'watch'>, now: Date): Promise<OnWatch> {
  return onWatchAt(await rotaOf(q, config, now), now);
}

/** The watch at one look, with what stands in its way. */
export interface WatchView {
  readonly now: OnWatch;
  readonly next: readonly Turn[];
  /** People who are to be called in private and cannot be: they have not started a chat with the bot, or have blocked it. */
  readonly unreachable: readonly string[];
  readonly hasRotation: boolean;
}

/** What operations may do with the watch. */
export interface WatchDesk {
  look(): Promise<WatchView>;
  /** Until the next regular change, or for so many hours. Throws `watch-has-it`, `watch-no-person`. */
  give(one: {
    readonly runId: string;
    readonly person: string;
    readonly by: string;
    readonly hours?: number | undefined;
  }): Promise<void>;
  /** What this run has given, if anything. */
  given(runId: string): Promise<{ readonly person: string } | undefined>;
  /** Back to the rotation. Throws `watch-nothing-to-cancel`. */
  cancel(): Promise<void>;
  /** Who may have the watch or an incident, by id or name. Throws `watch-no-person`, or the code given. */
  person(id: string, code?: 'handover-no-person'): Operator;
  /** The name for people; the id of somebody who is not in the configuration any more. */
  nameOf(id: string): string;
}

const NEXT = 4;

export function createWatchDesk(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: WatchConfig;
}): WatchDesk {
  const { db, clock, config } = options;

  const person = (id: string, code: 'watch-no-person' | 'handover-no-person' = 'watch-no-person'): Operator => {
    const wanted = id.replace(/^@/, '').toLowerCase();
    const found = config.operators.find((one) => one.id === wanted || one.name.toLowerCase() === wanted);
    if (!found || !holds(found.role, 'operator')) {
      throw new VakhtaError('usage', code, `${id} may not act, so may not be on watch`, {
        args: {
          who: found?.name ?? id,
          people: acting(config)
            .map((one) => one.id)
            .join(', '),
        },
      });
    }
    return found;
  };

  return {
    person,
    nameOf: (id) => config.operators.find((one) => one.id === id)?.name ?? id,
    look: async () => {
      const now = clock.now();
      const rota = await rotaOf(db, config, now);
      const unreachable = await unreachablePeople(db, config);
      return {
        now: onWatchAt(rota, now),
        next: turns(rota, now, NEXT + 1).slice(1),
        unreachable: unreachable.map(({ id }) => id),
        hasRotation: config.watch.rotation !== undefined,
      };
    },
    give: async ({ runId, by, ...wish }) => {
      const { id } = person(wish.person);
      await db.tx(async (tx) => {
        const now = clock.now();
        const rota = await rotaOf(tx, config, now);
        if (onWatchAt(rota, now).person === id && wish.hours === undefined) {
          if (await watchOverrideOf(tx, runId)) return;
          throw new VakhtaError('usage', 'watch-has-it', `${id} has the watch already`, {
            args: { who: person(id).name },
          });
        }
        const regular = onWatchAt({ ...rota, overrides: [] }, now).until;
        const to = wish.hours === undefined ? (regular ?? in_(now, WITHOUT_ROTATION_MS)) : in_(now, hours(wish.hours));
        await addWatchOverride(tx, { runId, person: id, by, from: now, to });
      });
    },
    given: (runId) => watchOverrideOf(db, runId),
    cancel: async () => {
      if ((await endWatchOverrides(db, clock.now())) > 0) return;
      throw new VakhtaError('usage', 'watch-nothing-to-cancel', 'the watch follows the configuration');
    },
  };
}

const in_ = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

const acting = ({ operators }: Pick<Config, 'operators'>) => operators.filter(({ role }) => holds(role, 'operator'));

/** Those who may be called in private and cannot be written to, as far as it was tried. */
export async function unreachablePeople(q: Queryable, config: Pick<Config, 'operators'>): Promise<readonly Operator[]> {
  const people = acting(config);
  const states = await chatStates(
    q,
    people.map(({ telegramId }) => telegramId),
  );
  return people.filter(({ telegramId }) => states.get(telegramId)?.disabledAt !== undefined);
}
