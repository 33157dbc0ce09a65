import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { code, doc, facts, line, list } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { backupLock } from '../../core/locks.ts';
import type { Expired } from '../../integrations/pgbackrest/expire.ts';
import { defineOperation, definite } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';

export const messages = defineMessages({
  en: `
    op-expire-pg = Remove expired backups of PostgreSQL
    op-expire-pg-arg-stanza = Which database?
    expire-pg-nothing = Nothing is beyond the retention of { $stanza }: nothing will go
    expire-pg-goes = { $count ->
        [one] One backup goes: { $labels }
       *[other] { $count } backups go: { $labels }
    }
    expire-pg-wal = WAL of { $archive } goes from { $from } to { $to }, repository { $repo }
    expire-pg-gone = What was expired is not listed any more
    expire-pg-there = Still listed: { $labels }
    expire-pg-none = Nothing was beyond the retention.
    expire-pg-backups = Removed
    expire-pg-archives = WAL
    err-expire-pg-changed = Meanwhile more would go than was approved: { $labels }. Ask again and look at the new plan.
  `,
  ru: `
    op-expire-pg = Удалить устаревшие копии PostgreSQL
    op-expire-pg-arg-stanza = Какая база?
    expire-pg-nothing = У { $stanza } нет ничего старше положенного: удалять нечего
    expire-pg-goes = { $count ->
        [one] Уйдёт { $count } копия: { $labels }
        [few] Уйдут { $count } копии: { $labels }
       *[other] Уйдёт { $count } копий: { $labels }
    }
    expire-pg-wal = Уйдёт WAL { $archive } с { $from } по { $to }, репозиторий { $repo }
    expire-pg-gone = Удалённого в списке больше нет
    expire-pg-there = Всё ещё в списке: { $labels }
    expire-pg-none = Старше положенного ничего не было.
    expire-pg-backups = Удалены
    expire-pg-archives = WAL
    err-expire-pg-changed = За это время набралось больше, чем было одобрено: { $labels }. Запросите снова и посмотрите новый план.
  `,
});

const expiredSchema = z.object({
  backups: z.array(z.object({ label: z.string(), repo: z.number() })),
  archives: z.array(z.object({ repo: z.number(), archive: z.string(), from: z.string(), to: z.string() })),
});

/** The same label may be in several repositories. */
const nameOf = ({ label, repo }: Expired['backups'][number]): string => (repo === 1 ? label : `${label} (${repo})`);
const namesOf = (backups: Expired['backups']): string => backups.map(nameOf).join(', ');

const planLines = (expired: Expired, stanza: string): Text[] => {
  const { backups, archives } = expired;
  if (backups.length === 0 && archives.length === 0) return [{ key: 'expire-pg-nothing', args: { stanza } }];
  return [
    ...(backups.length > 0
      ? [{ key: 'expire-pg-goes', args: { count: backups.length, labels: namesOf(backups) } }]
      : []),
    ...archives.map(({ repo, archive, from, to }) => ({ key: 'expire-pg-wal', args: { repo, archive, from, to } })),
  ];
};

export default defineOperation({
  name: 'expire.pg',
  messages,
  role: 'operator',
  // What goes cannot be had again: the plan is pgBackRest's own dry run, and a second person looks at it.
  risk: 'disrupt',
  approval: 'second',
  args: z.object({ stanza: z.string().min(1).max(64) }),
  fields: { stanza: { choices: (known) => known.stanzas } },
  result: expiredSchema,
  ports: ['pgbackrest', 'lockPaths'],
  timeoutMs: hours(2),
  locks: (_args, plan) => boundLocks(plan),

  plan: async ({ ports, signal }, { stanza }) => {
    const expired = await ports.pgbackrest.get(stanza).expire({ dryRun: true, signal });
    return {
      target: stanza,
      lines: planLines(expired, stanza),
      bound: { locks: [backupLock(ports.lockPaths.postgres(stanza))], expired },
    };
  },

  run: async ({ ports, plan, signal, remember }, { stanza }) => {
    const approved = new Set(boundExpired(plan.bound).backups.map(nameOf));
    const backups = ports.pgbackrest.get(stanza);
    const now = await backups.expire({ dryRun: true, signal }).catch((thrown: unknown) => {
      throw thrown instanceof VakhtaError ? definite(thrown) : thrown;
    });
    const more = now.backups.filter((one) => !approved.has(nameOf(one)));
    if (more.length > 0) {
      throw new VakhtaError('permanent', 'expire-pg-changed', `${stanza}: more would go: ${namesOf(more)}`, {
        args: { labels: namesOf(more) },
      });
    }
    await remember({ expired: now });
    return { state: 'succeeded', result: await backups.expire({ dryRun: false, signal }) };
  },

  verify: async ({ ports, signal }, { stanza }, result) => {
    const left = stillThere(await ports.pgbackrest.get(stanza).info(signal), result);
    if (left === '') return { ok: true, text: { key: 'expire-pg-gone' } };
    return { ok: false, text: { key: 'expire-pg-there', args: { labels: left } } };
  },

  reconcile: async ({ ports, signal }, { stanza }, external) => {
    if (external === undefined) return { state: 'again' };
    const expired = boundExpired(external);
    const info = await ports.pgbackrest.get(stanza).info(signal);
    if (info.backupLock.held) return { state: 'busy', text: { key: 'backup-pg-busy' } };
    const left = stillThere(info, expired);
    if (left === '') return { state: 'succeeded', result: expired };
    return { state: 'failed', text: { key: 'expire-pg-there', args: { labels: left } } };
  },

  report: ({ backups, archives }, _args, { t }) => {
    if (backups.length === 0 && archives.length === 0) return doc(line(t('expire-pg-none')));
    const wal = archives.map(({ archive, from, to }) => `${archive}: ${from} … ${to}`);
    return doc(
      ...(backups.length > 0 ? [facts([t('expire-pg-backups'), code(namesOf(backups))])] : []),
      ...(wal.length > 0 ? [line(t('expire-pg-archives')), list(wal.map((one) => code(one)))] : []),
    );
  },
});

const boundExpired = (raw: Readonly<Record<string, unknown>> | undefined): Expired =>
  z.object({ expired: expiredSchema }).parse(raw).expired;

function stillThere(
  info: { readonly backups: readonly { label: string; repoKey: number }[] },
  { backups }: Expired,
): string {
  return namesOf(
    backups.filter(({ label, repo }) => info.backups.some((one) => one.label === label && one.repoKey === repo)),
  );
}
