import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Language, LANGUAGES } from '../core/people.ts';

/**
 * The text of a runbook (Markdown) by its name or by that of an alert: `host-disk-full` and `HostDiskFull` are one. In the
 * other language when there is none in this one.
 */
export type Runbooks = (name: string, language: Language) => string | undefined;

/** Reads `<folder>/<language>/<name>.md`, all of them once. A folder that is missing holds none. */
export async function loadRunbooks(folder: string): Promise<Runbooks> {
  const texts = new Map<string, string>();
  for (const language of LANGUAGES) {
    const files = await readdir(join(folder, language)).catch((): string[] => []);
    for (const file of files.filter((name) => name.endsWith('.md'))) {
      texts.set(`${language} ${normal(file.slice(0, -3))}`, await readFile(join(folder, language, file), 'utf8'));
    }
  }
  return (name, language) =>
    [language, ...LANGUAGES].map((one) => texts.get(`${one} ${normal(name)}`)).find((text) => text !== undefined);
}

const normal = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
