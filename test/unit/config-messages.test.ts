import { readdirSync, readFileSync } from 'node:fs';
import { FluentParser, Resource, Transformer, type VariableReference } from '@fluent/syntax';
import { describe, expect, it } from 'vitest';
import { messages as doctorMessages } from '../../src/config/doctor-messages.ts';
import { messages } from '../../src/config/messages.ts';
import { messages as recoveryMessages } from '../../src/config/recovery-messages.ts';

const folder = new URL('../../src/config/', import.meta.url);
const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('messages.ts'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n');

/** Message ids with the names of their variables. */
function variables(text: string): Map<string, Set<string>> {
  const dedented = text.replaceAll(/^ {4}/gm, '');
  const resource = new FluentParser({ withSpans: false }).parse(dedented);
  expect(resource.body.filter((entry) => entry.type === 'Junk')).toEqual([]);
  return new Map(
    resource.body.flatMap((entry) => {
      if (entry.type !== 'Message') return [];
      const found = new Set<string>();
      const collect = new (class extends Transformer {
        override visitVariableReference(node: VariableReference) {
          found.add(node.id.name);
          return node;
        }
      })();
      collect.visit(new Resource([entry]));
      return [[entry.id.name, found] as const];
    }),
  );
}

describe.each([
  ['messages', messages],
  ['doctor-messages', doctorMessages],
  ['recovery-messages', recoveryMessages],
])('%s', (_, both) => {
  const en = variables(both.en);
  const ru = variables(both.ru);

  it('has the same keys in both languages, in the same order', () => {
    expect([...ru.keys()]).toEqual([...en.keys()]);
  });

  it('Russian uses no variable that English does not know', () => {
    const strange = [...ru].flatMap(([key, names]) =>
      [...names].filter((name) => !en.get(key)?.has(name)).map((name) => `${key}: ${name}`),
    );
    expect(strange).toEqual([]);
  });

  it('every text is used', () => {
    const used = (key: string) => {
      const base = key.replace(/-todo$/, '');
      const code = base.replace(/^err-/, '');
      return source.includes(`'${base}'`) || source.includes(`'${code}'`) || /^doctor-(ok|warn|fail)$/.test(base);
    };
    expect([...en.keys()].filter((key) => !used(key))).toEqual([]);
  });
});

it('every key that the code names has a text', () => {
  const all = [messages, doctorMessages, recoveryMessages];
  const known = new Set(all.flatMap(({ en }) => [...variables(en).keys()]));
  const named = [...source.matchAll(/'((?:cfg|doctor)-[a-z-]+)'/g)].map(([, key]) => key!);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((key) => !known.has(key))).toEqual([]);
});
