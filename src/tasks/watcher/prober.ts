import { createHash } from 'node:crypto';
import { DateTime } from 'luxon';
import { type Clock, seconds } from '../../core/clock.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { ownGroup, spoken } from '../../core/own-alert.ts';
import { instanceOf, nextProbeState, type ProbeResult } from '../../core/probe.ts';
import type { Config, Probe } from '../../config/schema.ts';
import type { Attempt } from '../../integrations/probes/attempt.ts';
import type { Database } from '../../store/db.ts';
import { currentIncidents, firing, type Incident } from '../../store/incidents.ts';
import { countProbe, keepOnlyProbes, probeState, saveProbeState } from '../../store/probes.ts';
import { incidentOf } from '../incidents.ts';
import type { IncidentWriter } from '../watch/writer.ts';

export const messages = defineMessages({
  en: `
    probe-summary = { $name }: the probe fails ({ $reason })
    probe-description = { $kind } { $target }: { $n ->
        [one] one attempt
       *[other] { $n } attempts in a row
    } failed, one every { $every } s. Vakhta itself looks, without Prometheus.
  `,
  ru: `
    probe-summary = { $name }: проверка не проходит ({ $reason })
    probe-description = { $kind } { $target }: { $n ->
        [one] неудачна { $n } попытка
        [few] неудачны { $n } попытки подряд
       *[many] неудачны { $n } попыток подряд
    }, по одной каждые { $every } с. Проверяет сама Вахта, без Prometheus.
  `,
});

/** Source of the incidents of the program's own probes. */
export const PROBE_SOURCE = 'probe';

const CONCURRENCY = 16;

export interface ProberOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: IncidentWriter;
  readonly config: Pick<Config, 'probes' | 'site'>;
  readonly attempt: Attempt;
  /** In the language of the site. */
  readonly t: Translate;
}

export interface Prober {
  /** Tries each probe at its own pace until `signal` aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Tries one now and keeps what came of it. */
  readonly look: (probe: Probe, signal: AbortSignal) => Promise<void>;
}

export function createProber({ db, clock, log, writer, config, attempt, t }: ProberOptions): Prober {
  const { probes, site } = config;

  const alert = (probe: Probe, reason: string) => {
    const { name, kind, failures: n, everySeconds: every } = probe;
    const { annotations, extra } = spoken(t, {
      summary: { key: 'probe-summary', args: { name, reason } },
      description: { key: 'probe-description', args: { target: instanceOf(kind, probe.target), kind, n, every } },
    });
    return { labels: labelsOf(probe), annotations: { ...annotations, runbook: 'probe-failed' }, extra };
  };

  const keep = (probe: Probe, result: ProbeResult): Promise<void> =>
    db.tx(async (tx) => {
      const now = clock.now();
      const before = await probeState(tx, probe.id, { forUpdate: true });
      const { after, turned } = nextProbeState(before, result, now, { failures: probe.failures });
      if (!(await saveProbeState(tx, probe.id, after))) return;
      const day = DateTime.fromJSDate(now, { zone: site.zone }).toISODate() ?? '';
      if (result.ok !== 'unavailable') await countProbe(tx, probe.id, day, result.ok);
      if (turned === 'down') {
        const said = alert(probe, after.reason ?? '');
        const group = ownGroup({ key: probe.id, status: 'firing', ...said, startsAt: after.since });
        await writer.apply(tx, PROBE_SOURCE, [group], now);
      } else if (turned === 'up') {
        const row = (await currentIncidents(tx, PROBE_SOURCE, [probe.id], { forUpdate: true })).get(probe.id);
        if (row?.state === 'firing') await writer.apply(tx, PROBE_SOURCE, [endOf(row, now)], now);
      }
      if (turned) log.info({ probe: probe.id, reason: after.reason }, `a probe is ${turned}`);
    });

  const look = async (probe: Probe, signal: AbortSignal): Promise<void> => {
    const result = await attempt(
      {
        id: probe.id,
        kind: probe.kind,
        target: probe.target,
        timeoutMs: seconds(probe.timeoutSeconds),
        ...(probe.expectStatus ? { expectStatus: probe.expectStatus } : {}),
      },
      signal,
    );
    // What was broken off by our own end says nothing about the target.
    if (signal.aborted) return;
    await keep(probe, result);
  };

  /** An incident of a probe that is not declared any more would burn for ever. */
  const forget = async (): Promise<void> => {
    const ids = probes.map(({ id }) => id);
    await keepOnlyProbes(db, ids);
    const left = (await firing(db, { source: PROBE_SOURCE })).filter(({ groupKey }) => !ids.includes(groupKey));
    for (const row of left) await db.tx((tx) => writer.apply(tx, PROBE_SOURCE, [endOf(row, clock.now())], clock.now()));
  };

  const loop = async (probe: Probe, slots: Slots, signal: AbortSignal): Promise<void> => {
    const everyMs = seconds(probe.everySeconds);
    await clock.sleep(offsetOf(probe.id, everyMs), signal);
    while (!signal.aborted) {
      const began = clock.now().getTime();
      await slots(() => look(probe, signal)).catch((error: unknown) =>
        log.warn({ err: error, probe: probe.id }, 'the result of a probe was not kept'),
      );
      await clock.sleep(Math.max(0, began + everyMs - clock.now().getTime()), signal);
    }
  };

  return {
    look,
    run: async (signal) => {
      await forget().catch((error: unknown) => log.warn({ err: error }, 'probes of old were not forgotten'));
      const slots = createSlots(CONCURRENCY);
      // Each loop ends when its sleep is broken off.
      await Promise.all(probes.map((probe) => loop(probe, slots, signal).catch(() => {})));
    },
  };
}

/** What an incident of this probe is known by; the configuration adds labels for routes, but does not rename it. */
function labelsOf(probe: Probe): Record<string, string> {
  return {
    service: probe.id,
    severity: probe.severity,
    instance: instanceOf(probe.kind, probe.target),
    ...probe.labels,
    alertname: 'ProbeFailed',
    probe: probe.id,
  };
}

function endOf(row: Incident, now: Date) {
  const alert = Object.values(incidentOf(row).data.alerts)[0];
  const {
    labels = { alertname: 'ProbeFailed', probe: row.groupKey },
    annotations = { summary: row.title },
    extra,
  } = alert ?? {};
  return ownGroup({
    key: row.groupKey,
    status: 'resolved',
    labels,
    annotations,
    extra,
    startsAt: row.startedAt,
    endsAt: now,
  });
}

/** Probes with the same pace are spread over it, the same way after each start; all have been tried after ten seconds. */
const SPREAD_MS = seconds(10);
const offsetOf = (id: string, everyMs: number): number =>
  createHash('sha256').update(id).digest().readUInt32BE(0) % Math.min(everyMs, SPREAD_MS);

type Slots = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `n` at the same time; the others wait in order. */
function createSlots(n: number): Slots {
  let free = n;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
