import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createSshExecutor, type SshExecutor, type SshSettings } from '../../../src/integrations/exec/ssh.ts';
import { freePort, type SshServer, startSshd, withComponents } from '../../support/components/index.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

withComponents(['sshd', 'ssh-keygen'], () => {
  let server: SshServer;
  const open: SshExecutor[] = [];
  beforeAll(async () => {
    server = await startSshd();
  });
  afterAll(() => server?.stop());
  afterEach(() => {
    for (const executor of open.splice(0)) executor.close();
  });

  const ssh = (over: Partial<SshSettings> = {}): SshExecutor => {
    const { host, port, user, hostKey } = server;
    const privateKey = () => Promise.resolve(new Secret(server.privateKey));
    const executor = createSshExecutor(
      { host, port, user, hostKey, privateKey, ...over },
      { clock: systemClock, log, graceMs: 300 },
    );
    open.push(executor);
    return executor;
  };
  const both = (): [string, Executor][] => [
    ['ssh', ssh()],
    ['local', createLocalExecutor({ graceMs: 300 }, { clock: systemClock })],
  ];

  test('here and there: code, streams, input, variables, words as they are', async () => {
    for (const [name, executor] of both()) {
      const words = ['$(id)', "it's", '; true', '', 'ё\n'];
      const result = await executor.run(
        ['sh', '-c', 'cat; printf "%s|" "$VALUE" "$@"; echo err >&2; exit 3', 'x', ...words],
        {
          stdin: 'first line\nsecond',
          env: { VALUE: "a 'b' $c" },
        },
      );
      expect([name, result]).toEqual([
        name,
        {
          code: 3,
          stdout: `first line\nsecond${["a 'b' $c", ...words].map((w) => `${w}|`).join('')}`,
          stderr: 'err\n',
          truncated: false,
        },
      ]);
    }
  });

  test('here and there: lines arrive, and an abort ends the process before the promise is rejected', async () => {
    for (const [name, executor] of both()) {
      const controller = new AbortController();
      const pids: number[] = [];
      const run = executor.run(['sh', '-c', 'sleep 60 & echo $!; echo $$; wait'], {
        signal: controller.signal,
        onLine: (_, line) => {
          pids.push(Number(line));
          if (pids.length === 2) controller.abort();
        },
      });
      await expect(run).rejects.toMatchObject({ kind: 'transient', code: 'exec-cancelled' });
      expect([name, pids.length, alive(pids[1]!)]).toEqual([name, 2, false]);
    }
  });

  test('here and there: what ignores TERM is killed, a time-out and a missing program are told apart', async () => {
    for (const [, executor] of both()) {
      const stubborn = executor.run(['sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'], { timeoutMs: 200 });
      await expect(stubborn).rejects.toMatchObject({ code: 'exec-timeout' });
      await expect(executor.run(['no-such-program'])).rejects.toMatchObject({
        kind: 'permanent',
        code: 'exec-not-found',
      });
      expect(await executor.probe(new AbortController().signal)).toMatchObject({ state: 'ok' });
    }
  });

  test('any words come through a real login shell unharmed', async () => {
    const executor = ssh();
    const word = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !text.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 4 }), async (words) => {
        const { stdout } = await executor.run(['printf', '%s\\0', ...words]);
        expect(stdout.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });

  test('one connection carries many commands at once', async () => {
    const proxy = await cutter(server.port);
    const executor = ssh({ port: proxy.port });
    const codes = await Promise.all([1, 2, 3, 4, 5].map((n) => executor.run(['sh', '-c', `exit ${n}`])));
    expect(codes.map((each) => each.code)).toEqual([1, 2, 3, 4, 5]);
    expect(proxy.connections()).toBe(1);
    executor.close();
    proxy.close();
  });

  test('variables do not show in the process list', async () => {
    const { stdout } = await ssh().run(
      ['sh', '-c', 'tr "\\0" " " < /proc/$PPID/cmdline; ps -o args= -p $$ -p $PPID; echo "$TOKEN" | wc -c'],
      {
        env: { TOKEN: 'value-of-the-token' },
      },
    );
    expect(stdout).not.toContain('value-of-the-token');
    expect(stdout.trim().split('\n').at(-1)).toBe('19');
  });

  test('a stranger’s key is refused, and no key material is told', async () => {
    const executor = ssh({ privateKey: () => Promise.resolve(new Secret(server.strangerKey)) });
    const error: unknown = await executor.run(['true']).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'permanent', code: 'ssh-auth-refused' });
    expect(JSON.stringify(error) + String(error)).not.toContain('PRIVATE KEY');
    const broken = ssh({ privateKey: () => Promise.resolve(new Secret('-----BEGIN nonsense')) });
    await expect(broken.run(['true'])).rejects.toMatchObject({ kind: 'permanent', code: 'ssh-private-key' });
  });

  test('another host key is refused, both fingerprints are told, nothing is sent', async () => {
    const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS';
    // A server of its own: what others did is told in the log a moment later.
    const mine = await startSshd();
    onTestFinished(() => mine.stop());
    const executor = ssh({ port: mine.port, user: mine.user, hostKey: other });
    await expect(executor.run(['true'])).rejects.toMatchObject({
      kind: 'permanent',
      code: 'ssh-host-key',
      args: { seen: mine.hostKeyFingerprint, expected: expect.stringMatching(/^SHA256:.{43}$/) as string },
    });
    await expect.poll(() => mine.log()).toMatch(/\[preauth\]/);
    expect(mine.log()).not.toContain('Accepted publickey');
    expect(await executor.probe(new AbortController().signal)).toMatchObject({
      state: 'down',
      text: 'err-ssh-host-key',
    });
  });

  test('a key pinned by its fingerprint is as good, and another fingerprint is refused', async () => {
    const executor = ssh({ hostKey: server.hostKeyFingerprint });
    expect((await executor.run(['echo', 'in'])).stdout).toBe('in\n');
    const expected = `SHA256:${'A'.repeat(43)}`;
    await expect(ssh({ hostKey: expected }).run(['true'])).rejects.toMatchObject({
      code: 'ssh-host-key',
      args: { seen: server.hostKeyFingerprint, expected },
    });
  });

  test('no server and a lost connection are transient, and the next run connects again', async () => {
    const nobody = ssh({ port: await freePort() });
    await expect(nobody.run(['true'])).rejects.toMatchObject({ kind: 'transient', code: 'ssh-unreachable' });

    const proxy = await cutter(server.port);
    const executor = ssh({ port: proxy.port });
    const lost = executor.run(['sh', '-c', 'echo up; sleep 30'], { onLine: () => proxy.cut() });
    await expect(lost).rejects.toMatchObject({ kind: 'transient', code: 'ssh-connection-lost' });
    expect((await executor.run(['echo', 'again'])).stdout).toBe('again\n');
    executor.close();
    proxy.close();
  });
});

/** A wire between us and the server that can be cut. */
async function cutter(target: number) {
  const { connect } = await import('node:net');
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    const upstream = connect(target, '127.0.0.1');
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => undefined);
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    connections: () => connections,
    close: () => server.close(),
  };
}
