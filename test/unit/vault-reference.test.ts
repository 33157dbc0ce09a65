import { describe, expect, it } from 'vitest';
import { problemOf } from '../../src/integrations/vault/errors.ts';
import { parseReference, secretPath } from '../../src/integrations/vault/reference.ts';

describe('a reference', () => {
  it('has a path and a key', () => {
    expect(parseReference('secret/postgres/main#password')).toEqual({ path: 'secret/postgres/main', key: 'password' });
  });

  it.each([
    '',
    'secret/postgres/main',
    'secret/postgres/main#',
    '#password',
    'secret#password',
    'secret/#password',
    '/secret/x#k',
    'secret//x#k',
    'secret/../sys/mounts#k',
    'secret/./x#k',
    'secret/data/x#k',
    'secret/x#a#b',
    'secret/x y#k',
    'secret/x?version=1#k',
    'secret/%2e%2e/x#k',
  ])('%j is none', (reference) => {
    expect(() => parseReference(reference)).toThrow(
      expect.objectContaining({ kind: 'usage', code: 'vault-reference' }),
    );
  });
});

describe('a path', () => {
  it('begins with the mount', () => {
    expect(secretPath('secret/postgres/main')).toEqual({ mount: 'secret', path: 'postgres/main' });
    expect(secretPath('kv/infra/db', 'kv/infra')).toEqual({ mount: 'kv/infra', path: 'db' });
    expect(secretPath('kv/infra/db', '/kv/infra/')).toEqual({ mount: 'kv/infra', path: 'db' });
  });

  it('of another mount than the one set is refused', () => {
    expect(() => secretPath('kv/infrastructure/db', 'kv/infra')).toThrow(
      expect.objectContaining({ code: 'vault-reference' }),
    );
  });
});

describe('the texts of an error answer', () => {
  it.each([
    [
      403,
      { errors: ['2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n'] },
      'permission denied, invalid token',
    ],
    [403, { errors: ['1 error occurred:\n\t* permission denied\n\n'] }, 'permission denied'],
    [400, { errors: ['invalid role or secret ID'] }, 'invalid role or secret ID'],
    [404, { errors: [] }, 'HTTP 404'],
    [502, '<html>Bad Gateway</html>', 'HTTP 502'],
    [500, null, 'HTTP 500'],
  ])('%i %j say %j', (status, body, problem) => {
    expect(problemOf(status, body)).toBe(problem);
  });
});
