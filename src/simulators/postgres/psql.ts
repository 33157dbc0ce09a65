import { type Change, type Committed, walName } from '../pgbackrest/repository.ts';
import type { SimulatedCluster } from '../pgbackrest/restore.ts';
import {
  type Archive,
  archiveOf,
  readCluster,
  type Server,
  serverAt,
  socketFile,
  switchWal,
  type World,
} from './cluster.ts';

/** What is in the simulated database beside what is planted. */
const TABLES: ReadonlyMap<string, number> = new Map([
  ['public.orders', 402_113],
  ['public.customers', 18_240],
  ['public.products', 1274],
]);
const RELATIONS = 463;
const SEGMENT = 16_777_216;

type Row = Readonly<Record<string, unknown>>;

/** What a statement may look at. */
interface Session {
  readonly cluster: SimulatedCluster;
  readonly server: Server;
  readonly params: ReadonlyMap<string, string>;
  readonly world: World;
  readonly now: Date;
}

/** Statements by a piece of their text, the first that fits; what is not here is refused, as by a server that lacks it. */
const STATEMENTS: readonly (readonly [string, (session: Session) => Row[] | Promise<Row[]>])[] = [
  ['from pg_stat_archiver a', (session) => [archiver(session)]],
  // Until then it takes no clients. Recovery that is held at its moment is not simulated.
  [`else 'open' end as state`, () => [{ state: 'open' }]],
  [`current_setting('archive_mode') as mode`, ({ server }) => [{ mode: server.archiveMode }]],
  [
    'create table if not exists vakhta.canary',
    (session) => write(session, { what: 'clear', run: text(session, 'run') }),
  ],
  [
    'insert into vakhta.canary',
    (session) => write(session, { what: 'plant', id: text(session, 'id'), run: text(session, 'run') }),
  ],
  [
    'select planted_at as at from vakhta.canary',
    (session) => rowsOf(session).flatMap(({ id, at }) => (id === text(session, 'id') ? [{ at: iso(at) }] : [])),
  ],
  [
    'select id from vakhta.canary where run',
    (session) => rowsOf(session).flatMap(({ id, run }) => (run === text(session, 'run') ? [{ id }] : [])),
  ],
  [`clock_timestamp()) + interval '5 milliseconds'`, ({ now }) => [{ at: iso(now.getTime() + 5) }]],
  ['pg_sleep(0.05)', ({ world }) => world.sleep(50).then(() => [])],
  ['txid_current()', (session) => write(session, { what: 'mark' })],
  [
    'pg_switch_wal()',
    (session) => {
      if (session.cluster.replayed !== undefined) return [{ wal: walName(1) }];
      return [{ wal: walName(switchWal(session.cluster, session.now).wal) }];
    },
  ],
  ['from pg_database where datallowconn', (session) => [content(session)]],
  [
    'from pg_class c join pg_namespace',
    () =>
      [...TABLES.keys()].map((qualified) => {
        const [schema, name] = qualified.split('.');
        return { schema, name };
      }),
  ],
  [
    'select count(*) as n from :"schema".:"name"',
    (session) => {
      const name = `${text(session, 'schema')}.${text(session, 'name')}`;
      const n = TABLES.get(name);
      if (n === undefined) throw new Error(`relation "${name}" does not exist`);
      return [{ n }];
    },
  ],
];

/** `psql` as it is called: one statement from the standard input, rows as JSON. The exit code: 2 no connection, 3 refused. */
export async function psql(argv: readonly string[], world: World): Promise<number> {
  const conninfo = valueOf(argv, '--dbname=') ?? '';
  const socketDir = /\bhost='([^']*)'/.exec(conninfo)?.[1] ?? '/var/run/postgresql';
  const port = Number(/\bport=(\d+)/.exec(conninfo)?.[1] ?? 5432);
  const now = world.now();
  const server = serverAt(socketDir, port, now);
  const where = `connection to server on socket "${socketFile(socketDir, port)}" failed:`;
  if (server === undefined) {
    world.err(
      `psql: error: ${where} No such file or directory\n\tIs the server running locally and accepting connections on that socket?\n`,
    );
    return 2;
  }
  if (now.getTime() < server.openAt) {
    world.err(
      `psql: error: ${where} FATAL:  the database system is not accepting connections\nDETAIL:  Hot standby mode is disabled.\n`,
    );
    return 2;
  }
  const sql = world.stdin();
  const work = STATEMENTS.find(([piece]) => sql.includes(piece))?.[1];
  try {
    if (work === undefined) throw new Error('this statement is not simulated');
    const cluster = readCluster(server.dataDir);
    const rows = await work({ cluster, server, params: paramsOf(argv), world, now });
    if (sql.includes('json_agg(q)')) world.out(`${JSON.stringify(rows)}\n`);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    world.err(`psql:<stdin>:1: ERROR:  ${thrown.message}\n`);
    return 3;
  }
}

const valueOf = (argv: readonly string[], prefix: string): string | undefined =>
  argv.find((word) => word.startsWith(prefix))?.slice(prefix.length);

function paramsOf(argv: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    argv.flatMap((word, n) => {
      const [name = '', ...value] = word.split('=');
      return argv[n - 1] === '-v' ? [[name, value.join('=')] as const] : [];
    }),
  );
}

const iso = (at: number): string => new Date(at).toISOString().replace('Z', '+00:00');

function text({ params }: Session, name: string): string {
  const value = params.get(name);
  if (value === undefined) throw new Error(`syntax error at or near ":"`);
  return value;
}

type Written =
  | { readonly what: 'mark' }
  | { readonly what: 'clear'; readonly run: string }
  | { readonly what: 'plant'; readonly id: string; readonly run: string };

function write({ cluster, now }: Session, written: Written): Row[] {
  // Nobody writes into a copy.
  if (cluster.replayed !== undefined) throw new Error('this statement is not simulated');
  const { repository, committed } = archiveOf(cluster, now);
  const change: Change = { at: now.getTime(), ...written };
  repository.commit(cluster.stanza, { ...committed, changes: [...committed.changes, change] });
  return [];
}

/** Rows of the table of canaries: in production all, in a copy those until the moment. */
function rowsOf({ cluster, now }: Session): { id: string; run: string; at: number }[] {
  const rows = new Map<string, { id: string; run: string; at: number }>();
  for (const change of visible(archiveOf(cluster, now).committed, cluster)) {
    if (change.what === 'plant') rows.set(change.id, change);
    if (change.what !== 'clear') continue;
    for (const [id, { run }] of rows) if (run === change.run) rows.delete(id);
  }
  return [...rows.values()];
}

const visible = ({ changes }: Committed, { replayed = Infinity }: SimulatedCluster): readonly Change[] =>
  changes.filter(({ at }) => at <= replayed);

function content(session: Session): Row {
  const { cluster, now } = session;
  const hasCanaries = visible(archiveOf(cluster, now).committed, cluster).some(({ what }) => what === 'clear');
  const rows = [...TABLES.values()].reduce((sum, n) => sum + n, 0);
  return {
    version: '15.8',
    databases: 2,
    tables: TABLES.size + (hasCanaries ? 1 : 0),
    relations: RELATIONS + (hasCanaries ? 4 : 0),
    rows,
    last: cluster.replayed === undefined ? null : iso(cluster.replayed),
  };
}

function archiver({ cluster, server, now }: Session): Row {
  const isCopy = cluster.replayed !== undefined;
  const { wal, committed }: Archive = archiveOf(cluster, now);
  return {
    now: iso(now.getTime()),
    mode: server.archiveMode,
    command: server.archiveMode === 'off' ? '(disabled)' : `pgbackrest --stanza=${cluster.stanza} archive-push %p`,
    library: '',
    last_archived_wal: isCopy ? null : walName(wal),
    last_archived_time: isCopy ? null : iso(committed.archivedAt),
    last_failed_wal: null,
    last_failed_time: null,
    failed_count: 0,
    stats_reset: iso(server.startedAt),
    current_wal: walName(wal + 1),
    current_bytes: (wal + 1) * SEGMENT + 1_310_720,
    segment_bytes: SEGMENT,
    timeline: cluster.timeline,
    in_recovery: false,
    version: '15.8',
  };
}
