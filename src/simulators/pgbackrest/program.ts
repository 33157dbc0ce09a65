import { type BackupType, expire, newStanza, priorOf, record, SHARE } from './backup.ts';
import { type Console, createConsole } from './console.ts';
import { openRepository, type Repository, walName } from './repository.ts';

export interface World {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly now: () => Date;
  /** Waits, or rejects with the signal's reason. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly terminated: AbortSignal;
}

class Failure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

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
]);

/**
 * pgBackRest 2.45 as a caller sees it, for `version`, `info --output=json`, `stanza-create`, `backup`, `expire`, `stop` and
 * `start`: same options, same lines, same exit codes; the repository is a folder of small files. Returns the exit code.
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
    console = createConsole(options, world.out, world.err, world.now);
    const repository = openRepository(options.get('repo1-path') ?? '/var/lib/pgbackrest');
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
    if (!repository.settings().stanzas.includes(stanza)) {
      throw new Failure(37, `${command} command requires option: pg1-path\nHINT: does this stanza exist?`);
    }
    console.log('INFO', `${command} command begin 2.45: ${argv.filter((word) => word !== command).join(' ')}`);
    if (command === 'stanza-create') {
      console.log('INFO', `stanza-create for stanza '${stanza}' on repo1`);
      if (repository.load(stanza) === undefined) repository.save(stanza, newStanza(stanza));
    } else if (command === 'backup') {
      await backup(repository, stanza, options, annotation, console, world, begun);
    } else if (command === 'expire') {
      runExpire(repository, stanza, console);
    } else if (command === 'stop') {
      repository.stop(stanza);
    } else if (command === 'start') {
      repository.start(stanza);
    } else throw new Failure(30, `invalid command '${command}'`);
    const ms = world.now().getTime() - begun;
    if (command !== 'backup') console.log('INFO', `${command} command end: completed successfully (${ms}ms)`);
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

/** One line of JSON with the system id as the bare 64-bit number that it is in the real answer. */
function info(repository: Repository, wanted: string, options: ReadonlyMap<string, string>): string {
  if (options.get('output') !== 'json')
    throw new Failure(32, `'${options.get('output') ?? 'text'}' is not simulated for 'output' option`);
  const names = wanted === '' ? repository.settings().stanzas : [wanted];
  const stanzas = names.map((name) => {
    const state = repository.load(name);
    const set = options.get('set');
    const backups = (state?.backups ?? [])
      .filter((each) => set === undefined || each.label === set)
      .map((each) =>
        set !== undefined && each.error ? { ...each, 'error-list': state?.errorLists[each.label] ?? [] } : each,
      );
    const [code, message] =
      state === undefined
        ? [1, 'missing stanza path']
        : backups.length > 0
          ? [0, 'ok']
          : set === undefined
            ? [2, 'no valid backups']
            : [6, 'requested backup not found'];
    return {
      archive: state
        ? [{ database: { id: 1, 'repo-key': 1 }, id: '15-1', max: walName(state.wal), min: walName(1) }]
        : [],
      backup: backups,
      cipher: 'none',
      db: state ? [{ id: 1, 'repo-key': 1, 'system-id': state.systemId, version: '15' }] : [],
      name,
      repo: [{ cipher: 'none', key: 1, status: { code, message } }],
      status: { code, lock: { backup: { held: repository.locked(name) } }, message },
    };
  });
  return JSON.stringify(stanzas).replace(/"system-id":"(\d+)"/g, '"system-id":$1');
}

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
  if (!repository.lock(stanza)) {
    const path = repository.lockPath(stanza);
    throw new Failure(
      50,
      `unable to acquire lock on file '${path}': Resource temporarily unavailable\nHINT: is another pgBackRest process running?`,
    );
  }
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
    const prior = priorOf(state, asked);
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
    const made = record(state, settings, { type, start, stop: world.now(), annotation, badFiles });
    console.log('INFO', `backup stop archive = ${made.archive.stop}, lsn = ${made.lsn.stop}`);
    console.log('INFO', `check archive for segment(s) ${made.archive.start}:${made.archive.stop}`);
    console.log('INFO', `new backup label = ${made.label}`);
    console.log('INFO', `${type} backup size = ${human(made.info.delta)}, file total = ${FILES}`);
    console.log('INFO', `backup command end: completed successfully (${world.now().getTime() - begun}ms)`);
    repository.save(stanza, state);
    console.log('INFO', 'expire command begin 2.45: --stanza=' + stanza);
    runExpire(repository, stanza, console);
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

function runExpire(repository: Repository, stanza: string, console: Console): void {
  const state = repository.load(stanza);
  if (state === undefined) return;
  for (const gone of expire(state, repository.settings().retentionFull)) {
    console.log('INFO', `repo1: remove expired backup ${gone}`);
  }
  repository.save(stanza, state);
}

/** `1.4GB`, `128MB`, `8KB`, `88B`: one decimal unless it is zero, as pgBackRest rounds. */
export function human(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = Math.round(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))}${units[unit]}`;
}
