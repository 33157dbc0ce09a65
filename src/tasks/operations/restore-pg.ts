import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { type Block, bold, code, facts, type Inlines, line, list, quote, time } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { backupLock } from '../../core/locks.ts';
import { formatMoment } from '../../core/pitr.ts';
import type { Proof } from '../../core/recovery.ts';
import { defineOperation, type Text, type View } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';
import { momentChoices, momentNote, readMoment, windowArgs } from '../recovery/moments.ts';
import { contentOf, contentProof, momentProof, startedProof } from '../recovery/postgres-proof.ts';
import { type PgRestorer, type RestorePlan, restorePlanSchema } from '../recovery/postgres-restore.ts';
import { say, textSchema } from '../recovery/words.ts';

export const messages = defineMessages({
  en: `
    op-restore-pg = Point-in-time restore, beside production, of PostgreSQL
    op-restore-pg-arg-stanza = Which database?
    op-restore-pg-arg-at = To which moment? As 14:15, yesterday 14:15, 2026-01-30 14:15, -2h or latest; with “keep 4” behind it, the copy stays for 4 hours.
    restore-pg-plan = { $stanza } as of { $at } is restored beside production, which goes on untouched
    restore-pg-plan-latest = { $stanza } is restored beside production as far as the archive reaches
    restore-pg-plan-backup = from { $label } of { $ended }, { $size } MB, then about { $wal } MB of WAL
    restore-pg-plan-backup-only = from { $label } of { $ended }, { $size } MB, then the WAL after it; production does not answer, so nobody knows how much
    restore-pg-plan-window = any moment from { $from } to { $to } can be restored
    restore-pg-plan-space = { $needed } MB are needed, { $free } MB are free; port { $port }, Unix socket only
    restore-pg-plan-keep = the copy stays for { $hours } h and is then removed
    restore-pg-plan-remove = the copy is looked at and removed
    restore-pg-seen-removed = nothing of the copy is left
    restore-pg-seen-kept = the copy runs, and will be removed in time
    restore-pg-left = something of the copy is left; it will be removed
    restore-pg-tidying = What was restored is being removed
    restore-pg-lost = The restore was interrupted, and the copy is gone. Production was not touched.
    restore-pg-unseen = The copy was ready when the program was interrupted: nobody saw it, and it runs in { $folder }, port { $port }. Remove it with /restore end { $stanza }, or look at it.
    restore-pg-done = Restored beside production
    restore-pg-doubtful = Restored, but not as it has to be
    restore-pg-moment = Moment
    restore-pg-latest = end of the archive
    restore-pg-source = From
    restore-pg-took = Took (RTO)
    restore-pg-where = Socket
    restore-pg-until = Stays until
    restore-pg-part-files = Files
    restore-pg-part-start = Start and WAL
    restore-pg-end = ⏹ Remove the copy
    err-restore-pg-keep = A copy can be kept for 24 hours at the most.
  `,
  ru: `
    op-restore-pg = Восстановить на момент времени копию PostgreSQL
    op-restore-pg-arg-stanza = Какую базу?
    op-restore-pg-arg-at = На какой момент? Например 14:15, вчера 14:15, 2026-01-30 14:15, -2h или latest; с «оставить 4» в конце копия останется на 4 часа.
    restore-pg-plan = { $stanza } на { $at } восстанавливается рядом с рабочей базой; сама она не затрагивается
    restore-pg-plan-latest = { $stanza } восстанавливается рядом с рабочей базой до конца архива
    restore-pg-plan-backup = из { $label } от { $ended }, { $size } МБ, потом примерно { $wal } МБ WAL
    restore-pg-plan-backup-only = из { $label } от { $ended }, { $size } МБ, потом WAL после неё; рабочая база не отвечает, сколько его — неизвестно
    restore-pg-plan-window = можно восстановить любой момент с { $from } до { $to }
    restore-pg-plan-space = нужно { $needed } МБ, свободно { $free } МБ; порт { $port }, только сокет Unix
    restore-pg-plan-keep = копия остаётся на { $hours } ч и потом удаляется
    restore-pg-plan-remove = копию осмотрим и удалим
    restore-pg-seen-removed = от копии ничего не осталось
    restore-pg-seen-kept = копия работает и будет удалена в срок
    restore-pg-left = от копии что-то осталось; это будет удалено
    restore-pg-tidying = Убирается то, что было восстановлено
    restore-pg-lost = Восстановление прервалось, копии больше нет. Рабочая база не затронута.
    restore-pg-unseen = Когда программа прервалась, копия была готова: её никто не проверил, она работает в { $folder }, порт { $port }. Посмотрите на неё или удалите: /restore end { $stanza }.
    restore-pg-done = Восстановлено рядом с рабочей базой
    restore-pg-doubtful = Восстановлено, но не так, как должно быть
    restore-pg-moment = Момент
    restore-pg-latest = конец архива
    restore-pg-source = Откуда
    restore-pg-took = Заняло (RTO)
    restore-pg-where = Сокет
    restore-pg-until = Остаётся до
    restore-pg-part-files = Файлы
    restore-pg-part-start = Запуск и WAL
    restore-pg-end = ⏹ Удалить копию
    err-restore-pg-keep = Держать копию можно не дольше 24 часов.
  `,
});

const MAX_KEEP_HOURS = 24;

const boundSchema = z.object({ plan: restorePlanSchema, keep: z.number(), zone: z.string() });

const resultSchema = z.object({
  label: z.string(),
  target: z.coerce.date().optional(),
  sizeBytes: z.number(),
  filesMs: z.number(),
  startMs: z.number(),
  version: z.string(),
  proofs: z.array(z.object({ ok: z.boolean(), text: textSchema })),
  kept: z.object({ until: z.coerce.date(), socketDir: z.string(), port: z.number() }).optional(),
});
type Result = z.output<typeof resultSchema>;

export default defineOperation({
  name: 'restore.pg',
  messages,
  role: 'operator',
  risk: 'change',
  // The plan is to be read first: it loads the machine of production, and somebody may have meant another moment.
  approval: 'confirm',
  args: z.object({
    stanza: z.string().min(1).max(64),
    at: z.string().min(1).max(60),
    keep: z.number().int().min(0).max(MAX_KEEP_HOURS).default(0),
  }),
  fields: {
    stanza: { choices: (known) => known.stanzas },
    at: {
      rest: true,
      choices: async (known, { stanza }, asked) =>
        typeof stanza === 'string' ? momentChoices(await known.restorable(stanza, asked.now), asked) : [],
      note: async (known, { stanza }, asked) =>
        typeof stanza === 'string' ? momentNote(await known.restorable(stanza, asked.now), asked) : undefined,
    },
    keep: { hidden: true },
  },
  result: resultSchema,
  ports: ['restores', 'lockPaths', 'scratch'],
  timeoutMs: hours(12),
  locks: (_args, plan) => boundLocks(plan),

  plan: async ({ ports, operator, clock, signal }, args) => {
    const { stanza } = args;
    const restorer = ports.restores.get(stanza);
    const zone = operator?.zone ?? restorer.zone;
    const { at, keep } = wishes(args);
    const target = readMoment(at, zone, clock.now());
    const plan = await restorer.plan({ zone, ...(target ? { target } : {}) }, signal);
    return {
      target: stanza,
      lines: planLines(stanza, plan, keep, zone),
      bound: { plan, keep, zone, locks: [backupLock(ports.lockPaths.postgres(stanza))] },
    };
  },

  run: async (context, { stanza }) => {
    const { ports, runId, clock, log, signal, progress, remember } = context;
    const { plan: approved, keep, zone } = boundSchema.parse(context.plan.bound);
    const restorer = ports.restores.get(stanza);
    await remember({ begun: clock.now().toISOString() });
    if (approved.target && (await canMark(restorer, signal))) {
      progress({ step: { key: 'pg-restore-step-mark' } });
      await restorer.mark(signal);
    }
    // Space and ports may have changed while the plan waited for its answer; the backup and the moment stay as approved.
    const { target, repo } = approved;
    const { port } = await restorer.plan({ repo, zone, ...(target ? { target } : {}) }, signal);
    const work = { runId, clock, log, signal, progress, remember };
    const restored = await restorer.restore({ ...approved, port }, work);
    let claim: string | undefined = restored.claim;
    try {
      progress({ step: { key: 'pg-drill-step-look' } });
      const [proofs, version] = await lookAt(restorer, restored.server.psql, approved, runId, zone, signal);
      const { socketDir } = restored.server;
      const until = new Date(clock.now().getTime() + hours(keep));
      if (keep > 0) {
        await restorer.keep(runId, restored.claim, port, until);
        claim = undefined;
      }
      const result: Result = {
        label: approved.label,
        ...(target ? { target } : {}),
        sizeBytes: approved.sizeBytes,
        filesMs: restored.filesMs,
        startMs: restored.startMs,
        version,
        proofs: proofs.map(({ ok, text }) => ({
          ok,
          text: { key: text.key, ...(text.args ? { args: text.args } : {}) },
        })),
        ...(keep > 0 ? { kept: { until, socketDir, port } } : {}),
      };
      return { state: proofs.every(({ ok }) => ok) ? 'succeeded' : 'warning', result };
    } finally {
      if (claim !== undefined) await restorer.discard(runId, claim);
    }
  },

  verify: async ({ ports, runId, signal }, { stanza }, { kept }) => {
    const mine = (await ports.scratch.open()).filter((thing) => thing.runId === runId);
    if (!kept)
      return {
        ok: mine.length === 0,
        text: { key: mine.length === 0 ? 'restore-pg-seen-removed' : 'restore-pg-left' },
      };
    const { clusters } = ports.restores.get(stanza);
    const runs = mine.length > 0 && (await clusters.isUp(runId, signal));
    return { ok: runs, text: { key: runs ? 'restore-pg-seen-kept' : 'restore-pg-lost' } };
  },

  reconcile: async ({ ports, runId }, { stanza }, external) => {
    const mine = (await ports.scratch.open()).filter((thing) => thing.runId === runId);
    // It stays until its end comes: nothing to wait for.
    const kept = mine.find(({ what }) => what['until'] !== undefined);
    if (kept) {
      const args = { stanza, folder: String(kept.what['folder']), port: String(kept.what['port']) };
      return { state: 'failed', text: { key: 'restore-pg-unseen', args } };
    }
    if (mine.length > 0) return { state: 'busy', text: { key: 'restore-pg-tidying' } };
    return external === undefined ? { state: 'again' } : { state: 'failed', text: { key: 'restore-pg-lost' } };
  },

  report: (result, { stanza }, view) => ({
    blocks: blocksOf(result, view),
    ...(result.kept && view.now < result.kept.until
      ? {
          buttons: [
            [
              {
                kind: 'press',
                label: view.t('restore-pg-end'),
                press: { kind: 'operation', operation: 'restore.end', args: { stanza } },
              },
            ],
          ],
        }
      : {}),
  }),
});

/** `14:15 keep 4`: the moment, and the hours to keep what was restored. */
export function wishes({ at, keep }: { readonly at: string; readonly keep: number }): { at: string; keep: number } {
  const [, moment = at, typed] = /^(.*\S)\s+(?:keep|оставить)\s+(\d{1,3})\s*(?:h|ч)?$/iu.exec(at) ?? [];
  const wanted = typed === undefined ? keep : Number(typed);
  if (wanted > MAX_KEEP_HOURS) throw new VakhtaError('usage', 'restore-pg-keep', `keep ${wanted} h`);
  return { at: moment, keep: wanted };
}

/** Only the primary writes WAL; one that is down is no reason not to restore. */
async function canMark(restorer: PgRestorer, signal: AbortSignal): Promise<boolean> {
  const { archive } = await restorer.look(signal);
  return archive !== undefined && !archive.inRecovery && archive.mode !== 'off';
}

function planLines(stanza: string, plan: RestorePlan, keep: number, zone: string): readonly Text[] {
  const { label, target, walBytes, port } = plan;
  const mb = (bytes: number): number => Math.ceil(bytes / 1e6);
  const source = { label, ended: formatMoment(plan.backupAt, zone), size: mb(plan.sizeBytes) };
  return [
    target
      ? { key: 'restore-pg-plan', args: { stanza, at: formatMoment(target, zone) } }
      : { key: 'restore-pg-plan-latest', args: { stanza } },
    walBytes === undefined
      ? { key: 'restore-pg-plan-backup-only', args: source }
      : { key: 'restore-pg-plan-backup', args: { ...source, wal: mb(walBytes) } },
    { key: 'restore-pg-plan-window', args: windowArgs(plan.window, zone) },
    { key: 'restore-pg-plan-space', args: { needed: mb(plan.neededBytes), free: mb(plan.freeBytes), port } },
    keep > 0 ? { key: 'restore-pg-plan-keep', args: { hours: keep } } : { key: 'restore-pg-plan-remove' },
  ];
}

async function lookAt(
  { clusters, production }: PgRestorer,
  copy: PgRestorer['production'],
  { target }: RestorePlan,
  runId: string,
  zone: string,
  signal: AbortSignal,
): Promise<readonly [readonly Proof[], string]> {
  const log = (await clusters.programs.read(clusters.placeOf(runId).logFile, signal)) ?? '';
  const content = await contentOf(copy, signal);
  const there = await contentOf(production, signal).catch(() => undefined);
  signal.throwIfAborted();
  return [
    [startedProof(content), momentProof(content, log, target, zone), contentProof(content, there)],
    content.version,
  ];
}

function blocksOf(result: Result, { t }: View): Block[] {
  const { label, target, sizeBytes, filesMs, startMs, proofs, kept } = result;
  const isGood = proofs.every(({ ok }) => ok);
  const rows: (readonly [string, Inlines])[] = [
    [t('restore-pg-moment'), target ? time(target) : t('restore-pg-latest')],
    [t('restore-pg-source'), [code(label), ` · ${formatBytes(sizeBytes, t)}`]],
    [t('restore-pg-took'), bold(formatDuration(filesMs + startMs, t))],
    ...(kept
      ? ([
          [t('restore-pg-where'), code(`${kept.socketDir}:${kept.port}`)],
          [t('restore-pg-until'), time(kept.until)],
        ] as const)
      : []),
  ];
  const items = proofs.map(({ ok, text }): Inlines => (ok ? `✔ ${say(t, text)}` : ['✘ ', bold(say(t, text))]));
  return [
    line(bold(t(isGood ? 'restore-pg-done' : 'restore-pg-doubtful'))),
    facts(...rows),
    list(items),
    quote(
      [
        `${t('restore-pg-part-files')} · ${formatDuration(filesMs, t)}`,
        `${t('restore-pg-part-start')} · ${formatDuration(startMs, t)}`,
      ],
      true,
    ),
  ];
}
