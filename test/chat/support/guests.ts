import { onTestFinished } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createProxmox } from '../../../src/integrations/proxmox/proxmox.ts';
import {
  DRILL,
  PVEAuditor,
  PVEDatastoreUser,
  PVEVMUser,
  type SimToken,
} from '../../../src/simulators/proxmox/access.ts';
import { backedUpCompany } from '../../../src/simulators/proxmox/backed-up.ts';
import { createProxmoxSimulator } from '../../../src/simulators/proxmox/simulator.ts';
import type { GuestBackupSettings } from '../../../src/tasks/recovery/guest-settings.ts';
import { createFastClock } from '../../conformance/proxmox/fast-clock.ts';

/** A token with what docs/recovery.md asks for. */
export const BACKUP_TOKEN: SimToken = {
  id: 'vakhta@pve!watch',
  secret: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  acl: [
    { path: '/', privileges: [...new Set([...PVEAuditor, ...PVEVMUser, ...PVEDatastoreUser])] },
    { path: '/pool/vakhta-drill', privileges: DRILL },
    { path: '/sdn/zones/localnetwork', privileges: ['SDN.Audit', 'SDN.Use'] },
  ],
};

export const SETTINGS: GuestBackupSettings = {
  storage: 'backup-nfs',
  mode: 'snapshot',
  maxAgeHours: 26,
  exempt: [],
  drill: { storage: 'local-zfs', pool: 'vakhta-drill', vmidFrom: 9000, vmidTo: 9003, bootSeconds: 120 },
};

/** A simulated host with backups behind a real socket, on a time that runs fast. */
export async function openGuestHost(token: SimToken = BACKUP_TOKEN, speed = 20) {
  const time = createFastClock(speed);
  const posts: string[] = [];
  const simulator = createProxmoxSimulator({
    clock: time,
    random: systemRandom,
    tokens: [token],
    inventory: backedUpCompany(time.now()),
    onRequest: ({ method, path }) => {
      if (method !== 'GET') posts.push(`${method} ${path.replace('/api2/json', '').replace(/\?.*/, '')}`);
    },
  });
  const url = await simulator.start();
  onTestFinished(() => simulator.stop());
  const client = createProxmox(
    {
      id: 'pve1',
      url,
      tokenId: token.id,
      token: () => Promise.resolve(new Secret(token.secret)),
      timeoutMs: 10_000 * speed,
    },
    { clock: time, log: silentLog },
  );
  return { time, simulator, client, posts };
}
