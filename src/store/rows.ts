import { z } from 'zod';
import type { Queryable } from './db.ts';

/** A column that may be null: absent values are `undefined` in the program. */
export const optional = <T extends z.ZodType>(type: T) =>
  type.nullable().transform((value): z.output<T> | undefined => value ?? undefined);

/** Telegram's and our own integer keys: up to 2^53, as JavaScript counts. */
export const int = z.int();
export const at = z.date();
export const jsonObject = z.record(z.string(), z.unknown());

/** All rows of a query, parsed. */
export async function many<T extends z.ZodType>(
  q: Queryable,
  row: T,
  text: string,
  params: readonly unknown[] = [],
): Promise<z.output<T>[]> {
  const { rows } = await q.query(text, params);
  return rows.map((each) => row.parse(each));
}

/** The first row, parsed; `undefined` when there is none. */
export async function first<T extends z.ZodType>(
  q: Queryable,
  row: T,
  text: string,
  params: readonly unknown[] = [],
): Promise<z.output<T> | undefined> {
  const { rows } = await q.query(text, params);
  return rows.length === 0 ? undefined : row.parse(rows[0]);
}

/** How many rows the statement touched. */
export async function touched(q: Queryable, text: string, params: readonly unknown[] = []): Promise<number> {
  return (await q.query(text, params)).rowCount;
}

/** The only row, parsed; for statements that cannot give none. */
export async function only<T extends z.ZodType>(
  q: Queryable,
  row: T,
  text: string,
  params: readonly unknown[] = [],
): Promise<z.output<T>> {
  return row.parse((await q.query(text, params)).rows[0]);
}
