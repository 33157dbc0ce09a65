import { describe, expect, it } from 'vitest';
import { VakhtaError } from '../../src/core/error.ts';
import { silentLog } from '../../src/core/log.ts';
import type { Container, Docker } from '../../src/integrations/docker/port.ts';
import { containersKey, createDockerLook } from '../../src/tasks/docker-look.ts';
import restart from '../../src/tasks/operations/container-restart.ts';
import { several } from '../../src/tasks/several.ts';
import { observation } from '../../src/store/observations.ts';
import { createFastClock } from '../conformance/proxmox/fast-clock.ts';
import { as, openLife, refusal } from './support/life.ts';
import { shownRun } from './support/shown.ts';

/** An engine in memory that does as the real one (test/conformance/docker); a test changes what happens next. */
function engineInMemory(now: () => Date) {
  const hours = (n: number) => new Date(now().getTime() - n * 3_600_000);
  const base = { image: 'nginx:1.27', status: 'running', exitCode: 0, restarts: 0 } as const;
  const web: Container = { ...base, id: 'a'.repeat(64), name: 'nginx', startedAt: hours(48) };
  const containers = new Map<string, Container>([[web.name, web]]);
  const restarts: string[] = [];
  const find = (name: string): Container => {
    const found = [...containers.values()].find((one) => one.name === name || one.id === name);
    if (found) return found;
    throw new VakhtaError('usage', 'docker-no-container', `no ${name}`, {
      args: { engine: 'docker1', container: name },
    });
  };
  const state = {
    containers,
    restarts,
    set: (change: Partial<Container>) => containers.set('nginx', { ...find('nginx'), ...change }),
    /** What a restart does; by default what it should. */
    onRestart: (): void => void state.set({ status: 'running', startedAt: now() }),
    isAway: false,
  };
  const engine: Docker = {
    id: 'docker1',
    inspect: async (name) => {
      if (state.isAway) throw new VakhtaError('transient', 'docker-down', 'away', { args: { engine: 'docker1' } });
      return find(name);
    },
    restart: async (name) => {
      restarts.push(find(name).name);
      state.onRestart();
    },
    pause: async () => {},
    unpause: async () => {},
    stop: async () => {},
    start: async () => {},
    mountpoint: async () => '/none',
    execWords: () => [],
    ps: async () => {
      if (state.isAway) throw new VakhtaError('transient', 'docker-down', 'away', { args: { engine: 'docker1' } });
      return [...containers.values()].map(({ name, image, status }) => ({ name, image, status }));
    },
    probe: async () => ({ state: 'ok', text: 'docker-probe-ok' }),
  };
  return { engine, ...state, state };
}

/** Runs twenty times as fast, until it is held; from then on it only moves when it is told to. */
function holdableClock() {
  const flowing = createFastClock(20);
  let held: Date | undefined;
  return {
    ...flowing,
    now: () => held ?? flowing.now(),
    hold: () => {
      held = flowing.now();
    },
    skip: (ms: number) => {
      held = new Date((held ?? flowing.now()).getTime() + ms);
    },
  };
}

async function openContainers() {
  const time = holdableClock();
  const { engine, state } = engineInMemory(() => time.now());
  const life = await openLife({ operations: [restart], ports: { docker: several([['docker1', engine]]) }, time });
  const begin = async (container: string) => {
    const args = { engine: 'docker1', container };
    const { id } = await life.requests.request(as('anna'), 'container.restart', args);
    await life.deliver();
    return life.run(id);
  };
  const confirm = async (id: string) => {
    await life.requests.answer(id, 'confirm', as('anna'));
    await life.deliver();
    return life.run(id);
  };
  const ask = async (container: string) => confirm((await begin(container)).id);
  const card = (run: Awaited<ReturnType<typeof begin>>) => shownRun(run, life, [restart], time.now());
  return { engine, state, life, begin, confirm, ask, card, time };
}

describe('/container restart', () => {
  it('shows what is there, asks, restarts the very container, and sees that it stays up', async () => {
    const { begin, confirm, card, state } = await openContainers();
    const asked = await begin('nginx');
    expect(asked).toMatchObject({ state: 'confirming', plan: { target: 'nginx' } });
    const { en, ru } = await card(asked);
    expect(en.text).toContain('nginx on docker1 is running now');
    expect(en.text).toContain('image nginx:1.27, running since ');
    expect(ru.text).toContain('nginx на docker1 сейчас работает');
    expect(state.restarts).toEqual([]);
    const done = await confirm(asked.id);
    expect(done).toMatchObject({ state: 'succeeded', verified: { ok: true, text: { key: 'container-seen' } } });
    expect(state.restarts).toEqual(['nginx']);
    expect((await card(done)).en.text).toContain('nginx is running again, up for');
  });

  it('one that was made anew since the plan is left alone', async () => {
    const { begin, confirm, state } = await openContainers();
    const asked = await begin('nginx');
    state.set({ id: 'b'.repeat(64) });
    expect(await confirm(asked.id)).toMatchObject({ state: 'failed', error: { code: 'container-changed' } });
    expect(state.restarts).toEqual([]);
  });

  it.each<[string, (state: Awaited<ReturnType<typeof openContainers>>['state'], now: () => Date) => void, string]>([
    [
      'ends again at once',
      (state, now) => state.set({ status: 'exited', exitCode: 1, startedAt: now() }),
      'container-not-running',
    ],
    ['keeps restarting', (state, now) => state.set({ status: 'restarting', startedAt: now() }), 'container-looping'],
    ['was not restarted', () => {}, 'container-not-restarted'],
    [
      'fails its health check',
      (state, now) => state.set({ health: 'unhealthy', startedAt: now() }),
      'container-unhealthy',
    ],
    ['never gets healthy', (state, now) => state.set({ health: 'starting', startedAt: now() }), 'container-unhealthy'],
  ])('one that %s is no success', async (_what, happens, key) => {
    const { ask, state, time } = await openContainers();
    state.onRestart = () => happens(state, () => time.now());
    const ended = await ask('nginx');
    expect(ended).toMatchObject({ state: 'failed', verified: { ok: false, text: { key } } });
  });

  it('a name that is none, or not there, is refused with words', async () => {
    const { begin, life } = await openContainers();
    const request = (container: string) =>
      life.requests.request(as('anna'), 'container.restart', { engine: 'docker1', container });
    expect(await refusal(request('--time'))).toBe('bad-arguments');
    expect(await refusal(request('a b'))).toBe('bad-arguments');
    expect(await begin('wbe')).toMatchObject({ state: 'failed', error: { code: 'docker-no-container' } });
  });

  it('an engine that is away before anything began: a known end', async () => {
    const { engine, begin, confirm, state } = await openContainers();
    const asked = await begin('nginx');
    engine.restart = () =>
      Promise.reject(new VakhtaError('transient', 'docker-down', 'away', { args: { engine: 'docker1' } }));
    expect(await confirm(asked.id)).toMatchObject({ state: 'failed', error: { code: 'docker-down' } });
    expect(state.restarts).toEqual([]);
  });

  it('after a crash the engine is asked what became of it, and nothing is done twice', async () => {
    const { begin, life, state, engine, time } = await openContainers();
    const crash = async (id: string) => {
      await life.requests.answer(id, 'confirm', as('anna'));
      await life.deliver();
      return life.run(id);
    };
    // The answer is lost on its way: the container was restarted all the same.
    const lost = await begin('nginx');
    const really = engine.restart;
    engine.restart = async (...args) => {
      await really(...args);
      throw new VakhtaError('transient', 'ssh-connection-lost', 'gone', { args: { where: 'docker1' } });
    };
    expect(await crash(lost.id)).toMatchObject({ state: 'succeeded', result: { container: 'nginx' } });
    expect(state.restarts).toEqual(['nginx']);
    // It never arrived: as long as Docker could be at it nobody knows, then it is known that it was not.
    const never = await begin('nginx');
    time.hold();
    engine.restart = () =>
      Promise.reject(new VakhtaError('transient', 'ssh-connection-lost', 'gone', { args: { where: 'docker1' } }));
    const waiting = { state: 'reconciling', progress: { step: { key: 'container-busy' } } };
    expect(await crash(never.id)).toMatchObject(waiting);
    await life.round();
    expect(await life.run(never.id)).toMatchObject(waiting);
    time.skip(31_000);
    await life.round();
    const ended = await life.run(never.id);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'ssh-connection-lost' } });
    expect(state.restarts).toEqual(['nginx']);
  });
});

describe('the names of containers', () => {
  it('are those that were seen last, also while the engine is away', async () => {
    const { engine, life, state } = await openContainers();
    const engines = several([['docker1', engine]]);
    const look = createDockerLook({ db: life.db, clock: life.clock, log: silentLog, engines });
    await look.round(new AbortController().signal);
    const seen = await observation(life.db, containersKey('docker1'));
    expect(seen).toMatchObject({ ok: true, data: { names: ['nginx'] } });
    state.isAway = true;
    await look.round(new AbortController().signal);
    expect(await observation(life.db, containersKey('docker1'))).toEqual(seen);
  });
});
