import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { rootCertificates } from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { hostAndPort, isHost, type ProbeResult } from '../../core/probe.ts';
import type { Executor } from '../exec/executor.ts';
import { createTlsProber } from '../tls/prober.ts';

export interface ProbeTarget {
  readonly id: string;
  readonly kind: 'http' | 'tcp' | 'tls' | 'icmp';
  readonly target: string;
  readonly timeoutMs: number;
  /** Statuses of HTTP that are fine; 200–399 when absent. */
  readonly expectStatus?: readonly number[];
}

export interface ProbeEdges {
  readonly clock: Clock;
  /** PEM roots trusted besides the public ones. */
  readonly ca: readonly string[];
  /** Where `ping` runs: this program has no right to send ICMP itself. */
  readonly local: Pick<Executor, 'run'>;
  readonly version: string;
}

/** Tries a target once. Never throws: what went wrong is the result. */
export type Attempt = (target: ProbeTarget, signal?: AbortSignal) => Promise<ProbeResult>;

export function createAttempts(edges: ProbeEdges): Attempt {
  return async (target, signal = new AbortController().signal) => {
    if (signal.aborted) return failed('aborted');
    try {
      return await KINDS[target.kind](target, edges, signal);
    } catch (thrown) {
      return failed(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
}

type Kind = (target: ProbeTarget, edges: ProbeEdges, signal: AbortSignal) => Promise<ProbeResult>;

const REASON_MAX = 120;
const failed = (reason: string): ProbeResult => ({ ok: false, reason: reason.slice(0, REASON_MAX) });

/** One time limit over name, connection, handshake and answer; whatever comes first is the result. */
function within(
  { timeoutMs }: ProbeTarget,
  { clock }: ProbeEdges,
  signal: AbortSignal,
  start: (end: (result: ProbeResult) => void, since: number) => () => void,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let stop = (): void => {};
    let isOver = false;
    const end = (result: ProbeResult): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      stop();
    };
    const onAbort = (): void => end(failed('aborted'));
    const cancel = clock.after(timeoutMs, () => end(failed('timeout')));
    signal.addEventListener('abort', onAbort, { once: true });
    stop = start(end, clock.now().getTime());
    // It may have ended before there was anything to stop.
    if (isOver) stop();
  });
}

const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

/** A request whose answer is not read beyond its head. A redirect is an answer, and is not followed. */
const http: Kind = async (target, edges, signal) => {
  if (!URL.canParse(target.target)) return failed('not a URL');
  const url = new URL(target.target);
  const isTls = url.protocol === 'https:';
  if (!isTls && url.protocol !== 'http:') return failed('not a URL');
  return within(target, edges, signal, (end, since) => {
    const request = (isTls ? httpsRequest : httpRequest)(url, {
      method: 'GET',
      // A connection of its own: what is kept open says nothing about what can be opened.
      agent: false,
      headers: { 'user-agent': `Vakhta/${edges.version} (probe)`, accept: '*/*' },
      ...(isTls && edges.ca.length > 0 ? { ca: [...rootCertificates, ...edges.ca] } : {}),
    });
    request.on('error', (error: NodeJS.ErrnoException) => end(failed(codeOf(error))));
    request.on('response', (response) => {
      response.on('error', () => {});
      const status = response.statusCode ?? 0;
      const fine = target.expectStatus ? target.expectStatus.includes(status) : status >= 200 && status < 400;
      const latencyMs = edges.clock.now().getTime() - since;
      end(fine ? { ok: true, latencyMs } : failed(`HTTP ${status}`));
    });
    request.end();
    return () => request.destroy();
  });
};

const tcp: Kind = async (target, edges, signal) => {
  const where = hostAndPort(target.target);
  if (!where) return failed('not host:port');
  return within(target, edges, signal, (end, since) => {
    const socket = connect({ host: where.host, port: where.port });
    socket.on('error', (error: NodeJS.ErrnoException) => end(failed(codeOf(error))));
    socket.once('connect', () => end({ ok: true, latencyMs: edges.clock.now().getTime() - since }));
    return () => socket.destroy();
  });
};

/** A handshake, and a certificate that clients would accept. */
const tls: Kind = async (target, edges, signal) => {
  const where = hostAndPort(target.target);
  if (!where) return failed('not host:port');
  const prober = createTlsProber({ ca: edges.ca, limitMs: target.timeoutMs }, { clock: edges.clock });
  const report = await prober.probe({ id: target.id, ...where }, signal);
  if (report.verdict === 'ok') return { ok: true, latencyMs: report.durationMs };
  const [worst] = report.problems;
  const isNetwork = worst?.code === 'unreachable' || worst?.code === 'handshake-failed';
  if (worst?.code === 'unreachable' && worst.detail) return failed(worst.detail);
  return failed(isNetwork && worst.detail ? `TLS ${worst.detail}` : `TLS ${report.verdict}`);
};

/** One echo request by the program `ping`, which has the right to send one, or says that it has not. */
const icmp: Kind = async (target, edges, signal) => {
  const host = target.target.trim();
  if (!isHost(host)) return failed('not a host');
  const limit = String(Math.max(1, Math.ceil(target.timeoutMs / 1000)));
  const since = edges.clock.now().getTime();
  try {
    const { code, stdout, stderr } = await edges.local.run(['ping', '-n', '-c', '1', '-W', limit, host], {
      signal,
      // Its own limit does not cover a name server that is silent.
      timeoutMs: target.timeoutMs + 2000,
      maxOutputBytes: 8192,
    });
    if (code === 0) {
      const told = /time[=<]([\d.]+) ?ms/u.exec(stdout)?.[1];
      return { ok: true, latencyMs: told === undefined ? edges.clock.now().getTime() - since : Number(told) };
    }
    if (/not permitted|permission denied|lacking privilege|are you root/iu.test(stderr)) {
      return { ok: 'unavailable', reason: 'ping: not permitted' };
    }
    return failed(/unknown host|not known|bad address|resolution/iu.test(stderr) ? 'unknown host' : 'no reply');
  } catch (thrown) {
    if (!(thrown instanceof VakhtaError)) throw thrown;
    if (thrown.code === 'exec-not-found') return { ok: 'unavailable', reason: 'ping: not installed' };
    if (thrown.code === 'exec-not-allowed') return { ok: 'unavailable', reason: 'ping: not permitted' };
    return failed(
      thrown.code === 'exec-timeout' ? 'timeout' : thrown.code === 'exec-cancelled' ? 'aborted' : thrown.code,
    );
  }
};

const KINDS: Readonly<Record<ProbeTarget['kind'], Kind>> = { http, tcp, tls, icmp };
