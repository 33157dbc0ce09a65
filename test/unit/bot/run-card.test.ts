import { describe, expect, it } from 'vitest';
import { drawRun, progressBar } from '../../../src/bot/cards/run.ts';
import type { CardContext } from '../../../src/bot/cards/define.ts';
import { render } from '../../../src/bot/render.ts';
import { fileSchema, resolve } from '../../../src/config/schema.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { LANGUAGES, type Language } from '../../../src/core/people.ts';
import { RUN_STATES, type RunState } from '../../../src/core/run.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import type { Run } from '../../../src/store/runs.ts';

const NOW = new Date('2026-11-23T11:05:00Z');
const texts = catalogue(allMessages);
const config = resolve(
  fileSchema.parse({
    site: { name: 'x', zone: 'UTC' },
    telegram: { token: 'env:T' },
    operators: [{ id: 'anna', name: 'Anna', telegram_id: 5, role: 'operator' }],
    chats: [{ id: 'ops', chat_id: -100 }],
    routes: [{ chat: 'ops' }],
  }),
  {},
);

const context = (language: Language): CardContext => ({
  q: { query: () => Promise.reject(new Error('a drawing asks nothing')) },
  t: texts.for(language),
  language,
  zone: 'Europe/Moscow',
  now: NOW,
  config,
  operations: new Map(),
  people: (id) => config.operators.find((one) => one.id === id),
});

const run = (state: RunState, changes: Partial<Run> = {}): Run => ({
  id: 'r',
  number: 42,
  operation: 'backup.pg',
  args: { stanza: 'main' },
  actor: { kind: 'operator', id: 'anna' },
  origin: {},
  state,
  rev: 1,
  idempotencyKey: undefined,
  plan: { target: 'main', lines: [{ key: 'run-verifying' }] },
  confirmedBy: undefined,
  approvedBy: undefined,
  stepUp: undefined,
  cancelAskedBy: undefined,
  progress: undefined,
  external: undefined,
  result: undefined,
  verified: undefined,
  error: undefined,
  worker: undefined,
  heartbeatAt: undefined,
  notBefore: undefined,
  expiresAt: undefined,
  createdAt: NOW,
  startedAt: undefined,
  finishedAt: undefined,
  ...changes,
});

const draw = (language: Language, one: Run) =>
  render(drawRun(context(language), one), { t: texts.for(language), zone: 'Europe/Moscow', now: NOW });
const verbs = (one: Run): string[] =>
  draw('en', one)
    .keyboard.flat()
    .flatMap((button) => (button.kind === 'press' && button.press.kind === 'run' ? [button.press.verb] : []));

describe('the card of a run', () => {
  it.each(LANGUAGES.flatMap((language) => RUN_STATES.map((state) => [language, state] as const)))(
    'says in %s what %s means, who asked and its number',
    (language, state) => {
      const { text } = draw(language, run(state));
      expect(text).not.toMatch(/\{[a-z-]+\}/);
      expect(text).toContain('Anna');
      expect(text).toContain('#42');
      expect(text.split('\n')[0]).toContain('main');
    },
  );

  it.each([
    ['confirming', ['confirm', 'cancel']],
    ['approving', ['approve', 'reject', 'cancel']],
    ['queued', ['cancel']],
    ['running', ['cancel']],
    ['verifying', ['cancel']],
    ['reconciling', ['cancel']],
    ['succeeded', []],
    ['cancelled', []],
    ['rejected', []],
  ] as const)('offers in %s what may be answered: %j', (state, offered) => {
    expect(verbs(run(state))).toEqual(offered);
  });

  it('cannot be confirmed twice while a code is checked, nor cancelled twice', () => {
    expect(verbs(run('confirming', { stepUp: { digest: 'd', failures: 0 } }))).toEqual(['cancel']);
    expect(verbs(run('running', { cancelAskedBy: 'operator:anna' }))).toEqual([]);
  });

  it('shows progress with its percentage and what is left', () => {
    const { text } = draw(
      'en',
      run('running', { progress: { step: { key: 'run-started' }, percent: 41.9, remainingMs: 125_000 } }),
    );
    expect(text).toContain('█████░░░░░░░ 41 % · 2 min 5 s left');
  });

  it('shows an error with the id to quote', () => {
    const error = {
      id: 'K7Q2M',
      kind: 'denied',
      code: 'no-role',
      text: 'err-no-role',
      args: { role: 'admin' },
    } as const;
    const { text, icon } = draw('ru', run('failed', { error }));
    expect(icon).toBe('failed');
    expect(text).toContain('#K7Q2M');
    expect(text).toContain('администратор');
  });

  it('shows the plan before, and not after', () => {
    expect(draw('en', run('approving')).text).toContain('What will happen');
    expect(draw('en', run('succeeded')).text).not.toContain('What will happen');
  });
});

describe('a bar', () => {
  it.each([
    [-5, '░░░░░░░░░░░░ 0 %'],
    [0, '░░░░░░░░░░░░ 0 %'],
    [99.9, '████████████ 99 %'],
    [150, '████████████ 100 %'],
  ])('of %d is %s', (percent, bar) => {
    expect(progressBar(percent)).toBe(bar);
  });
});
