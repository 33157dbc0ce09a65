// Made by `npm run generate` from the files of the folder. Do not edit.
import type { Command } from './define.ts';
import alerts from './alerts.ts';
import cancel from './cancel.ts';
import help from './help.ts';
import language from './language.ts';
import start from './start.ts';
import whoami from './whoami.ts';
import why from './why.ts';

export const commands: readonly Command[] = [alerts, cancel, help, language, start, whoami, why];
