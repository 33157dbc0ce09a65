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
const UNSTABLE_MOST = 2;

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
process.on('SIGINT', () => {}); // The terminal has sent it to vitest too, which ends in order.
// The storms that chance leads are another test each time, and long: they run only when they are named.
const wanted = args.some((arg) => arg.startsWith('--project')) ? args : ['--project=!fault-big', ...args];
const { passed, failed, skipped, failures } = await run(wanted);
for (const { told } of failures) console.log(`\n✗ ${told}`);
const unstable = strict ? await lookAgain(failures) : [];
const stillFailed = failed - unstable.length;
rmSync(folder, { recursive: true, force: true });
if (strict && skipped > 0) console.error(`${skipped} skipped: with CI=true that is a failure.`);
for (const { name } of unstable) console.log(`\n≈ UNSTABLE, failed above and passed alone: ${name}`);
console.log(`\n${passed + unstable.length} passed, ${stillFailed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(stillFailed > 0 || (strict && skipped > 0) ? 1 : 0);

/** Runs vitest with these arguments. */
async function run(list) {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...list], {
    cwd: root,
    stdio: 'inherit',
  });
  const kill = () => child.kill('SIGTERM');
  process.on('SIGTERM', kill);
  const code = await new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));
  process.off('SIGTERM', kill);
  const counted = count(report);
  if (code !== 0 && counted.failed === 0) {
    console.error(`vitest ended with ${code} although no test failed: see the error above.`);
    counted.failed = 1;
  }
  if (counted.passed + counted.failed === 0) {
    console.error('No test ran.');
    counted.failed = 1;
  }
  return counted;
}

/**
 * With CI=true, on a machine that others load too: one or two tests of real processes that failed run once more, alone and with
 * all of their file. Answers those that passed now. They are named at the end, and each is a defect to be mended; more of them
 * are none of chance's.
 */
async function lookAgain(list) {
  const files = [...new Set(list.map(({ file }) => file))];
  const isOfProcesses = (file) => !file.startsWith('test/unit/');
  if (list.length === 0 || list.length > UNSTABLE_MOST || !files.every(isOfProcesses)) return [];
  console.log(`\n${list.length} failed; a second look at ${files.join(', ')}, alone\n`);
  const again = await run([...files, '--maxWorkers=1']);
  return again.failed === 0 && again.skipped === 0 ? list : [];
}

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
    failures: json.testResults.flatMap((suite) => {
      const file = relative(root, suite.name);
      return [
        ...(broken.includes(suite) ? [{ file, name: file, told: `${file}: ${words(suite.message)}` }] : []),
        ...suite.assertionResults
          .filter((test) => test.status === 'failed')
          .map((test) => {
            const name = `${file} > ${test.fullName}`;
            return { file, name, told: `${name}: ${words(test.failureMessages.join('\n'))}` };
          }),
      ];
    }),
    passed: json.numPassedTests,
    failed: json.numFailedTests + broken.length,
    skipped: json.numPendingTests + json.numTodoTests,
  };
}
