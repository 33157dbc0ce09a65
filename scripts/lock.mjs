// Completes package-lock.json: `node scripts/lock.mjs`, after every `npm install`. npm leaves out the optional packages of other
// platforms when the registry in use does not serve them, and then refuses its own lock file in `npm ci`. Their versions stand in
// the package that wants them, and their platform in their names; so the lock file is written in full, for every platform.
// `--check` writes nothing, and fails when something is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;

/** Where node would find `name` from the package at `from`, if the lock file has it. */
function found(name, from) {
  for (let at = from; ; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules/'), 0))) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === '') return false;
  }
}

/** os, cpu and libc as a platform package's name gives them: `binding-linux-arm64-musl`. */
function platform(name) {
  const words = name.split('/').at(-1).split('-');
  const os = words.find((word) => /^(android|darwin|freebsd|linux|openharmony|win32|windows)$/.test(word));
  const cpu = words.find((word) => /^(arm64|arm|ia32|ppc64|riscv64|s390x|x64)$/.test(word));
  if (os === undefined || cpu === undefined) throw new Error(`cannot tell the platform of ${name}: add it by hand`);
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined;
  return { cpu: [cpu], ...(libc ? { libc } : {}), os: [os === 'windows' ? 'win32' : os] };
}

const added = [];
for (const [at, entry] of Object.entries(packages)) {
  for (const [name, wanted] of Object.entries(entry.optionalDependencies ?? {})) {
    if (at === '' || found(name, at)) continue;
    const { cpu, libc, os } = platform(name);
    const version = wanted.replace(/^[\^~]/, '');
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      optional: true,
      os,
    };
    added.push(`${name}@${version}`);
  }
}
if (added.length === 0) {
  console.log('package-lock.json is complete.');
} else if (process.argv.includes('--check')) {
  console.error(`package-lock.json lacks ${added.join(', ')}: run \`node scripts/lock.mjs\`.`);
  process.exit(1);
} else {
  lock.packages = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`Added to package-lock.json: ${added.join(', ')}`);
}
