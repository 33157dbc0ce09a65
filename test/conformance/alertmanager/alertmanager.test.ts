import { createServer, type IncomingHttpHeaders } from 'node:http';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createAlertmanager } from '../../../src/integrations/alertmanager/alertmanager.ts';
import { matchersOf } from '../../../src/integrations/alertmanager/matchers.ts';
import type { Alertmanager } from '../../../src/integrations/alertmanager/port.ts';
import { startAlertmanagerSimulator } from '../../../src/simulators/alertmanager/index.ts';
import { startAlertmanager, withComponents } from '../../support/components/index.ts';
import { contract, haveContracts } from '../../support/contracts.ts';

interface Subject {
  readonly url: string;
  stop(): Promise<void>;
}
const TOKEN = 'token-of-the-test';
/** Long enough that what is posted together is grouped together on a busy machine. */
const GROUP_WAIT_MS = 500;

describe('Alertmanager simulator', () => {
  suite((webhookUrl, groupIntervalMs) =>
    startAlertmanagerSimulator(
      { webhook: { url: webhookUrl, token: TOKEN }, groupWaitMs: GROUP_WAIT_MS, groupIntervalMs },
      { clock: systemClock, random: systemRandom, fetch },
    ),
  );
});

withComponents(['alertmanager'], () => {
  suite((webhookUrl, ms) =>
    startAlertmanager({ webhookUrl, token: TOKEN, groupWait: `${GROUP_WAIT_MS}ms`, groupInterval: `${ms}ms` }),
  );
});

/** The same expectations of the real Alertmanager and of the simulated one. */
function suite(start: (webhookUrl: string, groupIntervalMs: number) => Promise<Subject>): void {
  let subject: Subject;
  let port: Alertmanager;
  let receiver: Receiver;
  let case_ = 0;
  /** A name of its own for each test: they share one Alertmanager. */
  let alertname = '';
  const validated = new Set<string>();

  beforeAll(async () => {
    receiver = await startReceiver();
    subject = await start(receiver.url, 1000);
    port = createAlertmanager({ url: subject.url }, { fetch: checkedFetch(validated), clock: systemClock });
  });
  afterAll(async () => {
    await subject?.stop();
    await receiver?.stop();
  });
  beforeEach(() => {
    alertname = `Case${++case_}`;
  });

  const labels = (instance: string) => ({ alertname, instance, severity: 'critical' });
  const fire = (...instances: string[]) =>
    port.postAlerts(
      instances.map((each) => ({ labels: labels(each), annotations: { summary: `${each} <down> & out` } })),
    );
  const resolve = (instance: string) =>
    port.postAlerts([
      { labels: labels(instance), startsAt: new Date(Date.now() - 60_000), endsAt: new Date(Date.now() - 1) },
    ]);
  const silence = (over: object = {}) => ({
    matchers: matchersOf({ alertname }),
    startsAt: new Date(),
    endsAt: new Date(Date.now() + 3_600_000),
    createdBy: 'anna',
    comment: 'тест',
    ...over,
  });

  test('a group is delivered once, in the version 4 shape, with the token', async () => {
    await fire('pve1', 'pve2');
    const { body, headers } = await receiver.next(alertname);
    expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(headers['content-type']).toBe('application/json');
    expect(headers['user-agent']).toMatch(/^Alertmanager\/0\./);
    const payload = JSON.parse(body) as Record<string, unknown>;
    const alert = (instance: string) => ({
      status: 'firing',
      labels: labels(instance),
      annotations: { summary: `${instance} <down> & out` },
      startsAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: '',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    });
    expect(payload).toEqual({
      receiver: 'vakhta',
      status: 'firing',
      alerts: [alert('pve1'), alert('pve2')],
      groupLabels: { alertname },
      commonLabels: { alertname, severity: 'critical' },
      commonAnnotations: {},
      externalURL: subject.url,
      version: '4',
      groupKey: `{}:{alertname="${alertname}"}`,
      truncatedAlerts: 0,
    });
    expect(Object.keys(payload)).toEqual([
      'receiver',
      'status',
      'alerts',
      'groupLabels',
      'commonLabels',
      'commonAnnotations',
      'externalURL',
      'version',
      'groupKey',
      'truncatedAlerts',
    ]);
    expect(body).toContain(String.raw`\u003cdown\u003e \u0026 out`);
    expect(body.endsWith('}\n')).toBe(true);
  });

  test('what joins a group and what resolves comes with the next interval; the end is resolved', async () => {
    await fire('a');
    await receiver.next(alertname);
    await fire('b');
    expect(await receiver.statuses(alertname)).toEqual(['firing', ['a firing', 'b firing']]);
    await resolve('a');
    expect(await receiver.statuses(alertname)).toEqual(['firing', ['a resolved', 'b firing']]);
    await resolve('b');
    expect(await receiver.statuses(alertname)).toEqual(['resolved', ['b resolved']]);
  });

  test('500 is tried again soon, 400 and 429 only with the next group interval', async () => {
    // With an interval of an hour, what comes again at all was tried again before it.
    const patient = await start(receiver.url, 3_600_000);
    const refused = async (to: Alertmanager, status: number, kind: string) => {
      const name = `${alertname}${kind}${status}`;
      receiver.answer(name, status, status);
      await to.postAlerts([{ labels: { alertname: name } }]);
      await receiver.next(name);
      return name;
    };
    try {
      const other = createAlertmanager({ url: patient.url }, { fetch, clock: systemClock });
      const waiting = await Promise.all([400, 429].map((status) => refused(other, status, 'Patient')));
      const soon = await refused(other, 500, 'Patient');
      for (let n = 0; n < 2; n++) await receiver.next(soon);
      expect(waiting.map((name) => receiver.waiting(name))).toEqual([0, 0]);
    } finally {
      await patient.stop();
    }
    for (const name of await Promise.all([400, 429].map((status) => refused(port, status, 'Next')))) {
      await receiver.next(name);
    }
  });

  test('alerts are listed with the fingerprint of the webhook, and filtered', async () => {
    await fire('one', 'two');
    const sent = JSON.parse((await receiver.next(alertname)).body) as { alerts: { fingerprint: string }[] };
    const matchers = matchersOf({ alertname });
    const found = await port.alerts({ matchers });
    expect(found.map((each) => each.labels['instance']).toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'one',
      'two',
    ]);
    expect(new Set(found.map((each) => each.fingerprint))).toEqual(
      new Set(sent.alerts.map((each) => each.fingerprint)),
    );
    expect(found[0]).toMatchObject({ state: 'active', silencedBy: [], inhibitedBy: [], generatorURL: '' });
    const regex = { name: 'instance', value: 'o.*', isRegex: true, isEqual: true };
    expect((await port.alerts({ matchers: [...matchers, regex] })).map((each) => each.labels['instance'])).toEqual([
      'one',
    ]);
    const not = { ...regex, isEqual: false };
    expect((await port.alerts({ matchers: [...matchers, not] })).map((each) => each.labels['instance'])).toEqual([
      'two',
    ]);
    expect(await port.alerts({ matchers, active: false })).toEqual([]);
    const odd = { name: 'instance', value: 'a "b" \\ {c}, d', isRegex: false, isEqual: true };
    expect(await port.alerts({ matchers: [odd] })).toEqual([]);
  });

  test('a silence: made, listed, suppressing; expired it stays; again is fine', async () => {
    await fire('s');
    await receiver.next(alertname);
    const id = await port.createSilence(silence());
    expect(await port.silence(id)).toMatchObject({
      id,
      state: 'active',
      createdBy: 'anna',
      comment: 'тест',
      matchers: matchersOf({ alertname }),
    });
    expect((await port.silences()).map((each) => each.id)).toContain(id);
    const matchers = matchersOf({ alertname });
    expect(await port.alerts({ matchers })).toMatchObject([{ state: 'suppressed', silencedBy: [id] }]);
    expect(await port.alerts({ matchers, silenced: false })).toEqual([]);
    await port.expireSilence(id);
    await port.expireSilence(id);
    expect(await port.silence(id)).toMatchObject({ state: 'expired' });
    expect(await port.alerts({ matchers })).toMatchObject([{ state: 'active', silencedBy: [] }]);
  });

  test('what resolves while silenced is never told', async () => {
    await fire('q', 'r');
    await receiver.next(alertname);
    const id = await port.createSilence(silence({ matchers: matchersOf({ alertname, instance: 'q' }) }));
    await resolve('q');
    await fire('t');
    expect(await receiver.statuses(alertname)).toEqual(['firing', ['r firing', 't firing']]);
    await port.expireSilence(id);
    await fire('u');
    expect(await receiver.statuses(alertname)).toEqual(['firing', ['r firing', 't firing', 'u firing']]);
  });

  test('a silence that is to come is pending', async () => {
    const startsAt = new Date(Date.now() + 3_600_000);
    const id = await port.createSilence(silence({ startsAt, endsAt: new Date(Date.now() + 7_200_000) }));
    expect(await port.silence(id)).toMatchObject({ state: 'pending', startsAt });
    await port.expireSilence(id);
    expect((await port.silence(id)).state).toBe('expired');
  });

  test('an unknown silence is an error of its own, whatever shape the refusal has', async () => {
    for (const id of ['7e5651ba-3d62-4c12-ba3c-5e6243a67d5d', 'no-uuid']) {
      await expect(port.silence(id)).rejects.toMatchObject({ kind: 'usage', code: 'silence-not-found' });
      await expect(port.expireSilence(id)).rejects.toMatchObject({ kind: 'usage', code: 'silence-not-found' });
    }
  });

  test('refusals carry their words', async () => {
    const bad = { name: 'a', value: '(', isRegex: true, isEqual: true };
    await expect(port.createSilence(silence({ matchers: [bad, ...matchersOf({ alertname })] }))).rejects.toMatchObject({
      kind: 'permanent',
      code: 'alertmanager-refused',
      args: { detail: expect.stringContaining('invalid regular expression') as string },
    });
    await expect(port.postAlerts([{ labels: {} }])).rejects.toMatchObject({
      args: { detail: 'at least one label pair required' },
    });
    await expect(port.postAlerts([{ labels: { 'bad-name': 'x' } }])).rejects.toMatchObject({
      args: { detail: 'invalid label set: invalid name "bad-name"' },
    });
  });

  test('raw refusals have the same status and shape', async () => {
    const ask = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${subject.url}${path}`, init);
      return [response.status, await response.text()];
    };
    const post = (body: string) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const silences = '/api/v2/silences';
    expect(await ask('/api/v2/silence/7e5651ba-3d62-4c12-ba3c-5e6243a67d5d', { method: 'DELETE' })).toEqual([
      500,
      '"silence not found"\n',
    ]);
    expect(await ask('/api/v2/silence/7e5651ba-3d62-4c12-ba3c-5e6243a67d5d')).toEqual([404, '']);
    expect(await ask('/api/v2/alerts?filter=bad%7B')).toEqual([400, '"bad matcher format: bad{"\n']);
    expect((await ask(silences, post(JSON.stringify(silence({ matchers: [] })))))[0]).toBe(422);
    const empty = silence({ matchers: [{ name: 'a', value: '.*', isRegex: true }] });
    expect(await ask(silences, post(JSON.stringify(empty)))).toEqual([
      400,
      '"silence invalid: at least one matcher must not match the empty string"\n',
    ]);
    const past = silence({ startsAt: new Date(0), endsAt: new Date(1000) });
    expect((await ask(silences, post(JSON.stringify(past))))[0]).toBe(400);
    const edit = { ...silence(), id: '7e5651ba-3d62-4c12-ba3c-5e6243a67d5d' };
    expect((await ask(silences, post(JSON.stringify(edit))))[0]).toBe(404);
    expect((await ask('/api/v2/nope'))[0]).toBe(404);
    expect((await ask('/api/v2/alerts', { method: 'POST', body: 'x' }))[0]).toBe(415);
    expect((await ask('/api/v2/alerts', post('x')))[0]).toBe(400);
    expect(await ask('/-/ready')).toEqual([200, 'OK']);
  });

  test('a silence that would match everything is refused by us', async () => {
    const before = (await port.silences()).length;
    const all = [
      [],
      [{ name: 'a', value: '.*', isRegex: true, isEqual: true }],
      [{ name: 'a', value: '.+', isRegex: true, isEqual: true }],
      [{ name: 'a', value: 'x', isRegex: false, isEqual: false }],
      [{ name: 'a', value: '', isRegex: false, isEqual: true }],
    ];
    for (const matchers of all) {
      await expect(port.createSilence(silence({ matchers }))).rejects.toMatchObject({
        kind: 'usage',
        code: 'silence-too-wide',
      });
    }
    await expect(port.createSilence(silence({ endsAt: new Date(0) }))).rejects.toMatchObject({ code: 'silence-times' });
    expect((await port.silences()).length).toBe(before);
  });

  test('status, groups and the probe', async () => {
    const status = await port.status();
    expect(status.version).toMatch(/^0\.\d+\.\d+/);
    expect(status.startedAt.getTime()).toBeLessThanOrEqual(Date.now());
    expect(await port.probe(new AbortController().signal)).toMatchObject({ state: 'ok', text: 'alertmanager-ok' });
    await fire('g');
    await receiver.next(alertname);
    const response = await checkedFetch(validated)(`${subject.url}/api/v2/alerts/groups`);
    const groups = (await response.json()) as { labels: object; alerts: unknown[]; receiver: object }[];
    expect(groups.find((each) => JSON.stringify(each.labels) === JSON.stringify({ alertname }))).toMatchObject({
      receiver: { name: 'vakhta' },
      alerts: [{ labels: labels('g') }],
    });
  });

  test.skipIf(!haveContracts)('all of these answers fit the published API description', () => {
    expect([...validated].toSorted((a, b) => a.localeCompare(b))).toEqual([
      'alertGroups',
      'alertmanagerStatus',
      'gettableAlerts',
      'gettableSilence',
      'gettableSilences',
    ]);
  });
}

/** `fetch` that holds every good answer against the API description. */
function checkedFetch(validated: Set<string>): typeof fetch {
  const schemas: [RegExp, string][] = [
    [/\/api\/v2\/alerts$/, 'gettableAlerts'],
    [/\/api\/v2\/alerts\/groups$/, 'alertGroups'],
    [/\/api\/v2\/silences$/, 'gettableSilences'],
    [/\/api\/v2\/silence\//, 'gettableSilence'],
    [/\/api\/v2\/status$/, 'alertmanagerStatus'],
  ];
  return async (input, init) => {
    const response = await fetch(input, init);
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const name = schemas.find(([pattern]) => pattern.test(pathname))?.[1];
    if (haveContracts && name !== undefined && response.status === 200 && (init?.method ?? 'GET') === 'GET') {
      const check = validator(name);
      if (!check(await response.clone().json())) throw new Error(`${pathname}: ${JSON.stringify(check.errors)}`);
      validated.add(name);
    }
    return response;
  };
}

function validator(name: string) {
  interface Definition {
    required?: string[];
    allOf?: Definition[];
  }
  const { definitions } = contract('alertmanager', 'alertmanager-v2.openapi.json') as {
    definitions: Record<string, Definition>;
  };
  /** The description is of 0.34; these fields came after 0.25. */
  const drop = (definition: Definition | undefined, field: string) => {
    for (const each of definition?.allOf ?? []) drop(each, field);
    if (definition?.required) definition.required = definition.required.filter((one) => one !== field);
  };
  drop(definitions['alertStatus'], 'mutedBy');
  drop(definitions['alertGroup'], 'routeLabels');
  drop(definitions['gettableSilence'], 'annotations');
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  return ajv.compile({ definitions, $ref: `#/definitions/${name}` });
}

interface Received {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}
type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Takes webhooks, sorted by the group's alert name, and answers as told. */
async function startReceiver() {
  const queues = new Map<string, Received[]>();
  const waiting = new Map<string, (received: Received) => void>();
  const answers = new Map<string, number[]>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { groupLabels } = JSON.parse(body) as { groupLabels: { alertname: string } };
      const name = groupLabels.alertname;
      response.writeHead(answers.get(name)?.shift() ?? 200).end();
      const received = { body, headers: request.headers };
      const waiter = waiting.get(name);
      if (waiter) {
        waiting.delete(name);
        waiter(received);
      } else queues.set(name, [...(queues.get(name) ?? []), received]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const next = (name: string): Promise<Received> => {
    const ready = queues.get(name)?.shift();
    return ready ? Promise.resolve(ready) : new Promise((resolve) => waiting.set(name, resolve));
  };
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`,
    next,
    /** How many deliveries nobody has looked at. */
    waiting: (name: string) => queues.get(name)?.length ?? 0,
    answer: (name: string, ...statuses: number[]) => answers.set(name, statuses),
    /** The status of the next delivery, and of each alert in it by instance. */
    async statuses(name: string): Promise<[string, string[]]> {
      const { status, alerts } = JSON.parse((await next(name)).body) as {
        status: string;
        alerts: { status: string; labels: { instance: string } }[];
      };
      const each = alerts.map((alert) => `${alert.labels.instance} ${alert.status}`);
      return [status, each.toSorted((a, b) => a.localeCompare(b))];
    },
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
