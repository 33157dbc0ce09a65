import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createRedactor } from '../../../src/core/redact.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createSshExecutor } from '../../../src/integrations/exec/ssh.ts';
import { createLoki } from '../../../src/integrations/loki/loki.ts';
import { parseDocker, parseJournal } from '../../../src/tasks/evidence/log-lines.ts';
import { filled, type LogEdges, type LogLines, readLogs } from '../../../src/tasks/evidence/logs.ts';
import { several } from '../../../src/tasks/several.ts';
import { type SshServer, startSshd, withComponents } from '../../support/components/index.ts';
import { startLokiSimulator } from '../../../src/simulators/loki/index.ts';
import { incidentRow } from './support.ts';

const signal = new AbortController().signal;
const START = new Date('2026-11-23T00:05:00Z');
const row = (labels: Readonly<Record<string, string>>) =>
  incidentRow([{ labels: { alertname: 'Down', ...labels }, startsAt: START }], new Date('2026-11-23T03:00:00Z'));
type Source = LogEdges['config']['logs'][number];
const source = (more: Partial<Source>): Source => ({ match: { alertname: { equals: 'Down' } }, ...more });

const edges = (logs: readonly Source[], more: Partial<LogEdges> = {}): LogEdges => ({
  config: { logs: [...logs], docker: [], loki: undefined } as unknown as LogEdges['config'],
  hosts: several<Executor>([]),
  loki: undefined,
  clock: { ...systemClock, now: () => new Date('2026-11-23T03:00:00Z') },
  redact: createRedactor().redact,
  ...more,
});

describe('a piece that is missing says why', () => {
  test.each([
    ['not-configured', []],
    ['no-source', [source({ match: { alertname: { equals: 'Other' } }, host: 'pg', unit: 'ssh' })]],
    ['no-loki', [source({ loki: '{service="a"}' })]],
    ['no-host', [source({ host: '{{instance}}', unit: 'ssh' })]],
  ] as const)('%s', async (why, logs) => {
    expect(await readLogs(edges(logs), row({ instance: 'web' }), 'now', signal)).toMatchObject({
      kind: 'missing',
      why,
    });
  });
});

describe('a label is never a command', () => {
  test.each(['; rm -rf /', '$(id)', '-n', '--file=/etc/shadow', '', 'a b', 'a\nb', '../x', "'", '`id`', 'a|b'])(
    'unit %j is refused',
    (value) => expect(() => filled('{{unit}}', { unit: value }, 'unit')).toThrow(/not a unit/u),
  );
  test.each(['"} or {job=~".+', 'a"b', '{x}', 'a\\', '`', '', 'a\nb'])('selector value %j is refused', (value) =>
    expect(() => filled('{service="{{service}}"}', { service: value }, 'loki')).toThrow(/not a loki/u),
  );
  test('ordinary names pass', () => {
    expect(filled('{{unit}}.service', { unit: 'postgresql@15-main' }, 'unit')).toBe('postgresql@15-main.service');
    expect(filled('{service="{{ service }}"}', { service: 'почта/smtp' }, 'loki')).toBe('{service="почта/smtp"}');
  });
});

describe('lines', () => {
  test('of journald: times of both spellings, continued lines, its own remarks left out', () => {
    const text = [
      '-- Boot 3a1 --',
      '2026-11-23T03:05:09+0300 pg sshd[12]: one',
      '    at Object.<anonymous>',
      '2026-11-23T00:05:10+00:00 pg sshd[12]: two',
      'neither',
      '-- No entries --',
    ].join('\n');
    expect(parseJournal(text)).toEqual([
      { at: new Date('2026-11-23T00:05:09Z'), text: 'sshd[12]: one at Object.<anonymous>' },
      { at: new Date('2026-11-23T00:05:10Z'), text: 'sshd[12]: two' },
      { text: 'neither' },
    ]);
  });
  test('of Docker: both streams in order, without colours', () => {
    const out = '2026-11-23T00:00:02.5Z out\n';
    const err = `2026-11-23T00:00:01.123456789Z ${String.fromCharCode(27)}[31merr${String.fromCharCode(27)}[0m\n`;
    expect(parseDocker(out, err).map(({ text }) => text)).toEqual(['err', 'out']);
  });
});

describe('Loki', () => {
  const at = (second: number): Date => new Date(START.getTime() + second * 1000);
  const entries = Array.from({ length: 50 }, (_, n) => ({
    at: at(n * 10),
    stream: { service: n % 5 === 0 ? 'other' : 'nginx', level: n % 2 === 0 ? 'info' : 'error' },
    text: n === 49 ? 'last password=hunter2' : `line ${n}`,
  }));
  const open = async (token?: string) => {
    const server = await startLokiSimulator(entries, { token: 't0ken' });
    onTestFinished(() => server.stop());
    const auth =
      token === undefined ? {} : { auth: { kind: 'bearer' as const, token: () => Promise.resolve(new Secret(token)) } };
    const loki = createLoki({ url: server.url, ...auth }, { fetch, clock: systemClock });
    return { server, loki, edges: edges([source({ loki: '{service="{{service}}"}' })], { loki }) };
  };

  test('the newest twenty lines of all streams, oldest first, redacted', async () => {
    const { edges: with_ } = await open('t0ken');
    const found = (await readLogs(with_, row({ service: 'nginx' }), 'now', signal)) as LogLines;
    expect(found).toMatchObject({ kind: 'lines', source: 'loki', where: '{service="nginx"}' });
    expect(found.lines).toHaveLength(20);
    expect(found.lines.at(-1)).toEqual({ at: at(490), text: 'last password=[redacted]' });
    expect(found.lines.map((one) => Number(one.at))).toEqual(
      found.lines.map((one) => Number(one.at)).toSorted((a, b) => a - b),
    );
  });

  test('around the beginning: nothing later than a minute after it', async () => {
    const { edges: with_ } = await open('t0ken');
    const found = (await readLogs(with_, row({ service: 'nginx' }), 'start', signal)) as LogLines;
    expect(found.lines.map(({ text }) => text)).toEqual(['line 1', 'line 2', 'line 3', 'line 4']);
  });

  test('nothing found, no login, a bad query: each in its own words', async () => {
    const { edges: with_, loki } = await open('t0ken');
    expect(await readLogs(with_, row({ service: 'none' }), 'now', signal)).toMatchObject({ why: 'no-lines' });
    const range = { from: START, to: at(60), limit: 5 };
    await expect(loki.lines('nonsense', range)).rejects.toMatchObject({
      code: 'loki-refused',
      args: { detail: expect.stringContaining('parse error') as string },
    });
    expect(await loki.probe(signal)).toMatchObject({ state: 'ok' });
    const stranger = await open();
    await expect(stranger.loki.lines('{a="b"}', range)).rejects.toMatchObject({ code: 'loki-login' });
    expect(await stranger.loki.probe(signal)).toMatchObject({ state: 'down', text: 'err-loki-login' });
  });
});

withComponents(['sshd', 'ssh-keygen'], () => {
  let server: SshServer;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vakhta-logs-'));
    await chmod(folder, 0o755);
    const program = async (name: string, script: string): Promise<void> => {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    };
    await program(
      'journalctl',
      `[ "$2" = broken ] && { echo "Failed to add filter for units" >&2; exit 1; }
[ "$2" = empty ] && { echo "-- No entries --"; exit 0; }
echo "2026-11-23T03:05:09+0300 pg $2[1]: asked with $*"
echo "2026-11-23T03:05:10+0300 pg $2[1]: postgres://app:hunter2secret@db/x failed"`,
    );
    await program(
      'docker',
      `echo "2026-11-23T00:05:10.5Z to stdout: $*"
echo "2026-11-23T00:05:09.5Z to stderr" >&2`,
    );
    server = await startSshd({ extraConfig: `SetEnv PATH=${folder}:/usr/bin:/bin` });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const read = async (
    labels: Readonly<Record<string, string>>,
    moment: 'now' | 'start' = 'now',
    more: Partial<Source> = {},
  ) => {
    const { host, port, user, hostKey } = server;
    const privateKey = () => Promise.resolve(new Secret(server.privateKey));
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const ssh = createSshExecutor({ host, port, user, hostKey, privateKey }, { clock: systemClock, log });
    onTestFinished(() => ssh.close());
    const one = source({ host: '{{instance}}', unit: '{{unit}}', ...more });
    return readLogs(edges([one], { hosts: several<Executor>([['pg', ssh]]) }), row(labels), moment, signal);
  };

  test('the journal of a unit over SSH, redacted; the port behind the instance does not matter', async () => {
    const found = (await read({ instance: 'pg:9100', unit: 'postgresql@15-main' })) as LogLines;
    expect(found.where).toBe('postgresql@15-main · pg');
    expect(found.lines).toEqual([
      {
        at: new Date('2026-11-23T00:05:09Z'),
        text: 'postgresql@15-main[1]: asked with -u postgresql@15-main -n 20 --no-pager -o short-iso',
      },
      { at: new Date('2026-11-23T00:05:10Z'), text: 'postgresql@15-main[1]: postgres://app:[redacted]@db/x failed' },
    ]);
  });

  test('around the beginning', async () => {
    const found = (await read({ instance: 'pg', unit: 'ssh' }, 'start')) as LogLines;
    expect(found.lines[0]?.text).toContain(`--until @${START.getTime() / 1000 + 60}`);
  });

  test('no entries, a refusal, and a label that is no name', async () => {
    expect(await read({ instance: 'pg', unit: 'empty' })).toMatchObject({ why: 'no-lines' });
    await expect(read({ instance: 'pg', unit: 'broken' })).rejects.toMatchObject({
      code: 'logs-refused',
      args: { why: 'Failed to add filter for units' },
    });
    await expect(read({ instance: 'pg', unit: 'x; id' })).rejects.toMatchObject({ code: 'logs-label' });
  });

  test('a container', async () => {
    const found = (await read({ instance: 'pg', name: 'web' }, 'now', { container: '{{name}}' })) as LogLines;
    expect(found).toMatchObject({ where: 'web · pg', source: 'docker' });
    expect(found.lines.map(({ text }) => text)).toEqual(['to stderr', 'to stdout: logs --tail 20 --timestamps web']);
  });
});
