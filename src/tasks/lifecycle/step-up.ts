import { Secret as OtpSecret, TOTP } from 'otpauth';
import type { Clock } from '../../core/clock.ts';
import { matchStepUp } from '../../core/step-up.ts';
import type { Database } from '../../store/db.ts';
import { useStep } from '../../store/stepup.ts';
import type { SecretSource } from '../../integrations/define.ts';

/** Verifies step-up codes (RFC 6238, 30 s, six digits, one step of tolerance). A code serves once. */
export interface StepUp {
  check(
    operatorId: string,
    runId: string,
    given: { readonly digest?: string | undefined; readonly at?: string | undefined },
  ): Promise<boolean>;
}

const PERIOD_SECONDS = 30;

/** `secrets` gives the operator's base32 TOTP secret; only a worker has them. */
export function createStepUp(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly secrets: (operatorId: string) => SecretSource | undefined;
}): StepUp {
  return {
    check: async (operatorId, runId, { digest, at }) => {
      const source = options.secrets(operatorId);
      if (!source || !digest || !at) return false;
      const totp = new TOTP({
        secret: OtpSecret.fromBase32((await source()).reveal().replace(/\s/gu, '')),
        period: PERIOD_SECONDS,
      });
      const current = Math.floor(Date.parse(at) / 1000 / PERIOD_SECONDS);
      const candidates = [current, current - 1, current + 1].map((counter) => ({
        step: counter,
        code: totp.generate({ timestamp: counter * PERIOD_SECONDS * 1000 }),
      }));
      const matched = matchStepUp(runId, digest, candidates);
      return matched !== undefined && (await useStep(options.db, operatorId, matched, options.clock.now()));
    },
  };
}
