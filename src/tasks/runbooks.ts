import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Language, LANGUAGES } from '../core/people.ts';

/**
 * The text of a runbook (Markdown) by its name or by that of an alert: `host-disk-full` and `HostDiskFull` are one. In the
 * other language when there is none in this one.
 */
export interface Runbooks {
  (name: string, language: Language): string | undefined;
  /** As their files are called, sorted. */
  readonly names?: readonly string[];
}

/** Reads `<folder>/<language>/<name>.md`, all of them once. A folder that is missing holds none. */
export async function loadRunbooks(folder: string): Promise<Runbooks> {
  const texts = new Map<string, string>();
  const names = new Set<string>();
  for (const language of LANGUAGES) {
    const files = await readdir(join(folder, language)).catch((): string[] => []);
    for (const file of files.filter((name) => name.endsWith('.md'))) {
      const name = file.slice(0, -3);
      names.add(name);
      texts.set(`${language} ${normal(name)}`, await readFile(join(folder, language, file), 'utf8'));
    }
  }
  const find = (name: string, language: Language): string | undefined =>
    [language, ...LANGUAGES].map((one) => texts.get(`${one} ${normal(name)}`)).find((text) => text !== undefined);
  return Object.assign(find, { names: [...names].toSorted() });
}

const normal = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
