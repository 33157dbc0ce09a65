import { VakhtaError } from '../../core/error.ts';
import type { TransportAnswer } from '../proxmox/transport.ts';

/** What was asked, for the error's log message. */
export interface Asked {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** What the call needs: the server itself never says. */
  readonly needs?: { readonly privilege: string; readonly path: string } | undefined;
}

/**
 * The text of a refusal: the body, which is plain text although its content type says JSON. HTML or JSON is that of something in
 * between, which may repeat what it was sent: no text for people, and the token is cut out of all of them.
 */
function errorText({ body, status, reason }: TransportAnswer, secret: string): string {
  const text = body.trim();
  const told = text === '' || /^[<{[]/.test(text) ? `HTTP ${status} ${reason}`.trim() : text.replace(/\s+/g, ' ');
  return (secret === '' ? told : told.replaceAll(secret, '…')).slice(0, 400);
}

/** The error for an answer that is not 2xx. Source: `proxmox-rest-server/src/{formatter,rest}.rs` of proxmox-rs. */
export function errorOf(answer: TransportAnswer, asked: Asked, secret: string): VakhtaError {
  const { status } = answer;
  const text = errorText(answer, secret);
  const message = `${asked.method} ${asked.path}: ${status} ${text}`;
  const args = { host: asked.id, problem: text };
  if (status === 401) return new VakhtaError('permanent', 'pbs-unauthorized', message, { args });
  if (status === 403) {
    return permissionError(asked.id, asked.needs?.privilege ?? '?', asked.needs?.path ?? asked.path, message);
  }
  if (status === 404)
    return new VakhtaError('permanent', 'pbs-not-found', message, { args: { ...args, path: asked.path } });
  if (status === 400) {
    const missing = /no such datastore '([^']*)'/.exec(text)?.[1];
    if (missing !== undefined) {
      return new VakhtaError('permanent', 'pbs-no-such-datastore', message, {
        args: { host: asked.id, store: missing },
      });
    }
    if (text.startsWith('parameter verification failed'))
      return new VakhtaError('permanent', 'pbs-parameters', message, { args });
    return new VakhtaError('permanent', 'pbs-failed', message, { args });
  }
  if ([502, 503, 504].includes(status)) return new VakhtaError('transient', 'pbs-unreachable', message, { args });
  return new VakhtaError('permanent', 'pbs-failed', message, { args });
}

/** The token lacks a privilege: said outright (403), or concluded, because the server would only leave entries out. */
export const permissionError = (host: string, privilege: string, path: string, message?: string): VakhtaError =>
  new VakhtaError('permanent', 'pbs-permission', message ?? `the token lacks ${privilege} on ${path}`, {
    args: { host, privilege, path },
  });

const TLS_CODES = /^(?:CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL_|EPROTO$)/;
/** The connection did not come about: the request was not sent, and may be sent again. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
]);

/** The error for a request that got no answer. Something that may have been started is `pbs-unanswered`. */
export function connectionError(thrown: unknown, asked: Asked): VakhtaError {
  if (thrown instanceof VakhtaError) {
    if (thrown.code !== 'proxmox-fingerprint') return thrown;
    // The transport is shared with Proxmox VE; the words to people are not.
    const args = { ...thrown.args, host: asked.id };
    return new VakhtaError('permanent', 'pbs-fingerprint', thrown.message, { args });
  }
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  const message = `${asked.method} ${asked.path}: ${code} ${cause.message}`;
  const args = { host: asked.id, problem: code };
  if (TLS_CODES.test(code)) return new VakhtaError('permanent', 'pbs-tls', message, { args, cause });
  if (asked.method !== 'GET' && !UNSENT.has(code)) {
    return new VakhtaError('transient', 'pbs-unanswered', message, { args, cause });
  }
  return new VakhtaError('transient', 'pbs-unreachable', message, { args, cause });
}
