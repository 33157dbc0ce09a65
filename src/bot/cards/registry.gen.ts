// Made by `npm run generate` from the files of the folder. Do not edit.
import type { CardKind } from './define.ts';
import certificate from './certificate.ts';
import drill from './drill.ts';
import incident from './incident.ts';
import run from './run.ts';
import silence from './silence.ts';
import storm from './storm.ts';

export const cards: readonly CardKind[] = [certificate, drill, incident, run, silence, storm];
