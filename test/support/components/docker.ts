import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { need } from './detect.ts';
import { temporaryFolder } from './place.ts';
import { launch, must, run, until } from './process.ts';

export interface DockerEngine {
  /** The words that speak to this engine: `docker --host unix://…`. */
  readonly docker: readonly string[];
  /** An image with busybox, made without a registry. */
  readonly image: string;
  /** Runs a container that ends at once when it is told to; gives its id. */
  start(
    name: string,
    options?: { readonly args?: readonly string[]; readonly command?: string; readonly network?: 'none' | 'host' },
  ): Promise<string>;
  /** Ends the engine, as when its service is stopped. */
  stopEngine(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

const IMAGE = 'vakhta-test/busybox:1';

/** A Docker engine of its own: own socket and data, no iptables, no bridge, so that nothing of the machine is touched. */
export async function startDocker(): Promise<DockerEngine> {
  const dockerd = need('dockerd');
  const client = need('docker');
  const busybox = need('busybox');
  const { path: folder, remove } = await temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const socket = `unix://${at('docker.sock')}`;
  const docker = [client, '--host', socket];
  // A file of its own, so that /etc/docker/daemon.json plays no part.
  await writeFile(at('daemon.json'), '{}');
  const quiet = ['--iptables=false', '--ip6tables=false', '--ip-masq=false', '--bridge=none', '--ip-forward=false'];
  const place = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('docker.pid')];
  const engine = launch('dockerd', [
    dockerd,
    '--host',
    socket,
    ...place,
    ...quiet,
    // vfs needs nothing of the kernel: overlay on overlay is refused in many containers.
    '--storage-driver',
    'vfs',
    '--config-file',
    at('daemon.json'),
  ]);
  const stop = async (): Promise<void> => {
    const left = await run([...docker, 'ps', '--all', '--quiet']);
    const ids = left.stdout.split('\n').filter((id) => id !== '');
    if (left.code === 0 && ids.length > 0) await run([...docker, 'rm', '--force', ...ids]);
    await engine.stop();
    await run(['umount', at('exec/netns/default')]);
    await remove();
  };
  try {
    await until('dockerd', async () => (await run([...docker, 'version'])).code === 0, {
      process: engine,
      timeoutMs: 60_000,
    });
    await mkdir(at('root/bin'), { recursive: true });
    await cp(busybox, at('root/bin/busybox'));
    await symlink('busybox', at('root/bin/sh'));
    await must(['tar', '--create', '--file', at('root.tar'), '--directory', at('root'), '.']);
    await must([...docker, 'import', at('root.tar'), IMAGE]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    docker,
    image: IMAGE,
    start: async (name, { args = [], command = 'exec /bin/busybox sleep 3600', network = 'none' } = {}) => {
      const words = ['run', '--detach', '--init', '--network', network, '--name', name, ...args, IMAGE];
      return (await must([...docker, ...words, '/bin/busybox', 'sh', '-c', command])).trim();
    },
    stopEngine: () => engine.stop(),
    log: () => engine.log(),
    stop,
  };
}
