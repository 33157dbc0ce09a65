import { describe, expect, it } from 'vitest';
import { delayNote, isLate } from '../../../src/bot/outbox/notes.ts';
import { cleanTopic } from '../../../src/bot/outbox/topics.ts';
import { plain, render, renderingHash } from '../../../src/bot/render.ts';
import { codePoints, MAX_CAPTION } from '../../../src/bot/render/text.ts';
import { minutes, seconds } from '../../../src/core/clock.ts';
import { doc, list, title } from '../../../src/core/doc.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { allMessages } from '../../../src/messages.gen.ts';

const texts = catalogue(allMessages);
const reader = { t: texts.for('en'), zone: 'UTC', now: new Date('2026-11-23T09:00:00Z') };

describe('the note of a delay', () => {
  it.each([
    [
      minutes(2) + 1,
      'unreachable',
      '⏱ Delayed 2 min: Telegram could not be reached.',
      '⏱ Опоздало на 2 мин: Telegram был недоступен.',
    ],
    [
      minutes(47) + seconds(59),
      'flood',
      '⏱ Delayed 47 min: Telegram asked to wait.',
      '⏱ Опоздало на 47 мин: Telegram просил подождать.',
    ],
    [minutes(125), 'late', '⏱ Delayed 2 h 5 min.', '⏱ Опоздало на 2 ч 5 мин.'],
  ] as const)('of %i ms (%s)', (ms, by, en, ru) => {
    expect(delayNote(ms, by, texts.for('en'))).toBe(en);
    expect(delayNote(ms, by, texts.for('ru'))).toBe(ru);
  });

  it('is not worth a word up to two minutes', () => {
    expect([isLate(minutes(2)), isLate(minutes(2) + 1)]).toEqual([false, true]);
  });
});

describe('the name of a topic', () => {
  it.each([
    ['postgres', 'postgres'],
    ['  two\nlines ', 'two ⏎ lines'],
    [' \n ', undefined],
    ['', undefined],
    ['я'.repeat(200), 'я'.repeat(128)],
    ['😀'.repeat(129), '😀'.repeat(128)],
    ['a\u0000b', 'a␀b'],
  ])('%j becomes %j', (name, clean) => {
    expect(cleanTopic(name)).toBe(clean);
  });
});

describe('text under a picture', () => {
  const long = doc(
    title('critical', 'long'),
    list(Array.from({ length: 90 }, (_, n) => `machine number ${n} is down`)),
  );

  it.each([
    ['rendered', render],
    ['plain', plain],
  ])('%s, keeps to what a caption holds; the whole comes as a file', (_, draw) => {
    const drawn = draw(long, reader, MAX_CAPTION);
    expect(codePoints(drawn.text)).toBeLessThanOrEqual(MAX_CAPTION);
    expect(drawn.files[0]?.text).toContain('machine number 89');
    expect(codePoints(draw(long, reader).text)).toBeGreaterThan(MAX_CAPTION);
  });

  it('with another picture is another drawing', () => {
    const drawn = render(doc(title('ok', 'short')), reader);
    expect(new Set([renderingHash(drawn), renderingHash(drawn, 'a'), renderingHash(drawn, 'b')]).size).toBe(3);
  });
});
