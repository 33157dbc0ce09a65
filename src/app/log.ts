import { pino } from 'pino';
import type { Log } from '../core/log.ts';
import type { Redactor } from '../core/redact.ts';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly redactor: Redactor;
  /** Where lines go; standard output when absent. */
  readonly write?: (line: string) => unknown;
  readonly base?: Readonly<Record<string, string>>;
}

/**
 * One JSON object a line. The whole line passes the redactor, so that no field, message or stack can carry a secret that
 * the program has learnt, or one that looks like a credential.
 */
export function createLog({
  level,
  redactor,
  write = (line) => process.stdout.write(line),
  base = {},
}: LogOptions): Log {
  const logger = pino(
    { level, base, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    {
      write: (line: string) => {
        write(redactor.redact(line));
      },
    },
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
