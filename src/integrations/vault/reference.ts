import { VakhtaError } from '../../core/error.ts';

/** Where a KV v2 secret lies: `secret/postgres/main` is the mount `secret` and the path `postgres/main`. */
export interface SecretPath {
  readonly mount: string;
  readonly path: string;
}

/**
 * Takes `secret/postgres/main#password` apart into path and key, as the configuration writes it after `vault:`.
 * Throws `usage` when a part is missing or the path could lead elsewhere.
 */
export function parseReference(reference: string): { path: string; key: string } {
  const [path = '', key = '', ...more] = reference.split('#');
  if (key === '' || more.length > 0) throw refuse(reference);
  secretPath(path);
  return { path, key };
}

/** Mount and path of a secret. The mount is the first segment, unless `mount` names a longer one (`kv/infra`). */
export function secretPath(whole: string, mount?: string): SecretPath {
  const segments = whole.split('/');
  // `data` right after the mount belongs to the API's path; people copy it from there.
  const odd = segments.some(
    (segment) => segment === '' || segment === '.' || segment === '..' || /[\s?#%*+\\]/.test(segment),
  );
  const head = mount?.replace(/^\/|\/$/g, '') ?? segments[0] ?? '';
  if (odd || !whole.startsWith(`${head}/`)) throw refuse(whole);
  const path = whole.slice(head.length + 1);
  if (path.startsWith('data/')) throw refuse(whole);
  return { mount: head, path };
}

const refuse = (reference: string): VakhtaError =>
  new VakhtaError('usage', 'vault-reference', `not a KV v2 reference: ${reference}`, { args: { reference } });
