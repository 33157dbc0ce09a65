import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operator, Role } from '../../src/core/people.ts';
import {
  approvalFor,
  firstGate,
  gateAfterConfirm,
  mayApprove,
  mayAsk,
  needsDelay,
  needsStepUp,
  RISKS,
  type Approval,
} from '../../src/core/policy.ts';

const APPROVALS = ['none', 'confirm', 'second', 'destroy'] as const satisfies readonly Approval[];
const person = (id: string, role: Role): Operator => ({
  id,
  name: id,
  telegramId: 1,
  role,
  language: 'en',
  zone: 'UTC',
  hasTotp: true,
});

describe('approval', () => {
  it('follows the risk', () => {
    expect(RISKS.map((risk) => approvalFor(risk))).toEqual(['none', 'none', 'confirm', 'destroy']);
  });

  it('can be made stricter, never laxer', () => {
    fc.assert(
      fc.property(fc.constantFrom(...RISKS), fc.constantFrom(...APPROVALS), (risk, declared) => {
        const rank = (one: Approval) => APPROVALS.indexOf(one);
        expect(rank(approvalFor(risk, declared))).toBe(Math.max(rank(approvalFor(risk)), rank(declared)));
      }),
    );
  });

  it.each([
    ['none', false, 'queued', false, false],
    ['none', true, 'queued', false, false],
    ['confirm', false, 'confirming', false, false],
    ['confirm', true, 'confirming', false, false],
    ['second', false, 'approving', false, false],
    ['second', true, 'confirming', true, true],
    ['destroy', false, 'confirming', true, false],
    ['destroy', true, 'confirming', true, true],
  ] as const)('%s, solo %s: first %s, step-up %s, delay %s', (approval, solo, gate, stepUp, delay) => {
    expect(firstGate(approval, solo)).toBe(gate);
    expect(needsStepUp(approval, solo)).toBe(stepUp);
    expect(needsDelay(approval, solo)).toBe(delay);
    expect(gateAfterConfirm(approval, solo)).toBe(approval === 'destroy' && !solo ? 'approving' : 'queued');
  });

  it('nothing is started by one person alone that needs two, or one and a code', () => {
    for (const approval of ['second', 'destroy'] as const) {
      expect(
        firstGate(approval, true) === 'confirming' && needsStepUp(approval, true) && needsDelay(approval, true),
      ).toBe(true);
      expect(firstGate(approval, false) === 'approving' || gateAfterConfirm(approval, false) === 'approving').toBe(
        true,
      );
    }
  });
});

describe('who approves', () => {
  it('is never the requester, and an admin where something is destroyed', () => {
    const needed = { role: 'operator', risk: 'change' } as const;
    expect(mayApprove(person('anna', 'operator'), 'boris', needed)).toBe('ok');
    expect(mayApprove(person('anna', 'operator'), 'anna', needed)).toBe('own-run');
    expect(mayApprove(person('vera', 'viewer'), 'anna', needed)).toBe('role');
    expect(mayApprove(person('anna', 'operator'), 'boris', { ...needed, risk: 'destroy' })).toBe('role');
    expect(mayApprove(person('ada', 'admin'), 'boris', { ...needed, risk: 'destroy' })).toBe('ok');
    expect(mayApprove(person('ada', 'admin'), 'ada', { ...needed, risk: 'destroy' })).toBe('own-run');
  });
});

describe('who may ask', () => {
  it('is somebody who can answer the questions that come', () => {
    for (const approval of APPROVALS) {
      for (const solo of [true, false]) {
        expect(mayAsk('operator', approval, solo)).toBe(true);
        expect(mayAsk('outsider', approval, solo)).toBe(false);
        for (const kind of ['schedule', 'http', 'system'] as const) {
          expect(mayAsk(kind, approval, solo)).toBe(firstGate(approval, solo) !== 'confirming');
        }
      }
    }
    expect(mayAsk('cli', 'confirm', false)).toBe(true);
    expect(mayAsk('cli', 'destroy', false)).toBe(false);
    expect(mayAsk('cli', 'second', true)).toBe(false);
  });
});
