import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { answered, errors, kv } from './wire.ts';

/** Vault's own texts in one line: `2 errors occurred:\n\t* permission denied\n\t* invalid token` → `permission denied, invalid token`. */
export function problemOf(status: number, body: unknown): string {
  const texts = errors.safeParse(body).data?.errors ?? [];
  const lines = texts.flatMap((text) => text.split('\n')).map((line) => line.replace(/^\s*\*?\s*/, '').trim());
  const said = lines.filter((line) => line !== '' && !/^\d+ errors? occurred:$/.test(line));
  return said.join(', ') || `HTTP ${status}`;
}

/** What was asked for: a secret (as people write its path), or another call. */
export interface Asked {
  readonly call: string;
  readonly path?: string;
}

/** Status and problem of what `node-vault` rejected with, or undefined when no answer came. */
export function answerOf(thrown: unknown): { status: number; problem: string; body: unknown } | undefined {
  const parsed = answered.safeParse(thrown).data?.response;
  if (parsed === undefined) return undefined;
  return { status: parsed.statusCode, problem: problemOf(parsed.statusCode, parsed.body), body: parsed.body };
}

/**
 * The error for what `node-vault` rejected with. The rejection itself is never kept as cause: it carries the answer's
 * body. Source: `sdk/logical/response_util.go`, `http/handler.go`.
 */
export function errorOf(thrown: unknown, asked: Asked): VakhtaError {
  if (thrown instanceof VakhtaError) return thrown;
  const answer = answerOf(thrown);
  if (answer === undefined) return connectionError(thrown, asked);
  const { status, problem, body } = answer;
  const message = `${asked.call}: ${status} ${problem}`;
  const args = { problem, path: asked.path ?? asked.call };
  const make = (kind: 'permanent' | 'transient', code: string, more: Record<string, string | number> = {}) =>
    new VakhtaError(kind, code, message, { args: { ...args, ...more } });
  if (/\bis sealed\b/i.test(problem)) return make('permanent', 'vault-sealed');
  if (/not initialized/i.test(problem)) return make('permanent', 'vault-uninitialised');
  if (status === 307 || status === 308 || status === 301 || status === 302) return make('permanent', 'vault-standby');
  if (status === 403) return make('permanent', 'vault-denied');
  if (status === 404) {
    if (/no handler for route/.test(problem)) return make('permanent', 'vault-no-mount');
    const gone = kv.safeParse(body).data?.data.metadata;
    if (gone !== undefined) return make('permanent', 'vault-secret-deleted', { version: gone.version });
    return make('permanent', 'vault-no-secret');
  }
  if (status === 429 || status === 412) return make('transient', 'vault-busy');
  if (status >= 500) return make('transient', 'vault-busy');
  return make('permanent', 'vault-failed');
}

const TLS_CODES = /^(?:CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL_|EPROTO$)/;

function connectionError(thrown: unknown, asked: Asked): VakhtaError {
  const plain = toVakhtaError(thrown);
  const code = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  const problem = code ?? (thrown instanceof Error ? thrown.name : 'Error');
  const message = `${asked.call}: ${problem} ${plain.message}`;
  const args = { problem };
  if (code !== undefined && TLS_CODES.test(code)) return new VakhtaError('permanent', 'vault-tls', message, { args });
  return new VakhtaError('transient', 'vault-unreachable', message, { args });
}

/** What a failed login means; sealed, unreachable and the like stay what they are. */
export function loginError(thrown: unknown): VakhtaError {
  const error = errorOf(thrown, { call: 'AppRole login' });
  const status = answerOf(thrown)?.status;
  if (error.code === 'vault-sealed' || status === undefined || ![400, 403, 404].includes(status)) return error;
  return new VakhtaError('permanent', 'vault-login', error.message, { args: error.args });
}
