// Made by `npm run generate` from the files of the folder. Do not edit.
import type { CardKind } from './define.ts';

export const cards: readonly CardKind[] = [];
