import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generate } from '../../scripts/generators/reference.ts';
import type { Operation } from '../../src/tasks/define.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED = new Set(['node_modules', 'dist', 'data', 'coverage', '.git', 'secrets']);

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

function files(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : files(path, ending);
    return ending.test(entry.name) ? [path] : [];
  });
}

const pages = files('.', /\.md$/).toSorted();
/** A page and its Russian sister. */
const pairs = pages
  .filter((page) => page.endsWith('.ru.md'))
  .map((page) => [page.replace(/\.ru\.md$/, '.md'), page] as const);

interface Page {
  /** Without fenced blocks. */
  readonly prose: string;
  readonly headings: readonly { readonly level: number; readonly text: string }[];
  readonly fences: readonly { readonly language: string; readonly text: string }[];
}

function parse(path: string): Page {
  const fences: { language: string; text: string }[] = [];
  const prose = read(path).replaceAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm, (_, language: string, text: string) => {
    fences.push({ language, text });
    return '';
  });
  const headings = [...prose.matchAll(/^(#{1,6}) +(.+)$/gm)].map(([, marks = '', text = '']) => ({
    level: marks.length,
    text,
  }));
  return { prose, headings, fences };
}

/** As GitHub makes anchors of headings. */
function anchors({ headings }: Page): Set<string> {
  const seen = new Map<string, number>();
  const names = headings.map(({ text }) => {
    const plain = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    const n = seen.get(slug) ?? 0;
    seen.set(slug, n + 1);
    return n === 0 ? slug : `${slug}-${n}`;
  });
  return new Set(names);
}

const linksOf = ({ prose }: Page): string[] =>
  [...prose.replaceAll(/`[^`\n]*`/g, '').matchAll(/!?\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

const imagesOf = ({ prose }: Page): string[] =>
  [...prose.matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)].map(([, , target = '']) => target);

/** What is typed, without comments and prompts. */
const commandsOf = ({ fences }: Page): string[] =>
  fences
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');

it('links in the documents lead to files and chapters that exist', () => {
  const broken = pages.flatMap((path) =>
    linksOf(parse(path))
      .filter((target) => !/^(?:https?:|mailto:)/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#', 2);
        const aim = file === '' ? path : relative(ROOT, resolve(ROOT, dirname(path), decodeURIComponent(file)));
        if (!existsSync(join(ROOT, aim))) return true;
        return anchor !== undefined && !anchors(parse(aim)).has(decodeURIComponent(anchor));
      })
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

describe('two languages', () => {
  it.each(pairs)('%s and %s have the same chapters, commands and pictures', (english, russian) => {
    const [en, ru] = [parse(english), parse(russian)];
    expect(ru.headings.map(({ level }) => level)).toEqual(en.headings.map(({ level }) => level));
    expect(commandsOf(ru)).toEqual(commandsOf(en));
    const neutral = (page: Page): string[] => imagesOf(page).map((image) => image.replace(/-(?:en|ru)\.png$/, '.png'));
    expect(neutral(ru)).toEqual(neutral(en));
    const rows = ({ prose }: Page): number => prose.split('\n').filter((line) => line.trim().startsWith('|')).length;
    expect(rows(ru), 'rows of tables').toBe(rows(en));
  });

  it('every document of a user is there in both', () => {
    const wanted = [
      'README',
      'docs/install',
      'docs/configuration',
      'docs/telegram',
      'docs/operations',
      'docs/security',
    ];
    expect(pairs.map(([english]) => english)).toEqual(expect.arrayContaining(wanted.map((name) => `${name}.md`)));
  });
});

describe('what the README promises', () => {
  const readme = parse('README.md');

  it('begins with what it is, a picture, and the two commands, in this order', () => {
    for (const path of ['README.md', 'README.ru.md']) {
      const text = read(path);
      const at = [text.indexOf('\n!['), text.indexOf('```sh\nnpm run demo\nnpm test\n```'), text.indexOf('\n## ')];
      expect(at.every((place) => place > 0)).toBe(true);
      expect(at).toEqual(at.toSorted((a, b) => a - b));
    }
  });

  it('names every command of the program, and no other', () => {
    const source = read('src/main.ts');
    const literal = [...source.matchAll(/\.command\('([a-z]+)[^']*'\)/g)].map(([, name]) => name);
    const lists = [...source.matchAll(/for \(const (?:role|verb) of \[([^\]]+)\]/g)].flatMap(([, names = '']) =>
      [...names.matchAll(/'([a-z]+)'/g)].map(([, name]) => name),
    );
    const declared = new Set([...literal, ...lists]);
    for (const below of ['verify', 'make', 'check']) declared.delete(below); // of `audit` and `kit`
    const chapter = readme.prose.split('\n## ').find((part) => part.startsWith('The command line')) ?? '';
    const rows = chapter.split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([a-z]+)[^`]*`/g)].map(([, one]) => one),
    );
    expect(new Set(named)).toEqual(declared);
  });
});

describe('names in the documents', () => {
  const all = pages.map((path) => [path, read(path)] as const);

  it('npm scripts exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const unknown = all.flatMap(([path, text]) =>
      [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(test|start)\b)/g)]
        .map(([, run, short]) => run ?? short ?? '')
        .filter((name) => !(name in scripts))
        .map((name) => `${path}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  it('environment variables are read by the program, or are references of the example', () => {
    const sources = [...files('src', /\.ts$/), ...files('scripts', /\.(?:ts|mjs)$/), ...files('test/support', /\.ts$/)];
    const code = sources.map(read).join('\n');
    const examples = files('config', /\.ya?ml$/)
      .map(read)
      .join('\n');
    const isKnown = (name: string): boolean =>
      new RegExp(`\\benv(?:\\.|\\[')${name}\\b|, '${name}'\\)`).test(code) ||
      new RegExp(`\\benv:${name}\\b`).test(examples);
    const unknown = all.flatMap(([path, text]) =>
      [...text.matchAll(/\b(?:VAKHTA_[A-Z_]+|DATABASE_URL|REDIS_URL)\b/g)]
        .map(([name]) => name)
        .filter((name) => !isKnown(name))
        .map((name) => `${path}: ${name}`),
    );
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('files and folders in code marks exist', () => {
    const root = new RegExp(`^(?:src|test|scripts|docs|config|bench)/[\\w./-]+$`);
    // Made by whoever installs, not part of the repository.
    const made = /^config\/(?:vakhta\.yaml|[\w-]+\.pem)$/;
    const missing = all.flatMap(([path, text]) =>
      [...text.matchAll(/`([^`\s*<…]+)`/g)]
        .map(([, name = '']) => name)
        .filter((name) => root.test(name) && !made.test(name) && !existsSync(join(ROOT, name)))
        .map((name) => `${path}: ${name}`),
    );
    expect([...new Set(missing)]).toEqual([]);
  });

  it.each(['docs/operations.md', 'docs/operations.ru.md'])('%s lists every metric, and no other', (path) => {
    const source = read('src/app/metrics.ts') + read('src/app/metrics-backups.ts');
    const declared = [...source.matchAll(/(?:name: |gauge\(\s*)'(vakhta_\w+)'/g)].map(([, name]) => name);
    const listed = [...read(path).matchAll(/^\| `(vakhta_\w+)/gm)].map(([, name]) => name);
    expect(declared.length).toBeGreaterThan(10);
    expect(new Set(listed)).toEqual(new Set(declared));
  });

  it.each(['docs/architecture.md', 'docs/architecture.ru.md'])(
    '%s knows every table and every state of a run',
    (path) => {
      const text = read(path);
      const tables = files('src/store/migrations', /\.sql$/).flatMap((file) =>
        [...read(file).matchAll(/^create table (\w+)/gm)].map(([, name]) => name),
      );
      const states = [...read('src/core/run.ts').matchAll(/^ {2}(\w+): \[/gm)].map(([, name]) => name);
      expect(states.length).toBe(13);
      expect([...tables, ...states].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
    },
  );

  it('the index of decisions lists all of them', () => {
    const decisions = files('docs/adr', /^\d{4}-.*\.md$/).map((path) => path.replace('docs/adr/', ''));
    expect(decisions.filter((name) => !read('docs/adr/README.md').includes(`(${name})`))).toEqual([]);
  });
});

describe('the reference', () => {
  it('is what the declarations say', async () => {
    for (const { path, content } of await generate()) expect(read(path), 'run: npm run generate').toBe(content);
  });

  it('has no text missing', async () => {
    for (const { content } of await generate()) expect(content).not.toMatch(/\{(?:op|ref|cmd|cli)-/);
  });

  it('knows the options that every operation has on the command line', () => {
    const source = read('src/main.ts');
    const body = source.slice(source.indexOf('function sharedOptions'), source.indexOf('async function load'));
    const declared = [...body.matchAll(/new Option\('([^']+)'/g)].map(([, option]) => option);
    expect(declared.length).toBeGreaterThan(3);
    for (const option of declared) expect(read('docs/reference/commands.md')).toContain(`| \`${option}\` |`);
  });
});

describe('the tutorial', () => {
  it('shows an operation that works as it stands', async () => {
    const { fences } = parse('CONTRIBUTING.md');
    const example = fences.find(({ language }) => language === 'ts')?.text ?? '';
    const folder = mkdtempSync(join(ROOT, 'node_modules/.docs-example-'));
    const file = join(folder, 'endpoints.ts');
    const place = join(ROOT, 'src/tasks/operations');
    writeFileSync(
      file,
      example.replaceAll(/from '(\.[^']+)'/g, (_, path: string) => `from '${resolve(place, path)}'`),
    );
    try {
      const module = (await import(file)) as { default: Operation };
      const operation = module.default;
      expect(operation.command).toEqual(['endpoints']);
      expect(operation.approval).toBe('none');
      const view = {
        t: Object.assign(() => '', { language: 'en', has: () => false } as const),
        language: 'en',
      } as const;
      const report = operation.report({ names: ['GitLab', 'Grafana'] }, {}, { ...view, now: new Date(0) });
      expect(report.blocks).toEqual([{ kind: 'list', items: ['GitLab', 'Grafana'] }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
