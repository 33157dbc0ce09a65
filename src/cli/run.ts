import { userInfo } from 'node:os';
import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Translate } from '../core/i18n.ts';
import type { Actor, Language } from '../core/people.ts';
import { isFinal, type RunState } from '../core/run.ts';
import type { App } from '../app.ts';
import { run as findRun, type Run } from '../store/runs.ts';
import type { Operation } from '../tasks/define.ts';
import type { Verb } from '../tasks/lifecycle/requests.ts';
import { terminalText } from './terminal.ts';

export interface RunOptions {
  readonly as?: string;
  readonly yes?: boolean;
  readonly typed?: string;
  readonly code?: string;
  readonly json?: boolean;
}

export interface Terminal {
  readonly t: Translate;
  readonly language: Language;
  readonly zone: string;
  readonly print: (text: string) => void;
}

/** How often a run that another process works on is looked at. */
const LOOK_EVERY_MS = 500;
/** How often an outside system is asked what became of a run that was broken off; there may be no worker that does. */
const ASK_OUTSIDE_EVERY_MS = 5000;
const MOVABLE: ReadonlySet<RunState> = new Set(['queued', 'planning', 'reconciling']);

export function actorOf(app: App, as: string | undefined): Actor {
  if (as === undefined) return { kind: 'cli', id: userInfo().username };
  if (app.facts.operators.some(({ id }) => id === as)) return { kind: 'operator', id: as };
  throw new VakhtaError('usage', 'no-operator', `no operator ${as}`, { args: { id: as } });
}

/** Asks for an operation and works on it in this process; gives the exit code: 0 for success, as the error says otherwise. */
export async function runOperation(
  app: App,
  operation: Operation,
  args: Readonly<Record<string, unknown>>,
  options: RunOptions,
  terminal: Terminal,
  clock: Clock,
): Promise<number> {
  if (operation.approval === 'destroy' && options.as === undefined)
    throw new VakhtaError('usage', 'cli-as', 'needs --as');
  const actor = actorOf(app, options.as);
  const asked = await app.requests.request(actor, operation.name, args);
  if (!options.json)
    terminal.print(terminal.t('cli-started', { number: String(asked.number), operation: operation.command.join(' ') }));
  let run = await work(app, asked.id, terminal, clock, options.json ?? false);
  if (run.state === 'confirming' && options.yes) {
    await app.requests.answer(run.id, 'confirm', actor, given(options));
    run = await work(app, run.id, terminal, clock, options.json ?? false);
  }
  return conclude(run, operation, options, terminal, clock);
}

/** Answers a waiting run, then takes it as far as it goes. */
export async function answerRun(
  app: App,
  run: Run,
  verb: Verb,
  options: RunOptions,
  terminal: Terminal,
  operation: Operation,
  clock: Clock,
): Promise<number> {
  await app.requests.answer(run.id, verb, actorOf(app, options.as), given(options));
  const after = await work(app, run.id, terminal, clock, options.json ?? false);
  return conclude(after, operation, options, terminal, clock);
}

const given = ({ typed, code }: RunOptions) => ({
  ...(typed === undefined ? {} : { typed }),
  ...(code === undefined ? {} : { code }),
});

/** Takes the run as far as it can go, printing what its worker says meanwhile. */
async function work(app: App, id: string, terminal: Terminal, clock: Clock, quiet: boolean): Promise<Run> {
  const done = new AbortController();
  const following = quiet ? Promise.resolve() : follow(app, id, terminal, clock, done.signal);
  try {
    await app.executor.process(id);
    for (;;) {
      const run = await findRun(app.db, id);
      if (!run) throw new VakhtaError('usage', 'no-run', `run ${id} is gone`);
      if (isFinal(run.state) || run.state === 'confirming' || run.state === 'approving') return run;
      // It waits for a lock or its time, or another worker has it: look again, and take it when it is free.
      await clock.sleep(run.state === 'reconciling' ? ASK_OUTSIDE_EVERY_MS : LOOK_EVERY_MS);
      if (MOVABLE.has(run.state)) await app.executor.process(id);
    }
  } finally {
    done.abort();
    await following;
  }
}

async function follow(app: App, id: string, { t, print }: Terminal, clock: Clock, signal: AbortSignal): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    const progress = (await findRun(app.db, id).catch(() => undefined))?.progress;
    const percent = progress?.percent === undefined ? '' : `${Math.floor(progress.percent)} % `;
    const text = progress ? `  ${percent}${t(progress.step.key, progress.step.args)}` : '';
    if (text !== '' && text !== last) print(text);
    last = text;
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }
}

function conclude(run: Run, operation: Operation, options: RunOptions, terminal: Terminal, clock: Clock): number {
  const { t, language, zone, print } = terminal;
  const number = String(run.number);
  if (options.json) print(JSON.stringify(run, null, 2));
  else if (run.state === 'confirming' || run.state === 'approving') {
    print(t('cli-plan'));
    for (const { key, args } of run.plan?.lines ?? []) print(`  ${t(key, args)}`);
    if (run.error) print(t(run.error.text, run.error.args));
    print(t(run.state === 'confirming' ? 'cli-confirm-hint' : 'cli-approve-hint', { number }));
  } else if (run.state === 'succeeded' || run.state === 'warning') {
    print(terminalText(operation.report(run.result, run.args, { t, language, now: clock.now() }), { zone, language }));
    if (run.verified) print(t('cli-verified', { what: t(run.verified.text.key, run.verified.text.args) }));
  } else if (run.error) print(t('cli-failed', { id: run.error.id ?? '—', what: t(run.error.text, run.error.args) }));
  if (run.state === 'succeeded' || run.state === 'warning') return 0;
  if (run.state === 'confirming' || run.state === 'approving') return 75;
  return new VakhtaError(run.error?.kind ?? 'permanent', run.error?.code ?? run.state, run.state).exitCode;
}
