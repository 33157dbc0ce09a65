import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createS3Simulator, type S3Key, type S3Simulator } from '../../../src/simulators/s3/simulator.ts';
import { need } from './detect.ts';
import { temporaryFolder } from './place.ts';
import { must } from './process.ts';

export interface S3Server extends Pick<S3Simulator, 'store' | 'requests' | 'faults'> {
  /** `http://127.0.0.1:PORT`, or with `https`. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface S3Options {
  readonly keys: readonly S3Key[];
  readonly buckets?: readonly string[];
  /** Objects on one page of a list. */
  readonly pageSize?: number;
  /** The store's own; default the system's. */
  readonly clock?: Clock;
  /** HTTPS with a certificate of its own that nobody trusts. */
  readonly tls?: boolean;
}

/**
 * The S3 store of the simulator. Debian has no server to be had instead, and the one of npm (s3rver) looks at no signature of version
 * 4; the clients are the real ones.
 */
export async function startS3({
  keys,
  buckets = ['backup'],
  pageSize,
  clock = systemClock,
  tls = false,
}: S3Options): Promise<S3Server> {
  const simulator = createS3Simulator({
    clock,
    random: systemRandom,
    keys,
    buckets,
    ...(pageSize === undefined ? {} : { pageSize }),
    ...(tls ? { tls: await selfSigned() } : {}),
  });
  const url = await simulator.start();
  const { store, requests, faults, stop } = simulator;
  return { store, requests, faults, url, port: Number(new URL(url).port), stop };
}

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const { path, remove } = await temporaryFolder();
  const [key, cert] = [join(path, 'key.pem'), join(path, 'cert.pem')];
  try {
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await must([need('openssl'), 'req', '-x509', ...fresh, '-keyout', key, '-out', cert, ...subject]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  } finally {
    await remove();
  }
}
