import { once } from 'node:events';
import { connect } from 'node:net';
import { serve } from '@hono/node-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseWebhook } from '../../../src/core/alertmanager.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import type { Log } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createHttp, type WebhookResult } from '../../../src/handlers/http.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const LIMIT = 5 * 1024 * 1024;
const PATH = '/webhooks/alertmanager';
const BODY = JSON.stringify({ version: '4', alerts: [{ labels: { alertname: 'A' } }] });

function subject(given: { accept?: (body: string) => Promise<void>; token?: () => Promise<Secret> } = {}) {
  const clock = createManualClock('2026-03-01T03:00:00Z');
  const counted: [WebhookResult, number][] = [];
  const logged: [level: string, message: string, fields: string][] = [];
  const bodies: string[] = [];
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      void logged.push([level, message, JSON.stringify(fields)]);
  const log: Log = { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') };
  const app = createHttp({
    clock,
    log,
    alerts: {
      token: given.token ?? (async () => new Secret('s3cret')),
      intake: {
        accept: async (body) => {
          bodies.push(body);
          parseWebhook(body, clock.now());
          await given.accept?.(body);
        },
      },
    },
    live: () => true,
    ready: async () => [],
    metrics: async () => ({ type: 'text/plain', text: '' }),
    onWebhook: (result, ms) => counted.push([result, ms]),
  });
  const post = (body: string, headers: Record<string, string> = { authorization: 'Bearer s3cret' }) =>
    app.request(PATH, { method: 'POST', headers, body });
  return { app, clock, counted, logged, bodies, post };
}

describe('POST /webhooks/alertmanager', () => {
  test('answers 200 only after the alert is kept', async () => {
    let keep = (): void => {};
    let reached = (): void => {};
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    const { post, counted, logged, clock } = subject({
      accept: () =>
        new Promise((resolve) => {
          keep = resolve;
          reached();
        }),
    });
    let answered = false;
    const answer = Promise.resolve(post(BODY)).finally(() => (answered = true));
    await isReached;
    await clock.advance(250);
    expect(answered).toBe(false);
    expect(counted).toEqual([]);
    keep();
    expect((await answer).status).toBe(200);
    expect(counted).toEqual([['accepted', 250]]);
    expect(logged).toEqual([]);
  });

  test.each([
    ['no header', {}],
    ['no token', { authorization: 'Bearer ' }],
    ['another token', { authorization: 'Bearer s3creT' }],
    ['a longer token', { authorization: 'Bearer s3cret1' }],
    ['two tokens', { authorization: 'Bearer s3cret s3cret' }],
    ['another scheme', { authorization: 'Basic s3cret' }],
    ['the bare token', { authorization: 's3cret' }],
  ])('with %s is 401, counted, logged once, and nothing is read', async (_, headers) => {
    const { post, counted, logged, bodies } = subject();
    const answer = await post(BODY, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(counted).toEqual([['unauthorized', 0]]);
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged)).not.toContain('s3cre');
    expect(bodies).toEqual([]);
  });

  test('takes the scheme in any case, as RFC 9110 has it', async () => {
    expect((await subject().post(BODY, { authorization: 'bearer s3cret' })).status).toBe(200);
  });

  test('an empty token in the configuration lets nobody in', async () => {
    const { post } = subject({ token: async () => new Secret('') });
    expect((await post(BODY, { authorization: 'Bearer ' })).status).toBe(401);
    expect((await post(BODY, {})).status).toBe(401);
  });

  test('a rotated token counts after ten seconds, without a restart', async () => {
    let token = 'old';
    const { post, clock } = subject({ token: async () => new Secret(token) });
    const status = async (given: string) => (await post(BODY, { authorization: `Bearer ${given}` })).status;
    expect(await status('old')).toBe(200);
    token = 'new';
    expect(await status('old')).toBe(200);
    await clock.advance(10_000);
    expect(await status('old')).toBe(401);
    expect(await status('new')).toBe(200);
  });

  test('a token that cannot be read is 503, so that the alert is sent again', async () => {
    const { post, counted, logged } = subject({ token: () => Promise.reject(new Error('vault is sealed')) });
    expect((await post(BODY)).status).toBe(503);
    expect(counted).toEqual([['unavailable', 0]]);
    expect(logged.map(([level]) => level)).toEqual(['error']);
  });

  test.each([
    ['no JSON', '{"alerts":'],
    ['another document', '{"hello":"world"}'],
    ['nothing', ''],
    ['an unknown version', JSON.stringify({ version: '2', alerts: [{ labels: {} }] })],
  ])('with %s is 400, counted, and logged once', async (_, body) => {
    const { post, counted, logged } = subject();
    expect((await post(body)).status).toBe(400);
    expect(counted).toEqual([['malformed', 0]]);
    expect(logged.map(([level]) => level)).toEqual(['warn']);
  });

  test.each([
    ['the store is down', new VakhtaError('transient', 'database-down', 'no connection')],
    ['something broke', new TypeError('oops')],
  ])('when %s is 503, counted, and logged once as something to act on', async (_, error) => {
    const { post, counted, logged } = subject({ accept: () => Promise.reject(error) });
    const answer = await post(BODY);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toMatch(/oops|connection/u);
    expect(counted).toEqual([['unavailable', 0]]);
    expect(logged.map(([level]) => level)).toEqual(['error']);
  });

  test('with a length over 5 MB is 413, counted, logged once, and not read', async () => {
    const { post, counted, logged, bodies } = subject();
    const headers = { authorization: 'Bearer s3cret', 'content-length': String(LIMIT + 1) };
    expect((await post('x', headers)).status).toBe(413);
    expect(counted).toEqual([['too-large', 0]]);
    expect(logged.map(([level]) => level)).toEqual(['warn']);
    expect(bodies).toEqual([]);
  });

  test('of exactly 5 MB is read', async () => {
    const { post } = subject();
    const padded = BODY.padEnd(LIMIT, ' ');
    const headers = { authorization: 'Bearer s3cret', 'content-length': String(LIMIT) };
    expect((await post(padded, headers)).status).toBe(200);
  });

  test('other methods and paths are not found', async () => {
    const { app } = subject();
    const authorization = 'Bearer s3cret';
    expect((await app.request(PATH, { headers: { authorization } })).status).toBe(404);
    expect((await app.request('/webhooks/other', { method: 'POST', headers: { authorization } })).status).toBe(404);
  });
});

describe('over a real socket', () => {
  async function listen(given?: Parameters<typeof subject>[0]) {
    const it = subject(given);
    const server = serve({ fetch: it.app.fetch, port: 0, hostname: '127.0.0.1' });
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    return { ...it, port: typeof address === 'object' && address !== null ? address.port : 0 };
  }

  /** Writes what it is given until the other side has answered; the status line. */
  async function send(port: number, head: readonly string[], chunks: Iterable<string>): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', () => {});
    const ended = once(socket, 'close');
    socket.write([`POST ${PATH} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...head, '', ''].join('\r\n'));
    for (const chunk of chunks) {
      if (answer !== '' || socket.destroyed) break;
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), ended]);
    }
    await ended;
    return answer.split('\r\n')[0] ?? '';
  }
  const AUTH = 'Authorization: Bearer s3cret';
  const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

  test('a body in chunks is taken', async () => {
    const { port, counted, bodies } = await listen();
    const middle = BODY.length >> 1;
    const parts = [chunk(BODY.slice(0, middle)), chunk(BODY.slice(middle)), '0\r\n\r\n'];
    expect(await send(port, [AUTH, 'Transfer-Encoding: chunked'], parts)).toBe('HTTP/1.1 200 OK');
    expect(counted).toEqual([['accepted', 0]]);
    expect(bodies).toEqual([BODY]);
  });

  test('a body in chunks that grows over 5 MB is 413, counted and logged once, and never kept', async () => {
    const { port, counted, logged, bodies } = await listen();
    const block = chunk('x'.repeat(256 * 1024));
    const blocks = Array.from({ length: 20 }, () => block);
    // One more byte decides, and nothing is on its way any more: who still writes may lose the answer to the reset.
    const status = await send(port, [AUTH, 'Transfer-Encoding: chunked'], [...blocks, chunk('x')]);
    expect(status).toMatch(/^HTTP\/1\.1 413 /u);
    expect(counted).toEqual([['too-large', 0]]);
    expect(logged).toHaveLength(1);
    expect(bodies).toEqual([]);
  });

  test('a length over 5 MB is 413 before the body is sent', async () => {
    const { port, counted } = await listen();
    expect(await send(port, [AUTH, `Content-Length: ${LIMIT + 1}`], [])).toMatch(/^HTTP\/1\.1 413 /u);
    expect(counted).toEqual([['too-large', 0]]);
  });

  test('a body that breaks off is counted and logged once, and never kept', async () => {
    const { port, counted, logged, bodies } = await listen();
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    const head = [`POST ${PATH} HTTP/1.1`, 'Host: localhost', AUTH, 'Content-Length: 1000', '', '{"alerts"'];
    await new Promise<void>((resolve) => socket.write(head.join('\r\n'), () => resolve()));
    socket.destroy();
    await expect.poll(() => counted).toEqual([['malformed', 0]]);
    expect(logged).toHaveLength(1);
    expect(bodies).toEqual([]);
  });
});
