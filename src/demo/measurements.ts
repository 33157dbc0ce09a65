import { type Clock, hours, minutes, seconds } from '../core/clock.ts';
import type { LokiEntry } from '../simulators/loki/index.ts';
import type { Curve } from '../simulators/prometheus/index.ts';

/** The expressions of the demo's alert rules, as `generatorURL` has them, and what Prometheus has measured of them. */
export const RULES = {
  disk: {
    expr: '100 * (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)',
    compare: '> 70',
    labels: { guest: 'monitoring', instance: 'monitoring:9100', mountpoint: '/var/lib/prometheus', job: 'node' },
  },
  lag: {
    expr: 'pg_replication_lag_seconds',
    compare: '> 60',
    labels: { guest: 'pg1', instance: 'pg1:9187', database: 'main', job: 'postgres' },
  },
  restarts: {
    expr: 'changes(container_start_time_seconds[10m])',
    compare: '> 3',
    labels: { guest: 'docker1', instance: 'docker1:9323', name: 'nextcloud-app', job: 'docker' },
  },
} as const;

/** The address of the rule's graph in Prometheus, as it stands in its alerts. */
export const generatorUrl = ({ expr, compare }: (typeof RULES)[keyof typeof RULES]): string =>
  `https://prometheus.example.net/graph?g0.expr=${encodeURIComponent(`${expr} ${compare}`)}&g0.tab=1`;

/** A number between 0 and 1 that looks random and is always the same for the same instant. */
const noise = (at: Date, salt: number): number => {
  const x = Math.sin(Math.floor(at.getTime() / seconds(30)) * 12.9898 + salt * 78.233) * 43_758.5453;
  return x - Math.floor(x);
};

export const CURVES: readonly Curve[] = [
  {
    ...RULES.disk,
    value: (at, now) => {
      const before = (now.getTime() - at.getTime()) / hours(1);
      return 72.4 - before * 1.15 + Math.sin(before * 5) * 0.25 + noise(at, 1) * 0.2;
    },
  },
  {
    ...RULES.lag,
    value: (at, now) => {
      const before = (now.getTime() - at.getTime()) / minutes(1);
      if (before > 7) return 0.4 + noise(at, 2) * 1.8;
      return Math.max(1, (7 - before) * 54 + noise(at, 3) * 8);
    },
  },
  {
    ...RULES.restarts,
    value: (at, now) => {
      const before = (now.getTime() - at.getTime()) / minutes(1);
      return before > 11 ? 0 : Math.min(4, Math.floor((12 - before) / 2.5));
    },
  },
];

const LINES: readonly (readonly [secondsAgo: number, guest: string, text: string])[] = [
  [410, 'pg1', 'LOG:  checkpoint starting: time'],
  [372, 'pg1', 'LOG:  checkpoint complete: wrote 8123 buffers (49.6%); sync=0.41 s, total=37.9 s'],
  [366, 'pg1', 'LOG:  terminating walsender process due to replication timeout'],
  [361, 'pg1', 'LOG:  standby "pg2" disconnected, password=hunter2-demo in its conninfo'],
  [300, 'pg1', 'WARNING:  archive command has to wait: 14 files are ready'],
  [181, 'pg1', 'LOG:  could not receive data from client: Connection reset by peer'],
  [62, 'pg1', 'LOG:  standby is behind by 378 MB'],
  [240, 'docker1', 'nextcloud-app | PHP Fatal error: Allowed memory size of 536870912 bytes exhausted'],
  [239, 'docker1', 'nextcloud-app exited with code 137'],
  [120, 'monitoring', 'prometheus: compaction took 41 s, 3 blocks'],
];

/** What Loki of the demo has, as old as it is at the moment it is asked. */
export const linesOf = (clock: Clock) => (): readonly LokiEntry[] =>
  LINES.map(([ago, guest, text]) => ({
    at: new Date(clock.now().getTime() - seconds(ago)),
    stream: { guest },
    text,
  }));
