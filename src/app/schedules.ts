import { hours, type Clock } from '../core/clock.ts';
import type { Actor } from '../core/people.ts';
import type { Config } from '../config/schema.ts';
import type { Schedule } from '../handlers/schedules.ts';
import type { Tx } from '../store/db.ts';
import type { Origin, Requests } from '../tasks/lifecycle/requests.ts';

/** A run that a schedule wrote is handed to the queue when its transaction has surely ended; the reconciler finds the rest. */
const HAND_OVER_MS = 200;

/** A digest that is later than this is not worth waking anybody for; the next one tells of the same night. */
const DIGEST_MAX_LATE_MS = hours(12);

/** The regular work of an installation, out of its configuration. Schedules only ask for operations. */
export function schedulesOf(config: Config, requests: Requests, clock: Clock): readonly Schedule[] {
  const ask = async (
    tx: Tx,
    name: string,
    operation: string,
    args: Record<string, unknown>,
    dueAt: Date,
    origin?: Origin,
  ): Promise<void> => {
    const actor: Actor = { kind: 'schedule', id: name };
    const run = await requests.requestWithin(tx, actor, operation, args, {
      idempotencyKey: `schedule:${name}:${dueAt.toISOString()}`,
      ...(origin ? { origin } : {}),
    });
    clock.after(HAND_OVER_MS, () => void requests.dispatch(run));
  };

  const digests = config.digest.map((digest): Schedule => {
    const chat = config.chats.find(({ id }) => id === digest.chat);
    const thread = digest.topic === undefined ? undefined : chat?.topics[digest.topic];
    const name = `digest.${digest.id}`;
    return {
      name,
      spec: { zone: digest.zone, at: digest.at, weekdays: digest.weekdays },
      catchUp: 'once',
      maxLateMs: DIGEST_MAX_LATE_MS,
      run: async (tx, dueAt, { late }) => {
        if (!chat) return;
        const origin = {
          chat: chat.chatId,
          ...(thread === undefined ? {} : { thread }),
          reader: `digest:${digest.id}`,
        };
        await ask(tx, name, 'digest', late ? { due: dueAt.toISOString() } : {}, dueAt, origin);
      },
    };
  });

  const certificates: Schedule = {
    name: 'certificates',
    spec: { zone: config.site.zone, cron: `17 */${config.certificates.everyHours} * * *` },
    catchUp: 'once',
    maxLateMs: hours(config.certificates.everyHours),
    run: (tx, dueAt) => ask(tx, 'certificates', 'certs', {}, dueAt),
  };

  const { drill } = config;
  const drillZone = config.chats.find(({ id }) => id === drill?.chat)?.zone ?? config.site.zone;
  const drills: readonly Schedule[] = drill
    ? [
        {
          name: 'drill.alert',
          spec: { zone: drillZone, at: drill.at, weekdays: drill.weekdays },
          catchUp: 'once',
          // A drill in the middle of the night would teach people to sleep through alerts.
          maxLateMs: hours(2),
          run: (tx, dueAt) => ask(tx, 'drill.alert', 'drill.alert', {}, dueAt),
        },
      ]
    : [];

  return [...digests, ...drills, ...(config.certificates.endpoints.length > 0 ? [certificates] : [])];
}
