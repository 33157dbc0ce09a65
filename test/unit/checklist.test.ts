import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseChecklist, type Checklist } from '../../src/core/checklist.ts';
import { runbookOfScenario, SCENARIOS, scenarioOfRunbook } from '../../src/core/dr.ts';
import type { Language } from '../../src/core/people.ts';
import { assignWords, matchOperation, splitWords } from '../../src/handlers/command-line.ts';
import { loadRunbooks } from '../../src/tasks/runbooks.ts';
import { operations } from '../../src/tasks/operations/registry.gen.ts';

const FOLDER = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));
const read = (name: string, language: Language): string => readFileSync(`${FOLDER}/${language}/${name}.md`, 'utf8');

function checklist(name: string, language: Language): Checklist {
  const parsed = parseChecklist(read(name, language));
  if (!parsed.ok) throw new Error(`${name} (${language}): ${parsed.problem}`);
  return parsed.checklist;
}

const GOOD = `# It is gone

## When

It is gone.

## Needs

- a login
- a friend

## Steps

### 1. Look (2 min)

Look at it.

Operation: \`/status\`

### 2. Посмотреть (3 мин)

\`\`\`
ls
\`\`\`
`;

describe('a checklist', () => {
  it('is read from a runbook, in either language', () => {
    expect(parseChecklist(GOOD)).toEqual({
      ok: true,
      checklist: {
        title: 'It is gone',
        when: 'It is gone.',
        needs: ['a login', 'a friend'],
        steps: [
          { title: 'Look', minutes: 2, text: 'Look at it.', operation: 'status' },
          { title: 'Посмотреть', minutes: 3, text: '```\nls\n```' },
        ],
      },
    });
    expect(parseChecklist(GOOD.replaceAll('\n', '\r\n'))).toEqual(parseChecklist(GOOD));
  });

  it.each([
    ['has no title', GOOD.replace('# It is gone\n', ''), 'it has no title'],
    ['has a section too few', GOOD.replace('## Needs\n', ''), 'it has 2 sections, not three'],
    ['needs something that is no list', GOOD.replace('- a friend', 'a friend'), 'what is needed is no list: a friend'],
    ['has no steps', GOOD.slice(0, GOOD.indexOf('### 1.')), 'it has no steps'],
    ['skips a number', GOOD.replace('### 2.', '### 3.'), 'step 2 is headed “3. Посмотреть (3 мин)”'],
    ['gives no time', GOOD.replace(' (2 min)', ''), 'step 1 is headed “1. Look”'],
    ['has an empty step', GOOD.replace('Look at it.', ''), 'step 1 says nothing'],
    [
      'does two things at once',
      GOOD.replace('Look at it.', 'Look.\n\nOperation: `/probes`'),
      'step 1 has more than one operation',
    ],
  ])('that %s is refused', (_what, text, problem) => {
    expect(parseChecklist(text)).toEqual({ ok: false, problem });
  });
});

describe.each(SCENARIOS)('the checklist %s', (scenario) => {
  const name = runbookOfScenario(scenario);
  const [en, ru] = [checklist(name, 'en'), checklist(name, 'ru')];

  it('says the same in both languages: the same steps, times, operations, commands', () => {
    const shape = ({ needs, steps }: Checklist) => ({
      needs: needs.length,
      steps: steps.map(({ minutes, operation, text }) => ({ minutes, operation, code: codeOf(text) })),
    });
    expect(shape(ru)).toEqual(shape(en));
    expect(ru.title).toMatch(/^Катастрофа: /);
    expect(en.title).toMatch(/^Disaster: /);
    for (const one of ru.steps) expect(one.title).toMatch(/[а-яё]{3}/i);
  });

  it('offers only operations that there are, with words that they take', () => {
    const wrong = en.steps.flatMap(({ operation }) => {
      if (operation === undefined) return [];
      const matched = matchOperation(operations, splitWords(operation));
      if (matched.kind !== 'operation') return [`/${operation}`];
      return assignWords(matched.operation, matched.words).ok ? [] : [`/${operation}: its words`];
    });
    expect(wrong).toEqual([]);
  });

  it('is short enough for a card, step by step', () => {
    for (const list of [en, ru]) {
      expect(list.steps.length).toBeGreaterThanOrEqual(6);
      expect(list.steps.length).toBeLessThanOrEqual(12);
      for (const { text, title } of list.steps) {
        expect({ title, long: Array.from(text).length >= 900 }).toEqual({ title, long: false });
        expect({ title, long: Array.from(title).length >= 60 }).toEqual({ title, long: false });
      }
    }
  });

  it('is found by its name', async () => {
    expect(scenarioOfRunbook(name)).toBe(scenario);
    const runbooks = await loadRunbooks(FOLDER);
    expect(runbooks.names).toContain(name);
    expect(runbooks(name, 'ru')).toBe(read(name, 'ru'));
  });
});

/** Fenced lines without their comments, and what stands in backquotes: those are typed, and typed alike by everybody. */
function codeOf(text: string): string[] {
  const fences = [...text.matchAll(/```\n([\s\S]*?)```/g)].flatMap(([, inner = '']) =>
    inner.split('\n').map((line) => line.replace(/\s+#.*$/, '')),
  );
  const rest = text.replaceAll(/```\n[\s\S]*?```/g, '');
  return [...fences, ...[...rest.matchAll(/`([^`]+)`/g)].map(([, inner = '']) => inner).toSorted()];
}
