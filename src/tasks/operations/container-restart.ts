import { z } from 'zod';
import { minutes, seconds } from '../../core/clock.ts';
import { code, doc, facts, type Inlines, time } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { Container } from '../../integrations/docker/port.ts';
import { containerName } from '../../integrations/docker/wire.ts';
import { defineOperation, definite } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';

export const messages = defineMessages({
  en: `
    op-container-restart = Restart a container (Docker)
    op-container-restart-arg-engine = On which Docker engine?
    op-container-restart-arg-container = Which container? Its name.
    container-plan = { $container } on { $engine } { $status ->
        [running] is running now
        [restarting] keeps restarting now
        [exited] is stopped now, exit code { $exit }
       *[other] is in the state “{ $status }” now
    }
    container-plan-image = image { $image }, { $status ->
        [running] running since { $since }
       *[other] last started { $since }
    }
    container-plan-restart = it gets { $grace } s to end in order and is started again; its service is away meanwhile
    container-restarting = Docker stops and starts it
    container-seen = { $container } is running again, up for { $uptime } s{ $health ->
        [healthy] , health check passed
       *[none] { "" }
    }
    container-not-running = { $container } is not running: { $status }, exit code { $exit }
    container-not-restarted = { $container } is running, but was not restarted
    container-looping = { $container } ends again right after it started
    container-unhealthy = { $container } is running, but its health check { $health ->
        [starting] has not passed yet
       *[other] fails
    }
    container-busy = Docker is still restarting it
    container-name = Container
    container-image = Image
    container-up = Running since
    container-took = Took
    err-container-changed = { $container } was made anew since the plan: it is another container of the same name. Nothing was done; ask again.
    err-container-not-restarted = { $container } was not restarted. Look at it, then ask again if it is still wanted.
  `,
  ru: `
    op-container-restart = Перезапустить контейнер (Docker)
    op-container-restart-arg-engine = На каком движке Docker?
    op-container-restart-arg-container = Какой контейнер? Имя.
    container-plan = { $container } на { $engine } сейчас { $status ->
        [running] работает
        [restarting] перезапускается раз за разом
        [exited] остановлен, код выхода { $exit }
       *[other] в состоянии «{ $status }»
    }
    container-plan-image = образ { $image }, { $status ->
        [running] работает с { $since }
       *[other] последний запуск { $since }
    }
    container-plan-restart = получит { $grace } с на корректное завершение и будет запущен снова; его сервис на это время станет недоступен
    container-restarting = Docker останавливает и запускает его
    container-seen = { $container } снова работает, запущен { $uptime } с назад{ $health ->
        [healthy] , проверка здоровья пройдена
       *[none] { "" }
    }
    container-not-running = { $container } не работает: { $status }, код выхода { $exit }
    container-not-restarted = { $container } работает, но перезапущен не был
    container-looping = { $container } завершается сразу после запуска
    container-unhealthy = { $container } работает, но проверка здоровья { $health ->
        [starting] ещё не пройдена
       *[other] не проходит
    }
    container-busy = Docker его ещё перезапускает
    container-name = Контейнер
    container-image = Образ
    container-up = Работает с
    container-took = Заняло
    err-container-changed = { $container } с момента плана создан заново: это другой контейнер с тем же именем. Ничего не сделано; запросите снова.
    err-container-not-restarted = { $container } перезапущен не был. Посмотрите на него и, если ещё нужно, запросите снова.
  `,
});

/** What a container gets between TERM and KILL; Docker's own default. */
const GRACE_S = 10;
/** The engine finishes a restart also when who asked is gone. */
const BUSY_MS = seconds(GRACE_S + 20);
/** Still running after this long, without another start: it does not end right after it began. */
const STEADY_MS = seconds(5);
const HEALTH_MS = minutes(2);
const LOOK_EVERY_MS = seconds(1);

const boundSchema = z.object({ id: z.string(), name: z.string() });
/** Stored before the engine is asked. */
const rememberedSchema = z.object({
  id: z.string(),
  name: z.string(),
  startedAt: z.coerce.date(),
  at: z.coerce.date(),
});

const resultSchema = z.object({
  engine: z.string(),
  container: z.string(),
  id: z.string(),
  image: z.string(),
  before: z.coerce.date(),
  startedAt: z.coerce.date(),
  restarts: z.number(),
  durationMs: z.number(),
});
type Result = z.output<typeof resultSchema>;

/** Refused before anything was stopped. */
const NOT_BEGUN = new Set(['docker-down', 'docker-no-container', 'docker-denied']);

const resultOf = (engine: string, before: Date, after: Container, durationMs: number): Result => ({
  engine,
  container: after.name,
  id: after.id,
  image: after.image,
  before,
  startedAt: after.startedAt,
  restarts: after.restarts,
  durationMs,
});

/** As the plan shows it, in a form that everybody reads alike. */
const utc = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export default defineOperation({
  name: 'container.restart',
  messages,
  role: 'operator',
  risk: 'disrupt',
  args: z.object({
    engine: z.string().min(1).max(40),
    container: z
      .string()
      .min(1)
      .max(128)
      .refine((name) => /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/u.test(name), 'no container name'),
  }),
  fields: {
    engine: { choices: (known) => known.engines },
    container: { choices: (known) => known.containers() },
  },
  result: resultSchema,
  ports: ['docker', 'lockPaths'],
  timeoutMs: minutes(5),
  // The last is how a restart from before there were paths holds the container.
  locks: ({ engine }, plan) => [
    ...boundLocks(plan),
    `container:${engine}:${boundSchema.safeParse(plan.bound).data?.name ?? plan.target}`,
  ],

  plan: async ({ ports, signal }, { engine, container }) => {
    const { id, name, image, status, startedAt, exitCode } = await ports.docker
      .get(engine)
      .inspect(containerName(container), signal);
    const exit = String(exitCode);
    return {
      target: name,
      lines: [
        { key: 'container-plan', args: { container: name, engine, status, exit } },
        { key: 'container-plan-image', args: { image, status, since: utc(startedAt) } },
        { key: 'container-plan-restart', args: { grace: String(GRACE_S) } },
      ],
      bound: { id, name, locks: [ports.lockPaths.container(engine, name)] },
    };
  },

  run: async ({ ports, plan, clock, signal, progress, remember }, { engine }) => {
    const { id, name } = boundSchema.parse(plan.bound);
    const docker = ports.docker.get(engine);
    const before = await docker.inspect(name, signal);
    if (before.id !== id) {
      const args = { container: name };
      throw new VakhtaError('permanent', 'container-changed', `${name} is now ${before.id}`, { args });
    }
    const at = clock.now();
    await remember({ id, name, startedAt: before.startedAt, at });
    progress({ step: { key: 'container-restarting' } });
    // By its id: a name may have changed hands in this very moment.
    await docker.restart(id, GRACE_S, signal).catch((thrown: unknown) => {
      if (thrown instanceof VakhtaError && NOT_BEGUN.has(thrown.code)) throw definite(thrown);
      throw thrown;
    });
    const after = await docker.inspect(id, signal);
    const result = resultOf(engine, before.startedAt, after, clock.now().getTime() - at.getTime());
    return { state: 'succeeded', result };
  },

  verify: async ({ ports, clock, signal }, _args, { engine, id, container, before, startedAt, restarts }) => {
    const docker = ports.docker.get(engine);
    const began = clock.now().getTime();
    for (;;) {
      const now = await docker.inspect(id, signal);
      const passed = clock.now().getTime() - began;
      const { status, health } = now;
      const args = { container, status, exit: String(now.exitCode), health: health ?? 'none' };
      if (now.startedAt <= before) return { ok: false, text: { key: 'container-not-restarted', args } };
      if (now.restarts > restarts || now.startedAt > startedAt || status === 'restarting') {
        return { ok: false, text: { key: 'container-looping', args } };
      }
      if (status !== 'running') return { ok: false, text: { key: 'container-not-running', args } };
      const isWell = health === undefined || health === 'healthy';
      if (isWell && passed >= STEADY_MS) {
        const uptime = String(Math.max(0, Math.round((clock.now().getTime() - now.startedAt.getTime()) / 1000)));
        return { ok: true, text: { key: 'container-seen', args: { ...args, uptime } } };
      }
      if (health === 'unhealthy' || passed >= HEALTH_MS) {
        return { ok: false, text: { key: 'container-unhealthy', args } };
      }
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  },

  reconcile: async ({ ports, clock, signal }, { engine }, external) => {
    // Nothing was remembered: the worker died before it asked the engine.
    if (external === undefined) return { state: 'again' };
    const { id, name, startedAt, at } = rememberedSchema.parse(external);
    const now = await ports.docker.get(engine).inspect(id, signal);
    if (now.startedAt > startedAt) return { state: 'succeeded', result: resultOf(engine, startedAt, now, 0) };
    if (clock.now().getTime() - at.getTime() < BUSY_MS) return { state: 'busy', text: { key: 'container-busy' } };
    return { state: 'failed', text: { key: 'err-container-not-restarted', args: { container: name } } };
  },

  report: ({ engine, container, image, startedAt, durationMs }, _args, { t }) => {
    const rows: (readonly [string, Inlines])[] = [
      [t('container-name'), `${container} (${engine})`],
      [t('container-image'), code(image)],
      [t('container-up'), time(startedAt)],
    ];
    if (durationMs > 0) rows.push([t('container-took'), formatDuration(durationMs, t)]);
    return doc(facts(...rows));
  },
});
