import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';

/** A valid configuration of everything about recovery, to be changed by each test. */
const valid = () => ({
  site: { name: 'Home', zone: 'UTC' },
  telegram: { token: 'env:TOKEN' },
  operators: [
    { id: 'anna', name: 'Anna', telegram_id: 11, role: 'admin', totp: 'env:TOTP' },
    { id: 'boris', name: 'Boris', telegram_id: 12, role: 'operator' },
  ],
  chats: [{ id: 'ops', chat_id: -100 }],
  routes: [{ chat: 'ops' }],
  hosts: [
    {
      id: 'pg',
      address: 'pg',
      user: 'v',
      private_key: 'env:KEY',
      host_key: `SHA256:${'a'.repeat(43)}`,
      guest: 'pve1/101',
    },
  ],
  docker: [{ id: 'docker', host: 'pg' }],
  proxmox: [
    {
      id: 'pve1',
      url: 'https://pve1:8006',
      token_id: 'vakhta@pve!watch',
      token: 'env:PVE',
      backup: { storage: 'pbs', drill: { storage: 'lvm', vmid_from: 9000, vmid_to: 9019 } },
    } as Record<string, unknown> & { backup?: { storage: string; drill?: Record<string, unknown> } },
  ],
  postgres: [
    {
      id: 'main',
      stanza: 'main',
      host: 'pg',
      offsite_repo: 2,
      cluster: { bin_dir: '/usr/lib/postgresql/15/bin', data_dir: '/var/lib/postgresql/15/main' },
      scratch: { dir: '/var/lib/postgresql/scratch' },
    } as Record<string, unknown>,
    { id: 'small', stanza: 'small', host: 'pg' } as Record<string, unknown>,
  ],
  restic: [
    {
      id: 'files',
      host: 'pg',
      repository: '/srv/restic',
      password: 'env:RESTIC',
      volumes: [
        { id: 'grafana', engine: 'docker', volume: 'grafana_data', before: { pause: ['grafana'] } },
        { id: 'etc', paths: ['/etc'] },
      ] as Record<string, unknown>[],
      offsite: { repository: 'rclone:a:b', password: 'env:OFFSITE' },
    } as Record<string, unknown> & { volumes: Record<string, unknown>[] },
  ],
  pbs: [
    {
      id: 'pbs1',
      url: 'https://pbs1:8007',
      token_id: 'vakhta@pbs!watch',
      token: 'env:PBS',
      datastores: [{ name: 'main' }] as Record<string, unknown>[],
    },
  ],
  restore_drills: ['pg:main', 'guest:gitlab', 'volume:etc', 'offsite-pg:main', 'offsite-volume:grafana'].map(
    (target) => ({ target, at: '03:30' }),
  ),
  recovery: {
    goals: [
      { for: 'guest', rpo_minutes: 1560 },
      { for: 'guest:gitlab', rto_minutes: 60 },
      { for: 'offsite-volume:etc', rpo_minutes: 3000 },
    ] as Record<string, unknown>[],
  },
  kit: { recipients: [`age1${'q'.repeat(58)}`], offsite: { host: 'pg', dir: '/srv/kit' } } as Record<string, unknown>,
});
type Draft = ReturnType<typeof valid>;

/** `path: text key` of every problem after a change. */
function after(change: (draft: Draft) => void): string[] {
  const draft = valid();
  change(draft);
  return parseConfig(JSON.stringify(draft), 'x', {}).problems.map(({ path, text }) => `${path}: ${text}`);
}

const more = (d: Draft) => ({ ...d.restic[0]!, id: 'more' });

describe('what the sections about recovery say of others', () => {
  it('has nothing to say of a valid configuration', () => {
    expect(after(() => {})).toEqual([]);
  });

  it.each<[string, (draft: Draft) => void, string | readonly string[]]>([
    [
      'a host that is a guest of a Proxmox nobody knows',
      (d) => (d.hosts[0]!.guest = 'pve2/101'),
      'hosts[0].guest: cfg-unknown-ref-near',
    ],
    ['a set on an unknown host', (d) => (d.restic[0]!.host = 'gp'), 'restic[0].host: cfg-unknown-ref-near'],
    [
      'a volume of an unknown engine',
      (d) => (d.restic[0]!.volumes[0]!.engine = 'dokcer'),
      'restic[0].volumes[0].engine: cfg-unknown-ref-near',
    ],
    [
      'a kit for an unknown host',
      (d) => (d.kit.offsite = { host: 'xyz', dir: '/k' }),
      'kit.offsite.host: cfg-unknown-ref',
    ],
    ['a kit in a relative folder', (d) => (d.kit.offsite = { host: 'pg', dir: 'k' }), 'kit.offsite.dir: cfg-absolute'],
    [
      'two sets with one name',
      (d) => d.restic.push({ ...more(d), id: 'files', volumes: [{ id: 'x', paths: ['/x'] }] }),
      'restic[1].id: cfg-duplicate',
    ],
    [
      'one volume in two sets',
      (d) => d.restic.push({ ...more(d), volumes: [{ id: 'etc', paths: ['/etc'] }] }),
      'restic[1].volumes[0].id: cfg-duplicate',
    ],
    ['two servers with one name', (d) => d.pbs.push(d.pbs[0]!), 'pbs[1].id: cfg-duplicate'],
    [
      'a datastore twice',
      (d) => d.pbs[0]!.datastores.push({ name: 'main' }),
      'pbs[0].datastores[1].name: cfg-duplicate',
    ],
    [
      'neither volume nor paths',
      (d) => delete d.restic[0]!.volumes[1]!.paths,
      'restic[0].volumes[1]: cfg-volume-source',
    ],
    ['both of them', (d) => (d.restic[0]!.volumes[0]!.paths = ['/x']), 'restic[0].volumes[0]: cfg-volume-source'],
    [
      'a relative path',
      (d) => (d.restic[0]!.volumes[1]!.paths = ['/etc', '-v']),
      'restic[0].volumes[1].paths[1]: cfg-absolute',
    ],
    [
      'containers without an engine',
      (d) => (d.restic[0]!.volumes[1]!.before = { stop: ['a'] }),
      'restic[0].volumes[1].before: cfg-before-engine',
    ],
    [
      'a container both paused and stopped',
      (d) => (d.restic[0]!.volumes[0]!.before = { stop: ['a', 'b'], pause: ['b'] }),
      'restic[0].volumes[0].before: cfg-stop-and-pause',
    ],
    [
      'ports the wrong way round',
      (d) => (d.postgres[0]!.scratch = { dir: '/s', port_from: 6000, port_to: 5999 }),
      'postgres[0].scratch.port_to: cfg-range-order',
    ],
    [
      'the port of production among those of scratch clusters',
      (d) => (d.postgres[0]!.scratch = { dir: '/s', port_from: 5430, port_to: 5440 }),
      'postgres[0].scratch.port_from: cfg-port-production',
    ],
    [
      'scratch clusters in the data folder',
      (d) => (d.postgres[0]!.scratch = { dir: '/var/lib/postgresql/15/main/scratch' }),
      'postgres[0].scratch.dir: cfg-scratch-inside',
    ],
    [
      'a place for scratch clusters without programs',
      (d) => {
        delete d.postgres[0]!.cluster;
        d.restore_drills = [];
      },
      'postgres[0].scratch: cfg-scratch-no-cluster',
    ],
    [
      'a second repository of WAL-G',
      (d) => (d.postgres[0]!.driver = 'wal-g'),
      'postgres[0].offsite_repo: cfg-offsite-wal-g',
    ],
    [
      'numbers of guests the wrong way round',
      (d) => (d.proxmox[0]!.backup!.drill!.vmid_to = 8999),
      'proxmox[0].backup.drill.vmid_to: cfg-range-order',
    ],
    [
      'a drill of something else',
      (d) => (d.restore_drills[0]!.target = 'pgmain'),
      'restore_drills[0].target: cfg-target',
    ],
    [
      'a drill of an unknown cluster',
      (d) => (d.restore_drills[0]!.target = 'pg:mian'),
      'restore_drills[0].target: cfg-unknown-ref-near',
    ],
    [
      'a drill of a cluster without a place for it',
      (d) => (d.restore_drills[0]!.target = 'pg:small'),
      'restore_drills[0].target: cfg-target-place',
    ],
    [
      'a drill of a copy elsewhere that there is not',
      (d) => delete d.postgres[0]!.offsite_repo,
      'restore_drills[3].target: cfg-target-offsite',
    ],
    [
      'a drill of guests that have no place',
      (d) => delete d.proxmox[0]!.backup!.drill,
      'restore_drills[1].target: cfg-target-guest',
    ],
    [
      'a drill of an unknown volume',
      (d) => (d.restore_drills[2]!.target = 'volume:nothing'),
      'restore_drills[2].target: cfg-unknown-ref',
    ],
    [
      'a drill of the copy elsewhere of a set that has none',
      (d) => delete d.restic[0]!.offsite,
      'restore_drills[4].target: cfg-target-offsite',
    ],
    ['a goal of nobody', (d) => (d.recovery.goals[0]!.for = 'guests'), 'recovery.goals[0].for: cfg-goal-for'],
    [
      'a goal of an unknown cluster',
      (d) => (d.recovery.goals[0]!.for = 'offsite-pg:mian'),
      'recovery.goals[0].for: cfg-unknown-ref-near',
    ],
    [
      'a goal of an unknown volume',
      (d) => (d.recovery.goals[0]!.for = 'volume:nothing'),
      'recovery.goals[0].for: cfg-unknown-ref',
    ],
    ['two goals of one', (d) => (d.recovery.goals[0]!.for = 'guest:gitlab'), 'recovery.goals[1].for: cfg-duplicate'],
    ['a goal without a number', (d) => delete d.recovery.goals[1]!.rto_minutes, 'recovery.goals[1]: cfg-goal-empty'],
  ])('%s', (_, change, expected) => {
    expect(after(change)).toEqual([expected].flat());
  });
});
