import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { silentLog } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createDocker } from '../../../src/integrations/docker/docker.ts';
import type { Docker } from '../../../src/integrations/docker/port.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createSshExecutor } from '../../../src/integrations/exec/ssh.ts';
import { type DockerEngine, startDocker, startSshd, until, withComponents } from '../../support/components/index.ts';

/** The code and the words for people of what was refused. */
async function refusal(promise: Promise<unknown>): Promise<{ code: string; kind: string; args: unknown }> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VakhtaError) return { code: thrown.code, kind: thrown.kind, args: thrown.args };
    throw thrown;
  }
  throw new Error('nothing was refused');
}

withComponents(['dockerd', 'docker', 'busybox', 'sshd', 'ssh-keygen'], () => {
  describe('a Docker engine', () => {
    let engine: DockerEngine;
    let docker: Docker;
    const local = createLocalExecutor({}, { clock: systemClock });

    beforeAll(async () => {
      engine = await startDocker();
      docker = createDocker({ id: 'here', binary: engine.docker }, { executor: local });
      await engine.start('web', { args: ['--env', 'PASSWORD=hunter2hunter2', '--label', 'a=b'] });
      await engine.start('once', { command: 'exit 3' });
    }, 60_000);
    afterAll(() => engine.stop());

    it('inspect tells what runs, since when, from which image', async () => {
      const web = await docker.inspect('web');
      expect(web).toMatchObject({ name: 'web', image: engine.image, status: 'running', exitCode: 0, restarts: 0 });
      expect(web.id).toMatch(/^[0-9a-f]{64}$/);
      expect(Math.abs(web.startedAt.getTime() - Date.now())).toBeLessThan(600_000);
      expect(web.health).toBeUndefined();
      expect(JSON.stringify(web)).not.toContain('hunter2');
      await until('its end', async () => (await docker.inspect('once')).status === 'exited');
      expect(await docker.inspect('once')).toMatchObject({ status: 'exited', exitCode: 3 });
    });

    it('ps lists all of them by name, stopped ones too', async () => {
      expect(await docker.ps()).toEqual([
        { name: 'once', image: engine.image, status: 'exited' },
        { name: 'web', image: engine.image, status: 'running' },
      ]);
    });

    it('restart starts the same container anew, and waits for it', async () => {
      const before = await docker.inspect('web');
      await docker.restart(before.id, 2);
      const after = await docker.inspect('web');
      expect(after).toMatchObject({ id: before.id, status: 'running' });
      expect(after.startedAt.getTime()).toBeGreaterThan(before.startedAt.getTime());
    });

    it('knows the health check of an image that has one', async () => {
      const args = ['--health-cmd', '/bin/busybox true', '--health-interval', '1s', '--health-start-period', '0s'];
      await engine.start('checked', { args });
      await until('its health', async () => (await docker.inspect('checked')).health === 'healthy');
      await engine.start('sick', {
        args: ['--health-cmd', '/bin/busybox false', '--health-interval', '1s', '--health-retries', '1'],
      });
      await until('its sickness', async () => (await docker.inspect('sick')).health === 'unhealthy');
      expect((await docker.inspect('checked')).health).toBe('healthy');
    });

    it('a container that is not there is a mistake of who asked', async () => {
      const args = { engine: 'here', container: 'wbe' };
      expect(await refusal(docker.inspect('wbe'))).toMatchObject({ code: 'docker-no-container', kind: 'usage', args });
      expect(await refusal(docker.restart('wbe', 1))).toMatchObject({ code: 'docker-no-container', kind: 'usage' });
    });

    it.each(['--help', '-a', '', 'a b', 'a;reboot', '$(reboot)', '../web', 'веб'])(
      '%j never reaches the command line',
      async (name) => {
        expect((await refusal(docker.inspect(name))).code).toBe('docker-name');
        expect((await refusal(docker.restart(name, 1))).code).toBe('docker-name');
      },
    );

    it('works over SSH, and says so when the user may not', async () => {
      const sshd = await startSshd();
      const privateKey = () => Promise.resolve(new Secret(sshd.privateKey));
      const { host, port, user, hostKey } = sshd;
      const executor = createSshExecutor(
        { host, port, user, privateKey, hostKey },
        { clock: systemClock, log: silentLog },
      );
      const remote = createDocker({ id: 'there', binary: engine.docker }, { executor });
      try {
        // A user of its own, who is not in the group docker: the socket is the administrator's.
        const denied = await refusal(remote.inspect('web'));
        expect(denied).toMatchObject({ code: 'docker-denied', kind: 'permanent', args: { engine: 'there' } });
        expect(await remote.probe(new AbortController().signal)).toMatchObject({
          state: 'down',
          text: 'err-docker-denied',
        });
      } finally {
        executor.close();
        await sshd.stop();
      }
    });

    it('the line for doctor counts what runs, and an engine that is away is passing trouble', async () => {
      const signal = new AbortController().signal;
      const line = await docker.probe(signal);
      expect(line).toMatchObject({ state: 'ok', text: 'docker-probe-ok', args: { running: 3, all: 4 } });
      expect(line.args?.['version']).toMatch(/^\d+\.\d+/);
      await engine.stopEngine();
      expect(await refusal(docker.inspect('web'))).toMatchObject({ code: 'docker-down', kind: 'transient' });
      expect(await refusal(docker.restart('web', 1))).toMatchObject({ code: 'docker-down', kind: 'transient' });
      expect(await docker.probe(signal)).toMatchObject({ state: 'down', text: 'err-docker-down' });
    });
  });
});
