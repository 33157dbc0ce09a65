import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BackupType, expire, newStanza, priorOf, record, SHARE } from './backup.ts';
import { type Console, createConsole } from './console.ts';
import { Failure, type World } from './failure.ts';
import { human } from './human.ts';
import { info } from './info.ts';
import { openRepository, type Repository, reposOf, walName } from './repository.ts';
import { restore } from './restore.ts';
import { MANIFEST, sumOf, verify } from './verify.ts';

const KNOWN = new Set([
  'stanza',
  'config',
  'repo',
  'repo1-path',
  'type',
  'annotation',
  'set',
  'output',
  'log-level-console',
  'log-level-stderr',
  'log-level-file',
  'start-fast',
  'process-max',
  'no-config',
  'no-online',
  'lock-path',
  'pg1-path',
  'repo1-retention-full',
  'compress-type',
  'dry-run',
  'verbose',
  'archive-mode',
  'tablespace-map-all',
  'delta',
  'target',
  'target-action',
]);

/** Options that only these commands take. */
const VALID: Readonly<Record<string, readonly string[]>> = {
  'dry-run': ['expire'],
  verbose: ['verify'],
  delta: ['backup', 'restore'],
  set: ['info', 'restore', 'expire'],
  target: ['restore'],
  'target-action': ['restore'],
  'archive-mode': ['restore'],
  'tablespace-map-all': ['restore'],
  annotation: ['backup'],
};

/**
 * pgBackRest 2.45 as a caller sees it, for `version`, `info --output=json`, `stanza-create`, `backup`, `expire`, `verify`,
 * `restore`, `stop` and `start`: same options, same lines, same exit codes; the repository is a folder of small files. What is
 * restored, the simulated PostgreSQL starts. Returns the exit code.
 */
export async function main(argv: readonly string[], world: World): Promise<number> {
  let console = createConsole(new Map(), world.out, world.err, world.now);
  let command = '';
  const begun = world.now().getTime();
  try {
    const options = new Map<string, string>();
    const annotation: Record<string, string> = {};
    for (const word of argv) {
      if (!word.startsWith('--')) {
        command ||= word;
        continue;
      }
      const [name = '', ...value] = word.slice(2).split('=');
      if (!KNOWN.has(name)) throw new Failure(31, `invalid option '${word.split('=')[0]}'`);
      const text = value.join('=');
      if (name === 'annotation') annotation[text.split('=')[0] ?? ''] = text.split('=').slice(1).join('=');
      else options.set(name, text);
    }
    for (const name of options.keys()) {
      if (VALID[name]?.includes(command) === false) {
        throw new Failure(31, `option '${name}' not valid for command '${command}'`);
      }
    }
    console = createConsole(options, world.out, world.err, world.now);
    const folder = options.get('repo1-path') ?? '/var/lib/pgbackrest';
    const repository = openRepository(folder);
    const stanza = options.get('stanza') ?? '';
    if (command === 'version') {
      world.out('pgBackRest 2.45\n');
      return 0;
    }
    if (command === 'info') {
      world.out(info(repository, stanza, options));
      return 0;
    }
    if (stanza === '') throw new Failure(37, `${command} command requires option: stanza`);
    // A throw-away stanza stands in no configuration, and brings its folder along.
    const isKnown = repository.settings().stanzas.includes(stanza) || repository.load(stanza) !== undefined;
    if (!isKnown && !options.has('pg1-path')) {
      throw new Failure(37, `${command} command requires option: pg1-path\nHINT: does this stanza exist?`);
    }
    const words = argv.filter((word) => word !== command).join(' ');
    const dry = options.has('dry-run') ? '[DRY-RUN] ' : '';
    console.log('INFO', `${dry}${command} command begin 2.45: ${words}`);
    if (command === 'stanza-create') {
      console.log('INFO', `stanza-create for stanza '${stanza}' on repo1`);
      if (repository.load(stanza) === undefined) repository.save(stanza, newStanza(stanza));
    } else if (command === 'backup') {
      await backup(repository, stanza, options, annotation, console, world, begun);
    } else if (command === 'expire') {
      if (repository.stopped(stanza)) throw new Failure(62, `stop file exists for stanza ${stanza}`);
      if (!repository.lock(stanza)) throw lockHeld(repository, stanza);
      try {
        runExpire(repository, stanza, options, console);
      } finally {
        repository.unlock(stanza);
      }
    } else if (command === 'verify') {
      await world.sleep(options.has('no-config') ? 0 : repository.settings().durationMs * 0.15);
      world.out(verify(repository, stanza, options));
    } else if (command === 'restore') {
      await restore(repository, folder, stanza, options, console, world);
    } else if (command === 'stop') {
      repository.stop(stanza);
    } else if (command === 'start') {
      repository.start(stanza);
    } else throw new Failure(30, `invalid command '${command}'`);
    const ms = world.now().getTime() - begun;
    if (command !== 'backup') console.log('INFO', `${dry}${command} command end: completed successfully (${ms}ms)`);
    return 0;
  } catch (thrown) {
    if (world.terminated.aborted) {
      console.log('INFO', `${command} command end: terminated on signal [SIGTERM]`);
      return 63;
    }
    if (!(thrown instanceof Failure)) throw thrown;
    console.log('ERROR', `[${String(thrown.code).padStart(3, '0')}]: ${thrown.message}`);
    if (command === 'backup') {
      console.log('INFO', `${command} command end: aborted with exception [${String(thrown.code).padStart(3, '0')}]`);
    }
    return thrown.code;
  }
}

const lockHeld = (repository: Repository, stanza: string): Failure =>
  new Failure(
    50,
    `unable to acquire lock on file '${repository.lockPath(stanza)}': Resource temporarily unavailable\nHINT: is another pgBackRest process running?`,
  );

async function backup(
  repository: Repository,
  stanza: string,
  options: ReadonlyMap<string, string>,
  annotation: Record<string, string>,
  console: Console,
  world: World,
  begun: number,
): Promise<void> {
  const settings = repository.settings();
  const asked = options.get('type') ?? 'incr';
  if (asked !== 'full' && asked !== 'diff' && asked !== 'incr') {
    throw new Failure(32, `'${asked}' is not allowed for 'type' option`);
  }
  if (repository.stopped(stanza)) throw new Failure(62, `stop file exists for stanza ${stanza}`);
  if (!repository.lock(stanza)) throw lockHeld(repository, stanza);
  try {
    if (settings.databaseDown) {
      console.log('WARN', `unable to check pg1: [DbConnectError] unable to connect to 'dbname='postgres' port=5432'`);
      throw new Failure(
        56,
        'unable to find primary cluster - cannot proceed\nHINT: are all available clusters in recovery?',
      );
    }
    const state = repository.load(stanza);
    if (state === undefined) {
      throw new Failure(
        55,
        `unable to load info file '${stanza}/backup.info'\nHINT: has a stanza-create been performed?`,
      );
    }
    const repo = Number(options.get('repo') ?? reposOf(settings)[0]);
    if (options.has('no-online')) {
      backUpFolder(repository, stanza, repo, options.get('pg1-path') ?? '', world);
      runExpire(repository, stanza, options, console);
      return;
    }
    if (!options.has('repo') && reposOf(settings).length > 1) {
      console.log('INFO', `repo option not specified, defaulting to repo${repo}`);
    }
    const prior = priorOf(state, asked, repo);
    const type: BackupType = prior === undefined ? 'full' : asked;
    if (type !== asked) console.log('WARN', `no prior backup exists, ${asked} backup has been changed to full`);
    else if (prior) console.log('INFO', `last backup label = ${prior.label}, version = 2.45`);
    console.log(
      'INFO',
      'execute non-exclusive backup start: backup begins after the requested immediate checkpoint completes',
    );
    const duration = settings.durationMs * SHARE[type];
    await world.sleep(duration * 0.1);
    // As the real one: a label is never used twice, and it is made of whole seconds.
    while (state.backups.some((each) => each.timestamp.start >= Math.floor(world.now().getTime() / 1000))) {
      await world.sleep(100);
    }
    const start = world.now();
    console.log('INFO', `backup start archive = ${walName(state.wal + 1)}, lsn = 0/${state.wal + 1}000028`);
    console.log('INFO', `check archive for prior segment ${walName(state.wal)}`);
    const badFiles = await copy(type, settings.databaseBytes, duration * 0.8, settings.badPages ?? [], console, world);
    console.log('INFO', 'execute non-exclusive backup stop and wait for all WAL segments to archive');
    await world.sleep(duration * 0.1);
    // Meanwhile the cluster may have archived WAL.
    const after = repository.load(stanza) ?? state;
    const made = record(after, settings, { type, repo, start, stop: world.now(), annotation, badFiles });
    const committed = repository.committed(stanza);
    if (committed) repository.commit(stanza, { ...committed, archivedAt: world.now().getTime() });
    console.log('INFO', `backup stop archive = ${made.archive.stop}, lsn = ${made.lsn.stop}`);
    console.log('INFO', `check archive for segment(s) ${made.archive.start}:${made.archive.stop}`);
    console.log('INFO', `new backup label = ${made.label}`);
    console.log('INFO', `${type} backup size = ${human(made.info.delta)}, file total = ${FILES}`);
    console.log('INFO', `backup command end: completed successfully (${world.now().getTime() - begun}ms)`);
    repository.save(stanza, after);
    console.log('INFO', 'expire command begin 2.45: --stanza=' + stanza);
    runExpire(repository, stanza, options, console);
    console.log('INFO', 'expire command end: completed successfully (2ms)');
  } finally {
    repository.unlock(stanza);
  }
}

const FILES = 80;

/** Copies nothing, and tells it as two processes would; returns the files with damaged pages. */
async function copy(
  type: BackupType,
  databaseBytes: number,
  duration: number,
  badPages: readonly number[],
  console: Console,
  world: World,
): Promise<string[]> {
  const bytes = (databaseBytes * SHARE[type]) / FILES;
  for (let file = 1; file <= FILES; file++) {
    await world.sleep(duration / FILES);
    const path = `/var/lib/postgresql/15/main/base/16384/${16_384 + file}`;
    const percent = ((file * 100) / FILES).toFixed(2);
    const sum = (file * 2_654_435_761).toString(16).padStart(40, '0').slice(-40);
    console.log('DETAIL', `backup file ${path} (${human(bytes)}, ${percent}%) checksum ${sum}`, 1 + (file % 2));
  }
  if (badPages.length === 0) return [];
  const bad = 'base/16384/16385';
  const words = badPages.length === 1 ? ['checksum', 'page'] : ['checksums', 'pages'];
  console.log(
    'WARN',
    `invalid page ${words[0]} found in file /var/lib/postgresql/15/main/${bad} at ${words[1]} ${badPages.join(', ')}`,
  );
  return [bad];
}

function runExpire(
  repository: Repository,
  stanza: string,
  options: ReadonlyMap<string, string>,
  console: Console,
): void {
  const state = repository.load(stanza);
  if (state === undefined) return;
  const settings = repository.settings();
  const asked = options.get('repo');
  // A backup expires in the repository that it went to.
  for (const repo of asked === undefined ? reposOf(settings) : [Number(asked)]) {
    const gone = expire(state, Number(options.get('repo1-retention-full') ?? settings.retentionFull), repo);
    for (const label of gone.labels) console.log('INFO', `repo${repo}: remove expired backup ${label}`);
    if (gone.wal === undefined) continue;
    const [from, to] = gone.wal;
    console.log('INFO', `repo${repo}: 15-1 remove archive, start = ${walName(from)}, stop = ${walName(to)}`);
  }
  if (!options.has('dry-run')) repository.save(stanza, state);
}

/** Copies a real folder, as of a cluster that does not run: so that its damage is real too. */
function backUpFolder(repository: Repository, stanza: string, repo: number, folder: string, world: World): void {
  const state = repository.load(stanza) ?? newStanza(stanza);
  const start = world.now();
  const contents = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .map((path) => [path.slice(folder.length + 1), readFileSync(path)] as const);
  const size = contents.reduce((sum, [, content]) => sum + content.length, 0);
  const made = record(state, repository.settings(), { type: 'full', repo, size, start, stop: world.now() });
  // Nothing of it reaches the archive.
  state.wal = 0;
  const into = repository.filesOf(stanza, made.label);
  for (const [path, content] of contents) {
    mkdirSync(dirname(join(into, 'pg_data', path)), { recursive: true });
    writeFileSync(join(into, 'pg_data', path), content);
  }
  const sums = Object.fromEntries(contents.map(([path, content]) => [path, sumOf(content)]));
  writeFileSync(join(into, MANIFEST), JSON.stringify(sums));
  repository.save(stanza, state);
}
