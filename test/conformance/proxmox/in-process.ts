import type { VakhtaError } from '../../../src/core/error.ts';
import { createProxmox, type ProxmoxSettings } from '../../../src/integrations/proxmox/proxmox.ts';
import type { Transport } from '../../../src/integrations/proxmox/transport.ts';
import type { SimToken } from '../../../src/simulators/proxmox/access.ts';
import type { Inventory } from '../../../src/simulators/proxmox/inventory.ts';
import { createProxmoxSimulator, type ProxmoxSimulator } from '../../../src/simulators/proxmox/simulator.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { quiet, recording, settingsFor, TOKEN } from './subject.ts';

/** Bytes that repeat themselves. */
const random = { bytes: (n: number) => Buffer.alloc(n, 7) };

/** Client and simulator in one process without a socket, under a clock that stands still until told. */
export function inProcess(
  options: {
    tokens?: SimToken[];
    settings?: Partial<ProxmoxSettings>;
    messageInBody?: boolean;
    inventory?: Inventory;
  } = {},
) {
  const clock = createManualClock('2026-11-23T08:00:00Z');
  const { tokens = [TOKEN], settings = {}, ...rest } = options;
  const simulator = createProxmoxSimulator({ clock, random, tokens, ...rest });
  const { transport, exchanges } = recording(directly(simulator));
  const proxmox = createProxmox(settingsFor('https://pve1.lan:8006', tokens[0] ?? TOKEN, settings), {
    clock,
    log: quiet,
    transport,
  });
  return { clock, simulator, proxmox, exchanges, passing: <T>(promise: Promise<T>) => passing(clock, promise) };
}

function directly(simulator: ProxmoxSimulator): Transport {
  return async ({ method, url, headers, body = '', signal }) => {
    const { faults } = simulator;
    if (faults.refuse) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    if (faults.hang) return aborted;
    const path = url.pathname + url.search;
    const answer = await Promise.race([
      simulator.handle({ method, path, headers: { authorization: headers['Authorization'] }, body }),
      aborted,
    ]);
    if (!faults.loseAnswer || method === 'GET') return answer;
    faults.loseAnswer = false;
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  };
}

/** Lets time pass, half a second a step, until the promise is settled. */
export async function passing<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  // Answered for by the caller's own await.
  watched.catch(() => {});
  for (let step = 0; !settled; step++) {
    if (step > 5000) throw new Error('nothing came of it in 2500 seconds');
    await clock.advance(step === 0 ? 0 : 500);
  }
  return promise;
}

/** The error that a promise rejects with; fails when it does not. */
export async function errorFrom(promise: Promise<unknown>): Promise<VakhtaError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as VakhtaError;
  throw new Error(`no error, but ${JSON.stringify(outcome.value)}`);
}
