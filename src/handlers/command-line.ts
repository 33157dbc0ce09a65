import { z } from 'zod';
import type { Argument, Operation } from '../tasks/define.ts';

/** Words of a command, with "several words" in quotes kept together. */
export function splitWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|«([^»]*)»|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

export type Matched =
  | { readonly kind: 'operation'; readonly operation: Operation; readonly words: readonly string[] }
  /** `/backup` alone, or with a second word that none has: these begin like it. */
  | { readonly kind: 'family'; readonly operations: readonly Operation[] }
  | { readonly kind: 'none' };

/** Finds the operation with the longest command that the words begin with. */
export function matchOperation(operations: Iterable<Operation>, words: readonly string[]): Matched {
  const lower = words.map((word) => word.toLowerCase());
  const family = [...operations].filter((one) => !one.unlisted && one.command[0] === lower[0]);
  const exact = family
    .filter((one) => one.command.every((word, i) => word === lower[i]))
    .toSorted((a, b) => b.command.length - a.command.length)[0];
  if (exact) return { kind: 'operation', operation: exact, words: words.slice(exact.command.length) };
  return family.length > 0 ? { kind: 'family', operations: family } : { kind: 'none' };
}

export type Problem =
  | { readonly kind: 'surplus'; readonly words: readonly string[] }
  | { readonly kind: 'wrong'; readonly argument: Argument; readonly word: string; readonly reason: string };

export type Assigned =
  | { readonly ok: true; readonly args: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: Problem };

/** Words to arguments, in the order of the declaration. */
export function assignWords(operation: Operation, words: readonly string[]): Assigned {
  const places = askable(operation);
  const args: Record<string, unknown> = {};
  for (const [i, word] of words.entries()) {
    const argument = places[i];
    if (argument === undefined) {
      if (places.at(-1)?.rest === true) break;
      return { ok: false, problem: { kind: 'surplus', words: words.slice(i) } };
    }
    const value = readValue(argument, argument.rest === true ? words.slice(i).join(' ') : word);
    if (!value.ok) return { ok: false, problem: { kind: 'wrong', argument, word, reason: value.reason } };
    args[argument.name] = value.value;
  }
  return { ok: true, args };
}

export type Value = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

/** What a person typed for one argument, checked by its schema; digits count as a number where a number is wanted. */
export function readValue(argument: Argument, typed: string): Value {
  const text = typed.trim();
  const option = argument.options?.find((one) => one.toLowerCase() === text.toLowerCase());
  const first = argument.schema.safeParse(option ?? text);
  if (first.success) return { ok: true, value: first.data };
  for (const other of otherReadings(text)) {
    const parsed = argument.schema.safeParse(other);
    if (parsed.success) return { ok: true, value: parsed.data };
  }
  return { ok: false, reason: z.prettifyError(first.error).replace(/^✖ /, '') };
}

function otherReadings(text: string): unknown[] {
  if (/^-?\d+(\.\d+)?$/.test(text)) return [Number(text)];
  if (/^(yes|true|да)$/i.test(text)) return [true];
  if (/^(no|false|нет)$/i.test(text)) return [false];
  return [];
}

export const askable = (operation: Operation): readonly Argument[] =>
  operation.arguments.filter((argument) => !argument.hidden);

/** The first argument that is needed and not given. */
export const nextMissing = (operation: Operation, args: Readonly<Record<string, unknown>>): Argument | undefined =>
  askable(operation).find(
    (argument) => (argument.required || argument.asked?.(args) === true) && args[argument.name] === undefined,
  );

/** `/backup pg STANZA [full|diff|incr]` */
export function usage(operation: Operation): string {
  const words = askable(operation).map((argument) => {
    const name =
      argument.options && argument.options.length <= 5 ? argument.options.join('|') : argument.name.toUpperCase();
    return argument.required ? name : `[${name}]`;
  });
  return [`/${operation.command.join(' ')}`, ...words].join(' ');
}
