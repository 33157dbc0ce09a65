import { describe, expect, it } from 'vitest';
import { containerName, exitError, parseInspect, parsePs } from '../../src/integrations/docker/wire.ts';

const inspected = {
  id: 'f'.repeat(64),
  name: '/nginx',
  image: 'nginx:1.27',
  status: 'running',
  startedAt: '2026-11-23T20:58:03.123456789Z',
  exitCode: 0,
  restarts: 2,
  health: null,
};

describe('what docker prints', () => {
  it('a container, with nanoseconds and a slash before its name', () => {
    expect(parseInspect(JSON.stringify(inspected))).toEqual({
      id: 'f'.repeat(64),
      name: 'nginx',
      image: 'nginx:1.27',
      status: 'running',
      startedAt: new Date('2026-11-23T20:58:03.123Z'),
      exitCode: 0,
      restarts: 2,
    });
  });

  it.each([
    ['healthy', 'healthy'],
    ['starting', 'starting'],
    ['unhealthy', 'unhealthy'],
    ['none', undefined],
    ['', undefined],
  ])('health %j is %j', (health, expected) => {
    expect(parseInspect(JSON.stringify({ ...inspected, health }))?.health).toBe(expected);
  });

  it.each(['', 'null', '[]', '{', '{"id":"short"}', JSON.stringify({ ...inspected, status: 'melting' })])(
    'is not understood when it is %j',
    (stdout) => {
      expect(parseInspect(stdout)).toBeUndefined();
    },
  );

  it('the list: one object a line, by name, an added link left out', () => {
    const line = (Names: string, State: string) => JSON.stringify({ Names, Image: 'i', State, Ports: '', ID: 'x' });
    const stdout = `${line('web-10', 'running')}\n${line('web-2', 'exited')}\n${line('web-10/db,db', 'running')}\n`;
    expect(parsePs(stdout)).toEqual([
      { name: 'db', image: 'i', status: 'running' },
      { name: 'web-2', image: 'i', status: 'exited' },
      { name: 'web-10', image: 'i', status: 'running' },
    ]);
    expect(parsePs('')).toEqual([]);
    expect(parsePs('no JSON')).toBeUndefined();
  });
});

describe('what docker says when it fails', () => {
  it.each([
    ['Error: No such container: wbe', 'docker-no-container', 'usage'],
    ['Error response from daemon: No such container: wbe', 'docker-no-container', 'usage'],
    ['Error: No such object: wbe', 'docker-no-container', 'usage'],
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'docker-down',
      'transient',
    ],
    [
      'Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix: connect: permission denied',
      'docker-denied',
      'permanent',
    ],
    [
      'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock',
      'docker-denied',
      'permanent',
    ],
    ['sudo: a password is required', 'docker-denied', 'permanent'],
    ['Error response from daemon: Cannot restart container x: driver failed', 'docker-failed', 'permanent'],
    ['', 'docker-failed', 'permanent'],
  ])('%s', (stderr, code, kind) => {
    expect(exitError('docker1', 'wbe', { code: 1, stderr })).toMatchObject({ code, kind, args: { engine: 'docker1' } });
  });

  it('its own words are kept, without the prefix', () => {
    const error = exitError('e', 'c', { code: 1, stderr: 'Error response from daemon: driver failed\n' });
    expect(error.args).toMatchObject({ detail: 'driver failed' });
    expect(exitError('e', 'c', { code: 137, stderr: '' }).args).toMatchObject({ detail: 'exit 137' });
  });
});

describe('names', () => {
  it.each(['nginx', 'my_app.web-1', 'a1', 'f'.repeat(64)])('%s is one', (name) => {
    expect(containerName(name)).toBe(name);
  });
  it.each(['', '-a', '--time=0', '.hidden', 'a b', 'a/b', 'a\nb', 'a;b', 'x'.repeat(200), 'имя'])(
    '%j is none',
    (name) => {
      expect(() => containerName(name)).toThrow(expect.objectContaining({ code: 'docker-name', kind: 'usage' }));
    },
  );
});
