import { z } from 'zod';
import { days, hours } from '../../core/clock.ts';
import { type Block, bold, type Button, code, facts, type Inlines, line, list, quote } from '../../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages, type Text, type Translate } from '../../core/i18n.ts';
import type { Goals } from '../../core/recovery.ts';
import type { RestoreDrill } from '../../store/recovery.ts';
import { defineOperation, definite, type View } from '../define.ts';
import { againstGoal, goalsSchema, say, textSchema } from '../recovery/words.ts';

export const messages = defineMessages({
  en: `
    op-drill-restore = Try a restore out, beside production, and measure it
    op-drill-restore-arg-target = What is to be restored?
    drill-restore-plan-last = the last good drill was { $days ->
        [0] within a day
        [one] { $days } day ago
       *[other] { $days } days ago
      }, and took { $seconds } s
    drill-restore-plan-never = it was never tried out before
    drill-restore-seen = the ledger has it as passed, and nothing temporary is left
    drill-restore-proofs = { $bad } of { $all } proofs failed
    drill-restore-none = nothing was proven
    drill-restore-left = something temporary is left: { $what }
    drill-restore-tidying = What the drill has made is being removed
    drill-restore-passed = Restored and proven in { $time }
    drill-restore-slow = Restored and proven, but { $what } misses its goal
    drill-restore-failed = Restored, but not as it has to be
    drill-restore-rto = Restore took (RTO)
    drill-restore-rpo = Would be lost (RPO)
    drill-restore-rpo-unknown = cannot be told for this target
    drill-restore-source = Restored from
    drill-restore-proven = Proofs
    drill-restore-proven-all = ✔ all { $all }
    drill-restore-proven-bad = ✘ { $bad } of { $all } failed
    drill-restore-details = Details
    drill-restore-versions = With { $what }
    drill-restore-slo = 📈 RTO and RPO
    drill-restore-backups = 🗂 Backups
    err-drill-restore-gone = The ledger had closed this drill before it came to its end. Start it again.
  `,
  ru: `
    op-drill-restore = Пробно восстановить рядом с рабочей системой и измерить
    op-drill-restore-arg-target = Что восстановить?
    drill-restore-plan-last = последнее удачное учение было { $days ->
        [0] меньше суток назад
        [one] { $days } день назад
        [few] { $days } дня назад
       *[many] { $days } дней назад
      } и заняло { $seconds } с
    drill-restore-plan-never = раньше это не пробовали ни разу
    drill-restore-seen = в журнале учений — пройдено, ничего временного не осталось
    drill-restore-proofs = не сошлось проверок: { $bad } из { $all }
    drill-restore-none = ничего не доказано
    drill-restore-left = осталось временное: { $what }
    drill-restore-tidying = Убирается то, что создало учение
    drill-restore-passed = Восстановлено и проверено за { $time }
    drill-restore-slow = Восстановлено и проверено, но { $what } хуже нормы
    drill-restore-failed = Восстановлено, но не так, как должно быть
    drill-restore-rto = Восстановление (RTO)
    drill-restore-rpo = Пропало бы (RPO)
    drill-restore-rpo-unknown = для этой цели не определить
    drill-restore-source = Откуда
    drill-restore-proven = Проверки
    drill-restore-proven-all = ✔ сошлись все { $all }
    drill-restore-proven-bad = ✘ не сошлось { $bad } из { $all }
    drill-restore-details = Подробности
    drill-restore-versions = Чем: { $what }
    drill-restore-slo = 📈 RTO и RPO
    drill-restore-backups = 🗂 Копии
    err-drill-restore-gone = Журнал закрыл это учение раньше, чем оно закончилось. Запустите снова.
  `,
});

const resultSchema = z.object({
  number: z.number(),
  passed: z.boolean(),
  rtoMs: z.number(),
  rpoMs: z.number().exactOptional(),
  goals: goalsSchema,
  source: z.string(),
  sizeBytes: z.number().exactOptional(),
  versions: z.record(z.string(), z.string()),
  steps: z.array(z.object({ text: textSchema, ms: z.number() })),
  proofs: z.array(z.object({ ok: z.boolean(), text: textSchema })),
});
type Result = z.output<typeof resultSchema>;

const SHOWN_FAILURES = 2;

export default defineOperation({
  name: 'drill.restore',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ target: z.string().min(1).max(120) }),
  fields: { target: { choices: (known) => known.drillTargets() } },
  result: resultSchema,
  ports: ['recovery', 'scratch'],
  reportsFailure: true,
  timeoutMs: hours(12),
  locks: (_args, { bound }) => lockPaths.catch([]).parse(bound?.['locks']),

  plan: async ({ ports, clock, signal }, { target }) => {
    const drillable = ports.recovery.drillable(target);
    const now = clock.now();
    const [{ lines }, last] = await Promise.all([drillable.plan(signal), ports.recovery.lastGoodDrill(target, now)]);
    const before: Text = last
      ? {
          key: 'drill-restore-plan-last',
          args: {
            days: Math.floor((now.getTime() - last.at.getTime()) / days(1)),
            seconds: Math.round((last.drill.rtoMs ?? 0) / 1000),
          },
        }
      : { key: 'drill-restore-plan-never' };
    return { target, lines: [...lines, before], bound: { locks: [...drillable.locks] } };
  },

  run: async ({ ports, runId, actor, clock, log, signal, progress, remember }, { target }) => {
    const { recovery, scratch } = ports;
    await remember({ begun: clock.now().toISOString() });
    await recovery.begin(runId, target, actor);
    const drillable = recovery.drillable(target);
    const work = { runId, clock, log, signal, progress, remember };
    const report = await drillable.run(work).catch(async (thrown: unknown) => {
      // Cancelled, out of time, shut down: `reconcile` says what became of it.
      if (signal.aborted) throw thrown;
      const error = toVakhtaError(thrown);
      const isTidy = !(await scratch.open()).some((thing) => thing.runId === runId);
      if (!isTidy) throw thrown;
      // Torn down by the drill itself, so that it is known how it ended.
      await recovery.broke(runId, { key: error.text, args: error.args });
      throw error.kind === 'transient' ? definite(error) : error;
    });
    const drill = await recovery.ended(runId, report);
    const result = resultOf(drill, recovery.goalsOf(target));
    return { state: result && missed(result).length === 0 ? 'succeeded' : 'warning', result: required(result) };
  },

  verify: async ({ ports, runId }) => {
    const [drill, things] = await Promise.all([ports.recovery.drill(runId), ports.scratch.open()]);
    const left = things.filter((thing) => thing.runId === runId);
    if (drill?.state !== 'passed') return { ok: false, text: failureOf(drill) };
    if (left.length === 0) return { ok: true, text: { key: 'drill-restore-seen' } };
    const what = left.map(({ kind, place }) => `${kind} (${place})`).join(', ');
    return { ok: false, text: { key: 'drill-restore-left', args: { what } } };
  },

  reconcile: async ({ ports, runId }, { target }, external) => {
    const { recovery, scratch } = ports;
    const drill = await recovery.drill(runId);
    if (!drill)
      return external === undefined ? { state: 'again' } : { state: 'failed', text: { key: 'recovery-lost' } };
    if ((await scratch.open()).some((thing) => thing.runId === runId)) {
      return { state: 'busy', text: { key: 'drill-restore-tidying' } };
    }
    const result = resultOf(drill, recovery.goalsOf(target));
    if (drill.state === 'passed' && result) {
      return { state: missed(result).length === 0 ? 'succeeded' : 'warning', result };
    }
    // A row that still runs is completed from the run, when that has ended: it knows whether somebody stopped it.
    return { state: 'failed', text: drill.state === 'running' ? { key: 'recovery-lost' } : failureOf(drill) };
  },

  report: (result, { target }, view) => ({ blocks: reportBlocks(result, view), buttons: [buttons(target, view)] }),
});

const lockPaths = z.array(z.string());

/** What a drill that has not passed came to, in a sentence. */
function failureOf(drill: RestoreDrill | undefined): Text {
  if (drill?.state !== 'failed') return drill?.error ?? { key: 'recovery-lost' };
  const bad = drill.proofs.filter(({ ok }) => !ok).length;
  if (drill.proofs.length === 0) return { key: 'drill-restore-none' };
  return { key: 'drill-restore-proofs', args: { bad, all: drill.proofs.length } };
}

function resultOf(drill: RestoreDrill | undefined, goals: Goals): Result | undefined {
  if (drill?.source === undefined || drill.rtoMs === undefined) return undefined;
  const { number, state, rtoMs, rpoMs, source, sizeBytes, versions, steps, proofs } = drill;
  return {
    number,
    passed: state === 'passed',
    rtoMs,
    ...(rpoMs === undefined ? {} : { rpoMs }),
    goals,
    source,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    versions,
    steps,
    proofs,
  };
}

/** The ledger may have been closed meanwhile: the run was given up for dead. */
function required(result: Result | undefined): Result {
  if (result) return result;
  throw new VakhtaError('permanent', 'drill-restore-gone', 'the ledger has no report of this drill');
}

/** Which goals it misses. */
function missed({ rtoMs, rpoMs, goals }: Result): readonly ('RTO' | 'RPO')[] {
  return [
    ...(rtoMs > goals.rtoMs ? ['RTO' as const] : []),
    ...(rpoMs !== undefined && rpoMs > goals.rpoMs ? ['RPO' as const] : []),
  ];
}

function reportBlocks(result: Result, { t }: View): Block[] {
  const { passed, rtoMs, rpoMs, goals, source, sizeBytes, proofs } = result;
  const misses = missed(result).join(', ');
  const key = !passed ? 'failed' : misses === '' ? 'passed' : 'slow';
  const size = sizeBytes === undefined ? '' : ` · ${formatBytes(sizeBytes, t)}`;
  const bad = proofs.filter(({ ok }) => !ok);
  const all = proofs.length;
  const proven =
    all === 0
      ? bold(`✘ ${t('drill-restore-none')}`)
      : bad.length === 0
        ? t('drill-restore-proven-all', { all })
        : bold(t('drill-restore-proven-bad', { bad: bad.length, all }));
  // What went wrong is what one has to read; the rest is for who wants to know more.
  const shown = bad.slice(0, SHOWN_FAILURES);
  return [
    line(bold(t(`drill-restore-${key}`, { time: formatDuration(rtoMs, t), what: misses }))),
    facts(
      [t('drill-restore-rto'), againstGoal(rtoMs, goals.rtoMs, goals.rtoOf, t)],
      [
        t('drill-restore-rpo'),
        rpoMs === undefined ? t('drill-restore-rpo-unknown') : againstGoal(rpoMs, goals.rpoMs, goals.rpoOf, t),
      ],
      [t('drill-restore-source'), [code(source), size]],
      [t('drill-restore-proven'), proven],
    ),
    ...(shown.length > 0 ? [list(shown.map(({ text }): Inlines => ['✘ ', bold(say(t, text))]))] : []),
    quote([bold(t('drill-restore-details')), ...details(result, bad.slice(SHOWN_FAILURES), t)], true),
  ];
}

function details({ versions, steps, proofs }: Result, unsaid: Result['proofs'], t: Translate): Inlines[] {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...unsaid.map(({ text }): Inlines => ['✘ ', bold(say(t, text))]),
    ...proofs.flatMap(({ ok, text }): Inlines[] => (ok ? [`✔ ${say(t, text)}`] : [])),
    ...steps.map(({ text, ms }): Inlines => `${say(t, text)} · ${formatDuration(ms, t)}`),
    ...(programs.length > 0 ? [t('drill-restore-versions', { what: programs.join(', ') })] : []),
  ];
}

const buttons = (target: string, { t }: View): Button[] => [
  {
    kind: 'press',
    label: t('drill-restore-slo'),
    press: { kind: 'operation', operation: 'slo', args: {} },
  },
  {
    kind: 'press',
    label: t('drill-restore-backups'),
    press: { kind: 'operation', operation: 'backups', args: { target } },
  },
];
