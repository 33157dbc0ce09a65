import { createHash } from 'node:crypto';
import ssh2, { type Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { SecretSource } from '../define.ts';

export interface SshSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** An OpenSSH private key without passphrase. */
  readonly privateKey: SecretSource;
  /** The one accepted host key as in known_hosts and in ssh_host_*_key.pub (`ssh-ed25519 AAAA…`), or its `SHA256:…` fingerprint. */
  readonly hostKey: string;
  /** Runs everything through `sudo -n`; with a name, as that user. */
  readonly sudo?: boolean | { readonly user: string };
}

/** As OpenSSH prints it: `SHA256:` and base64 without padding. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replaceAll('=', '')}`;

const ALGORITHMS: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

const FINGERPRINT = /^(SHA256:[A-Za-z0-9+/]{43})=?$/u;

/**
 * The pinned key's fingerprint, and the algorithms to ask for: its own first, so that a server with several keys shows that
 * one. Of a key that is pinned by its fingerprint alone the type is not known; then the server's order decides.
 */
export function parseHostKey(text: string, where: string): { pin: string; algorithms: ServerHostKeyAlgorithm[] } {
  const others = Object.values(ALGORITHMS).flat();
  const alone = FINGERPRINT.exec(text.trim())?.[1];
  if (alone !== undefined) return { pin: alone, algorithms: others };
  const [type = '', base64 = ''] = text.trim().split(/\s+/);
  const own = Object.hasOwn(ALGORITHMS, type) ? ALGORITHMS[type] : undefined;
  const key = Buffer.from(base64, 'base64');
  // The blob repeats its own type after a 4-byte length (RFC 4253, 6.6); this catches a truncated copy.
  const inner = key.length > 4 ? key.toString('latin1', 4, 4 + key.readUInt32BE(0)) : '';
  if (own === undefined || inner !== type) {
    throw new VakhtaError(
      'permanent',
      'ssh-host-key-config',
      `host_key of ${where} is neither a key nor a fingerprint`,
      {
        args: { where },
      },
    );
  }
  return { pin: fingerprint(key), algorithms: [...new Set([...own, ...others])] };
}

/** Logs in. Errors: `ssh-host-key`, `ssh-auth-refused`, `ssh-private-key` permanent; `ssh-unreachable` transient. */
export async function connect(settings: SshSettings, where: string): Promise<Client> {
  const pinned = parseHostKey(settings.hostKey, where);
  const privateKey = (await settings.privateKey()).reveal();
  // Parsed here first: the text of ssh2's own exception is not known to be free of key material.
  if (ssh2.utils.parseKey(privateKey) instanceof Error) {
    throw new VakhtaError('permanent', 'ssh-private-key', `${where}: cannot parse the private key`, {
      args: { where },
    });
  }
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    let seen: Buffer | undefined;
    client.once('ready', () => {
      client.off('error', fail);
      resolve(client);
    });
    function fail(error: Error) {
      // ssh2 reports more than once while it gives up; only the first counts, the rest must not become uncaught.
      client.on('error', () => undefined);
      client.destroy();
      reject(
        seen !== undefined && fingerprint(seen) !== pinned.pin
          ? new VakhtaError(
              'permanent',
              'ssh-host-key',
              `${where}: host key ${fingerprint(seen)}, expected ${pinned.pin}`,
              { args: { where, seen: fingerprint(seen), expected: pinned.pin }, cause: error },
            )
          : classify(error, where),
      );
    }
    client.once('error', fail);
    client.once('close', () => fail(new Error('closed before the login was complete')));
    client.connect({
      host: settings.host,
      port: settings.port,
      username: settings.user,
      privateKey,
      readyTimeout: seconds(10),
      keepaliveInterval: seconds(15),
      keepaliveCountMax: 3,
      algorithms: { serverHostKey: pinned.algorithms },
      hostVerifier: (key: Buffer) => {
        seen = key;
        return fingerprint(key) === pinned.pin;
      },
    });
  });
}

function classify(error: Error, where: string): VakhtaError {
  const level = 'level' in error ? String(error.level) : '';
  const details = { args: { where, reason: error.message }, cause: error };
  if (level === 'client-authentication') {
    return new VakhtaError('permanent', 'ssh-auth-refused', `${where}: ${error.message}`, details);
  }
  if (level === 'handshake' || level === 'protocol') {
    return new VakhtaError('permanent', 'ssh-handshake', `${where}: ${error.message}`, details);
  }
  return new VakhtaError('transient', 'ssh-unreachable', `${where}: ${error.message}`, details);
}
