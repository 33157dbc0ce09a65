import { describe, expect, test } from 'vitest';
import { type AlertFilter, filterWords, parseAlertFilter, passes } from '../../src/core/alert-filter.ts';
import { messageUrl } from '../../src/core/message-url.ts';

const person = (name: string): string | undefined => (name === 'anna' || name === 'анна' ? 'anna' : undefined);
const parse = (text: string): AlertFilter => {
  const parsed = parseAlertFilter(text.split(' ').filter(Boolean), 'boris', person);
  if (!parsed.ok) throw new Error(parsed.unknown);
  return parsed.filter;
};

describe('the filter of /alerts', () => {
  test.each([
    ['', { names: [] }],
    ['critical', { severity: 'critical', names: [] }],
    ['WARN Nginx', { severity: 'warning', names: ['nginx'] }],
    ['mine', { owner: { id: 'boris' }, names: [] }],
    ['мои критичные', { owner: { id: 'boris' }, severity: 'critical', names: [] }],
    ['free pg web', { owner: 'free', names: ['pg', 'web'] }],
    ['@Анна', { owner: { id: 'anna' }, names: [] }],
  ])('%j', (text, filter) => expect(parse(text)).toEqual(filter));

  test('somebody unknown is said, not ignored', () => {
    expect(parseAlertFilter(['@nobody'], 'boris', person)).toEqual({ ok: false, unknown: '@nobody' });
  });

  test('as words it is the same filter again', () => {
    for (const text of ['critical free nginx', '@anna', 'info a b']) {
      const filter = parse(text);
      expect(parse(filterWords(filter).join(' '))).toEqual(filter);
    }
  });

  test('all of it must hold', () => {
    const one = { severity: 'critical', owner: undefined, names: ['nginx', 'web1.example.net', 'tlsexpiry'] } as const;
    expect(passes(parse('critical nginx free'), one)).toBe(true);
    expect(passes(parse('web1'), one)).toBe(true);
    expect(passes(parse('warning'), one)).toBe(false);
    expect(passes(parse('mine'), one)).toBe(false);
    expect(passes(parse('nginx postgres'), one)).toBe(false);
    expect(passes(parse('@anna'), { ...one, owner: 'anna' })).toBe(true);
  });
});

test('only messages in supergroups have an address', () => {
  expect(messageUrl({ chat: -1001234, messageId: 5 })).toBe('https://t.me/c/1234/5');
  expect(messageUrl({ chat: -1001234, messageId: 5, thread: 77 })).toBe('https://t.me/c/1234/77/5');
  expect(messageUrl({ chat: -1001234 })).toBeUndefined();
  expect(messageUrl({ chat: 42, messageId: 5 })).toBeUndefined();
  expect(messageUrl({ chat: -5001, messageId: 5 })).toBeUndefined();
});
