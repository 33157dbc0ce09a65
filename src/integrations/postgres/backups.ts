import type { Probeable } from '../define.ts';
import type { Expired } from '../pgbackrest/expire.ts';
import type { BackupType, StanzaInfo } from '../pgbackrest/info.ts';
import type { BackupOptions, BackupResult, RunFate } from '../pgbackrest/pgbackrest.ts';
import type { Restored, RestoreOptions, RestoreRequest } from '../pgbackrest/restore.ts';
import type { VerifyResult } from '../pgbackrest/verify.ts';

/**
 * What makes and restores the backups of one PostgreSQL cluster. pgBackRest gave it its shape; a driver that cannot tell something
 * leaves it out, and one that cannot do something says so in `can`.
 */
export interface PostgresBackups extends Probeable {
  readonly driver: 'pgbackrest' | 'wal-g';
  readonly id: string;
  readonly stanza: string;
  readonly can: {
    /** It takes diff and incr as asked; else the tool decides by its own settings. */
    readonly chooseType: boolean;
    /** `verify` reads the data of backups. Without it a good verdict is no proof of them: never more than a warning. */
    readonly readData: boolean;
    readonly expire: boolean;
  };
  /** State and backups. A broken repository is in the answer, not an error. */
  info(signal?: AbortSignal): Promise<StanzaInfo>;
  /** Makes a backup and waits for it. Errors: those of the driver and of the executor. */
  backup(type: BackupType, options?: BackupOptions): Promise<BackupResult>;
  /** What happened to the run after a crash. `since`: when it began, to find backups that carry no mark of their run. */
  findByRun(runId: string, since: Date, signal?: AbortSignal): Promise<RunFate>;
  /** Restores a backup into a folder and writes the recovery settings; starts nothing. */
  restore(request: RestoreRequest, options?: RestoreOptions): Promise<Restored>;
  /** Looks for damage in one repository and changes nothing; damage is in the answer, an error means that nobody looked. */
  verify(options: { readonly repo: number; readonly signal?: AbortSignal }): Promise<VerifyResult>;
  /** Removes what its own retention does not keep; with `dryRun` only says what. Throws `wal-g-no-expire` where `can` says no. */
  expire(options: { readonly dryRun: boolean; readonly signal?: AbortSignal }): Promise<Expired>;
  /** `2.45` */
  version(signal?: AbortSignal): Promise<string>;
}
