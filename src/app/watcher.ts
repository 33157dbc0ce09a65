import { readFile } from 'node:fs/promises';
import { seconds } from '../core/clock.ts';
import type { Translate } from '../core/i18n.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { createLocalExecutor } from '../integrations/exec/local.ts';
import { createHeartbeat } from '../integrations/heartbeat/heartbeat.ts';
import { createAttempts } from '../integrations/probes/attempt.ts';
import type { IncidentWriter } from '../tasks/watch/writer.ts';
import { createDrillWatch } from '../tasks/watcher/drills.ts';
import { createHeartbeatWatch } from '../tasks/watcher/heartbeat.ts';
import { createProber } from '../tasks/watcher/prober.ts';
import { createWatchdog } from '../tasks/watcher/watchdog.ts';
import type { RoundsEdges, Standing } from './rounds.ts';
import type { Systems } from './systems.ts';

export interface WatcherEdges extends RoundsEdges {
  readonly writer: IncidentWriter;
  /** In the language of the site. */
  readonly t: Translate;
  readonly version: string;
  readonly secrets: Secrets;
}

const WATCHDOG_EVERY_MS = seconds(5);
const DRILL_EVERY_MS = seconds(5);

/** The watch over the watch itself, as far as it needs credentials or reaches into the network: the worker's half. */
export async function watcherOfWorker(
  config: Config,
  systems: Systems,
  edges: WatcherEdges,
): Promise<readonly Standing[]> {
  const { db, clock, log, writer, t, every } = edges;
  const { alertmanager, prometheus } = systems;
  const standing: Standing[] = [];
  if (config.watchdog && config.alertmanager) {
    const { round } = createWatchdog({
      db,
      clock,
      log,
      writer,
      config: config.watchdog,
      alertmanager,
      prometheus,
      t,
    });
    standing.push({ run: every(WATCHDOG_EVERY_MS, 'looking for the Watchdog', round) });
  }
  if (config.drill) {
    const { round } = createDrillWatch({ db, clock, log, writer, config, alertmanager, t });
    standing.push({ run: every(DRILL_EVERY_MS, 'following drills', round) });
  }
  if (config.probes.length > 0) {
    const ca = config.certificates.ca === undefined ? [] : [await readFile(config.certificates.ca, 'utf8')];
    const local = createLocalExecutor({}, { clock });
    const attempt = createAttempts({ clock, ca, local, version: edges.version });
    standing.push({ run: createProber({ db, clock, log, writer, config, attempt, t }).run });
  }
  return standing;
}

/** The signals to the outside, by the half that speaks with people. */
export function watcherOfBot(config: Config, edges: WatcherEdges): readonly Standing[] {
  const { db, clock, log, secrets, version } = edges;
  if (!config.heartbeat) return [];
  const { url, everySeconds } = config.heartbeat;
  const heartbeat = createHeartbeat({ url: secrets.source(url), version }, { fetch: globalThis.fetch, clock });
  const polling = config.telegram.mode === 'polling';
  const { run } = createHeartbeatWatch({ db, clock, log, heartbeat, everyMs: seconds(everySeconds), polling });
  return [{ everywhere: true, run }];
}
