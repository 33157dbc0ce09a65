import { request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { VakhtaError } from '../../core/error.ts';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export interface TransportAnswer {
  readonly status: number;
  /** The reason phrase: Proxmox VE puts its error text there, and older versions nowhere else. */
  readonly reason: string;
  readonly body: string;
}

/** Sends one request. Rejects with the socket's own error, or with the signal's reason. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer>;

export interface TlsTrust {
  /** PEM of the authority that signed the host's certificate (`/etc/pve/pve-root-ca.pem`). */
  readonly ca?: string | undefined;
  /** SHA-256 of the certificate itself, `AB:CD:…`: trusted alone, whatever its name, issuer and dates say. */
  readonly fingerprint?: string | undefined;
}

/** More than any answer we ask for; a host that sends more is not what it should be. */
const MAX_BODY = 32 * 1024 * 1024;

/** Over node:http(s). Connections are not kept: a changing request must not die on a socket that went stale. */
export function nodeTransport(trust: TlsTrust): Transport {
  return (request) =>
    new Promise((resolve, reject) => {
      const { url, method, headers, body, signal } = request;
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      const agent = trust.fingerprint === undefined ? false : new PinnedAgent(trust.fingerprint, signal);
      const secure = url.protocol === 'https:';
      const length =
        body === undefined && method === 'GET' ? {} : { 'Content-Length': String(Buffer.byteLength(body ?? '')) };
      const options = { method, headers: { ...headers, ...(method === 'DELETE' ? {} : length) }, signal };
      const sent = secure
        ? httpsRequest(url, { ...options, agent, ...(trust.ca === undefined ? {} : { ca: trust.ca }) })
        : httpRequest(url, { ...options, agent: false });
      const onError = (error: Error) => reject(signal.aborted ? (signal.reason as Error) : error);
      sent.on('error', onError);
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY) sent.destroy(new Error(`answer longer than ${MAX_BODY} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', onError);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            // The parser reads the status line as latin-1; the host writes UTF-8.
            reason: Buffer.from(response.statusMessage ?? '', 'latin1').toString('utf8'),
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      sent.end(body);
    });
}

/**
 * For one request. Trusts exactly one certificate. The socket is handed over only after the comparison, so that the token never leaves
 * for a host that showed another one. Nothing global changes, and no session is resumed (a resumed one shows no certificate).
 */
class PinnedAgent extends HttpsAgent {
  readonly #fingerprint: string;
  readonly #signal: AbortSignal;

  constructor(fingerprint: string, signal: AbortSignal) {
    super({ keepAlive: false, maxCachedSessions: 0 });
    this.#fingerprint = fingerprint.toUpperCase();
    this.#signal = signal;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const host = options.host ?? '';
    const socket = tlsConnect({
      host,
      port: Number(options.port ?? 443),
      ...(isIP(host) ? {} : { servername: host }),
      rejectUnauthorized: false,
    });
    const onError = (error: Error) => callback?.(error, socket);
    // A handshake that never ends must not outlive its request, which node:http cannot end before it has a socket.
    const onAbort = () => socket.destroy(this.#signal.reason as Error);
    this.#signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => this.#signal.removeEventListener('abort', onAbort));
    socket.on('error', onError);
    socket.once('secureConnect', () => {
      const actual = socket.getPeerCertificate().fingerprint256;
      if (actual === this.#fingerprint) return callback?.(null, socket);
      socket.destroy();
      callback?.(
        new VakhtaError(
          'permanent',
          'proxmox-fingerprint',
          `certificate ${actual} is not the pinned ${this.#fingerprint}`,
          {
            args: { actual, pinned: this.#fingerprint, host },
          },
        ),
        socket,
      );
    });
    return undefined;
  }
}
