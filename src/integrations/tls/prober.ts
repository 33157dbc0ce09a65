import { isIP } from 'node:net';
import { connect, createSecureContext, rootCertificates, type TLSSocket } from 'node:tls';
import { type Clock, seconds } from '../../core/clock.ts';
import type { Probe } from '../define.ts';
import { type CertificateFacts, factsOf, presentedChain } from './certificate.ts';
import { judge, type TlsProblem, type TlsVerdict, verdictOf } from './verdict.ts';

export type { CertificateFacts } from './certificate.ts';
export type { TlsProblem, TlsVerdict } from './verdict.ts';

export interface TlsEndpoint {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must hold, and that is asked for (SNI); `host` when absent. */
  readonly servername?: string;
}

export interface TlsReport {
  readonly endpoint: TlsEndpoint;
  readonly at: Date;
  readonly durationMs: number;
  /** As the server sent it, leaf first; empty when no handshake came about. */
  readonly chain: readonly CertificateFacts[];
  /** Whole days until the first certificate of the chain ends, rounded down: negative when it has ended. */
  readonly daysLeft: number | null;
  /** All that is wrong, worst first; empty when nothing is. */
  readonly problems: readonly TlsProblem[];
  /** The worst problem, or `ok`. */
  readonly verdict: TlsVerdict;
}

export interface ProbeAllOptions {
  /** Handshakes at the same time; 8 when absent. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** Called for each endpoint as soon as its answer is there. */
  readonly onResult?: (report: TlsReport) => void;
}

export interface TlsProber {
  /** One handshake, `limitMs` (five seconds) at most. Never throws: what went wrong is in the report. */
  probe(endpoint: TlsEndpoint, signal?: AbortSignal): Promise<TlsReport>;
  /** The reports in the order of the endpoints. What an abort left out is reported `unreachable` with detail `aborted`. */
  probeAll(endpoints: readonly TlsEndpoint[], options?: ProbeAllOptions): Promise<readonly TlsReport[]>;
}

const LIMIT_MS = seconds(5);

/** Looks at certificates the way a client sees them. `ca`: PEM roots trusted besides the public ones (nodejs.org/api/tls.html). */
export function createTlsProber(
  settings: { readonly ca?: readonly string[]; readonly limitMs?: number },
  edges: { readonly clock: Clock },
): TlsProber {
  const { clock } = edges;
  const { limitMs = LIMIT_MS } = settings;
  const roots = [...rootCertificates, ...(settings.ca ?? [])];
  const secureContext = createSecureContext({ ca: roots });

  const probe = async (endpoint: TlsEndpoint, signal?: AbortSignal): Promise<TlsReport> => {
    const at = clock.now();
    const seen = await handshake(endpoint, signal);
    const now = clock.now();
    const base = { endpoint, at, durationMs: now.getTime() - at.getTime() };
    if ('problem' in seen) {
      return { ...base, chain: [], daysLeft: null, problems: [seen.problem], verdict: seen.problem.code };
    }
    const name = endpoint.servername ?? endpoint.host;
    const problems = judge({ chain: seen.chain, name, now, roots, authorization: seen.authorization });
    const chain = seen.chain.map(factsOf);
    const ends = Math.min(...chain.map((each) => each.validTo.getTime()));
    const daysLeft = Math.floor((ends - now.getTime()) / 86_400_000);
    return { ...base, chain, daysLeft, problems, verdict: verdictOf(problems) };
  };

  type Seen =
    | { readonly chain: ReturnType<typeof presentedChain>; readonly authorization: string | undefined }
    | { readonly problem: TlsProblem };

  const handshake = (endpoint: TlsEndpoint, signal: AbortSignal | undefined): Promise<Seen> =>
    new Promise((resolve) => {
      const failed = (code: 'unreachable' | 'handshake-failed', detail: string) => done({ problem: { code, detail } });
      if (signal?.aborted) return resolve({ problem: { code: 'unreachable', detail: 'aborted' } });
      const name = endpoint.servername ?? endpoint.host;
      let connected = false;
      let socket: TLSSocket | undefined;
      const done = (seen: Seen) => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        socket?.destroy();
        resolve(seen);
      };
      const onAbort = () => failed('unreachable', 'aborted');
      const cancel = clock.after(limitMs, () => failed(connected ? 'handshake-failed' : 'unreachable', 'timeout'));
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        socket = connect({
          host: endpoint.host,
          port: endpoint.port,
          // RFC 6066, 3: an address is no server name.
          ...(isIP(name) === 0 ? { servername: name } : {}),
          // We want to see a bad certificate, not to be protected from it: nothing is ever sent over this connection.
          rejectUnauthorized: false,
          secureContext,
        });
      } catch (thrown) {
        return failed('unreachable', thrown instanceof Error ? thrown.message : String(thrown));
      }
      const own = socket;
      own.once('connect', () => {
        connected = true;
      });
      own.once('secureConnect', () => {
        const chain = presentedChain(own.getPeerX509Certificate());
        if (chain.length === 0) return failed('handshake-failed', 'no certificate');
        done({ chain, authorization: authorizationCode(own) });
      });
      own.on('error', (error: NodeJS.ErrnoException) => {
        const code = error.code ?? error.message;
        failed(connected || /^(EPROTO|ERR_SSL|ERR_TLS)/.test(code) ? 'handshake-failed' : 'unreachable', code);
      });
      own.once('close', () => failed(connected ? 'handshake-failed' : 'unreachable', 'closed'));
    });

  return {
    probe,
    probeAll: async (endpoints, options = {}) => {
      const reports: TlsReport[] = [];
      let next = 0;
      const work = async () => {
        for (let at = next++; at < endpoints.length; at = next++) {
          const endpoint = endpoints[at];
          if (endpoint === undefined) return;
          const report = await probe(endpoint, options.signal);
          reports[at] = report;
          options.onResult?.(report);
        }
      };
      const workers = Math.max(1, Math.min(options.concurrency ?? 8, endpoints.length));
      await Promise.all(Array.from({ length: workers }, work));
      return reports;
    },
  };
}

/** Declared as an Error, in truth a code string or an Error with one (node v20 lib/_tls_wrap.js, onConnectSecure). */
function authorizationCode(socket: TLSSocket): string | undefined {
  const error: unknown = socket.authorizationError;
  if (typeof error === 'string') return error;
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return error === null || error === undefined ? undefined : 'unknown';
}

/** The one line about an endpoint for `doctor` and `/status`: red with any problem, amber from 30 days on. */
export function tlsLine(report: TlsReport): Probe {
  const { endpoint, daysLeft, problems } = report;
  const where = `${endpoint.servername ?? endpoint.host}:${endpoint.port}`;
  const [worst] = problems;
  if (worst !== undefined) {
    return {
      state: 'down',
      text: `tls-${worst.code}`,
      args: { where, detail: worst.detail ?? '—', days: Math.abs(daysLeft ?? 0) },
    };
  }
  return { state: (daysLeft ?? 0) <= 30 ? 'warn' : 'ok', text: 'tls-ok', args: { where, days: daysLeft ?? 0 } };
}
