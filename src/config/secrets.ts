import { VakhtaError } from '../core/error.ts';
import { Secret } from '../core/secret.ts';
import { type Env, type FileContent, type ReadFile, systemCode } from './files.ts';
import { formatSecretRef, type SecretRef } from './secret-ref.ts';
import type { Finding } from './sections/common.ts';

/** Gives a secret's present value, read at the time of the call, so that a rotation needs no restart. */
export type SecretSource = () => Promise<Secret>;

/** What is needed of Vault: the newest value of one key of a KV version 2 secret. */
export interface SecretStore {
  readSecret(path: string, key: string): Promise<Secret>;
}

export interface SecretEdges {
  readonly env: Env;
  readonly readFile: ReadFile;
  /** Absent when no `vault` section is configured. */
  readonly vault?: SecretStore;
  /** Called with each new value before anybody else sees it: the redactor's `learn`. */
  readonly learn?: (secret: Secret) => void;
  /** Called once for each file that other users of the machine can read. */
  readonly onWarning?: (warning: Finding) => void;
}

export interface Secrets {
  /**
   * The source of one reference. Calling it rejects with `secret-env`, `secret-empty`, `secret-file` or
   * `secret-no-vault`, each naming the reference; errors of Vault come through as they are.
   */
  source(ref: SecretRef): SecretSource;
  /** Every different value given out so far: what a redactor that came later has to learn. */
  revealed(): readonly Secret[];
}

export function createSecrets(edges: SecretEdges): Secrets {
  const known = new Map<string, Secret>();
  const warned = new Set<string>();

  const fromFile = async (ref: SecretRef & { scheme: 'file' }): Promise<string> => {
    const { text, mode } = await readSecretFile(edges.readFile, ref);
    if (readableByOthers(ref.path, mode) && !warned.has(ref.path)) {
      warned.add(ref.path);
      edges.onWarning?.({ text: 'cfg-secret-file-mode', args: { path: ref.path, mode: (mode & 0o777).toString(8) } });
    }
    // Editors and `echo` end a file with a line break that is not part of the value.
    return text.replace(/\r?\n$/, '');
  };

  const read = async (ref: SecretRef): Promise<Secret> => {
    switch (ref.scheme) {
      case 'env':
        return new Secret(fromEnv(edges.env, ref));
      case 'file':
        return new Secret(await fromFile(ref));
      case 'vault':
        if (edges.vault === undefined) throw failure('secret-no-vault', ref, 'no vault section is configured');
        return edges.vault.readSecret(ref.path, ref.key);
    }
  };

  return {
    source: (ref) => async () => {
      const secret = await read(ref);
      const value = secret.reveal();
      if (value.trim() === '') throw failure('secret-empty', ref, 'the value is empty');
      if (!known.has(value)) {
        known.set(value, secret);
        edges.learn?.(secret);
      }
      return secret;
    },
    revealed: () => [...known.values()],
  };
}

function fromEnv(env: Env, ref: SecretRef & { scheme: 'env' }): string {
  const value = env[ref.name];
  if (value === undefined) throw failure('secret-env', ref, 'the environment variable is not set', { name: ref.name });
  return value;
}

async function readSecretFile(readFile: ReadFile, ref: SecretRef & { scheme: 'file' }): Promise<FileContent> {
  try {
    return await readFile(ref.path);
  } catch (cause) {
    const why = systemCode(cause);
    throw failure('secret-file', ref, `the file cannot be read (${why})`, { path: ref.path, why }, cause);
  }
}

/** Docker mounts secrets readable by everybody *inside the container*; that is not the machine's other users. */
const readableByOthers = (path: string, mode: number): boolean =>
  (mode & 0o004) !== 0 && !path.startsWith('/run/secrets/');

function failure(
  code: string,
  ref: SecretRef,
  why: string,
  args: Record<string, string> = {},
  cause?: unknown,
): VakhtaError {
  const place = formatSecretRef(ref);
  return new VakhtaError('permanent', code, `${place}: ${why}`, {
    args: { ref: place, ...args },
    ...(cause === undefined ? {} : { cause }),
  });
}
