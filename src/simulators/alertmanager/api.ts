import { z } from 'zod';
import { type Matcher, matches, parseMatcher } from './labels.ts';
import type { Dispatcher, RouteSettings } from './dispatcher.ts';
import type { State, StoredAlert, StoredSilence } from './state.ts';

export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly contentType: string;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** Absent: an empty body. */
  readonly json?: unknown;
  readonly text?: string;
}

const strings = z.record(z.string(), z.string());
const time = z
  .string()
  .transform((text) => new Date(text))
  .refine((date) => !Number.isNaN(date.getTime()));
const alertsBody = z.array(
  z.object({
    labels: strings,
    annotations: strings.optional(),
    startsAt: time.optional(),
    endsAt: time.optional(),
    generatorURL: z.string().optional(),
  }),
);
const silenceBody = z.object({
  id: z.string().optional(),
  matchers: z.array(
    z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) }),
  ),
  startsAt: time,
  endsAt: time,
  createdBy: z.string(),
  comment: z.string(),
});
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Alertmanager 0.25's API v2: its answers, and its three ways to say no (text as JSON, `{code, message}`, nothing). */
export function createApi(settings: RouteSettings, state: State, dispatcher: Dispatcher, startedAt: Date) {
  return (request: ApiRequest): ApiAnswer => {
    const { method, url } = request;
    const path = url.pathname;
    if (path === '/-/healthy' || path === '/-/ready') return { status: 200, text: 'OK' };
    const route = `${method} ${path.replace(/^(\/api\/v2\/silence\/).+$/, '$1:id')}`;
    if (method === 'POST' && request.contentType.split(';')[0] !== 'application/json') {
      const message = `unsupported media type "${request.contentType}", only [application/json] are allowed`;
      return { status: 415, json: { code: 415, message } };
    }
    switch (route) {
      case 'GET /api/v2/status':
        return { status: 200, json: status() };
      case 'GET /api/v2/receivers':
        return { status: 200, json: [{ name: settings.receiver }] };
      case 'GET /api/v2/alerts':
        return listAlerts(url.searchParams);
      case 'GET /api/v2/alerts/groups':
        return { status: 200, json: listGroups() };
      case 'POST /api/v2/alerts':
        return postAlerts(request.body);
      case 'GET /api/v2/silences':
        return listSilences(url.searchParams);
      case 'POST /api/v2/silences':
        return postSilence(request.body);
      case 'GET /api/v2/silence/:id':
      case 'DELETE /api/v2/silence/:id':
        return oneSilence(method, decodeURIComponent(path.slice('/api/v2/silence/'.length)));
      default:
        return { status: 404, json: { code: 404, message: `path ${path} was not found` } };
    }
  };

  function filters(query: URLSearchParams): Matcher[] | ApiAnswer {
    const found: Matcher[] = [];
    for (const text of query.getAll('filter')) {
      const matcher = parseMatcher(text);
      if (matcher === undefined) return { status: 400, json: `bad matcher format: ${text}` };
      found.push(matcher);
    }
    return found;
  }

  function shown(alert: StoredAlert) {
    const silencedBy = state.silencedBy(alert);
    return {
      annotations: alert.annotations,
      endsAt: alert.endsAt.toISOString(),
      fingerprint: alert.fingerprint,
      receivers: [{ name: settings.receiver }],
      startsAt: alert.startsAt.toISOString(),
      status: { inhibitedBy: [], silencedBy, state: silencedBy.length > 0 ? 'suppressed' : 'active' },
      updatedAt: alert.updatedAt.toISOString(),
      ...(alert.generatorURL === '' ? {} : { generatorURL: alert.generatorURL }),
      labels: alert.labels,
    };
  }

  function listAlerts(query: URLSearchParams): ApiAnswer {
    const wanted = filters(query);
    if (!Array.isArray(wanted)) return wanted;
    const json = [...state.alerts.values()]
      .filter((alert) => state.firing(alert) && wanted.every((matcher) => matches(matcher, alert.labels)))
      .map(shown)
      .filter(({ status: { state: now } }) => query.get(now === 'active' ? 'active' : 'silenced') !== 'false')
      .toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
    return { status: 200, json };
  }

  function listGroups() {
    return [...dispatcher.groups.values()].flatMap((group) => {
      const alerts = [...group.fingerprints]
        .flatMap((print) => state.alerts.get(print) ?? [])
        .filter((alert) => state.firing(alert));
      if (alerts.length === 0) return [];
      return [{ alerts: alerts.map(shown), labels: group.labels, receiver: { name: settings.receiver } }];
    });
  }

  function postAlerts(body: string): ApiAnswer {
    const json = read(body);
    if (json === undefined) {
      const message = `parsing alerts body from "" failed, because invalid character '${body.slice(0, 1)}' looking for beginning of value`;
      return { status: 400, json: { code: 400, message } };
    }
    const parsed = alertsBody.safeParse(json);
    if (!parsed.success) return invalid(parsed.error);
    // Good ones are taken even when others are not.
    const errors = parsed.data.flatMap((alert) => {
      const names = Object.entries(alert.labels).filter(([, value]) => value !== '');
      if (names.length === 0) return ['at least one label pair required'];
      const bad = names.find(([name]) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))?.[0];
      if (bad !== undefined) return [`invalid label set: invalid name "${bad}"`];
      dispatcher.add(state.put(alert));
      return [];
    });
    return errors.length > 0 ? { status: 400, json: errors.join('; ') } : { status: 200 };
  }

  function shownSilence(silence: StoredSilence) {
    return {
      id: silence.id,
      status: { state: state.silenceState(silence) },
      updatedAt: silence.updatedAt.toISOString(),
      comment: silence.comment,
      createdBy: silence.createdBy,
      endsAt: silence.endsAt.toISOString(),
      matchers: silence.matchers,
      startsAt: silence.startsAt.toISOString(),
    };
  }

  function listSilences(query: URLSearchParams): ApiAnswer {
    const wanted = filters(query);
    if (!Array.isArray(wanted)) return wanted;
    const rank = { active: 0, pending: 1, expired: 2 };
    const json = [...state.silences.values()]
      .filter((silence) =>
        wanted.every((filter) =>
          silence.matchers.some((one) => one.name === filter.name && matches(filter, { [one.name]: one.value })),
        ),
      )
      .map(shownSilence)
      .toSorted((a, b) => rank[a.status.state] - rank[b.status.state] || (a.endsAt < b.endsAt ? -1 : 1));
    return { status: 200, json };
  }

  function postSilence(body: string): ApiAnswer {
    const json = read(body);
    if (json === undefined) return { status: 400, json: { code: 400, message: 'parsing silence body from "" failed' } };
    const parsed = silenceBody.safeParse(json);
    if (!parsed.success) return invalid(parsed.error);
    if (parsed.data.matchers.length === 0) {
      return { status: 422, json: { code: 612, message: 'matchers in body should have at least 1 items' } };
    }
    const { id, ...silence } = parsed.data;
    const made = state.setSilence({ ...silence, ...(id ? { id } : {}) });
    return 'text' in made ? { status: made.status, json: made.text } : { status: 200, json: { silenceID: made.id } };
  }

  function oneSilence(method: string, id: string): ApiAnswer {
    if (!UUID.test(id)) {
      return { status: 422, json: { code: 601, message: `silenceID in path must be of type uuid: "${id}"` } };
    }
    const silence = state.silences.get(id);
    if (method === 'GET') return silence === undefined ? { status: 404 } : { status: 200, json: shownSilence(silence) };
    if (silence === undefined) return { status: 500, json: 'silence not found' };
    state.expire(silence);
    return { status: 200 };
  }

  function status() {
    return {
      cluster: { peers: [], status: 'disabled' },
      config: { original: `route:\n  receiver: ${settings.receiver}\n  group_by: [${settings.groupBy.join(', ')}]\n` },
      uptime: startedAt.toISOString(),
      versionInfo: {
        branch: 'simulator',
        buildDate: '20230409-09:50:43',
        buildUser: 'simulator',
        goVersion: 'go1.19.8',
        revision: 'simulator',
        version: '0.25.0',
      },
    };
  }
}

function read(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function invalid(error: z.ZodError): ApiAnswer {
  const [issue] = error.issues;
  const field = issue?.path.join('.') || 'body';
  return { status: 422, json: { code: 602, message: `${field} in body is invalid or required` } };
}
