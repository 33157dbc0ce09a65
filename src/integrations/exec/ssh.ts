import type { Client, ClientChannel } from 'ssh2';
import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Edges } from '../define.ts';
import {
  cancelled,
  checkArgv,
  createSink,
  DEFAULT_GRACE_MS,
  DEFAULT_MAX_OUTPUT,
  type Executor,
  type RunOptions,
  type RunResult,
  timedOut,
} from './executor.ts';
import { probeExecutor } from './probe.ts';
import { quoteArgv } from './quote.ts';
import { connect, type SshSettings } from './ssh-connection.ts';

export type { SshSettings } from './ssh-connection.ts';

interface Opened {
  readonly channel: ClientChannel;
  /** Set when the command has ended and the server told how. */
  exit: { readonly code: number | null; readonly signal: string | undefined } | undefined;
}

export interface SshExecutor extends Executor {
  /** Ends the connection; the next `run` opens a new one. */
  close(): void;
}

const PID_LINE = /^vakhta-pid=(\d+)$/;

/**
 * The line that the remote login shell gets. Its first line on stderr tells the process group, so that we can end it.
 * Variables come in as the first lines of standard input: neither argv (others see it in `ps`) nor SSH's own variables
 * (servers silently drop them) will do. `read` takes single bytes from a pipe, so the rest is left to the command.
 */
export function remoteCommand(argv: readonly string[], names: readonly string[], sudo: SshSettings['sudo']): string {
  const user = typeof sudo === 'object' ? ['-u', sudo.user] : [];
  const keep = names.length > 0 ? [`--preserve-env=${names.join(',')}`] : [];
  const words = sudo ? ['sudo', '-n', ...user, ...keep, '--', ...argv] : argv;
  const reads = names.map((name) => `IFS= read -r ${name}; export ${name}; `).join('');
  return quoteArgv(['exec', 'sh', '-c', `echo "vakhta-pid=$$" >&2; ${reads}exec ${quoteArgv(words)}`]);
}

/** Runs programs on another machine over one kept SSH connection. Errors as `Executor`, and those of the login. */
export function createSshExecutor(settings: SshSettings, edges: Edges & { readonly graceMs?: number }): SshExecutor {
  const where = `${settings.user}@${settings.host}:${settings.port}`;
  const graceMs = edges.graceMs ?? DEFAULT_GRACE_MS;
  let connection: Promise<Client> | undefined;

  const connected = (): Promise<Client> => {
    if (connection !== undefined) return connection;
    const mine = connect(settings, where);
    connection = mine;
    const forget = () => {
      if (connection === mine) connection = undefined;
    };
    mine.then((client) => {
      client.on('end', forget);
      client.on('close', forget);
      client.on('error', (error) => {
        forget();
        edges.log.debug({ where, err: error.message }, 'ssh connection failed');
      });
    }, forget);
    return mine;
  };

  /** A channel can learn of the end before its connection does: nothing more may be asked of it. */
  const abandon = (client: Client): void => {
    connection = undefined;
    client.destroy();
  };

  const open = (client: Client, line: string): Promise<Opened> =>
    new Promise((resolve, reject) => {
      const lost = () => reject(connectionLost(where));
      client.once('close', lost);
      try {
        client.exec(line, (error, channel) => {
          client.off('close', lost);
          if (error) return reject(unreachable(where, error));
          const opened: Opened = { channel, exit: undefined };
          // Now, not after the promise: a fast command's end may stand in the very packet that opened the channel.
          channel.on('exit', (code: number | null, signal?: string) => {
            opened.exit = { code, signal: signal === undefined ? undefined : `SIG${signal}` };
          });
          resolve(opened);
        });
      } catch (thrown) {
        // ssh2 throws "Not connected" when the connection ended a moment ago.
        client.off('close', lost);
        abandon(client);
        reject(unreachable(where, thrown));
      }
    });

  /** Ends a whole remote process group. Signals on the channel alone would miss what runs through sudo. */
  const kill = async (client: Client, group: number, signal: 'TERM' | 'INT' | 'KILL'): Promise<void> => {
    const plain = ['kill', '-s', signal, '--', `-${group}`];
    const user = typeof settings.sudo === 'object' ? ['-u', settings.sudo.user] : [];
    const line = quoteArgv(plain);
    const { channel } = await open(
      client,
      settings.sudo ? `${quoteArgv(['sudo', '-n', ...user, '--', ...plain])} || ${line}` : line,
    );
    channel.resume();
    channel.stderr.resume();
    await new Promise<void>((resolve) => channel.once('close', () => resolve()));
  };

  const run = async (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
    checkArgv(argv);
    const name = argv[0] ?? '';
    const env = Object.entries(options.env ?? {});
    for (const [key, value] of env) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key) || /[\n\0]/.test(value)) {
        throw new VakhtaError('usage', 'exec-env', `variable ${key} cannot be passed`, { args: { name: key } });
      }
    }
    if (options.signal?.aborted) throw cancelled(name, options.signal.reason);
    const client = await connected();
    // It may have happened during the login: then nothing is started.
    if (options.signal?.aborted) throw cancelled(name, options.signal.reason);
    const names = env.map(([key]) => key);
    const opened = await open(client, remoteCommand(argv, names, settings.sudo));
    const { channel } = opened;

    return new Promise((resolve, reject) => {
      const max = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT;
      const { onLine } = options;
      let group: number | undefined;
      let stopped: VakhtaError | undefined;
      let settled = false;
      const timers: (() => void)[] = [];
      const stdout = createSink(max, onLine && ((line) => onLine('stdout', line)));
      const stderr = createSink(max, onLine && ((line) => onLine('stderr', line)));
      const onStderr = pidFilter(
        (pid) => {
          group = pid;
          if (stopped !== undefined) end(gently);
        },
        (chunk) => stderr.write(chunk),
      );

      const gently = options.stop?.signal ?? 'TERM';
      const end = (signal: 'TERM' | 'INT' | 'KILL') => {
        if (group === undefined) return;
        kill(client, group, signal).catch((error: unknown) =>
          edges.log.warn({ where, err: String(error) }, 'a remote process could not be signalled'),
        );
      };
      const stop = (why: VakhtaError) => {
        if (stopped !== undefined) return;
        stopped = why;
        end(gently);
        timers.push(
          edges.clock.after(options.stop?.graceMs ?? graceMs, () => {
            end('KILL');
            // A process that cannot be killed (or whose number never came) may not keep us waiting.
            timers.push(edges.clock.after(seconds(2), () => channel.close()));
            timers.push(edges.clock.after(seconds(4), settle));
          }),
        );
      };
      const onAbort = () => stop(cancelled(name, options.signal?.reason));
      options.signal?.addEventListener('abort', onAbort, { once: true });
      if (options.signal?.aborted) onAbort();
      const { timeoutMs } = options;
      if (timeoutMs !== undefined) timers.push(edges.clock.after(timeoutMs, () => stop(timedOut(name, timeoutMs))));

      channel.on('data', (chunk: Buffer) => stdout.write(chunk));
      channel.stderr.on('data', onStderr);
      channel.once('close', closed);
      client.once('close', settle);
      channel.on('error', () => undefined); // 'close' follows
      channel.end(env.map(([, value]) => `${value}\n`).join('') + (options.stdin ?? ''));

      /** 'close' waits for stdout only; what stderr still holds belongs to the result. */
      function closed() {
        if (channel.stderr.readableEnded || channel.stderr.destroyed) return settle();
        channel.stderr.once('end', settle);
        channel.stderr.once('close', settle);
      }
      function settle() {
        if (settled) return;
        settled = true;
        options.signal?.removeEventListener('abort', onAbort);
        client.off('close', settle);
        for (const cancel of timers) cancel();
        stdout.end();
        stderr.end();
        if (stopped !== undefined) return reject(stopped);
        if (opened.exit === undefined) {
          abandon(client);
          return reject(connectionLost(where));
        }
        const { code, signal } = opened.exit;
        // The shell's own words for "no such program" (POSIX 2.8.2) become the same error as on this machine.
        if ((code === 127 || code === 126) && stdout.text() === '') {
          const what = code === 127 ? 'exec-not-found' : 'exec-not-allowed';
          return reject(new VakhtaError('permanent', what, `${where}: ${name}`, { args: { program: name, where } }));
        }
        resolve({
          code,
          ...(signal === undefined ? {} : { signal }),
          stdout: stdout.text(),
          stderr: stderr.text(),
          truncated: stdout.truncated || stderr.truncated,
        });
      }
    });
  };

  const executor: SshExecutor = {
    run,
    describe: () => where,
    probe: (signal) => probeExecutor(executor, signal),
    close: () => {
      connection?.then(
        (client) => client.end(),
        () => undefined,
      );
      connection = undefined;
    },
  };
  return executor;
}

const connectionLost = (where: string): VakhtaError =>
  new VakhtaError('transient', 'ssh-connection-lost', `${where}: connection lost`, { args: { where } });

const unreachable = (where: string, thrown: unknown): VakhtaError => {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new VakhtaError('transient', 'ssh-unreachable', `${where}: ${reason}`, {
    args: { where, reason },
    cause: thrown,
  });
};

/** Takes the process number's line out of the stream, wherever a banner of the login shell may have put it. */
export function pidFilter(onPid: (pid: number) => void, write: (chunk: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer | undefined = Buffer.alloc(0);
  return (chunk) => {
    if (held === undefined) return write(chunk);
    held = Buffer.concat([held, chunk]);
    for (let at = held.indexOf(0x0a); at !== -1; at = held.indexOf(0x0a)) {
      const pid = PID_LINE.exec(held.toString('utf8', 0, at))?.[1];
      const rest: Buffer = held.subarray(at + 1);
      if (pid !== undefined) {
        held = undefined;
        onPid(Number(pid));
        if (rest.length > 0) write(rest);
        return;
      }
      write(held.subarray(0, at + 1));
      held = rest;
    }
  };
}
