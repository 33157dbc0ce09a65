import { createHash } from 'node:crypto';
import { S3Error } from './errors.ts';
import { encode } from './signature.ts';
import type { S3Object, S3Store } from './store.ts';
import { document, texts, type XmlElements } from './xml.ts';

/** What a key may be allowed; those of S3 for buckets and for objects. */
export type S3Action = 'ListBucket' | 'CreateBucket' | 'DeleteBucket' | 'GetObject' | 'PutObject' | 'DeleteObject';

export interface S3Call {
  readonly method: string;
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly store: S3Store;
  readonly region: string;
  /** Objects on one page of a list at the most; S3 has 1000. */
  readonly pageSize: number;
  may(action: S3Action, key?: string): boolean;
}

export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const xml = (root: string, elements: XmlElements): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: document(root, elements),
});

const quoted = (etag: string): string => `"${etag}"`;

/** Parameters that do not choose an operation. */
const PLAIN =
  /^(?:x-amz-|x-id$|response-|list-type$|prefix$|delimiter$|max-keys$|marker$|continuation-token$|start-after$)/iu;
const PLAIN_TOO = new Set(['encoding-type', 'fetch-owner', 'uploadId', 'partNumber']);

/** Carries out one request. What S3 has and this has not is refused as not implemented, rather than half done. */
export function carryOut(call: S3Call): S3Answer {
  const sub = [...call.query.keys()].filter((name) => !PLAIN.test(name) && !PLAIN_TOO.has(name));
  if (call.bucket === '') throw new S3Error(call.method === 'GET' ? 'NotImplemented' : 'MethodNotAllowed');
  const answer = call.key === '' ? onBucket(call, sub[0]) : onObject(call, sub[0]);
  if (answer === undefined) throw new S3Error('NotImplemented', `${call.method} ?${sub.join('&')} is not simulated`);
  return answer;
}

function allow(call: S3Call, action: S3Action, key = call.key): void {
  if (!call.may(action, key)) throw new S3Error('AccessDenied');
}

function onBucket(call: S3Call, sub: string | undefined): S3Answer | undefined {
  const { store, bucket, query } = call;
  switch (`${call.method} ${sub ?? ''}`.trim()) {
    case 'PUT':
      allow(call, 'CreateBucket');
      store.create(bucket);
      return { status: 200, headers: { location: `/${bucket}` } };
    case 'DELETE':
      allow(call, 'DeleteBucket');
      store.drop(bucket);
      return { status: 204 };
    case 'HEAD':
      store.bucket(bucket);
      allow(call, 'ListBucket');
      return { status: 200, headers: { 'x-amz-bucket-region': call.region } };
    case 'GET location':
      store.bucket(bucket);
      // Without words for the region that was the first.
      return xml('LocationConstraint', call.region === 'us-east-1' ? {} : { LocationConstraint: call.region });
    case 'GET versioning':
      store.bucket(bucket);
      return xml('VersioningConfiguration', {});
    case 'GET':
      store.bucket(bucket);
      allow(call, 'ListBucket');
      return query.get('list-type') === '2' ? listed(call, 2) : listed(call, 1);
    case 'POST delete':
      return removed(call);
    default:
      return undefined;
  }
}

function listed({ store, bucket, query, pageSize }: S3Call, version: 1 | 2): S3Answer {
  const asked = Number(query.get('max-keys') ?? 1000);
  if (!Number.isInteger(asked) || asked < 0) throw new S3Error('InvalidArgument');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const start = version === 1 ? query.get('marker') : query.get('start-after');
  const after = token === null ? (start ?? '') : Buffer.from(token, 'base64url').toString('utf8');
  const { objects, prefixes, next } = store.list(bucket, {
    prefix,
    delimiter,
    after,
    limit: Math.min(asked, pageSize),
  });
  const url = query.get('encoding-type') === 'url';
  const shown = (text: string): string => (url ? encode(text).replaceAll('%2F', '/') : text);
  const paging: XmlElements =
    version === 1
      ? { Marker: shown(start ?? ''), ...(next === undefined || delimiter === '' ? {} : { NextMarker: shown(next) }) }
      : {
          KeyCount: objects.length + prefixes.length,
          ...(token === null ? {} : { ContinuationToken: token }),
          ...(next === undefined ? {} : { NextContinuationToken: Buffer.from(next, 'utf8').toString('base64url') }),
        };
  return xml('ListBucketResult', {
    Name: bucket,
    Prefix: shown(prefix),
    ...paging,
    MaxKeys: asked,
    ...(delimiter === '' ? {} : { Delimiter: shown(delimiter) }),
    ...(url ? { EncodingType: 'url' } : {}),
    IsTruncated: next !== undefined,
    Contents: objects.map(([key, { modified, etag, body }]) => ({
      Key: shown(key),
      LastModified: modified.toISOString(),
      ETag: quoted(etag),
      Size: body.length,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
  });
}

/** Several at once; a key that is not there counts as removed. */
function removed(call: S3Call): S3Answer {
  const { store, bucket, headers, body } = call;
  const objects = store.bucket(bucket);
  if (headers['content-md5'] === undefined) {
    throw new S3Error('InvalidArgument', 'Missing required header for this request: Content-MD5');
  }
  const text = body.toString('utf8');
  const keys = texts(text, 'Key');
  if (keys.length === 0 || keys.length > 1000) throw new S3Error('MalformedXML');
  const [allowed, denied] = [true, false].map((wanted) =>
    keys.filter((key) => call.may('DeleteObject', key) === wanted),
  );
  for (const key of allowed ?? []) objects.delete(key);
  const quiet = texts(text, 'Quiet')[0] === 'true';
  return xml('DeleteResult', {
    Deleted: quiet ? [] : (allowed ?? []).map((Key) => ({ Key })),
    Error: (denied ?? []).map((Key) => ({ Key, Code: 'AccessDenied', Message: 'Access Denied' })),
  });
}

function onObject(call: S3Call, sub: string | undefined): S3Answer | undefined {
  const { store, bucket, key, query, body } = call;
  const id = query.get('uploadId');
  switch (`${call.method} ${id === null ? (sub ?? '') : 'upload'}`.trim()) {
    case 'GET':
    case 'HEAD':
      store.bucket(bucket);
      allow(call, 'GetObject');
      // Who may not list is not told what there is.
      if (!store.bucket(bucket).has(key)) allow(call, 'ListBucket');
      return given(store.object(bucket, key), call.headers);
    case 'PUT': {
      store.bucket(bucket);
      allow(call, 'PutObject');
      const from = call.headers['x-amz-copy-source'];
      if (from !== undefined) return copied(call, from);
      return { status: 200, headers: { etag: quoted(store.put(bucket, key, body, kept(call.headers)).etag) } };
    }
    case 'DELETE':
      store.bucket(bucket);
      allow(call, 'DeleteObject');
      store.bucket(bucket).delete(key);
      return { status: 204 };
    case 'POST uploads':
      store.bucket(bucket);
      allow(call, 'PutObject');
      return xml('InitiateMultipartUploadResult', {
        Bucket: bucket,
        Key: key,
        UploadId: store.begin(bucket, key, kept(call.headers)),
      });
    case 'PUT upload':
      return {
        status: 200,
        headers: { etag: quoted(store.part(id ?? '', bucket, key, Number(query.get('partNumber')), body)) },
      };
    case 'POST upload': {
      const text = body.toString('utf8');
      const etags = texts(text, 'ETag');
      const wanted = texts(text, 'PartNumber').map((number, i) => ({ number: Number(number), etag: etags[i] ?? '' }));
      const { etag } = store.complete(id ?? '', bucket, key, wanted);
      return xml('CompleteMultipartUploadResult', { Bucket: bucket, Key: key, ETag: quoted(etag) });
    }
    case 'DELETE upload':
      store.abort(id ?? '', bucket, key);
      return { status: 204 };
    default:
      return undefined;
  }
}

const kept = (headers: S3Call['headers']): S3Object['headers'] =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && (name === 'content-type' || name.startsWith('x-amz-meta-')) ? [[name, value]] : [],
    ),
  );

function copied(call: S3Call, from: string): S3Answer {
  const { store, bucket, key, headers } = call;
  const [, source = '', name = ''] = /^\/?([^/]+)\/(.+)$/su.exec(decodeURIComponent(from)) ?? [];
  const found = store.object(source, name);
  const own = headers['x-amz-metadata-directive'] === 'REPLACE' ? kept(headers) : found.headers;
  const { etag, modified } = store.put(bucket, key, found.body, own);
  return xml('CopyObjectResult', { ETag: quoted(etag), LastModified: modified.toISOString() });
}

/** The object, or the part of it that `Range` asks for. The server leaves the body of a HEAD away. */
function given(object: S3Object, headers: S3Call['headers']): S3Answer {
  const { body, etag, modified } = object;
  const all = {
    ...object.headers,
    etag: quoted(etag),
    'last-modified': modified.toUTCString(),
    'accept-ranges': 'bytes',
  };
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/u.exec(headers['range'] ?? '') ?? [];
  if (first === '' && last === '') return { status: 200, headers: all, body };
  const from = first === '' ? Math.max(0, body.length - Number(last)) : Number(first);
  const to = first === '' || last === '' ? body.length - 1 : Math.min(Number(last), body.length - 1);
  if (from > to) throw new S3Error('InvalidRange', undefined, { ActualObjectSize: String(body.length) });
  return {
    status: 206,
    headers: { ...all, 'content-range': `bytes ${from}-${to}/${body.length}` },
    body: body.subarray(from, to + 1),
  };
}

/** Refuses what arrived otherwise than it was sent. */
export function checkBody(headers: S3Call['headers'], body: Buffer): void {
  const wanted = headers['content-md5'];
  if (wanted !== undefined && wanted !== createHash('md5').update(body).digest('base64')) {
    throw new S3Error('BadDigest');
  }
}
