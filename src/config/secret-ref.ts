/** Where a secret's value is found. The configuration holds nothing else about a secret. */
export type SecretRef =
  /** `env:NAME`: an environment variable. */
  | { readonly scheme: 'env'; readonly name: string }
  /** `file:/path`: a file, as Docker and systemd hand secrets over. */
  | { readonly scheme: 'file'; readonly path: string }
  /** `vault:mount/path#key`: one key of a KV version 2 secret, read when it is used. */
  | { readonly scheme: 'vault'; readonly path: string; readonly key: string };

const ENV = /^env:([A-Za-z_][A-Za-z0-9_]*)$/;
const FILE = /^file:(\/?[^\s\0][^\0\n]*)$/;
// Mount and path as people write them: no `data/` of the API's path, nothing that could lead elsewhere.
const VAULT =
  /^vault:((?!\.{1,2}\/)[^\s#?%*+\\/]+\/(?!data\/)(?:(?!\.{1,2}[/#])[^\s#?%*+\\/]+\/)*(?!\.{1,2}#)[^\s#?%*+\\/]+)#([^\s#]+)$/;

/** For the JSON Schema: the three forms as one pattern. */
export const SECRET_REF_PATTERN = `^(${[ENV, FILE, VAULT].map((one) => one.source.replace(/^\^|\$$/g, '').replaceAll('\\0', '\\u0000')).join('|')})$`;

/** The reference that a string stands for; undefined for anything else, a literal value above all. */
export function parseSecretRef(text: string): SecretRef | undefined {
  const env = ENV.exec(text)?.[1];
  if (env !== undefined) return { scheme: 'env', name: env };
  const file = FILE.exec(text)?.[1];
  if (file !== undefined) return { scheme: 'file', path: file };
  const [, path, key] = VAULT.exec(text) ?? [];
  if (path !== undefined && key !== undefined) return { scheme: 'vault', path, key };
  return undefined;
}

/** True for what was meant as a reference, but is not written as one (`env:MY-TOKEN`, `vault:path` without a key). */
export const looksLikeSecretRef = (text: string): boolean => /^(env|file|vault):/.test(text);

/** `env:NAME`, `file:/path`, `vault:mount/path#key`: how a person wrote it. Names a place, never a value. */
export function formatSecretRef(ref: SecretRef): string {
  switch (ref.scheme) {
    case 'env':
      return `env:${ref.name}`;
    case 'file':
      return `file:${ref.path}`;
    case 'vault':
      return `vault:${ref.path}#${ref.key}`;
  }
}
