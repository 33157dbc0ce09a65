import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jobs, verifiedAt } from '../../src/integrations/proxmox/backup-wire.ts';
import { seesBackups } from '../../src/integrations/proxmox/backups.ts';
import {
  differences,
  disksOf,
  networksOf,
  parseConfig,
  reachesOut,
} from '../../src/integrations/proxmox/guest-config.ts';
import { percentIn, readVzdumpLog } from '../../src/integrations/proxmox/vzdump-log.ts';
import { contractPath, haveContracts } from '../support/contracts.ts';

const log = (name: string): string[] =>
  readFileSync(contractPath('pve-samples', 'vzdump-logs', `${name}.log`), 'utf8')
    .trimEnd()
    .split('\n');

describe.skipIf(!haveContracts)('a recorded log of vzdump', () => {
  it('with an ERROR after the end was good: the notification failed, not the backup', () => {
    const read = readVzdumpLog(log('lxc-ok-notify-error'));
    expect(read.failed).toEqual([]);
    expect(read.afterwards).toEqual([expect.stringMatching(/^could not notify via target/)]);
  });

  it('tells why it failed, and which file it would have been', () => {
    const read = readVzdumpLog(log('lxc-stop-nfs-permission-denied'));
    expect(read.archive).toBe('vzdump-lxc-107-2022_08_20-15_12_12.tar.zst');
    expect(read.failed).toEqual([expect.stringMatching(/^command 'set -o pipefail .* failed: exit code 2$/)]);
    expect(read.afterwards).toEqual([]);
  });

  it('names the snapshot on a backup server, and one failure once', () => {
    const read = readVzdumpLog(log('pbs-qmp-timeout-pve9.1'));
    expect(read.archive).toBe('vm/111/2026-04-23T20:00:14Z');
    expect(read.failed).toEqual(["VM 111 qmp command 'backup' failed - got timeout"]);
  });

  it('names the disks that are not in it, what was pruned, and the size', () => {
    const read = readVzdumpLog(log('qemu-pool-lock-wait-prune-ok'));
    expect(read).toMatchObject({ excluded: ['scsi0', 'scsi1'], pruned: 1, sizeBytes: 2048, failed: [] });
    expect(readVzdumpLog(log('qemu-template-stop-single')).sizeBytes).toBe(Math.round(1.05 * 1024 ** 3));
  });

  it.each([
    ['multi-guest-pbs-mixed-results.trimmed', 100],
    ['qemu-template-stop-single', 100],
    ['lxc-ok-notify-error', undefined],
  ])('%s has the percentage %s', (name, percent) => {
    expect(percentIn(log(name))).toBe(percent);
  });
});

describe('a line of progress', () => {
  it.each([
    ['INFO:   7% (404.0 MiB of 5.6 GiB) in  3s, read: 134.7 MiB/s, write: 134.7 MiB/s', 7],
    ['INFO: progress 50% 32212385792/64424640512 28840816640', 50],
    ['progress 12% (read 12345 bytes, duration 1 sec)', 12],
    ['INFO: transferred 5.56 GiB in 537 seconds (10.6 MiB/s)', undefined],
    ['INFO: root.pxar: backup was done incrementally, reused 17.03 GiB (95.4%)', undefined],
    ["INFO: exclude disk 'scsi0' at 10% (x)", undefined],
  ])('%s', (line, percent) => {
    expect(percentIn([line])).toBe(percent);
  });

  it('the newest counts', () => {
    expect(percentIn(['INFO:   7% (1 of 9) in 3s', 'INFO:  15% (2 of 9) in 5s', 'INFO: something'])).toBe(15);
  });
});

describe('the excluded mount points of a container', () => {
  it('are told', () => {
    expect(
      readVzdumpLog([
        "INFO: including mount point rootfs ('/') in backup",
        "INFO: excluding volume mount point mp0 ('/srv') from backup (disabled)",
        "INFO: excluding bind mount point mp1 ('/media') from backup (not a volume)",
      ]).excluded,
    ).toEqual(['mp0 (/srv)', 'mp1 (/media)']);
  });
});

describe('a configuration in a backup', () => {
  const text = [
    '#uploaded by hand',
    'agent: 1',
    'boot: order=scsi0;ide2;net0',
    'memory: 4096',
    'name: build1',
    'net0: virtio=BC:24:11:00:00:C9,bridge=vmbr0,firewall=1',
    'scsi0: local-zfs:vm-201-disk-0,iothread=1,size=64G',
    'scsi1: local-zfs:vm-201-disk-1,backup=0,size=8G',
    'ide2: none,media=cdrom',
    '',
    '[before-upgrade]',
    'memory: 2048',
  ].join('\n');
  const backedUp = parseConfig(text);

  it('is read without comments and snapshots', () => {
    expect(backedUp['memory']).toBe('4096');
    expect(Object.keys(backedUp)).not.toContain('#uploaded by hand');
    expect(networksOf(backedUp)).toEqual(['net0']);
    expect(disksOf(backedUp).map(({ key, size, isMedia, isExcluded }) => [key, size, isMedia, isExcluded])).toEqual([
      ['ide2', undefined, true, false],
      ['scsi0', '64G', false, false],
      ['scsi1', '8G', false, true],
    ]);
  });

  it('mount points of a container are left out of backups unless marked', () => {
    const disks = disksOf({ rootfs: 'a:subvol-1-disk-0,size=4G', mp0: 'a:b,mp=/srv', mp1: 'a:c,mp=/x,backup=1' });
    expect(disks.map(({ key, isExcluded }) => [key, isExcluded])).toEqual([
      ['mp0', true],
      ['mp1', false],
      ['rootfs', false],
    ]);
  });

  it('equals that of a copy without its network, under another name and on other disks', () => {
    const copy: Record<string, string> = {
      ...backedUp,
      name: 'vakhta-drill-9001',
      boot: 'order=scsi0;ide2',
      scsi0: 'other:vm-9001-disk-0,iothread=1,size=64G',
      digest: 'x',
      onboot: '0',
    };
    const { net0: _net, scsi1: _disk, ...rest } = copy;
    expect(differences(backedUp, rest)).toEqual([]);
    expect(differences(backedUp, { ...rest, memory: '1024', scsi0: 'other:vm-9001-disk-0,size=8G' })).toEqual([
      'memory',
      'scsi0 (64G → 8G)',
    ]);
    const { scsi0: _gone, ...without } = rest;
    expect(differences(backedUp, without)).toEqual(['scsi0 (64G → 0)']);
  });
});

describe('a copy that could touch anything but itself', () => {
  const harmless = {
    rootfs: 'local-zfs:subvol-9001-disk-0,size=4G',
    scsi0: 'dir:9001/vm-9001-disk-0.qcow2,size=4G',
    ide0: 'local-lvm:vm-9001-cloudinit,media=cdrom',
    ide2: 'local:iso/debian.iso,media=cdrom',
    sata0: 'none,media=cdrom',
    serial0: 'socket',
    memory: '512',
  };
  it('is told by its options', () => {
    expect(reachesOut(harmless, 9001)).toEqual([]);
    expect(reachesOut(harmless, 901)).toEqual(['rootfs', 'scsi0']);
  });
  it.each([
    ['net0', 'virtio=BC:24:11:00:00:C9,bridge=vmbr0,link_down=1'],
    ['mp0', '/tank/data,mp=/data'],
    ['mp1', 'local-zfs:subvol-103-disk-1,mp=/srv'],
    ['scsi1', '/dev/disk/by-id/ata-x,size=8T'],
    ['scsi2', 'local-zfs:vm-201-disk-3,size=1G'],
    ['ide3', '/dev/cdrom,media=cdrom'],
    ['hostpci0', '0000:01:00'],
    ['usb0', 'host=046d:c52b'],
    ['dev0', '/dev/dri/renderD128'],
    ['virtiofs0', 'share'],
    ['hookscript', 'local:snippets/x.sh'],
    ['args', '-device x'],
    ['serial1', '/dev/ttyS0'],
  ])('by %s', (name, value) => {
    expect(reachesOut({ ...harmless, [name]: value }, 9001)).toEqual([name]);
  });
});

describe('who is told of backups', () => {
  const held = (...paths: [string, string[]][]) =>
    new Map(paths.map(([path, names]) => [path, new Map(names.map((name) => [name, true]))] as const));
  it.each([
    ['an auditor of everything is told of none', held(['/', ['VM.Audit', 'Datastore.Audit', 'Sys.Audit']]), false],
    ['space on the storage alone is not enough', held(['/storage/nfs', ['Datastore.AllocateSpace']]), false],
    ['nor is the guest alone', held(['/vms', ['VM.Backup']]), false],
    ['both are', held(['/vms', ['VM.Backup']], ['/storage/nfs', ['Datastore.AllocateSpace']]), true],
    ['the owner of the storage is', held(['/storage/nfs', ['Datastore.Allocate']]), true],
    ['of another guest it is not', held(['/vms/104', ['VM.Backup']], ['/', ['Datastore.AllocateSpace']]), false],
  ])('%s', (_what, permissions, sees) => {
    expect(seesBackups(permissions, 'nfs', 103)).toBe(sees);
  });
});

describe('what comes over the wire', () => {
  it('a job without a switch is on, one that only excludes takes all others', () => {
    expect(
      jobs.parse([
        { id: 'a', vmid: '101,102', storage: 'nfs' },
        { id: 'b', enabled: '0', all: 1 },
        { id: 'c', exclude: '108', 'next-run': 1_800_000_000 },
        { id: 'd', pool: 'prod' },
      ]),
    ).toMatchObject([
      { id: 'a', isEnabled: true, vmids: [101, 102], all: false },
      { id: 'b', isEnabled: false, all: true },
      { id: 'c', all: true, exclude: [108], nextRun: new Date(1_800_000_000_000) },
      { id: 'd', all: false, pool: 'prod' },
    ]);
  });

  it('the time of a verification stands in the task id of the backup server', () => {
    expect(verifiedAt('UPID:pbs1:0000041A:0000A1B2:00000003:6565A1B0:verificationjob:main:root@pam:')).toEqual(
      new Date(0x6565a1b0 * 1000),
    );
    expect(verifiedAt('UPID:pve1:0000041A:0000A1B2:6565A1B0:vzdump:104:root@pam:')).toBeUndefined();
  });
});
