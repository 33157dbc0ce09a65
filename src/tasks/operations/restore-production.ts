import { z } from 'zod';
import { type Clock, hours, seconds } from '../../core/clock.ts';
import { type Block, bold, code, facts, gap, type Inlines, line, list, quote, time } from '../../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { formatMoment } from '../../core/pitr.ts';
import { formatTarget } from '../../core/recovery.ts';
import { defineOperation, type Text, type View } from '../define.ts';
import { stopOf } from '../lifecycle/stop.ts';
import { boundLocks } from '../lock-paths.ts';
import type { Ports } from '../ports.ts';
import { momentChoices, momentNote, readMoment } from '../recovery/moments.ts';
import { type PgProduction, type Settled, type Staged, stagedSchema } from '../recovery/postgres-production.ts';
import { type RestorePlan, restorePlanSchema } from '../recovery/postgres-restore.ts';
import { say } from '../recovery/words.ts';

export const messages = defineMessages({
  en: `
    op-restore-production = Put PostgreSQL in production back to a moment
    op-restore-production-arg-stanza = Which database?
    op-restore-production-arg-at = To which moment? As 14:15, yesterday 14:15, 2026-01-30 14:15, -2h or latest.
    restore-production-plan = ❗ PRODUCTION { $stanza } goes back to { $at }; what was written after it will not be in it
    restore-production-plan-latest = ❗ PRODUCTION { $stanza } is replaced by its backup and the WAL after it, as far as the archive reaches
    restore-production-plan-source = from { $label } of { $ended }, { $size } MB; { $needed } MB are needed beside { $dir }, { $free } MB are free
    restore-production-plan-backup = first a fresh backup is made; then the restored cluster is started beside production and looked at
    restore-production-plan-down = production is down: no fresh backup can be made first; the restored cluster is started beside it and looked at
    restore-production-plan-exchange = only then production is stopped, the folders are exchanged, and it is started again
    restore-production-plan-kept = the old data stays in { $before }
    restore-production-plan-lost = there is no old data: { $dir } does not exist
    restore-production-plan-standbys = { $n ->
        [one] one standby follows it, and has to be made anew afterwards
       *[other] { $n } standbys follow it, and have to be made anew afterwards
      }
    restore-production-plan-drill = the last good drill was on { $at }
    restore-production-step-backup = making a fresh backup
    restore-production-step-stop = stopping production
    restore-production-step-exchange = exchanging the folders
    restore-production-step-start = starting production
    restore-production-step-look = looking at production
    restore-production-tidying = What was restored beside production is being removed
    restore-production-lost = The restore was interrupted before production was touched: it is as it was. Ask again.
    restore-production-interrupted = The restore was interrupted. Nothing was exchanged; production { $stanza } runs as before.
    restore-production-interrupted-down = The restore was interrupted. Nothing was exchanged; production { $stanza } is down, as it was before.
    restore-production-done = Production is restored
    restore-production-doubtful = Production is restored, but not everything is as it has to be
    restore-production-moment = Moment
    restore-production-latest = end of the archive
    restore-production-source = From
    restore-production-away = Was away for
    restore-production-backup = Fresh backup
    restore-production-no-backup = none: production was down
    restore-production-before = Old data
    restore-production-next = Look at it, then make a full backup. When the old data is not needed any more:
    restore-production-parts = Files { $files } · rehearsal { $rehearsal }
    restore-production-full = 💾 Full backup
    restore-production-seen = production answers on timeline { $timeline }, of the restored system
    restore-production-unseen = production is not what was restored: timeline { $timeline }, system { $system }
    err-restore-production-undeclared = Vakhta may not restore over { $stanza }: it needs cluster.start, cluster.stop and scratch in the configuration of { $stanza }, and pgBackRest.
    err-restore-production-unproven = No restore of { $stanza } was seen to work within the last { $days } days, so production is not replaced. Run /drill restore { $target } first.
    err-restore-production-standby = { $stanza } is a standby: restore over its primary.
    err-restore-production-mute = { $stanza } runs but does not answer, so no fresh backup can be made of it. Stop it first, then ask again.
    err-restore-production-gone = The backup { $label } is not listed any more. Nothing was done; ask again.
    err-restore-production-old = { $why } — Nothing was exchanged; production { $stanza } runs as before.
    err-restore-production-old-down = { $why } — Nothing was exchanged; production { $stanza } is down, as it was before.
    err-restore-production-back = The restored cluster did not start: { $why } — Production { $stanza } has its old data again and runs. What did not start lies in { $failed }.
    err-restore-production-back-down = The restored cluster did not start: { $why } — Production { $stanza } has its old data again and is down, as before. What did not start lies in { $failed }.
    err-restore-production-stuck = ❗ Production { $stanza } does not run: { $why } — Old data: { $before } (when it is not there, { $dir } is the old data). Nothing is half-restored: start one of the two by hand.
  `,
  ru: `
    op-restore-production = Вернуть рабочую базу PostgreSQL на момент времени
    op-restore-production-arg-stanza = Какую базу?
    op-restore-production-arg-at = На какой момент? Например 14:15, вчера 14:15, 2026-01-30 14:15, -2h или latest.
    restore-production-plan = ❗ РАБОЧАЯ база { $stanza } вернётся на { $at }; записанного позже в ней не будет
    restore-production-plan-latest = ❗ РАБОЧАЯ база { $stanza } заменяется копией и WAL после неё, до конца архива
    restore-production-plan-source = из { $label } от { $ended }, { $size } МБ; рядом с { $dir } нужно { $needed } МБ, свободно { $free } МБ
    restore-production-plan-backup = сначала делается свежая копия; потом восстановленный кластер запускается рядом с рабочим и осматривается
    restore-production-plan-down = рабочая база не работает: свежую копию сначала не сделать; восстановленный кластер запускается рядом и осматривается
    restore-production-plan-exchange = и только потом рабочая база останавливается, каталоги меняются местами, и она запускается снова
    restore-production-plan-kept = прежние данные останутся в { $before }
    restore-production-plan-lost = прежних данных нет: каталога { $dir } не существует
    restore-production-plan-standbys = за ней идут реплики: { $n }, потом их придётся создать заново
    restore-production-plan-drill = последнее удачное учение — { $at }
    restore-production-step-backup = делаем свежую копию
    restore-production-step-stop = останавливаем рабочую базу
    restore-production-step-exchange = меняем каталоги местами
    restore-production-step-start = запускаем рабочую базу
    restore-production-step-look = осматриваем рабочую базу
    restore-production-tidying = Убирается то, что было восстановлено рядом с рабочей базой
    restore-production-lost = Восстановление прервалось раньше, чем дошло до рабочей базы: она какой была, такой и осталась. Запросите снова.
    restore-production-interrupted = Восстановление прервалось. Ничего не подменено; рабочая база { $stanza } работает, как прежде.
    restore-production-interrupted-down = Восстановление прервалось. Ничего не подменено; рабочая база { $stanza } не работает, как и до этого.
    restore-production-done = Рабочая база восстановлена
    restore-production-doubtful = Рабочая база восстановлена, но не всё так, как должно быть
    restore-production-moment = Момент
    restore-production-latest = конец архива
    restore-production-source = Откуда
    restore-production-away = Не работала
    restore-production-backup = Свежая копия
    restore-production-no-backup = нет: база не работала
    restore-production-before = Прежние данные
    restore-production-next = Осмотрите её и сделайте полную копию. Когда прежние данные будут не нужны:
    restore-production-parts = Файлы { $files } · пробный запуск { $rehearsal }
    restore-production-full = 💾 Полная копия
    restore-production-seen = рабочая база отвечает на линии времени { $timeline }, система — восстановленная
    restore-production-unseen = рабочая база — не то, что восстановлено: линия времени { $timeline }, система { $system }
    err-restore-production-undeclared = Восстанавливать поверх { $stanza } Вахте не разрешено: для этого в конфигурации { $stanza } нужны cluster.start, cluster.stop и scratch, а также pgBackRest.
    err-restore-production-unproven = За последние { $days } дн. ни одно восстановление { $stanza } не проверено учением, поэтому рабочая база не заменяется. Сначала /drill restore { $target }.
    err-restore-production-standby = { $stanza } — реплика: восстанавливайте поверх основной базы.
    err-restore-production-mute = { $stanza } запущена, но не отвечает, поэтому свежую копию с неё не снять. Сначала остановите её, потом запросите снова.
    err-restore-production-gone = Копии { $label } в списке больше нет. Ничего не сделано; запросите снова.
    err-restore-production-old = { $why } — Ничего не подменено; рабочая база { $stanza } работает, как прежде.
    err-restore-production-old-down = { $why } — Ничего не подменено; рабочая база { $stanza } не работает, как и до этого.
    err-restore-production-back = Восстановленный кластер не запустился: { $why } — Рабочая база { $stanza } снова на прежних данных и работает. То, что не запустилось, лежит в { $failed }.
    err-restore-production-back-down = Восстановленный кластер не запустился: { $why } — Рабочая база { $stanza } снова на прежних данных и не работает, как и до этого. То, что не запустилось, лежит в { $failed }.
    err-restore-production-stuck = ❗ Рабочая база { $stanza } не работает: { $why } — Прежние данные: { $before } (если такого каталога нет, прежние данные — { $dir }). Ничего не восстановлено наполовину: запустите одно из двух вручную.
  `,
});

/** For the way back when the work is broken off: the program itself has twenty seconds then. */
const WAY_BACK_MS = seconds(15);

const boundSchema = z.object({ plan: restorePlanSchema, zone: z.string() });

/** What is remembered, so that another worker knows what to look for. */
const externalSchema = z.object({
  phase: z.enum(['beside', 'exchange']),
  zone: z.string(),
  wasThere: z.boolean(),
  wasUp: z.boolean(),
  backup: z.string().optional(),
  staged: stagedSchema.optional(),
  stoppedAt: z.coerce.date().optional(),
});
type External = z.output<typeof externalSchema>;

const resultSchema = stagedSchema.extend({
  stanza: z.string(),
  /** When production answered again; `awayMs` since it was stopped, where it was up. */
  at: z.coerce.date(),
  awayMs: z.number().optional(),
  backup: z.string().optional(),
  before: z.string().optional(),
  productionTimeline: z.number(),
});
type Result = z.output<typeof resultSchema>;

export default defineOperation({
  name: 'restore.production',
  messages,
  role: 'operator',
  risk: 'destroy',
  args: z.object({ stanza: z.string().min(1).max(64), at: z.string().min(1).max(60) }),
  fields: {
    stanza: { choices: (known) => known.stanzas },
    at: {
      rest: true,
      choices: async (known, { stanza }, asked) =>
        typeof stanza === 'string' ? momentChoices(await known.restorable(stanza, asked.now), asked) : [],
      note: async (known, { stanza }, asked) =>
        typeof stanza === 'string' ? momentNote(await known.restorable(stanza, asked.now), asked) : undefined,
    },
  },
  result: resultSchema,
  ports: ['productions', 'recovery', 'lockPaths', 'scratch'],
  timeoutMs: hours(24),
  locks: (_args, plan) => boundLocks(plan),

  plan: async ({ ports, operator, clock, signal, runId }, { stanza, at }) => {
    const production = productionOf(ports, stanza);
    const { restorer } = production;
    const zone = operator?.zone ?? restorer.zone;
    const target = readMoment(at, zone, clock.now());
    const drill = await ports.recovery.lastGoodDrill(formatTarget({ kind: 'pg', id: stanza }), clock.now());
    if (!drill?.isFresh) {
      const days = Math.round(ports.recovery.goals.drillMaxAgeMs / hours(24));
      throw new VakhtaError('permanent', 'restore-production-unproven', `${stanza}: no good drill in ${days} days`, {
        args: { stanza, days, target: formatTarget({ kind: 'pg', id: stanza }) },
      });
    }
    const found = await production.look(signal);
    const { archive } = await restorer.look(signal);
    const refuse = (code: string) => new VakhtaError('permanent', code, `${stanza}: ${code}`, { args: { stanza } });
    if (archive?.inRecovery) throw refuse('restore-production-standby');
    if (found.isRunning && !archive) throw refuse('restore-production-mute');
    const plan = await restorer.plan({ zone, ...(target ? { target } : {}) }, signal);
    const standbys = archive ? await production.standbys(signal) : 0;
    const mb = (bytes: number): number => Math.ceil(bytes / 1e6);
    const lines: Text[] = [
      target
        ? { key: 'restore-production-plan', args: { stanza, at: formatMoment(target, zone) } }
        : { key: 'restore-production-plan-latest', args: { stanza } },
      {
        key: 'restore-production-plan-source',
        args: {
          label: plan.label,
          ended: formatMoment(plan.backupAt, zone),
          size: mb(plan.sizeBytes),
          needed: mb(plan.neededBytes),
          free: mb(plan.freeBytes),
          dir: production.dataDir,
        },
      },
      { key: found.isRunning ? 'restore-production-plan-backup' : 'restore-production-plan-down' },
      { key: 'restore-production-plan-exchange' },
      found.isThere
        ? { key: 'restore-production-plan-kept', args: { before: production.beforeOf(runId) } }
        : { key: 'restore-production-plan-lost', args: { dir: production.dataDir } },
      ...(standbys > 0 ? [{ key: 'restore-production-plan-standbys', args: { n: standbys } }] : []),
      { key: 'restore-production-plan-drill', args: { at: formatMoment(drill.at, zone) } },
    ];
    return { target: stanza, lines, bound: { plan, zone, locks: [ports.lockPaths.postgres(stanza)] } };
  },

  run: async (context, { stanza }) => {
    const { ports, runId, clock, log, signal, progress, remember } = context;
    const { plan, zone } = boundSchema.parse(context.plan.bound);
    const production = productionOf(ports, stanza);
    const { isThere, isRunning } = await production.look(signal);
    let external: External = { phase: 'beside', zone, wasThere: isThere, wasUp: isRunning };
    await remember(external);
    if (isRunning) {
      progress({ step: { key: 'restore-production-step-backup' } });
      external = { ...external, backup: await protect(production, plan, context) };
      await remember(external);
    }
    const approved = await stillThere(production, plan, zone, signal);
    const work = { runId, clock, log, signal, progress, remember };
    const { staged, claim } = await production.stage(approved, zone, work);
    try {
      external = { ...external, phase: 'exchange', staged, ...(isRunning ? { stoppedAt: clock.now() } : {}) };
      await remember(external);
      const settled = await exchange(production, external, context);
      if (settled.state !== 'new') throw settledError(settled, production, runId);
      progress({ step: { key: 'restore-production-step-look' } });
      return await outcomeOf(production, external, runId, { clock, signal, archive: true });
    } finally {
      if (stopOf(signal) !== 'superseded') {
        await production.restorer.discard(runId, claim).catch((error: unknown) => {
          // What became of production does not hang on it, and the sweeper comes for it.
          log.warn({ err: error }, 'what was made beside production was not removed');
        });
      }
    }
  },

  verify: async ({ ports, signal }, { stanza }, { systemId, productionTimeline }) => {
    const seen = await productionOf(ports, stanza).seen(signal);
    const ok = seen.systemId === systemId && seen.timeline === productionTimeline && !seen.isInRecovery;
    const args = { timeline: seen.timeline, system: seen.systemId };
    return { ok, text: { key: ok ? 'restore-production-seen' : 'restore-production-unseen', args } };
  },

  reconcile: async ({ ports, runId, clock, signal }, { stanza }, raw) => {
    if (raw === undefined) return { state: 'again' };
    const external = externalSchema.parse(raw);
    if (external.phase === 'beside') {
      const mine = (await ports.scratch.open()).filter((thing) => thing.runId === runId);
      if (mine.length > 0) return { state: 'busy', text: { key: 'restore-production-tidying' } };
      return { state: 'failed', text: { key: 'restore-production-lost' } };
    }
    const production = productionOf(ports, stanza);
    const settled = await production.settle(runId, external, signal);
    if (settled.state === 'new') return outcomeOf(production, external, runId, { clock, signal, archive: false });
    if (settled.state === 'old') {
      const key = `restore-production-interrupted${settled.isUp ? '' : '-down'}`;
      return { state: 'failed', text: { key, args: { stanza } } };
    }
    const { text: key, args } = settledError(settled, production, runId);
    return { state: 'failed', text: { key, args } };
  },

  report: (result, { stanza }, view) => ({
    blocks: blocksOf(result, view),
    buttons: [
      [
        {
          kind: 'press',
          label: view.t('restore-production-full'),
          press: { kind: 'operation', operation: 'backup.pg', args: { stanza, type: 'full' } },
        },
      ],
    ],
  }),
});

function productionOf({ productions }: Pick<Ports, 'productions'>, stanza: string): PgProduction {
  if (productions.ids.includes(stanza)) return productions.get(stanza);
  throw new VakhtaError('permanent', 'restore-production-undeclared', `${stanza}: no start, stop or scratch`, {
    args: { stanza },
  });
}

interface Work {
  readonly runId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: (progress: { readonly step: Text; readonly percent?: number }) => void;
  readonly remember: (external: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** A fresh backup, and something in the archive after the moment; the label. */
async function protect({ restorer }: PgProduction, plan: RestorePlan, work: Work): Promise<string> {
  const { runId, signal, progress } = work;
  const made = await restorer.backups.backup('incr', { runId, signal, onProgress: progress });
  if (plan.target) await restorer.mark(signal);
  return made.label;
}

/** Space and ports may have changed while the plan waited for its answer; the backup and the moment stay as approved. */
async function stillThere(
  { restorer }: PgProduction,
  approved: RestorePlan,
  zone: string,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const { target, repo, label } = approved;
  const { backups } = await restorer.look(signal, repo);
  if (!backups.some((one) => one.label === label)) {
    throw new VakhtaError('permanent', 'restore-production-gone', `${label} is not listed`, { args: { label } });
  }
  const { port } = await restorer.plan({ repo, zone, ...(target ? { target } : {}) }, signal);
  return { ...approved, port };
}

/** Whatever happens in between, production is to run at the end of it. */
async function exchange(production: PgProduction, external: External, work: Work): Promise<Settled> {
  const { runId, clock, signal, progress, remember } = work;
  try {
    progress({ step: { key: 'restore-production-step-stop' } });
    await production.exchange(runId, signal, async () => {
      progress({ step: { key: 'restore-production-step-exchange' } });
      // Refused to a worker that was given up for dead: somebody else brings production back then.
      await remember(external);
    });
    progress({ step: { key: 'restore-production-step-start' } });
    return await production.settle(runId, external, signal);
  } catch (thrown) {
    const stop = stopOf(signal);
    if (stop === 'superseded') throw thrown;
    const limit = new AbortController();
    const end = stop === undefined ? () => {} : clock.after(WAY_BACK_MS, () => limit.abort(thrown));
    try {
      const settled = await production.settle(runId, external, limit.signal);
      if (stop !== undefined) throw thrown;
      if (settled.state !== 'old') return settled;
      const { args, message } = toVakhtaError(thrown);
      throw settledError(settled, production, runId, String(args['detail'] ?? message));
    } finally {
      end();
    }
  }
}

function settledError(
  settled: Exclude<Settled, { state: 'new' }>,
  production: PgProduction,
  runId: string,
  why = '—',
): VakhtaError {
  const isDown = 'isUp' in settled && !settled.isUp;
  const code = `restore-production-${settled.state}${isDown ? '-down' : ''}`;
  const args = {
    stanza: production.id,
    why: 'why' in settled ? settled.why : why,
    before: production.beforeOf(runId),
    dir: production.dataDir,
    failed: 'failed' in settled ? settled.failed : '—',
  };
  return new VakhtaError('permanent', code, `${production.id}: ${settled.state}: ${args.why}`, { args });
}

async function outcomeOf(
  production: PgProduction,
  { staged, stoppedAt, backup, wasThere, zone }: External,
  runId: string,
  { clock, signal, archive }: { readonly clock: Clock; readonly signal: AbortSignal; readonly archive: boolean },
): Promise<{ readonly state: 'succeeded' | 'warning'; readonly result: Result }> {
  if (!staged) throw new VakhtaError('bug', 'internal', 'exchanged without anything staged');
  const at = clock.now();
  const { timeline } = await production.seen(signal);
  const proofs: Staged['proofs'] = [...staged.proofs, ...(await production.proofs(staged, zone, archive, signal))];
  return {
    state: proofs.every(({ ok }) => ok) ? 'succeeded' : 'warning',
    result: {
      ...staged,
      proofs,
      stanza: production.id,
      at,
      productionTimeline: timeline,
      ...(stoppedAt ? { awayMs: at.getTime() - stoppedAt.getTime() } : {}),
      ...(backup === undefined ? {} : { backup }),
      ...(wasThere ? { before: production.beforeOf(runId) } : {}),
    },
  };
}

function blocksOf(result: Result, { t }: View): Block[] {
  const { label, target, sizeBytes, awayMs, backup, before, filesMs, rehearsalMs, proofs } = result;
  const isGood = proofs.every(({ ok }) => ok);
  const rows: (readonly [string, Inlines])[] = [
    [t('restore-production-moment'), target ? time(target) : t('restore-production-latest')],
    [t('restore-production-source'), [code(label), ` · ${formatBytes(sizeBytes, t)}`]],
    ...(awayMs === undefined ? [] : ([[t('restore-production-away'), bold(formatDuration(awayMs, t))]] as const)),
    [t('restore-production-backup'), backup === undefined ? t('restore-production-no-backup') : code(backup)],
    ...(before === undefined ? [] : ([[t('restore-production-before'), code(before)]] as const)),
  ];
  const items = proofs.map(({ ok, text }): Inlines => (ok ? `✔ ${say(t, text)}` : ['✘ ', bold(say(t, text))]));
  const parts = { files: formatDuration(filesMs, t), rehearsal: formatDuration(rehearsalMs, t) };
  return [
    line(bold(t(isGood ? 'restore-production-done' : 'restore-production-doubtful'))),
    facts(...rows),
    list(items),
    quote([t('restore-production-parts', parts)], true),
    ...(before === undefined ? [] : [gap, line(t('restore-production-next')), line(code(`rm -rf -- ${before}`))]),
  ];
}
