import { describe, expect, it } from 'vitest';
import { ERROR_CODES, exitError, isLasting } from '../../src/integrations/restic/errors.ts';
import { messages } from '../../src/integrations/restic/messages.ts';

/** As restic 0.14 and rclone 1.60 write them. */
const RETRY =
  'Remove(<snapshot/0ea9f8c1de>) returned error, retrying after 720.254544ms: client.RemoveObject: Access Denied';
const KEYS =
  'rclone: 2026/11/24 04:19:32 ERROR : keys/099b89cc: Post request put error: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const BUCKET =
  'rclone: 2026/11/24 04:19:29 ERROR : keys/e1736ee3: Post request put error: NoSuchBucket: The specified bucket does not exist';

describe('what restic says of a store', () => {
  it.each([
    [RETRY, 'restic-place-denied'],
    [KEYS, 'restic-keys'],
    [BUCKET, 'restic-no-bucket'],
  ])('%s: no second try changes it', (line, code) => {
    expect(isLasting(line)).toBe(true);
    expect(exitError('files', { code: 1, stderr: line })).toMatchObject({ code, kind: 'permanent' });
  });

  it.each([
    'Load(<data/0ea9f8c1de>, 0, 0) returned error, retrying after 552.33ms: Get "http://s3/x": dial tcp 127.0.0.1:9: connect: connection refused',
    'rclone: 2026/11/24 04:18:17 NOTICE: Config file "/root/.config/rclone/rclone.conf" not found - using defaults',
    'error: open /srv/AccessDenied.log: permission denied',
  ])('%s: may become well', (line) => {
    expect(isLasting(line)).toBe(false);
  });

  it('has words for each error in both languages', () => {
    for (const code of [...ERROR_CODES, 'restic-failed']) {
      for (const text of [messages.en, messages.ru]) expect(text).toContain(`err-${code} = `);
    }
  });
});
