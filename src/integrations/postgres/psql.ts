import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { Executor } from '../exec/executor.ts';

export const messages = defineMessages({
  en: `
    err-psql-connect = PostgreSQL at { $where } does not answer: { $detail }
    err-psql-failed = PostgreSQL at { $where } refused a query: { $detail }
    err-psql-output = psql at { $where } answered something that cannot be read: { $detail }
  `,
  ru: `
    err-psql-connect = PostgreSQL ({ $where }) не отвечает: { $detail }
    err-psql-failed = PostgreSQL ({ $where }) отклонил запрос: { $detail }
    err-psql-output = Не удалось разобрать ответ psql ({ $where }): { $detail }
  `,
});

export interface PsqlSettings {
  /** Folder of psql. */
  readonly binDir: string;
  readonly socketDir: string;
  readonly port: number;
  readonly database: string;
  /** Role to log in as; the name of the system user when absent. */
  readonly user?: string;
}

/** Values for `:'name'` (a literal) and `:"name"` (an identifier) in the SQL; psql quotes them. */
export type PsqlParams = Readonly<Record<string, string | number>>;

export interface PsqlOptions {
  readonly params?: PsqlParams;
  readonly signal?: AbortSignal;
  /** Of the statement, on the server too; 30 s when absent. */
  readonly timeoutMs?: number;
}

/**
 * Queries over the Unix socket, by psql on the machine of the cluster. SQL is fixed text; what varies comes as parameters.
 * Errors: `psql-connect` (transient), `psql-failed`, `psql-output`, and those of the executor.
 */
export interface Psql {
  /** The rows of one statement (`select …`, `insert … returning …`) without its semicolon, each read by the schema. */
  rows<T>(sql: string, row: z.ZodType<T>, options?: PsqlOptions): Promise<readonly T[]>;
  /** Statements whose rows do not matter. */
  run(sql: string, options?: PsqlOptions): Promise<void>;
}

const NAME = /^[a-z_][a-z0-9_]*$/;

/** Source: postgresql.org/docs/15/app-psql.html */
export function createPsql(settings: PsqlSettings, executor: Executor): Psql {
  const { binDir, socketDir, port, database, user } = settings;
  const where = `${socketDir}:${port}`;

  const call = async (sql: string, options: PsqlOptions): Promise<string> => {
    const { params = {}, signal, timeoutMs = seconds(30) } = options;
    const conninfo = [
      `dbname=${quoted(database)}`,
      `host=${quoted(socketDir)}`,
      `port=${port}`,
      ...(user === undefined ? [] : [`user=${quoted(user)}`]),
      'connect_timeout=10',
      'application_name=vakhta',
      // A server that is starting up opens late; a lock that somebody holds is not waited for.
      `options=${quoted(`-c statement_timeout=${timeoutMs} -c lock_timeout=5000`)}`,
    ].join(' ');
    const variables = Object.entries(params).flatMap(([name, value]) => {
      if (!NAME.test(name))
        throw new VakhtaError('bug', 'psql-failed', `parameter ${name}`, { args: { where, detail: name } });
      return ['-v', `${name}=${value}`];
    });
    const result = await executor.run(
      [`${binDir}/psql`, '-XAtqw', '-v', 'ON_ERROR_STOP=1', ...variables, `--dbname=${conninfo}`, '--file=-'],
      {
        stdin: `${sql}\n`,
        timeoutMs: timeoutMs + seconds(15),
        maxOutputBytes: 16 * 1024 * 1024,
        ...(signal ? { signal } : {}),
      },
    );
    if (result.code === 0) return result.stdout;
    const detail = firstLine(result.stderr) || `exit ${result.code ?? result.signal ?? '?'}`;
    // Exit 2: no connection (also one that was lost); 3: a statement failed. Of the latter, a shutdown in between is passing.
    const gone = result.code === 2 || /the database system is|terminating connection/.test(result.stderr);
    const [kind, code] = gone ? (['transient', 'psql-connect'] as const) : (['permanent', 'psql-failed'] as const);
    throw new VakhtaError(kind, code, `psql ${where}: ${detail}`, { args: { where, detail } });
  };

  return {
    rows: async (sql, row, options = {}) => {
      const text = await call(`with q as (\n${sql}\n) select coalesce(json_agg(q), '[]') from q;`, options);
      const unreadable = (detail: string, cause: unknown): VakhtaError =>
        new VakhtaError('permanent', 'psql-output', `psql ${where}: ${detail}`, { args: { where, detail }, cause });
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch (cause) {
        throw unreadable(firstLine(text) || '—', cause);
      }
      const parsed = z.array(row).safeParse(json);
      if (parsed.success) return parsed.data;
      throw unreadable(z.prettifyError(parsed.error).split('\n').slice(0, 2).join(' '), parsed.error);
    },
    run: async (sql, options = {}) => {
      await call(sql, options);
    },
  };
}

/** A value of a connection string. */
const quoted = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** What went wrong, without psql's own words around it; at most 300 characters. */
function firstLine(text: string): string {
  const line = text.split('\n').find((each) => each.trim() !== '') ?? '';
  return line
    .replace(/^psql:(?:<stdin>|\S+?)(?::\d+)?: (?:error: )?/, '')
    .replace(/[\p{C}]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
