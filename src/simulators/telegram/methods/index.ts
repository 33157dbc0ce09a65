import { chatMethods } from './chat.ts';
import type { Method } from './define.ts';
import { editMethods } from './edit.ts';
import { ownMethods } from './own.ts';
import { sendMethods } from './send.ts';
import { updateMethods } from './updates.ts';

const all = { ...ownMethods, ...updateMethods, ...sendMethods, ...editMethods, ...chatMethods };

/** Every method by its name in lower case: the Bot API takes any case. */
export const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries(all).map(([name, method]) => [name.toLowerCase(), method]),
);

/** The names as the Bot API writes them. */
export const methodNames: readonly string[] = Object.keys(all);
