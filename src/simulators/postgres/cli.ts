#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import type { World } from './cluster.ts';
import { controlData } from './control.ts';
import { initdb } from './initdb.ts';
import { pgCtl } from './pg-ctl.ts';
import { psql } from './psql.ts';

/** The programs of the simulated PostgreSQL: the first word says which. See `preparePostgres` for how they are called. */
const world: World = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  now: () => new Date(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  stdin: () => readFileSync(0, 'utf8'),
};
const [program, ...argv] = process.argv.slice(2);
const programs: Readonly<Record<string, (argv: readonly string[], world: World) => number | Promise<number>>> = {
  psql,
  pg_ctl: pgCtl,
  pg_controldata: controlData,
  initdb,
};
const run = programs[program ?? ''];
if (run === undefined) throw new Error(`no such program: ${program}`);
process.exitCode = await run(argv, world);
