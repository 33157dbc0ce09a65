import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { bold, code, doc, facts, time } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { StanzaInfo } from '../../integrations/pgbackrest/info.ts';
import { backupLock } from '../../core/locks.ts';
import { stanzaLine, summary } from '../../integrations/pgbackrest/pgbackrest.ts';
import { defineOperation, definite } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';
import { scopesOfNames } from '../silences/selection.ts';

export const messages = defineMessages({
  en: `
    op-backup-pg = Back up PostgreSQL (pgBackRest)
    op-backup-pg-arg-stanza = Which database?
    op-backup-pg-arg-type = Which kind? full copies everything, diff copies what changed since the last full one, incr what changed since the last backup.
    backup-pg-plan = a backup of { $stanza } of kind { $type }; the last one is { $label }
    backup-pg-plan-first = the first backup of { $stanza }, so pgBackRest makes a full one
    backup-pg-plan-held = somebody is backing it up or expiring it right now, and this run would be refused its lock
    backup-pg-plan-held-percent = somebody is backing it up right now ({ $percent } % copied), and this run would be refused its lock
    backup-pg-seen = { $label } is listed in the repository
    backup-pg-not-seen = { $label } is not listed in the repository
    backup-pg-busy = pgBackRest is still working
    backup-pg-absent = The backup was interrupted, and the repository holds none of this run. Start it again.
    backup-pg-label = Label
    backup-pg-type = Kind
    backup-pg-size = Database
    backup-pg-copied = Copied
    backup-pg-repo = Added to the repository
    backup-pg-took = Took
    backup-pg-finished = Finished
    backup-pg-pages = Damaged pages
    backup-pg-pages-found = found, do not rely on this backup: check the disk of the database
    err-backup-pg-refused = This stanza cannot be backed up now. Look at /status.
  `,
  ru: `
    op-backup-pg = Резервная копия PostgreSQL (pgBackRest)
    op-backup-pg-arg-stanza = Какая база?
    op-backup-pg-arg-type = Какого вида? full копирует всё, diff — изменения с последней полной, incr — с последней копии.
    backup-pg-plan = копия { $stanza } вида { $type }; последняя сейчас — { $label }
    backup-pg-plan-first = первая копия { $stanza }, поэтому pgBackRest сделает полную
    backup-pg-plan-held = прямо сейчас её копируют или чистят, этот запуск упрётся в чужую блокировку
    backup-pg-plan-held-percent = прямо сейчас её уже копируют ({ $percent } %), этот запуск упрётся в чужую блокировку
    backup-pg-seen = { $label } есть в репозитории
    backup-pg-not-seen = { $label } нет в репозитории
    backup-pg-busy = pgBackRest ещё работает
    backup-pg-absent = Копирование прервалось, в репозитории копии этого запуска нет. Запустите снова.
    backup-pg-label = Метка
    backup-pg-type = Вид
    backup-pg-size = База
    backup-pg-copied = Скопировано
    backup-pg-repo = Добавлено в репозиторий
    backup-pg-took = Заняло
    backup-pg-finished = Готово
    backup-pg-pages = Повреждённые страницы
    backup-pg-pages-found = найдены, на эту копию полагаться нельзя: проверьте диск базы
    err-backup-pg-refused = Этот раздел (stanza) сейчас не скопировать. Посмотрите /status.
  `,
});

const TYPES = ['full', 'diff', 'incr'] as const;

const resultSchema = z.object({
  label: z.string(),
  type: z.enum(TYPES),
  sizeBytes: z.number(),
  deltaBytes: z.number(),
  repoBytes: z.number().optional(),
  durationMs: z.number(),
  stoppedAt: z.coerce.date(),
  error: z.boolean(),
});

/** pgBackRest gave up before it copied anything. */
const NOT_BEGUN = new Set(['pgbackrest-lock-held', 'pgbackrest-db-connect']);

/** States of a stanza in which a backup can be made: healthy, or without any backup yet. */
const READY = new Set(['ok', 'no-valid-backups']);

/** Somebody else works on the stanza, with pgBackRest itself or through another process: this run would be refused by it. */
function heldLines({ backupLock: { held, sizeBytes, doneBytes } }: StanzaInfo): Text[] {
  if (!held) return [];
  if (!sizeBytes || doneBytes === undefined) return [{ key: 'backup-pg-plan-held' }];
  return [{ key: 'backup-pg-plan-held-percent', args: { percent: Math.floor((doneBytes / sizeBytes) * 100) } }];
}

export default defineOperation({
  name: 'backup.pg',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ stanza: z.string().min(1).max(64), type: z.enum(TYPES).default('incr') }),
  fields: { stanza: { choices: (known) => known.stanzas } },
  result: resultSchema,
  ports: ['lockPaths', 'pgbackrest'],
  timeoutMs: hours(12),
  // The second is how a backup from before there were paths holds its stanza.
  locks: (args, plan) => [...boundLocks(plan), `backup:pg:${args.stanza}`],

  plan: async ({ ports, clock, signal }, { stanza, type }) => {
    const pgbackrest = ports.pgbackrest.get(stanza);
    const info = await pgbackrest.info(signal);
    if (!READY.has(info.state)) {
      // In the same words as /status, which also say what to do.
      const { text, args } = stanzaLine(info, clock.now());
      const message = `stanza ${stanza} is ${info.state}: ${info.message}`;
      throw new VakhtaError('permanent', 'backup-pg-refused', message, { text, args: { ...args } });
    }
    const last = info.backups.at(-1);
    return {
      target: stanza,
      lines: [
        last
          ? { key: 'backup-pg-plan', args: { stanza, type, label: last.label } }
          : { key: 'backup-pg-plan-first', args: { stanza, type } },
        ...heldLines(info),
      ],
      bound: { locks: [backupLock(ports.lockPaths.postgres(stanza))] },
    };
  },

  // While it works the last backup looks old or broken to who watches, and the host is busy.
  quiets: async ({ stanza }, _plan, names) => {
    const { stanza: ids, host } = await names.stanza(stanza);
    const load = {
      name: 'alertname',
      value: '.*(Load|C[Pp][Uu]|D[Ii][Ss][Kk]I[Oo]|I[Oo]Wait|Saturat).*',
      isRegex: true,
      isEqual: true,
    };
    const backup = { name: 'alertname', value: '(?:[Pp]g[Bb]ack[Rr]est|Backup).*', isRegex: true, isEqual: true };
    return [
      ...scopesOfNames(ids, ['stanza']).map((scope) => [...scope, backup]),
      ...scopesOfNames(host, ['instance', 'host']).map((scope) => [...scope, load]),
    ];
  },

  run: async ({ ports, signal, runId, clock, progress, remember }, { stanza, type }) => {
    await remember({ startedAt: clock.now().toISOString() });
    const result = await ports.pgbackrest
      .get(stanza)
      .backup(type, { runId, signal, onProgress: progress })
      .catch((thrown: unknown) => {
        if (thrown instanceof VakhtaError && NOT_BEGUN.has(thrown.code)) throw definite(thrown);
        throw thrown;
      });
    return { state: result.error ? 'warning' : 'succeeded', result };
  },

  verify: async ({ ports, signal }, { stanza }, { label }) => {
    const info = await ports.pgbackrest.get(stanza).info(signal);
    const seen = info.state === 'ok' && info.backups.some((backup) => backup.label === label);
    return { ok: seen, text: { key: seen ? 'backup-pg-seen' : 'backup-pg-not-seen', args: { label } } };
  },

  reconcile: async ({ ports, signal, runId }, { stanza }, external) => {
    // Nothing was remembered: the worker died before it called pgBackRest.
    if (typeof external?.['startedAt'] !== 'string') return { state: 'again' };
    const since = new Date(external['startedAt']);
    const fate = await ports.pgbackrest.get(stanza).findByRun(runId, since, signal);
    if (fate.state === 'running') return { state: 'busy', text: { key: 'backup-pg-busy' } };
    if (fate.state === 'absent') return { state: 'failed', text: { key: 'backup-pg-absent' } };
    const result = summary(fate.backup);
    return { state: result.error ? 'warning' : 'succeeded', result };
  },

  report: (result, args, { t }) => {
    const rows: [string, Parameters<typeof facts>[0][1]][] = [
      [t('backup-pg-label'), code(result.label)],
      [t('backup-pg-type'), result.type === args.type ? result.type : `${result.type} (${args.type})`],
      [t('backup-pg-size'), formatBytes(result.sizeBytes, t)],
      [t('backup-pg-copied'), formatBytes(result.deltaBytes, t)],
      [t('backup-pg-took'), formatDuration(result.durationMs, t)],
      [t('backup-pg-finished'), time(result.stoppedAt)],
    ];
    if (result.repoBytes !== undefined) rows.splice(4, 0, [t('backup-pg-repo'), formatBytes(result.repoBytes, t)]);
    if (result.error) rows.unshift([t('backup-pg-pages'), bold(t('backup-pg-pages-found'))]);
    return doc(facts(...rows));
  },
});
