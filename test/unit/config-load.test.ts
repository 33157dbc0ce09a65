import { describe, expect, it } from 'vitest';
import type { FileContent } from '../../src/config/files.ts';
import { type Loaded, loadConfig, parseConfig, requireConfig } from '../../src/config/load.ts';
import { messages } from '../../src/config/messages.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { catalogue } from '../../src/core/i18n.ts';

const texts = catalogue([messages]);
const lines = (loaded: Loaded, language: 'en' | 'ru' = 'en') =>
  loaded.problems.map((problem) => formatProblem(loaded.file, problem, texts.for(language)));

const SMALL = `site: { name: Home, zone: Europe/Moscow }
telegram:
  token: env:TOKEN
operators:
  - { id: anna, name: Anna, telegram_id: 11, role: admin, totp: env:TOTP }
  - { id: boris, name: Boris, telegram_id: 12, role: operator }
chats:
  - { id: ops, chat_id: -100, topics: { alerts: 2 } }
routes:
  - { chat: ops, topic: alerts }
`;

const parse = (text: string, env = {}) => parseConfig(text, 'vakhta.yaml', env);

/** Problems of the small configuration with one piece replaced, without the file's name. */
const mistakes = (from: string, to: string): string[] => {
  const text = SMALL.replace(from, to);
  expect(text, `"${from}" occurs in the small configuration`).not.toBe(SMALL);
  return lines(parse(text)).map((line) => line.replace('vakhta.yaml:', ''));
};
const withMore = (more: string) => mistakes(SMALL, SMALL + more);

describe('a valid file', () => {
  it('gives the configuration with defaults, languages and zones filled in', () => {
    const loaded = parse(`${SMALL}digest:\n  - { id: morning, chat: ops, at: 08:30 }\n`);
    expect(lines(loaded)).toEqual([]);
    const config = requireConfig(loaded);
    expect(config.telegram).toMatchObject({
      token: { scheme: 'env', name: 'TOKEN' },
      apiRoot: 'https://api.telegram.org',
      mode: 'polling',
      limits: { perGroupPerMinute: 20, perChatPerSecond: 1, overallPerSecond: 30 },
    });
    expect(config.site).toEqual({ id: 'main', name: 'Home', zone: 'Europe/Moscow', language: 'en' });
    expect(config.operators[0]).toEqual({
      id: 'anna',
      name: 'Anna',
      telegramId: 11,
      role: 'admin',
      language: 'en',
      zone: 'Europe/Moscow',
      hasTotp: true,
      totp: { scheme: 'env', name: 'TOTP' },
    });
    expect(config.operators[1]).toMatchObject({ hasTotp: false });
    expect(config.chats[0]).toMatchObject({ chatId: -100, title: 'ops', language: 'en', zone: 'Europe/Moscow' });
    expect(config.digest[0]).toMatchObject({ at: '08:30', zone: 'Europe/Moscow', language: 'en' });
    expect(config.digest[0]?.weekdays).toHaveLength(7);
    expect(config.http).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(config.policy.approveMinutes).toBe(60);
    expect(config.certificates.warnDays).toEqual([30, 14, 7, 3, 1]);
  });

  it('takes a digest’s language and zone from its chat', () => {
    const text = SMALL.replace('chat_id: -100', 'chat_id: -100, language: ru, zone: Asia/Omsk');
    const config = requireConfig(
      parse(`${text}digest: [{ id: d, chat: ops, at: 08:30 }, { id: e, chat: ops, at: 09:00, zone: UTC }]\n`),
    );
    expect(config.digest.map(({ language, zone }) => [language, zone])).toEqual([
      ['ru', 'Asia/Omsk'],
      ['ru', 'UTC'],
    ]);
  });

  it('leaves names that people chose as they are, and renames only keys of the schema', () => {
    const text = SMALL.replace('alerts: 2', 'my_alerts: 2')
      .replace('topic: alerts', 'topic: my_alerts')
      .replace('routes:', 'routes:\n  - { match: { job_name: /pg_.*/, other_label: x }, chat: ops }');
    const config = requireConfig(parse(text));
    expect(Object.keys(config.chats[0]!.topics)).toEqual(['my_alerts']);
    expect(Object.keys(config.routes[0]!.match!)).toEqual(['job_name', 'other_label']);
  });

  it('compares with a regular expression over the whole label, as Alertmanager does', () => {
    const config = requireConfig(
      parse(SMALL.replace('routes:', 'routes:\n  - { match: { job: /pg|redis/ }, chat: ops }')),
    );
    const test = config.routes[0]?.match?.job;
    expect(
      test && 'pattern' in test && ['pg', 'redis', 'pgx', 'xredis'].map((value) => test.pattern.test(value)),
    ).toEqual([true, true, false, false]);
  });

  it('takes connection strings from the environment unless the file names another place', () => {
    const env = { DATABASE_URL: 'postgres://x', REDIS_URL: '' };
    expect(requireConfig(parse(SMALL, env)).database.url).toEqual({ scheme: 'env', name: 'DATABASE_URL' });
    expect(requireConfig(parse(SMALL, env)).queue.redisUrl).toBeUndefined();
    expect(requireConfig(parse(SMALL)).database.url).toBeUndefined();
    expect(requireConfig(parse(`${SMALL}database: { url: file:/run/db }\n`, env)).database.url).toEqual({
      scheme: 'file',
      path: '/run/db',
    });
  });

  it('says where each secret reference stands', () => {
    const loaded = parse(SMALL);
    expect(loaded.ok && loaded.references).toEqual([
      { ref: { scheme: 'env', name: 'TOKEN' }, path: 'telegram.token', line: 3, column: 10 },
      { ref: { scheme: 'env', name: 'TOTP' }, path: 'operators[0].totp', line: 5, column: 65 },
    ]);
  });

  it('follows anchors and aliases', () => {
    const text = SMALL.replace('zone: Europe/Moscow', 'zone: &zone Europe/Moscow').replace(
      'role: operator',
      'role: operator, zone: *zone',
    );
    expect(requireConfig(parse(text)).operators[1]?.zone).toBe('Europe/Moscow');
  });
});

describe('a mistake is reported with its place and how to mend it', () => {
  it('a literal secret, without printing it', () => {
    expect(mistakes('env:TOKEN', 'hunter2-correct-horse')).toEqual([
      '3:10 telegram.token: a literal secret is not allowed here. Put the value into an environment variable and write  token: env:VAKHTA_TELEGRAM_TOKEN',
    ]);
  });

  it('in Russian as well', () => {
    const [line] = lines(parse(SMALL.replace('env:TOKEN', 'hunter2')), 'ru');
    expect(line).toBe(
      'vakhta.yaml:3:10 telegram.token: сам секрет здесь писать нельзя. Поместите значение в переменную окружения и напишите  token: env:VAKHTA_TELEGRAM_TOKEN',
    );
  });

  it('the variable proposed is named after the item', () => {
    const [line] = withMore('proxmox: [{ id: pve-1, url: https://p:8006, token_id: a@pve!watch, token: 1234 }]\n');
    expect(line).toMatch(/^11:\d+ proxmox\[0\]\.token: .* token: env:VAKHTA_PROXMOX_PVE_1_TOKEN$/);
  });

  it('a key in a block is sent to a file', () => {
    const host =
      '  - id: a\n    address: a\n    user: u\n    host_key: SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8\n';
    const key = '-----BEGIN OPENSSH PRIVATE KEY-----\n      c2VjcmV0\n      -----END OPENSSH PRIVATE KEY-----';
    const found = withMore(`hosts:\n${host}    private_key: |\n      ${key}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('private_key: file:/path/to/file');
  });

  it.each([
    ['env:MY-TOKEN', 'env: with a name that is none'],
    ['vault:secret/app', 'vault: without a key'],
    ['file:', 'file: without a path'],
  ])('an incomplete reference %s (%s)', (ref) => {
    expect(mistakes('token: env:TOKEN', `token: "${ref}"`)).toEqual([
      expect.stringContaining('this reference is not complete'),
    ]);
  });

  it('an unknown key, with the near one or with all', () => {
    expect(mistakes('token: env', 'tokn: env')).toEqual([
      '2:1 telegram.token: “token” is missing. Put the value into an environment variable and write  token: env:VAKHTA_TELEGRAM_TOKEN',
      '3:3 telegram.tokn: unknown key. Did you mean “token”?',
    ]);
    expect(mistakes('topic: alerts', 'zzz: alerts')).toEqual([
      '10:18 routes[0].zzz: unknown key. Known here: match, severity, chat, topic, topic_by.',
    ]);
    expect(withMore('postgress: []\n')).toEqual(['11:1 postgress: unknown key. Did you mean “postgres”?']);
  });

  it('wrong types, in words', () => {
    expect(withMore('http: { port: "80" }\n')).toEqual([
      '11:15 http.port: expected a number, found a text. Write it without quotes.',
    ]);
    expect(withMore('http: { port: 8.5 }\n')).toEqual([
      '11:15 http.port: expected a whole number, found a number. Write it without a fraction.',
    ]);
    expect(withMore('policy: { solo: "yes" }\n')).toEqual([
      '11:17 policy.solo: expected true or false, found a text. Write it without quotes.',
    ]);
    expect(withMore('hosts: {}\n')).toEqual([
      '11:8 hosts: expected a list, found a mapping (key: value). Write it as a list, such as [a, b].',
    ]);
    expect(mistakes('name: Home', 'name: 12')).toEqual([
      '1:15 site.name: expected a text, found a number. Put it into quotes.',
    ]);
    expect(mistakes('routes:\n  - { chat: ops, topic: alerts }', 'routes: [ops]')).toContainEqual(
      '9:10 routes[0]: expected a mapping (key: value), found a text. See docs/configuration.md.',
    );
  });

  it('an empty value stands where its key does', () => {
    expect(mistakes('token: env:TOKEN', 'token:')).toEqual([
      '3:3 telegram.token: the value is empty. Fill it in, or remove the line.',
    ]);
  });

  it('numbers out of range, times, zones, addresses, ids', () => {
    expect(withMore('http: { port: 99999 }\n')).toEqual([
      expect.stringMatching(/^11:15 http\.port: too large; .* 65535\.$/),
    ]);
    expect(withMore('retention: { days: 1 }\n')).toEqual([
      expect.stringMatching(/too small; the least possible value is 7\.$/),
    ]);
    expect(withMore('digest: [{ id: d, chat: ops, at: "8:30" }]\n')).toEqual([
      expect.stringContaining('digest[0].at: not a time of day'),
    ]);
    expect(withMore('digest: [{ id: d, chat: ops, at: "24:00" }]\n')).toHaveLength(1);
    expect(mistakes('Europe/Moscow', 'Europe/Moskva')).toEqual([
      expect.stringContaining('1:27 site.zone: unknown time zone'),
    ]);
    expect(mistakes('Europe/Moscow', '"+03:00"')).toHaveLength(1);
    expect(withMore('prometheus: { url: localhost:9090 }\n')).toEqual([expect.stringContaining('not a web address')]);
    expect(mistakes('id: boris', 'id: Boris K')).toEqual([
      expect.stringContaining('operators[1].id: an id has lower-case letters'),
    ]);
    expect(mistakes('role: operator', 'role: opertor')).toContainEqual(
      expect.stringContaining('Did you mean “operator”? Possible: viewer, operator, admin.'),
    );
    expect(mistakes('{ chat: ops, topic: alerts }', '{ chat: ops, severity: warn }')).toContainEqual(
      expect.stringContaining('routes[0].severity: not one of the possible values. Did you mean “warning”?'),
    );
    expect(mistakes('{ chat: ops, topic: alerts }', '{ chat: ops, severity: [warning, x] }')).toContainEqual(
      expect.stringContaining('routes[0].severity[1]: not one of'),
    );
    expect(mistakes('{ chat: ops, topic: alerts }', '{ chat: ops, match: { job: /a)|(b/ } }')).toContainEqual(
      expect.stringContaining('routes[0].match.job: not a valid regular expression'),
    );
  });

  it('a password in an address is refused and not printed', () => {
    const found = withMore('prometheus: { url: "http://admin:hunter2@prom:9090" }\n');
    expect(found).toEqual([
      expect.stringContaining('prometheus.url: an address must not hold a user name and password'),
    ]);
    expect(found.join()).not.toContain('hunter2');
  });

  it('all at once, in the order of the file', () => {
    const found = lines(
      parse(
        SMALL.replace('zone: Europe/Moscow', 'zone: Nowhere/Land')
          .replace('env:TOKEN', 'literal')
          .replace('topic: alerts', 'topic: alrets')
          .replace('id: boris', 'id: anna') + 'nonsense: 1\n',
      ),
    );
    expect(found.map((line) => line.split(' ')[1])).toEqual([
      'site.zone:',
      'telegram.token:',
      'operators[1].id:',
      'routes[0].topic:',
      'nonsense:',
    ]);
  });
});

describe('what looks like a credential is found anywhere', () => {
  const TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0';
  it.each([
    ['a comment', `# old one: ${TOKEN}\n`, 'the token of a Telegram bot'],
    ['the name of a key', `"${TOKEN}": 1\n`, 'the token of a Telegram bot'],
    ['a wrong section', `site_note: hvs.${'A'.repeat(24)}\n`, 'a Vault token'],
    ['a comment in a DSN', '# postgres://vakhta:s3cret@db/vakhta\n', 'a password'],
    ['another section', `x: glpat-${'a1'.repeat(10)}\n`, 'an API token'],
  ])('in %s', (_, more, what) => {
    const found = withMore(more);
    expect(found).toContainEqual(expect.stringMatching(new RegExp(`^11:\\d+ this looks like ${what}`)));
    expect(found.join('\n')).not.toContain('AAHdqTcvCH1');
    expect(found.join('\n')).not.toContain('s3cret');
    expect(found.join('\n')).not.toContain('A'.repeat(24));
    expect(found.join('\n')).not.toContain('a1a1a1');
  });

  it('but references in quotes and ports in addresses are no credentials', () => {
    expect(
      withMore(
        'prometheus: { "url": "http://prom:9090/a@b", "auth": { "basic": { "user": "u", "password": "env:PW" } } }\n',
      ),
    ).toEqual([]);
  });
});

describe('YAML itself', () => {
  it.each([
    ['a tab', 'telegram:\n\ttoken: x', 'does not allow tabs'],
    ['a missing bracket', 'site: { name: x', 'a bracket or quote is not closed'],
    ['a missing quote', 'site:\n  name: "x\n', 'a character is missing'],
    ['two documents', `${SMALL}---\n${SMALL}`, 'more than one document'],
    ['an alias without anchor', 'site: *nothing', 'has no anchor'],
    ['a bad escape', 'site: "\\q"', 'unknown escape'],
  ])('%s', (_, text, said) => {
    expect(lines(parse(text))).toContainEqual(expect.stringContaining(said));
  });

  it('a key that occurs twice is reported beside everything else', () => {
    const found = mistakes('token: env:TOKEN', 'token: env:TOKEN\n  token: literal');
    expect(found).toEqual([
      expect.stringMatching(/^4:3 this key occurs twice/),
      expect.stringMatching(/^4:10 telegram\.token: a literal secret/),
    ]);
  });

  it('aliases cannot fill the memory', () => {
    const bomb = [
      'a0: &a0 [x,x,x,x,x,x,x,x,x,x]',
      ...Array.from({ length: 8 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`),
    ];
    expect(lines(parse(bomb.join('\n')))).toContainEqual(expect.stringContaining('more than 100 aliases'));
  });

  it('its messages never quote the file', () => {
    const found = lines(parse('telegram:\n  token: "123:hunter2\n  x: [hunter2'));
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).not.toContain('hunter2');
  });

  it.each([
    ['', 'is empty'],
    ['# only a comment\n', 'is empty'],
    ['- a\n', 'must be a mapping'],
    ['x'.repeat(1_000_001), 'more than 1000000'],
  ])('no configuration at all (%#)', (text, said) =>
    expect(lines(parse(text))).toEqual([expect.stringContaining(said)]),
  );
});

describe('loadConfig', () => {
  const files =
    (content: Record<string, string>) =>
    async (path: string): Promise<FileContent> => {
      const text = content[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return { text, mode: 0o600 };
    };

  it('reads the path given, then VAKHTA_CONFIG, then config/vakhta.yaml', async () => {
    const readFile = files({ 'a.yaml': SMALL, 'b.yaml': SMALL, 'config/vakhta.yaml': SMALL });
    const file = async (options: { path?: string }, env: Record<string, string>) =>
      (await loadConfig({ ...options, env, readFile })).file;
    expect(await file({ path: 'a.yaml' }, { VAKHTA_CONFIG: 'b.yaml' })).toBe('a.yaml');
    expect(await file({}, { VAKHTA_CONFIG: 'b.yaml' })).toBe('b.yaml');
    expect(await file({}, { VAKHTA_CONFIG: '' })).toBe('config/vakhta.yaml');
  });

  it('says what to do when there is no file, or it cannot be read', async () => {
    expect(lines(await loadConfig({ env: {}, readFile: files({}) }))).toEqual([
      expect.stringContaining('Copy config/vakhta.example.yaml'),
    ]);
    const denied = async () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }));
    expect(lines(await loadConfig({ env: {}, readFile: denied }))).toEqual([
      expect.stringContaining('cannot be read (EACCES)'),
    ]);
  });

  it('requireConfig throws one usage error that lists everything', () => {
    const bad = parse(SMALL.replace('env:TOKEN', 'hunter2').replace('Europe/Moscow', 'x/y'));
    const thrown = (() => {
      try {
        return requireConfig(bad);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(VakhtaError);
    expect(thrown).toMatchObject({
      kind: 'usage',
      code: 'config-invalid',
      exitCode: 2,
      args: { file: 'vakhta.yaml', count: 2 },
    });
    expect((thrown as VakhtaError).message.split('\n')).toHaveLength(2);
    expect((thrown as VakhtaError).message).not.toContain('hunter2');
  });
});
