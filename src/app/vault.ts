import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Vault } from '../integrations/vault/port.ts';
import { createVault } from '../integrations/vault/vault.ts';

/** The Vault client when one is configured. `secrets` reads the secret id, which must not itself lie in Vault. */
export function vaultOf(
  config: Config,
  edges: { readonly clock: Clock; readonly log: Log; readonly secrets: Secrets },
): Vault | undefined {
  if (!config.vault) return undefined;
  const { url, roleId, secretId, namespace } = config.vault;
  return createVault(
    { url, roleId, secretId: edges.secrets.source(secretId), namespace },
    { clock: edges.clock, log: edges.log },
  );
}
