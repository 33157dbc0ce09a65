import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import { adminAction } from './cast-admin.ts';
import { type CastApi, CastError } from './cast-api.ts';
import type { WorldEvent } from './world.ts';

const ref = z.union([z.number().int(), z.string().min(1)]);
const sayBody = z.object({
  as: ref,
  chat: ref,
  thread: z.number().int().optional(),
  text: z.string(),
  reply_to: z.number().int().optional(),
  anonymous: z.boolean().optional(),
});
const pressBody = z.object({
  as: ref,
  chat: ref,
  message_id: z.number().int(),
  row: z.number().int().nonnegative().optional(),
  col: z.number().int().nonnegative().optional(),
  data: z.string().optional(),
});

/** `/cast/…`: the cast over HTTP, for the web chat. Errors answer `{ error }`. */
export function castRoutes(cast: CastApi): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const number = (text: string | undefined) => (text === undefined || text === '' ? undefined : Number(text));
  const needed = (name: string, text: string | undefined): string => {
    if (text === undefined || text === '') throw new CastError(400, `the parameter "${name}" is missing`);
    return text;
  };

  app.get('/world', (c) => c.json(cast.world()));
  app.get('/commands', (c) =>
    c.json(cast.commands(needed('as', c.req.query('as')), needed('chat', c.req.query('chat')))),
  );
  app.get('/messages', (c) =>
    c.json(
      cast.messages({
        as: needed('as', c.req.query('as')),
        chat: needed('chat', c.req.query('chat')),
        thread: number(c.req.query('thread')),
        before: number(c.req.query('before')),
      }),
    ),
  );
  app.get('/events', (c) => eventStream(cast, c.env.outgoing));
  app.post('/say', async (c) => c.json(cast.say(sayBody.parse(await c.req.json()))));
  app.post('/press', async (c) => c.json(cast.press(pressBody.parse(await c.req.json()))));
  app.post('/admin', async (c) => c.json(await cast.admin(adminAction.parse(await c.req.json()))));
  app.get('/file/:id', (c) => {
    const file = cast.file(c.req.param('id'));
    if (file === undefined) throw new CastError(404, 'there is no such file');
    const name = encodeURIComponent(file.name);
    return c.body(new Uint8Array(file.bytes), 200, {
      'content-type': file.type === '' ? 'application/octet-stream' : file.type,
      'content-disposition': `inline; filename*=UTF-8''${name}`,
    });
  });

  app.onError((error, c) => {
    if (error instanceof CastError) return c.json({ error: error.message }, error.status);
    if (error instanceof ApiError || error instanceof RangeError || error instanceof SyntaxError)
      return c.json({ error: error.message }, 400);
    if (error instanceof z.ZodError) return c.json({ error: z.prettifyError(error) }, 400);
    return c.json({ error: error.message }, 500);
  });
  return app;
}

function eventStream(cast: CastApi, outgoing: HttpBindings['outgoing']): Response {
  const encoder = new TextEncoder();
  let unsubscribe: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const write = (text: string) => controller.enqueue(encoder.encode(text));
      write(': listening\nretry: 1000\n\n');
      unsubscribe = cast.subscribe((event: WorldEvent) => write(`data: ${JSON.stringify(event)}\n\n`));
      outgoing.once('close', unsubscribe);
    },
    cancel: () => unsubscribe(),
  });
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'keep-alive',
    },
  });
}
