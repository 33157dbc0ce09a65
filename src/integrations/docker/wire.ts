import { z } from 'zod';
import { type ErrorKind, VakhtaError } from '../../core/error.ts';
import type { RunResult } from '../exec/executor.ts';
import { type Container, type ContainerSummary, STATUSES } from './port.ts';

/** What a container may be called (moby, `daemon/names/names.go`); an id is a special case of it. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** The name, or `usage`: what begins with a dash would be an option, and is no name either. */
export function containerName(container: string): string {
  if (NAME.test(container)) return container;
  throw new VakhtaError('usage', 'docker-name', `${JSON.stringify(container)} is no container name`, {
    args: { container: container.slice(0, 64) },
  });
}

/** The same for a volume, which is named by the same rule. */
export function volumeName(volume: string): string {
  if (NAME.test(volume)) return volume;
  throw new VakhtaError('usage', 'docker-volume-name', `${JSON.stringify(volume)} is no volume name`, {
    args: { volume: volume.slice(0, 64) },
  });
}

/** Only what is needed leaves the engine: the whole answer holds the container's environment, and so its secrets. */
export const INSPECT_FORMAT =
  '{"id":{{json .ID}},"name":{{json .Name}},"image":{{json .Config.Image}},"status":{{json .State.Status}},' +
  '"startedAt":{{json .State.StartedAt}},"exitCode":{{json .State.ExitCode}},"restarts":{{json .RestartCount}},' +
  '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}null{{end}}}';

const status = z.enum(STATUSES);

const inspected = z
  .object({
    id: z.string().min(12),
    name: z.string().transform((name) => name.replace(/^\//u, '')),
    image: z.string(),
    status,
    // With nanoseconds, which Date cuts off.
    startedAt: z.string().transform((text) => new Date(text)),
    exitCode: z.number(),
    restarts: z.number(),
    // `none`: the image has a health check that was switched off.
    health: z.enum(['starting', 'healthy', 'unhealthy', 'none', '']).nullable(),
  })
  .transform(({ health, ...rest }): Container => {
    const known = health === 'starting' || health === 'healthy' || health === 'unhealthy';
    return known ? { ...rest, health } : rest;
  });

const listed = z.object({ Names: z.string(), Image: z.string(), State: status }).transform(
  ({ Names, Image, State }): ContainerSummary => ({
    // Links add further names, behind a comma.
    name: Names.split(',').find((name) => !name.includes('/')) ?? Names,
    image: Image,
    status: State,
  }),
);

/** The one line that `docker inspect --format` prints. Undefined when it is something else. */
export function parseInspect(stdout: string): Container | undefined {
  return inspected.safeParse(json(stdout)).data;
}

/** One JSON object a line, of `docker ps --format '{{json .}}'`, sorted by name. */
export function parsePs(stdout: string): ContainerSummary[] | undefined {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  const found = z.array(listed).safeParse(lines.map(json)).data;
  return found?.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** The folder that `docker volume inspect` tells. */
export const parseMountpoint = (stdout: string): string | undefined =>
  z.string().startsWith('/').safeParse(json(stdout)).data;

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the client and the engine say on failure; docker exits with 1 whatever it was (docker/cli 20.10 and 27). */
const FAILURES: readonly (readonly [RegExp, ErrorKind, string])[] = [
  [/no such (container|object)/iu, 'usage', 'docker-no-container'],
  [/no such volume/iu, 'permanent', 'docker-no-volume'],
  [/permission denied while trying to connect|^sudo: /imu, 'permanent', 'docker-denied'],
  [/cannot connect to the docker daemon|is the docker daemon running/iu, 'transient', 'docker-down'],
];

/** The error for a docker that did not exit with 0. */
export function exitError(engine: string, container: string, result: Pick<RunResult, 'code' | 'stderr'>): VakhtaError {
  const [, kind, code] = FAILURES.find(([pattern]) => pattern.test(result.stderr)) ?? [
    undefined,
    'permanent' as const,
    'docker-failed',
  ];
  const line = result.stderr.trim().split('\n').at(-1) ?? '';
  const detail = line.replace(/^Error( response from daemon)?: /u, '').slice(0, 200) || `exit ${result.code ?? '?'}`;
  return new VakhtaError(kind, code, `docker ${engine}: ${detail}`, { args: { engine, container, detail } });
}
