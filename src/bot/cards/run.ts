import {
  type Block,
  bold,
  type Button,
  code,
  type Doc,
  facts,
  type Icon,
  type Inlines,
  line,
  list,
  quote,
  time,
  title,
} from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { ROLES } from '../../core/people.ts';
import { isFinal, type RunState } from '../../core/run.ts';
import { type Quieting, quieting } from '../../store/quietings.ts';
import { type Run, run as findRun } from '../../store/runs.ts';
import type { Operation, Text } from '../../tasks/define.ts';
import { type CardContext, defineCard } from './define.ts';
import { messages } from './run.messages.ts';

const ICONS: Readonly<Record<RunState, Icon>> = {
  planning: 'waiting',
  confirming: 'question',
  approving: 'question',
  queued: 'waiting',
  running: 'running',
  verifying: 'running',
  reconciling: 'unknown',
  succeeded: 'done',
  warning: 'warning',
  failed: 'failed',
  cancelled: 'cancelled',
  rejected: 'cancelled',
  expired: 'cancelled',
};

const BAR = 12;
/** Filled for what is done; the percentage stands beside it, so that nobody has to count. */
export function progressBar(percent: number): string {
  const share = Math.max(0, Math.min(100, percent));
  const filled = Math.round((share / 100) * BAR);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${Math.floor(share)} %`;
}

const say = ({ t }: CardContext, { key, args }: Text): string => t(key, args);

/** The name people know somebody by; for operators the one of the configuration. */
function who({ people, t }: CardContext, actor: string): string {
  const [kind = '', id = ''] = actor.split(':', 2);
  if (kind === 'operator') return people(id)?.name ?? id;
  return t.has(`run-by-${kind}`) ? t(`run-by-${kind}`, { id }) : id;
}

function verdict(context: CardContext, run: Run, operation: Operation | undefined): Inlines {
  const { t } = context;
  const name = operation ? t(operation.key) : run.operation;
  const target = run.plan?.target ?? firstArgument(run, operation);
  return [name, ...(target === undefined ? [] : [' ', code(target)])];
}

/** In the order of the declaration: the database keeps the names of a JSON object in an order of its own. */
function firstArgument({ args }: Run, operation: Operation | undefined): string | undefined {
  const names = operation?.arguments.map(({ name }) => name) ?? Object.keys(args);
  return names.map((name) => args[name]).find((value): value is string => typeof value === 'string');
}

function state(context: CardContext, run: Run): Block[] {
  const { t, now } = context;
  switch (run.state) {
    case 'planning':
      return [line(t('run-planning'))];
    case 'confirming':
      return run.stepUp?.digest === undefined ? [line(t('run-confirming'))] : [line(t('run-checking-code'))];
    case 'approving':
      return [line(t('run-approving'))];
    case 'queued':
      if (run.notBefore !== undefined && run.notBefore > now)
        return [line(t('run-starts'), ' ', time(run.notBefore, 'clock'))];
      return [line(run.progress ? say(context, run.progress.step) : t('run-queued'))];
    case 'running':
      return progress(context, run);
    case 'verifying':
      return [line(t('run-verifying'))];
    case 'reconciling':
      return [line(run.progress ? say(context, run.progress.step) : t('run-reconciling'))];
    case 'rejected':
      return [line(t('run-rejected'))];
    case 'expired':
      return [line(t('run-expired'))];
    case 'succeeded':
    case 'warning':
    case 'failed':
    case 'cancelled':
      return [];
  }
}

function progress(context: CardContext, run: Run): Block[] {
  const { t } = context;
  if (run.progress === undefined) return [line(t('run-started'))];
  const { step, percent, remainingMs } = run.progress;
  const left = remainingMs === undefined ? '' : ` · ${t('run-left', { time: formatDuration(remainingMs, t) })}`;
  const blocks: Block[] = [line(say(context, step))];
  if (percent !== undefined) blocks.push(line(code(progressBar(percent)), left));
  else if (left !== '') blocks.push(line(left.slice(3)));
  return blocks;
}

/** Who asked, confirmed, approved; when it ran and for how long. */
function history(context: CardContext, run: Run): Block {
  const { t } = context;
  const rows: [string, Inlines][] = [
    [t('run-asked'), [who(context, `${run.actor.kind}:${run.actor.id}`), ' · ', time(run.createdAt)]],
  ];
  if (run.confirmedBy !== undefined) rows.push([t('run-confirmed'), who(context, run.confirmedBy)]);
  if (run.approvedBy !== undefined) rows.push([t('run-approved'), who(context, run.approvedBy)]);
  if (run.cancelAskedBy !== undefined && !isFinal(run.state))
    rows.push([t('run-cancel-asked'), who(context, run.cancelAskedBy)]);
  if (run.startedAt !== undefined && run.finishedAt !== undefined) {
    const ms = run.finishedAt.getTime() - run.startedAt.getTime();
    rows.push([t('run-took'), [formatDuration(ms, t), ' · ', time(run.finishedAt, 'clock')]]);
  }
  if (run.expiresAt !== undefined && (run.state === 'confirming' || run.state === 'approving')) {
    rows.push([t('run-open-until'), time(run.expiresAt, 'clock')]);
  }
  return facts(...rows);
}

function failure(context: CardContext, run: Run): Block[] {
  const { t } = context;
  if (run.error === undefined) return [];
  const { text, args, id } = run.error;
  const words = t.has(text) ? t(text, named(context, args)) : t('err-internal');
  const quoted = id === undefined ? [] : [line(`${t('run-error-id')} `, code(`#${id}`))];
  return [line(words), ...quoted];
}

/** Ids of operators and roles in an error's arguments, as people know them. */
function named({ people, t }: CardContext, args: Readonly<Record<string, string | number>>) {
  const name = (value: string | number): string | number => {
    if (typeof value !== 'string') return value;
    if (ROLES.some((role) => role === value)) return t(`role-${value}`);
    return people(value)?.name ?? value;
  };
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, name(value)]));
}

function result(context: CardContext, run: Run, operation: Operation | undefined, view: string): Doc {
  if (operation === undefined || run.result === undefined) return { blocks: [] };
  const isSeen = run.state === 'failed' && run.verified?.ok === false && operation.reportsFailure;
  if (run.state !== 'succeeded' && run.state !== 'warning' && !isSeen) return { blocks: [] };
  return operation.report(run.result, run.args, {
    t: context.t,
    language: context.language,
    now: context.now,
    view,
  });
}

function plan(context: CardContext, run: Run): Block[] {
  if (run.plan === undefined || run.plan.lines.length === 0) return [];
  if (run.state !== 'confirming' && run.state !== 'approving' && run.state !== 'queued') return [];
  return [line(bold(context.t('run-plan'))), list(run.plan.lines.map((one) => say(context, one)))];
}

function buttons(context: CardContext, run: Run, operation: Operation | undefined): Button[] {
  const { t, operations } = context;
  const answer = (verb: 'confirm' | 'approve' | 'reject' | 'cancel', style?: 'danger' | 'success'): Button => ({
    kind: 'press',
    label: t(`run-button-${verb}`),
    ...(style ? { style } : {}),
    press: { kind: 'run', verb, runId: run.id },
  });
  switch (run.state) {
    case 'confirming':
      return run.stepUp?.digest === undefined ? [answer('confirm', 'danger'), answer('cancel')] : [answer('cancel')];
    case 'approving':
      return [answer('approve', 'success'), answer('reject', 'danger'), answer('cancel')];
    case 'queued':
    case 'planning':
      return [answer('cancel')];
    case 'running':
    case 'verifying':
      return run.cancelAskedBy === undefined ? [answer('cancel')] : [];
    case 'reconciling':
      // The outside may never answer again: somebody can end the wait, and the run then says that nobody knows.
      return [{ ...answer('cancel'), label: t('run-button-abandon') }];
    case 'succeeded': {
      const undo = run.result === undefined ? undefined : operation?.undo(run.args, run.result);
      if (undo === undefined || !operations.has(undo.operation)) return [];
      return [{ kind: 'press', label: t('run-button-undo'), press: { kind: 'operation', ...undo } }];
    }
    case 'failed':
    case 'expired': {
      // Asking again is a new run with a plan and approval of its own.
      if (operation === undefined || operation.unlisted) return [];
      return [
        {
          kind: 'press',
          label: t('run-button-again'),
          press: { kind: 'operation', operation: run.operation, args: run.args },
        },
      ];
    }
    case 'warning':
    case 'cancelled':
    case 'rejected':
      return [];
  }
}

/** An answer that comes within this time comes as one message, without a card that says only "wait". */
const HOLD_MS = 1200;

export function drawRun(context: CardContext, run: Run, view = '', muted?: Quieting): Doc {
  const operation = context.operations.get(run.operation);
  // What was asked for is the whole answer: its own verdict stands first, and "done" is no news beside it.
  const answered = operation?.risk === 'read' && (run.state === 'succeeded' || run.state === 'warning');
  if (answered) return result(context, run, operation, view);
  const { blocks, buttons: more = [], file } = result(context, run, operation, view);
  const report = withoutTitle(blocks);
  const own = buttons(context, run, operation);
  const verified = run.verified && isFinal(run.state) ? [verifiedLine(context, run.verified)] : [];
  return {
    blocks: [
      title(ICONS[run.state], verdict(context, run, operation)),
      ...state(context, run),
      ...failure(context, run),
      ...report,
      ...verified,
      ...plan(context, run),
      ...mutedLines(context, muted),
      quote([...historyLines(history(context, run)), `${context.t('run-number')} #${run.number}`]),
    ],
    buttons: [...(own.length > 0 ? [own] : []), ...more],
    ...(file ? { file } : {}),
    ...(mayHold(run, operation) ? { hold: new Date(run.createdAt.getTime() + HOLD_MS) } : {}),
  };
}

/** A plan is mostly worked out at once, and a question mostly answered at once. */
const mayHold = (run: Run, operation: Operation | undefined): boolean =>
  run.state === 'planning' || (operation?.risk === 'read' && !isFinal(run.state));

/** The card has its verdict line already. A report that begins with one of its own keeps its words as a bold line. */
function withoutTitle(blocks: readonly Block[]): readonly Block[] {
  const [head, ...rest] = blocks;
  return head?.kind === 'title' ? [line(bold(...inlineList(head.of))), ...rest] : blocks;
}

const inlineList = (of: Inlines) => (isList(of) ? of : [of]);
const isList = (of: Inlines): of is Extract<Inlines, readonly unknown[]> => Array.isArray(of);

const historyLines = (block: Block): Inlines[] =>
  block.kind === 'facts' ? block.rows.map(([label, value]) => [`${label}: `, ...inlineList(value)]) : [];

/** What the run has muted while it worked, and what fires on afterwards. */
function mutedLines(context: CardContext, muted: Quieting | undefined): Block[] {
  const { t } = context;
  if (!muted) return [];
  const { state, still, closeAt } = muted;
  const names = still.join(', ');
  if (state === 'failed') {
    const why = muted.error && t.has(muted.error.key) ? ` ${t(muted.error.key, muted.error.args)}` : '';
    return [line(`⚠ ${t('run-not-muted')}${why}`)];
  }
  if (state === 'open') return [line(`🔕 ${t('run-muted')}`)];
  if (state === 'settling' && closeAt) return [line(`🔕 ${t('run-muted-until')} `, time(closeAt, 'clock'))];
  return [line(still.length > 0 ? bold(`⚠ ${t('run-still-fires', { names })}`) : `🔔 ${t('run-muted-over')}`)];
}

const verifiedLine = (context: CardContext, { ok, text }: { ok: boolean; text: Text }): Block =>
  line(`${ok ? '✔' : '✘'} ${context.t(ok ? 'run-verified' : 'run-not-verified')}: ${say(context, text)}`);

export default defineCard({
  kind: 'run',
  messages,
  render: async (context, card) => {
    const run = await findRun(context.q, card.ref);
    if (run === undefined) return 'gone';
    const isNoisy = context.operations.get(run.operation)?.isNoisy === true;
    return drawRun(context, run, card.view, isNoisy ? await quieting(context.q, run.id) : undefined);
  },
});
