import { type Clock, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { SecretSource } from '../define.ts';

export const messages = defineMessages({
  en: `
    err-heartbeat-failed = The outside dead-man switch could not be reached ({ $reason }). Check heartbeat.url and the way out of this network.
    err-heartbeat-url = heartbeat.url does not hold an address that begins with http:// or https://. Copy the ping address of the check into the secret.
  `,
  ru: `
    err-heartbeat-failed = До внешнего контроля связи не достучаться ({ $reason }). Проверьте heartbeat.url и выход из этой сети.
    err-heartbeat-url = В heartbeat.url нет адреса, начинающегося с http:// или https://. Скопируйте в секрет адрес для сигналов (ping URL).
  `,
});

/**
 * `success`: all is well until the next one is due · `start`: it begins · `fail`: it is not well, and why · `log`: kept there,
 * changes nothing.
 */
export type Beat = 'success' | 'start' | 'fail' | 'log';

/** An outside dead-man switch: healthchecks.io and what is compatible (healthchecks.io/docs/http_api). */
export interface Heartbeat {
  /**
   * One signal; tried three times, each at most five seconds. Throws `heartbeat-failed` (transient) and `heartbeat-url`
   * (permanent), with nothing of the address in them: whoever knows it can keep the switch quiet.
   */
  beat(kind: Beat, text?: string, signal?: AbortSignal): Promise<void>;
}

const ATTEMPTS = 3;
const LIMIT_MS = seconds(5);
const PAUSE_MS = seconds(1);
const TEXT_MAX = 1000;

export function createHeartbeat(
  settings: { readonly url: SecretSource; readonly version: string },
  edges: { readonly fetch: typeof fetch; readonly clock: Clock },
): Heartbeat {
  const { clock } = edges;

  const once = async (kind: Beat, url: string, text: string, signal: AbortSignal | undefined): Promise<void> => {
    const limit = new AbortController();
    const cancel = clock.after(LIMIT_MS, () => limit.abort(new Error('timeout')));
    try {
      const response = await edges.fetch(url, {
        // Whatever takes a GET for a sign of life will do; the other kinds are of healthchecks and what is compatible.
        ...(kind === 'success' ? {} : { method: 'POST', body: text.slice(0, TEXT_MAX) }),
        headers: { 'user-agent': `Vakhta/${settings.version}` },
        // The login page of a hotel's network is not our switch.
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
      });
      await response.body?.cancel().catch(() => {});
      if (!response.ok) throw failed(`HTTP ${response.status}`);
    } catch (thrown) {
      if (thrown instanceof VakhtaError) throw thrown;
      // The cause of a failed fetch names the address, so only its code comes through.
      throw failed(limit.signal.aborted ? 'timeout' : codeOf(thrown));
    } finally {
      cancel();
    }
  };

  return {
    beat: async (kind, text = '', signal) => {
      const address = (await settings.url()).reveal().trim();
      if (!URL.canParse(address) || !/^https?:/u.test(address)) {
        throw new VakhtaError('permanent', 'heartbeat-url', 'heartbeat.url is not an address');
      }
      const url = new URL(address);
      if (kind !== 'success') url.pathname = `${url.pathname.replace(/\/+$/u, '')}/${kind}`;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(kind, url.href, text, signal);
        } catch (error) {
          if (attempt === ATTEMPTS || signal?.aborted) throw error;
          await clock.sleep(PAUSE_MS * attempt, signal);
        }
      }
    },
  };
}

const failed = (reason: string): VakhtaError =>
  new VakhtaError('transient', 'heartbeat-failed', `the dead-man switch was not reached: ${reason}`, {
    args: { reason },
  });

function codeOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code;
  return cause instanceof Error ? cause.name : 'unknown';
}
