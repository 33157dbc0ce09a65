import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Generated {
  /** Relative to the repository. */
  readonly path: string;
  readonly content: string;
}

interface Registry {
  readonly folder: string;
  readonly export: string;
  readonly type: string;
  readonly from: string;
}

const REGISTRIES: readonly Registry[] = [
  { folder: 'src/tasks/operations', export: 'operations', type: 'Operation', from: '../define.ts' },
  { folder: 'src/handlers/commands', export: 'commands', type: 'Command', from: './define.ts' },
  { folder: 'src/bot/cards', export: 'cards', type: 'CardKind', from: './define.ts' },
];

/** The registries: one line for each file of a folder, so that adding one shows in one line of the diff. */
export function generate(root: string = ROOT): Generated[] {
  return [...REGISTRIES.map((registry) => folderRegistry(root, registry)), messageRegistry(root)];
}

/** Files of a folder that are members: those with a default export. */
function members(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.gen.ts'))
    .map((entry) => entry.name)
    .filter((name) => /^export default /m.test(readFileSync(join(root, folder, name), 'utf8')))
    .toSorted();
}

function folderRegistry(root: string, { folder, export: name, type, from }: Registry): Generated {
  const found = members(root, folder).map((file) => ({ file, id: identifier(file) }));
  const lines = [
    ...HEADER,
    `import type { ${type} } from '${from}';`,
    ...found.map(({ file, id }) => `import ${id} from './${file}';`),
    '',
    ...arrayOf(
      name,
      type,
      found.map(({ id }) => id),
    ),
  ];
  return { path: `${folder}/registry.gen.ts`, content: `${lines.join('\n')}\n` };
}

/** Every catalogue: modules that export `messages`, and those that members of the registries carry. */
function messageRegistry(root: string): Generated {
  const modules = sourceFiles(join(root, 'src'))
    .filter((file) => /^export const messages\b/m.test(readFileSync(file, 'utf8')))
    .map((file) => relative(join(root, 'src'), file).replaceAll('\\', '/'))
    .filter((file) => !file.startsWith('simulators/'))
    .map((file) => ({ file, id: identifier(file) }))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1));
  const lines = [
    ...HEADER,
    `import { cards } from './bot/cards/registry.gen.ts';`,
    `import type { Messages } from './core/i18n.ts';`,
    `import { commands } from './handlers/commands/registry.gen.ts';`,
    `import { operations } from './tasks/operations/registry.gen.ts';`,
    ...modules.map(({ file, id }) => `import { messages as ${id} } from './${file}';`),
    '',
    '/** All texts of the program. A module whose texts belong to a registered member counts once. */',
    'export const allMessages: readonly Messages[] = [',
    '  ...new Set<Messages>([',
    ...modules.map(({ id }) => `    ${id},`),
    '    ...[...operations, ...commands, ...cards].map((member) => member.messages),',
    '  ]),',
    '];',
  ];
  return { path: 'src/messages.gen.ts', content: `${lines.join('\n')}\n` };
}

const HEADER = ['// Made by `npm run generate` from the files of the folder. Do not edit.'];

function arrayOf(name: string, type: string, ids: readonly string[]): string[] {
  const oneLine = `export const ${name}: readonly ${type}[] = [${ids.join(', ')}];`;
  if (oneLine.length <= 120) return [oneLine];
  return [`export const ${name}: readonly ${type}[] = [`, ...ids.map((id) => `  ${id},`), '];'];
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.gen.ts') ? [path] : [];
  });
}

/** `backup-pg.ts` → `backupPg`, `bot/render/messages.ts` → `botRenderMessages`; words of the language get a `_`. */
function identifier(file: string): string {
  const words = join(dirname(file), basename(file, '.ts'))
    .split(/[^a-zA-Z0-9]+/)
    .filter((word) => word !== '');
  const name = words.map((word, i) => (i === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
  return /^(?:break|case|delete|default|do|export|for|if|import|in|new|return|switch|this|try|type|var|void|with)$/.test(
    name,
  )
    ? `${name}_`
    : name;
}
