// `npm run build`: dist/ from src/ by plain tsc, and beside it the files that the program reads at run time. Tests build into a
// folder of their own (the first argument, a folder of the repository) and leave the checking of types to `npm run check`.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [folder = 'dist'] = process.argv.slice(2);
const dist = join(root, folder);
const isForTests = folder !== 'dist';
rmSync(dist, { recursive: true, force: true });

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const { status } = spawnSync(
  process.execPath,
  [tsc, '-p', 'tsconfig.build.json', '--outDir', dist, ...(isForTests ? ['--noCheck', '--sourceMap', 'false'] : [])],
  { cwd: root, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);

const ASSETS = new Set(['.sql', '.html', '.css', '.js', '.json', '.svg', '.png', '.ttf', '.woff2', '.ftl']);
const src = join(root, 'src');
let copied = 0;
for (const file of readdirSync(src, { recursive: true, withFileTypes: true })) {
  if (!file.isFile() || !ASSETS.has(extname(file.name))) continue;
  const from = join(file.parentPath, file.name);
  cpSync(from, join(dist, from.slice(src.length)));
  copied += 1;
}
const main = join(dist, 'main.js');
if (!existsSync(main)) {
  console.error(`The build has no ${folder}/main.js.`);
  process.exit(1);
}
chmodSync(main, 0o755);
if (!isForTests) console.log(`Built dist/ with ${copied} other files.`);
