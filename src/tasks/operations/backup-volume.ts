import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { bold, code, doc, facts, type Inlines } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { Snapshot } from '../../integrations/restic/port.ts';
import { defineOperation, definite } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';
import { scopesOfNames } from '../silences/selection.ts';
import { backupVolume, dumpFile, presentPaths } from '../volumes/backup.ts';
import { orNone, tagsOf, type VolumePlace } from '../volumes/desk.ts';

export const messages = defineMessages({
  en: `
    op-backup-volume = Back up a Docker volume or files (restic)
    op-backup-volume-arg-volume = Which volume?
    op-backup-volume-arg-repository = Where there is no repository yet: new makes one. Left out, a missing repository is a fault.
    backup-volume-plan = { $volume } is backed up to { $set }: { $paths }
    backup-volume-plan-last = the last snapshot is { $hours } h old
    backup-volume-plan-first = it has no snapshot yet
    backup-volume-plan-new = there is no repository yet: a new one is made
    backup-volume-plan-dump = first { $program } makes a dump, which is kept with the files
    backup-volume-plan-pause = paused meanwhile: { $names }
    backup-volume-plan-stop = stopped meanwhile and started again: { $names }
    backup-volume-seen = the snapshot is listed, files in it: { $files }
    backup-volume-not-seen = the snapshot is not listed in the repository
    backup-volume-short = the snapshot lists { $listed } files, { $files } were backed up
    backup-volume-no-dump = the snapshot does not hold the dump { $file }
    backup-volume-tidying = What the backup has paused, stopped or locked is being set right
    backup-volume-absent = The backup was interrupted, and the repository holds none of this run. Start it again.
    backup-volume-unseen = nobody saw its end, so files may be missing in it
    backup-volume-note = Look
    backup-volume-away = Not running again
    backup-volume-skipped = Left out
    backup-volume-snapshot = Snapshot
    backup-volume-files = Files
    backup-volume-files-new = { $files }, new { $fresh }, changed { $changed }
    backup-volume-size = Size
    backup-volume-added = { $size }, of that new in the repository { $added }
    backup-volume-dump = Dump
    backup-volume-took = Took
    backup-volume-took-away = { $took }; containers stood still for { $away }
  `,
  ru: `
    op-backup-volume = Резервная копия тома Docker или файлов (restic)
    op-backup-volume-arg-volume = Какой том?
    op-backup-volume-arg-repository = Если репозитория ещё нет: new создаст его. Если не указать, отсутствие репозитория — ошибка.
    backup-volume-plan = { $volume } копируется в { $set }: { $paths }
    backup-volume-plan-last = последнему снимку { $hours } ч
    backup-volume-plan-first = снимков ещё нет
    backup-volume-plan-new = репозитория ещё нет: будет создан новый
    backup-volume-plan-dump = сначала { $program } сделает выгрузку, она сохранится вместе с файлами
    backup-volume-plan-pause = на это время замрут: { $names }
    backup-volume-plan-stop = на это время остановятся, потом запустятся снова: { $names }
    backup-volume-seen = снимок есть в списке, файлов в нём: { $files }
    backup-volume-not-seen = снимка в репозитории нет
    backup-volume-short = в снимке файлов: { $listed }, а скопировано { $files }
    backup-volume-no-dump = выгрузки { $file } в снимке нет
    backup-volume-tidying = Возвращается на место то, что копирование остановило или заняло
    backup-volume-absent = Копирование прервалось, снимка этого запуска в репозитории нет. Запустите снова.
    backup-volume-unseen = конца никто не видел: части файлов в нём может не быть
    backup-volume-note = Внимание
    backup-volume-away = Не запущены снова
    backup-volume-skipped = Не вошло
    backup-volume-snapshot = Снимок
    backup-volume-files = Файлы
    backup-volume-files-new = { $files }, новых { $fresh }, изменённых { $changed }
    backup-volume-size = Размер
    backup-volume-added = { $size }, из них новое в репозитории { $added }
    backup-volume-dump = Выгрузка
    backup-volume-took = Заняло
    backup-volume-took-away = { $took }; контейнеры стояли { $away }
  `,
});

const resultSchema = z.object({
  volume: z.string(),
  set: z.string(),
  snapshot: z.string(),
  files: z.number(),
  newFiles: z.number().optional(),
  changedFiles: z.number().optional(),
  bytes: z.number(),
  addedBytes: z.number().optional(),
  durationMs: z.number().optional(),
  dumpBytes: z.number().optional(),
  awayMs: z.number().optional(),
  /** Containers that could not be set going again. */
  away: z.array(z.string()),
  skipped: z.array(z.string()),
  skippedCount: z.number(),
  /** False: it was found after its worker had died. */
  isSeen: z.boolean(),
});
type Result = z.output<typeof resultSchema>;

/** Thrown before anything was copied, and after everything was set right again. */
const NOT_BEGUN = new Set(['restic-locked', 'docker-down', 'docker-no-container']);
const SHOWN = 3;
const heldNames = z.object({ held: z.array(z.string()) });

export default defineOperation({
  name: 'backup.volume',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({
    volume: z.string().min(1).max(64),
    // Never by itself: where a disk is not mounted, an empty repository would take the place of all backups.
    repository: z.enum(['new']).optional(),
  }),
  fields: { volume: { choices: (known) => known.volumes } },
  result: resultSchema,
  ports: ['scratch', 'volumes'],
  timeoutMs: hours(24),
  locks: (_args, plan) => boundLocks(plan),

  plan: async ({ ports, clock, signal }, { volume, repository }) => {
    const place = ports.volumes.volume(volume);
    const { set, restic } = place;
    const paths = await presentPaths(place, signal);
    const { pause = [], stop = [], dump } = place.volume.before ?? {};
    const containers = [...pause, ...stop, ...(dump?.container === undefined ? [] : [dump.container])];
    for (const name of new Set(containers)) await place.docker?.inspect(name, signal);
    const listed = await orNone(repository === 'new', () => restic.primary.snapshots(tagsOf(volume), signal));
    const last = listed?.at(-1);
    const lines: Text[] = [
      { key: 'backup-volume-plan', args: { volume, set: set.id, paths: listOf(paths) } },
      last
        ? { key: 'backup-volume-plan-last', args: { hours: hoursSince(last, clock.now()) } }
        : { key: listed ? 'backup-volume-plan-first' : 'backup-volume-plan-new' },
      // The program alone: the words behind it may hold a password.
      ...(dump ? [{ key: 'backup-volume-plan-dump', args: { program: dump.command[0] ?? '' } }] : []),
      ...(pause.length > 0 ? [{ key: 'backup-volume-plan-pause', args: { names: listOf(pause) } }] : []),
      ...(stop.length > 0 ? [{ key: 'backup-volume-plan-stop', args: { names: listOf(stop) } }] : []),
    ];
    const locks = ports.volumes.locksOf(place);
    return { target: volume, lines, bound: { locks: [...locks], held: [...pause, ...stop] } };
  },

  // Only what stands still is missed; the copying itself disturbs nobody.
  quiets: async (_args, plan) =>
    scopesOfNames(heldNames.safeParse(plan.bound).data?.held ?? [], ['container', 'container_name', 'name']),

  run: async ({ ports, runId, clock, log, signal, progress, remember }, { volume, repository }) => {
    const { scratch, volumes } = ports;
    const place = volumes.volume(volume);
    await remember({ begunAt: clock.now().toISOString() });
    if (repository === 'new') await makeRepository(place, signal);
    const work = { runId, clock, log, signal, progress, scratch };
    const made = await backupVolume(place, work).catch((thrown: unknown) => {
      if (thrown instanceof VakhtaError && NOT_BEGUN.has(thrown.code)) throw definite(thrown);
      throw thrown;
    });
    const { skippedCount, away } = made;
    await volumes.noteBackup(place, { snapshot: made.snapshot, skipped: skippedCount }, clock.now());
    const result: Result = {
      ...made,
      volume,
      set: place.set.id,
      snapshot: made.snapshot.slice(0, 8),
      away: [...away],
      skipped: made.skipped.slice(0, SHOWN),
      isSeen: true,
    };
    return { state: skippedCount > 0 || away.length > 0 ? 'warning' : 'succeeded', result };
  },

  verify: async ({ ports, runId, signal }, { volume }, { snapshot, files }) => {
    const place = ports.volumes.volume(volume);
    const found = await ofRun(place, runId, signal);
    if (found === undefined || !found.id.startsWith(snapshot)) {
      return { ok: false, text: { key: 'backup-volume-not-seen' } };
    }
    const dump = dumpFile(place);
    const listed = await contentsOf(place, found, dump, signal);
    if (listed.files < files) {
      return { ok: false, text: { key: 'backup-volume-short', args: { listed: listed.files, files } } };
    }
    if (dump !== undefined && !listed.hasDump) {
      const file = place.volume.before?.dump?.file ?? '';
      return { ok: false, text: { key: 'backup-volume-no-dump', args: { file } } };
    }
    return { ok: true, text: { key: 'backup-volume-seen', args: { files: listed.files } } };
  },

  reconcile: async ({ ports, runId, signal }, { volume }, external) => {
    // Nothing was remembered: the worker died before it touched anything.
    if (external === undefined) return { state: 'again' };
    const place = ports.volumes.volume(volume);
    if ((await ports.scratch.open()).some((thing) => thing.runId === runId)) {
      return { state: 'busy', text: { key: 'backup-volume-tidying' } };
    }
    const found = await ofRun(place, runId, signal);
    if (found === undefined) return { state: 'failed', text: { key: 'backup-volume-absent' } };
    const [{ files }, bytes] = await Promise.all([
      contentsOf(place, found, undefined, signal),
      place.restic.primary.size(found.id, 'restored', signal),
    ]);
    const result: Result = {
      volume,
      set: place.set.id,
      snapshot: found.shortId,
      files,
      bytes,
      away: [],
      skipped: [],
      skippedCount: 0,
      isSeen: false,
    };
    // What could not be read was told to the worker that is no more.
    return { state: 'warning', result };
  },

  report: (result, _args, { t }) => {
    const { snapshot, files, newFiles: fresh, changedFiles: changed, bytes, addedBytes, dumpBytes } = result;
    const { away, awayMs, skipped, skippedCount, durationMs, isSeen } = result;
    const size = formatBytes(bytes, t);
    const took = formatDuration(durationMs ?? 0, t);
    const rows: (readonly [string, Inlines])[] = [
      ...(isSeen ? [] : [[t('backup-volume-note'), bold(t('backup-volume-unseen'))] as const]),
      ...(away.length > 0 ? [[t('backup-volume-away'), bold(listOf(away))] as const] : []),
      ...(skippedCount > 0
        ? [
            [
              t('backup-volume-skipped'),
              [bold(String(skippedCount)), ': ', code(listOf(skipped, skippedCount))],
            ] as const,
          ]
        : []),
      [t('backup-volume-snapshot'), code(snapshot)],
      [
        t('backup-volume-files'),
        fresh === undefined ? String(files) : t('backup-volume-files-new', { files, fresh, changed: changed ?? 0 }),
      ],
      [
        t('backup-volume-size'),
        addedBytes === undefined ? size : t('backup-volume-added', { size, added: formatBytes(addedBytes, t) }),
      ],
      ...(dumpBytes === undefined ? [] : [[t('backup-volume-dump'), formatBytes(dumpBytes, t)] as const]),
    ];
    if (durationMs !== undefined) {
      const line =
        awayMs === undefined ? took : t('backup-volume-took-away', { took, away: formatDuration(awayMs, t) });
      rows.push([t('backup-volume-took'), line]);
    }
    return doc(facts(...rows));
  },
});

const hoursSince = ({ at }: Snapshot, now: Date): number =>
  Math.max(0, Math.floor((now.getTime() - at.getTime()) / hours(1)));

/** The first of them, and how many more there are. */
const listOf = (names: readonly string[], all = names.length): string => {
  const shown = names.slice(0, SHOWN);
  return `${shown.join(', ')}${all > shown.length ? ` … +${all - shown.length}` : ''}`;
};

/** Somebody else may have made it meanwhile, which is as good. */
async function makeRepository({ restic }: VolumePlace, signal: AbortSignal): Promise<void> {
  await restic.primary.init(undefined, signal).catch((thrown: unknown) => {
    if (!(thrown instanceof VakhtaError) || thrown.code !== 'restic-exists') throw thrown;
  });
}

/** The snapshot of a run: its tag outlives whatever happened to us. */
async function ofRun({ restic, volume }: VolumePlace, runId: string, signal: AbortSignal) {
  return (await restic.primary.snapshots([...tagsOf(volume.id), `run=${runId}`], signal)).at(-1);
}

/** How many files a snapshot lists, and whether the dump is among them and not empty. */
async function contentsOf(
  { restic }: VolumePlace,
  { id }: Snapshot,
  dump: string | undefined,
  signal: AbortSignal,
): Promise<{ files: number; hasDump: boolean }> {
  const seen = { files: 0, hasDump: false };
  await restic.primary.list(
    id,
    ({ type, path, sizeBytes }) => {
      if (type !== 'dir') seen.files += 1;
      if (path === dump && sizeBytes > 0) seen.hasDump = true;
    },
    signal,
  );
  return seen;
}
