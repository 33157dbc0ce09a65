import type { Config } from '../../config/schema.ts';
import { LOCAL_HOST } from '../../config/schema.ts';
import { formatSecretRef, type SecretRef } from '../../config/secret-ref.ts';

/** How one thing is brought back by hand, without Vakhta. */
export interface RestoreCommands {
  /** `pg:main` and the like; for systems their name. */
  readonly target: string;
  /** Where it is typed: `ssh …`, or nothing on this machine. */
  readonly where?: string;
  /** Where the secrets are found that it asks for. References, never values. */
  readonly secrets: readonly string[];
  readonly lines: readonly string[];
}

/** Restores of everything that the configuration names, as they are typed. Pure: no secret is looked up. */
export function restoreCommands(config: Config): readonly RestoreCommands[] {
  return [...postgres(config), ...proxmox(config), ...backupServers(config), ...restic(config)];
}

function place(config: Config, host: string): { readonly where?: string } {
  if (host === LOCAL_HOST) return {};
  const found = config.hosts.find(({ id }) => id === host);
  return found ? { where: `ssh -p ${found.port} ${found.user}@${found.address}` } : {};
}

/** What is asked for, and where it is found; not as an assignment, which the redactor would take for the value. */
const secret = (name: string, ref: SecretRef): string => `${name}: ${formatSecretRef(ref)}`;

const asUser = (user: string | undefined): string => (user === undefined ? '' : `sudo -n -u ${user} `);

function postgres(config: Config): RestoreCommands[] {
  return config.postgres.map((one): RestoreCommands => {
    const { id, driver, stanza, binary, config: file, cluster, offsiteRepo } = one;
    const data = cluster?.dataDir ?? 'DATA_DIR';
    const stop = cluster?.stop?.join(' ') ?? 'systemctl stop postgresql';
    const start = cluster?.start?.join(' ') ?? 'systemctl start postgresql';
    const run = `${asUser(one.runAs)}${binary.map(word).join(' ')}`;
    if (driver === 'wal-g') {
      const lines = [
        `${run} backup-list`,
        `${asUser(cluster?.serviceAs)}${stop}`,
        `mv ${data} ${data}.broken`,
        `${run} backup-fetch ${data} LATEST`,
        `touch ${data}/recovery.signal`,
        `${asUser(cluster?.serviceAs)}${start}`,
      ];
      return { target: `pg:${id}`, ...place(config, one.host), secrets: [], lines };
    }
    const pgbackrest = `${run} --stanza=${word(stanza)}${file === undefined ? '' : ` --config=${word(file)}`}`;
    const moment = '--type=time --target="2026-12-31 23:59:00+00" --target-action=promote';
    return {
      target: `pg:${id}`,
      ...place(config, one.host),
      secrets: [],
      lines: [
        `${pgbackrest} info`,
        `${asUser(cluster?.serviceAs)}${stop}`,
        `${pgbackrest} --pg1-path=${data} --delta restore`,
        `${pgbackrest} --pg1-path=${data} --delta ${moment} restore`,
        ...(offsiteRepo === undefined
          ? []
          : [`${pgbackrest} --pg1-path=${data} --repo=${offsiteRepo} --delta restore`]),
        `${asUser(cluster?.serviceAs)}${start}`,
      ],
    };
  });
}

function proxmox(config: Config): RestoreCommands[] {
  return config.proxmox.map(({ id, url, backup, token, tokenId }): RestoreCommands => {
    const storage = word(backup?.storage ?? 'STORAGE');
    const into = word(backup?.drill?.storage ?? 'local-lvm');
    return {
      target: `guest:* (${id})`,
      where: `ssh root@${new URL(url).hostname}`,
      secrets: [secret(tokenId, token)],
      lines: [
        `pvesm list ${storage}`,
        `pvesm list ${storage} --vmid VMID`,
        `pct restore NEW_VMID VOLUME --storage ${into}`,
        `qmrestore VOLUME NEW_VMID --storage ${into}`,
      ],
    };
  });
}

function backupServers(config: Config): RestoreCommands[] {
  return config.pbs.map(({ id, url, datastores, fingerprint, token, tokenId }): RestoreCommands => {
    const { hostname } = new URL(url);
    const print = fingerprint === undefined ? '' : ` --fingerprint ${fingerprint}`;
    return {
      target: `pbs:${id}`,
      secrets: [secret(tokenId, token)],
      lines: datastores.map(
        ({ name, storage = name }) =>
          `pvesm add pbs ${word(storage)} --server ${hostname} --datastore ${word(name)} --username '${tokenId}' --password${print}`,
      ),
    };
  });
}

function restic(config: Config): RestoreCommands[] {
  return config.restic.flatMap((set): RestoreCommands[] => {
    const { id, binary, runAs, volumes, offsite, hostName } = set;
    const names = ['RESTIC_PASSWORD', ...Object.keys(set.env), ...Object.keys(offsite?.env ?? {})];
    const keep = `--preserve-env=${[...new Set(names)].join(',')} `;
    const run = `${runAs === undefined ? '' : `${asUser(runAs)}${keep}`}${binary.map(word).join(' ')}`;
    const restores = (repository: string): string[] => [
      `${run} -r ${word(repository)} snapshots --host ${word(hostName)}`,
      ...volumes.map(
        ({ id: volume }) =>
          `${run} -r ${word(repository)} restore latest --host ${word(hostName)} --tag volume=${word(volume)} --target /restore/${word(volume)}`,
      ),
    ];
    const secretsOf = (from: { readonly password: typeof set.password; readonly env: typeof set.env }): string[] => [
      secret('RESTIC_PASSWORD', from.password),
      ...Object.entries(from.env).map(([name, ref]) => secret(name, ref)),
    ];
    const its = place(config, set.host);
    return [
      { target: `volume:* (${id})`, ...its, secrets: secretsOf(set), lines: restores(set.repository) },
      ...(offsite
        ? [
            {
              target: `offsite-volume:* (${id})`,
              ...its,
              secrets: secretsOf(offsite),
              lines: restores(offsite.repository),
            },
          ]
        : []),
    ];
  });
}

/** A word of a command line: quoted when a shell would read it as something else. */
const word = (text: string): string => (/^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
