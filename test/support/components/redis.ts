import { connect } from 'node:net';
import { need } from './detect.ts';
import { freePort, temporaryFolder } from './place.ts';
import { launch, type Launched, until } from './process.ts';

export interface RedisServer {
  /** `redis://127.0.0.1:PORT`, with the password when there is one. */
  readonly url: string;
  readonly port: number;
  /** Ends it with SIGKILL; the append-only file stays. */
  crash(): Promise<void>;
  /** Starts it again after `crash`, on the same port and data. */
  resume(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** Redis with an append-only file. Waits for PONG: it accepts connections while it still loads. */
export async function startRedis(options: { readonly password?: string } = {}): Promise<RedisServer> {
  const program = need('redis');
  const { path: folder, remove } = await temporaryFolder();
  const port = await freePort();
  const { password } = options;
  let server: Launched;
  const resume = async () => {
    const auth = password === undefined ? [] : ['--requirepass', password];
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    server = launch('redis', [program, ...place, '--appendonly', 'yes', '--save', '', '--daemonize', 'no', ...auth]);
    await until('Redis', () => pongs(port, password), { process: server });
  };
  try {
    await resume();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: password === undefined ? `redis://127.0.0.1:${port}` : `redis://:${password}@127.0.0.1:${port}`,
    port,
    crash: () => server.stop('SIGKILL'),
    resume,
    log: () => server.log(),
    async stop() {
      await server.stop();
      await remove();
    },
  };
}

function pongs(port: number, password: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    let heard = '';
    socket.once('connect', () => socket.write(`${password === undefined ? '' : `AUTH ${password}\r\n`}PING\r\n`));
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      if (heard.includes('+PONG\r\n')) done(true);
      else if (heard.includes('-')) done(false);
    });
    socket.once('error', () => done(false));
    socket.setTimeout(1000, () => done(false));
  });
}
