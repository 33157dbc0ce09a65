import type { Probeable } from '../define.ts';

/** As `docker inspect` and `docker ps` name them (Docker Engine API, `ContainerState.Status`). */
export const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;
export type ContainerStatus = (typeof STATUSES)[number];

/** A container as `docker inspect` sees it; never its environment, where secrets stand. */
export interface Container {
  /** The full id: another one means that the container was made anew. */
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly status: ContainerStatus;
  readonly startedAt: Date;
  /** Of its last end; 0 while it has not ended yet. */
  readonly exitCode: number;
  /** How often the engine has started it again by itself. */
  readonly restarts: number;
  /** Absent when the image has no health check. */
  readonly health?: 'starting' | 'healthy' | 'unhealthy';
}

export interface ContainerSummary {
  readonly name: string;
  readonly image: string;
  readonly status: ContainerStatus;
}

export interface Docker extends Probeable {
  readonly id: string;
  /** One container by name or id. `docker inspect`. Throws `docker-no-container`, `docker-*` and those of the executor. */
  inspect(container: string, signal?: AbortSignal): Promise<Container>;
  /** Stops it in order, kills it after `graceSeconds`, and starts it again; waits for that. `docker restart`. */
  restart(container: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  /** Freezes its processes. Does nothing to one that is paused already. `docker pause`. */
  pause(container: string, signal?: AbortSignal): Promise<void>;
  unpause(container: string, signal?: AbortSignal): Promise<void>;
  /** Stops it in order, kills it after `graceSeconds`. `docker stop`. */
  stop(container: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  start(container: string, signal?: AbortSignal): Promise<void>;
  /** The folder on the engine's machine that holds a volume. `docker volume inspect`. Throws `docker-no-volume`. */
  mountpoint(volume: string, signal?: AbortSignal): Promise<string>;
  /** The words that run a command in a container, for who collects its output on the engine's machine. `docker exec`. */
  execWords(container: string, command: readonly string[]): readonly string[];
  /** All containers, stopped ones too. `docker ps --all`. */
  ps(signal?: AbortSignal): Promise<readonly ContainerSummary[]>;
}
