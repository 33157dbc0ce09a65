import { z } from 'zod';
import {
  count,
  fingerprint,
  id,
  LOCAL_HOST,
  port,
  secretRef,
  section,
  text,
  timeOfDay,
  tokenId,
  url,
} from './common.ts';
import { WEEKDAYS } from './people.ts';

const argv = () => z.array(text()).min(1);

export const recovery = section({
  rto_minutes: count(1, 10_080).default(30).describe('Target: a restore may take this long.'),
  rpo_minutes: count(1, 10_080).default(60).describe('Target: this much may be lost.'),
  goals: z
    .array(
      section({
        for: text().describe('A kind (guest, volume, pg, offsite-pg, offsite-volume) or a target (guest:gitlab).'),
        rto_minutes: count(1, 10_080).describe('Target: a restore of it may take this long.').exactOptional(),
        rpo_minutes: count(1, 527_040).describe('Target: this much of it may be lost.').exactOptional(),
      }),
    )
    .default([])
    .describe('Goals of kinds and of targets; that of the target counts before that of its kind.'),
  drill_max_age_days: count(1, 366).default(30).describe('A target whose last good drill is older is not proven.'),
  damage_max_age_days: count(1, 366)
    .default(30)
    .describe('An integrity check that has not caught planted damage for this long says unknown.'),
}).describe('What recovery has to reach.');

export const restoreDrill = section({
  target: text().describe(
    'What is restored: pg:main, guest:gitlab, volume:grafana, offsite-pg:main, offsite-volume:grafana.',
  ),
  at: timeOfDay().describe('Time of day, in the zone of the site.'),
  weekdays: z.array(z.enum(WEEKDAYS)).min(1).default(['sun']).describe('Default: Sundays.'),
});

/** Of a database cluster that runs, for what pgBackRest does not tell, and for putting it back. */
export const cluster = section({
  bin_dir: text().describe('Folder of psql, pg_ctl, pg_controldata.'),
  data_dir: text().describe('Data folder of the running cluster. A drill never writes there.'),
  socket_dir: text().default('/var/run/postgresql').describe('Folder of its Unix socket.'),
  port: port().default(5432).describe('Its port.'),
  database: text().default('postgres').describe('Database to connect to.'),
  canary: z
    .boolean()
    .default(false)
    .describe(
      'A drill may write one small row into the schema vakhta of that database; a drill needs it to prove a moment.',
    ),
  start: argv().describe('Command that starts the cluster, for a restore over production.').exactOptional(),
  stop: argv().describe('Command that stops it.').exactOptional(),
  service_as: text().describe('User that runs start and stop, by sudo -n -u.').exactOptional(),
}).describe('The running cluster: archive health, and the place of restores.');

export const scratch = section({
  dir: text().describe('Folder for scratch clusters, on the database host; it must belong to run_as.'),
  port_from: port().default(54_330).describe('First port that a scratch cluster may take.'),
  port_to: port().default(54_339).describe('Last one.'),
  free_percent: count(0, 90).default(10).describe('This much of the disk stays free, or nothing is restored.'),
}).describe('Where restores go that do not touch production.');

export const guestBackup = section({
  storage: text().describe('Storage of Proxmox that vzdump writes to.'),
  mode: z.enum(['snapshot', 'suspend', 'stop']).default('snapshot').describe('How vzdump gets a consistent copy.'),
  max_age_hours: count(1, 8760).default(26).describe('A last backup older than this is a warning.'),
  exempt: z.array(text()).default([]).describe('Names or numbers of guests that need no backup.'),
  drill: section({
    storage: text().describe('Storage where a drill restores to.'),
    pool: text()
      .describe(
        'Resource pool that restored guests are put into; the rights of the token on it are all that a drill needs.',
      )
      .exactOptional(),
    vmid_from: count(100, 999_999_999).default(9000).describe('First number that a restored guest may take.'),
    vmid_to: count(100, 999_999_999).default(9019).describe('Last one.'),
    boot_seconds: count(5, 3600).default(120).describe('A restored guest must run within this time.'),
  })
    .describe('Restores that are tried out: into a new number, network cut off, destroyed afterwards.')
    .exactOptional(),
}).describe('Backups of its guests.');

export const pbs = section({
  id: id().describe('Name of this Proxmox Backup Server.'),
  url: url().describe('Address of the API, with port 8007.'),
  token_id: tokenId().describe('user@realm!name of the API token.'),
  token: secretRef().describe('The secret of the API token.'),
  ca: text().describe('File with the CA certificate (PEM).').exactOptional(),
  fingerprint: fingerprint().describe('SHA-256 fingerprint of the certificate, instead of ca.').exactOptional(),
  datastores: z
    .array(
      section({
        name: text().describe('Name of the datastore.'),
        storage: text().describe('Storage of Proxmox VE that is this datastore.').exactOptional(),
        max_age_hours: count(1, 8760).default(26).describe('A newest snapshot older than this is a warning.'),
        verify_days: count(1, 366).default(30).describe('A verification older than this does not count any more.'),
        offsite: z.boolean().default(false).describe('It is the copy elsewhere, filled by a sync job.'),
      }),
    )
    .min(1)
    .describe('What is looked at.'),
});

const repository = () => ({
  repository: text().describe('Repository as restic is told it: a folder, sftp:…, rclone:…, s3:….'),
  password: secretRef().describe('Password of the repository.'),
  env: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), secretRef())
    .default({})
    .describe('Further variables, as those of S3.'),
});

const before = section({
  pause: z.array(text()).describe('Containers that are paused meanwhile.').exactOptional(),
  stop: z.array(text()).describe('Containers that are stopped meanwhile.').exactOptional(),
  dump: section({
    container: text().describe('Container where the command runs.').exactOptional(),
    command: argv().describe('Its output is kept in the snapshot.'),
    file: text().default('dump').describe('Name of that output in the snapshot.'),
  })
    .describe('Command whose output is kept with the files.')
    .exactOptional(),
}).describe('What makes the copy consistent.');

export const restic = section({
  id: id().describe('Name of this set of backups.'),
  host: z.string().default(LOCAL_HOST).describe('Id of the host where restic is run, or local.'),
  binary: argv().default(['restic']).describe('The command as a list of arguments; nothing goes through a shell.'),
  run_as: text().describe('User that runs it, by sudo -n -u.').exactOptional(),
  ...repository(),
  host_name: text().describe('Name of the host in snapshots; stable, so that they form one series.').exactOptional(),
  max_age_hours: count(1, 8760).default(26).describe('A newest snapshot older than this is a warning.'),
  keep: section({
    last: count(0, 1000).default(3).describe('This many of the newest.'),
    daily: count(0, 1000).default(7).describe('One of each of as many days.'),
    weekly: count(0, 1000).default(4).describe('One of each of as many weeks.'),
    monthly: count(0, 1000).default(6).describe('One of each of as many months.'),
  })
    .prefault({})
    .describe('What is kept.'),
  check_days: count(1, 366).default(28).describe('All data is read once in this many days, a part each day.'),
  scratch_dir: text().default('/var/tmp/vakhta').describe('Where drills restore to, on that host.'),
  free_percent: count(0, 90).default(10).describe('This much of the disk stays free, or nothing is restored.'),
  volumes: z
    .array(
      section({
        id: id().describe('Name of this volume.'),
        engine: text().describe('Id of the Docker engine that has the volume.').exactOptional(),
        volume: text().describe('Volume of Docker.').exactOptional(),
        paths: z.array(text()).min(1).describe('Folders and files, absolute; instead of volume.').exactOptional(),
        exclude: z.array(text()).default([]).describe('Patterns of restic that are left out.'),
        max_age_hours: count(1, 8760).describe('A newest snapshot older than this is a warning.').exactOptional(),
        before: before.exactOptional(),
      }),
    )
    .min(1)
    .describe('What is backed up.'),
  offsite: section({
    ...repository(),
    max_age_hours: count(1, 8760).default(50).describe('A newest copy older than this is a warning.'),
    read_limit_gb: z.number().positive().default(5).describe('A drill that would read more than this is refused.'),
    price_per_gb: z.number().min(0).default(0).describe('What reading a gigabyte costs; shown before it is read.'),
    currency: text().default('€').describe('Of that price.'),
  })
    .describe('The copy elsewhere.')
    .exactOptional(),
}).describe('Volumes of Docker and files, by restic.');

export const kit = section({
  recipients: z
    .array(z.string().regex(/^age1[0-9a-z]+$/))
    .min(1)
    .describe('Public keys of age (age1…): who can open the kit.'),
  notes: z.array(text()).default([]).describe('Further files that go in, as notes on unsealing Vault.'),
  at: timeOfDay().default('05:00').describe('Time of day, in the zone of the site.'),
  weekdays: z.array(z.enum(WEEKDAYS)).min(1).default(['sun']).describe('Default: Sundays.'),
  max_age_days: count(1, 366).default(8).describe('A kit older than this is a warning.'),
  keep: count(1, 100).default(5).describe('How many are kept.'),
  offsite: section({
    host: text().describe('Id of a host.'),
    dir: text().describe('Folder there.'),
  })
    .describe('Where a copy goes, over SSH.')
    .exactOptional(),
}).describe('The emergency kit: what is needed when everything is gone, encrypted.');
