/**
 * What every Vault or OpenBao must do for our port. Runs against the simulator; against a real server as well with
 *
 *   VAULT_ADDR=https://vault.lan:8200 VAULT_ROLE_ID=… VAULT_SECRET_ID=…  [VAULT_CA=<PEM>] [VAULT_NAMESPACE=…]
 *   VAULT_TEST_PATH=secret/vakhta-test VAULT_TEST_KEY=key VAULT_TEST_VALUE=value   (vault kv put secret/vakhta-test key=value)
 *
 * The policy of the role needs `read` on that path, and on `<path>-missing`; nothing on `<path>-denied`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { real, simulated, type Subject } from './subject.ts';

const subjects: (() => Promise<Subject>)[] = [simulated];
if (process.env.VAULT_ADDR !== undefined) subjects.push(() => Promise.resolve(real(process.env)));

describe.each(subjects)('a Vault (subject %#)', (open) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(() => subject.close());

  it('tells without a login that it is unsealed', async () => {
    const { state, version } = await subject.vault.health();
    expect(['active', 'standby']).toContain(state);
    expect(version).toMatch(/^\d+\./);
  });

  it('passes the probe', async () => {
    expect(await subject.vault.probe(new AbortController().signal)).toMatchObject({
      text: expect.stringMatching(/^vault-probe-/),
    });
  });

  it('gives a value, which does not print', async () => {
    const secret = await subject.vault.readSecret(subject.path, subject.key);
    expect(secret.reveal()).toBe(subject.value);
    expect([String(secret), JSON.stringify({ secret })]).toEqual(['[redacted]', '{"secret":"[redacted]"}']);
  });

  it('says when the key is missing, and which keys there are', async () => {
    await expect(subject.vault.readSecret(subject.path, 'no-such-key')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'vault-no-key',
      args: { path: subject.path, key: 'no-such-key', keys: expect.stringContaining(subject.key) },
    });
  });

  it('does not take a property of every object for a key', async () => {
    await expect(subject.vault.readSecret(subject.path, 'constructor')).rejects.toMatchObject({ code: 'vault-no-key' });
  });

  it('says when there is no secret', async () => {
    const path = `${subject.path}-missing`;
    await expect(subject.vault.readSecret(path, 'x')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'vault-no-secret',
      args: { path },
    });
  });

  it('says when the policy forbids it', async () => {
    const path = `${subject.path.replace(/\/.*/, '')}/vakhta-denied`;
    await expect(subject.vault.readSecret(path, 'x')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'vault-denied',
      args: { path },
    });
  });

  it('refuses a wrong secret id', async () => {
    await expect(subject.stranger.readSecret(subject.path, subject.key)).rejects.toMatchObject({
      kind: 'permanent',
      code: 'vault-login',
    });
    expect(await subject.stranger.probe(new AbortController().signal)).toMatchObject({
      state: 'down',
      text: 'err-vault-login',
    });
  });
});
