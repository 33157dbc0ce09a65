import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AuditEntry,
  type AuditFact,
  checkChain,
  checkEnd,
  GENESIS,
  hashOf,
  nextEntry,
} from '../../src/core/audit.ts';
import { canonicalJson, cleanText, toJson } from '../../src/core/json.ts';

const at = new Date('2026-03-01T10:00:00.123Z');
const fact = (n: number): AuditFact => ({
  at,
  actor: 'operator:anna',
  action: 'run.asked',
  subject: `run ${n}`,
  detail: { n },
});

function chainOf(length: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let n = 1; n <= length; n += 1) entries.push(nextEntry(entries.at(-1) ?? GENESIS, fact(n)));
  return entries;
}

describe('canonical JSON', () => {
  test('does not depend on the order of keys, and is the same after a round trip', () => {
    expect(canonicalJson({ b: 1, a: { d: [1, { z: 0, y: null }], c: undefined } })).toBe(
      '{"a":{"d":[1,{"y":null,"z":0}]},"b":1}',
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  test('dates are texts; what PostgreSQL refuses is replaced, also in keys', () => {
    expect(canonicalJson({ at })).toBe('{"at":"2026-03-01T10:00:00.123Z"}');
    expect(canonicalJson({ 'a\0': ['\0', '\ud800', '😀'] })).toBe('{"a\uFFFD":["\uFFFD","\uFFFD","😀"]}');
    expect(cleanText('\udc00a\0')).toBe('\uFFFDa\uFFFD');
    expect(toJson('a text with \\u0000 in it')).toBe('"a text with \\\\u0000 in it"');
  });
});

describe('the chain', () => {
  test('the hash is pinned: a change of the format would make every old chain look altered', () => {
    expect(nextEntry(GENESIS, fact(1)).hash).toBe('c320ecd1a4e9eb8b92f94221ff39609b11a30a76ae9917908bed80f493810bdd');
  });

  test('an untouched chain is whole, in one piece or in pages', () => {
    const entries = chainOf(7);
    const whole = checkChain(GENESIS, entries);
    expect(whole).toEqual({ ok: true, head: { seq: 7, hash: entries[6]!.hash } });
    const first = checkChain(GENESIS, entries.slice(0, 3));
    expect(first.ok && checkChain(first.head, entries.slice(3))).toEqual(whole);
  });

  test('any altered field is found at its place', () => {
    const change: ((entry: AuditEntry) => AuditEntry)[] = [
      (entry) => ({ ...entry, actor: 'operator:mallory' }),
      (entry) => ({ ...entry, action: 'run.approved' }),
      (entry) => ({ ...entry, subject: 'run 9' }),
      (entry) => ({ ...entry, at: new Date(at.getTime() + 1) }),
      (entry) => ({ ...entry, detail: { n: 4 } }),
      (entry) => ({ ...entry, hash: entry.hash.replace(/^./, (c) => (c === '0' ? '1' : '0')) }),
      (entry) => ({ ...entry, prevHash: entry.hash }),
    ];
    for (const alter of change) {
      const entries = chainOf(5).map((entry) => (entry.seq === 3 ? alter(entry) : entry));
      expect(checkChain(GENESIS, entries)).toEqual({ ok: false, seq: 3, why: 'altered' });
    }
  });

  test('an entry that was forged with a right hash breaks the link to the next', () => {
    const entries = chainOf(5).map((entry) => {
      const forged = { ...entry, actor: 'operator:mallory' };
      return entry.seq === 3 ? { ...forged, hash: hashOf(forged) } : entry;
    });
    expect(checkChain(GENESIS, entries)).toEqual({ ok: false, seq: 4, why: 'reordered' });
  });

  test('removed and reordered entries, a removed tail and another head are found', () => {
    const entries = chainOf(5);
    expect(checkChain(GENESIS, entries.toSpliced(2, 1))).toEqual({ ok: false, seq: 3, why: 'removed' });
    expect(checkChain(GENESIS, [entries[0]!, entries[1]!, entries[1]!])).toEqual({
      ok: false,
      seq: 3,
      why: 'reordered',
    });
    const head = { seq: 5, hash: entries[4]!.hash };
    expect(checkEnd({ seq: 3, hash: entries[2]!.hash }, head)).toEqual({ ok: false, seq: 4, why: 'tail-removed' });
    expect(checkEnd(head, { ...head, hash: '0'.repeat(64) })).toEqual({ ok: false, seq: 5, why: 'head-altered' });
    expect(checkEnd(head, head)).toEqual({ ok: true, head });
  });
});
