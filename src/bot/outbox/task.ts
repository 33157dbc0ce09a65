import type { Config } from '../../config/schema.ts';
import type { Operator } from '../../core/people.ts';
import type { Random } from '../../core/random.ts';
import type { Log } from '../../core/log.ts';
import type { Card } from '../../store/cards.ts';
import type { Database } from '../../store/db.ts';
import type { OutboxRow } from '../../store/outbox.ts';
import type { Operation } from '../../tasks/define.ts';
import type { Runbooks } from '../../tasks/runbooks.ts';
import type { CardKind } from '../cards/define.ts';
import type { Readers } from '../readers.ts';
import type { Mode } from './modes.ts';
import type { Persist } from './persist.ts';
import type { Sender } from './sender.ts';
import type { Topics } from './topics.ts';

export interface DeliverOptions {
  readonly db: Database;
  readonly config: Config;
  readonly cards: ReadonlyMap<string, CardKind>;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly people: (id: string) => Operator | undefined;
  readonly readers: Readers;
  readonly runbooks?: Runbooks | undefined;
  readonly random: Random;
  readonly log: Log;
  readonly sender: Sender;
  readonly now: () => Date;
  /** Counts a message against the chat's budget, just before the call; the answer is called when it ended. */
  readonly count: (chat: number) => () => void;
  /** For what has to be noted after Telegram took a message. */
  readonly persist: Persist;
  readonly topics: Topics;
  /** Why something that waits in this chat since then was not sent before. */
  readonly delayed: (row: OutboxRow, since: Date) => NonNullable<Card['delayedBy']>;
}

export type Delivered =
  | { readonly kind: 'sent' }
  /** Nothing was done: the card's next frame, or its topic, is not due. */
  | { readonly kind: 'early'; readonly until: Date };

/** One row and how it is to be sent this time. */
export interface Task {
  readonly row: OutboxRow;
  readonly modes: ReadonlySet<Mode>;
  readonly thread: number | undefined;
  /** Somebody waits for this card (a press): no pacing, and sent even if it looks the same. */
  readonly urgent: boolean;
  /** Told before the call which message it edits, so that a failure is judged as one of an edit. */
  readonly edits: (messageId: number | undefined) => void;
}
