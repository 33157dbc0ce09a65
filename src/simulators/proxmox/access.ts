/** One line of the access control list: the privileges of a role at a path. */
export interface SimAcl {
  readonly path: string;
  readonly privileges: readonly string[];
  /** Whether it reaches the paths below; default true. */
  readonly propagate?: boolean;
}

export interface SimToken {
  /** `USER@REALM!NAME`. */
  readonly id: string;
  readonly secret: string;
  acl: readonly SimAcl[];
  /** An expired user's token is refused like a wrong one. */
  expired?: boolean;
}

/** Roles of `pveum role list`, so far as the calls of this simulator need them. */
export const PVEAuditor: readonly string[] = ['VM.Audit', 'Sys.Audit', 'Datastore.Audit', 'Pool.Audit', 'SDN.Audit'];
export const PVEVMUser: readonly string[] = ['VM.Audit', 'VM.PowerMgmt', 'VM.Backup', 'VM.Console'];

/** `PVEAPIToken=USER@REALM!NAME=UUID`. */
export function authenticate(tokens: readonly SimToken[], header: string | undefined): SimToken | undefined {
  const match = /^PVEAPIToken=([^=]+)=(.+)$/.exec(header ?? '');
  return tokens.find((token) => token.id === match?.[1] && token.secret === match[2] && token.expired !== true);
}

/** The privileges at a path: its own lines replace what would come from above, as `PVE::AccessControl::roles` does. */
function effective(token: SimToken, path: string): Map<string, number> {
  const parts = path.split('/').filter((part) => part !== '');
  for (let length = parts.length; length >= 0; length--) {
    const at = `/${parts.slice(0, length).join('/')}`;
    const lines = token.acl.filter((line) => line.path === at && (length === parts.length || line.propagate !== false));
    if (lines.length > 0) {
      return new Map(lines.flatMap((line) => line.privileges.map((name) => [name, line.propagate === false ? 0 : 1])));
    }
  }
  return new Map();
}

/** Whether any of the privileges is held at the path. */
export const allowed = (token: SimToken, path: string, ...privileges: string[]): boolean => {
  const held = effective(token, path);
  return privileges.some((name) => held.has(name));
};

/** The answer of `GET /access/permissions`: the fixed paths and those of the list, empty ones left out. */
export function dumpPermissions(token: SimToken, asked?: string): Record<string, Record<string, number>> {
  const fixed = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];
  const paths = asked === undefined ? [...new Set([...fixed, ...token.acl.map((line) => line.path)])] : [asked];
  const entries = paths.map((path) => [path, Object.fromEntries(effective(token, path))] as const);
  const held = entries.filter(([, privileges]) => Object.keys(privileges).length > 0);
  // Measured: the path that was asked for comes back with a slash at its end.
  return Object.fromEntries(held.map(([path, privileges]) => [asked === undefined ? path : `${path}/`, privileges]));
}
