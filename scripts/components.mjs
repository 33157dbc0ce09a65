// The programs of the system that tests drive for real. On Debian as root the missing ones are installed with apt; elsewhere
// the answer lists them, and the tests that need them skip with a visible line. Services are never started.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin'];
const onPath = (...names) => names.some((name) => folders.some((folder) => existsSync(join(folder, name))));

/** Debian package → is what it brings there? */
const NEEDED = {
  'redis-server': () => onPath('redis-server'),
  postgresql: () => existsSync('/usr/lib/postgresql'),
  pgbackrest: () => onPath('pgbackrest'),
  prometheus: () => onPath('prometheus') && onPath('promtool'),
  'prometheus-alertmanager': () => onPath('prometheus-alertmanager', 'alertmanager') && onPath('amtool'),
  'nginx-light': () => onPath('nginx'),
  openssl: () => onPath('openssl'),
  'openssh-server': () => onPath('sshd'),
  'openssh-client': () => onPath('ssh-keygen'),
  'docker.io': () => onPath('dockerd') && onPath('docker'),
  restic: () => onPath('restic'),
  rclone: () => onPath('rclone'),
  age: () => onPath('age') && onPath('age-keygen'),
  'busybox-static': () => onPath('busybox'),
  'iputils-ping': () => onPath('ping'),
  chromium: () => onPath('chromium', 'chromium-browser', 'google-chrome'),
  'fonts-dejavu-core': () => !existsSync('/usr/share/doc') || existsSync('/usr/share/fonts/truetype/dejavu'),
  'fonts-noto-color-emoji': () =>
    !existsSync('/usr/share/doc') || existsSync('/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf'),
};

const missing = () => Object.keys(NEEDED).filter((name) => !NEEDED[name]());

/** Installs what is missing when it can; gives the Debian packages still missing. */
export function ensureComponents() {
  const wanted = missing();
  if (wanted.length === 0) return [];
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return wanted;
  console.error(`Installing ${wanted.join(', ')} with apt-get (the tests drive the real programs) …`);
  withoutStartingServices((env) => {
    const apt = (...args) =>
      spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=600', ...args], { stdio: ['ignore', 'ignore', 2], env });
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...wanted);
  });
  return missing();
}

/** Debian starts a service when its package is installed, unless policy-rc.d forbids it. */
function withoutStartingServices(install) {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install({ ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' });
  } finally {
    if (ours) rmSync(policy);
  }
}
