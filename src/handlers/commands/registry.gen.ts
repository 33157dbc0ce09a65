// Made by `npm run generate` from the files of the folder. Do not edit.
import type { Command } from './define.ts';
import cancel from './cancel.ts';
import help from './help.ts';
import language from './language.ts';
import start from './start.ts';
import whoami from './whoami.ts';

export const commands: readonly Command[] = [cancel, help, language, start, whoami];
