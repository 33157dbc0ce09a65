import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createPbs, type PbsSettings } from '../../../src/integrations/pbs/pbs.ts';
import type { Pbs } from '../../../src/integrations/pbs/port.ts';
import { nodeTransport, type Transport } from '../../../src/integrations/proxmox/transport.ts';
import { DatastoreAdmin, RemoteAudit, type SimToken } from '../../../src/simulators/pbs/access.ts';
import { createPbsSimulator, type PbsSimulator } from '../../../src/simulators/pbs/simulator.ts';
import type { SimServer } from '../../../src/simulators/pbs/state.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { createFastClock } from '../proxmox/fast-clock.ts';
import { passing } from '../proxmox/in-process.ts';
import { type Exchange, recording } from '../proxmox/subject.ts';

/** What the suite runs against. */
export interface Subject {
  readonly pbs: Pbs;
  readonly exchanges: Exchange[];
  /** A client with the same address and another secret. */
  readonly stranger: Pbs;
  readonly store: string;
  /** Whether a verification may be started. */
  readonly mayVerify: boolean;
  /** Whether answers are compared with the description to the letter. */
  readonly strict: boolean;
  readonly pollMs: number;
  /** The next task of this type goes on until it is stopped; only where that can be arranged. */
  readonly hang?: (type: string) => void;
  close(): Promise<void>;
}

export const TOKEN: SimToken = {
  id: 'vakhta@pbs!watch',
  secret: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  acl: [
    { path: '/datastore', privileges: DatastoreAdmin },
    { path: '/remote', privileges: RemoteAudit },
  ],
};

export function settingsFor(url: string, token: SimToken, more: Partial<PbsSettings> = {}): PbsSettings {
  const source = () => Promise.resolve(new Secret(token.secret));
  return { id: 'pbs1', url, tokenId: token.id, token: source, datastores: ['main', 'offsite'], ...more };
}

/** The simulator behind a real socket, a hundred times as fast. */
export async function simulated(): Promise<Subject & { simulator: PbsSimulator; url: string; clock: Clock }> {
  const clock = createFastClock(100);
  const simulator = createPbsSimulator({ clock, random: systemRandom, tokens: [TOKEN] });
  const url = await simulator.start();
  const { transport, exchanges } = recording(nodeTransport({}));
  const edges = { clock, log: silentLog, transport };
  // Thirty real seconds: the fast clock must not make a busy machine look like a silent server.
  const more = { timeoutMs: 3_000_000 };
  return {
    pbs: createPbs(settingsFor(url, TOKEN, more), edges),
    stranger: createPbs(settingsFor(url, { ...TOKEN, secret: 'wrong' }, more), edges),
    exchanges,
    store: 'main',
    mayVerify: true,
    strict: true,
    pollMs: 1000,
    hang: (type) => simulator.tasks.script({ type, hang: true }),
    simulator,
    url,
    clock,
    close: () => simulator.stop(),
  };
}

/** The real server named in the environment (see the head of conformance.test.ts). */
export function real(env: Readonly<Record<string, string | undefined>>): Subject {
  const { PBS_URL = '', PBS_TOKEN_ID = '', PBS_TOKEN = '', PBS_FINGERPRINT, PBS_CA, PBS_STORE = '' } = env;
  const token: SimToken = { id: PBS_TOKEN_ID, secret: PBS_TOKEN, acl: [] };
  const { transport, exchanges } = recording(nodeTransport({ fingerprint: PBS_FINGERPRINT, ca: PBS_CA }));
  const edges = { clock: systemClock, log: silentLog, transport };
  const more = { datastores: [PBS_STORE] };
  return {
    pbs: createPbs(settingsFor(PBS_URL, token, more), edges),
    stranger: createPbs(
      settingsFor(PBS_URL, { ...token, secret: '00000000-0000-4000-8000-000000000000' }, more),
      edges,
    ),
    exchanges,
    store: PBS_STORE,
    mayVerify: env['PBS_VERIFY'] === '1',
    strict: false,
    pollMs: 1000,
    close: () => Promise.resolve(),
  };
}

export interface InProcess {
  readonly clock: ManualClock;
  readonly simulator: PbsSimulator;
  readonly pbs: Pbs;
  readonly exchanges: Exchange[];
  readonly passing: <T>(promise: Promise<T>) => Promise<T>;
}

/** Client and simulator in one process without a socket, under a clock that stands still until told. */
export function inProcess(
  options: { tokens?: SimToken[]; server?: SimServer; settings?: Partial<PbsSettings>; at?: string } = {},
): InProcess {
  const clock = createManualClock(options.at ?? '2026-11-23T08:00:00Z');
  const { tokens = [TOKEN], settings = {}, server } = options;
  const random = { bytes: (n: number) => Buffer.alloc(n, 7) };
  const simulator = createPbsSimulator({ clock, random, tokens, ...(server ? { server } : {}) });
  const { transport, exchanges } = recording(directly(simulator));
  const pbs = createPbs(settingsFor('https://pbs1.lan:8007', tokens[0] ?? TOKEN, settings), {
    clock,
    log: silentLog,
    transport,
  });
  return { clock, simulator, pbs, exchanges, passing: (promise) => passing(clock, promise) };
}

/** Without a socket between the two. */
export function directly(simulator: PbsSimulator): Transport {
  return async ({ method, url, headers, body = '', signal }) => {
    const { faults } = simulator;
    if (faults.refuse) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    if (faults.hang) return aborted;
    const path = url.pathname + url.search;
    const answer = await Promise.race([
      simulator.handle({ method, path, headers: { authorization: headers['Authorization'] }, body }),
      aborted,
    ]);
    if (!faults.loseAnswer || method === 'GET') return answer;
    faults.loseAnswer = false;
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  };
}
