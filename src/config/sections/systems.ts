import { z } from 'zod';
import { auth, count, id, port, readAs, secretRef, section, text, url } from './common.ts';

export const alertmanager = section({
  url: url().describe('Address of the Alertmanager API.'),
  webhook_token: secretRef().describe('Bearer token that Alertmanager must send to /webhooks/alertmanager.'),
  auth: auth().exactOptional(),
}).describe('Alertmanager: alerts come in, silences go out.');

export const prometheus = section({
  url: url().describe('Address of Prometheus.'),
  auth: auth().exactOptional(),
}).describe('Prometheus: queries behind cards and graphs.');

/** As Proxmox VE builds it: `USER@REALM!NAME`, realm and name of two characters at least (pve-common, `JSONSchema.pm`). */
const TOKEN_ID = /^[^\s:/@!]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/;
const FINGERPRINT = /^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/;

export const proxmox = section({
  id: id().describe('Name of this Proxmox VE host or cluster.'),
  url: url().describe('Address of the API, with port 8006.'),
  token_id: readAs((value) => (TOKEN_ID.test(value) ? { ok: value } : { text: 'cfg-bad-token-id' }))
    .meta({ pattern: TOKEN_ID.source })
    .describe('user@realm!name of the API token.'),
  token: secretRef().describe('The UUID of the API token.'),
  ca: text()
    .describe('File with the CA certificate (PEM), usually /etc/pve/pve-root-ca.pem of the host.')
    .exactOptional(),
  fingerprint: readAs((value) =>
    FINGERPRINT.test(value) ? { ok: value.toUpperCase() } : { text: 'cfg-bad-fingerprint' },
  )
    .meta({ pattern: FINGERPRINT.source })
    .describe('SHA-256 fingerprint of the certificate, instead of ca.')
    .exactOptional(),
});

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
});

/** `host` of a stanza that pgBackRest backs up on the machine where the worker runs. */
export const LOCAL_HOST = 'local';

export const postgres = section({
  id: id().describe('Name shown to people.'),
  stanza: text().describe('Stanza of pgBackRest.'),
  host: z.string().default(LOCAL_HOST).describe('Id of the host where pgBackRest is run, or local.'),
  binary: z
    .array(text())
    .min(1)
    .default(['pgbackrest'])
    .describe('The command as a list of arguments; nothing goes through a shell.'),
  run_as: text().describe('User that runs it, by sudo -n -u.').exactOptional(),
  config: text().describe('Configuration file of pgBackRest on that host.').exactOptional(),
  max_age_hours: count(1, 8760).default(26).describe('A last good backup older than this is a warning.'),
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
