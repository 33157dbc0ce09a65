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
/** What backups of guests need beside that, on the storage. */
export const PVEDatastoreUser: readonly string[] = ['Datastore.Audit', 'Datastore.AllocateSpace'];
/** What drills need on the pool of theirs. */
export const DRILL: readonly string[] = [
  'Pool.Allocate',
  'VM.Allocate',
  'VM.Audit',
  'VM.Config.Disk',
  'VM.Config.HWType',
  'VM.Config.Network',
  'VM.Config.Options',
  'VM.GuestAgent.Audit',
  'VM.PowerMgmt',
];

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

/** Which pool a guest is in. */
export type PoolOf = (vmid: number) => string | undefined;

/** As `allowed`, with what a guest's pool adds to its own rights. Source: `PVE/RPCEnvironment.pm`, `permissions`. */
export function allowedWithPool(token: SimToken, poolOf: PoolOf, path: string, ...privileges: string[]): boolean {
  if (allowed(token, path, ...privileges)) return true;
  const vmid = /^\/vms\/(\d+)$/.exec(path)?.[1];
  const pool = vmid === undefined ? undefined : poolOf(Number(vmid));
  return pool !== undefined && allowed(token, `/pool/${pool}`, ...privileges);
}

/** The answer of `GET /access/permissions`: the fixed paths and those of the list, empty ones left out. */
export function dumpPermissions(
  token: SimToken,
  asked?: string,
  pooled: readonly { readonly vmid: number; readonly pool?: string }[] = [],
): Record<string, Record<string, number>> {
  const fixed = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];
  const members = pooled.filter(({ pool }) => pool !== undefined);
  const listed = [...fixed, ...token.acl.map((line) => line.path), ...members.map(({ vmid }) => `/vms/${vmid}`)];
  const paths = asked === undefined ? [...new Set(listed)] : [asked];
  const poolOf = (path: string) => members.find(({ vmid }) => path === `/vms/${vmid}`)?.pool;
  const privilegesAt = (path: string) => {
    const pool = poolOf(path);
    return new Map([...(pool === undefined ? [] : effective(token, `/pool/${pool}`)), ...effective(token, path)]);
  };
  const entries = paths.map((path) => [path, Object.fromEntries(privilegesAt(path))] as const);
  const held = entries.filter(([, privileges]) => Object.keys(privileges).length > 0);
  // Measured: the path that was asked for comes back with a slash at its end.
  return Object.fromEntries(held.map(([path, privileges]) => [asked === undefined ? path : `${path}/`, privileges]));
}
