import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/core/i18n.ts';
import { Secret } from '../../src/core/secret.ts';
import { createAlertmanager } from '../../src/integrations/alertmanager/alertmanager.ts';
import { formatMatcher, matchesEmpty, narrows } from '../../src/integrations/alertmanager/matchers.ts';
import { messages as alertmanagerMessages } from '../../src/integrations/alertmanager/messages.ts';
import { type Auth, errorText } from '../../src/integrations/prometheus/http.ts';
import { messages } from '../../src/integrations/prometheus/messages.ts';
import { createPrometheus, parseValue } from '../../src/integrations/prometheus/prometheus.ts';
import { contract, haveContracts } from '../support/contracts.ts';
import { createManualClock } from '../support/manual-clock.ts';

const ru = catalogue([messages, alertmanagerMessages]).for('ru');
const signal = new AbortController().signal;

/** Answers each path with a fixed text; keeps what was asked. */
const answering = (answers: Readonly<Record<string, string | [number, string]>>) => {
  const asked: { url: string; headers: Headers; redirect: string | undefined }[] = [];
  const answer: typeof fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push({ url, headers: new Headers(init?.headers), redirect: init?.redirect });
    const found = Object.entries(answers).find(([path]) => new URL(url).pathname.endsWith(path))?.[1] ?? [404, ''];
    const [status, text] = typeof found === 'string' ? [200, found] : found;
    return Promise.resolve(new Response(text, { status }));
  };
  return { fetch: answer, asked, clock: createManualClock() };
};

describe('values and errors', () => {
  test.each([
    ['NaN', Number.NaN],
    ['+Inf', Infinity],
    ['-Inf', -Infinity],
    ['0e+00', 0],
    ['1.5', 1.5],
    ['', Number.NaN],
  ])('%j is %d', (text, value) => expect(parseValue(text)).toBe(value));

  test('an error may be a bare string, an object, Prometheus’ own, or a proxy’s page', () => {
    expect(errorText('"silence not found"\n')).toBe('silence not found');
    expect(errorText('{"code":601,"message":"m"}')).toBe('m');
    expect(errorText('{"status":"error","errorType":"bad_data","error":"e"}')).toBe('e');
    expect(errorText('<html>\n502</html>')).toBe('<html> 502</html>');
    expect(errorText('x'.repeat(500))).toHaveLength(300);
  });
});

describe('login', () => {
  const asked = async (auth: Auth | undefined) => {
    const edges = answering({ '/api/v1/alerts': '{"status":"success","data":{"alerts":[]}}' });
    await createPrometheus({ url: 'https://prom.example/prefix/', ...(auth ? { auth } : {}) }, edges).alerts();
    return edges.asked[0];
  };
  test('bearer, basic, none; a path prefix stays; redirects are not followed', async () => {
    const secret = () => Promise.resolve(new Secret('sésame'));
    const bearer = await asked({ kind: 'bearer', token: () => Promise.resolve(new Secret('t0ken')) });
    expect(bearer).toMatchObject({ url: 'https://prom.example/prefix/api/v1/alerts', redirect: 'manual' });
    expect(bearer?.headers.get('authorization')).toBe('Bearer t0ken');
    const basic = await asked({ kind: 'basic', user: 'u', password: secret });
    expect(basic?.headers.get('authorization')).toBe(`Basic ${Buffer.from('u:sésame').toString('base64')}`);
    expect((await asked(undefined))?.headers.has('authorization')).toBe(false);
  });

  test('refusals: login permanent, 5xx transient, another program is told as such; no secret in the address is shown', async () => {
    const url = 'http://user:hidden-password@prom.example:9090';
    const port = (answer: [number, string]) => createPrometheus({ url }, answering({ '/api/v1/query': answer }));
    const failing = (answer: [number, string]) =>
      port(answer)
        .query('up')
        .catch((error: unknown) => error);
    expect(await failing([401, 'Unauthorized'])).toMatchObject({ kind: 'permanent', code: 'prometheus-login' });
    expect(await failing([503, 'down'])).toMatchObject({ kind: 'transient', code: 'prometheus-refused' });
    expect(await failing([400, '{"status":"error","errorType":"bad_data","error":"parse error"}'])).toMatchObject({
      kind: 'permanent',
      args: { detail: 'parse error' },
    });
    for (const answer of [
      [302, ''],
      [200, '<html>'],
      [200, '{"status":"success"}'],
    ] as [number, string][]) {
      const error = await failing(answer);
      expect(error).toMatchObject({ kind: 'permanent', args: { where: 'prom.example:9090' } });
      expect(String(error)).not.toContain('hidden-password');
    }
  });

  test('nobody there and no answer within the time are transient', async () => {
    const refused = Object.assign(new TypeError('fetch failed'), {
      cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    });
    const clock = createManualClock();
    const port = createPrometheus({ url: 'http://p' }, { clock, fetch: () => Promise.reject(refused) });
    await expect(port.alerts()).rejects.toMatchObject({
      kind: 'transient',
      code: 'prometheus-unreachable',
      args: { reason: 'ECONNREFUSED' },
    });
    const hanging: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    const asking = createPrometheus({ url: 'http://p', timeoutMs: 3000 }, { clock, fetch: hanging })
      .alerts()
      .catch((error: unknown) => error);
    await clock.advance(3000);
    expect(await asking).toMatchObject({ kind: 'transient', args: { reason: 'timeout' } });
  });
});

describe.skipIf(!haveContracts)('recorded answers of Prometheus 2.42', () => {
  const recorded = (name: string): string => {
    const file = contract('prometheus-samples', 'prometheus-2.42-api-recorded.json') as {
      recordings: { name: string; body: unknown }[];
    };
    return JSON.stringify(file.recordings.find((each) => each.name === name)?.body);
  };
  const port = (path: string, name: string) =>
    createPrometheus({ url: 'http://p:9090' }, answering({ [path]: recorded(name) }));
  const query = (name: string) => port('/api/v1/query', name).query('x');

  test('vectors, scalars, NaN and infinity', async () => {
    expect(await query('query-vector')).toMatchObject([{ metric: { job: 'prometheus' }, value: 1 }, { value: 0 }]);
    expect(await query('query-scalar')).toEqual([{ metric: {}, at: new Date(1795425621563), value: 1 }]);
    expect(await query('query-matrix')).toMatchObject([{ value: 1 }, { value: 0 }]);
    expect((await query('query-nan'))[0]?.value).toBeNaN();
    expect((await query('query-inf'))[0]?.value).toBe(Infinity);
    expect((await query('query-neginf'))[0]?.value).toBe(-Infinity);
    expect(await query('query-empty')).toEqual([]);
  });

  test('rules, targets, alerts', async () => {
    const rules = await port('/api/v1/rules', 'rules').rules();
    expect(rules[0]).toMatchObject({ type: 'recording', group: 'test', name: 'job:up:sum' });
    expect(rules.find((rule) => rule.name === 'SlowPending')).toMatchObject({ state: 'pending', duration: 600 });
    const prometheus = port('/api/v1/targets', 'targets');
    expect((await prometheus.targets()).map(({ instance, health }) => [instance, health])).toEqual([
      ['127.0.0.1:19999', 'down'],
      ['127.0.0.1:19090', 'up'],
    ]);
    const line = await prometheus.probe(signal);
    expect(line).toMatchObject({ state: 'warn', text: 'prometheus-targets-down', args: { down: 1, targets: 2 } });
    expect(ru(line.text, line.args)).toBe(
      'Prometheus p:9090: не отвечают 1 из 2, первая — down 127.0.0.1:19999. Подробности там же: Status → Targets.',
    );
    const alerts = await port('/api/v1/alerts', 'alerts').alerts();
    expect(alerts.map(({ state, value }) => [state, value])).toEqual([
      ['firing', 0],
      ['pending', 0],
      ['firing', 1],
    ]);
  });
});

describe('Alertmanager matchers', () => {
  const matcher = (value: string, isRegex = false, isEqual = true) => ({ name: 'a', value, isRegex, isEqual });
  test('written as amtool does', () => {
    expect(formatMatcher(matcher('x'))).toBe('a="x"');
    expect(formatMatcher(matcher('x', true, false))).toBe('a!~"x"');
    expect(formatMatcher(matcher('say "hi"\\\n', false, false))).toBe(String.raw`a!="say \"hi\"\\\n"`);
  });

  test('which let an absent label pass, and which make a silence narrow', () => {
    expect(
      [matcher(''), matcher('.*', true), matcher('x|', true), matcher('x', false, false)].map(matchesEmpty),
    ).toEqual([true, true, true, true]);
    expect([matcher('x'), matcher('.+', true), matcher('', false, false)].map(matchesEmpty)).toEqual([
      false,
      false,
      false,
    ]);
    expect([matcher('x'), matcher('pve.*', true)].map(narrows)).toEqual([true, true]);
    expect(
      [
        matcher('.+', true),
        matcher('(.+)', true),
        matcher('.', true),
        matcher('(', true),
        matcher('', false, false),
      ].map(narrows),
    ).toEqual([false, false, false, false, false]);
  });

  test('a silence from an old Alertmanager without isEqual counts as an equality; the cluster’s state is told', async () => {
    const silence = {
      id: '1',
      status: { state: 'active' },
      matchers: [{ name: 'a', value: 'x', isRegex: false }],
      startsAt: '2026-01-01T00:00:00Z',
      endsAt: '2026-01-02T00:00:00Z',
      createdBy: 'b',
      comment: 'c',
    };
    const status = {
      uptime: '2026-01-01T00:00:00Z',
      cluster: { status: 'settling' },
      versionInfo: { version: '0.27.0' },
    };
    const edges = answering({
      '/api/v2/silences': JSON.stringify([silence]),
      '/api/v2/status': JSON.stringify(status),
    });
    const port = createAlertmanager({ url: 'http://am' }, edges);
    expect((await port.silences())[0]?.matchers[0]?.isEqual).toBe(true);
    expect(await port.probe(signal)).toMatchObject({ state: 'warn', text: 'alertmanager-settling' });
    const down = await createAlertmanager({ url: 'http://am' }, answering({})).probe(signal);
    expect(down).toMatchObject({ state: 'down', text: 'err-alertmanager-refused' });
    expect(ru(down.text, down.args)).toContain('отклонил запрос');
  });
});
