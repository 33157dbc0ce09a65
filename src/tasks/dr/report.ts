import { z } from 'zod';
import { type Block, bold, type Doc, doc, gap, line, list, title } from '../../core/doc.ts';
import { SCENARIOS } from '../../core/dr.ts';
import { formatDuration } from '../../core/format.ts';
import { markdownBlocks } from '../../core/markdown.ts';
import type { Actor } from '../../core/people.ts';
import type { View } from '../define.ts';
import { type DrView, timeOf } from './desk.ts';

const both = z.object({ en: z.string(), ru: z.string() });

/** What an operation on a session answers: enough to go on without Telegram. */
export const drResult = z.object({
  number: z.number(),
  scenario: z.string(),
  mode: z.enum(['drill', 'real']),
  state: z.enum(['running', 'finished', 'aborted']),
  title: both,
  /** Asked for from the command line: the whole checklist is the answer. */
  full: z.boolean(),
  ms: z.number(),
  current: z.number().exactOptional(),
  steps: z.array(
    z.object({
      n: z.number(),
      state: z.enum(['waiting', 'current', 'done', 'skipped']),
      minutes: z.number(),
      ms: z.number().exactOptional(),
      title: both,
      text: both.exactOptional(),
      operation: z.string().exactOptional(),
    }),
  ),
});
export type DrResult = z.output<typeof drResult>;

/** The scenario, and for presses the session that was on the card. */
export const drArgs = {
  scenario: z.enum(SCENARIOS),
};
export const drHidden = {
  step: z.coerce.number().int().positive().exactOptional(),
  session: z.uuid().exactOptional(),
};

export function resultOf(view: DrView, actor: Actor, now: Date): DrResult {
  const { session, steps } = view;
  const full = actor.kind === 'cli';
  const current = steps.find(({ state }) => state === 'current');
  return {
    number: session.number,
    scenario: session.scenario,
    mode: session.mode,
    state: session.state,
    title: session.title,
    full,
    ms: timeOf(view, now),
    ...(current ? { current: current.n } : {}),
    steps: steps.map(({ n, state, minutes, content: { en, ru }, operation, startedAt, endedAt }) => ({
      n,
      state,
      minutes,
      title: { en: en.title, ru: ru.title },
      ...(startedAt && endedAt ? { ms: endedAt.getTime() - startedAt.getTime() } : {}),
      ...(full && state === 'current' ? { text: { en: en.text, ru: ru.text } } : {}),
      ...(operation === undefined ? {} : { operation }),
    })),
  };
}

const MARK = { waiting: '▫', current: '▶', done: '✓', skipped: '⏭' } as const;

/** In a chat one sentence, for the card stands there; on the command line the checklist itself. */
export function drDoc(result: DrResult, { t, language }: View): Doc {
  const { number, scenario, mode, state, steps, current, full } = result;
  const step = steps.find(({ n }) => n === current);
  const where =
    state === 'running'
      ? step
        ? t('dr-of', { n: step.n, of: steps.length })
        : t('dr-all-done')
      : t(`dr-state-${state}`);
  if (!full) return doc(line(t('dr-noted', { number: String(number), where })));
  const blocks: Block[] = [
    title(state === 'running' ? 'running' : state === 'finished' ? 'done' : 'cancelled', [
      bold(result.title[language]),
      ` · ${t(`dr-mode-${mode}`)} · ${where}`,
    ]),
    list(
      steps.map((one) => {
        const time = one.ms === undefined ? t('dr-minutes', { n: one.minutes }) : formatDuration(one.ms, t);
        return `${MARK[one.state]} ${one.n}. ${one.title[language]} — ${time}`;
      }),
    ),
  ];
  if (state !== 'running') return { blocks };
  if (!step) return { blocks: [...blocks, gap, line(t('dr-finish-cli', { scenario }))] };
  return {
    blocks: [
      ...blocks,
      gap,
      line(bold(t('dr-now', { n: step.n, title: step.title[language] }))),
      ...markdownBlocks(step.text?.[language] ?? ''),
      ...(step.operation === undefined ? [] : [line(t('dr-operation-cli', { command: step.operation }))]),
      gap,
      line(t('dr-next-cli', { scenario })),
    ],
  };
}
