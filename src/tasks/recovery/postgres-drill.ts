import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { backupLock } from '../../core/locks.ts';
import { formatMoment } from '../../core/pitr.ts';
import type { Proof, Step } from '../../core/recovery.ts';
import { archiveLag, archiveOf } from '../../integrations/postgres/archive.ts';
import type { Psql } from '../../integrations/postgres/psql.ts';
import type { Drillable, WorkContext } from './define.ts';
import {
  type Content,
  contentOf,
  contentProof,
  type Counts,
  countsOf,
  countsProof,
  countTables,
  momentProof,
  productionProof,
  relationsProof,
  startedProof,
} from './postgres-proof.ts';
import type { PgRestorer, RestorePlan } from './postgres-restore.ts';

export const messages = defineMessages({
  en: `
    pg-drill-plan = { $label } of repository { $repo } is restored beside production, on port { $port }, and removed afterwards
    pg-drill-plan-canary = two canary rows are written into production, and the moment between them is restored
    pg-drill-plan-space = { $needed } MB are needed, { $free } MB are free
    pg-drill-step-plant = marking the moment in production
    pg-drill-step-look = looking at what was restored
    pg-drill-step-remove = removing the copy
    pg-drill-part-mark = Moment marked and archived
    pg-drill-part-files = Files restored
    pg-drill-part-start = Started, WAL replayed
    pg-drill-part-look = Looked at
    pg-drill-part-remove = Removed
    err-pg-drill-standby = { $stanza } is a standby: a drill needs the primary, which writes WAL. Point its cluster section at the primary.
  `,
  ru: `
    pg-drill-plan = { $label } из репозитория { $repo } восстанавливается рядом с рабочей базой, порт { $port }, потом удаляется
    pg-drill-plan-canary = в рабочую базу делаются две контрольные записи, восстанавливается момент между ними
    pg-drill-plan-space = нужно { $needed } МБ, свободно { $free } МБ
    pg-drill-step-plant = отмечаем момент в рабочей базе
    pg-drill-step-look = смотрим, что восстановилось
    pg-drill-step-remove = удаляем копию
    pg-drill-part-mark = Момент отмечен и заархивирован
    pg-drill-part-files = Файлы восстановлены
    pg-drill-part-start = Запущен, WAL накатан
    pg-drill-part-look = Осмотрен
    pg-drill-part-remove = Удалён
    err-pg-drill-standby = { $stanza } — реплика, а для проверки нужен основной сервер, который пишет WAL. Укажите его в разделе cluster.
  `,
});

export interface PgDrillOptions {
  /** `pg:main`, `offsite-pg:main` */
  readonly target: string;
  readonly restorer: PgRestorer;
  /** The repository to restore from; the first one when absent. */
  readonly repo?: number;
  /** Two small rows may be written into production. */
  readonly canary: boolean;
  /** Lock of the cluster. */
  readonly lock: string;
  /** Zone of the site, in which moments are told. */
  readonly zone: string;
}

/** How production was around the moment. */
interface Marked {
  readonly moment: Date;
  readonly first?: { readonly id: string; readonly at: Date };
  readonly before: readonly [Content, Counts];
  readonly after: readonly [Content, Counts];
}

const mb = (bytes: number): number => Math.ceil(bytes / 1e6);

/** A restore to a moment that is made in production just before, of which is known what has to be there, and what must not. */
export function createPgDrill(options: PgDrillOptions): Drillable {
  const { target, restorer, repo, zone } = options;
  const asked = { ...(repo === undefined ? {} : { repo }), zone };

  const plan: Drillable['plan'] = async (signal) => {
    const planned = await restorer.plan(asked, signal);
    const args = { label: planned.label, repo: planned.repo, port: planned.port };
    const space = { needed: mb(planned.neededBytes), free: mb(planned.freeBytes) };
    return {
      sizeBytes: planned.sizeBytes,
      lines: [
        { key: 'pg-drill-plan', args },
        ...(options.canary ? [{ key: 'pg-drill-plan-canary' }] : []),
        { key: 'pg-drill-plan-space', args: space },
      ],
    };
  };

  const run: Drillable['run'] = async (context) => {
    const { clock, signal, progress, runId } = context;
    const { production } = restorer;
    const steps: Step[] = [];
    const timed = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
      const begun = clock.now().getTime();
      try {
        return await work();
      } finally {
        steps.push({ text: { key }, ms: clock.now().getTime() - begun });
      }
    };
    const begin = await archiveOf(production, signal);
    if (begin.inRecovery) {
      const args = { stanza: restorer.id };
      throw new VakhtaError('permanent', 'pg-drill-standby', `${restorer.id} is a standby`, { args });
    }
    const rpoMs = archiveLag(begin);
    // What cannot work is refused before anything is written.
    await restorer.plan(asked, signal);
    progress({ step: { key: 'pg-drill-step-plant' } });
    const marked = await timed('pg-drill-part-mark', () => mark(options, context));
    const planned = await restorer.plan({ ...asked, target: marked.moment }, signal);
    const restored = await restorer.restore(planned, context);
    steps.push({ text: { key: 'pg-drill-part-files' }, ms: restored.filesMs });
    steps.push({ text: { key: 'pg-drill-part-start' }, ms: restored.startMs });
    let proofs: Proof[];
    let version: string;
    try {
      progress({ step: { key: 'pg-drill-step-look' } });
      [proofs, version] = await timed('pg-drill-part-look', () =>
        lookAt(restorer, restored.server.psql, { marked, planned, runId, zone }, signal),
      );
    } finally {
      progress({ step: { key: 'pg-drill-step-remove' } });
      await timed('pg-drill-part-remove', () => restorer.discard(runId, restored.claim));
    }
    // Before what only few people want to know.
    proofs.splice(marked.first ? 3 : 2, 0, productionProof(begin, await archiveOf(production, signal)));
    return {
      source: planned.label,
      rtoMs: restored.filesMs + restored.startMs,
      ...(rpoMs === undefined ? {} : { rpoMs }),
      sizeBytes: planned.sizeBytes,
      versions: { [restorer.backups.driver]: await restorer.backups.version(signal), postgres: version },
      steps,
      proofs,
    };
  };

  return { target, locks: [backupLock(options.lock)], plan, run };
}

/** Writes the first canary, takes the moment, writes the second one, and waits until all of it is in the archive. */
async function mark({ restorer, repo, canary }: PgDrillOptions, context: WorkContext): Promise<Marked> {
  const { production } = restorer;
  const { signal, runId, clock } = context;
  await afterBackups(restorer, repo, context);
  const around = async (): Promise<readonly [Content, Counts]> => [
    await contentOf(production, signal),
    await countsOf(production, signal),
  ];
  // The table comes first: it is one of the things that are counted.
  if (canary) await production.run(CANARY_TABLE, { params: { run: runId }, signal });
  const before = await around();
  const first = canary ? await plant(production, `${runId}-a`, runId, signal) : undefined;
  const [now] = await production.rows(MOMENT, z.object({ at: z.coerce.date() }), { signal });
  const moment = now?.at ?? clock.now();
  await production.run('select pg_sleep(0.05)', { signal });
  if (canary) await plant(production, `${runId}-b`, runId, signal);
  await restorer.mark(signal);
  return { moment, ...(first ? { first } : {}), before, after: await around() };
}

/** Times of backups have whole seconds: a moment in the second in which the newest one ended would need the one before. */
async function afterBackups(
  restorer: PgRestorer,
  repo: number | undefined,
  { clock, signal }: WorkContext,
): Promise<void> {
  const { backups, archive } = await restorer.look(signal, repo);
  const last = backups.at(-1)?.stoppedAt.getTime() ?? 0;
  const now = archive?.now.getTime() ?? clock.now().getTime();
  const wait = Math.ceil((last + seconds(1) - now) / 100) * 100;
  if (wait > 0 && wait <= seconds(3)) await clock.sleep(wait, signal);
}

const CANARY_TABLE = `
  set client_min_messages = warning;
  create schema if not exists vakhta;
  create table if not exists vakhta.canary (id text primary key, planted_at timestamptz not null, run text not null);
  delete from vakhta.canary where planted_at < now() - interval '7 days' or run = :'run'`;

/** After everything that is committed by now, in the milliseconds that a Date has. */
const MOMENT = `select date_trunc('milliseconds', clock_timestamp()) + interval '5 milliseconds' as at`;

async function plant(psql: Psql, id: string, run: string, signal: AbortSignal): Promise<{ id: string; at: Date }> {
  const row = z.object({ at: z.coerce.date() });
  await psql.run(
    `insert into vakhta.canary (id, planted_at, run) values (:'id', clock_timestamp(), :'run')
     on conflict (id) do update set planted_at = excluded.planted_at`,
    { params: { id, run }, signal },
  );
  const [planted] = await psql.rows(`select planted_at as at from vakhta.canary where id = :'id'`, row, {
    params: { id },
    signal,
  });
  return { id, at: planted?.at ?? new Date(0) };
}

async function lookAt(
  restorer: PgRestorer,
  copy: Psql,
  seen: { readonly marked: Marked; readonly planned: RestorePlan; readonly runId: string; readonly zone: string },
  signal: AbortSignal,
): Promise<[Proof[], string]> {
  const { marked, planned, runId, zone } = seen;
  const { clusters } = restorer;
  const log = (await clusters.programs.read(clusters.placeOf(runId).logFile, signal)) ?? '';
  const content = await contentOf(copy, signal);
  const [contentBefore, countsBefore] = marked.before;
  const [contentAfter, countsAfter] = marked.after;
  const proofs: (Proof | undefined)[] = [
    startedProof(content),
    momentProof(content, log, planned.target, zone),
    ...(marked.first ? [await canaryProof(copy, marked.first, runId, zone, signal)] : []),
    countsProof(countsBefore, countsAfter, await countTables(copy, countsBefore.keys(), signal)),
    contentProof(content, contentAfter),
    relationsProof(contentBefore, contentAfter, content),
  ];
  return [proofs.filter((one) => one !== undefined), content.version];
}

async function canaryProof(
  copy: Psql,
  first: { readonly id: string; readonly at: Date },
  runId: string,
  zone: string,
  signal: AbortSignal,
): Promise<Proof> {
  const found = await copy.rows(`select id from vakhta.canary where run = :'run'`, z.object({ id: z.string() }), {
    params: { run: runId },
    signal,
  });
  const text = (key: string): Text => ({ key, args: { at: formatMoment(first.at, zone) } });
  if (!found.some(({ id }) => id === first.id)) return { ok: false, text: text('pg-proof-canary-missing') };
  if (found.length > 1) return { ok: false, text: text('pg-proof-canary-later') };
  return { ok: true, text: text('pg-proof-canary') };
}
