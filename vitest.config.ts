import { defineConfig } from 'vitest/config';

/** `unit` needs nothing but Node; `chat` a database (embedded); `system`, `browser`, `fault` and `fault-big` real components. */
const project = (name: string, include: string[], options: { timeout?: number; serial?: boolean } = {}) => ({
  test: {
    name,
    include,
    // Files share what was imported, since modules keep no state: a third of the time of these projects was import.
    ...(['unit', 'chat', 'conformance'].includes(name) ? { isolate: false } : {}),
    testTimeout: options.timeout ?? 10_000,
    hookTimeout: options.timeout ?? 60_000,
    // A condition is awaited, however slow the machine; the test's own limit ends it.
    expect: { poll: { timeout: 15_000 } },
    ...(options.serial ? { fileParallelism: false } : {}),
  },
});

export default defineConfig({
  test: {
    // Twice the cores of a small machine: tests of processes mostly wait.
    maxWorkers: 4,
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], { timeout: 60_000 }),
      project('conformance', ['test/conformance/**/*.test.ts'], { timeout: 60_000 }),
      project('chat', ['test/chat/**/*.test.ts'], { timeout: 60_000 }),
      project('system', ['test/system/**/*.test.ts'], { timeout: 300_000 }),
      project('browser', ['test/browser/**/*.test.ts'], { timeout: 120_000 }),
      project('fault', ['test/fault/*.test.ts'], { timeout: 300_000 }),
      // Storms led by chance, another one each time: only when asked for, `npm run test:faults`.
      project('fault-big', ['test/fault/big/*.test.ts'], { timeout: 1_500_000 }),
    ],
  },
});
