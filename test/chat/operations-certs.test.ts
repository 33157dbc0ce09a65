import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import certificateCard from '../../src/bot/cards/certificate.ts';
import { type Clock, days, systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createTlsProber } from '../../src/integrations/tls/prober.ts';
import { type SimulatedEndpoint, startEndpoints } from '../../src/simulators/endpoints/index.ts';
import { cardsOf } from '../../src/store/cards.ts';
import { createCertificateWatch } from '../../src/tasks/certificates.ts';
import certs from '../../src/tasks/operations/certs.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shown, shownRun } from './support/shown.ts';

const CHAT = -1001;

/** The system's time, moved: handshakes stay real, only what they say about days is seen from another day. */
function movableClock(): Clock & { move(days: number): void } {
  let shift = 0;
  return {
    ...systemClock,
    now: () => new Date(systemClock.now().getTime() + shift),
    move: (by) => {
      shift += days(by);
    },
  };
}

async function openCerts(simulated: readonly SimulatedEndpoint[], extra: readonly Record<string, unknown>[] = []) {
  const time = movableClock();
  const servers = await startEndpoints(simulated, { now: time.now(), random: systemRandom });
  let isUp = true;
  const stop = async () => {
    if (isUp) await servers.stop();
    isUp = false;
  };
  onTestFinished(stop);
  const endpoints = [
    ...simulated.map(({ id }) => ({ id, host: '127.0.0.1', servername: 'localhost', port: servers.ports[id] })),
    ...extra,
  ];
  const config = configWith({ certificates: { endpoints } });
  const ports: { certificates?: ReturnType<typeof createCertificateWatch> } = {};
  const life = await openLife({ operations: [certs], ports, time });
  ports.certificates = createCertificateWatch({
    db: life.db,
    clock: time,
    // A handshake takes as long as a busy machine needs; nobody here is silent.
    prober: createTlsProber({ ca: [servers.ca], limitMs: 45_000 }, { clock: time }),
    config,
    place: () => ({ chat: CHAT }),
  });
  const look = async (endpoint?: string) => {
    const { id } = await life.requests.request(as('vera'), 'certs', endpoint === undefined ? {} : { endpoint });
    await life.deliver();
    return life.run(id);
  };
  const states = async (endpoint?: string) => {
    const result = z
      .object({
        rows: z.array(
          z.object({ id: z.string(), state: z.string(), seen: z.object({ problems: z.array(z.string()) }) }),
        ),
      })
      .parse((await look(endpoint)).result);
    return Object.fromEntries(result.rows.map(({ id, state, seen }) => [id, [state, ...seen.problems].join(' ')]));
  };
  const warnings = async (id: string) => {
    const { rows } = await life.db.query(
      `select ref, priority from cards where kind = 'certificate' and ref like $1 order by created_at`,
      [`${id}@%`],
    );
    return rows as { ref: string; priority: number }[];
  };
  const draw = async (ref: string) => {
    const [card] = await cardsOf(life.db, 'certificate', ref);
    if (!card) throw new Error(`no card ${ref}`);
    return shown(
      async (context) => {
        const doc = await certificateCard.render(context, card);
        if (doc === 'gone') throw new Error('the card is gone');
        return doc;
      },
      life,
      [certs],
      time.now(),
      config,
    );
  };
  return { life, time, servers, stop, look, states, warnings, draw };
}

describe('/certs', () => {
  it('gives each endpoint its verdict', async () => {
    const { states, look, life, time } = await openCerts(
      [
        { id: 'good', toDays: 80 },
        { id: 'soon', toDays: 5.5 },
        { id: 'expired', toDays: -2 },
        { id: 'early', fromDays: 3, toDays: 90 },
        { id: 'elsewhere', toDays: 80, names: ['other.example'] },
        { id: 'selfmade', toDays: 80, chain: 'self-signed' },
        { id: 'leaf', toDays: 80, chain: 'leaf-only' },
      ],
      [{ id: 'away', host: '127.0.0.1', port: 1 }],
    );
    const all = await states();
    expect(all).toMatchObject({
      good: 'ok',
      soon: 'expiring',
      expired: expect.stringMatching(/^broken expired/) as string,
      early: expect.stringMatching(/^broken not-yet-valid/) as string,
      elsewhere: 'broken wrong-host',
      selfmade: 'broken self-signed',
      leaf: 'broken incomplete-chain',
      // Nobody answered: that is no verdict about a certificate, and never a green one.
      away: 'unknown unreachable',
    });
    const run = await look();
    const { en, ru } = await shownRun(run, life, [certs], time.now());
    expect(en.text).toContain('7 of 8 need attention');
    expect(ru.text).toContain('требуют внимания: 7 из 8');
    expect(ru.text).toContain('неполная цепочка');
    // The worst stands first.
    const [worst, best] = [en.text.indexOf('has expired'), en.text.indexOf('79 days')];
    expect(worst).toBeGreaterThan(0);
    expect(best).toBeGreaterThan(worst);
    const one = await look('elsewhere');
    expect((await shownRun(one, life, [certs], time.now())).en.text).toContain('other.example');
  });

  it('an endpoint that is not declared is refused', async () => {
    const { look } = await openCerts([{ id: 'web', toDays: 80 }]);
    expect(await look('nobody')).toMatchObject({
      state: 'failed',
      error: { code: 'not-declared', args: { known: 'web' } },
    });
  });

  it('warns at 30, 14, 7, 3 and 1 days and when it is over, once each, louder at the end', async () => {
    const { time, look, warnings, draw } = await openCerts([{ id: 'web', toDays: 40.5 }]);
    const refs = async () => (await warnings('web')).map(({ ref }) => ref.replace('web@', ''));
    await look();
    expect(await refs()).toEqual([]);
    const steps: [number, string[]][] = [
      [9, []],
      [2, ['30']],
      [10, ['30']],
      [6, ['30', '14']],
      [7, ['30', '14', '7']],
      [4, ['30', '14', '7', '3']],
      [1, ['30', '14', '7', '3', '1']],
      [2, ['30', '14', '7', '3', '1', '0']],
    ];
    for (const [by, expected] of steps) {
      time.move(by);
      await look();
      await look();
      expect(await refs(), `${by} days later`).toEqual(expected);
    }
    expect((await warnings('web')).map(({ priority }) => priority)).toEqual([2, 2, 2, 0, 0, 0]);
    expect((await draw('web@30')).en.icon).toBe('critical');
    expect((await draw('web@14')).ru.text).toContain('клиенты отвергают сертификат');
  });

  it('a renewal turns every card green, and the next certificate is warned of anew', async () => {
    const { life, time, servers, look, warnings, draw } = await openCerts([{ id: 'web', toDays: 10.5 }]);
    await look();
    time.move(6);
    await look();
    expect((await warnings('web')).map(({ ref }) => ref)).toEqual(['web@14', 'web@7']);
    for (const ref of ['web@14', 'web@7']) expect((await draw(ref)).en.icon).toBe('warning');
    const [before] = await cardsOf(life.db, 'certificate', 'web@14');
    // Telegram has the message; the renewal edits it.
    await life.db.query(`update cards set message_id = 7 where ref = 'web@14'`);
    servers.renew('web', { fromDays: -7, toDays: 80 }, time.now());
    await look();
    const [after] = await cardsOf(life.db, 'certificate', 'web@14');
    expect(after?.rev).toBeGreaterThan(before?.rev ?? 0);
    expect(after?.messageId).toBe(7);
    for (const ref of ['web@14', 'web@7']) {
      const { en, ru } = await draw(ref);
      expect(en.text).toContain('certificate is good');
      expect(ru.text).toContain('сертификат в порядке');
    }
    servers.renew('web', { fromDays: -7, toDays: 12.5 }, time.now());
    await look();
    const [anew] = await cardsOf(life.db, 'certificate', 'web@14');
    // A message of its own: an edit of the old one would ring no bell.
    expect(anew?.messageId).toBeUndefined();
  });

  it('what cannot be reached is unknown, whatever was known before', async () => {
    const { states, stop, draw, look } = await openCerts([{ id: 'web', toDays: 10.5 }]);
    await look();
    await stop();
    expect(await states()).toEqual({ web: 'unknown unreachable' });
    const { en } = await draw('web@14');
    expect(en.icon).toBe('unknown');
    expect(en.text).toContain('certificate not seen');
    expect(en.text).not.toContain('Renew it');
  });
});
