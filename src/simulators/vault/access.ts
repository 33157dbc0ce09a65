import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';

export type Capability = 'create' | 'read' | 'update' | 'delete' | 'list';

/** A policy: paths as in HCL (`secret/data/pg/*`, `+` for one segment) with what they allow. */
export type SimPolicy = Readonly<Record<string, readonly Capability[]>>;

export interface SimRole {
  readonly name: string;
  readonly roleId: string;
  readonly secretIds: SimSecretId[];
  readonly policies: readonly string[];
  /** Seconds. */
  tokenTtl: number;
  tokenMaxTtl: number;
  /** Batch tokens cannot be renewed. */
  readonly tokenType?: 'service' | 'batch';
}

export interface SimSecretId {
  readonly value: string;
  /** Logins that are left; undefined means without limit. */
  uses?: number;
  /** Milliseconds since the epoch. */
  readonly expires?: number;
}

export interface SimVaultToken {
  readonly id: string;
  readonly accessor: string;
  readonly role: SimRole;
  readonly issued: number;
  expires: number;
}

/** Tokens, AppRoles and policies under the given clock. */
export function createAccess(
  clock: Clock,
  random: Random,
  roles: readonly SimRole[],
  policies: Readonly<Record<string, SimPolicy>>,
) {
  const tokens = new Map<string, SimVaultToken>();
  const now = () => clock.now().getTime();
  let serial = 0;

  return {
    /** The token of a successful login; undefined for wrong, expired and used up secret ids alike. */
    login: (roleId: string, secretId: string): SimVaultToken | undefined => {
      const role = roles.find((candidate) => candidate.roleId === roleId);
      const secret = role?.secretIds.find((candidate) => candidate.value === secretId);
      if (role === undefined || secret === undefined) return undefined;
      if ((secret.expires !== undefined && secret.expires <= now()) || secret.uses === 0) return undefined;
      if (secret.uses !== undefined) secret.uses -= 1;
      serial += 1;
      const id = `hvs.${random.bytes(18).toString('base64url')}${serial}`;
      const accessor = `${random.bytes(15).toString('base64url')}${serial}`;
      const ttl = Math.min(role.tokenTtl, role.tokenMaxTtl);
      const token = { id, accessor, role, issued: now(), expires: now() + ttl * 1000 };
      tokens.set(id, token);
      return token;
    },

    /** The living token of this id. */
    find: (id: string | undefined): SimVaultToken | undefined => {
      const token = tokens.get(id ?? '');
      return token !== undefined && token.expires > now() ? token : undefined;
    },

    /** Seconds it then lives; less than asked for when the maximum age is near. */
    renew: (token: SimVaultToken, increment: number | undefined): number => {
      const wanted = now() + (increment ?? token.role.tokenTtl) * 1000;
      token.expires = Math.min(wanted, token.issued + token.role.tokenMaxTtl * 1000);
      return Math.floor((token.expires - now()) / 1000);
    },

    revoke: (token: SimVaultToken) => void tokens.delete(token.id),
    /** As a restart of a development server, or somebody with `token revoke`, does. */
    revokeAll: () => tokens.clear(),
    count: () => [...tokens.values()].filter((token) => token.expires > now()).length,

    /** Whether the token's policies allow it. Source: the longest matching path decides. */
    allows: (token: SimVaultToken, path: string, capability: Capability): boolean =>
      token.role.policies.some((name) => {
        const rules = Object.entries(policies[name] ?? {}).filter(([pattern]) => matches(pattern, path));
        const [best] = rules.toSorted(([a], [b]) => b.length - a.length);
        return best?.[1].includes(capability) === true;
      }),
  };
}

function matches(pattern: string, path: string): boolean {
  const open = pattern.endsWith('*');
  const parts = (open ? pattern.slice(0, -1) : pattern)
    .split('+')
    .map((part) => part.replace(/[.\\^$()|[\]{}?]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]+')}${open ? '' : '$'}`).test(path);
}
