import { expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createAttempts } from '../../../src/integrations/probes/attempt.ts';
import { withComponents } from '../../support/components/index.ts';

withComponents(['ping'], () => {
  const attempts = createAttempts({
    clock: systemClock,
    ca: [],
    local: createLocalExecutor({}, { clock: systemClock }),
    version: '1.0.0',
  });
  const look = (target: string) =>
    attempts({ id: 'p', kind: 'icmp', target, timeoutMs: 15_000 }, new AbortController().signal);
  // A sandbox may forbid it: then the probe has to say so, and nothing else.
  const FORBIDDEN = { ok: 'unavailable', reason: 'ping: not permitted' };

  it('the real ping hears this machine', async () => {
    const heard = { ok: true, latencyMs: expect.toSatisfy((ms: number) => ms < 15_000) };
    expect([FORBIDDEN, heard]).toContainEqual(await look('127.0.0.1'));
  });

  it('what the real ping will not even send is no reply', async () => {
    expect([FORBIDDEN, { ok: false, reason: 'no reply' }]).toContainEqual(await look('255.255.255.255'));
  });
});
