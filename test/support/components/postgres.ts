import { startCluster, type Cluster } from './cluster.ts';
import { missing, postgresBin } from './detect.ts';

/** The distribution's PostgreSQL (15 on Debian 12, else the newest installed), as the user postgres when we are root. */
export async function startPostgres(
  options: {
    readonly version?: number;
    readonly settings?: Readonly<Record<string, string>>;
    readonly durable?: boolean;
  } = {},
): Promise<Cluster> {
  const bin = postgresBin(options.version ?? 15);
  if (bin === undefined) throw new Error(missing('postgres'));
  return startCluster({
    bin,
    durable: options.durable ?? true,
    ...(options.settings ? { settings: options.settings } : {}),
  });
}
