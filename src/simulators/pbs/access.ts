/** One line of the access control list: the privileges of a role at a path. */
export interface SimAcl {
  readonly path: string;
  readonly privileges: readonly string[];
  /** Whether it reaches the paths below; default true. */
  readonly propagate?: boolean;
}

export interface SimToken {
  /** `user@realm!name`. */
  readonly id: string;
  readonly secret: string;
  /** What both the token and its user were given: the server grants nothing beyond. */
  acl: readonly SimAcl[];
  /** Refused like a wrong one. */
  expired?: boolean;
}

/** Some roles of a backup server; others cannot be made. Source: `pbs-api-types/src/acl.rs`. */
export const DatastoreAudit: readonly string[] = ['Datastore.Audit'];
/** May verify, and read what is in the backups. */
export const DatastoreReader: readonly string[] = ['Datastore.Audit', 'Datastore.Verify', 'Datastore.Read'];
export const DatastoreBackup: readonly string[] = ['Datastore.Backup'];
export const DatastoreAdmin: readonly string[] = [
  'Datastore.Audit',
  'Datastore.Backup',
  'Datastore.Modify',
  'Datastore.Prune',
  'Datastore.Read',
  'Datastore.Verify',
];
export const RemoteAudit: readonly string[] = ['Remote.Audit'];

/** `PBSAPIToken=user@realm!name:secret`: a colon before the secret. */
export function authenticate(tokens: readonly SimToken[], header: string | undefined): SimToken | undefined {
  const match = /^PBSAPIToken=([^:]+):(.+)$/.exec(header ?? '');
  return tokens.find((token) => token.id === match?.[1] && token.secret === match[2] && token.expired !== true);
}

/** The privileges at a path: its own lines replace what would come from above. Source: `pbs-config/src/acl.rs`. */
function effective(token: SimToken, path: string): Map<string, boolean> {
  const parts = path.split('/').filter((part) => part !== '');
  for (let length = parts.length; length >= 0; length--) {
    const at = `/${parts.slice(0, length).join('/')}`;
    const lines = token.acl.filter((line) => line.path === at && (length === parts.length || line.propagate !== false));
    if (lines.length > 0) {
      return new Map(lines.flatMap((line) => line.privileges.map((name) => [name, line.propagate !== false] as const)));
    }
  }
  return new Map();
}

/** Whether any of the privileges is held at the path. */
export const allowed = (token: SimToken, path: string, ...privileges: string[]): boolean => {
  const held = effective(token, path);
  return privileges.some((name) => held.has(name));
};

/** The answer of `GET /access/permissions`: the default paths and those of the list, empty ones left out. */
export function dumpPermissions(token: SimToken, asked?: string): Record<string, Record<string, boolean>> {
  const fixed = ['/', '/access', '/datastore', '/remote', '/system'];
  const paths = asked === undefined ? [...new Set([...fixed, ...token.acl.map((line) => line.path)])] : [asked];
  const entries = paths.map((path) => [path, Object.fromEntries(effective(token, path))] as const);
  return Object.fromEntries(entries.filter(([, privileges]) => Object.keys(privileges).length > 0));
}
