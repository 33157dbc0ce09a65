import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './place.ts';

/** Builds `dist/` as an installation has it; answers how Node.js starts it. */
export function build(): readonly string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.mjs')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the program cannot be built:\n${stdout}${stderr}`);
  return [join(ROOT, 'dist/main.js')];
}
