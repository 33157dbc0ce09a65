import { readFile, stat } from 'node:fs/promises';

export interface FileContent {
  readonly text: string;
  /** Permission bits, as `stat` gives them. */
  readonly mode: number;
}

/** Reads a whole file; rejects as Node does, with `code` ENOENT, EACCES … Handed in, so that tests need no disk. */
export type ReadFile = (path: string) => Promise<FileContent>;

export const systemReadFile: ReadFile = async (path) => {
  const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  return { text, mode };
};

export type Env = Readonly<Record<string, string | undefined>>;

/** The `code` of a system error, or its message's stand-in `unknown`. */
export function systemCode(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return 'unknown';
}
