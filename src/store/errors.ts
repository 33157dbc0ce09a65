import { VakhtaError } from '../core/error.ts';

/** Codes and messages of pg and of the network that mean "not now" (PostgreSQL manual, appendix A: classes 08, 53, 57P). */
const DOWN_CODE =
  /^(?:08...|53...|57P0[1-3]|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
const DOWN_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|connection error and is not queryable|Connection ended unexpectedly|pool after calling end/i;

/** The SQLSTATE or errno of a thrown value. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** True when the database could not be reached, or said that it cannot serve now. */
export function isDown(thrown: unknown): boolean {
  const code = codeOf(thrown);
  if (code !== undefined && DOWN_CODE.test(code)) return true;
  return thrown instanceof Error && DOWN_MESSAGE.test(thrown.message);
}

/** A transient VakhtaError when the database is down; anything else as it is. */
export function asStoreError(thrown: unknown): unknown {
  if (thrown instanceof VakhtaError || !isDown(thrown)) return thrown;
  const message = thrown instanceof Error && thrown.message !== '' ? thrown.message : String(codeOf(thrown));
  return new VakhtaError('transient', 'database-down', `database: ${message}`, { cause: thrown });
}
