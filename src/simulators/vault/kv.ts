import type { Clock } from '../../core/clock.ts';

export interface Version {
  data: Readonly<Record<string, unknown>>;
  readonly created: string;
  deleted: string;
  destroyed: boolean;
}

/** A refusal or an answer: status and body, as they go over the wire. */
export interface Reply {
  readonly status: number;
  readonly body?: object;
}

export const failure = (status: number, ...errors: string[]): Reply => ({ status, body: { errors } });

/** One KV v2 mount. Source: `internal/builtin/logical/kv` of OpenBao. */
export function createKv(clock: Clock) {
  const secrets = new Map<string, { versions: Version[]; updated: string }>();
  /** Nanoseconds, of which nobody has measured the last six digits. */
  const stamp = () => clock.now().toISOString().replace('Z', '417210Z');

  const metadata = (version: Version, number: number) => ({
    created_time: version.created,
    custom_metadata: null,
    deletion_time: version.deleted,
    destroyed: version.destroyed,
    version: number,
  });

  const write = (path: string, data: Readonly<Record<string, unknown>>, cas?: number): Reply => {
    const secret = secrets.get(path) ?? { versions: [], updated: '' };
    if (cas !== undefined && cas !== secret.versions.length) {
      return failure(400, 'check-and-set parameter did not match the current version');
    }
    const version: Version = { data, created: stamp(), deleted: '', destroyed: false };
    secret.versions.push(version);
    secret.updated = version.created;
    secrets.set(path, secret);
    return { status: 200, body: metadata(version, secret.versions.length) };
  };

  const pick = (path: string, number: number) => {
    const versions = secrets.get(path)?.versions ?? [];
    const wanted = number === 0 ? versions.length : number;
    const version = versions[wanted - 1];
    return version === undefined ? undefined : { version, number: wanted };
  };

  /** Data or sub-keys of a version: 404 with nothing where there never was one, 404 with an envelope where it is deleted. */
  const read = (path: string, number: number, show: (data: Version['data']) => object): Reply => {
    const found = pick(path, number);
    if (found === undefined) return failure(404);
    const gone = found.version.destroyed || found.version.deleted !== '';
    const shown = gone ? { data: null } : show(found.version.data);
    return { status: gone ? 404 : 200, body: { ...shown, metadata: metadata(found.version, found.number) } };
  };

  return {
    write,
    read: (path: string, number = 0): Reply => read(path, number, (data) => ({ data })),
    /** The names without the values. */
    subkeys: (path: string, number = 0): Reply =>
      read(path, number, (data) => ({ subkeys: Object.fromEntries(Object.keys(data).map((key) => [key, null])) })),
    metadata: (path: string): Reply => {
      const secret = secrets.get(path);
      if (secret === undefined) return failure(404);
      const versions = Object.fromEntries(
        secret.versions.map(({ created, deleted, destroyed }, i) => [
          String(i + 1),
          { created_time: created, deletion_time: deleted, destroyed },
        ]),
      );
      return {
        status: 200,
        body: {
          cas_required: false,
          created_time: secret.versions[0]?.created ?? '',
          current_version: secret.versions.length,
          custom_metadata: null,
          delete_version_after: '0s',
          max_versions: 0,
          oldest_version: 0,
          updated_time: secret.updated,
          versions,
        },
      };
    },
    list: (folder: string): Reply => {
      const below = [...secrets.keys()]
        .filter((path) => path.startsWith(folder))
        .map((path) => path.slice(folder.length));
      const keys = [...new Set(below.map((rest) => rest.replace(/\/.*$/, '/')))].toSorted();
      return keys.length === 0 ? failure(404) : { status: 200, body: { keys } };
    },
    /** Soft deletion: the data can come back. */
    remove: (path: string, number = 0): Reply => {
      const found = pick(path, number);
      if (found !== undefined && found.version.deleted === '') found.version.deleted = stamp();
      return { status: 204 };
    },
    restore: (path: string, number: number): Reply => {
      const found = pick(path, number);
      if (found !== undefined) found.version.deleted = '';
      return { status: 204 };
    },
    /** For good. */
    destroy: (path: string, number = 0): Reply => {
      const found = pick(path, number);
      if (found !== undefined) Object.assign(found.version, { destroyed: true, data: {} });
      return { status: 204 };
    },
  };
}

export type Kv = ReturnType<typeof createKv>;
