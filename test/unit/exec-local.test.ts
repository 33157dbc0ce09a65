import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { createSink } from '../../src/integrations/exec/executor.ts';
import { createLocalExecutor } from '../../src/integrations/exec/local.ts';
import { messages } from '../../src/integrations/exec/messages.ts';
import { parseHostKey } from '../../src/integrations/exec/ssh-connection.ts';
import { pidFilter, remoteCommand } from '../../src/integrations/exec/ssh.ts';

const local = createLocalExecutor({ graceMs: 200 }, { clock: systemClock });
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = async (pid: number): Promise<void> => {
  while (alive(pid)) await new Promise((resolve) => setImmediate(resolve));
};

describe('on this machine', () => {
  test('exit code, both streams and standard input come through', async () => {
    const result = await local.run(['sh', '-c', 'cat; echo err >&2; exit 3'], { stdin: 'вход' });
    expect(result).toEqual({ code: 3, stdout: 'вход', stderr: 'err\n', truncated: false });
  });

  test('no shell reads the words', async () => {
    const { stdout } = await local.run(['printf', '%s|', '$(id)', '; true', '*']);
    expect(stdout).toBe('$(id)|; true|*|');
  });

  test("a child does not see this program's own environment", async () => {
    const { stdout } = await local.run(['env'], { env: { ADDED: '1' } });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((l) => l.split('=')[0])
        .toSorted((a = '', b = '') => a.localeCompare(b)),
    ).toEqual(['ADDED', 'LANG', 'PATH']);
  });

  test('lines arrive whole, whatever the borders of the chunks', async () => {
    const lines: string[] = [];
    await local.run(['sh', '-c', 'printf "a\\r\\nпри"; printf "вет\\nlast"; echo e >&2'], {
      onLine: (stream, line) => lines.push(`${stream}:${line}`),
    });
    expect(lines.filter((l) => l.startsWith('stdout'))).toEqual(['stdout:a', 'stdout:привет', 'stdout:last']);
    expect(lines).toContain('stderr:e');
  });

  test('aborting ends the whole group before the promise is rejected', async () => {
    const controller = new AbortController();
    const pids: number[] = [];
    const run = local.run(['sh', '-c', 'sleep 60 & echo $!; echo $$; wait'], {
      signal: controller.signal,
      onLine: (_, line) => {
        pids.push(Number(line));
        if (pids.length === 2) controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ kind: 'transient', code: 'exec-cancelled' });
    expect(pids).toHaveLength(2);
    expect(alive(pids[1]!)).toBe(false);
    await gone(pids[0]!);
  });

  test('a process that ignores TERM is killed', async () => {
    const controller = new AbortController();
    const run = local.run(['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.05; done'], {
      signal: controller.signal,
      onLine: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'exec-cancelled' });
  });

  test('what runs as somebody else is ended by who may become them', async () => {
    const asked: string[] = [];
    const kill = (pid: number, signal: NodeJS.Signals): never => {
      asked.push(signal);
      throw Object.assign(new Error(`kill ${pid}`), { code: 'EPERM' });
    };
    const become = createLocalExecutor({ prefix: ['env', 'AS=postgres'] }, { clock: systemClock, kill });
    const controller = new AbortController();
    const pids: number[] = [];
    const run = become.run(['sh', '-c', 'echo $$; exec sleep 60'], {
      signal: controller.signal,
      onLine: (_, line) => {
        pids.push(Number(line));
        controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'exec-cancelled' });
    expect(asked).toEqual(['SIGTERM']);
    for (const pid of pids) expect(alive(pid)).toBe(false);
    expect(pids).toHaveLength(1);
  });

  test('a time-out is an error of its own', async () => {
    await expect(local.run(['sleep', '60'], { timeoutMs: 30 })).rejects.toMatchObject({ code: 'exec-timeout' });
  });

  test('an aborted signal starts nothing', async () => {
    await expect(local.run(['true'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'exec-cancelled',
    });
  });

  test('a missing program and one that may not be started are the operator’s to mend', async () => {
    await expect(local.run(['no-such-program'])).rejects.toMatchObject({ kind: 'permanent', code: 'exec-not-found' });
    await expect(local.run(['/etc/passwd'])).rejects.toMatchObject({ kind: 'permanent', code: 'exec-not-allowed' });
  });

  test('death by a signal is told', async () => {
    expect(await local.run(['sh', '-c', 'kill -9 $$'])).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('of too much output the end is kept', async () => {
    const result = await local.run(['sh', '-c', 'seq 1 100000'], { maxOutputBytes: 7 });
    expect(result).toMatchObject({ stdout: '100000\n', truncated: true });
  });

  test('a daemon that keeps the pipe open does not keep us', async () => {
    const { code, stdout } = await local.run(['sh', '-c', 'setsid sleep 20 & echo $!']);
    expect(code).toBe(0);
    process.kill(Number(stdout.trim()));
  });

  test('the probe says whether commands run', async () => {
    expect(await local.probe(new AbortController().signal)).toMatchObject({ state: 'ok' });
    const broken = createLocalExecutor({ prefix: ['sh', '-c', 'echo no >&2; exit 1'] }, { clock: systemClock });
    expect(await broken.probe(new AbortController().signal)).toMatchObject({ state: 'down', args: { reason: 'no' } });
    const missing = createLocalExecutor({ prefix: ['nope'] }, { clock: systemClock });
    expect(await missing.probe(new AbortController().signal)).toMatchObject({
      state: 'down',
      text: 'err-exec-not-found',
    });
  });
});

describe('the parts', () => {
  test('an endless line is handed out in pieces instead of filling the memory', () => {
    const lines: string[] = [];
    const sink = createSink(4, (line) => lines.push(line));
    for (let i = 0; i < 5; i++) sink.write(Buffer.from('xxxxx'));
    sink.end();
    expect(lines.join('')).toBe('x'.repeat(25));
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(5);
    expect(sink.text()).toBe('xxxx');
  });

  test('the process number is taken out of stderr, also in pieces and after a banner', () => {
    let pid = 0;
    let text = '';
    const filter = pidFilter(
      (n) => (pid = n),
      (chunk) => (text += chunk.toString()),
    );
    for (const piece of ['ban', 'ner\nvakhta-p', 'id=42', '\nreal ', 'error\nvakhta-pid=7\n'])
      filter(Buffer.from(piece));
    expect(pid).toBe(42);
    expect(text).toBe('banner\nreal error\nvakhta-pid=7\n');
  });

  test('the remote line: words quoted twice, variables by name only, sudo with its user', () => {
    expect(remoteCommand(['pgbackrest', "it's"], [], false)).toBe(
      String.raw`exec sh -c 'echo "vakhta-pid=$$" >&2; exec pgbackrest '\''it'\''\'\'''\''s'\'''`,
    );
    const line = remoteCommand(['pgbackrest', 'info'], ['TOKEN'], { user: 'postgres' });
    expect(line).toContain(
      String.raw`IFS= read -r TOKEN; export TOKEN; exec sudo -n -u postgres '\''--preserve-env=TOKEN'\'' -- pgbackrest info`,
    );
    expect(remoteCommand(['id'], [], true)).toContain('exec sudo -n -- id');
  });

  test('a host key must be complete and of the type that it says', () => {
    const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS';
    expect(parseHostKey(`ssh-ed25519 ${key} comment`, 'h').algorithms[0]).toBe('ssh-ed25519');
    for (const bad of ['', 'ssh-ed25519', `ssh-rsa ${key}`, `constructor ${key}`, key]) {
      expect(() => parseHostKey(bad, 'h')).toThrow(/host_key/);
    }
  });

  test('every sentence exists in both languages', () => {
    const texts = catalogue([messages]);
    expect(texts.for('ru')('err-exec-not-found', { program: 'p', where: 'w' })).toContain('не найдена');
    expect(texts.for('en')('err-exec-not-found', { program: 'p', where: 'w' })).toContain('not found');
  });
});
