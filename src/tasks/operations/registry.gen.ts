// Made by `npm run generate` from the files of the folder. Do not edit.
import type { Operation } from '../define.ts';
import backupPg from './backup-pg.ts';

export const operations: readonly Operation[] = [backupPg];
