import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { systemRandom } from '../../src/core/random.ts';
import type { Executor, RunOptions, RunResult } from '../../src/integrations/exec/executor.ts';
import { createLocalExecutor } from '../../src/integrations/exec/local.ts';
import { createAttempts, type ProbeTarget } from '../../src/integrations/probes/attempt.ts';
import { startEndpoints } from '../../src/simulators/endpoints/index.ts';
import { createManualClock } from '../support/manual-clock.ts';

const nothing: Pick<Executor, 'run'> = { run: () => Promise.reject(new Error('nothing is to be run')) };

const attempts = (
  options: { local?: Pick<Executor, 'run'>; ca?: readonly string[]; clock?: typeof systemClock } = {},
) => createAttempts({ clock: systemClock, ca: [], local: nothing, version: '1.2.3', ...options });

const target = (kind: ProbeTarget['kind'], at: string, more: Partial<ProbeTarget> = {}): ProbeTarget => ({
  id: 'p',
  kind,
  target: at,
  timeoutMs: 5000,
  ...more,
});

async function listening(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

/** A server that takes connections and says nothing. */
async function silent(): Promise<{ port: number; met: Promise<void> }> {
  const sockets = new Set<Socket>();
  let meet = (): void => {};
  const met = new Promise<void>((resolve) => {
    meet = resolve;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', meet);
  });
  const port = await listening(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, met };
}

/** A port on which nobody listens. */
async function closed(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

describe('http', () => {
  const serve = async (status: number, headers: Record<string, string> = {}) => {
    const requests: IncomingMessage[] = [];
    const server = createHttpServer((request, response) => {
      requests.push(request);
      response.writeHead(status, headers);
      response.flushHeaders();
      // A body without an end: nobody waits for it.
      if (status !== 204) response.write('x'.repeat(1024));
    });
    const port = await listening(server);
    return { requests, url: `http://127.0.0.1:${port}/-/health?deep=1`, server };
  };

  it.each([
    [200, undefined, 'ok'],
    [204, undefined, 'ok'],
    [302, undefined, 'ok'],
    [404, undefined, 'HTTP 404'],
    [503, undefined, 'HTTP 503'],
    [404, [404], 'ok'],
    [200, [204], 'HTTP 200'],
  ])('status %i with %j is %s', async (status, expectStatus, wanted) => {
    const { url } = await serve(status);
    const result = await attempts()(target('http', url, expectStatus ? { expectStatus } : {}));
    expect(result.ok === true ? 'ok' : result.reason).toBe(wanted);
  });

  it('asks once, under a name of its own, and follows nobody elsewhere', async () => {
    const elsewhere = await serve(500);
    const { url, requests } = await serve(301, { location: elsewhere.url });
    await attempts()(target('http', url));
    expect(requests.map(({ method, url: path, headers }) => [method, path, headers['user-agent']])).toEqual([
      ['GET', '/-/health?deep=1', 'Vakhta/1.2.3 (probe)'],
    ]);
    expect(elsewhere.requests).toEqual([]);
  });

  it('gives up when nothing is answered, at the time that was set', async () => {
    const clock = createManualClock();
    const { port, met } = await silent();
    const asked = attempts({ clock })(target('http', `http://127.0.0.1:${port}/`, { timeoutMs: 2000 }));
    await met;
    await clock.advance(2000);
    expect(await asked).toEqual({ ok: false, reason: 'timeout' });
  });

  it('names what the network said', async () => {
    expect(await attempts()(target('http', `http://127.0.0.1:${await closed()}/`))).toEqual({
      ok: false,
      reason: 'ECONNREFUSED',
    });
    expect(await attempts()(target('http', 'ftp://127.0.0.1/'))).toEqual({ ok: false, reason: 'not a URL' });
  });

  it('ends when it is broken off', async () => {
    const { port, met } = await silent();
    const controller = new AbortController();
    const asked = attempts()(target('http', `http://127.0.0.1:${port}/`), controller.signal);
    await met;
    controller.abort();
    expect(await asked).toEqual({ ok: false, reason: 'aborted' });
  });
});

describe('tcp', () => {
  it('is up where somebody takes the connection', async () => {
    const { port } = await silent();
    expect(await attempts()(target('tcp', `127.0.0.1:${port}`))).toMatchObject({ ok: true });
  });

  it('is down where nobody does', async () => {
    const result = await attempts()(target('tcp', `127.0.0.1:${await closed()}`));
    expect(result).toEqual({ ok: false, reason: 'ECONNREFUSED' });
    expect(await attempts()(target('tcp', 'example'))).toEqual({ ok: false, reason: 'not host:port' });
  });
});

describe('tls', () => {
  it('asks for a certificate that clients accept', async () => {
    const servers = await startEndpoints(
      [
        { id: 'good', toDays: 80 },
        { id: 'old', toDays: -1 },
        { id: 'own', toDays: 80, chain: 'self-signed' },
      ],
      { now: new Date(), random: systemRandom },
    );
    onTestFinished(() => servers.stop());
    const attempt = attempts({ ca: [servers.ca] });
    const at = (id: string): ProbeTarget => target('tls', `localhost:${servers.ports[id]}`);
    expect(await attempt(at('good'))).toMatchObject({ ok: true });
    expect(await attempt(at('old'))).toEqual({ ok: false, reason: 'TLS expired' });
    expect(await attempt(at('own'))).toEqual({ ok: false, reason: 'TLS self-signed' });
    const https = (id: string): ProbeTarget => target('http', `https://localhost:${servers.ports[id]}/`);
    expect(await attempt(https('old'))).toEqual({ ok: false, reason: 'CERT_HAS_EXPIRED' });
  });

  it('does not wait for a handshake longer than it was told', async () => {
    const clock = createManualClock();
    const { port, met } = await silent();
    const asked = attempts({ clock })(target('tls', `127.0.0.1:${port}`, { timeoutMs: 9000 }));
    await met;
    await clock.advance(8999);
    await clock.advance(1);
    expect(await asked).toEqual({ ok: false, reason: 'TLS timeout' });
  });

  it('is down where nobody listens', async () => {
    const result = await attempts()(target('tls', `127.0.0.1:${await closed()}`));
    expect(result).toEqual({ ok: false, reason: 'ECONNREFUSED' });
  });
});

describe('icmp', () => {
  const ping = (result: Partial<RunResult> | VakhtaError) => {
    const calls: { argv: readonly string[]; options: RunOptions | undefined }[] = [];
    const run: Executor['run'] = (argv, options) => {
      calls.push({ argv, options });
      if (result instanceof VakhtaError) return Promise.reject(result);
      return Promise.resolve({ code: 0, stdout: '', stderr: '', truncated: false, ...result });
    };
    return { calls, attempt: attempts({ local: { run } }) };
  };

  it('is one echo request by ping, without a shell and without a name that looks like an option', async () => {
    const { calls, attempt } = ping({
      stdout: '64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.412 ms\n\n1 packets transmitted, 1 received',
    });
    expect(await attempt(target('icmp', '192.0.2.1', { timeoutMs: 1500 }))).toEqual({ ok: true, latencyMs: 0.412 });
    expect(calls.map(({ argv }) => argv)).toEqual([['ping', '-n', '-c', '1', '-W', '2', '192.0.2.1']]);
    expect(await attempt(target('icmp', '-f'))).toEqual({ ok: false, reason: 'not a host' });
    expect(await attempt(target('icmp', 'a b'))).toEqual({ ok: false, reason: 'not a host' });
    expect(calls).toHaveLength(1);
  });

  it.each<[string, Partial<RunResult> | VakhtaError, object]>([
    ['no reply', { code: 1 }, { ok: false, reason: 'no reply' }],
    [
      'unknown host',
      { code: 2, stderr: 'ping: nope: Name or service not known' },
      { ok: false, reason: 'unknown host' },
    ],
    [
      'not permitted',
      { code: 2, stderr: 'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted' },
      { ok: 'unavailable', reason: 'ping: not permitted' },
    ],
    [
      'not installed',
      new VakhtaError('permanent', 'exec-not-found', 'ping: not found'),
      { ok: 'unavailable', reason: 'ping: not installed' },
    ],
    ['a hanging name server', new VakhtaError('transient', 'exec-timeout', 'ping'), { ok: false, reason: 'timeout' }],
  ])('%s', async (_name, said, wanted) => {
    expect(await ping(said).attempt(target('icmp', 'gateway.example'))).toEqual(wanted);
  });

  it('with the real program, or without it, says something that is true', async () => {
    const local = createLocalExecutor({}, { clock: systemClock });
    const result = await attempts({ local })(target('icmp', '127.0.0.1'));
    expect(result.ok === false ? result.reason : 'fine').toBe('fine');
  });
});
