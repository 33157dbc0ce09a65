import { seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Executor } from '../exec/executor.ts';
import type { Docker } from './port.ts';
import {
  containerName,
  exitError,
  INSPECT_FORMAT,
  parseInspect,
  parseMountpoint,
  parsePs,
  volumeName,
} from './wire.ts';

export interface EngineSettings {
  /** Our name of it, as operators type it. */
  readonly id: string;
  /** The program with leading words; `['docker']` when absent. */
  readonly binary?: readonly string[];
}

const LOOK_MS = seconds(20);
/** On top of the grace that the container has to end: the engine's own work. */
const RESTART_MS = seconds(60);

/** A Docker engine by its command line, on the machine of the executor: nothing has to be opened to the network. */
export function createDocker(
  { id, binary = ['docker'] }: EngineSettings,
  { executor }: { readonly executor: Executor },
): Docker {
  const run = async (words: readonly string[], container: string, timeoutMs: number, signal?: AbortSignal) => {
    const result = await executor.run([...binary, ...words], { timeoutMs, ...(signal ? { signal } : {}) });
    if (result.code !== 0) throw exitError(id, container, result);
    return result.stdout;
  };
  const understood = <T>(answer: T | undefined): T => {
    if (answer !== undefined) return answer;
    throw new VakhtaError('permanent', 'docker-answer', `docker ${id}: unknown answer`, { args: { engine: id } });
  };

  const ps: Docker['ps'] = async (signal) =>
    understood(parsePs(await run(['ps', '--all', '--no-trunc', '--format', '{{json .}}'], '', LOOK_MS, signal)));

  return {
    id,
    ps,
    inspect: async (container, signal) => {
      const name = containerName(container);
      const words = ['inspect', '--type', 'container', '--format', INSPECT_FORMAT, name];
      return understood(parseInspect(await run(words, name, LOOK_MS, signal)));
    },
    restart: async (container, graceSeconds, signal) => {
      const name = containerName(container);
      const grace = Math.max(0, Math.floor(graceSeconds));
      await run(['restart', '--time', String(grace), name], name, seconds(grace) + RESTART_MS, signal);
    },
    pause: async (container, signal) => {
      const name = containerName(container);
      await run(['pause', name], name, LOOK_MS, signal).catch((error: unknown) => {
        if (!/already paused/u.test(String(error))) throw error;
      });
    },
    unpause: async (container, signal) => {
      const name = containerName(container);
      await run(['unpause', name], name, LOOK_MS, signal).catch((error: unknown) => {
        if (!/not paused/u.test(String(error))) throw error;
      });
    },
    stop: async (container, graceSeconds, signal) => {
      const name = containerName(container);
      const grace = Math.max(0, Math.floor(graceSeconds));
      await run(['stop', '--time', String(grace), name], name, seconds(grace) + RESTART_MS, signal);
    },
    start: async (container, signal) => {
      const name = containerName(container);
      await run(['start', name], name, RESTART_MS, signal);
    },
    mountpoint: async (volume, signal) => {
      const name = volumeName(volume);
      const words = ['volume', 'inspect', '--format', '{{json .Mountpoint}}', name];
      return understood(parseMountpoint(await run(words, name, LOOK_MS, signal)));
    },
    execWords: (container, command) => [...binary, 'exec', containerName(container), ...command],
    probe: async (signal) => {
      try {
        const version = await run(['version', '--format', '{{.Server.Version}}'], '', LOOK_MS, signal);
        const all = await ps(signal);
        const running = all.filter(({ status }) => status === 'running').length;
        return { state: 'ok', text: 'docker-probe-ok', args: { version: version.trim(), running, all: all.length } };
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        return { state: 'down', text: error.text, args: error.args };
      }
    },
  };
}
