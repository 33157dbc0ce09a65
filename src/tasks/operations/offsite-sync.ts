import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { doc, facts, type Inlines, time } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { Snapshot } from '../../integrations/restic/port.ts';
import { defineOperation, definite, type Reconciled } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';
import { locking, orNone, type SetPlace, sideOf, type VolumeDesk } from '../volumes/desk.ts';

export const messages = defineMessages({
  en: `
    op-offsite-sync = Bring snapshots to the copy elsewhere (restic)
    op-offsite-sync-arg-set = Which set of backups? Left out: all that have a copy elsewhere.
    op-offsite-sync-arg-repository = Where there is no repository elsewhere yet: new makes one. Left out, a missing repository is a fault.
    offsite-sync-plan = { $set }: snapshots that are not there yet: { $count }; the newest there is { $hours } h old
    offsite-sync-plan-first = { $set }: nothing is there yet; snapshots to copy: { $count }
    offsite-sync-plan-nothing = { $set }: all snapshots are there already, the newest is { $hours } h old
    offsite-sync-plan-empty = { $set }: there is no snapshot to copy
    offsite-sync-plan-new = { $set }: there is no repository elsewhere yet: a new one is made
    offsite-sync-copying = Copying snapshots of { $set }: { $count }
    offsite-sync-seen = All snapshots are there, with the same contents
    offsite-sync-not-seen = Not there: { $ids }
    offsite-sync-tidying = What the copying has locked is being set right
    offsite-sync-row = copied { $copied }, { $total } there, the newest of
    offsite-sync-took = Took
  `,
  ru: `
    op-offsite-sync = Перенести снимки во внешнюю копию (restic)
    op-offsite-sync-arg-set = Какой набор копий? Если не указать — все, у которых есть внешняя копия.
    op-offsite-sync-arg-repository = Если внешнего репозитория ещё нет: new создаст его. Если не указать, отсутствие репозитория — ошибка.
    offsite-sync-plan = { $set }: ещё не там снимков: { $count }; новейшему там { $hours } ч
    offsite-sync-plan-first = { $set }: там ещё ничего нет; скопировать снимков: { $count }
    offsite-sync-plan-nothing = { $set }: все снимки уже там, новейшему { $hours } ч
    offsite-sync-plan-empty = { $set }: копировать нечего, снимков нет
    offsite-sync-plan-new = { $set }: внешнего репозитория ещё нет: будет создан новый
    offsite-sync-copying = Копируются снимки { $set }: { $count }
    offsite-sync-seen = Все снимки там, содержимое то же
    offsite-sync-not-seen = Там нет: { $ids }
    offsite-sync-tidying = Освобождается то, что заняло копирование
    offsite-sync-row = скопировано { $copied }, там { $total }, новейший от
    offsite-sync-took = Заняло
  `,
});

/** A snapshot elsewhere has another id; its contents and its time stay the same. */
const markOf = ({ tree, at }: Snapshot): string => `${tree} ${at.toISOString()}`;

const rowSchema = z.object({
  set: z.string(),
  copied: z.number(),
  total: z.number(),
  newestAt: z.coerce.date().optional(),
});
const resultSchema = z.object({ rows: z.array(rowSchema), tookMs: z.number().optional() });
type Row = z.output<typeof rowSchema>;
type Result = z.output<typeof resultSchema>;

/** By set: marks of what was to be copied, and the short ids for people. */
const wantedSchema = z.object({
  wanted: z.record(z.string(), z.array(z.object({ mark: z.string(), id: z.string() }))),
});
type Wanted = z.output<typeof wantedSchema>['wanted'];

export default defineOperation({
  name: 'offsite.sync',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({
    set: z.string().min(1).max(64).optional(),
    // Never by itself, as for backups: a mistyped address would get a repository, too.
    repository: z.enum(['new']).optional(),
  }),
  fields: { set: { choices: (known) => known.offsiteSets } },
  result: resultSchema,
  ports: ['scratch', 'volumes'],
  timeoutMs: hours(24),
  locks: (_args, plan) => boundLocks(plan),

  plan: async ({ ports, clock, signal }, { set, repository }) => {
    const places = placesOf(ports.volumes, set);
    const lines: Text[] = [];
    for (const place of places) {
      const { missing, there } = await compare(place, repository === 'new', signal);
      lines.push(...linesOf(place.set.id, missing, there, clock.now()));
    }
    const target = places.map((place) => place.set.id).join(', ');
    return { target, lines, bound: { locks: places.map((place) => ports.volumes.lockOf(place)) } };
  },

  run: async ({ ports, runId, clock, log, signal, progress, remember }, { set, repository }) => {
    const { scratch, volumes } = ports;
    const began = clock.now().getTime();
    const work = { runId, clock, log, signal, progress, scratch };
    const isNew = repository === 'new';
    const wanted: Record<string, Wanted[string]> = {};
    const rows: Row[] = [];
    await remember({ wanted });
    for (const place of placesOf(volumes, set)) {
      const { id } = place.set;
      const { missing, there } = await compare(place, isNew, signal).catch((thrown: unknown) => {
        throw thrown instanceof VakhtaError && rows.length === 0 ? definite(thrown) : thrown;
      });
      wanted[id] = missing.map((one) => ({ mark: markOf(one), id: one.shortId }));
      await remember({ wanted });
      const offsite = sideOf(place, 'offsite');
      // Cut into the same chunks, or nothing would be shared between old and new data there.
      if (there === undefined) await offsite.init(place.restic.primary, signal);
      if (missing.length > 0) {
        const step = { key: 'offsite-sync-copying', args: { set: id, count: missing.length } };
        progress({ step });
        await locking(place, ['primary', 'offsite'], work, () =>
          place.restic.copy(
            missing.map((one) => one.id),
            {
              signal,
              onProgress: ({ percent }) => progress({ step, ...(percent === undefined ? {} : { percent }) }),
            },
          ),
        );
      }
      rows.push(rowOf(id, missing.length, await offsite.snapshots(['vakhta'], signal)));
    }
    return { state: 'succeeded', result: { rows, tookMs: clock.now().getTime() - began } };
  },

  verify: async ({ ports, signal }, { set }) => {
    const absent: string[] = [];
    for (const place of placesOf(ports.volumes, set)) {
      absent.push(...(await compare(place, false, signal)).missing.map(({ shortId }) => shortId));
    }
    if (absent.length === 0) return { ok: true, text: { key: 'offsite-sync-seen' } };
    return { ok: false, text: { key: 'offsite-sync-not-seen', args: { ids: absent.join(', ') } } };
  },

  reconcile: async ({ ports, runId, signal }, { set }, external): Promise<Reconciled<Result>> => {
    if (external === undefined) return { state: 'again' };
    if ((await ports.scratch.open()).some((thing) => thing.runId === runId)) {
      return { state: 'busy', text: { key: 'offsite-sync-tidying' } };
    }
    const { wanted } = wantedSchema.parse(external);
    const rows: Row[] = [];
    const absent: string[] = [];
    for (const place of placesOf(ports.volumes, set)) {
      const { id } = place.set;
      // It is not known what else it would have copied.
      const own = wanted[id];
      const there = await orNone(true, () => sideOf(place, 'offsite').snapshots(['vakhta'], signal));
      const marks = new Set(there?.map(markOf));
      absent.push(...(own === undefined ? [id] : own.filter(({ mark }) => !marks.has(mark)).map((one) => one.id)));
      rows.push(rowOf(id, own?.length ?? 0, there ?? []));
    }
    if (absent.length === 0) return { state: 'succeeded', result: { rows } };
    return { state: 'failed', text: { key: 'offsite-sync-not-seen', args: { ids: absent.join(', ') } } };
  },

  report: ({ rows, tookMs }, _args, { t }) => {
    const shown = rows.map(({ set, copied, total, newestAt }): readonly [string, Inlines] => [
      set,
      [`${t('offsite-sync-row', { copied, total })} `, newestAt ? time(newestAt) : '—'],
    ]);
    const took = tookMs === undefined ? [] : [[t('offsite-sync-took'), formatDuration(tookMs, t)] as const];
    return doc(facts(...shown, ...took));
  },
});

/** One set, which then needs a copy elsewhere; or all that have one. */
function placesOf(volumes: VolumeDesk, set: string | undefined): readonly SetPlace[] {
  const places = set === undefined ? volumes.sets.filter(({ restic }) => restic.offsite) : [volumes.set(set)];
  for (const place of places) sideOf(place, 'offsite');
  if (places.length > 0) return places;
  throw new VakhtaError('usage', 'volume-no-offsite', 'no set has a copy elsewhere', { args: { set: 'restic' } });
}

interface Compared {
  /** Those that are here and not there, oldest first. */
  readonly missing: readonly Snapshot[];
  /** Undefined: there is no repository yet, and one is to be made. */
  readonly there: readonly Snapshot[] | undefined;
}

async function compare(place: SetPlace, isNew: boolean, signal: AbortSignal): Promise<Compared> {
  const [here, there] = await Promise.all([
    place.restic.primary.snapshots(['vakhta'], signal),
    orNone(isNew, () => sideOf(place, 'offsite').snapshots(['vakhta'], signal)),
  ]);
  const marks = new Set(there?.map(markOf));
  return { missing: here.filter((one) => !marks.has(markOf(one))), there };
}

function linesOf(
  set: string,
  missing: readonly Snapshot[],
  there: readonly Snapshot[] | undefined,
  now: Date,
): readonly Text[] {
  const newest = there?.at(-1);
  const args = {
    set,
    count: missing.length,
    hours: newest ? Math.max(0, Math.floor((now.getTime() - newest.at.getTime()) / hours(1))) : 0,
  };
  const ways = newest ? 'offsite-sync-plan' : 'offsite-sync-plan-first';
  const none = newest ? 'offsite-sync-plan-nothing' : 'offsite-sync-plan-empty';
  return [
    ...(there === undefined ? [{ key: 'offsite-sync-plan-new', args }] : []),
    { key: missing.length > 0 ? ways : none, args },
  ];
}

function rowOf(set: string, copied: number, there: readonly Snapshot[]): Row {
  const newest = there.at(-1);
  return { set, copied, total: there.length, ...(newest ? { newestAt: newest.at } : {}) };
}
