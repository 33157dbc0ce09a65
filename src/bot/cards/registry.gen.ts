// Made by `npm run generate` from the files of the folder. Do not edit.
import type { CardKind } from './define.ts';
import alerts from './alerts.ts';
import certificate from './certificate.ts';
import dr from './dr.ts';
import drill from './drill.ts';
import incident from './incident.ts';
import page from './page.ts';
import quiet from './quiet.ts';
import run from './run.ts';
import silence from './silence.ts';
import storm from './storm.ts';
import watch from './watch.ts';
import why from './why.ts';

export const cards: readonly CardKind[] = [
  alerts,
  certificate,
  dr,
  drill,
  incident,
  page,
  quiet,
  run,
  silence,
  storm,
  watch,
  why,
];
