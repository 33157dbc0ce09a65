import { systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Log } from '../../../src/integrations/define.ts';
import type { Vault } from '../../../src/integrations/vault/port.ts';
import { createVault, type VaultSettings } from '../../../src/integrations/vault/vault.ts';
import type { SimPolicy, SimRole } from '../../../src/simulators/vault/access.ts';
import { createVaultSimulator } from '../../../src/simulators/vault/simulator.ts';

export const SECRET_ID = '7f3c9d1e-secret-id-of-the-bot';
export const PASSWORD = 'correct-horse-Ω-battery';

export const role = (more: Partial<SimRole> = {}): SimRole => ({
  name: 'vakhta',
  roleId: '2f6a0b5e-role',
  secretIds: [{ value: SECRET_ID }],
  policies: ['vakhta'],
  tokenTtl: 3600,
  tokenMaxTtl: 14_400,
  ...more,
});

export const policies: Readonly<Record<string, SimPolicy>> = {
  vakhta: {
    'secret/data/postgres/*': ['read'],
    'secret/subkeys/+/main': ['read'],
    'secret/metadata/postgres/*': ['read', 'list'],
    'nothing/data/*': ['read'],
  },
};

export const settingsFor = (url: string, more: Partial<VaultSettings> = {}): VaultSettings => ({
  url,
  roleId: '2f6a0b5e-role',
  secretId: () => Promise.resolve(new Secret(SECRET_ID)),
  ...more,
});

/** Keeps every line with its fields, to look for what must not stand there. */
export function keeping(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } };
}

/** What the suite runs against: a secret that can be read, beside what cannot. */
export interface Subject {
  readonly vault: Vault;
  /** A client with a wrong secret id. */
  readonly stranger: Vault;
  readonly path: string;
  readonly key: string;
  readonly value: string;
  close(): Promise<void>;
}

export async function simulated(): Promise<Subject> {
  const simulator = createVaultSimulator({ clock: systemClock, random: systemRandom, roles: [role()], policies });
  simulator.kv().write('postgres/main', { username: 'app', password: PASSWORD });
  const url = await simulator.start();
  const edges = { clock: systemClock, log: keeping().log };
  const vault = createVault(settingsFor(url), edges);
  return {
    vault,
    stranger: createVault(settingsFor(url, { secretId: () => Promise.resolve(new Secret('wrong')) }), edges),
    path: 'secret/postgres/main',
    key: 'password',
    value: PASSWORD,
    close: async () => {
      await vault.close();
      if (simulator.access.count() !== 0) throw new Error('a token was left behind');
      await simulator.stop();
    },
  };
}

/** The real server named in the environment (see the head of conformance.test.ts). */
export function real(env: Readonly<Record<string, string | undefined>>): Subject {
  const { VAULT_ADDR = '', VAULT_ROLE_ID = '', VAULT_SECRET_ID = '', VAULT_CA, VAULT_NAMESPACE } = env;
  const { VAULT_TEST_PATH = 'secret/vakhta-test', VAULT_TEST_KEY = 'key', VAULT_TEST_VALUE = 'value' } = env;
  const edges = { clock: systemClock, log: keeping().log };
  const make = (secretId: string) =>
    createVault(
      {
        url: VAULT_ADDR,
        roleId: VAULT_ROLE_ID,
        secretId: () => Promise.resolve(new Secret(secretId)),
        ca: VAULT_CA,
        namespace: VAULT_NAMESPACE,
      },
      edges,
    );
  const vault = make(VAULT_SECRET_ID);
  const stranger = make('00000000-0000-4000-8000-000000000000');
  return {
    vault,
    stranger,
    path: VAULT_TEST_PATH,
    key: VAULT_TEST_KEY,
    value: VAULT_TEST_VALUE,
    close: () => vault.close(),
  };
}
