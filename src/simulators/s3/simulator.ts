import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { S3Error } from './errors.ts';
import { carryOut, checkBody, type S3Action, type S3Answer } from './operations.ts';
import { type RawRequest, type Signing, split, verify } from './signature.ts';
import { createS3Store } from './store.ts';
import { document } from './xml.ts';

export interface S3Key {
  readonly id: string;
  readonly secret: string;
  /** Default: everything. */
  readonly may?: (action: S3Action, bucket: string, key: string) => boolean;
}

export interface S3SimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: readonly S3Key[];
  /** Those that are there from the beginning. */
  readonly buckets?: readonly string[];
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Objects on one page of a list at the most. Default 1000, as S3. */
  readonly pageSize?: number;
  /** With it the server speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What was asked, and how it ended. */
export interface S3Request {
  readonly method: string;
  readonly path: string;
  /** Names of its parameters, in order. */
  readonly parameters: readonly string[];
  readonly client: string;
  readonly keyId: string | undefined;
  readonly signing: Signing | undefined;
  readonly status: number;
  readonly code: string | undefined;
}

export interface S3Faults {
  /** This many of the next requests are told to come later. */
  slowDown: number;
}

/**
 * Stands in for an S3 store: buckets addressed by path, objects, lists with pages and delimiters, removal of many at once, uploads in
 * parts, and signature version 4 in all three forms. No versions, no policies but `may`, no storage classes. Its behaviour follows
 * the Amazon S3 API reference; what restic, rclone and pgBackRest send is what it is held to.
 */
export function createS3Simulator(options: S3SimulatorOptions) {
  const { clock, random, region = 'us-east-1', pageSize = 1000 } = options;
  const store = createS3Store({ clock, random });
  for (const name of options.buckets ?? []) store.create(name);
  const requests: S3Request[] = [];
  const faults: S3Faults = { slowDown: 0 };

  const handle = (raw: RawRequest): S3Answer => {
    const { path, query } = split(raw.target);
    const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/su.exec(path) ?? [];
    let keyId: string | undefined;
    let signing: Signing | undefined;
    let answer: S3Answer;
    let code: string | undefined;
    try {
      if (faults.slowDown > 0) {
        faults.slowDown -= 1;
        throw new S3Error('SlowDown');
      }
      const secretOf = (id: string) => options.keys.find((one) => one.id === id)?.secret;
      const signed = verify(raw, { now: clock.now(), region, secretOf });
      ({ keyId, signing } = signed);
      checkBody(raw.headers, signed.body);
      const { may } = options.keys.find((one) => one.id === signed.keyId) ?? {};
      answer = carryOut({
        method: raw.method,
        bucket,
        key,
        query,
        headers: raw.headers,
        body: signed.body,
        store,
        region,
        pageSize,
        may: (action, of = '') => may?.(action, bucket, of) ?? true,
      });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      ({ code } = error);
      const about = { Resource: path, RequestId: random.bytes(8).toString('hex').toUpperCase() };
      const text = document('Error', { Code: error.code, Message: error.message, ...error.more, ...about });
      answer = { status: error.status, headers: { 'content-type': 'application/xml' }, body: text };
    }
    requests.push({
      method: raw.method,
      path,
      parameters: [...query.keys()],
      client: (raw.headers['user-agent'] ?? '').split('/', 1)[0] ?? '',
      keyId,
      signing,
      status: answer.status,
      code,
    });
    return answer;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
    );
    const { method = 'GET', url = '/' } = request;
    const { status, headers: own, body } = handle({ method, target: url, headers, body: Buffer.concat(chunks) });
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    response.writeHead(status, {
      server: 'AmazonS3',
      ...own,
      ...(status === 204 ? {} : { 'content-length': String(bytes?.length ?? 0) }),
    });
    // Of the answer to HEAD nothing but the headers goes out, also when it is a refusal.
    response.end(method === 'HEAD' ? undefined : bytes);
  };

  let listening: Server | undefined;
  return {
    store,
    faults,
    /** All so far, oldest first. */
    requests: requests as readonly S3Request[],
    /** Answers without a socket. */
    handle,
    /** Listens, and gives the address. */
    start: async (port = 0, address = '127.0.0.1'): Promise<string> => {
      const listener = (request: IncomingMessage, response: ServerResponse) => {
        serve(request, response).catch((error: unknown) => {
          response.destroy(error instanceof Error ? error : new Error(String(error)));
        });
      };
      const opened = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener);
      listening = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject);
        opened.listen(port, address, resolve);
      });
      const { port: actual } = opened.address() as AddressInfo;
      return `${options.tls ? 'https' : 'http'}://${address}:${actual}`;
    },
    stop: async (): Promise<void> => {
      const opened = listening;
      listening = undefined;
      if (opened === undefined) return;
      const closed = new Promise((resolve) => opened.close(resolve));
      opened.closeAllConnections();
      await closed;
    },
  };
}

export type S3Simulator = ReturnType<typeof createS3Simulator>;
