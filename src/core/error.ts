/**
 * What kind of failure it is. Retry, exit code, HTTP status and the words to the user follow from the kind alone:
 *
 * | kind      | whose turn is it            | retried | exit | HTTP |
 * |-----------|-----------------------------|---------|------|------|
 * | usage     | the caller mends the input  | no      | 2    | 400  |
 * | denied    | somebody with more rights   | no      | 3    | 403  |
 * | transient | nobody: try again later     | yes     | 4    | 503  |
 * | permanent | the operator mends a system | no      | 5    | 502  |
 * | bug       | the developers              | no      | 70   | 500  |
 */
export type ErrorKind = 'usage' | 'denied' | 'transient' | 'permanent' | 'bug';

const EXIT: Record<ErrorKind, number> = { usage: 2, denied: 3, transient: 4, permanent: 5, bug: 70 };
const HTTP: Record<ErrorKind, number> = { usage: 400, denied: 403, transient: 503, permanent: 502, bug: 500 };

export interface ErrorDetails {
  /** Catalogue key of the sentence that tells a person what happened and what to do; `err-<code>` when absent. */
  readonly text?: string;
  /** Arguments of that sentence. Never a secret. */
  readonly args?: Readonly<Record<string, string | number>>;
  readonly cause?: unknown;
}

/** The one error class. `code` is a stable kebab-case name (`lock-held`), `message` English for the log. */
export class VakhtaError extends Error {
  override readonly name = 'VakhtaError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly text: string;
  readonly args: Readonly<Record<string, string | number>>;

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = code;
    this.text = details.text ?? `err-${code}`;
    this.args = details.args ?? {};
  }

  get exitCode(): number {
    return EXIT[this.kind];
  }

  get httpStatus(): number {
    return HTTP[this.kind];
  }
}

const TRANSIENT_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  '57P01', // PostgreSQL: admin_shutdown
  '57P03', // PostgreSQL: cannot_connect_now
  '08006', // PostgreSQL: connection_failure
  '40001', // PostgreSQL: serialization_failure
  '40P01', // PostgreSQL: deadlock_detected
]);

/** Any thrown value as a VakhtaError: known network and database codes are transient, an abort too, the rest is a bug. */
export function toVakhtaError(thrown: unknown): VakhtaError {
  if (thrown instanceof VakhtaError) return thrown;
  if (thrown instanceof Error) {
    const code = errorCode(thrown) ?? errorCode(thrown.cause);
    if (code !== undefined && TRANSIENT_CODES.has(code)) {
      return new VakhtaError('transient', 'unreachable', thrown.message || code, {
        args: { what: code },
        cause: thrown,
      });
    }
    if (thrown.name === 'AbortError' || thrown.name === 'TimeoutError') {
      return new VakhtaError('transient', 'timeout', thrown.message, { cause: thrown });
    }
    return new VakhtaError('bug', 'internal', thrown.message, { cause: thrown });
  }
  return new VakhtaError('bug', 'internal', String(thrown));
}

function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
