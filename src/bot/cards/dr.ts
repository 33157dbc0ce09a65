import {
  type Block,
  bold,
  type Button,
  code,
  type Doc,
  facts,
  gap,
  type Inline,
  type Inlines,
  italic,
  line,
  quote,
  time,
  title,
} from '../../core/doc.ts';
import { minutes } from '../../core/clock.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { markdownBlocks } from '../../core/markdown.ts';
import { isFinal } from '../../core/run.ts';
import { assignWords, matchOperation, splitWords } from '../../handlers/command-line.ts';
import { type DrNote, drNotes, type DrRun, drRuns, drSession, type DrStep, drSteps } from '../../store/dr.ts';
import { timeOf } from '../../tasks/dr/desk.ts';
import { type CardContext, defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    drcard-head-running = { $title } · { $where }
    drcard-head-finished = { $title } · finished in { $took }
    drcard-head-late = { $title } · finished in { $took }, over the target
    drcard-head-aborted = { $title } · given up
    drcard-mode = Session
    drcard-mode-drill = #{ $number }, a drill
    drcard-mode-real = #{ $number }, for real
    drcard-began = Began
    drcard-ended = Ended
    drcard-target = Target
    drcard-target-left = { $target }, { $left } of it left
    drcard-target-over = { $target }, over it by { $over }
    drcard-why = Why
    drcard-estimate = about { $n } min
    drcard-since = since
    drcard-finish-hint = All steps have ended. “Finish” writes the time into the ledger.
    drcard-notes = What people said (reply to this card to add)
    drcard-notes-more = … and { $n } before
    drcard-reply = Reply to this card to note something.
    drcard-done = ✓ Step { $n } is done
    drcard-skip = ⏭ Skip…
    drcard-back = ↩ Back to step { $n }
    drcard-finish = 🏁 Finish
    drcard-abort = ✖ Give up…
    drcard-again = 🧯 Drill again
    drcard-do = ▶ { $what }
    drcard-run-planning = being planned
    drcard-run-confirming = waits for confirmation
    drcard-run-approving = waits for approval
    drcard-run-queued = waits
    drcard-run-running = at work
    drcard-run-verifying = being checked
    drcard-run-reconciling = being found out
    drcard-run-succeeded = done
    drcard-run-warning = done, with a warning
    drcard-run-failed = failed
    drcard-run-cancelled = cancelled
    drcard-run-rejected = rejected
    drcard-run-expired = not answered in time
  `,
  ru: `
    drcard-head-running = { $title } · { $where }
    drcard-head-finished = { $title } · пройдено за { $took }
    drcard-head-late = { $title } · пройдено за { $took }, дольше цели
    drcard-head-aborted = { $title } · прекращено
    drcard-mode = Сессия
    drcard-mode-drill = #{ $number }, учение
    drcard-mode-real = #{ $number }, всерьёз
    drcard-began = Начало
    drcard-ended = Конец
    drcard-target = Цель
    drcard-target-left = { $target }, осталось { $left }
    drcard-target-over = { $target }, превышена на { $over }
    drcard-why = Почему
    drcard-estimate = около { $n } мин
    drcard-since = с
    drcard-finish-hint = Все шаги закончены. «Завершить» запишет время в журнал.
    drcard-notes = Что сказали (добавить — ответом на карточку)
    drcard-notes-more = … и раньше ещё { $n }
    drcard-reply = Заметка — ответом на эту карточку.
    drcard-done = ✓ Шаг { $n } выполнен
    drcard-skip = ⏭ Пропустить…
    drcard-back = ↩ Назад к шагу { $n }
    drcard-finish = 🏁 Завершить
    drcard-abort = ✖ Прекратить…
    drcard-again = 🧯 Ещё одно учение
    drcard-do = ▶ { $what }
    drcard-run-planning = готовится
    drcard-run-confirming = ждёт подтверждения
    drcard-run-approving = ждёт одобрения
    drcard-run-queued = в очереди
    drcard-run-running = выполняется
    drcard-run-verifying = проверяется
    drcard-run-reconciling = выясняется
    drcard-run-succeeded = выполнено
    drcard-run-warning = выполнено с замечанием
    drcard-run-failed = не удалось
    drcard-run-cancelled = отменено
    drcard-run-rejected = отклонено
    drcard-run-expired = не ответили вовремя
  `,
});

const NOTES_SHOWN = 5;
const NOTE_MAX = 200;
/** A checklist that nobody answers for longer is started anew; its buttons live as long as that. */
const BUTTON_MINUTES = 3 * 24 * 60;

const MARK: Readonly<Record<DrStep['state'], string>> = { waiting: '▫', current: '▶', done: '✓', skipped: '⏭' };

/** `operator:anna` by the name that people know. */
function nameOf({ people, t }: CardContext, actor: string): string {
  const [kind = '', id = ''] = actor.split(':', 2);
  if (kind === 'operator') return people(id)?.name ?? id;
  return t.has(`run-by-${kind}`) ? t(`run-by-${kind}`, { id }) : id;
}

/** Its state, how long it took, and who ended it. */
function stepLine(context: CardContext, step: DrStep): Inlines {
  const { t, language } = context;
  const { n, state, startedAt, endedAt, endedBy, reason, minutes: estimate } = step;
  const name = `${MARK[state]} ${n}. ${step.content[language].title}`;
  if (state === 'waiting') return name;
  if (state === 'current') {
    const since: Inline[] = startedAt ? [` ${t('drcard-since')} `, time(startedAt, 'clock')] : [];
    return [bold(name), ` · ${t('drcard-estimate', { n: estimate })},`, ...since];
  }
  const took = startedAt && endedAt ? formatDuration(endedAt.getTime() - startedAt.getTime(), t) : '';
  const who = endedBy === undefined ? '' : nameOf(context, endedBy);
  const why: Inline[] = state === 'skipped' && reason !== undefined ? [': ', italic(reason)] : [];
  return [`${name} · `, ...(state === 'done' ? [`${took} · `] : []), who, ...why];
}

/** What was asked for in the time of this step, and how it went. */
function runLines({ t, operations }: CardContext, step: DrStep, runs: readonly DrRun[]): Inlines[] {
  const { startedAt, endedAt } = step;
  if (!startedAt) return [];
  return runs
    .filter(({ createdAt }) => createdAt >= startedAt && (!endedAt || createdAt < endedAt))
    .map(({ number, operation, state, startedAt: from, finishedAt: to }): Inlines => {
      const known = operations.get(operation);
      const took = from && to && isFinal(state) ? `, ${formatDuration(to.getTime() - from.getTime(), t)}` : '';
      return [`↳ ${known ? t(known.key) : operation} `, code(`#${number}`), ` · ${t(`drcard-run-${state}`)}${took}`];
    });
}

function noteBlocks(context: CardContext, notes: readonly DrNote[]): Block[] {
  if (notes.length === 0) return [];
  const shown = notes.slice(-NOTES_SHOWN);
  const before = notes.length - shown.length;
  const lines = shown.map(({ at, by, text }): Inlines => {
    const points = Array.from(text);
    const words = points.length > NOTE_MAX ? `${points.slice(0, NOTE_MAX - 1).join('')}…` : text;
    return [time(at, 'clock'), ` ${nameOf(context, by)}: ${words}`];
  });
  const more = before > 0 ? [context.t('drcard-notes-more', { n: before })] : [];
  return [quote([bold(context.t('drcard-notes')), ...more, ...lines], notes.length > NOTES_SHOWN)];
}

const lineOf = (of: Inlines): Block => ({ kind: 'line', of });

/** The button of the step's operation, if this program has it; the form asks for what the runbook does not know. */
function operationButton({ t, operations }: CardContext, command: string): Button | undefined {
  const matched = matchOperation(operations.values(), splitWords(command));
  if (matched.kind !== 'operation') return undefined;
  const assigned = assignWords(matched.operation, matched.words);
  if (!assigned.ok) return undefined;
  const { name: operation, key } = matched.operation;
  return {
    kind: 'press',
    label: t('drcard-do', { what: t(key) }),
    press: { kind: 'operation', operation, args: assigned.args },
    ttlMinutes: BUTTON_MINUTES,
  };
}

export default defineCard({
  kind: 'dr',
  messages,
  render: async (context, card): Promise<Doc | 'gone'> => {
    const { q, t, language, now, config } = context;
    const session = await drSession(q, card.ref);
    if (!session) return 'gone';
    const [steps, runs, notes] = await Promise.all([
      drSteps(q, session.id),
      drRuns(q, session.id),
      drNotes(q, session.id),
    ]);
    const current = steps.find(({ state }) => state === 'current');
    const spent = timeOf({ session, steps }, now);
    const target = minutes(config.recovery.rtoMinutes);
    const words = { title: session.title[language], took: formatDuration(spent, t) };
    const isLate = spent > target;
    const rest: (readonly [string, Inlines])[] =
      session.state === 'running'
        ? [
            [
              t('drcard-target'),
              isLate
                ? t('drcard-target-over', {
                    target: formatDuration(target, t),
                    over: formatDuration(spent - target, t),
                  })
                : t('drcard-target-left', {
                    target: formatDuration(target, t),
                    left: formatDuration(target - spent, t),
                  }),
            ],
          ]
        : [
            ...(session.endedAt && session.endedBy !== undefined
              ? [[t('drcard-ended'), [time(session.endedAt), ` · ${nameOf(context, session.endedBy)}`]] as const]
              : []),
            ...(session.reason === undefined ? [] : [[t('drcard-why'), session.reason] as const]),
            [t('drcard-target'), formatDuration(target, t)],
          ];
    const where = current ? t('dr-of', { n: current.n, of: steps.length }) : t('dr-all-done');
    const head =
      session.state === 'running'
        ? title(session.mode === 'real' ? 'critical' : 'running', bold(t('drcard-head-running', { ...words, where })))
        : session.state === 'aborted'
          ? title('cancelled', bold(t('drcard-head-aborted', words)))
          : isLate
            ? title('warning', bold(t('drcard-head-late', words)))
            : title('done', bold(t('drcard-head-finished', words)));
    return {
      blocks: [
        head,
        facts(
          [t('drcard-mode'), t(`drcard-mode-${session.mode}`, { number: String(session.number) })],
          [t('drcard-began'), [time(session.startedAt), ` · ${nameOf(context, session.startedBy)}`]],
          ...rest,
        ),
        gap,
        ...steps.flatMap((step) => [stepLine(context, step), ...runLines(context, step, runs)]).map(lineOf),
        ...(current && session.state === 'running'
          ? [
              gap,
              ...markdownBlocks(
                `**${current.n}. ${current.content[language].title}**\n${current.content[language].text}`,
              ),
            ]
          : []),
        ...(session.state === 'running' && !current ? [line(t('drcard-finish-hint'))] : []),
        ...noteBlocks(context, notes),
        ...(session.state === 'running' && notes.length === 0 ? [line(italic(t('drcard-reply')))] : []),
      ],
      buttons: buttonsOf(context, session, steps, current),
    };
  },
});

function buttonsOf(
  context: CardContext,
  { id, scenario, state }: { readonly id: string; readonly scenario: string; readonly state: string },
  steps: readonly DrStep[],
  current: DrStep | undefined,
): Button[][] {
  const { t } = context;
  const press = (
    label: string,
    operation: string,
    args: Record<string, unknown>,
    style?: 'primary' | 'success' | 'danger',
  ): Button => ({
    kind: 'press',
    label,
    ...(style ? { style } : {}),
    press: { kind: 'operation', operation, args: { scenario, ...args } },
    ttlMinutes: BUTTON_MINUTES,
  });
  if (state !== 'running') return [[press(t('drcard-again'), 'dr.start', { mode: 'drill' })]];
  const last = steps.findLast((one) => one.state === 'done' || one.state === 'skipped');
  const back = last ? [press(t('drcard-back', { n: last.n }), 'dr.back', { session: id, step: last.n })] : [];
  const abort = press(t('drcard-abort'), 'dr.abort', { session: id });
  if (!current) return [[press(t('drcard-finish'), 'dr.finish', { session: id }, 'success')], [...back, abort]];
  const { n, operation } = current;
  const does = operation === undefined ? undefined : operationButton(context, operation);
  return [
    [press(t('drcard-done', { n }), 'dr.done', { session: id, step: n }, 'primary')],
    ...(does ? [[does]] : []),
    [press(t('drcard-skip'), 'dr.skip', { session: id, step: n }), ...back, abort],
  ];
}
