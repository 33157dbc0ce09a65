import { readdir, readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Where a secret was found: never the value itself, for this goes into the test's report. */
export interface Find {
  readonly secret: string;
  readonly where: string;
  readonly as: string;
}

/** The forms in which a value may have been written down. */
function forms(value: string): readonly (readonly [as: string, text: string])[] {
  const base64 = Buffer.from(value).toString('base64');
  // Within a longer text that was encoded, the value begins at any of three offsets: only what lies between is its own.
  const inside = [1, 2].map((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before, 'x'), Buffer.from(value)]).toString('base64');
    return shifted.slice(4, -4);
  });
  return [
    ['plain', value],
    ['JSON', JSON.stringify(value).slice(1, -1)],
    ['URL-encoded', encodeURIComponent(value)],
    ['base64', base64.replace(/=+$/u, '').slice(0, -1)],
    ['base64url', Buffer.from(value).toString('base64url').slice(0, -1)],
    ...inside.map((text) => ['base64, within something', text] as const),
    ['hex', Buffer.from(value).toString('hex')],
  ];
}

/** Every place where one of the secrets stands in a text. */
export function finds(
  secrets: Readonly<Record<string, string>>,
  texts: Iterable<readonly [where: string, text: string]>,
): Find[] {
  const wanted = Object.entries(secrets).flatMap(([secret, value]) =>
    // Of a key in many lines each long line counts by itself.
    value
      .split('\n')
      .filter((line) => line.length >= 8 && !line.startsWith('-----'))
      .flatMap((line) => forms(line).map(([as, text]) => ({ secret, as, text }))),
  );
  const found = new Map<string, Find>();
  for (const [where, text] of texts) {
    for (const { secret, as, text: needle } of wanted) {
      if (text.includes(needle)) found.set(`${secret} ${where} ${as}`, { secret, where, as });
    }
  }
  return [...found.values()];
}

/** Every row of every table, as text; byte columns too. */
export async function databaseDump(url: string): Promise<[string, string][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ schema: string; name: string }>(
      `select schemaname as schema, tablename as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2`,
    );
    const texts: [string, string][] = [];
    for (const { schema, name } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `select t::text as row from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)} t`,
      );
      texts.push([`table ${schema}.${name}`, rows.map(({ row }) => row).join('\n')]);
    }
    return texts;
  } finally {
    await client.end();
  }
}

/** Every key of a Redis with what it holds. */
export async function redisDump(url: string): Promise<[string, string][]> {
  const redis = new Redis(url);
  try {
    const texts: [string, string][] = [];
    for (const key of await redis.keys('*')) {
      texts.push([`redis ${key}`, `${key}\n${JSON.stringify(await contentOf(redis, key, await redis.type(key)))}`]);
    }
    return texts;
  } finally {
    redis.disconnect();
  }
}

function contentOf(redis: Redis, key: string, type: string): Promise<unknown> {
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      // Locks of the queue expire while the keys are read.
      return Promise.resolve(undefined);
    default:
      throw new Error(`what is a ${type}?`);
  }
}

/** The command lines of these processes and of all their descendants, now (Linux). */
export async function commandLines(roots: readonly number[]): Promise<[string, string][]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/u.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
    const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const ours = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (roots.includes(at)) return true;
    return false;
  };
  const texts: [string, string][] = [];
  for (const pid of parents.keys()) {
    if (!ours(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    texts.push(['command line', line.replaceAll('\0', ' ')]);
  }
  return texts;
}
