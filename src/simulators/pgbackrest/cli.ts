#!/usr/bin/env node
import { main } from './program.ts';

/** The simulated pgBackRest as a program: see `simulatorCommand` for how it is called. */
const terminated = new AbortController();
process.once('SIGTERM', () => terminated.abort(new Error('SIGTERM')));

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const { signal } = terminated;
    if (signal.aborted) return reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    function onAbort() {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    signal.addEventListener('abort', onAbort, { once: true });
  });

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  now: () => new Date(),
  sleep,
  terminated: terminated.signal,
});
