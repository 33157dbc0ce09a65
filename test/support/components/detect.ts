import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';

/** A real component that some tests need, with Debian's package for it. */
const COMPONENTS = {
  redis: { binaries: ['redis-server'], apt: 'redis-server' },
  pgbackrest: { binaries: ['pgbackrest'], apt: 'pgbackrest' },
  postgres: { binaries: [], apt: 'postgresql' },
  prometheus: { binaries: ['prometheus'], apt: 'prometheus' },
  promtool: { binaries: ['promtool'], apt: 'prometheus' },
  alertmanager: { binaries: ['prometheus-alertmanager', 'alertmanager'], apt: 'prometheus-alertmanager' },
  amtool: { binaries: ['amtool'], apt: 'prometheus-alertmanager' },
  nginx: { binaries: ['nginx'], apt: 'nginx-light' },
  openssl: { binaries: ['openssl'], apt: 'openssl' },
  sshd: { binaries: ['sshd'], apt: 'openssh-server' },
  'ssh-keygen': { binaries: ['ssh-keygen'], apt: 'openssh-client' },
  dockerd: { binaries: ['dockerd'], apt: 'docker.io' },
  docker: { binaries: ['docker'], apt: 'docker.io' },
  restic: { binaries: ['restic'], apt: 'restic' },
  rclone: { binaries: ['rclone'], apt: 'rclone' },
  age: { binaries: ['age'], apt: 'age' },
  'age-keygen': { binaries: ['age-keygen'], apt: 'age' },
  busybox: { binaries: ['busybox'], apt: 'busybox-static' },
  ping: { binaries: ['ping'], apt: 'iputils-ping' },
  chromium: { binaries: ['chromium', 'chromium-browser', 'google-chrome'], apt: 'chromium' },
} as const satisfies Record<string, { binaries: readonly string[]; apt: string }>;

export type Component = keyof typeof COMPONENTS;

const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin'];

/** Absolute path of a component's program, or undefined. */
export function find(component: Component): string | undefined {
  if (component === 'postgres') return postgresBin()?.concat('/postgres');
  for (const name of COMPONENTS[component].binaries) {
    for (const folder of FOLDERS) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** Absolute path of a component's program; throws with the way to install it. */
export function need(component: Component): string {
  const path = find(component);
  if (path === undefined) throw new Error(missing(component));
  return path;
}

/** The folder of the distribution's PostgreSQL programs: the wished version, else the newest there is. */
export function postgresBin(version?: number): string | undefined {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return undefined;
  const found = readdirSync(base)
    .map(Number)
    .filter((n) => existsSync(`${base}/${n}/bin/initdb`) && existsSync(`${base}/${n}/bin/postgres`))
    .toSorted((a, b) => b - a);
  const chosen = version !== undefined && found.includes(version) ? version : found[0];
  return chosen === undefined ? undefined : `${base}/${chosen}/bin`;
}

/** Why a component cannot be used here; undefined when it can. */
export function missing(component: Component): string | undefined {
  if (find(component) !== undefined) return undefined;
  return `${component} is not installed (Debian: apt-get install ${COMPONENTS[component].apt})`;
}

/**
 * Registers the tests in `body` when all the components are there. Otherwise they are skipped with a visible line, or,
 * with CI=true, fail: a suite that skips silently proves nothing.
 */
export function withComponents(components: readonly Component[], body: () => void): void {
  const reasons = components.map(missing).filter((reason) => reason !== undefined);
  const why = reasons.join('; ');
  if (why !== '' && process.env.CI === 'true') throw new Error(`${why}. With CI=true nothing may be skipped.`);
  if (why !== '') process.stderr.write(`SKIPPED: ${why}\n`);
  describe.skipIf(why !== '')(`with ${components.join(', ')}`, () => {
    body();
  });
}
