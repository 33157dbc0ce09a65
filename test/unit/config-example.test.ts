import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { systemReadFile } from '../../src/config/files.ts';
import { type JsonSchema, jsonSchema, SCHEMA_PATH } from '../../src/config/json-schema.ts';
import { loadConfig, parseConfig, requireConfig } from '../../src/config/load.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const example = read('config/vakhta.example.yaml');
const ajv = new Ajv2020({ strict: false, allErrors: true });
const accepts = ajv.compile(jsonSchema());

/** Every key of the schema as `section.key`, list items and people's own names left out. */
function keys(schema: JsonSchema, path = ''): { path: string; schema: JsonSchema }[] {
  const inside = Object.entries(schema.properties ?? {}).flatMap(([key, of]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [{ path: at, schema: of }, ...keys(of, at)];
  });
  return schema.items === undefined ? inside : [...inside, ...keys(schema.items, path)];
}
const all = keys(jsonSchema());

describe('the example', () => {
  it('loads without an error or a warning', () => {
    const loaded = parseConfig(example, 'config/vakhta.example.yaml', {});
    expect(loaded.problems).toEqual([]);
    const config = requireConfig(loaded);
    expect(new Set(config.operators.map(({ role }) => role))).toEqual(new Set(['viewer', 'operator', 'admin']));
    expect(config.proxmox.map(({ id }) => id)).toEqual(['pve1']);
    expect(config.chats.find(({ id }) => id === 'ops')?.topics).toEqual({ alerts: 2, backups: 3, certs: 4 });
  });

  it('is accepted by the JSON Schema, and names it in its first line for editors', () => {
    accepts(parse(example));
    expect(accepts.errors ?? []).toEqual([]);
    expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=./vakhta.schema.json');
  });

  it('shows every key there is', () => {
    const shown = example.replaceAll(/^ *#/gm, '');
    const missing = all.filter(({ path }) => !new RegExp(`(^|[\\s{,-])${path.split('.').at(-1)}:`, 'm').test(shown));
    expect(missing.map(({ path }) => path)).toEqual([]);
  });
});

describe('reading from disk', () => {
  const path = fileURLToPath(new URL('../../config/vakhta.example.yaml', import.meta.url));

  it('gives what stands in the file', async () => {
    const loaded = await loadConfig({ path, env: {}, readFile: systemReadFile });
    expect(requireConfig(loaded)).toEqual(requireConfig(parseConfig(example, path, {})));
    expect((await systemReadFile(path)).mode & 0o400).toBe(0o400);
  });

  it('names what the system says of a missing file and of a folder', async () => {
    const why = async (name: string) => {
      const { problems } = await loadConfig({ path: name, env: {}, readFile: systemReadFile });
      return problems.map(({ text, args }) => `${text} ${args.why}`);
    };
    expect(await why(`${path}.missing`)).toEqual(['cfg-no-file ENOENT']);
    expect(await why(dirname(path))).toEqual(['cfg-unreadable EISDIR']);
  });
});

describe('the JSON Schema', () => {
  it('in the repository is the one that zod gives', () => {
    expect(JSON.parse(read(SCHEMA_PATH))).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  it('describes every key', () => {
    expect(all.filter(({ schema }) => (schema.description ?? '') === '').map(({ path }) => path)).toEqual([]);
  });

  it.each([
    ['a literal secret', (file: Record<string, Record<string, unknown>>) => (file.telegram!.token = '123:abc')],
    ['an unknown key', (file: Record<string, Record<string, unknown>>) => (file.telegram!.tokn = 'env:A')],
    ['a missing section', (file: Record<string, Record<string, unknown>>) => delete file.site],
    [
      'a bad time',
      (file: Record<string, Record<string, unknown>>) =>
        ((file.digest as unknown as Record<string, unknown>[])[0]!.at = '8:30'),
    ],
  ])('refuses %s in the editor already', (_, change) => {
    const file = parse(example) as Record<string, Record<string, unknown>>;
    change(file);
    expect(accepts(file)).toBe(false);
  });
});

describe('the documentation', () => {
  it.each(['docs/configuration.md', 'docs/configuration.ru.md'])('%s explains every key, in its section', (path) => {
    const sections = new Map(
      read(path)
        .split(/^## /m)
        .map((part) => [/`(\w+)`/.exec(part.split('\n')[0] ?? '')?.[1], part]),
    );
    const explained = (key: string) => {
      const [section = '', ...rest] = key.split('.');
      return sections.get(section)?.includes(`\`${rest.length === 0 ? section : rest.join('.')}\``);
    };
    expect(all.map(({ path: key }) => key).filter((key) => !explained(key))).toEqual([]);
  });

  it.each(['docs/configuration.md', 'docs/configuration.ru.md'])('%s explains no key that does not exist', (path) => {
    const known = new Set(all.map(({ path: key }) => key));
    const rows = read(path)
      .split(/^## /m)
      .flatMap((part) => {
        const section = /`(\w+)`/.exec(part.split('\n')[0] ?? '')?.[1];
        return [...part.matchAll(/^\| `([\w.]+)` \|/gm)].map((row) =>
          section === row[1] ? section : `${section}.${row[1]}`,
        );
      });
    expect(rows.length).toBeGreaterThan(80);
    expect(rows.filter((key) => key === undefined || !known.has(key))).toEqual([]);
  });

  it('both languages have the same sections', () => {
    const headings = (path: string) =>
      read(path)
        .split('\n')
        .filter((line) => /^#{1,3} /.test(line))
        .map((line) => line.split(' ')[0]);
    expect(headings('docs/configuration.ru.md')).toEqual(headings('docs/configuration.md'));
  });
});
