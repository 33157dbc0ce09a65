// `npm test`: works as the first command in a fresh clone. Installs the dependencies and, on Debian as root, the programs that
// the tests drive; then runs vitest with the arguments given here. Its last line reads `N passed, N failed`.
// With CI=true a missing program or a skipped test is a failure.
import './ensure.mjs';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { ensureComponents } from './components.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const strict = process.env.CI === 'true';
const args = process.argv.slice(2);
const LINES_OF_A_FAILURE = 40;

if (needsComponents(args)) {
  const missing = ensureComponents();
  if (missing.length > 0) {
    console.error(
      `Not installed: ${missing.join(', ')}.\n` +
        (strict
          ? 'With CI=true every test must run. Run as root on Debian, or install them first.'
          : `The tests that need them are skipped. To run them all: sudo apt-get install ${missing.join(' ')}`),
    );
    if (strict) process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'vakhta-test-'));
const report = join(folder, 'report.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
// The storms that chance leads are another test each time, and long: they run only when they are named.
const wanted = args.some((arg) => arg.startsWith('--project')) ? args : ['--project=!fault-big', ...args];
const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...wanted], {
  cwd: root,
  stdio: 'inherit',
});
process.on('SIGINT', () => {}); // The terminal has sent it to vitest too, which ends in order.
process.on('SIGTERM', () => child.kill('SIGTERM'));
const code = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));

const { passed, failed, skipped, failures: told } = count(report);
rmSync(folder, { recursive: true, force: true });
let failures = failed;
if (code !== 0 && failed === 0) {
  console.error(`vitest ended with ${code} although no test failed: see the error above.`);
  failures = 1;
}
if (strict && skipped > 0) {
  console.error(`${skipped} skipped: with CI=true that is a failure.`);
}
if (passed + failures === 0) {
  console.error('No test ran.');
  failures = 1;
}
for (const failure of told) console.log(`\n✗ ${failure}`);
console.log(`\n${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failures > 0 || (strict && skipped > 0) ? 1 : 0);

/** Unit and chat tests need nothing but Node. */
function needsComponents(list) {
  const projects = list.flatMap((arg, i) => {
    if (arg === '--project') return [list[i + 1] ?? ''];
    return arg.startsWith('--project=') ? [arg.slice('--project='.length)] : [];
  });
  return projects.length === 0 || projects.some((project) => project !== 'unit' && project !== 'chat');
}

/** A file that could not even be loaded has no tests in the report: it counts as one failure. */
function count(file) {
  let json;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [] };
  }
  const broken = json.testResults.filter(
    (suite) => suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed'),
  );
  const words = (text) =>
    stripVTControlCharacters(text)
      .split('\n')
      .filter((line) => !line.includes('node_modules'))
      .slice(0, LINES_OF_A_FAILURE)
      .join('\n  ');
  return {
    // Again at the end, where people look.
    failures: json.testResults.flatMap((suite) => [
      ...(broken.includes(suite) ? [`${relative(root, suite.name)}: ${words(suite.message)}`] : []),
      ...suite.assertionResults
        .filter((test) => test.status === 'failed')
        .map((test) => `${relative(root, suite.name)} > ${test.fullName}: ${words(test.failureMessages.join('\n'))}`),
    ]),
    passed: json.numPassedTests,
    failed: json.numFailedTests + broken.length,
    skipped: json.numPendingTests + json.numTodoTests,
  };
}
