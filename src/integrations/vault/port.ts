import type { Secret } from '../../core/secret.ts';
import type { Probeable } from '../define.ts';

export interface VaultHealth {
  /** `standby` covers replication secondaries, too. */
  readonly state: 'active' | 'standby' | 'sealed' | 'uninitialised';
  readonly version?: string | undefined;
}

/**
 * Secrets from Vault or OpenBao by AppRole. All calls reject with a VakhtaError: `vault-sealed`, `vault-uninitialised`,
 * `vault-login`, `vault-denied`, `vault-no-secret`, `vault-no-key`, `vault-secret-deleted`, `vault-no-mount`,
 * `vault-unreachable` …; no message, argument or cause ever holds a value.
 */
export interface Vault extends Probeable {
  /** The newest value of a key: `readSecret('secret/postgres/main', 'password')`. */
  readSecret(path: string, key: string, signal?: AbortSignal): Promise<Secret>;
  /** Needs no login. Source: `/sys/health`. */
  health(signal?: AbortSignal): Promise<VaultHealth>;
  /** Gives the token back, and ends its renewal. */
  close(): Promise<void>;
}
