/** Privileges by path as `GET /access/permissions` tells them; the value says whether they reach the paths below. */
export type Permissions = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

/**
 * Whether a privilege is held at a path: the nearest listed path decides, its own entry with or without propagation
 * (0 means "held here, does not reach further down"), one above only when it propagates.
 * Source: `PVE/AccessControl.pm`, `roles()`: a deeper entry replaces what would be inherited.
 */
export function holdsAt(permissions: Permissions, path: string, privilege: string): boolean {
  const own = permissions.get(path);
  return own === undefined ? nearest(permissions, path)?.get(privilege) === true : own.has(privilege);
}

/** How much of a list one may see. */
export type Sight = 'all' | 'some' | 'none';

/**
 * How much a list that the host filters silently can hold: everything when the privilege propagates from the list's
 * root (`/vms`), something when it is held on paths below, nothing otherwise.
 */
export function sight(permissions: Permissions, root: string, privilege: string): Sight {
  const below = [...permissions].filter(([path]) => path.startsWith(`${root}/`));
  if (nearest(permissions, root)?.get(privilege) === true)
    return below.every(([, held]) => held.has(privilege)) ? 'all' : 'some';
  return below.some(([, held]) => held.has(privilege)) ? 'some' : 'none';
}

function nearest(permissions: Permissions, path: string): ReadonlyMap<string, boolean> | undefined {
  return [path, ...ancestors(path)].map((candidate) => permissions.get(candidate)).find((entry) => entry !== undefined);
}

/** `/vms/101` → `/vms`, `/`. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  const above: string[] = [];
  for (let length = parts.length - 1; length >= 0; length--) above.push(`/${parts.slice(0, length).join('/')}`);
  return path === '/' ? [] : above;
}
