import { X509Certificate } from 'node:crypto';
import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { need } from './detect.ts';
import { freePort, temporaryFolder } from './place.ts';
import { launch, must, tcpOpen, until } from './process.ts';

/** What is wrong with each endpoint's certificate (all are for `localhost` unless said otherwise). */
export const CERTIFICATES = {
  good: { name: 'localhost', fromDays: -1, toDays: 60 },
  expired: { name: 'localhost', fromDays: -90, toDays: -2 },
  soon: { name: 'localhost', fromDays: -85, toDays: 5 },
  wronghost: { name: 'other.example', fromDays: -1, toDays: 60 },
  notyet: { name: 'localhost', fromDays: 1, toDays: 60 },
  /** The leaf without the intermediate that signed it. */
  nochain: { name: 'localhost', fromDays: -1, toDays: 60 },
  selfsigned: { name: 'localhost', fromDays: 0, toDays: 30 },
} as const;

export type CertificateName = keyof typeof CERTIFICATES;

export interface CertificateServer {
  readonly host: 'localhost';
  readonly ports: Readonly<Record<CertificateName, number>>;
  /** PEM of the root that signed the intermediate; trust it and `good` verifies. */
  readonly root: string;
  readonly rootFile: string;
  /** Replaces an endpoint's certificate by a fresh one, as a renewal would, and lets nginx take it. */
  renew(which: CertificateName, options: { readonly toDays: number }): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

const day = 86_400_000;
const stamp = (days: number) =>
  `${new Date(Date.now() + days * day).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;

/** nginx on a port for each kind of certificate, root → intermediate → leaf, made by openssl with exact dates. */
export async function startNginxCerts(): Promise<CertificateServer> {
  const nginx = need('nginx');
  const openssl = need('openssl');
  const { path: folder, remove } = await temporaryFolder();
  const at = (name: string) => join(folder, name);
  const ssl = (...args: string[]) => must([openssl, ...args], { cwd: folder });
  const newKey = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    at(`${name}.key`),
  ];

  await mkdir(at('db'));
  await mkdir(at('www'));
  await writeFile(at('www/index.html'), 'ok\n');
  await writeFile(at('db/index.txt'), '');
  await writeFile(at('db/index.txt.attr'), 'unique_subject = no\n');
  await writeFile(at('db/serial'), '1000\n');
  await writeFile(at('ca.cnf'), authority(folder));
  await ssl('req', '-x509', ...newKey('root'), '-out', at('root.pem'), '-subj', '/CN=Test Root', '-days', '3650');
  await ssl('req', ...newKey('inter'), '-out', at('inter.csr'), '-subj', '/CN=Test Intermediate');
  const sign = (by: string, name: string, kind: string, fromDays: number, toDays: number) => {
    const signer = ['-config', at('ca.cnf'), '-cert', at(`${by}.pem`), '-keyfile', at(`${by}.key`)];
    const dates = ['-startdate', stamp(fromDays), '-enddate', stamp(toDays)];
    const files = ['-in', at(`${name}.csr`), '-out', at(`${name}.crt`), '-extensions', kind];
    return ssl('ca', '-batch', '-notext', ...signer, ...dates, ...files);
  };
  await sign('root', 'inter', 'inter', -30, 3000);
  await copyFile(at('inter.crt'), at('inter.pem'));

  const issue = async (which: CertificateName, toDays: number) => {
    const { name, fromDays } = CERTIFICATES[which];
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    if (which === 'selfsigned') {
      await ssl('req', '-x509', ...newKey(which), '-out', at(`${which}.pem`), ...subject, '-days', String(toDays));
      return;
    }
    await ssl('req', ...newKey(which), '-out', at(`${which}.csr`), ...subject);
    await sign('inter', which, 'leaf', fromDays, toDays);
    await copyFile(at(`${which}.crt`), at(`${which}.pem`));
    if (which !== 'nochain') await appendFile(at(`${which}.pem`), await readFile(at('inter.pem')));
  };
  const names = Object.keys(CERTIFICATES).filter((name): name is CertificateName => name in CERTIFICATES);
  const ports: Record<string, number> = {};
  for (const name of names) {
    await issue(name, CERTIFICATES[name].toDays);
    ports[name] = await freePort();
  }
  await writeFile(at('nginx.conf'), configuration(folder, names, ports));
  const server = launch('nginx', [nginx, '-e', at('error.log'), '-c', at('nginx.conf'), '-p', folder]);
  const stop = async () => {
    await server.stop();
    await remove();
  };
  try {
    for (const name of names) await until('nginx', () => tcpOpen(ports[name] ?? 0), { process: server });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: 'localhost',
    ports: ports as Record<CertificateName, number>,
    root: await readFile(at('root.pem'), 'utf8'),
    rootFile: at('root.pem'),
    async renew(which, { toDays }) {
      await issue(which, toDays);
      const wanted = new X509Certificate(await readFile(at(`${which}.pem`))).serialNumber;
      const before = await children(server.pid);
      process.kill(server.pid, 'SIGHUP');
      // For a moment the old and the new workers answer side by side: the renewal is done when the old ones are gone.
      await until('renewed certificate', async () => {
        const now = await children(server.pid);
        return !before.some((pid) => now.includes(pid)) && (await shownSerial(ports[which] ?? 0)) === wanted;
      });
    },
    log: () => server.log(),
    stop,
  };
}

/** The child processes of a process (Linux). */
async function children(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean);
}

function shownSerial(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber);
      socket.destroy();
    });
    socket.once('error', () => resolve(undefined));
  });
}

const authority = (folder: string) => `
[ca]
default_ca=x
[x]
database=${folder}/db/index.txt
serial=${folder}/db/serial
new_certs_dir=${folder}/db
default_md=sha256
policy=p
copy_extensions=copy
unique_subject=no
[p]
commonName=supplied
[inter]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[leaf]
basicConstraints=CA:false
extendedKeyUsage=serverAuth
`;

const configuration = (folder: string, names: readonly CertificateName[], ports: Readonly<Record<string, number>>) => `
daemon off; master_process on; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
${names
  .map(
    (name) => `  server {
    listen 127.0.0.1:${ports[name]} ssl; server_name localhost; root ${folder}/www;
    ssl_certificate ${folder}/${name}.pem; ssl_certificate_key ${folder}/${name}.key;
  }`,
  )
  .join('\n')}
}
`;
