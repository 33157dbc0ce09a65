import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { backupLock } from '../../core/locks.ts';
import type { Stanza } from '../../config/schema.ts';
import type { Executor } from '../../integrations/exec/executor.ts';
import type { StanzaInfo } from '../../integrations/pgbackrest/info.ts';
import {
  type Checked,
  missingSegments,
  type VerifyResult,
  verifyStanza,
} from '../../integrations/pgbackrest/verify.ts';
import type { PostgresBackups } from '../../integrations/postgres/backups.ts';
import type { ScratchClusters } from '../../integrations/postgres/scratch.ts';
import type { ScratchDesk, ScratchRemover } from '../scratch/desk.ts';
import type { Verifiable, VerifyReport, WorkContext } from './define.ts';

export const messages = defineMessages({
  en: `
    pg-verify-step-reading = reading repository { $repo }
    pg-verify-step-decoy = a throw-away backup, to damage it
    pg-verify-ok = Repository { $repo }: { $backups } backups with { $files } files and { $wal } WAL segments agree with their checksums
    pg-verify-backup = { $label } is damaged ({ $status }): { $missing } files are missing, { $checksum } differ from their checksum, { $size } from their size
    pg-verify-archive = Archive { $id }: of { $files } WAL segments { $bad } are damaged
    pg-verify-hole = Archive { $id } lacks at least { $missing } WAL segments between its first and its last: no moment after the hole can be reached from a backup before it
    pg-verify-unspanned = Archive { $id }: holes were not looked for, since the size of its segments is not known (postgres.cluster)
    pg-verify-problem = pgBackRest says: { $detail }
    pg-verify-empty = Repository { $repo } holds no backup, so nothing was verified
    pg-verify-offsite = Repository { $repo } lies elsewhere and is not read over: its restore drill proves it
    pg-verify-walg = No segment of WAL is missing. The data of the backups was not read: WAL-G cannot
    pg-decoy-caught = The check found the damage that was done to a throw-away repository
    pg-decoy-missed = The check called a damaged repository good: its verdicts are worth nothing. Update pgBackRest
    pg-decoy-blind = The check found damage in a repository before any was done: its verdicts are worth nothing
  `,
  ru: `
    pg-verify-step-reading = читаем репозиторий { $repo }
    pg-verify-step-decoy = одноразовая копия, чтобы её испортить
    pg-verify-ok = Репозиторий { $repo }: копий — { $backups }, файлов — { $files }, сегментов WAL — { $wal }; все контрольные суммы сходятся
    pg-verify-backup = { $label } повреждена ({ $status }): файлов не хватает — { $missing }, не та контрольная сумма — { $checksum }, не тот размер — { $size }
    pg-verify-archive = Архив { $id }: из { $files } сегментов WAL повреждены { $bad }
    pg-verify-hole = В архиве { $id } между первым и последним сегментом WAL не хватает не меньше { $missing }: из копии до пропуска нельзя попасть в момент после него
    pg-verify-unspanned = Архив { $id }: пропуски не искали, размер его сегментов неизвестен (postgres.cluster)
    pg-verify-problem = pgBackRest сообщает: { $detail }
    pg-verify-empty = В репозитории { $repo } нет копий, проверять было нечего
    pg-verify-offsite = Репозиторий { $repo } лежит в другом месте и не перечитывается: его доказывает пробное восстановление
    pg-verify-walg = Все сегменты WAL на месте. Данные самих копий не прочитаны: WAL-G этого не умеет
    pg-decoy-caught = Проверка нашла повреждение, сделанное в одноразовом репозитории
    pg-decoy-missed = Проверка назвала испорченный репозиторий исправным: верить ей нельзя. Обновите pgBackRest
    pg-decoy-blind = Проверка нашла повреждение там, где его ещё не было: верить ей нельзя
  `,
});

export interface PostgresVerifyEdges {
  readonly backups: PostgresBackups;
  /** `serviceLock` of the cluster. */
  readonly lock: string;
  /** Where pgBackRest runs, for the throw-away repository; with a place for it. */
  readonly decoy?: { readonly executor: Executor; readonly binDir: string; readonly clusters: ScratchClusters };
  readonly desk: ScratchDesk;
  /** Bytes of a WAL segment; absent, or nothing, where it cannot be told. */
  readonly segmentBytes?: (signal: AbortSignal) => Promise<number | undefined>;
}

const DECOY = 'vakhta-decoy';
export const DECOY_KIND = 'pg-decoy';

/** Reads the repositories of a stanza over. */
export function postgresVerifiable(stanza: Stanza, edges: PostgresVerifyEdges): Verifiable {
  const { backups, lock, decoy, desk, segmentBytes } = edges;
  return {
    target: `pg:${stanza.id}`,
    locks: [backupLock(lock)],
    verify: async ({ signal, progress }) => {
      const [info, segment] = await Promise.all([backups.info(signal), segmentBytes?.(signal)]);
      const declared = info.repos.map(({ key }) => key);
      const all = declared.length > 0 ? declared : [1];
      const own = all.filter((repo) => repo !== stanza.offsiteRepo);
      const reports: VerifyReport[] = [];
      for (const repo of own.length > 0 ? own : all) {
        progress({ step: { key: 'pg-verify-step-reading', args: { repo } } });
        const result = await backups.verify({ repo, signal });
        reports.push(
          verifyReport(result, spanning(info, await backups.info(signal)), {
            repo,
            segmentBytes: segment,
            can: backups.can,
          }),
        );
      }
      const skipped = own.length > 0 ? all.filter((repo) => !own.includes(repo)) : [];
      return {
        ...together(reports),
        lines: [
          ...reports.flatMap(({ lines }) => lines),
          ...skipped.map((repo) => ({ key: 'pg-verify-offsite', args: { repo } })),
        ],
      };
    },
    ...(decoy && backups.driver === 'pgbackrest' ? { decoy: (context) => runDecoy(stanza, decoy, desk, context) } : {}),
  };
}

/** What was archived or expired while it was verified is not missed: the archive from its first segment after to its last before. */
function spanning(before: StanzaInfo, after: StanzaInfo): StanzaInfo {
  const archives = before.archives.map((one) => {
    const later = after.archives.find(({ id, repoKey }) => id === one.id && repoKey === one.repoKey);
    return { ...one, min: later?.min ?? null };
  });
  return { ...before, archives };
}

/** What one verify means. */
export function verifyReport(
  result: VerifyResult,
  info: StanzaInfo,
  {
    repo,
    segmentBytes,
    can,
  }: Pick<PostgresBackups, 'can'> & { readonly repo: number; readonly segmentBytes: number | undefined },
): VerifyReport {
  const archives = result.archives.flatMap(({ id, files }) =>
    info.archives.filter((one) => one.id === id && one.repoKey === repo).map((span) => ({ id, files, span })),
  );
  const lines: Text[] = [
    ...result.problems.map((detail) => ({ key: 'pg-verify-problem', args: { detail } })),
    ...result.backups.filter(isDamaged).map(({ id, status, missing, checksum, size, other }) => ({
      key: 'pg-verify-backup',
      args: { label: id, status, missing, checksum: checksum + other, size },
    })),
    ...result.archives
      .filter((one) => one.files > one.valid)
      .map(({ id, files, valid }) => ({ key: 'pg-verify-archive', args: { id, files, bad: files - valid } })),
    ...archives.flatMap(({ id, files, span }) => {
      const missing = missingSegments(span, files, segmentBytes) ?? 0;
      return missing > 0 ? [{ key: 'pg-verify-hole', args: { id, missing } }] : [];
    }),
  ];
  if (result.status === 'error' || lines.length > 0) return { state: 'failed', lines };
  if (!can.readData) return { state: 'warning', lines: [{ key: 'pg-verify-walg' }] };
  const whole = result.backups.filter(({ status }) => status === 'valid');
  if (whole.length === 0) return { state: 'warning', lines: [{ key: 'pg-verify-empty', args: { repo } }] };
  const stored = info.backups.filter(({ label, repoKey }) => repoKey === repo && whole.some(({ id }) => id === label));
  const bytes = stored.reduce((sum, { repoDeltaBytes = 0 }) => sum + repoDeltaBytes, 0);
  const args = { repo, backups: whole.length, files: sum(whole), wal: sum(result.archives) };
  return {
    state: 'ok',
    lines: [
      { key: 'pg-verify-ok', args },
      ...archives.flatMap(({ id, files, span }) =>
        span.min !== null && missingSegments(span, files, segmentBytes) === undefined
          ? [{ key: 'pg-verify-unspanned', args: { id } }]
          : [],
      ),
    ],
    ...(bytes > 0 ? { readBytes: bytes, ofBytes: bytes } : {}),
  };
}

const isDamaged = ({ status, files, valid }: VerifyResult['backups'][number]): boolean =>
  !['valid', 'in-progress'].includes(status) || valid < files;
const sum = (all: readonly Checked[]): number => all.reduce((total, { files }) => total + files, 0);

function together(reports: readonly VerifyReport[]): Omit<VerifyReport, 'lines'> {
  const states = reports.map(({ state }) => state);
  const bytes = reports.reduce((total, { readBytes = 0 }) => total + readBytes, 0);
  return {
    state: states.includes('failed') ? 'failed' : states.includes('warning') ? 'warning' : 'ok',
    ...(bytes > 0 ? { readBytes: bytes, ofBytes: bytes } : {}),
  };
}

/** Makes an empty cluster, backs it up while it is off, looks at it, damages one file, and looks again. */
async function runDecoy(
  stanza: Stanza,
  { executor, binDir, clusters }: NonNullable<PostgresVerifyEdges['decoy']>,
  desk: ScratchDesk,
  { runId, signal, progress }: WorkContext,
): Promise<{ readonly caught: boolean; readonly text: Text }> {
  const name = decoyName(runId);
  const id = await desk.claim({ runId, kind: DECOY_KIND, place: stanza.id, what: { name } });
  try {
    progress({ step: { key: 'pg-verify-step-decoy' } });
    const { programs } = clusters;
    const { folder, dataDir } = await clusters.prepare(name, signal);
    const options = { signal, timeoutMs: 120_000 };
    const init = [
      `${binDir}/initdb`,
      `--pgdata=${dataDir}`,
      '--no-sync',
      '--locale=C',
      '--encoding=UTF8',
      '--auth=peer',
    ];
    await programs.must(init, options);
    // Words of the configuration that point to the real repository do not belong here.
    const own = stanza.binary.filter((word) => !/^--(?:config|stanza|repo\d*-path)\b/u.test(word));
    const words = [...own, '--no-config', `--stanza=${DECOY}`, `--repo1-path=${folder}/repo`, '--log-level-file=off'];
    const quiet = ['--log-level-console=off', '--log-level-stderr=error', `--lock-path=${folder}/lock`];
    const offline = [...quiet, '--no-online', `--pg1-path=${dataDir}`];
    await programs.must([...words, ...offline, 'stanza-create'], options);
    const kept = ['--repo1-retention-full=1', '--compress-type=none', '--type=full'];
    await programs.must([...words, ...offline, ...kept, 'backup'], options);

    const at = { executor, stanza: DECOY, words };
    const before = await verifyStanza(at, { repo: 1, signal });
    if (before.status !== 'ok' || before.backups.length === 0)
      return { caught: false, text: { key: 'pg-decoy-blind' } };
    const found = await programs.must(
      ['find', `${folder}/repo/backup`, '-type', 'f', '-path', '*/pg_data/base/*', '-size', '+7k', '-print', '-quit'],
      options,
    );
    const file = found.trim();
    if (!file.startsWith(`${folder}/`)) {
      throw new VakhtaError('permanent', 'pgbackrest-verify-silent', 'no file to damage', { args: { stanza: DECOY } });
    }
    await programs.must(['dd', `of=${file}`, 'bs=1', 'seek=512', 'conv=notrunc', 'status=none'], {
      ...options,
      stdin: 'damaged on purpose',
    });
    const after = await verifyStanza(at, { repo: 1, signal });
    const caught = after.status === 'error';
    return { caught, text: { key: caught ? 'pg-decoy-caught' : 'pg-decoy-missed' } };
  } finally {
    await clusters.remove(name);
    await desk.released(id);
  }
}

const decoyName = (runId: string): string => `decoy-${runId}`;

/** Takes away what a decoy has left behind. */
export function decoyRemover(clustersOf: (stanza: string) => ScratchClusters | undefined): ScratchRemover {
  return {
    kind: DECOY_KIND,
    remove: async ({ place, what }, signal) => {
      // A stanza that is not configured any more cannot be reached: it stays known, and the sweeper says so.
      const clusters = clustersOf(place);
      if (clusters === undefined) {
        throw new VakhtaError('permanent', 'not-declared', `${place} is not declared`, {
          args: { id: place, known: '—' },
        });
      }
      await clusters.remove(String(what['name']), signal);
    },
  };
}
