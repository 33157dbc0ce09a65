import { inRepo } from './backup.ts';
import { Failure } from './failure.ts';
import { type Repository, reposOf, walName } from './repository.ts';

/** One line of JSON with the system id as the bare 64-bit number that it is in the real answer. */
export function info(repository: Repository, wanted: string, options: ReadonlyMap<string, string>): string {
  if (options.get('output') !== 'json')
    throw new Failure(32, `'${options.get('output') ?? 'text'}' is not simulated for 'output' option`);
  const settings = repository.settings();
  const names = wanted === '' ? settings.stanzas : [wanted];
  const asked = options.get('repo');
  const repos = asked === undefined ? reposOf(settings).toSorted((a, b) => a - b) : [Number(asked)];
  const set = options.get('set');
  const stanzas = names.map((name) => {
    const state = repository.load(name);
    const listed = (state?.backups ?? [])
      .filter((each) => repos.includes(each.database['repo-key']) && (set === undefined || each.label === set))
      .map((each) =>
        set !== undefined && each.error ? { ...each, 'error-list': state?.errorLists[each.label] ?? [] } : each,
      );
    const statuses = repos.map((repo) => {
      if (state === undefined) return { code: 1, message: 'missing stanza path' };
      if (inRepo(state, repo).some(({ label }) => set === undefined || label === set))
        return { code: 0, message: 'ok' };
      return set === undefined
        ? { code: 2, message: 'no valid backups' }
        : { code: 6, message: 'requested backup not found' };
    });
    const [first = { code: 1, message: 'missing stanza path' }] = statuses;
    const together = statuses.every(({ code }) => code === first.code)
      ? first
      : { code: 4, message: 'different across repos' };
    const ofEach = <T>(make: (repo: number) => T): T[] => (state ? repos.map(make) : []);
    return {
      archive: ofEach((repo) => ({
        database: { id: 1, 'repo-key': repo },
        id: '15-1',
        max: walName(state?.wal ?? 1),
        min: walName(state?.archivedFrom?.[repo] ?? 1),
      })),
      backup: listed,
      cipher: 'none',
      db: ofEach((repo) => ({ id: 1, 'repo-key': repo, 'system-id': state?.systemId, version: '15' })),
      name,
      repo: repos.map((key, n) => ({ cipher: 'none', key, status: statuses[n] })),
      status: {
        code: together.code,
        lock: { backup: { held: repository.locked(name) } },
        message: together.message,
      },
    };
  });
  return JSON.stringify(stanzas).replace(/"system-id":"(\d+)"/g, '"system-id":$1');
}
