import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createTlsProber, type TlsProber } from '../../../src/integrations/tls/prober.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { startEndpoints } from '../../../src/simulators/endpoints/index.ts';
import { type CertificateName, startNginxCerts, withComponents } from '../../support/components/index.ts';

interface Subject {
  readonly host: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly roots: string[];
  renew(id: CertificateName, toDays: number): Promise<void>;
  stop(): Promise<void>;
}

withComponents(['nginx', 'openssl'], () => {
  suite(async () => {
    const nginx = await startNginxCerts();
    return { ...nginx, roots: [nginx.root], renew: (id, toDays) => nginx.renew(id, { toDays }) };
  });
});

suite(async () => {
  const simulated = await startEndpoints(
    [
      { id: 'good', toDays: 60 },
      { id: 'expired', toDays: -2 },
      { id: 'soon', toDays: 5 },
      { id: 'wronghost', toDays: 60, names: ['other.example'] },
      { id: 'notyet', fromDays: 1, toDays: 60 },
      { id: 'nochain', toDays: 60, chain: 'leaf-only' },
      { id: 'selfsigned', toDays: 30, chain: 'self-signed' },
    ],
    { now: new Date(), random: systemRandom },
  );
  const { host, ports, ca, stop } = simulated;
  const renew = (id: string, toDays: number) => Promise.resolve(simulated.renew(id, { toDays }, new Date()));
  return { host, ports, roots: [ca], renew, stop };
});

/** nginx with certificates made by openssl, and the simulated endpoints with their own: the same verdicts. */
function suite(start: () => Promise<Subject>): void {
  let subject: Subject;
  let prober: TlsProber;
  beforeAll(async () => {
    subject = await start();
    prober = createTlsProber({ ca: subject.roots }, { clock: systemClock });
  });
  afterAll(() => subject?.stop());
  const at = (id: string) => ({ id, host: subject.host, port: subject.ports[id] ?? 0, servername: 'localhost' });

  test.each([
    ['good', [], 59, 2],
    ['soon', [], 4, 2],
    ['expired', ['expired'], -3, 2],
    ['wronghost', ['wrong-host'], 59, 2],
    ['notyet', ['not-yet-valid'], 59, 2],
    ['nochain', ['incomplete-chain'], 59, 1],
    ['selfsigned', ['self-signed'], 29, 1],
  ])('%s: problems %j, %i days', async (id, problems, days, length) => {
    const report = await prober.probe(at(id));
    expect(report.problems.map((each) => each.code)).toEqual(problems);
    // The start takes a moment, and openssl counts whole seconds.
    expect([days, days + 1]).toContain(report.daysLeft);
    expect(report.chain).toHaveLength(length);
  });

  test('after a renewal the handshake shows another serial and the new days', async () => {
    const before = await prober.probe(at('soon'));
    await subject.renew('soon', 90);
    const after = await prober.probe(at('soon'));
    expect(after.chain[0]?.serial).not.toBe(before.chain[0]?.serial);
    expect([89, 90]).toContain(after.daysLeft);
  });
}
