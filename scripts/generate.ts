// Runs every generator: `scripts/generators/*.ts`, each exporting `generate()`.
// `--check` writes nothing and fails when a generated file is not what its source says.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A file that a generator makes: the path from the root of the repository, and all of its text. */
export interface Generated {
  readonly path: string;
  readonly content: string;
}

type Generate = () => Promise<readonly Generated[]>;

const root = fileURLToPath(new URL('..', import.meta.url));

/** The generators' files, in the order of their names. */
async function generators(): Promise<string[]> {
  const folder = join(root, 'scripts', 'generators');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  return names.toSorted().map((name) => join(folder, name));
}

async function generatorOf(path: string): Promise<Generate> {
  const module: unknown = await import(pathToFileURL(path).href);
  if (typeof module === 'object' && module !== null && 'generate' in module && typeof module.generate === 'function') {
    return module.generate as Generate;
  }
  throw new Error(`${relative(root, path)} does not export generate()`);
}

async function current(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Paths of the files that differed; written unless `check`. */
export async function run({ check }: { check: boolean }): Promise<string[]> {
  const differing: string[] = [];
  for (const file of await generators()) {
    const generate = await generatorOf(file);
    for (const { path, content } of await generate()) {
      const target = join(root, path);
      if ((await current(target)) === content) continue;
      differing.push(path);
      if (check) continue;
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
    }
  }
  return differing;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const check = process.argv.includes('--check');
  const differing = await run({ check });
  for (const path of differing) console.log(check ? `out of date: ${path}` : `written: ${path}`);
  if (check && differing.length > 0) {
    console.error('Generated files differ from their sources. Run: npm run generate');
    process.exitCode = 1;
  }
}
