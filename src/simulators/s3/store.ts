import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { newToken, type Random } from '../../core/random.ts';
import { S3Error } from './errors.ts';

export interface S3Object {
  readonly body: Buffer;
  /** Without quotes. */
  readonly etag: string;
  readonly modified: Date;
  /** `content-type` and `x-amz-meta-…`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Listing {
  readonly objects: readonly (readonly [key: string, object: S3Object])[];
  readonly prefixes: readonly string[];
  /** The next page begins behind it. */
  readonly next: string | undefined;
}

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, { readonly body: Buffer; readonly etag: string }>;
}

const MIN_PART = 5 * 1024 * 1024;
const md5 = (data: Buffer): Buffer => createHash('md5').update(data).digest();
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Buckets, objects and unfinished uploads, in memory. Without versions: what is overwritten is gone. */
export function createS3Store({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
  const buckets = new Map<string, Map<string, S3Object>>();
  const uploads = new Map<string, Upload>();

  const bucket = (name: string): Map<string, S3Object> => {
    const found = buckets.get(name);
    if (found === undefined) throw new S3Error('NoSuchBucket', undefined, { BucketName: name });
    return found;
  };

  const object = (name: string, key: string): S3Object => {
    const found = bucket(name).get(key);
    if (found === undefined) throw new S3Error('NoSuchKey', undefined, { Key: key });
    return found;
  };

  const put = (name: string, key: string, body: Buffer, headers: S3Object['headers'], etag?: string): S3Object => {
    // Seconds, as the header of HTTP has them.
    const modified = new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
    const made = { body, headers, modified, etag: etag ?? md5(body).toString('hex') };
    bucket(name).set(key, made);
    return made;
  };

  const upload = (id: string, name: string, key: string): Upload => {
    const found = uploads.get(id);
    if (found === undefined || found.bucket !== name || found.key !== key) throw new S3Error('NoSuchUpload');
    return found;
  };

  return {
    buckets,
    uploads,
    bucket,
    object,
    put,

    create: (name: string): void => {
      if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u.test(name)) throw new S3Error('InvalidBucketName');
      if (buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou');
      buckets.set(name, new Map());
    },

    drop: (name: string): void => {
      if (bucket(name).size > 0) throw new S3Error('BucketNotEmpty');
      buckets.delete(name);
    },

    /** Keys in the order of their bytes, behind `after`; what shares the part up to the delimiter counts as one. */
    list: (
      name: string,
      want: { readonly prefix: string; readonly delimiter: string; readonly after: string; readonly limit: number },
    ): Listing => {
      const { prefix, delimiter, after, limit } = want;
      const objects: [string, S3Object][] = [];
      const prefixes: string[] = [];
      let last = '';
      const keys = [...bucket(name).keys()].filter((key) => key.startsWith(prefix)).toSorted(byBytes);
      for (const key of keys) {
        const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
        const entry = cut < 0 ? key : key.slice(0, cut + delimiter.length);
        if (entry === last || byBytes(key, after) <= 0 || (cut >= 0 && entry === after)) continue;
        if (objects.length + prefixes.length === limit) return { objects, prefixes, next: last };
        last = entry;
        if (cut < 0) objects.push([key, object(name, key)]);
        else prefixes.push(entry);
      }
      return { objects, prefixes, next: undefined };
    },

    begin: (name: string, key: string, headers: S3Object['headers']): string => {
      bucket(name);
      const id = newToken(random);
      uploads.set(id, { bucket: name, key, headers, parts: new Map() });
      return id;
    },

    part: (id: string, name: string, key: string, number: number, body: Buffer): string => {
      if (!Number.isInteger(number) || number < 1 || number > 10_000) throw new S3Error('InvalidArgument');
      const etag = md5(body).toString('hex');
      upload(id, name, key).parts.set(number, { body, etag });
      return etag;
    },

    complete: (
      id: string,
      name: string,
      key: string,
      wanted: readonly { readonly number: number; readonly etag: string }[],
    ): S3Object => {
      const { parts, headers } = upload(id, name, key);
      if (wanted.length === 0) throw new S3Error('MalformedXML');
      if (wanted.some(({ number }, i) => number <= (wanted[i - 1]?.number ?? 0))) {
        throw new S3Error('InvalidPartOrder');
      }
      const chosen = wanted.map(({ number, etag }, i) => {
        const part = parts.get(number);
        if (part === undefined || part.etag !== etag.replaceAll('"', '')) throw new S3Error('InvalidPart');
        if (i < wanted.length - 1 && part.body.length < MIN_PART) throw new S3Error('EntityTooSmall');
        return part;
      });
      const sum = md5(Buffer.concat(chosen.map(({ etag }) => Buffer.from(etag, 'hex')))).toString('hex');
      const body = Buffer.concat(chosen.map((one) => one.body));
      const made = put(name, key, body, headers, `${sum}-${chosen.length}`);
      uploads.delete(id);
      return made;
    },

    abort: (id: string, name: string, key: string): void => {
      upload(id, name, key);
      uploads.delete(id);
    },
  };
}

export type S3Store = ReturnType<typeof createS3Store>;
