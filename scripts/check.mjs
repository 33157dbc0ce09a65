// `npm run check`: everything that must hold before a change is handed in, cheapest first; stops at the first failure and
// says how to mend it. `--static` leaves the tests out.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const steps = [
  {
    name: 'Generated files',
    command: ['tsx', 'scripts/generate.ts', '--check'],
    hint: 'run `npm run generate` and commit what it wrote',
  },
  { name: 'Types', command: ['tsc', '--noEmit'], hint: 'mend the types; `any` and `!` are not the way' },
  { name: 'Lint', command: ['oxlint', '--type-aware', '--deny-warnings'], hint: 'try `npm run lint -- --fix`' },
  { name: 'Format', command: ['biome', 'format', '.'], hint: 'run `npm run format`' },
  { name: 'Dead code', command: ['knip'], hint: 'remove what nobody uses, or name its entry in knip.json' },
  {
    name: 'Tests',
    command: ['node', 'scripts/test.mjs'],
    hint: 'run one file alone: `npx vitest run path/to/the.test.ts`',
    slow: true,
  },
];

const chosen = process.argv.includes('--static') ? steps.filter((step) => !step.slow) : steps;
const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}` };
for (const [index, { name, command, hint }] of chosen.entries()) {
  const started = Date.now();
  console.log(`\n── ${index + 1}/${chosen.length} ${name}: ${command.join(' ')}`);
  const [program, ...args] = command;
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(`\n✗ ${name} failed${error ? ` (${error.message})` : ''}: ${hint}.`);
    process.exit(1);
  }
  console.log(`✓ ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}
console.log('\nAll checks passed.');
