import { chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { uniqueName } from './cluster.ts';
import { need } from './detect.ts';
import { freePort, temporaryFolder } from './place.ts';
import { isRoot, launch, must, systemUser, tcpOpen, until } from './process.ts';

export interface SshServer {
  readonly host: string;
  readonly port: number;
  /** The one user who may log in, with the key only. */
  readonly user: string;
  /** The user's private key, OpenSSH PEM, without passphrase. */
  readonly privateKey: string;
  readonly privateKeyFile: string;
  /** A key that the server does not accept. */
  readonly strangerKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly hostKeyFingerprint: string;
  /** A known_hosts line for this server. */
  readonly knownHosts: string;
  log(): string;
  stop(): Promise<void>;
}

/** sshd with its own host key; a system user made for it when we are root (and removed again), else ourselves. */
export async function startSshd(
  options: {
    readonly extraConfig?: string;
    /** The user who logs in is another name of this system user (used only when we are root). */
    readonly sameAs?: string;
  } = {},
): Promise<SshServer> {
  const program = need('sshd');
  const keygen = need('ssh-keygen');
  const { path: folder, remove } = await temporaryFolder();
  const port = await freePort();
  const at = (name: string) => join(folder, name);
  for (const key of ['host', 'client', 'stranger']) {
    await must([keygen, '-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', at(key)]);
  }
  const user = isRoot() ? uniqueName('vk') : userInfo().username;
  if (isRoot()) {
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    // The password field is `*`, not `!`: sshd without PAM takes `!` for a locked account and refuses even its key.
    await must([
      'useradd',
      '--no-create-home',
      '--home-dir',
      at('home'),
      '--shell',
      '/bin/bash',
      '--password',
      '*',
      ...(options.sameAs === undefined ? [] : ['--non-unique', '--uid', String(systemUser(options.sameAs).uid)]),
      user,
    ]);
    await mkdir(at('home'));
    const { uid, gid } = systemUser(user);
    await chown(at('home'), uid, gid);
  }
  await copyFile(at('client.pub'), at('authorized_keys'));
  const config = `
Port ${port}
ListenAddress 127.0.0.1
HostKey ${at('host')}
PidFile ${at('sshd.pid')}
AuthorizedKeysFile ${at('authorized_keys')}
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin no
AllowUsers ${user}
StrictModes no
Subsystem sftp internal-sftp
MaxStartups 100
LogLevel VERBOSE
${options.extraConfig ?? ''}
`;
  await writeFile(at('sshd_config'), config);
  const server = launch('sshd', [program, '-D', '-e', '-f', at('sshd_config')]);
  const stop = async () => {
    await server.stop();
    // --force: a shell of the user may still be on its way out.
    if (isRoot()) await must(['userdel', '--force', user]);
    await remove();
  };
  try {
    await until('sshd', () => tcpOpen(port), { process: server });
  } catch (error) {
    await stop();
    throw error;
  }
  const hostKey = (await readFile(at('host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  const listed = await must([keygen, '-l', '-E', 'sha256', '-f', at('host.pub')]);
  return {
    host: '127.0.0.1',
    port,
    user,
    privateKey: await readFile(at('client'), 'utf8'),
    privateKeyFile: at('client'),
    strangerKey: await readFile(at('stranger'), 'utf8'),
    hostKey,
    hostKeyFingerprint: listed.split(' ')[1] ?? '',
    knownHosts: `[127.0.0.1]:${port} ${hostKey}`,
    log: () => server.log(),
    stop,
  };
}
