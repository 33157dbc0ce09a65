import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, findSecretShapes, redactShapes } from '../../src/core/redact.ts';
import { Secret } from '../../src/core/secret.ts';

const MASK = '[redacted]';
const knowing = (...secrets: string[]) => {
  const redactor = createRedactor();
  for (const secret of secrets) redactor.learn(new Secret(secret));
  return redactor;
};

describe('learned values', () => {
  const secret = `pa"s&w<o>r'd/ +${'ж'}\\1`;
  it.each<[string, (value: string) => string]>([
    ['raw', (v) => v],
    ['JSON', (v) => JSON.stringify({ a: v })],
    ['JSON inside JSON', (v) => JSON.stringify({ a: JSON.stringify({ b: v }) })],
    [
      'JSON as Go writes it',
      (v) => JSON.stringify(v).replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'),
    ],
    ['an address', (v) => `https://x/?q=${encodeURIComponent(v)}&b=1`],
    ['a form', (v) => new URLSearchParams({ q: v }).toString()],
    ['an address with small hex digits', (v) => encodeURIComponent(v).replace(/%../g, (c) => c.toLowerCase())],
    ['HTML', (v) => v.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')],
    ['base64', (v) => Buffer.from(v).toString('base64')],
    ['base64url', (v) => Buffer.from(v).toString('base64url')],
  ])('are masked in %s form', (_, form) => {
    const written = form(secret);
    const redacted = knowing(secret).redact(`before ${written} after`);
    expect(redacted).toMatch(/^before .*\[redacted\].* after$/s);
    expect(redacted).not.toContain('s&w');
    expect(redacted).not.toContain('%26w');
    expect(redacted.length).toBeLessThan(`before ${written} after`.length);
  });

  it('are masked inside a Basic header, wherever they begin', () => {
    for (const user of ['a', 'ab', 'abc', 'abcd']) {
      const header = Buffer.from(`${user}:correct-horse-battery`).toString('base64');
      expect(knowing('correct-horse-battery').redact(`x ${header}`)).not.toContain(header.slice(8, -4));
    }
  });

  it('lines of a key are masked one by one, and the password of a DSN by itself', () => {
    const redactor = knowing(
      '-----BEGIN X KEY-----\nabcdefghijklmnopqrstuvwxyz\n-----END X KEY-----\n',
      'postgres://vakhta:hunter%232@db/x',
    );
    expect(redactor.redact('line abcdefghijklmnopqrstuvwxyz')).toBe(`line ${MASK}`);
    expect(redactor.redact('password hunter#2 failed; hunter%232')).toBe(`password ${MASK} failed; ${MASK}`);
  });

  it('overlapping values leave no rest', () => {
    expect(knowing('abcdefgh', 'fghijklm').redact('xabcdefghijklmx')).toBe(`x${MASK}x`);
  });

  it('a value that overlaps itself leaves no rest', () => {
    expect(knowing('abab').redact('xababab')).toBe(`x${MASK}`);
  });

  it('a value of three characters is not looked for', () => {
    expect(knowing('abc').redact('abc')).toBe('abc');
  });

  it('no part of the output is a value that was learned, whatever it is and whatever stands around it', () => {
    // Two letters only: values contain, overlap and touch one another.
    const close = fc.string({ minLength: 4, maxLength: 8, unit: fc.constantFrom('a', 'b') });
    const any = fc.string({ minLength: 4, maxLength: 30, unit: 'grapheme' });
    const form = fc.constantFrom<(v: string) => string>(
      (v) => v,
      (v) => JSON.stringify(v).slice(1, -1),
      (v) => encodeURIComponent(v.toWellFormed()),
      (v) => Buffer.from(v).toString('base64url'),
      (v) => Buffer.from(v).toString('base64').replace(/=+$/, ''),
    );
    const secret = fc.oneof(close, any, fc.string({ minLength: 4, maxLength: 30 }));
    const around = fc.oneof(fc.string(), fc.string({ maxLength: 4, unit: fc.constantFrom('a', 'b') }));
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(around, fc.nat(3), form), { minLength: 1, maxLength: 6 }),
        (secrets, parts) => {
          const written = parts.map(([, index, write]) => write(secrets[index % secrets.length]!));
          const text = parts.map(([before], index) => before + written[index]!).join('');
          const rests = knowing(...secrets)
            .redact(text)
            .split(MASK);
          const looked = [...written, ...secrets].filter((value) => value.length >= 4);
          expect(rests.flatMap((rest) => looked.filter((value) => rest.includes(value)))).toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
    expect.assertions(1000);
  });

  it('what is not secret stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', ',', '.', '\n') }), (text) => {
        expect(knowing('XYZ-never-in-the-text').redact(text)).toBe(text);
      }),
    );
  });
});

describe('shapes', () => {
  const UUID = '0f5c1c1e-8a55-4c39-9d0e-4f9f3f1b6a10';
  const TELEGRAM = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0';
  const masked: [string, string][] = [
    [`POST https://api.telegram.org/bot${TELEGRAM}/getMe`, `POST https://api.telegram.org/bot${MASK}/getMe`],
    [`url=%2Fbot${TELEGRAM.replace(':', '%3A')}%2FgetMe`, `url=%2Fbot${MASK}%2FgetMe`],
    [`PVEAPIToken=vakhta@pve!watch=${UUID}`, `PVEAPIToken=vakhta@pve!watch=${MASK}`],
    [`PBSAPIToken=vakhta@pbs!watch:${UUID}`, `PBSAPIToken=vakhta@pbs!watch:${MASK}`],
    [`Authorization: PVEAPIToken=a@pve!b=${UUID}`, `Authorization: ${MASK}`],
    ['authorization: Basic dXNlcjpwYXNz', `authorization: ${MASK}`],
    ['{"Authorization":"Bearer abcdef","x":1}', `{"Authorization":"${MASK}","x":1}`],
    ['{\\"authorization\\":\\"Bearer abc\\",\\"x\\":1}', `{\\"authorization\\":\\"${MASK}\\",\\"x\\":1}`],
    ['curl -H "X-Vault-Token: root" http://v', `curl -H "X-Vault-Token: ${MASK}" http://v`],
    ['said: Bearer abcdefgh123456.', `said: Bearer ${MASK}`],
    ['token hvs.CAESIJ1234567890abcdefghij end', `token ${MASK} end`],
    ['token s.abcdefghijklmnopqrstuvwx end', `token ${MASK} end`],
    ['postgres://vakhta:p@ss/w0rd@db:5432/x', `postgres://vakhta:${MASK}@db:5432/x`],
    ['redis://:secret@redis:6379', `redis://:${MASK}@redis:6379`],
    ['host=db password=hunter2 dbname=x', `host=db password=${MASK} dbname=x`],
    ["password='hunter 2' dbname=x", `password=${MASK} dbname=x`],
    ['PGPASSWORD=hunter2 psql', `PGPASSWORD=${MASK} psql`],
    ['VAKHTA_DB_PASSWORD=hunter2', `VAKHTA_DB_PASSWORD=${MASK}`],
    ['/cb?access_token=abc&x=1', `/cb?access_token=${MASK}&x=1`],
    ['{"client_token":"abc","lease":1}', `{"client_token":"${MASK}","lease":1}`],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP', MASK],
    ['glpat-abcdefghijklmnopqrst', MASK],
    ['a -----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY----- b', `a ${MASK} b`],
    ['cut off: -----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nabc', `cut off: ${MASK}`],
  ];
  it.each(masked)('%j', (text, expected) => {
    expect(redactShapes(text)).toBe(expected);
  });

  it('redacting twice changes nothing more', () => {
    for (const [text] of masked) expect(redactShapes(redactShapes(text))).toBe(redactShapes(text));
  });

  it.each([
    'Basic authentication failed; bearer of bad news',
    'http://prometheus:9090/graph?g0.expr=up{job="a@b"}',
    'https://pve1.example.net:8006',
    'password authentication failed for user "vakhta"',
    `guest UPID:pve1:0000C530:001C9BEC:6512:vzdump:${'100'}:root@pam:`,
    'pgBackRest label 20261123-021503F_20261123-081503I',
    `request ${UUID}`,
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'items.forEach, results.length, 17:25:30, 1234:5678',
    'secret: vault:vakhta/ssh#private_key',
  ])('leaves alone: %s', (text) => {
    expect(redactShapes(text)).toBe(text);
  });

  it('says where a shape stands', () => {
    const text = `a ${TELEGRAM} b`;
    expect(findSecretShapes(text)).toEqual([{ kind: 'telegram-token', start: 2, end: 2 + TELEGRAM.length }]);
  });

  it('a megabyte of unlucky text takes linear time', () => {
    const time = (n: number) => {
      const texts = [
        '://a:',
        'password=',
        '-----BEGIN PRIVATE KEY-----',
        'bearer ',
        'P',
        'secret_',
        '1234567890',
        '://',
        '"token":"',
        'eyJ',
        'PVEAPIToken=x:',
      ];
      const start = process.hrtime.bigint();
      for (const text of texts) redactShapes(text.repeat(Math.ceil(n / text.length)));
      return Number(process.hrtime.bigint() - start) / 1e6;
    };
    time(2_000);
    // Quadratic would be 1024 times, and minutes.
    expect(time(320_000)).toBeLessThan(Math.max(32 * 8 * time(10_000), 3_000));
  });
});

describe('redactDeep', () => {
  it('masks strings, keys and headers at every depth and leaves the rest', () => {
    const at = new Date(0);
    const value = {
      a: ['x hunter22 y', 1, null, true],
      'hunter22-key': at,
      headers: { authorization: 'abc', 'X-Vault-Token': 't' },
    };
    expect(knowing('hunter22').redactDeep(value)).toEqual({
      a: [`x ${MASK} y`, 1, null, true],
      [`${MASK}-key`]: at,
      headers: { authorization: MASK, 'X-Vault-Token': MASK },
    });
    expect(value.a[0]).toBe('x hunter22 y');
  });

  it('masks errors with their causes, and survives a circle', () => {
    const error = new Error('no hunter22', { cause: new Error('hunter22') });
    const circle: Record<string, unknown> = { error };
    circle.self = circle;
    const redacted = knowing('hunter22').redactDeep(circle);
    expect(JSON.stringify(redacted)).not.toContain('hunter22');
    expect(redacted).toMatchObject({ error: { message: `no ${MASK}`, cause: { message: MASK } }, self: '[circular]' });
  });
});
