import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { systemRandom } from '../../src/core/random.ts';
import { alternativeNames } from '../../src/integrations/tls/certificate.ts';
import { messages } from '../../src/integrations/tls/messages.ts';
import { createTlsProber, tlsLine, type TlsReport } from '../../src/integrations/tls/prober.ts';
import { PROBLEMS } from '../../src/integrations/tls/verdict.ts';
import { issue } from '../../src/simulators/endpoints/certificate.ts';
import { instant, integer, oid } from '../../src/simulators/endpoints/der.ts';
import { type EndpointServers, startEndpoints } from '../../src/simulators/endpoints/index.ts';
import { createManualClock } from '../support/manual-clock.ts';

const ru = catalogue([messages]).for('ru');

describe('with simulated endpoints', () => {
  let servers: EndpointServers;
  beforeAll(async () => {
    servers = await startEndpoints(
      [
        { id: 'good', toDays: 60 },
        { id: 'both', toDays: -2, names: ['other.example'], chain: 'leaf-only' },
        { id: 'old-self', toDays: -2, chain: 'self-signed' },
      ],
      { now: new Date(), random: systemRandom },
    );
  });
  afterAll(() => servers?.stop());
  const at = (id: string) => ({ id, host: servers.host, port: servers.ports[id] ?? 0, servername: 'localhost' });
  const prober = (clock = systemClock) => createTlsProber({ ca: [servers.ca] }, { clock });

  test('chain, names, serial and days of a good one', async () => {
    const report = await prober().probe(at('good'));
    expect(report).toMatchObject({ verdict: 'ok', problems: [], daysLeft: 59 });
    expect(report.chain.map((each) => [each.subject, each.issuer])).toEqual([
      ['CN=localhost', 'CN=Demo Intermediate'],
      ['CN=Demo Intermediate', 'CN=Demo Root'],
    ]);
    expect(report.chain[0]).toMatchObject({ names: ['localhost', '127.0.0.1'], keyType: 'EC prime256v1' });
    expect(report.chain[0]?.serial).toMatch(/^[0-9A-F]{32}$/);
    expect(report.chain[0]?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  test('an address is looked for among the addresses', async () => {
    const byAddress = { id: 'good', host: servers.host, port: servers.ports['good'] ?? 0 };
    expect((await prober().probe(byAddress)).verdict).toBe('ok');
    expect((await prober().probe({ ...byAddress, servername: '127.0.0.2' })).verdict).toBe('wrong-host');
  });

  test('several problems are told together: a date does not hide the name and the chain', async () => {
    const report = await prober().probe(at('both'));
    expect(report.problems.map((each) => each.code)).toEqual(['expired', 'wrong-host', 'incomplete-chain']);
    // Two days and a moment ago: rounded down.
    expect(report.daysLeft).toBe(-3);
    expect((await prober().probe(at('old-self'))).problems.map((each) => each.code)).toEqual([
      'expired',
      'self-signed',
    ]);
  });

  test('without its root the chain is not trusted', async () => {
    const report = await createTlsProber({}, { clock: systemClock }).probe(at('good'));
    expect(report.problems.map((each) => each.code)).toEqual(['untrusted']);
  });

  test('the days are counted by the clock that is handed in', async () => {
    const later = createManualClock(new Date(Date.now() + 61 * 86_400_000));
    expect((await prober(later).probe(at('good'))).problems.map((each) => each.code)).toEqual(['expired']);
    const earlier = createManualClock(new Date(Date.now() - 40 * 86_400_000));
    expect((await prober(earlier).probe(at('good'))).problems.map((each) => each.code)).toEqual(['not-yet-valid']);
  });

  test('a renewal shows a new serial', async () => {
    const before = await prober().probe(at('good'));
    servers.renew('good', { toDays: 90 }, new Date());
    const after = await prober().probe(at('good'));
    expect(after.chain[0]?.serial).not.toBe(before.chain[0]?.serial);
    expect(after.daysLeft).toBe(89);
  });

  test('all at once, bounded, in order, each told as it comes', async () => {
    const told: TlsReport[] = [];
    const endpoints = ['good', 'both', 'good', 'old-self', 'good'].map(at);
    const reports = await prober().probeAll(endpoints, { concurrency: 2, onResult: (report) => told.push(report) });
    expect(reports.map((each) => each.endpoint.id)).toEqual(endpoints.map((each) => each.id));
    expect(told).toHaveLength(5);
    expect(await prober().probeAll([])).toEqual([]);
  });

  test('an abort leaves no endpoint without a report', async () => {
    const reports = await prober().probeAll(['good', 'both'].map(at), { signal: AbortSignal.abort() });
    expect(reports.map((each) => each.problems[0])).toEqual([
      { code: 'unreachable', detail: 'aborted' },
      { code: 'unreachable', detail: 'aborted' },
    ]);
  });
});

describe('without TLS at the other end', () => {
  const listen = async (onSocket: (end: () => void) => void) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      onSocket(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
  };
  const prober = createTlsProber({}, { clock: systemClock });

  test('nobody listens: unreachable', async () => {
    const { server, port } = await listen(() => {});
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const report = await prober.probe({ id: 'x', host: '127.0.0.1', port });
    expect(report).toMatchObject({
      verdict: 'unreachable',
      problems: [{ detail: 'ECONNREFUSED' }],
      daysLeft: null,
      chain: [],
    });
  });

  test('a server that hangs up: handshake failed', async () => {
    const { server, port } = await listen((end) => end());
    expect((await prober.probe({ id: 'x', host: '127.0.0.1', port })).verdict).toBe('handshake-failed');
    server.close();
  });

  test('a server that says nothing is given up after five seconds', async () => {
    const clock = createManualClock();
    let accepted = () => {};
    const arrived = new Promise<void>((resolve) => {
      accepted = resolve;
    });
    const ends: (() => void)[] = [];
    const { server, port } = await listen((end) => {
      ends.push(end);
      accepted();
    });
    const probing = createTlsProber({}, { clock }).probe({ id: 'x', host: '127.0.0.1', port });
    await arrived;
    await clock.advance(5000);
    expect(await probing).toMatchObject({
      verdict: 'handshake-failed',
      problems: [{ detail: 'timeout' }],
      durationMs: 5000,
    });
    for (const end of ends) end();
    server.close();
  });
});

describe('the parts', () => {
  test('names of a certificate, also quoted ones', () => {
    expect(alternativeNames('DNS:a.example, IP Address:192.0.2.1, DNS:*.b.example')).toEqual([
      'a.example',
      '192.0.2.1',
      '*.b.example',
    ]);
    expect(alternativeNames(String.raw`DNS:"evil, DNS:good.example", DNS:c`)).toEqual(['evil, DNS:good.example', 'c']);
    expect(alternativeNames('')).toEqual([]);
  });

  test('DER as X.690 gives it', () => {
    expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
    expect(integer(Buffer.from([0, 0, 0x80])).toString('hex')).toBe('02020080');
    expect(instant(new Date('2049-12-31T23:59:59Z')).toString('latin1')).toBe('\x17\r491231235959Z');
    expect(instant(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toBe('\x18\x0f20500101000000Z');
  });

  test('an issued certificate is what was asked for, and verifies', () => {
    const dates = { validFrom: new Date('2026-01-01T00:00:00Z'), validTo: new Date('2051-01-01T00:00:00Z') };
    const root = issue({ subject: 'Корень', ca: true, ...dates }, systemRandom);
    const leaf = issue(
      { subject: 'a.example', names: ['a.example', '192.0.2.1'], issuer: root, ...dates },
      systemRandom,
    );
    const [ca, certificate] = [new X509Certificate(root.certificate), new X509Certificate(leaf.certificate)];
    expect(ca.ca).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(ca) && certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkHost('a.example')).toBe('a.example');
    expect(certificate.checkIP('192.0.2.1')).toBe('192.0.2.1');
    expect(new Date(certificate.validTo)).toEqual(dates.validTo);
  });

  test('every problem has its sentence, and the plural is right in Russian', () => {
    for (const code of PROBLEMS) expect([code, ru.has(`tls-${code}`)]).toEqual([code, true]);
    const line = (days: number) => ru('tls-ok', { where: 'w', days });
    expect([1, 3, 5].map(line)).toEqual([
      'w: сертификат в порядке, остался 1 день',
      'w: сертификат в порядке, осталось 3 дня',
      'w: сертификат в порядке, осталось 5 дней',
    ]);
  });

  test('the line is amber from 30 days on, red with a problem', () => {
    const report = (daysLeft: number | null, problems: TlsReport['problems']): TlsReport => ({
      endpoint: { id: 'x', host: 'h', port: 443 },
      at: new Date(0),
      durationMs: 1,
      chain: [],
      daysLeft,
      problems,
      verdict: problems[0]?.code ?? 'ok',
    });
    expect([31, 30].map((days) => tlsLine(report(days, [])).state)).toEqual(['ok', 'warn']);
    expect(tlsLine(report(null, [{ code: 'unreachable', detail: 'ECONNREFUSED' }]))).toMatchObject({
      state: 'down',
      text: 'tls-unreachable',
    });
  });
});
