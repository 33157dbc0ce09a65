import { toVakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { Probe, Probeable } from '../../integrations/define.ts';
import { holdsAt, type Permissions, sight } from '../../integrations/proxmox/permissions.ts';
import type { Proxmox } from '../../integrations/proxmox/port.ts';
import type { GuestBackupSettings } from './guest-settings.ts';
import { backupStorages } from './guests-look.ts';

export const messages = defineMessages({
  en: `
    guest-rights-ok = The token may do everything that backups and drills of guests need
    guest-rights-ok-no-drill = The token is told of all backups; restores of guests are not tried out (backup.drill)
    guest-rights-blind = The token is not told of backups: it lacks { $privilege } on { $path }
    guest-rights-some = The token is told of the backups of some guests only: give it { $privilege } on { $path }
    guest-rights-drill = Restores cannot be tried out: the token lacks { $privilege } on { $path }
    guest-rights-storage = { $storage } is no storage for backups on this installation
    guest-rights-pool = Drills without backup.drill.pool need { $privilege } on /vms/{ $vmid } and all other numbers of theirs. A pool is safer
  `,
  ru: `
    guest-rights-ok = Прав токена хватает и для копий, и для учений с гостями
    guest-rights-ok-no-drill = Токен видит все копии; пробные восстановления гостей не настроены (backup.drill)
    guest-rights-blind = Токен не видит копий: нет права { $privilege } на { $path }
    guest-rights-some = Токен видит копии не всех гостей: выдайте { $privilege } на { $path }
    guest-rights-drill = Пробно восстановить не выйдет: у токена нет права { $privilege } на { $path }
    guest-rights-storage = { $storage } — не хранилище для копий на этом узле
    guest-rights-pool = Учениям без backup.drill.pool нужно право { $privilege } на /vms/{ $vmid } и остальные их номера. Пул безопаснее
  `,
});

type DrillSettings = NonNullable<GuestBackupSettings['drill']>;
type Right = readonly [privilege: string, path: string];

/** What a drill needs, on the pool or on the number. Source: `PVE/API2/LXC.pm`, `PVE/API2/Qemu.pm`. */
export function drillRights({ pool, storage }: DrillSettings, vmid: number): readonly Right[] {
  const at = pool === undefined ? `/vms/${vmid}` : `/pool/${pool}`;
  const guest = ['VM.Allocate', 'VM.Config.Network', 'VM.Config.Options', 'VM.PowerMgmt'];
  return [
    ...(pool === undefined ? [] : [['Pool.Allocate', at] as const]),
    ...guest.map((privilege) => [privilege, at] as const),
    ['Datastore.AllocateSpace', `/storage/${storage}`],
  ];
}

/** The first right that is not held. */
export const lackingRight = (held: Permissions, needed: readonly Right[]): Right | undefined =>
  needed.find(([privilege, path]) => !holdsAt(held, path, privilege));

/** For doctor: whether the token is told of backups, and may try restores out. */
export const guestRightsProbe = (host: Proxmox, settings: GuestBackupSettings): Probeable => ({
  probe: async (signal): Promise<Probe> => {
    try {
      const held = await host.permissions(signal);
      const { storage } = await host.resources('storage', signal);
      const names = [...new Set(backupStorages(storage).map((one) => one.storage))];
      return judge(held, names, settings);
    } catch (thrown) {
      const { text, args } = toVakhtaError(thrown);
      return { state: 'down', text, args };
    }
  },
});

function judge(held: Permissions, storages: readonly string[], { storage, drill }: GuestBackupSettings): Probe {
  if (!storages.includes(storage)) return { state: 'down', text: 'guest-rights-storage', args: { storage } };
  const seeing: readonly Right[] = [
    ['Sys.Audit', '/'],
    ...storages.map((one): Right => ['Datastore.AllocateSpace', `/storage/${one}`]),
  ];
  const blind = lackingRight(held, seeing);
  if (blind) return lacking('down', 'guest-rights-blind', blind);
  const seen = sight(held, '/vms', 'VM.Backup');
  if (seen === 'none') return lacking('down', 'guest-rights-blind', ['VM.Backup', '/vms']);
  if (seen === 'some') return lacking('warn', 'guest-rights-some', ['VM.Backup', '/vms']);
  if (drill === undefined) return { state: 'ok', text: 'guest-rights-ok-no-drill' };
  const missing = lackingRight(held, drillRights(drill, drill.vmidFrom));
  if (missing === undefined) return { state: 'ok', text: 'guest-rights-ok' };
  if (drill.pool === undefined && missing[1].startsWith('/vms/')) {
    const args = { privilege: missing[0], vmid: String(drill.vmidFrom) };
    return { state: 'warn', text: 'guest-rights-pool', args };
  }
  return lacking('warn', 'guest-rights-drill', missing);
}

const lacking = (state: 'warn' | 'down', text: string, [privilege, path]: Right): Probe => ({
  state,
  text,
  args: { privilege, path },
});
