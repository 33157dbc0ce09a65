import { days, hours, type Clock } from '../core/clock.ts';
import type { Actor } from '../core/people.ts';
import type { Config } from '../config/schema.ts';
import { WEEKDAYS } from '../config/sections/people.ts';
import type { Schedule } from '../handlers/schedules.ts';
import type { Tx } from '../store/db.ts';
import type { Origin, Requests } from '../tasks/lifecycle/requests.ts';
import { checkTargets } from '../tasks/recovery/targets.ts';

/** A run that a schedule wrote is handed to the queue when its transaction has surely ended; the reconciler finds the rest. */
const HAND_OVER_MS = 200;

/** A digest that is later than this is not worth waking anybody for; the next one tells of the same night. */
const DIGEST_MAX_LATE_MS = hours(12);

/** A kit that is a day late holds more than the one before. */
const KIT_MAX_LATE_MS = days(1);

/** A restore that is later than this would run into the day. */
const RESTORE_MAX_LATE_MS = hours(6);

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

  const { zone } = config.site;
  const restores = config.restoreDrills.map(({ target, at, weekdays }): Schedule => {
    const name = `drill.restore ${target} ${at} ${weekdays.join(',')}`;
    return {
      name,
      spec: { zone, at, weekdays },
      catchUp: 'once',
      maxLateMs: RESTORE_MAX_LATE_MS,
      run: (tx, dueAt) => ask(tx, name, 'drill.restore', { target }, dueAt),
    };
  });
  const daily = (name: string, at: string, operation: string, args: Record<string, unknown>): Schedule => ({
    name,
    spec: { zone, at, weekdays: WEEKDAYS },
    catchUp: 'once',
    maxLateMs: RESTORE_MAX_LATE_MS,
    run: (tx, dueAt) => ask(tx, name, operation, args, dueAt),
  });
  // Those of one set wait for each other, and what goes elsewhere for all of them.
  const volumes = config.restic.flatMap((set) => [
    ...set.volumes.map(({ id }) => daily(`backup.volume ${id}`, '01:30', 'backup.volume', { volume: id })),
    ...(set.offsite ? [daily(`offsite.sync ${set.id}`, '02:30', 'offsite.sync', { set: set.id })] : []),
  ]);
  const checks = checkTargets(config).map((target, n): Schedule => {
    const name = `verify ${target}`;
    // One after the other, away from the hours in which backups and drills are usual. restic reads a part of its data each day.
    const at = `${20 + (Math.floor(n / 12) % 4)}:${String((n % 12) * 5).padStart(2, '0')}`;
    return {
      name,
      spec: { zone, at, weekdays: target.startsWith('restic:') ? WEEKDAYS : ['sat'] },
      catchUp: 'once',
      maxLateMs: RESTORE_MAX_LATE_MS,
      run: (tx, dueAt) => ask(tx, name, 'verify', { target }, dueAt),
    };
  });

  const { kit } = config;
  const kits: readonly Schedule[] = kit
    ? [
        {
          name: 'kit',
          spec: { zone, at: kit.at, weekdays: kit.weekdays },
          catchUp: 'once',
          maxLateMs: KIT_MAX_LATE_MS,
          run: (tx, dueAt) => ask(tx, 'kit', 'kit', {}, dueAt),
        },
      ]
    : [];

  return [
    ...digests,
    ...kits,
    ...drills,
    ...restores,
    ...volumes,
    ...checks,
    ...(config.certificates.endpoints.length > 0 ? [certificates] : []),
  ];
}
