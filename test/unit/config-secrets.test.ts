import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileContent } from '../../src/config/files.ts';
import { messages } from '../../src/config/messages.ts';
import { formatSecretRef, parseSecretRef, SECRET_REF_PATTERN } from '../../src/config/secret-ref.ts';
import { createSecrets } from '../../src/config/secrets.ts';
import type { Finding } from '../../src/config/sections/common.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { Secret } from '../../src/core/secret.ts';

const ref = (text: string) => {
  const parsed = parseSecretRef(text);
  if (parsed === undefined) throw new Error(`${text} is no reference`);
  return parsed;
};

describe('references', () => {
  it.each([
    ['env:VAKHTA_TOKEN', { scheme: 'env', name: 'VAKHTA_TOKEN' }],
    ['file:/run/secrets/x', { scheme: 'file', path: '/run/secrets/x' }],
    ['file:relative/path with space', { scheme: 'file', path: 'relative/path with space' }],
    ['vault:secret/app#password', { scheme: 'vault', path: 'secret/app', key: 'password' }],
    ['vault:kv/a/b.c#k', { scheme: 'vault', path: 'kv/a/b.c', key: 'k' }],
  ])('%s', (text, expected) => {
    expect(parseSecretRef(text)).toEqual(expected);
    expect(formatSecretRef(ref(text))).toBe(text);
  });

  it.each([
    '',
    'env:',
    'env:1A',
    'env:A-B',
    'env: A',
    'file:',
    'file: x',
    'vault:',
    'vault:a',
    'vault:#b',
    'vault:a/b#',
    'vault:a/#b',
    'vault:a/b#c#d',
    'vault:a#b',
    'vault:a/data/b#c',
    'vault:a/../b#c',
    'vault:../b#c',
    'vault:a/..#c',
    'vault:a/b/..#c',
    'vault:a//b#c',
    'vault:a/b?x#c',
    'hunter2',
    'ENV:A',
    ' env:A',
  ])('%j is none', (text) => expect(parseSecretRef(text)).toBeUndefined());

  it('the JSON Schema’s pattern accepts the same strings', () => {
    const pattern = new RegExp(SECRET_REF_PATTERN, 'u');
    const near = fc.tuple(
      fc.constantFrom('env:', 'file:', 'vault:', ''),
      fc.string({ unit: fc.constantFrom('a', 'B', '_', '1', '/', '#', ' ', '-', '.', 'data/', '\n') }),
    );
    fc.assert(
      fc.property(near, ([scheme, rest]) => {
        expect(pattern.test(scheme + rest)).toBe(parseSecretRef(scheme + rest) !== undefined);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('resolving', () => {
  const world = (files: Record<string, FileContent> = {}) => {
    const learned: string[] = [];
    const warnings: Finding[] = [];
    const redactor = createRedactor();
    const secrets = createSecrets({
      env: { A: 'value-of-a', EMPTY: ' ' },
      readFile: async (path) => files[path] ?? Promise.reject(Object.assign(new Error(path), { code: 'ENOENT' })),
      vault: { readSecret: async (path, key) => new Secret(`${path}|${key}`) },
      learn: (secret) => {
        learned.push(secret.reveal());
        redactor.learn(secret);
      },
      onWarning: (warning) => warnings.push(warning),
    });
    return {
      secrets,
      learned,
      warnings,
      redactor,
      read: async (text: string) => (await secrets.source(ref(text))()).reveal(),
    };
  };

  it('reads the environment, files and Vault', async () => {
    const { read } = world({
      '/x': { text: 'line one\nline two\r\n', mode: 0o600 },
      '/y': { text: 'two\n\n', mode: 0o600 },
    });
    expect(await read('env:A')).toBe('value-of-a');
    expect(await read('file:/x')).toBe('line one\nline two');
    expect(await read('file:/y')).toBe('two\n');
    expect(await read('vault:secret/app#pw')).toBe('secret/app|pw');
  });

  it('reads anew each time, so that a rotation needs no restart', async () => {
    const file = { text: 'old-value', mode: 0o600 };
    const files: Record<string, FileContent> = { '/x': file };
    const { secrets, learned } = world(files);
    const source = secrets.source(ref('file:/x'));
    expect((await source()).reveal()).toBe('old-value');
    files['/x'] = { text: 'new-value', mode: 0o600 };
    expect((await source()).reveal()).toBe('new-value');
    await source();
    expect(learned).toEqual(['old-value', 'new-value']);
    expect(secrets.revealed().map((secret) => secret.reveal())).toEqual(['old-value', 'new-value']);
  });

  it('the redactor knows a value before its reader does', async () => {
    const { read, redactor } = world();
    expect(redactor.redact('value-of-a')).toBe('value-of-a');
    await read('env:A');
    expect(redactor.redact('got value-of-a')).toBe('got [redacted]');
  });

  it.each([
    ['env:MISSING', 'secret-env', 'env:MISSING: the environment variable MISSING is not set'],
    ['env:EMPTY', 'secret-empty', 'env:EMPTY is empty'],
    ['file:/none', 'secret-file', 'file:/none: the file cannot be read (ENOENT)'],
  ])('%s fails with %s and says what to do', async (text, code, sentence) => {
    const thrown: unknown = await world()
      .read(text)
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code, kind: 'permanent' });
    const { text: key, args } = thrown as { text: string; args: Record<string, string> };
    expect(catalogue([messages]).for('en')(key, args)).toContain(sentence);
    expect(catalogue([messages]).for('ru')(key, args)).toContain(text);
  });

  it('a Vault reference without Vault is an error, and Vault’s own errors come through', async () => {
    const without = createSecrets({ env: {}, readFile: async () => ({ text: '', mode: 0 }) });
    await expect(without.source(ref('vault:a/b#c'))()).rejects.toMatchObject({ code: 'secret-no-vault' });
    const sealed = new Error('Vault is sealed');
    const broken = createSecrets({
      env: {},
      readFile: async () => ({ text: '', mode: 0 }),
      vault: { readSecret: async () => Promise.reject(sealed) },
    });
    await expect(broken.source(ref('vault:a/b#c'))()).rejects.toBe(sealed);
  });

  it('warns once of a file that others can read, but not of Docker’s secrets', async () => {
    const { read, warnings } = world({
      '/open': { text: 'x-value', mode: 0o100644 },
      '/run/secrets/x': { text: 'y-value', mode: 0o100444 },
    });
    await read('file:/open');
    await read('file:/open');
    await read('file:/run/secrets/x');
    expect(warnings).toEqual([{ text: 'cfg-secret-file-mode', args: { path: '/open', mode: '644' } }]);
  });
});
