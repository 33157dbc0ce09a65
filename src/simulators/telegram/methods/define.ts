import type { Files } from '../files.ts';
import type { Flood } from '../flood.ts';
import type { Params } from '../params.ts';
import type { Profile } from '../profile.ts';
import type { Updates } from '../updates.ts';
import type { Webhook } from '../webhook.ts';
import type { World } from '../world.ts';

/** What a method may use. */
export interface Context {
  readonly world: World;
  readonly updates: Updates;
  readonly webhook: Webhook;
  readonly flood: Flood;
  readonly files: Files;
  readonly profile: Profile;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal | undefined;
}

/** One method of the Bot API: gives `result`, throws an ApiError. */
export type Method = (context: Context, params: Params) => unknown;

export type Methods = Readonly<Record<string, Method>>;
