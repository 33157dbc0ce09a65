import { expect, it } from 'vitest';
import { hours } from '../../src/core/clock.ts';
import { fileSchema, resolve } from '../../src/config/schema.ts';
import { ageLimitMs } from '../../src/tasks/recovery/limits.ts';

const pve = (id: string, max?: number) => ({
  id,
  url: `https://${id}:8006`,
  token_id: 'vakhta@pve!watch',
  token: 'env:T',
  ...(max === undefined ? {} : { backup: { storage: 'pbs', max_age_hours: max } }),
});

const config = resolve(
  fileSchema.parse({
    site: { name: 'Test site', zone: 'Europe/Moscow', language: 'en' },
    telegram: { token: 'env:TOKEN' },
    operators: [{ id: 'ada', name: 'Ada', telegram_id: 104, role: 'admin' }],
    chats: [{ id: 'ops', chat_id: -1001 }],
    routes: [{ chat: 'ops' }],
    postgres: [{ id: 'main', stanza: 'main', max_age_hours: 10, offsite_repo: 2, offsite_max_age_hours: 20 }],
    proxmox: [pve('pve1', 30), pve('pve2', 50), pve('pve3')],
    restic: [
      {
        id: 'files',
        repository: '/srv/restic',
        password: 'env:R',
        max_age_hours: 24,
        volumes: [
          { id: 'etc', paths: ['/etc'] },
          { id: 'wiki', paths: ['/wiki'], max_age_hours: 72 },
        ],
        offsite: { repository: '/mnt/far', password: 'env:R', max_age_hours: 60 },
      },
    ],
    pbs: [
      {
        id: 'pbs1',
        url: 'https://pbs1:8007',
        token_id: 'vakhta@pbs!watch',
        token: 'env:P',
        datastores: [{ name: 'main', max_age_hours: 40 }],
      },
    ],
  }),
  {},
);

it.each([
  ['pg:main', 10],
  ['offsite-pg:main', 20],
  ['volume:etc', 24],
  ['volume:wiki', 72],
  ['offsite-volume:wiki', 60],
  // Of several hosts the most patient one.
  ['guest:gitlab', 50],
  ['pbs:pbs1/main', 40],
  ['pg:unheard-of', undefined],
  ['pbs:pbs1/unheard-of', undefined],
  ['proxmox:pve1', undefined],
])('the newest backup of %s may be %s hours old', (target, limit) => {
  expect(ageLimitMs(target, config)).toBe(limit === undefined ? undefined : hours(limit));
});
