/** How the client gets to a host and whom it trusts, over real sockets; and what may never leak on the way. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { messages } from '../../../src/integrations/proxmox/messages.ts';
import { createProxmox } from '../../../src/integrations/proxmox/proxmox.ts';
import { createProxmoxSimulator } from '../../../src/simulators/proxmox/simulator.ts';
import { errorFrom } from './in-process.ts';
import { quiet, settingsFor, simulated, TOKEN } from './subject.ts';
import { cert, fingerprint, key } from './tls-fixture.ts';

describe('TLS', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

  const connect = async (trust: { ca?: string; fingerprint?: string }, host = '127.0.0.1') => {
    const received: string[] = [];
    const simulator = createProxmoxSimulator({
      clock: systemClock,
      random: { bytes: (n) => Buffer.alloc(n) },
      tokens: [TOKEN],
      tls: { key, cert },
      onRequest: ({ path }) => received.push(path),
    });
    const url = (await simulator.start()).replace('127.0.0.1', host);
    closing.push(() => simulator.stop());
    return {
      received,
      url,
      proxmox: createProxmox(settingsFor(url, TOKEN, trust), { clock: systemClock, log: quiet }),
    };
  };

  it('refuses a self-signed host that nothing vouches for, and tells what to do', async () => {
    const { proxmox } = await connect({});
    expect(await errorFrom(proxmox.version())).toMatchObject({
      kind: 'permanent',
      code: 'proxmox-tls',
      args: { problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });

  it('trusts the named CA', async () => {
    expect((await (await connect({ ca: cert })).proxmox.version()).release).toBe('9.2');
    expect((await (await connect({ ca: cert }, 'localhost')).proxmox.version()).release).toBe('9.2');
  });

  it('trusts the pinned certificate, in either case of letters', async () => {
    expect((await (await connect({ fingerprint })).proxmox.version()).release).toBe('9.2');
    expect(
      (await (await connect({ fingerprint: fingerprint.toLowerCase() }, 'localhost')).proxmox.version()).release,
    ).toBe('9.2');
  });

  it.each([{}, { fingerprint }])('does not hold on to a host that never ends the handshake (%j)', async (trust) => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = createServer((socket) =>
      socket
        .once('close', closed)
        .on('error', () => {})
        .resume(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(() => resolve())));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxmox = createProxmox(settingsFor(url, TOKEN, { ...trust, timeoutMs: 100 }), {
      clock: systemClock,
      log: quiet,
    });
    expect(await errorFrom(proxmox.version())).toMatchObject({
      kind: 'transient',
      code: 'proxmox-unreachable',
      args: { problem: 'TimeoutError' },
    });
    await gone;
  });

  it('refuses another certificate than the pinned one', async () => {
    const other = fingerprint.replace(/^../, fingerprint.startsWith('00') ? '11' : '00');
    const { proxmox, received } = await connect({ fingerprint: other });
    expect(await errorFrom(proxmox.version())).toMatchObject({
      kind: 'permanent',
      code: 'proxmox-fingerprint',
      args: { actual: fingerprint, pinned: other },
    });
    expect(received).toEqual([]);
  });
});

describe('settings', () => {
  const make =
    (more: Parameters<typeof settingsFor>[2], url = 'https://pve1.lan:8006', id = TOKEN.id) =>
    () =>
      createProxmox(settingsFor(url, { ...TOKEN, id }, more), { clock: systemClock, log: quiet });

  it.each([
    ['an address that is none', make({}, 'pve1.lan')],
    ['a token in the clear over the network', make({}, 'http://pve1.lan:8006')],
    ['a token id without a name', make({}, undefined, 'root@pam')],
    ['a fingerprint that is none', make({ fingerprint: 'AB:CD' })],
  ])('with %s are refused at once', (_, create) => {
    expect(create).toThrow(expect.objectContaining({ kind: 'usage', code: 'proxmox-settings' }));
  });
});

describe('the token', () => {
  it('is nowhere in an error: neither message, arguments nor cause', async () => {
    const { stranger, close, simulator } = await simulated();
    const errors = [await errorFrom(stranger.version())];
    simulator.faults.refuse = true;
    errors.push(await errorFrom(stranger.resources()));
    await close();
    errors.push(await errorFrom(stranger.version()));
    for (const error of errors) {
      const { inspect } = await import('node:util');
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('=wrong');
      expect(error.message).not.toContain('PVEAPIToken');
    }
  });
});

describe('messages', () => {
  const texts = catalogue([messages]);
  it.each(['en', 'ru'] as const)('exist for each error that the port throws (%s)', async (language) => {
    const { readFile, readdir } = await import('node:fs/promises');
    const folder = new URL('../../../src/integrations/proxmox/', import.meta.url);
    const sources = await Promise.all((await readdir(folder)).map((file) => readFile(new URL(file, folder), 'utf8')));
    const codes = new Set(
      sources.flatMap((source) =>
        [...source.matchAll(/'(?:usage|permanent|transient)', '(proxmox-[a-z-]+)'/g)].map((m) => m[1] ?? ''),
      ),
    );
    expect(codes.size).toBeGreaterThan(12);
    expect([...codes].filter((code) => !texts.for(language).has(`err-${code}`))).toEqual([]);
  });
});
