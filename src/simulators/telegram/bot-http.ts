import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context as HonoContext } from 'hono';
import { ApiError } from './api-error.ts';
import type { Fault, Faults } from './faults.ts';
import type { Context } from './methods/define.ts';
import { methods } from './methods/index.ts';
import { parseMultipart } from './multipart.ts';
import { isRecord, Params } from './params.ts';

export type Http = HonoContext<{ Bindings: HttpBindings }>;

/** A call that reached the server, for inspection: what was asked, what came of it. */
export interface LoggedCall {
  readonly method: string;
  readonly at: Date;
  readonly chat_id: number | undefined;
  /** 200, an error code, or the name of the fault that hit it. */
  readonly outcome: number | string;
  /** With 429: seconds, as answered. */
  readonly retry_after?: number;
}

export interface BotApi {
  readonly token: string;
  readonly context: Omit<Context, 'signal'>;
  readonly faults: Faults;
  readonly log: (call: LoggedCall) => void;
}

const MAX_BODY = 55 * 1024 * 1024;

/** `/bot<token>/<method>`: finds the method, lets the faults have their way, answers as the Bot API server does. */
export async function botRequest(api: BotApi, c: Http, token: string, method: string): Promise<Response> {
  const name = method.toLowerCase();
  try {
    checkToken(api, token);
    const run = methods.get(name);
    const params = await readParams(c);
    const fault = api.faults.take(name, chatIdOf(params));
    const log = (outcome: number | string, retryAfter?: number) =>
      api.log({
        method,
        at: api.context.world.clock.now(),
        chat_id: chatIdOf(params),
        outcome,
        ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
      });
    if (typeof fault === 'string') log(fault);
    else if (fault !== undefined && 'flood' in fault) log(429, fault.flood);
    else if (fault !== undefined && 'answer' in fault) log('late');
    else if (fault !== undefined) log(fault.error_code, fault.parameters?.retry_after);
    const before = fault === undefined ? undefined : await failBefore(fault, c);
    if (before !== undefined) return before;
    if (run === undefined) throw new ApiError(404, 'Not Found: method not found');
    const response = await carryOut(api, run, params, c, name, fault === undefined ? log : () => undefined);
    return fault === undefined ? response : await failAfter(fault, response, c);
  } catch (error) {
    if (error instanceof ApiError) return failure(error);
    throw error;
  }
}

/** Throws 401 for a token that is malformed or not this bot's. */
export function checkToken(api: BotApi, token: string): void {
  if (!/^\d+:[\w-]+$/.test(token)) throw new ApiError(401, 'Unauthorized: invalid token specified');
  if (token !== api.token) throw new ApiError(401, 'Unauthorized');
}

async function carryOut(
  api: BotApi,
  run: (context: Context, params: Params) => unknown,
  params: Params,
  c: Http,
  name: string,
  log: (outcome: number, retryAfter?: number) => void,
): Promise<Response> {
  try {
    // Only a long poll can outlive its caller.
    const signal = name === 'getupdates' ? hangUpSignal(c) : undefined;
    const result = await run({ ...api.context, signal }, params);
    log(200);
    return json({ ok: true, result }, 200);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    log(error.code, error.parameters?.retry_after);
    return failure(error);
  }
}

const json = (body: object, status: number, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });

export function failure(error: ApiError): Response {
  const retry = error.parameters?.retry_after;
  return json(
    {
      ok: false,
      error_code: error.code,
      description: error.message,
      ...(error.parameters ? { parameters: error.parameters } : {}),
    },
    error.code,
    retry === undefined ? {} : { 'retry-after': String(retry) },
  );
}

function hangUpSignal(c: Http): AbortSignal {
  const abort = new AbortController();
  c.env.outgoing.once('close', () => abort.abort());
  return abort.signal;
}

const chatIdOf = (params: Params): number | undefined =>
  params.has('chat_id') ? params.integer('chat_id') : undefined;

async function failBefore(fault: Fault, c: Http): Promise<Response | undefined> {
  if (typeof fault === 'object') {
    if ('answer' in fault) {
      await fault.before;
      return undefined;
    }
    if ('flood' in fault) {
      throw new ApiError(429, `Too Many Requests: retry after ${fault.flood}`, { retry_after: fault.flood });
    }
    throw new ApiError(fault.error_code, fault.description, fault.parameters);
  }
  switch (fault) {
    case 'reset':
      return reset(c);
    case 'hang':
      return await hang(c);
    case 'html-502':
      return badGateway();
    case 'revoked':
      throw new ApiError(401, 'Unauthorized');
    case 'accept-reset':
    case 'accept-hang':
    case 'accept-html-502':
    case 'truncated-json':
      return undefined;
  }
}

async function failAfter(fault: Fault, response: Response, c: Http): Promise<Response> {
  if (typeof fault === 'object') {
    if ('answer' in fault) await fault.answer;
    return response;
  }
  switch (fault) {
    case 'accept-reset':
      return reset(c);
    case 'accept-hang':
      return await hang(c);
    case 'accept-html-502':
      return badGateway();
    case 'truncated-json': {
      const text = await response.text();
      return new Response(text.slice(0, Math.ceil(text.length / 2)), {
        status: 200,
        headers: { 'content-type': 'application/json' },
      });
    }
    case 'reset':
    case 'hang':
    case 'html-502':
    case 'revoked':
      return response;
  }
}

function reset(c: Http): Response {
  c.env.incoming.socket.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
}

/** Says nothing until the caller gives up, or the simulator closes its connections. */
async function hang(c: Http): Promise<Response> {
  await new Promise((resolve) => c.env.outgoing.once('close', resolve));
  return RESPONSE_ALREADY_SENT;
}

const badGateway = (): Response =>
  new Response(
    '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
    {
      status: 502,
      headers: { 'content-type': 'text/html' },
    },
  );

/** Query string and body together; JSON, urlencoded and multipart. */
async function readParams(c: Http): Promise<Params> {
  const values: Record<string, unknown> = c.req.query();
  if (c.req.method === 'GET') return new Params(values);
  const type = c.req.header('content-type') ?? '';
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY) throw new ApiError(413, 'Request Entity Too Large');
  if (type.startsWith('application/json')) {
    const text = await c.req.text();
    return new Params({ ...values, ...(text === '' ? {} : parseBody(text)) });
  }
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return new Params({ ...values, ...Object.fromEntries(new URLSearchParams(await c.req.text())) });
  }
  if (!type.startsWith('multipart/form-data')) return new Params(values);
  const parts = parseMultipart(Buffer.from(await c.req.arrayBuffer()), type);
  return new Params({ ...values, ...parts.values }, parts.files);
}

function parseBody(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isRecord(parsed)) return parsed;
  } catch {
    // answered below
  }
  throw new ApiError(400, "Bad Request: can't parse request body as a JSON object");
}
