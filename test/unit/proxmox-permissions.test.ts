import { describe, expect, it } from 'vitest';
import { holdsAt, sight } from '../../src/integrations/proxmox/permissions.ts';
import { permissions } from '../../src/integrations/proxmox/wire.ts';

const held = (paths: Record<string, Record<string, number>>) => permissions.parse(paths);

describe('a privilege', () => {
  it('held at the path counts, propagating or not', () => {
    expect(holdsAt(held({ '/vms/101': { 'VM.Audit': 0 } }), '/vms/101', 'VM.Audit')).toBe(true);
  });

  it('comes down from above only when it propagates', () => {
    expect(holdsAt(held({ '/vms': { 'VM.Audit': 1 } }), '/vms/101', 'VM.Audit')).toBe(true);
    expect(holdsAt(held({ '/vms': { 'VM.Audit': 0 } }), '/vms/101', 'VM.Audit')).toBe(false);
    expect(holdsAt(held({ '/': { 'VM.Audit': 1 } }), '/vms/101', 'VM.Audit')).toBe(true);
  });

  it('is replaced by a nearer entry that lacks it', () => {
    expect(holdsAt(held({ '/': { 'VM.Audit': 1 }, '/vms/101': { 'VM.Console': 1 } }), '/vms/101', 'VM.Audit')).toBe(
      false,
    );
  });

  it('is not held where nothing is', () => {
    expect(holdsAt(held({}), '/', 'Sys.Audit')).toBe(false);
  });

  it('is read from an echoed path with a slash at its end', () => {
    expect(holdsAt(held({ '/access/groups/': { 'Sys.Audit': 1 } }), '/access/groups', 'Sys.Audit')).toBe(true);
    expect(holdsAt(held({ '/': { 'Sys.Audit': 1 } }), '/nodes', 'Sys.Audit')).toBe(true);
  });
});

describe('how much of a list is seen', () => {
  it.each([
    [{ '/': { 'VM.Audit': 1 } }, 'all'],
    [{ '/vms': { 'VM.Audit': 1 } }, 'all'],
    [{ '/vms': { 'VM.Audit': 1 }, '/vms/105': { 'VM.Console': 1 } }, 'some'],
    [{ '/vms/101': { 'VM.Audit': 1 } }, 'some'],
    [{ '/vms': { 'VM.Audit': 0 } }, 'none'],
    [{ '/': { 'VM.Audit': 0 } }, 'none'],
    [{ '/vmsx/1': { 'VM.Audit': 1 } }, 'none'],
    [{ '/storage': { 'VM.Audit': 1 } }, 'none'],
    [{}, 'none'],
  ])('%j shows %s of the guests', (paths, expected) => {
    expect(sight(held(paths), '/vms', 'VM.Audit')).toBe(expected);
  });
});
