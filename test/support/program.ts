import { dirname } from 'node:path';
import { inject } from 'vitest';
import { ask } from './broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Port of 127.0.0.1 that answers where the built program is, and builds it when asked for the first time. */
    programBroker: number;
  }
}

/** The command line of `vakhta` up to its first word: the sources, built once in a run, as an installation runs them. */
export async function programCommand(): Promise<readonly string[]> {
  const main = await ask(inject('programBroker'));
  if (!main.endsWith('main.js')) throw new Error(`the program was not built: ${main}`);
  return [process.execPath, main];
}

/** The folder that the program was built into. */
export async function builtFolder(): Promise<string> {
  const [, main = ''] = await programCommand();
  return dirname(main);
}
