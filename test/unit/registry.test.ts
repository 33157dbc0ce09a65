import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Entry, FluentParser, type Message, Visitor, type VariableReference } from '@fluent/syntax';
import { describe, expect, it } from 'vitest';
import { generate } from '../../scripts/generators/registry.ts';
import { cards } from '../../src/bot/cards/registry.gen.ts';
import { catalogue, type Messages } from '../../src/core/i18n.ts';
import { commands } from '../../src/handlers/commands/registry.gen.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { operations } from '../../src/tasks/operations/registry.gen.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the generated registries', () => {
  it.each(generate().map(({ path, content }) => [path, content] as const))(
    '%s is what the folder holds',
    (path, content) => {
      expect(readFileSync(join(ROOT, path), 'utf8'), 'run: npm run generate').toBe(content);
    },
  );

  it('hold each name once', () => {
    for (const names of [
      operations.map((one) => one.name),
      commands.map((one) => one.name),
      cards.map((one) => one.kind),
    ]) {
      expect(names).toEqual([...new Set(names)]);
    }
    const words = operations.filter((one) => !one.unlisted).map((one) => one.command[0]);
    expect(commands.map((one) => one.name).filter((name) => words.includes(name))).toEqual([]);
  });

  it('can all be put into Telegram’s menu', () => {
    for (const one of commands) expect(one.name).toMatch(/^[a-z0-9_]{1,32}$/);
    for (const one of operations.filter((each) => !each.unlisted)) expect(one.command[0]).toMatch(/^[a-z0-9_]{1,32}$/);
  });
});

/** Key (with attributes) → names of its variables. */
function keysOf(ftl: string): Map<string, string[]> {
  const margin = Math.min(
    ...ftl
      .split('\n')
      .filter((l) => l.trim() !== '')
      .map((l) => l.length - l.trimStart().length),
  );
  const resource = new FluentParser().parse(
    ftl
      .split('\n')
      .map((l) => l.slice(margin))
      .join('\n'),
  );
  const keys = new Map<string, string[]>();
  for (const entry of resource.body) {
    if (entry.type === 'Junk') throw new Error(`not Fluent: ${ftl.slice(entry.span?.start, entry.span?.end)}`);
    if (entry.type !== 'Message') continue;
    const message: Message = entry;
    keys.set(message.id.name, variablesOf(message));
    for (const attribute of message.attributes) keys.set(`${message.id.name}.${attribute.id.name}`, []);
  }
  return keys;
}

class Variables extends Visitor {
  readonly names = new Set<string>();
  override visitVariableReference(node: VariableReference): void {
    this.names.add(node.id.name);
  }
}

function variablesOf(entry: Entry): string[] {
  const visitor = new Variables();
  visitor.visit(entry);
  return [...visitor.names].toSorted();
}

/** The description that the English sentence quotes comes from the schema, which speaks English only. */
const DELIBERATE = new Set(['cfg-missing']);

const withText = (messages: Messages): boolean => messages.en.trim() !== '' || messages.ru.trim() !== '';

describe('the message catalogues', () => {
  it('say the same in both languages, with the same variables', () => {
    const differing = allMessages.filter(withText).flatMap((messages) => {
      const [en, ru] = [keysOf(messages.en), keysOf(messages.ru)];
      const keys = new Set([...en.keys(), ...ru.keys()]);
      return [...keys].filter((key) => !DELIBERATE.has(key) && String(en.get(key)) !== String(ru.get(key)));
    });
    expect(differing).toEqual([]);
  });

  it('form one catalogue without a key that two modules define', () => {
    expect(() => catalogue(allMessages)).not.toThrow();
  });

  it('have every key that the source names', () => {
    const t = catalogue(allMessages).for('en');
    const missing = sources(join(ROOT, 'src')).flatMap((file) => {
      const text = readFileSync(file, 'utf8').replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, '');
      const named = [
        ...text.matchAll(/\bt\(\s*'([a-z0-9.-]+)'/g),
        ...text.matchAll(/\b(?:key|text): '([a-z0-9]+(?:-[a-z0-9]+)+)'/g),
      ];
      return named.flatMap((match) =>
        match[1] !== undefined && !t.has(match[1]) ? [`${file.slice(ROOT.length)}: ${match[1]}`] : [],
      );
    });
    expect(missing).toEqual([]);
  });

  it('have the summary and the questions of every operation and command, and a sentence for every error', () => {
    const t = catalogue(allMessages).for('ru');
    const needed = [
      ...operations.flatMap((one) => [
        one.key,
        ...one.arguments.filter((argument) => !argument.hidden).map((argument) => `${one.key}-arg-${argument.name}`),
      ]),
      ...commands.map((one) => `cmd-${one.name}`),
      ...sources(join(ROOT, 'src')).flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/new VakhtaError\(\s*'\w+',\s*'([a-z0-9-]+)',([\s\S]{0,200}?);/g)]
          .filter((match) => !/\btext:/.test(match[2] ?? ''))
          .map((match) => `err-${match[1]}`),
      ),
    ];
    expect([...new Set(needed.filter((key) => !t.has(key)))]).toEqual([]);
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'simulators' ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}
