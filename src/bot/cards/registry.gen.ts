// Made by `npm run generate` from the files of the folder. Do not edit.
import type { CardKind } from './define.ts';
import incident from './incident.ts';

export const cards: readonly CardKind[] = [incident];
