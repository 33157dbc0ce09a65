import { createWayIn } from '../../../src/app/intake.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { type Log, silentLog } from '../../../src/core/log.ts';
import type { AlertIntake } from '../../../src/handlers/webhooks/alertmanager.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import type { Database } from '../../../src/store/db.ts';
import type { Reducer } from '../../../src/tasks/watch/reducer.ts';
import type { IncidentWriter } from '../../../src/tasks/watch/writer.ts';

export interface WayIn extends AlertIntake {
  /** Accepted, and applied to its incident. */
  accept(body: string): Promise<void>;
  /** Answered as the sender hears it; applied by the next `reducer.drain()`. */
  readonly keep: AlertIntake['accept'];
  readonly reducer: Reducer;
}

/** The way in for alerts as the program puts it together, without its loop: what `accept` took is applied when it resolves. */
export function wayIn(options: {
  readonly db: Database;
  readonly writer: IncidentWriter;
  readonly clock: Clock;
  readonly log?: Log;
}): WayIn {
  const { intake, reducer } = createWayIn(
    { site: { id: 'test', name: 'Test', zone: 'Europe/Moscow', language: 'en' } },
    { log: silentLog, ...options, catalogue: catalogue(allMessages) },
  );
  return {
    keep: intake.accept,
    accept: async (body) => {
      await intake.accept(body);
      await reducer.drain();
    },
    reducer,
  };
}
