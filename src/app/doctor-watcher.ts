import { readFile } from 'node:fs/promises';
import { type Clock, seconds } from '../core/clock.ts';
import { defineMessages } from '../core/i18n.ts';
import type { DoctorProbe } from '../config/doctor.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { createLocalExecutor } from '../integrations/exec/local.ts';
import { createHeartbeat } from '../integrations/heartbeat/heartbeat.ts';
import { createAttempts } from '../integrations/probes/attempt.ts';

export const messages = defineMessages({
  en: `
    doctor-heartbeat = the outside dead-man switch answers
    doctor-probe = answers after { $ms } ms
    doctor-probe-failed = does not answer as it should: { $reason }
    doctor-probe-failed-todo = If the service is fine, correct target, expect_status or timeout_seconds.
    doctor-probe-unable = cannot be tried here: { $reason }
    doctor-probe-unable-todo = Install ping (iputils-ping) and allow it for the user that runs Vakhta, or probe by tcp.
  `,
  ru: `
    doctor-heartbeat = внешний контроль связи отвечает
    doctor-probe = ответ за { $ms } мс
    doctor-probe-failed = ответ не такой, как нужно: { $reason }
    doctor-probe-failed-todo = Если сервис в порядке, исправьте target, expect_status или timeout_seconds.
    doctor-probe-unable = отсюда не проверить: { $reason }
    doctor-probe-unable-todo = Поставьте ping (iputils-ping) и разрешите его пользователю, под которым работает Вахта, или проверяйте через tcp.
  `,
});

/** A signal that changes nothing outside, and one attempt of each probe. */
export function watcherProbes(config: Config, secrets: Secrets, clock: Clock): DoctorProbe[] {
  const { heartbeat } = config;
  const signal: DoctorProbe[] = heartbeat
    ? [
        {
          name: 'heartbeat',
          probe: async (aborted) => {
            const url = secrets.source(heartbeat.url);
            const outside = createHeartbeat({ url, version: 'doctor' }, { fetch: globalThis.fetch, clock });
            await outside.beat('log', 'vakhta doctor', aborted);
            return { state: 'ok', text: 'doctor-heartbeat' };
          },
        },
      ]
    : [];
  const probes = config.probes.map(
    ({ id, kind, target, timeoutSeconds, expectStatus }): DoctorProbe => ({
      name: `probe ${id}`,
      probe: async (aborted) => {
        const { ca: path } = config.certificates;
        const ca = path === undefined ? [] : [await readFile(path, 'utf8')];
        const attempt = createAttempts({ clock, ca, local: createLocalExecutor({}, { clock }), version: 'doctor' });
        const timeoutMs = seconds(timeoutSeconds);
        const statuses = expectStatus ? { expectStatus } : {};
        const result = await attempt({ id, kind, target, timeoutMs, ...statuses }, aborted);
        if (result.ok === true)
          return { state: 'ok', text: 'doctor-probe', args: { ms: Math.round(result.latencyMs) } };
        const text = result.ok === 'unavailable' ? 'doctor-probe-unable' : 'doctor-probe-failed';
        return { state: 'warn', text, args: { reason: result.reason } };
      },
    }),
  );
  return [...signal, ...probes];
}
