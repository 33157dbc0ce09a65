import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, int, only, touched } from './rows.ts';

const picture_ = z.object({
  id: z.string(),
  mime: z.string(),
  bytes: z.instanceof(Buffer),
  width: int,
  height: int,
  createdAt: at,
});

/** A drawn picture; a `Doc` refers to it by its id. */
export type Picture = z.output<typeof picture_>;

export interface NewPicture {
  readonly mime: 'image/png';
  readonly bytes: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Keeps a picture until it is purged; its id, for `Doc.picture`. */
export async function putPicture(q: Queryable, what: NewPicture, now: Date): Promise<string> {
  const { id } = await only(
    q,
    z.object({ id: z.string() }),
    `insert into pictures (id, mime, bytes, width, height, created_at)
     values (gen_random_uuid(), $1, $2, $3, $4, $5) returning id`,
    [what.mime, what.bytes, what.width, what.height, now],
  );
  return id;
}

/** `undefined` when it was purged. */
export function picture(q: Queryable, id: string): Promise<Picture | undefined> {
  return first(
    q,
    picture_,
    'select id, mime, bytes, width, height, created_at as "createdAt" from pictures where id = $1',
    [id],
  );
}

/** Forgets pictures made before; how many. What a chat shows already stays there. */
export function purgePictures(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from pictures where created_at < $1', [before]);
}
