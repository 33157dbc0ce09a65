import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/core/random.ts';
import { type RawRequest, verify } from '../../src/simulators/s3/signature.ts';
import { createS3Store } from '../../src/simulators/s3/store.ts';
import { createManualClock } from '../support/manual-clock.ts';

const now = new Date('2013-05-24T00:00:00Z');
const EMPTY = createHash('sha256').update('').digest('hex');
const CREDENTIAL = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';

/** The examples of "Authenticating Requests" in the Amazon S3 API reference; key and signatures are those printed there. */
const secretOf = (id: string) =>
  id === 'AKIAIOSFODNN7EXAMPLE' ? 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' : undefined;
const check = (request: RawRequest, at = now) => verify(request, { now: at, region: 'us-east-1', secretOf });

function request(
  target: string,
  signature: string,
  more: Readonly<Record<string, string>> = {},
  { method = 'GET', body = '' }: { readonly method?: string; readonly body?: string } = {},
): RawRequest {
  const host = more['host'] ?? 'examplebucket.s3.amazonaws.com';
  const signed = { host, 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z', ...more };
  const names = Object.keys(signed).toSorted().join(';');
  const authorization = `AWS4-HMAC-SHA256 Credential=${CREDENTIAL}, SignedHeaders=${names}, Signature=${signature}`;
  return { method, target, headers: { ...signed, authorization }, body: Buffer.from(body) };
}

const GET = [
  '/test.txt',
  'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  { range: 'bytes=0-9' },
] as const;
const LIST = ['/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'] as const;

describe('signatures of the simulated S3 store', () => {
  it('takes the published examples of requests signed in a header', () => {
    expect(check(request(...GET))).toMatchObject({ keyId: 'AKIAIOSFODNN7EXAMPLE', signing: 'header' });
    expect(check(request(...LIST))).toMatchObject({ signing: 'header' });
    const lifecycle = ['/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'] as const;
    expect(check(request(...lifecycle))).toMatchObject({ signing: 'header' });
    const body = 'Welcome to Amazon S3.';
    const put = request(
      '/test%24file.text',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      },
      { method: 'PUT', body },
    );
    expect(check(put).body.toString()).toBe(body);
    expect(() => check({ ...put, body: Buffer.from('Welcome to Amazon S4.') })).toThrow(
      expect.objectContaining({ code: 'XAmzContentSHA256Mismatch' }),
    );
  });

  it('takes the published example of one signed in its address, as long as it is valid', () => {
    const target = `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(CREDENTIAL)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`;
    const headers = { host: 'examplebucket.s3.amazonaws.com' };
    const raw = { method: 'GET', target, headers, body: Buffer.alloc(0) };
    expect(check(raw)).toMatchObject({ signing: 'presigned' });
    expect(() => check(raw, new Date('2013-05-25T00:00:01Z'))).toThrow(
      expect.objectContaining({ code: 'AccessDenied', message: 'Request has expired' }),
    );
  });

  it('takes the published example of one sent in chunks, each with its signature, and gives the data without frames', () => {
    const chunks = [
      ['10000', 65_536, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
      ['400', 1024, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
      ['0', 0, 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
    ] as const;
    const framed = chunks
      .map(([hex, size, own]) => `${hex};chunk-signature=${own}\r\n${'a'.repeat(size)}\r\n`)
      .join('');
    const raw = request(
      '/examplebucket/chunkObject.txt',
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      {
        host: 's3.amazonaws.com',
        'content-encoding': 'aws-chunked',
        'content-length': '66824',
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        'x-amz-decoded-content-length': '66560',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      { method: 'PUT', body: framed },
    );
    const { signing, body } = check(raw);
    expect([signing, body.toString()]).toEqual(['streaming', 'a'.repeat(66_560)]);
    expect(() => check({ ...raw, body: Buffer.from(framed.replace('aaa', 'aba')) })).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });

  it.each<[string, RawRequest, string]>([
    ['another object', { ...request(...GET), target: '/test.txs' }, 'SignatureDoesNotMatch'],
    ['a parameter more', { ...request(...LIST), target: '/?max-keys=2&prefix=K' }, 'SignatureDoesNotMatch'],
    ['no signature', { ...request(...GET), headers: {} }, 'AccessDenied'],
    [
      'an unknown key',
      {
        ...request(...GET),
        headers: {
          ...request(...GET).headers,
          authorization: request(...GET).headers['authorization']?.replace('AKIAIOSFODNN7', 'AKIAIOSFODNN8'),
        },
      },
      'InvalidAccessKeyId',
    ],
    [
      'a header that is not signed',
      { ...request(...GET), headers: { ...request(...GET).headers, 'x-amz-acl': 'public-read' } },
      'AccessDenied',
    ],
  ])('%s is refused', (_, raw, code) => {
    expect(() => check(raw)).toThrow(expect.objectContaining({ code }));
  });

  it('a clock that is more than fifteen minutes off is refused', () => {
    expect(() => check(request(...GET), new Date('2013-05-24T00:15:01Z'))).toThrow(
      expect.objectContaining({ code: 'RequestTimeTooSkewed' }),
    );
    expect(() => verify(request(...GET), { now, region: 'eu-central-1', secretOf })).toThrow(
      expect.objectContaining({ code: 'AuthorizationHeaderMalformed', more: { Region: 'eu-central-1' } }),
    );
  });
});

describe('objects of the simulated S3 store', () => {
  const store = () => {
    const made = createS3Store({ clock: createManualClock(now), random: systemRandom });
    made.create('backup');
    return made;
  };

  it('lists page by page, in the order of bytes, folders as one', () => {
    const s = store();
    const keys = ['b/2', 'a', 'b/1', 'c', 'é', 'b/sub/3', 'B'];
    for (const key of keys) s.put('backup', key, Buffer.from(key), {});
    const all = (delimiter: string, prefix = '') => {
      const seen: string[] = [];
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page = s.list('backup', { prefix, delimiter, after, limit: 2 });
        const entries = [...page.objects.map(([key]) => key), ...page.prefixes];
        expect(entries.length).toBeLessThanOrEqual(2);
        seen.push(...entries);
        after = page.next;
      }
      return seen;
    };
    expect(all('')).toEqual(['B', 'a', 'b/1', 'b/2', 'b/sub/3', 'c', 'é']);
    expect(all('/').toSorted()).toEqual(['B', 'a', 'b/', 'c', 'é'].toSorted());
    expect(all('/', 'b/')).toEqual(['b/1', 'b/2', 'b/sub/']);
  });

  it('puts parts together in order, and refuses small ones in between', () => {
    const s = store();
    const id = s.begin('backup', 'big', {});
    const [big, small] = [Buffer.alloc(5 * 1024 * 1024, 1), Buffer.from('end')];
    const [first, second] = [big, small].map((body, i) => s.part(id, 'backup', 'big', i + 1, body));
    const part = (number: number, etag = '') => ({ number, etag });
    const complete = (...parts: { number: number; etag: string }[]) => s.complete(id, 'backup', 'big', parts);
    expect(() => complete(part(2, second), part(1, first))).toThrow(
      expect.objectContaining({ code: 'InvalidPartOrder' }),
    );
    expect(() => complete(part(1, second))).toThrow(expect.objectContaining({ code: 'InvalidPart' }));
    const made = complete(part(1, `"${first}"`), part(2, second));
    expect([made.body.length, made.etag.endsWith('-2')]).toEqual([big.length + 3, true]);
    expect(() => complete(part(1, first))).toThrow(expect.objectContaining({ code: 'NoSuchUpload' }));
    const other = s.begin('backup', 'small', {});
    const etags = [small, small].map((body, i) => part(i + 1, s.part(other, 'backup', 'small', i + 1, body)));
    expect(() => s.complete(other, 'backup', 'small', etags)).toThrow(
      expect.objectContaining({ code: 'EntityTooSmall' }),
    );
    expect(() => s.object('backup', 'small')).toThrow(expect.objectContaining({ code: 'NoSuchKey' }));
  });
});
