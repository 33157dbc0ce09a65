import { VakhtaError } from '../../core/error.ts';
import type { TransportAnswer } from './transport.ts';
import { envelope } from './wire.ts';

/** What was asked, for the error's log message. */
export interface Asked {
  readonly id: string;
  readonly method: string;
  readonly path: string;
}

/** The body as JSON in the host's envelope, or undefined (a 401 has an empty one, a proxy in between HTML). */
export function readEnvelope(body: string) {
  try {
    return envelope.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** The error text: `message` of the body where the version has it, else the reason phrase. */
export function errorText(answer: TransportAnswer): string {
  const body = readEnvelope(answer.body);
  const message = (body?.message ?? answer.reason).trim();
  const parameters = Object.entries(body?.errors ?? {}).map(([name, problem]) => `${name}: ${String(problem).trim()}`);
  return [message, ...parameters].filter((part) => part !== '').join('; ') || `HTTP ${answer.status}`;
}

/** The error for an answer that is not 2xx. Source: `PVE/APIServer/AnyEvent.pm`, `PVE/LXC`, `PVE/QemuServer`. */
export function errorOf(answer: TransportAnswer, asked: Asked): VakhtaError {
  const text = errorText(answer);
  const message = `${asked.method} ${asked.path}: ${answer.status} ${text}`;
  const args = { host: asked.id, problem: text };
  const { status } = answer;
  if (status === 401) return new VakhtaError('permanent', 'proxmox-unauthorized', message, { args });
  if (status === 403) {
    const needed = /\((\/[^,)]*), ?([^)]+)\)/.exec(text);
    return permissionError(asked.id, needed?.[2] ?? text, needed?.[1] ?? asked.path, message);
  }
  if (status === 501)
    return new VakhtaError('permanent', 'proxmox-not-implemented', message, { args: { ...args, path: asked.path } });
  if (status === 400) {
    if (/no such task/i.test(text)) return new VakhtaError('permanent', 'proxmox-no-such-task', message, { args });
    return new VakhtaError('permanent', 'proxmox-parameters', message, { args });
  }
  if ([502, 503, 504, 595, 596, 599].includes(status)) {
    return new VakhtaError('transient', 'proxmox-node-unreachable', message, { args });
  }
  if (status >= 500) return failure(text, message, args);
  return new VakhtaError('permanent', 'proxmox-answer', message, { args });
}

function failure(text: string, message: string, args: { host: string; problem: string }): VakhtaError {
  const missing = /Configuration file '(?:nodes\/[^/]+\/)?(?:lxc|qemu-server)\/(\d+)\.conf' does not exist/.exec(text);
  if (missing !== null) {
    return new VakhtaError('usage', 'proxmox-no-such-guest', message, {
      args: { host: args.host, guest: missing[1] ?? '' },
    });
  }
  if (/no such task/i.test(text)) return new VakhtaError('permanent', 'proxmox-no-such-task', message, { args });
  if (/\bis locked \(|can't lock file .* got timeout/.test(text)) {
    return new VakhtaError('transient', 'proxmox-locked', message, { args });
  }
  if (/\b(?:CT|VM) \d+ (?:already|not) running\b|if it's a template/.test(text)) {
    return new VakhtaError('usage', 'proxmox-guest-state', message, { args });
  }
  if (/hostname lookup '.*' failed|no such cluster node/.test(text)) {
    return new VakhtaError('usage', 'proxmox-no-such-node', message, { args });
  }
  return new VakhtaError('permanent', 'proxmox-failed', message, { args });
}

/** The token lacks a privilege: said outright (403), or concluded, because the host would only leave entries out. */
export function permissionError(host: string, privilege: string, path: string, message?: string): VakhtaError {
  return new VakhtaError('permanent', 'proxmox-permission', message ?? `the token lacks ${privilege} on ${path}`, {
    args: { host, privilege, path },
  });
}

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

/** The error for a request that got no answer. A change that may have been sent is `proxmox-unanswered`. */
export function connectionError(thrown: unknown, asked: Asked): VakhtaError {
  if (thrown instanceof VakhtaError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  const message = `${asked.method} ${asked.path}: ${code} ${cause.message}`;
  const args = { host: asked.id, problem: code };
  if (TLS_CODES.test(code)) return new VakhtaError('permanent', 'proxmox-tls', message, { args, cause });
  if (asked.method !== 'GET' && !UNSENT.has(code)) {
    return new VakhtaError('transient', 'proxmox-unanswered', message, { args, cause });
  }
  return new VakhtaError('transient', 'proxmox-unreachable', message, { args, cause });
}
