import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteArgv } from '../../src/integrations/exec/quote.ts';

const word = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
  fc.string({ unit: fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;~#= \t\n-%^ёЖ🔥`.split(/(?:)/u)) }),
);

test('a real shell gives back exactly the words that were quoted', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
      const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${quoteArgv(words)}`]).toString('utf8');
      expect(printed.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 150 },
  );
});

test('a word that looks like an assignment stays a word', () => {
  const run = () => execFileSync('/bin/sh', ['-c', quoteArgv(['A=1', 'x'])], { stdio: 'pipe' });
  expect(run).toThrow(/A=1: not found/);
});

test('plain words stay readable, an empty word stays a word', () => {
  expect(quoteArgv(['pgbackrest', '--stanza', 'main', ''])).toBe("pgbackrest --stanza main ''");
  expect(quoteArgv(["it's"])).toBe(`'it'\\''s'`);
});
