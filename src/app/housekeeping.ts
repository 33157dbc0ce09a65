import { days, hours, type Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { expire, purge as purgeActions } from '../store/actions.ts';
import { purgeCards } from '../store/cards.ts';
import { purgeDeployments } from '../store/deployments.ts';
import type { Database } from '../store/db.ts';
import { purgeDr } from '../store/dr.ts';
import { purgeDrills } from '../store/drills.ts';
import { purgeHeld } from '../store/held.ts';
import { purge as purgeInbox } from '../store/inbox.ts';
import { purgeIncidents } from '../store/incidents.ts';
import { purge as purgeOutbox } from '../store/outbox.ts';
import { purgePages } from '../store/pages.ts';
import { purgePictures } from '../store/pictures.ts';
import { purgeTopicClaims } from '../store/topics.ts';
import { purgeProbeDays } from '../store/probes.ts';
import { purge as purgeProcesses } from '../store/processes.ts';
import { purgeRecovery } from '../store/recovery.ts';
import { purgeRuns } from '../store/run-upkeep.ts';
import { purgeScratch } from '../store/scratch.ts';
import { purge as purgeSchedules } from '../store/schedules.ts';
import { purgeSilences } from '../store/silences.ts';
import { purge as purgeStepUp } from '../store/stepup.ts';
import { purgeStorms } from '../store/storms.ts';
import { purgeWatchOverrides } from '../store/watch.ts';
import { purgeSetAside } from '../store/webhook-log.ts';

/** Forgets what nobody needs any more: history after the retention of the configuration, plumbing after days. The audit stays. */
export function createHousekeeping(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly retentionMs: number;
}): { readonly round: () => Promise<void> } {
  const { db, clock, log } = options;
  return {
    round: async () => {
      const now = clock.now();
      const ago = (ms: number) => new Date(now.getTime() - ms);
      await expire(db, now);
      // Telegram repeats an update for 24 hours at the most.
      await purgeInbox(db, ago(hours(48)));
      await purgeOutbox(db, ago(days(7)));
      await purgeActions(db, ago(days(7)));
      await purgePictures(db, ago(days(7)));
      await purgeTopicClaims(db, ago(days(1)));
      await purgeProcesses(db, ago(days(1)));
      // A step-up code is good for a minute and a half.
      await purgeStepUp(db, ago(days(1)));
      await purgeSchedules(db, ago(days(60)));
      await purgeScratch(db, ago(options.retentionMs));
      await purgeSilences(db, ago(options.retentionMs));
      await purgeSetAside(db, ago(options.retentionMs));
      await purgePages(db, ago(options.retentionMs));
      await purgeHeld(db, ago(options.retentionMs));
      await purgeWatchOverrides(db, ago(options.retentionMs));
      await purgeProbeDays(db, ago(Math.max(options.retentionMs, days(400))));
      // What a restore took two years ago is what one wants to know when it is needed.
      await purgeRecovery(db, ago(Math.max(options.retentionMs, days(2 * 366))));
      await purgeDrills(db, ago(Math.max(options.retentionMs, days(400))));
      await purgeDr(db, ago(Math.max(options.retentionMs, days(800))));
      const forgotten = {
        storms: await purgeStorms(db, ago(options.retentionMs)),
        incidents: await purgeIncidents(db, ago(options.retentionMs)),
        runs: await purgeRuns(db, ago(options.retentionMs)),
        cards: await purgeCards(db, ago(options.retentionMs)),
        deployments: await purgeDeployments(db, ago(options.retentionMs)),
      };
      if (Object.values(forgotten).some((n) => n > 0)) log.info(forgotten, 'old history was forgotten');
    },
  };
}
