import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { editDistance, suggest } from '../../src/config/suggest.ts';
import fc from 'fast-check';

/** A valid configuration as data (JSON is YAML), to be changed by each test. */
const valid = () => ({
  site: { name: 'Home', zone: 'UTC' },
  telegram: { token: 'env:TOKEN' } as Record<string, unknown>,
  operators: [
    { id: 'anna', name: 'Anna', telegram_id: 11, role: 'admin', totp: 'env:TOTP' },
    { id: 'boris', name: 'Boris', telegram_id: 12, role: 'operator' },
  ] as Record<string, unknown>[],
  chats: [
    { id: 'ops', chat_id: -100, topics: { alerts: 2 } },
    { id: 'anna', chat_id: 11 },
  ] as Record<string, unknown>[],
  routes: [
    { severity: 'critical', chat: 'anna' },
    { chat: 'ops', topic: 'alerts' },
  ] as Record<string, unknown>[],
  hosts: [{ id: 'pg', address: 'pg', user: 'v', private_key: 'env:KEY', host_key: `SHA256:${'a'.repeat(43)}` }],
  postgres: [{ id: 'main', stanza: 'main', host: 'pg' }] as Record<string, unknown>[],
  certificates: { endpoints: [{ id: 'web', host: 'web', owner: 'anna' }] as Record<string, unknown>[] },
  digest: [{ id: 'morning', chat: 'ops', at: '08:00' }] as Record<string, unknown>[],
});
type Draft = ReturnType<typeof valid> & Record<string, unknown>;

/** `path: text key` of every problem after a change. */
function after(change: (draft: Draft) => void): string[] {
  const draft: Draft = valid();
  change(draft);
  return parseConfig(JSON.stringify(draft), 'x', {}).problems.map(({ path, text }) => `${path}: ${text}`);
}

describe('what one place says of another', () => {
  it('has nothing to say of a valid configuration', () => {
    expect(after(() => {})).toEqual([]);
  });

  it.each<[string, (draft: Draft) => void, string]>([
    ['two operators with one id', (d) => (d.operators[1]!.id = 'anna'), 'operators[1].id: cfg-duplicate'],
    [
      'two operators with one Telegram id',
      (d) => (d.operators[1]!.telegram_id = 11),
      'operators[1].telegram_id: cfg-duplicate',
    ],
    ['two names for one chat', (d) => (d.chats[1]!.chat_id = -100), 'chats[1].chat_id: cfg-duplicate'],
    ['two chats with one name', (d) => (d.chats[1]!.id = 'ops'), 'chats[1].id: cfg-duplicate'],
    ['two hosts with one name', (d) => d.hosts.push(d.hosts[0]!), 'hosts[1].id: cfg-duplicate'],
    ['two clusters with one name', (d) => d.postgres.push(d.postgres[0]!), 'postgres[1].id: cfg-duplicate'],
    ['two digests with one name', (d) => d.digest.push(d.digest[0]!), 'digest[1].id: cfg-duplicate'],
    [
      'two endpoints with one name',
      (d) => d.certificates.endpoints.push({ id: 'web', host: 'b' }),
      'certificates.endpoints[1].id: cfg-duplicate',
    ],
    [
      'the anonymous administrator as a person',
      (d) => (d.operators[1]!.telegram_id = 1087968824),
      'operators[1].telegram_id: cfg-nobody',
    ],
    [
      'a route to an unknown chat, nearly right',
      (d) => (d.routes[1]!.chat = 'opps'),
      'routes[1].chat: cfg-unknown-ref-near',
    ],
    ['a route to an unknown chat', (d) => (d.routes[0]!.chat = 'xyz'), 'routes[0].chat: cfg-unknown-ref'],
    ['a route to an unknown topic', (d) => (d.routes[1]!.topic = 'alertz'), 'routes[1].topic: cfg-unknown-ref-near'],
    ['a topic in a chat without topics', (d) => (d.routes[0]!.topic = 'a'), 'routes[0].topic: cfg-unknown-ref-none'],
    ['a digest to an unknown chat', (d) => (d.digest[0]!.chat = 'zzz'), 'digest[0].chat: cfg-unknown-ref'],
    ['a digest to an unknown topic', (d) => (d.digest[0]!.topic = 'zzz'), 'digest[0].topic: cfg-unknown-ref'],
    ['a chat where nothing goes', (d) => d.routes.shift(), 'chats[1]: cfg-chat-no-route'],
    ['a private chat with a stranger', (d) => (d.chats[1]!.chat_id = 99), 'chats[1].chat_id: cfg-private-stranger'],
    ['a route that hides the next', (d) => delete d.routes[0]!.severity, 'routes[0]: cfg-route-hides'],
    ['no default route', (d) => (d.routes[1]!.severity = 'info'), 'routes[1]: cfg-no-default-route'],
    ['an unknown host', (d) => (d.postgres[0]!.host = 'gp'), 'postgres[0].host: cfg-unknown-ref-near'],
    ['a host called local', (d) => (d.hosts[0]!.id = 'local'), 'hosts[0].id: cfg-host-local'],
    [
      'an unknown owner',
      (d) => (d.certificates.endpoints[0]!.owner = 'carl'),
      'certificates.endpoints[0].owner: cfg-unknown-ref',
    ],
    ['webhook mode without its section', (d) => (d.telegram.mode = 'webhook'), 'telegram.mode: cfg-webhook-missing'],
    [
      'two kinds of credentials',
      (d) => (d.prometheus = { url: 'http://p', auth: { bearer: 'env:A', basic: { user: 'u', password: 'env:B' } } }),
      'prometheus.auth: cfg-auth-one',
    ],
    ['no credentials in auth', (d) => (d.prometheus = { url: 'http://p', auth: {} }), 'prometheus.auth: cfg-auth-one'],
    ['a Vault reference without Vault', (d) => (d.telegram.token = 'vault:a/b#c'), 'telegram.token: cfg-vault-missing'],
    [
      'Vault opened by Vault',
      (d) => (d.vault = { url: 'http://v', role_id: 'r', secret_id: 'vault:a/b#c' }),
      'vault.secret_id: cfg-vault-self',
    ],
    [
      'somebody on watch who is unknown',
      (d) => (d.watch = { rotation: { people: ['anna', 'bors'], starts: '2026-01-05' } }),
      'watch.rotation.people[1]: cfg-unknown-ref-near',
    ],
    [
      'somebody on watch who may only look',
      (d) => {
        d.operators.push({ id: 'dora', name: 'Dora', telegram_id: 13, role: 'viewer' });
        d.watch = { rotation: { people: ['dora'], starts: '2026-01-05' } };
      },
      'watch.rotation.people[0]: cfg-unknown-ref',
    ],
    [
      'an override for somebody unknown',
      (d) => (d.watch = { overrides: [{ person: 'xyz', from: '2026-01-01 10:00', to: '2026-01-01 12:00' }] }),
      'watch.overrides[0].person: cfg-unknown-ref',
    ],
    [
      'an override that ends before it begins, written in both ways',
      (d) => (d.watch = { overrides: [{ person: 'anna', from: '2026-01-01T10:00', to: '2026-01-01 09:59' }] }),
      'watch.overrides[0].to: cfg-time-order',
    ],
    [
      'an override that takes no time',
      (d) => (d.watch = { overrides: [{ person: 'anna', from: '2026-01-01 10:00', to: '2026-01-01T10:00' }] }),
      'watch.overrides[0].to: cfg-time-order',
    ],
    [
      'a day that is none',
      (d) => (d.watch = { rotation: { people: ['anna'], starts: '2026-13-01' } }),
      'watch.rotation.starts: cfg-bad-date',
    ],
    [
      'a drill in an unknown chat',
      (d) => (d.drill = { chat: 'opps', at: '11:00' }),
      'drill.chat: cfg-unknown-ref-near',
    ],
    [
      'a drill in an unknown topic',
      (d) => (d.drill = { chat: 'ops', topic: 'alertz', at: '11:00' }),
      'drill.topic: cfg-unknown-ref-near',
    ],
    [
      'Docker on an unknown host',
      (d) => (d.docker = [{ id: 'd', host: 'gp' }]),
      'docker[0].host: cfg-unknown-ref-near',
    ],
    [
      'two engines with one name',
      (d) =>
        (d.docker = [
          { id: 'd', host: 'pg' },
          { id: 'd', host: 'local' },
        ]),
      'docker[1].id: cfg-duplicate',
    ],
    [
      'two probes with one name',
      (d) =>
        (d.probes = [
          { id: 'p', kind: 'icmp', target: 'a' },
          { id: 'p', kind: 'icmp', target: 'b' },
        ]),
      'probes[1].id: cfg-duplicate',
    ],
    [
      'log lines of an unknown host',
      (d) => (d.logs = [{ match: {}, host: 'gp' }]),
      'logs[0].host: cfg-unknown-ref-near',
    ],
    [
      'a probe whose target is of another kind',
      (d) => (d.probes = [{ id: 'dns', kind: 'tcp', target: 'https://dns.example.net' }]),
      'probes[0].target: cfg-probe-target',
    ],
    [
      'a probe of a host that ping would take for an option',
      (d) => (d.probes = [{ id: 'gw', kind: 'icmp', target: '-f' }]),
      'probes[0].target: cfg-probe-target',
    ],
    ['log lines of nowhere', (d) => (d.logs = [{ match: {}, unit: 'nginx' }]), 'logs[0]: cfg-log-source'],
    [
      'log lines of two places',
      (d) => {
        d.loki = { url: 'http://loki' };
        d.logs = [{ match: {}, host: 'pg', loki: '{a="b"}' }];
      },
      'logs[0]: cfg-log-source',
    ],
    ['Loki without its address', (d) => (d.logs = [{ match: {}, loki: '{a="b"}' }]), 'logs[0].loki: cfg-loki-missing'],
    [
      'two kinds of credentials for Loki',
      (d) => (d.loki = { url: 'http://l', auth: { bearer: 'env:A', basic: { user: 'u', password: 'env:B' } } }),
      'loki.auth: cfg-auth-one',
    ],
  ])('%s', (_, change, expected) => {
    expect(after(change)).toContain(expected);
  });

  it('the watch, log lines, engines and probes are in order when they point at what exists', () => {
    expect(
      after((d) => {
        d.watch = {
          rotation: { people: ['boris', 'anna'], starts: '2026-01-05' },
          overrides: [{ person: 'anna', from: '2026-12-31T23:00', to: '2027-01-01 01:00' }],
        };
        d.drill = { chat: 'ops', topic: 'alerts', at: '11:00' };
        d.docker = [
          { id: 'here', host: 'local' },
          { id: 'there', host: 'pg' },
        ];
        d.loki = { url: 'http://loki' };
        d.logs = [
          { match: { unit: '/.+/' }, host: '{{host}}', unit: '{{unit}}' },
          { match: {}, loki: '{service="{{service}}"}' },
        ];
        d.probes = [{ id: 'gateway', kind: 'icmp', target: '192.0.2.1' }];
      }),
    ).toEqual([]);
  });

  it('a chat may be the aim of a digest only, or for commands only', () => {
    expect(
      after((d) => {
        d.routes.shift();
        d.digest[0]!.chat = 'anna';
      }),
    ).toEqual([]);
    expect(
      after((d) => {
        d.routes.shift();
        d.chats[1]!.purpose = 'commands';
      }),
    ).toEqual([]);
  });

  it('postgres may run on the worker’s own machine', () => {
    expect(after((d) => (d.postgres[0]!.host = 'local'))).toEqual([]);
  });

  it('is not hidden by a mistake in the same entry', () => {
    const found = after((d) => {
      d.routes[1]!.chat = 'opps';
      d.routes[1]!.nonsense = 1;
      d.operators[1]!.id = 'anna';
      d.operators[1]!.role = 'boss';
    });
    expect(found).toEqual(
      expect.arrayContaining([
        'routes[1].chat: cfg-unknown-ref-near',
        'routes[1].nonsense: cfg-unknown-key',
        'operators[1].id: cfg-duplicate',
        'operators[1].role: cfg-bad-option',
      ]),
    );
  });

  it('a duplicate names the line of the first', () => {
    const draft = valid();
    draft.operators[1]!.id = 'anna';
    const [problem] = parseConfig(JSON.stringify(draft, null, 1), 'x', {}).problems;
    expect(problem?.args).toEqual({ value: 'anna', line: 11 });
  });
});

describe('warnings do not keep the program from starting', () => {
  const warnings = (change: (draft: Draft) => void) => {
    const draft: Draft = valid();
    change(draft);
    const loaded = parseConfig(JSON.stringify(draft), 'x', {});
    expect(loaded.ok).toBe(true);
    return loaded.problems.map(({ severity, text }) => `${severity} ${text}`);
  };
  it('nobody can approve what is destructive', () => {
    expect(warnings((d) => (d.operators[0]!.role = 'operator'))).toEqual(['warning cfg-no-admin']);
    expect(warnings((d) => (d.operators[1]!.role = 'viewer'))).toEqual(['warning cfg-no-second']);
  });
  it('solo needs a step-up code', () => {
    expect(
      warnings((d) => {
        d.policy = { solo: true };
        d.operators.pop();
      }),
    ).toEqual([]);
    expect(
      warnings((d) => {
        d.policy = { solo: true };
        delete d.operators[0]!.totp;
      }),
    ).toEqual(['warning cfg-solo-no-totp']);
  });
});

describe('suggestions', () => {
  it('finds slips, swaps, case, dashes and unique beginnings; nothing for another word', () => {
    const known = ['telegram_id', 'role', 'name', 'language', 'warning'];
    expect(
      ['telegramid', 'Telegram-Id', 'rloe', 'lang', 'warn', 'password'].map((word) => suggest(word, known)),
    ).toEqual(['telegram_id', 'telegram_id', 'role', 'language', 'warning', undefined]);
  });
  it('the distance is symmetric, zero for the same word only, and no longer than the longer word', () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});
