import { z } from 'zod';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { createHttp, errorText, type HttpEdges, type HttpSettings } from '../prometheus/http.ts';
import { formatMatcher, narrows } from './matchers.ts';
import type { Alertmanager, Silence } from './port.ts';

export type * from './port.ts';

const labels = z.record(z.string(), z.string());
const date = z.string().transform((text, context) => {
  const parsed = new Date(text);
  if (!Number.isNaN(parsed.getTime())) return parsed;
  context.addIssue({ code: 'custom', message: 'not a date' });
  return z.NEVER;
});

const alertsSchema = z.array(
  z.object({
    fingerprint: z.string(),
    labels,
    annotations: labels,
    startsAt: date,
    endsAt: date,
    generatorURL: z.string().optional(),
    status: z.object({
      state: z.enum(['active', 'suppressed', 'unprocessed']),
      silencedBy: z.array(z.string()),
      inhibitedBy: z.array(z.string()),
    }),
  }),
);
const silenceSchema = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
  matchers: z.array(
    // Before 0.22 there was no isEqual, and all matchers were equalities.
    z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) }),
  ),
  startsAt: date,
  endsAt: date,
  createdBy: z.string(),
  comment: z.string(),
});
const statusSchema = z.object({
  uptime: date,
  cluster: z.object({ status: z.string() }),
  versionInfo: z.object({ version: z.string() }),
});

const toSilence = ({ status, ...rest }: z.infer<typeof silenceSchema>): Silence => ({ ...rest, state: status.state });

/** Alertmanager's API v2 (github.com/prometheus/alertmanager, api/v2/openapi.yaml). */
export function createAlertmanager(settings: HttpSettings, edges: HttpEdges): Alertmanager {
  const http = createHttp('alertmanager', settings, edges);
  const asked = (signal: AbortSignal | undefined) => (signal ? { signal } : {});
  const silencePath = (id: string) => `/api/v2/silence/${encodeURIComponent(id)}`;

  const alertmanager: Alertmanager = {
    alerts: async (filter = {}, signal) => {
      const query = new URLSearchParams();
      for (const matcher of filter.matchers ?? []) query.append('filter', formatMatcher(matcher));
      for (const name of ['active', 'silenced', 'inhibited'] as const) {
        if (filter[name] !== undefined) query.set(name, String(filter[name]));
      }
      const found = await http.get(alertsSchema, { path: '/api/v2/alerts', query, ...asked(signal) });
      return found.map(({ status, generatorURL, ...alert }) => ({
        ...alert,
        ...status,
        generatorURL: generatorURL ?? '',
      }));
    },

    silences: async (signal) =>
      (await http.get(z.array(silenceSchema), { path: '/api/v2/silences', ...asked(signal) })).map(toSilence),

    silence: async (id, signal) => {
      const answer = await http.call({ path: silencePath(id), ...asked(signal) });
      // 422: not a UUID, so there is none.
      if (answer.status === 404 || answer.status === 422) throw notFound(id);
      if (answer.status !== 200) throw http.refused(answer);
      return toSilence(http.parse(silenceSchema, answer.text));
    },

    createSilence: async (silence, signal) => {
      if (!silence.matchers.some(narrows)) {
        const matchers = silence.matchers.map(formatMatcher).join(', ') || '{}';
        throw new VakhtaError('usage', 'silence-too-wide', `silence ${matchers} would match everything`, {
          args: { matchers },
        });
      }
      if (silence.endsAt <= silence.startsAt || silence.endsAt <= edges.clock.now()) {
        throw new VakhtaError('usage', 'silence-times', 'silence ends before it starts, or in the past');
      }
      const answer = await http.call({ method: 'POST', path: '/api/v2/silences', json: silence, ...asked(signal) });
      if (answer.status !== 200) throw http.refused(answer);
      return http.parse(z.object({ silenceID: z.string() }), answer.text).silenceID;
    },

    expireSilence: async (id, signal) => {
      const answer = await http.call({ method: 'DELETE', path: silencePath(id), ...asked(signal) });
      if (answer.status === 200) return;
      // 0.25 answers 500 with this text; newer ones 404. What is no UUID gives 422.
      const unknown =
        answer.status === 404 || answer.status === 422 || errorText(answer.text).startsWith('silence not found');
      if (unknown) throw notFound(id);
      throw http.refused(answer);
    },

    status: async (signal) => {
      const status = await http.get(statusSchema, { path: '/api/v2/status', ...asked(signal) });
      return { version: status.versionInfo.version, clusterStatus: status.cluster.status, startedAt: status.uptime };
    },

    postAlerts: async (alerts, signal) => {
      const answer = await http.call({ method: 'POST', path: '/api/v2/alerts', json: alerts, ...asked(signal) });
      if (answer.status !== 200) throw http.refused(answer);
    },

    probe: async (signal) => {
      try {
        const { version, clusterStatus } = await alertmanager.status(signal);
        const args = { where: http.where, version, cluster: clusterStatus };
        const settled = clusterStatus === 'ready' || clusterStatus === 'disabled';
        return settled
          ? { state: 'ok', text: 'alertmanager-ok', args }
          : { state: 'warn', text: 'alertmanager-settling', args };
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        return { state: 'down', text: error.text, args: error.args };
      }
    },
  };
  return alertmanager;
}

const notFound = (id: string): VakhtaError =>
  new VakhtaError('usage', 'silence-not-found', `no silence ${id}`, { args: { id } });
