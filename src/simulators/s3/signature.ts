import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from './errors.ts';

/** A request as it came over the wire. */
export interface RawRequest {
  readonly method: string;
  /** Still encoded, with the query string. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** How a request was signed; `streaming` when each chunk of the body bears a signature of its own. */
export type Signing = 'header' | 'streaming' | 'presigned';

export interface Signed {
  readonly keyId: string;
  readonly signing: Signing;
  /** Without the frames of chunks. */
  readonly body: Buffer;
}

interface Claim {
  readonly keyId: string;
  readonly scope: string;
  readonly day: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261124T040000Z` */
  readonly date: string;
  /** Seconds; of a request whose signature stands in its address. */
  readonly expires?: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const STREAMING = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const UNSIGNED = 'UNSIGNED-PAYLOAD';
const SKEW_MS = 15 * 60_000;

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const NOTHING = sha256('');

/** As AWS wants it: everything but unreserved characters. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/gu, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** Path and parameters of a target, decoded. In S3 a plus sign of a path is a plus sign; in a query it is a blank. */
export function split(target: string): { path: string; query: URLSearchParams } {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  return { path: decodeURIComponent(path), query: new URLSearchParams(at < 0 ? '' : target.slice(at + 1)) };
}

/**
 * Verifies signature version 4, in the header, in the address, and of each chunk of the body.
 * Source: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API reference.
 */
export function verify(
  request: RawRequest,
  options: {
    readonly now: Date;
    readonly region: string;
    readonly secretOf: (keyId: string) => string | undefined;
  },
): Signed {
  const { headers } = request;
  const { path, query } = split(request.target);
  const claim = query.has('X-Amz-Signature') ? claimOfQuery(query) : claimOfHeader(headers);

  const secret = options.secretOf(claim.keyId);
  if (secret === undefined) {
    throw new S3Error('InvalidAccessKeyId', undefined, { AWSAccessKeyId: claim.keyId });
  }
  if (claim.region !== options.region) {
    const text = `The authorization header is malformed; the region '${claim.region}' is wrong; expecting '${options.region}'`;
    throw new S3Error('AuthorizationHeaderMalformed', text, { Region: options.region });
  }
  checkTime(claim, options.now);
  const unsigned = Object.keys(headers).find(
    (name) => name.startsWith('x-amz-') && !claim.signedHeaders.includes(name) && name !== 'x-amz-content-sha256',
  );
  if (unsigned !== undefined || !claim.signedHeaders.includes('host')) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned ?? 'host',
    });
  }

  const presigned = claim.expires !== undefined;
  const payload =
    headers['x-amz-content-sha256'] ?? query.get('X-Amz-Content-Sha256') ?? (presigned ? UNSIGNED : undefined);
  if (payload === undefined) {
    throw new S3Error('InvalidArgument', 'Missing required header for this request: x-amz-content-sha256');
  }
  const canonical = [
    request.method,
    path.split('/').map(encode).join('/'),
    [...query]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .toSorted()
      .join('&'),
    ...claim.signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/gu, ' ')}`),
    '',
    claim.signedHeaders.join(';'),
    payload,
  ].join('\n');

  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, claim.day), claim.region), 's3'), 'aws4_request');
  const toSign = [ALGORITHM, claim.date, claim.scope, sha256(canonical)].join('\n');
  if (!same(hmac(key, toSign).toString('hex'), claim.signature)) {
    throw new S3Error('SignatureDoesNotMatch', undefined, { AWSAccessKeyId: claim.keyId });
  }
  const { keyId } = claim;
  if (payload === STREAMING) return { keyId, signing: 'streaming', body: unframed(request, claim, key) };
  if (payload !== UNSIGNED && payload !== sha256(request.body)) throw new S3Error('XAmzContentSHA256Mismatch');
  return { keyId, signing: presigned ? 'presigned' : 'header', body: request.body };
}

function claimOfHeader(headers: RawRequest['headers']): Claim {
  const text = headers['authorization'];
  if (text === undefined) throw new S3Error('AccessDenied');
  const [, credential = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 +Credential=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})$/u.exec(text) ?? [];
  if (signature === '') throw new S3Error('AuthorizationHeaderMalformed');
  return { ...scopeOf(credential), signedHeaders: names.split(';'), signature, date: headers['x-amz-date'] ?? '' };
}

function claimOfQuery(query: URLSearchParams): Claim {
  const of = (name: string): string => query.get(`X-Amz-${name}`) ?? '';
  if (of('Algorithm') !== ALGORITHM) throw new S3Error('AccessDenied');
  return {
    ...scopeOf(of('Credential')),
    signedHeaders: of('SignedHeaders').split(';'),
    signature: of('Signature'),
    date: of('Date'),
    expires: Number(of('Expires')),
  };
}

function scopeOf(credential: string): Pick<Claim, 'keyId' | 'scope' | 'day' | 'region'> {
  const [, keyId = '', day = '', region = ''] = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/u.exec(credential) ?? [];
  if (keyId === '') throw new S3Error('AuthorizationHeaderMalformed');
  return { keyId, day, region, scope: `${day}/${region}/s3/aws4_request` };
}

function checkTime({ date, day, expires }: Claim, now: Date): void {
  const [, y, m, d, hh, mm, ss] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(date) ?? [];
  const at = Date.parse(`${y}-${m}-${d}T${hh}:${mm}:${ss}Z`);
  if (Number.isNaN(at) || !date.startsWith(day)) throw new S3Error('AccessDenied', 'A valid x-amz-date is required.');
  if (expires !== undefined) {
    if (now.getTime() > at + expires * 1000) throw new S3Error('AccessDenied', 'Request has expired');
    return;
  }
  if (Math.abs(now.getTime() - at) > SKEW_MS) {
    throw new S3Error('RequestTimeTooSkewed', undefined, { RequestTime: date, ServerTime: now.toISOString() });
  }
}

/** Takes the chunks out of their frames; each one's signature goes on from the one before. */
function unframed({ body, headers }: RawRequest, { date, scope, signature }: Claim, key: Buffer): Buffer {
  const parts: Buffer[] = [];
  let before = signature;
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const [, hex, own = ''] =
      /^([0-9a-f]+);chunk-signature=([0-9a-f]{64})$/u.exec(body.toString('latin1', at, end)) ?? [];
    if (end < 0 || hex === undefined) throw new S3Error('IncompleteBody');
    const size = Number.parseInt(hex, 16);
    const chunk = body.subarray(end + 2, end + 2 + size);
    const toSign = [`${ALGORITHM}-PAYLOAD`, date, scope, before, NOTHING, sha256(chunk)].join('\n');
    if (!same(hmac(key, toSign).toString('hex'), own)) throw new S3Error('SignatureDoesNotMatch');
    if (size === 0) break;
    parts.push(chunk);
    before = own;
    at = end + 2 + size + 2;
  }
  const whole = Buffer.concat(parts);
  if (String(whole.length) !== headers['x-amz-decoded-content-length']) throw new S3Error('IncompleteBody');
  return whole;
}
