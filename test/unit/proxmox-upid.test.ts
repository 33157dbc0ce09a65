import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUpid, requireUpid, startedTask, taskOutcome } from '../../src/integrations/proxmox/upid.ts';

const GOOD = 'UPID:pve1:002CE248:15D28C02:687868CB:vzstart:104:vakhta@pve!watch:';

describe('a UPID', () => {
  it('is taken apart', () => {
    expect(parseUpid(GOOD)).toEqual({
      upid: GOOD,
      node: 'pve1',
      pid: 0x002ce248,
      pstart: 0x15d28c02,
      startTime: new Date('2025-07-17T03:06:51Z'),
      type: 'vzstart',
      id: '104',
      user: 'vakhta@pve!watch',
    });
  });

  it('may lack an id, and has nine digits of ticks after 497 days', () => {
    expect(parseUpid('UPID:ip-122-82-3-112:002CE248:115D28C02:687868CB:aptupdate::root@pam:')).toMatchObject({
      id: '',
      user: 'root@pam',
      pstart: 0x115d28c02,
    });
  });

  it.each([
    ['empty', ''],
    ['OK', 'OK'],
    ['without its last colon', GOOD.slice(0, -1)],
    ['with text before it', ` ${GOOD}`],
    ['with a line after it', `${GOOD}\n`],
    ['with a short pid', GOOD.replace('002CE248', '2CE248')],
    ['with a pid that is no number', GOOD.replace('002CE248', '00ZCE248')],
    ['of a backup server, with one field more', 'UPID:pbs:00000C38:000002B1:00000000:5F6C8A7E:verify:store:root@pam:'],
    ['without a user', GOOD.replace('vakhta@pve!watch', '')],
    ['with a path in its id', GOOD.replace(':104:', ':../104:')],
    ['of a node that begins with a dash', GOOD.replace('pve1', '-pve1')],
  ])('%s is none', (_, text) => {
    expect(parseUpid(text)).toBeUndefined();
    expect(() => requireUpid(text)).toThrow(expect.objectContaining({ kind: 'usage', code: 'proxmox-upid' }));
  });

  it('comes back whole from its parts, whatever they are', () => {
    const hex = (digits: number) =>
      fc.integer({ min: 0, max: 16 ** digits - 1 }).map((n) => n.toString(16).toUpperCase().padStart(digits, '0'));
    fc.assert(
      fc.property(hex(8), hex(8), hex(8), (pid, pstart, start) => {
        const upid = parseUpid(`UPID:n:${pid}:${pstart}:${start}:qmstart:201:root@pam:`);
        expect(upid?.pid).toBe(Number.parseInt(pid, 16));
        expect(upid?.pstart).toBe(Number.parseInt(pstart, 16));
        expect(upid?.startTime.getTime()).toBe(Number.parseInt(start, 16) * 1000);
      }),
    );
  });
});

describe('what a starting call answers', () => {
  it('is a task, or the word for nothing to do', () => {
    expect(startedTask(GOOD)?.type).toBe('vzstart');
    expect(startedTask('OK')).toBeUndefined();
  });

  it('is refused when it is neither: nobody could follow it', () => {
    expect(() => startedTask('done')).toThrow(expect.objectContaining({ code: 'proxmox-answer' }));
    expect(() => startedTask('')).toThrow(expect.objectContaining({ code: 'proxmox-answer' }));
  });
});

describe('an exit status', () => {
  it.each([
    ['OK', { outcome: 'ok' }],
    ['WARNINGS: 1', { outcome: 'warning', warnings: 1 }],
    ['WARNINGS: 12\n', { outcome: 'warning', warnings: 12 }],
    ['', { outcome: 'unknown' }],
    [undefined, { outcome: 'unknown' }],
    ['unexpected status', { outcome: 'unknown' }],
    ['ok', { outcome: 'error' }],
    ['OKAY', { outcome: 'error' }],
    ['WARNINGS: many', { outcome: 'error' }],
    ['received interrupt', { outcome: 'error' }],
    ['job errors', { outcome: 'error' }],
  ])('%j is %j', (text, outcome) => {
    expect(taskOutcome(text)).toEqual(outcome);
  });
});
