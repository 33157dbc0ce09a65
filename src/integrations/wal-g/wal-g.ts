import { type Clock, hours, minutes } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { Executor, RunOptions, RunResult } from '../exec/executor.ts';
import { printable, type StanzaInfo } from '../pgbackrest/info.ts';
import { ANNOTATION, stanzaLine, summary } from '../pgbackrest/pgbackrest.ts';
import type { PostgresBackups } from '../postgres/backups.ts';
import { parseBackupList, parseWalVerify, userData } from './wire.ts';

export const messages = defineMessages({
  en: `
    err-wal-g-failed = WAL-G of { $stanza } failed (exit { $exit }): { $detail }
    err-wal-g-output = The answer of WAL-G cannot be understood: { $detail }
    err-wal-g-no-cluster = WAL-G needs to know the data folder of { $stanza }: add cluster.data_dir to the configuration.
    err-wal-g-vanished = WAL-G reported success for { $stanza }, but no new backup is listed. Look at wal-g backup-list.
    err-wal-g-no-expire = With WAL-G, Vakhta removes no backups of { $stanza }: its delete command knows no configured retention.
    err-wal-g-no-restore = With WAL-G, Vakhta does not restore { $stanza }: tablespaces would go to where production has them. Use wal-g backup-fetch by hand.
  `,
  ru: `
    err-wal-g-failed = WAL-G { $stanza } завершился с ошибкой (код { $exit }): { $detail }
    err-wal-g-output = Не удалось понять ответ WAL-G: { $detail }
    err-wal-g-no-cluster = WAL-G нужен каталог данных { $stanza }: добавьте в конфигурацию cluster.data_dir.
    err-wal-g-vanished = WAL-G сообщил об успехе для { $stanza }, но новой копии в списке нет. Проверьте командой wal-g backup-list.
    err-wal-g-no-expire = С WAL-G Вахта копии { $stanza } не удаляет: его команда delete не знает настроенного срока хранения.
    err-wal-g-no-restore = С WAL-G Вахта { $stanza } не восстанавливает: табличные пространства попали бы туда, где они у рабочей базы. Выполните wal-g backup-fetch вручную.
  `,
});

export interface WalGSettings {
  readonly id: string;
  readonly stanza: string;
  readonly binary: readonly string[];
  readonly config?: string;
  /** Data folder and socket of the running cluster; without them nothing can be backed up. */
  readonly cluster?: { readonly dataDir: string; readonly socketDir: string; readonly port: number };
}

/** WAL-G behind the port of pgBackRest. Source: github.com/wal-g/wal-g, docs/PostgreSQL.md */
export function createWalG(settings: WalGSettings, edges: { executor: Executor; clock: Clock }): PostgresBackups {
  const { id, stanza, cluster } = settings;
  const { executor, clock } = edges;
  const words = [...settings.binary, ...(settings.config === undefined ? [] : [`--config=${settings.config}`])];
  const env = cluster ? { PGHOST: cluster.socketDir, PGPORT: String(cluster.port) } : {};
  const refuse = (code: string): VakhtaError =>
    new VakhtaError('permanent', code, `${stanza}: ${code}`, { args: { stanza } });

  const run = async (argv: readonly string[], options: RunOptions): Promise<RunResult> => {
    const result = await executor.run([...words, ...argv], { env, ...options });
    if (result.code === 0) return result;
    const detail = printable(result.stderr) || '—';
    const exit = String(result.code ?? result.signal ?? '?');
    throw new VakhtaError('permanent', 'wal-g-failed', `wal-g ${stanza}: exit ${exit}: ${detail}`, {
      args: { stanza, exit, detail },
    });
  };
  const with_ = (signal?: AbortSignal) => (signal ? { signal } : {});

  const info = async (signal?: AbortSignal): Promise<StanzaInfo> => {
    const { stdout } = await run(['backup-list', '--detail', '--json'], { ...with_(signal), timeoutMs: minutes(1) });
    const backups = parseBackupList(stdout);
    const state = backups.length > 0 ? 'ok' : 'no-valid-backups';
    const code = backups.length > 0 ? 0 : 2;
    return {
      name: stanza,
      state,
      code,
      message: state,
      // WAL-G takes no lock that anybody could see.
      backupLock: { held: false },
      repos: [{ key: 1, cipher: 'none', state, message: state }],
      databases: [],
      archives: [],
      backups,
    };
  };

  return {
    driver: 'wal-g',
    id,
    stanza,
    can: { chooseType: false, readData: false, expire: false },
    info,
    backup: async (type, { runId, signal, onProgress } = {}) => {
      if (cluster === undefined) throw refuse('wal-g-no-cluster');
      const known = new Set((await info(signal)).backups.map(({ label }) => label));
      onProgress?.({ step: { key: 'pgbackrest-step-copying' } });
      await run(
        [
          'backup-push',
          cluster.dataDir,
          ...(type === 'full' ? ['--full'] : []),
          ...(runId === undefined ? [] : ['--add-user-data', userData(runId)]),
        ],
        { ...with_(signal), maxOutputBytes: 64 * 1024 },
      );
      const made = (await info(signal)).backups.findLast(
        ({ label, annotation }) => !known.has(label) && (runId === undefined || annotation[ANNOTATION] === runId),
      );
      if (made === undefined) throw refuse('wal-g-vanished');
      return summary(made);
    },
    findByRun: async (runId, since, signal) => {
      const { backups } = await info(signal);
      const found = backups.find(({ annotation }) => annotation[ANNOTATION] === runId);
      if (found) return { state: 'found', backup: found };
      const candidates = backups.filter(
        ({ annotation, startedAt }) =>
          annotation[ANNOTATION] === undefined && startedAt.getTime() >= since.getTime() - 1000,
      );
      return { state: 'absent', candidates };
    },
    restore: () => Promise.reject(refuse('wal-g-no-restore')),
    verify: async ({ signal }) => {
      const argv = ['wal-verify', 'integrity', 'timeline', '--json'];
      return parseWalVerify((await run(argv, { ...with_(signal), timeoutMs: hours(1) })).stdout);
    },
    expire: () => Promise.reject(refuse('wal-g-no-expire')),
    version: async (signal) => {
      const { stdout } = await run(['--version'], { ...with_(signal), timeoutMs: 15_000 });
      return /v?(\d+\.\d+(?:\.\d+)?)/u.exec(stdout)?.[1] ?? printable(stdout);
    },
    probe: async (signal) => {
      try {
        return stanzaLine(await info(signal), clock.now());
      } catch (thrown) {
        const { text, args } = toVakhtaError(thrown);
        return { state: 'down', text, args };
      }
    },
  };
}
