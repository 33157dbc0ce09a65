import { Secret as OtpSecret, TOTP } from 'otpauth';
import { matchStepUp } from '../../core/step-up.ts';
import type { SecretSource } from '../../integrations/define.ts';

/**
 * Finds out whether a step-up code (RFC 6238, 30 s, six digits, one step of tolerance) was right at the time it was given: the
 * time step it belongs to, which the caller uses up (`useStep`), so that a code serves once. Only a worker has the secrets.
 */
export interface StepUp {
  match(
    operatorId: string,
    runId: string,
    given: { readonly digest: string; readonly at: string },
  ): Promise<number | undefined>;
}

const PERIOD_SECONDS = 30;

/** `secrets` gives the operator's base32 TOTP secret. Throws what the source of the secret throws. */
export function createStepUp(options: { readonly secrets: (operatorId: string) => SecretSource | undefined }): StepUp {
  return {
    match: async (operatorId, runId, { digest, at }) => {
      const source = options.secrets(operatorId);
      if (!source) return undefined;
      const totp = new TOTP({
        secret: OtpSecret.fromBase32((await source()).reveal().replace(/\s/gu, '')),
        period: PERIOD_SECONDS,
      });
      const current = Math.floor(Date.parse(at) / 1000 / PERIOD_SECONDS);
      const candidates = [current, current - 1, current + 1].map((counter) => ({
        step: counter,
        code: totp.generate({ timestamp: counter * PERIOD_SECONDS * 1000 }),
      }));
      return matchStepUp(runId, digest, candidates);
    },
  };
}
