import type { z } from 'zod';
import { type Clock, seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { SecretSource } from '../define.ts';

export type Auth =
  | { readonly kind: 'bearer'; readonly token: SecretSource }
  | { readonly kind: 'basic'; readonly user: string; readonly password: SecretSource };

export interface HttpSettings {
  /** Without the API's path: `https://alertmanager.example`, with a path prefix if there is one. */
  readonly url: string;
  readonly auth?: Auth;
  readonly timeoutMs?: number;
}

export interface HttpEdges {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Below `url`, with a leading slash. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The HTTP client that Alertmanager, Prometheus and Loki share. `system` is their name in error texts and codes. */
export function createHttp(system: 'alertmanager' | 'prometheus' | 'loki', settings: HttpSettings, edges: HttpEdges) {
  const base = settings.url.replace(/\/+$/, '');
  // A user name or password in the address must not show up in messages.
  const where = new URL(base).host;

  const authorization = async (): Promise<Record<string, string>> => {
    const { auth } = settings;
    if (auth === undefined) return {};
    if (auth.kind === 'bearer') return { authorization: `Bearer ${(await auth.token()).reveal()}` };
    const pair = `${auth.user}:${(await auth.password()).reveal()}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  };

  const call = async (request: Call): Promise<Answer> => {
    const limit = new AbortController();
    const cancel = edges.clock.after(settings.timeoutMs ?? seconds(10), () => limit.abort(new Error('timeout')));
    try {
      const query = request.query?.toString();
      const response = await edges.fetch(`${base}${request.path}${query ? `?${query}` : ''}`, {
        method: request.method ?? 'GET',
        headers: {
          accept: 'application/json',
          ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(await authorization()),
        },
        ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
        // A redirect to a login page must not be taken for an answer.
        redirect: 'manual',
        signal: request.signal ? AbortSignal.any([request.signal, limit.signal]) : limit.signal,
      });
      return { status: response.status, text: await response.text() };
    } catch (thrown) {
      if (thrown instanceof VakhtaError) throw thrown;
      if (request.signal?.aborted) throw toVakhtaError(request.signal.reason);
      const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
      const reason = limit.signal.aborted ? 'timeout' : cause instanceof Error ? reasonOf(cause) : String(cause);
      throw new VakhtaError('transient', `${system}-unreachable`, `${where}: ${reason}`, {
        args: { where, reason },
        cause: thrown,
      });
    } finally {
      cancel();
    }
  };

  /** The error for an answer that is not a success: 401 and 403, then 5xx as transient, the rest as permanent. */
  const refused = ({ status, text }: Answer): VakhtaError => {
    const detail = errorText(text) || `HTTP ${status}`;
    const details = { args: { where, status: String(status), detail } };
    if (status === 401 || status === 403) {
      return new VakhtaError('permanent', `${system}-login`, `${where}: HTTP ${status}`, details);
    }
    const kind = status >= 500 || status === 429 ? 'transient' : 'permanent';
    return new VakhtaError(kind, `${system}-refused`, `${where}: HTTP ${status}: ${detail}`, details);
  };

  const parse = <T>(schema: z.ZodType<T>, text: string): T => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw garbled(cause);
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw garbled(parsed.error);
  };
  const garbled = (cause: unknown): VakhtaError =>
    new VakhtaError('permanent', `${system}-answer`, `${where}: unexpected answer`, { args: { where }, cause });

  const get = async <T>(schema: z.ZodType<T>, request: Call): Promise<T> => {
    const answer = await call(request);
    if (answer.status !== 200) throw refused(answer);
    return parse(schema, answer.text);
  };

  return { where, call, get, parse, refused };
}

const reasonOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message;

/** Errors come as a bare JSON string, as `{code, message}`, as Prometheus' `{error}`, or as plain text; at most 300 characters. */
export function errorText(body: string): string {
  let text = body;
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'string') text = json;
    else if (typeof json === 'object' && json !== null) {
      if ('message' in json && typeof json.message === 'string') text = json.message;
      else if ('error' in json && typeof json.error === 'string') text = json.error;
    }
  } catch {
    // Plain text, or the page of a proxy.
  }
  const clean = text.replace(/\s+/g, ' ').trim();
  return clean.length > 300 ? `${clean.slice(0, 299)}…` : clean;
}
