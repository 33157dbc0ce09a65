// Made by `npm run generate` from the files of the folder. Do not edit.
import type { Command } from './define.ts';

export const commands: readonly Command[] = [];
