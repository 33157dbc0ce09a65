import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Log } from '../../../src/integrations/define.ts';
import type { Proxmox } from '../../../src/integrations/proxmox/port.ts';
import { createProxmox, type ProxmoxSettings } from '../../../src/integrations/proxmox/proxmox.ts';
import {
  nodeTransport,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from '../../../src/integrations/proxmox/transport.ts';
import {
  DRILL,
  PVEAuditor,
  PVEDatastoreUser,
  PVEVMUser,
  type SimToken,
} from '../../../src/simulators/proxmox/access.ts';
import { backedUpCompany } from '../../../src/simulators/proxmox/backed-up.ts';
import { createProxmoxSimulator, type ProxmoxSimulator } from '../../../src/simulators/proxmox/simulator.ts';
import { createFastClock } from './fast-clock.ts';

export const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface Exchange {
  readonly request: TransportRequest;
  readonly answer: TransportAnswer;
}

/** Passes requests on, and keeps each with its answer. */
export function recording(inner: Transport): { transport: Transport; exchanges: Exchange[] } {
  const exchanges: Exchange[] = [];
  return {
    exchanges,
    transport: async (request) => {
      const answer = await inner(request);
      exchanges.push({ request, answer });
      return answer;
    },
  };
}

/** What the suite runs against. */
export interface Subject {
  readonly name: string;
  readonly proxmox: Proxmox;
  readonly exchanges: Exchange[];
  /** A client with the same address and another secret. */
  readonly stranger: Proxmox;
  /** VMID of a guest that may be started and stopped; undefined where none is set apart for that. */
  readonly guest: number | undefined;
  /** Where backups go to and restores are tried out; undefined where nothing is set apart for that. */
  readonly backup:
    | { readonly storage: string; readonly to: string; readonly vmid: number; readonly pool?: string }
    | undefined;
  /** Whether answers must not hold more than the description declares. */
  readonly strict: boolean;
  readonly pollMs: number;
  close(): Promise<void>;
}

export const TOKEN: SimToken = {
  id: 'vakhta@pve!watch',
  secret: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  acl: [
    { path: '/', privileges: [...new Set([...PVEAuditor, ...PVEVMUser, ...PVEDatastoreUser])] },
    { path: '/pool/vakhta-drill', privileges: DRILL },
    { path: '/sdn/zones/localnetwork', privileges: ['SDN.Audit', 'SDN.Use'] },
  ],
};

export function settingsFor(url: string, token: SimToken, more: Partial<ProxmoxSettings> = {}): ProxmoxSettings {
  return { id: 'pve1', url, tokenId: token.id, token: () => Promise.resolve(new Secret(token.secret)), ...more };
}

/** The simulator behind a real socket, a hundred times as fast. */
export async function simulated(
  tokens: readonly SimToken[] = [TOKEN],
): Promise<Subject & { simulator: ProxmoxSimulator; url: string; clock: Clock }> {
  const clock = createFastClock(100);
  const inventory = backedUpCompany(clock.now());
  const simulator = createProxmoxSimulator({ clock, random: systemRandom, tokens, inventory });
  const url = await simulator.start();
  const { transport, exchanges } = recording(nodeTransport({}));
  const edges = { clock, log: quiet, transport };
  // Thirty real seconds: the fast clock must not make a busy machine look like a silent host.
  const more = { timeoutMs: 3_000_000 };
  return {
    name: 'the simulator',
    proxmox: createProxmox(settingsFor(url, tokens[0] ?? TOKEN, more), edges),
    stranger: createProxmox(settingsFor(url, { ...TOKEN, secret: 'wrong' }, more), edges),
    exchanges,
    guest: 104,
    backup: { storage: 'backup-nfs', to: 'local-zfs', vmid: 9001, pool: 'vakhta-drill' },
    strict: true,
    pollMs: 1000,
    simulator,
    url,
    clock,
    close: () => simulator.stop(),
  };
}

/** The real host named in the environment (see the head of conformance.test.ts). */
export function real(env: Readonly<Record<string, string | undefined>>): Subject {
  const { PVE_URL = '', PVE_TOKEN_ID = '', PVE_TOKEN = '', PVE_FINGERPRINT, PVE_CA, PVE_GUEST } = env;
  const { PVE_BACKUP_STORAGE, PVE_DRILL_STORAGE = '', PVE_DRILL_VMID, PVE_DRILL_POOL } = env;
  const token: SimToken = { id: PVE_TOKEN_ID, secret: PVE_TOKEN, acl: [] };
  const trust = { fingerprint: PVE_FINGERPRINT, ca: PVE_CA };
  const { transport, exchanges } = recording(nodeTransport(trust));
  const edges = { clock: systemClock, log: quiet, transport };
  return {
    name: PVE_URL,
    proxmox: createProxmox(settingsFor(PVE_URL, token, trust), edges),
    stranger: createProxmox(
      settingsFor(PVE_URL, { ...token, secret: '00000000-0000-4000-8000-000000000000' }, trust),
      edges,
    ),
    exchanges,
    guest: PVE_GUEST === undefined ? undefined : Number(PVE_GUEST),
    backup:
      PVE_BACKUP_STORAGE === undefined || PVE_DRILL_VMID === undefined
        ? undefined
        : {
            storage: PVE_BACKUP_STORAGE,
            to: PVE_DRILL_STORAGE,
            vmid: Number(PVE_DRILL_VMID),
            ...(PVE_DRILL_POOL === undefined ? {} : { pool: PVE_DRILL_POOL }),
          },
    strict: false,
    pollMs: 1000,
    close: () => Promise.resolve(),
  };
}
