import { z } from 'zod';
import type { Audited, WhyRun } from '../../../store/why.ts';
import { errorText } from '../../errors.ts';
import type { CardContext } from '../define.ts';
import type { Step } from './ledger.ts';

/** What people decided about a run beyond asking for it, by the names of the audit, with the text that tells of it. */
const ANSWERS: Readonly<Record<string, string>> = {
  'run.step-up': 'why-answer-step-up',
  'run.step-up-wrong': 'why-answer-step-up-wrong',
  'run.confirmed': 'why-answer-confirmed',
  'run.approved': 'why-answer-approved',
  'run.rejected': 'why-answer-rejected',
  'run.cancel-asked': 'why-answer-cancelled',
  'run.cancelled': 'why-answer-cancelled',
  'run.abandoned': 'why-answer-abandoned',
};
/** Actions of the audit that the ledger tells of. Asking for a run is told by the run itself, a comment by the incident's history. */
export const DECISIONS = ['denied', 'refused', 'press.refused', ...Object.keys(ANSWERS)];

const detail_ = z.object({
  /** The operation, or the answer to a run (`run.confirm`), of a press that came to nothing. */
  what: z.string().optional().catch(undefined),
  /** Of a request that was denied: request, press, comment, or the answer to a run. */
  action: z.string().optional().catch(undefined),
  why: z.string().optional().catch(undefined),
  /** Who was faster. */
  by: z.string().optional().catch(undefined),
  text: z.string().optional().catch(undefined),
  args: z.record(z.string(), z.union([z.string(), z.number()])).catch({}),
  /** The role that would have been needed. */
  needs: z.string().optional().catch(undefined),
});

/** What the audit holds of the incident: presses that were refused and why, and how people answered its runs. */
export function decisionStep(context: CardContext, entry: Audited, runs: readonly WhyRun[]): Step {
  const { t } = context;
  const { at, actor, action, subject } = entry;
  const who = nameOf(context, actor);
  const run = runs.find(({ number }) => subject === `run:${number}`);
  const number = /^run:(\d+)$/u.exec(subject)?.[1] ?? '';
  const answer = ANSWERS[action];
  if (answer !== undefined) {
    const what = run ? operationName(context, run.operation) : '';
    return { at, text: t(answer, { who, number, what }) };
  }
  if (action === 'refused') return { at, text: t('why-outsider', { id: actor.replace(/^[a-z]+:/u, '') }) };
  const said = detail_.parse(entry.detail);
  const what = wanted(
    context,
    said.what ?? (number === '' ? subject : `run.${said.action ?? ''}`),
    said.action,
    number,
  );
  return { at, text: t('why-refused', { who, what, reason: reasonOf(context, entry, said) }) };
}

const VERBS = ['confirm', 'approve', 'reject', 'cancel'];

/** What was wanted, in words: the name of an operation, or what a run would have been answered. */
function wanted(context: CardContext, name: string, action: string | undefined, number: string): string {
  const { t } = context;
  const verb = VERBS.find((one) => name === `run.${one}`) ?? VERBS.find((one) => action === one);
  if (verb !== undefined) return t(`why-verb-${verb}`, { number });
  if (action === 'comment') return t('why-verb-comment');
  return name.startsWith('incident:') ? t('why-verb-press') : operationName(context, name);
}

function reasonOf({ t, people }: CardContext, { detail }: Audited, said: z.output<typeof detail_>): string {
  const { why, by = '', text, args } = said;
  if (said.needs !== undefined) return errorText({ text: 'err-no-role', args: { role: said.needs } }, t);
  if (why === 'lost') return t('why-reason-lost', { by: people(by)?.name ?? by });
  if (why === 'stale' || why === 'not-yours') return t(`why-reason-${why}`);
  if (text !== undefined) return errorText({ text, args }, t);
  // Of a denied request: the arguments of its sentence stand beside its code.
  const beside = z.record(z.string(), z.union([z.string(), z.number()]).catch('')).parse(detail);
  return errorText({ text: `err-${why ?? 'internal'}`, args: beside }, t);
}

export function operationName({ t }: CardContext, operation: string): string {
  const key = `op-${operation.replaceAll('.', '-')}`;
  return t.has(key) ? t(key) : operation;
}

function nameOf({ people }: CardContext, actor: string): string {
  const id = actor.replace(/^[a-z]+:/u, '');
  return actor.startsWith('operator:') ? (people(id)?.name ?? id) : id;
}
