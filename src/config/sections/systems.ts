import { z } from 'zod';
import { cluster, guestBackup, scratch } from './backups.ts';
import {
  auth,
  count,
  fingerprint,
  id,
  LOCAL_HOST,
  port,
  readAs,
  secretRef,
  section,
  text,
  tokenId,
  url,
} from './common.ts';

export const alertmanager = section({
  url: url().describe('Address of the Alertmanager API.'),
  webhook_token: secretRef().describe('Bearer token that Alertmanager must send to /webhooks/alertmanager.'),
  auth: auth().exactOptional(),
}).describe('Alertmanager: alerts come in, silences go out.');

export const prometheus = section({
  url: url().describe('Address of Prometheus.'),
  auth: auth().exactOptional(),
}).describe('Prometheus: queries behind cards and graphs.');

export const proxmox = section({
  id: id().describe('Name of this Proxmox VE host or cluster.'),
  url: url().describe('Address of the API, with port 8006.'),
  token_id: tokenId().describe('user@realm!name of the API token.'),
  token: secretRef().describe('The UUID of the API token.'),
  ca: text()
    .describe('File with the CA certificate (PEM), usually /etc/pve/pve-root-ca.pem of the host.')
    .exactOptional(),
  fingerprint: fingerprint().describe('SHA-256 fingerprint of the certificate, instead of ca.').exactOptional(),
  backup: guestBackup.exactOptional(),
});

const GUEST = /^[a-z0-9][a-z0-9_.-]{0,39}\/[1-9]\d{2,8}$/;

const HOST_KEY =
  /^((ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?|SHA256:[A-Za-z0-9+/]{43}=?)$/;

export const host = section({
  id: id().describe('Name of this host.'),
  address: text().describe('Host name or IP address.'),
  port: port().default(22).describe('SSH port.'),
  user: text().describe('SSH user, not root.'),
  private_key: secretRef().describe('SSH private key in OpenSSH or PEM format.'),
  host_key: readAs((value) => (HOST_KEY.test(value) ? { ok: value } : { text: 'cfg-bad-host-key' }))
    .meta({ pattern: HOST_KEY.source })
    .describe('The public host key as `ssh-keyscan` prints it (type and base64), or its SHA256: fingerprint.'),
  guest: readAs((value) => (GUEST.test(value) ? { ok: value } : { text: 'cfg-bad-guest' }))
    .meta({ pattern: GUEST.source, examples: ['pve1/101'] })
    .describe(
      'The guest of Proxmox that this host is, as pve1/101: what is done to the guest waits for what is done in it.',
    )
    .exactOptional(),
});

export const postgres = section({
  id: id().describe('Name shown to people.'),
  driver: z.enum(['pgbackrest', 'wal-g']).default('pgbackrest').describe('What makes the backups.'),
  stanza: text().describe('Stanza of pgBackRest; with WAL-G a name for people.'),
  host: z.string().default(LOCAL_HOST).describe('Id of the host where pgBackRest is run, or local.'),
  binary: z
    .array(text())
    .min(1)
    .describe('The command as a list of arguments; nothing goes through a shell. Default: pgbackrest or wal-g.')
    .exactOptional(),
  run_as: text().describe('User that runs it, by sudo -n -u.').exactOptional(),
  config: text().describe('Configuration file of pgBackRest on that host.').exactOptional(),
  max_age_hours: count(1, 8760).default(26).describe('A last good backup older than this is a warning.'),
  offsite_repo: count(1, 256).describe('Number of the repository of pgBackRest that lies elsewhere.').exactOptional(),
  offsite_max_age_hours: count(1, 8760).default(50).describe('A newest backup there older than this is a warning.'),
  cluster: cluster.exactOptional(),
  scratch: scratch.exactOptional(),
});

export const endpoint = section({
  id: id().describe('Name of this endpoint.'),
  host: text().describe('Host name or IP address to connect to.'),
  port: port().default(443).describe('TCP port; TLS begins at once (no STARTTLS).'),
  servername: text().describe('Name asked for in the handshake (SNI). Default: host.').exactOptional(),
  name: text().describe('Name for people. Default: id.').exactOptional(),
  owner: z.string().describe('Id of the operator who renews it.').exactOptional(),
});

export const certificates = section({
  warn_days: z
    .array(count(0, 365))
    .min(1)
    .default([30, 14, 7, 3, 1])
    .describe('Days before the end when a warning is sent.'),
  every_hours: count(1, 24).default(6).describe('How often every endpoint is looked at.'),
  endpoints: z.array(endpoint).default([]).describe('What is looked at.'),
  ca: text().describe('File with further trusted CA certificates (PEM), for inside names.').exactOptional(),
}).describe('TLS certificates, seen from outside.');

export const vault = section({
  url: url().describe('Address of Vault or OpenBao.'),
  role_id: text().describe('AppRole role id; not a secret.'),
  secret_id: secretRef().describe('AppRole secret id: env: or file: only, for it opens Vault itself.'),
  namespace: text().describe('Namespace of Vault Enterprise.').exactOptional(),
}).describe('Vault: where vault: references are read.');
