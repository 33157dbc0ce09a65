import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messages } from '../../../src/bot/render/messages.ts';
import { plain, type Reader, render, renderingHash } from '../../../src/bot/render.ts';
import { codePoints } from '../../../src/bot/render/text.ts';
import * as d from '../../../src/core/doc.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import type { Language } from '../../../src/core/people.ts';

const texts = catalogue([messages]);
const NOW = new Date('2026-11-23T11:05:00Z');
const reader = (language: Language = 'ru', zone = 'Europe/Moscow'): Reader => ({
  t: texts.for(language),
  zone,
  now: NOW,
});
const spans = (rendered: ReturnType<typeof render>) =>
  rendered.entities.map((one) => `${one.type}:${rendered.text.slice(one.offset, one.offset + one.length)}`);

describe('what a reader sees', () => {
  it('begins with the icon and its word, bold, in the reader’s language', () => {
    const doc = d.doc(d.title('critical', ['Диск ', d.code('db1')]));
    expect(render(doc, reader('ru')).text).toBe('🔴 КРИТИЧНО · Диск db1');
    expect(render(doc, reader('en')).text).toBe('🔴 CRITICAL · Диск db1');
    expect(spans(render(doc, reader('ru')))).toEqual(['bold:🔴 КРИТИЧНО · Диск ', 'code:db1']);
  });

  it('says times in the reader’s zone and language', () => {
    const at = (iso: string, as: 'clock' | 'date' | 'ago', language: Language = 'ru', zone = 'Europe/Moscow') =>
      render(d.doc(d.line(d.time(new Date(iso), as))), reader(language, zone)).text;
    expect(at('2026-11-23T11:05:00Z', 'clock')).toBe('14:05');
    expect(at('2026-11-23T11:05:00Z', 'date')).toBe('23 ноя 14:05');
    expect(at('2026-11-23T11:05:00Z', 'date', 'en', 'UTC')).toBe('23 Nov 11:05');
    expect(at('2025-12-31T22:30:00Z', 'date')).toBe('1 янв 01:30');
    expect(at('2025-05-01T00:00:00Z', 'date', 'en', 'UTC')).toBe('1 May 2025 00:00');
    expect(at('2026-11-23T11:00:00Z', 'ago')).toBe('5 мин назад');
    expect(at('2026-11-23T14:05:00Z', 'ago', 'en')).toBe('in 3 h');
  });

  it('aligns a narrow table and writes a wide one as lines', () => {
    const narrow = render(
      d.doc(
        d.table(
          [
            ['db1', '5'],
            ['gitlab', '12'],
          ],
          ['host', 'days'],
        ),
      ),
      reader('en'),
    );
    expect(narrow.text).toBe('host    days\ndb1        5\ngitlab    12');
    expect(spans(narrow)).toEqual([`pre:${narrow.text}`]);
    const wide = render(
      d.doc(d.table([['db1.example.org', 'certificate of the database', '12']], ['host', 'what', 'days'])),
      reader('en'),
    );
    expect(wide.text).toBe('db1.example.org · what: certificate of the database · days: 12');
  });

  it('shows control characters, half surrogates and direction marks instead of sending them', () => {
    const { text } = render(d.doc(d.line('a\u0000b\u001b[31m\ud800c\u202egnp.exe')), reader());
    expect(text).toBe('a␀b␛[31m\ufffdc\ufffdgnp.exe');
  });

  it('isolates right-to-left text, with the marks outside of what is copied', () => {
    const rendered = render(d.doc(d.line('host ', d.code('שלום'), ' down')), reader('en'));
    expect(rendered.text).toBe('host \u2068שלום\u2069 down');
    expect(spans(rendered)).toEqual(['code:שלום']);
  });

  it('writes out an address that Telegram would not open', () => {
    const doc = (url: string) =>
      ({ blocks: [d.line(d.link(url, 'graph'))], buttons: [[{ kind: 'url', label: 'Graph', url }]] }) as const;
    expect(render(doc('http://pve1:8006'), reader('en'))).toMatchObject({
      text: 'graph (http://pve1:8006)\nGraph: http://pve1:8006',
      keyboard: [],
    });
    expect(render(doc('javascript:alert(1)'), reader('en')).keyboard).toEqual([]);
    expect(render(doc('https://g.example.org/a?b=1'), reader('en'))).toMatchObject({
      text: 'graph',
      keyboard: [[{ kind: 'url' }]],
    });
  });

  it('offers at most three buttons a row and a hundred in all, and says how many are missing', () => {
    const button = (n: number): d.Button => ({ kind: 'press', label: `b${n}`, press: { kind: 'view', view: `${n}` } });
    const rendered = render({ blocks: [], buttons: [Array.from({ length: 103 }, (_, n) => button(n))] }, reader());
    expect(rendered.keyboard.flat()).toHaveLength(100);
    expect(Math.max(...rendered.keyboard.map((row) => row.length))).toBe(3);
    expect(rendered.text).toBe('… ещё 3 кнопки не поместились');
  });

  it('folds what is too long and sends the whole as a file', () => {
    const items = Array.from({ length: 500 }, (_, n) => `alert ${n} on a machine`);
    const rendered = render(d.doc(d.title('critical', 'storm'), d.list(items), d.line('end')), reader('ru'));
    expect(rendered.text).toContain('… ещё 440');
    expect(rendered.text).toContain('end');
    expect(rendered.text).toContain('Сокращено; всё целиком — в файле message.txt');
    expect(rendered.files[0]?.text).toContain('alert 499 on a machine');
  });

  it('keeps links when there are too many looks', () => {
    const items = Array.from({ length: 70 }, (_, n) => [d.bold(`b${n}`), ' ', d.link(`https://e.org/${n}`, `l${n}`)]);
    const rendered = render(d.doc(d.list(items)), reader());
    expect(rendered.entities).toHaveLength(100);
    expect(rendered.entities.filter((one) => one.type === 'text_link')).toHaveLength(70);
    expect(rendered.files).toEqual([]);
  });

  it('never sends an empty message', () => {
    expect(render(d.doc(), reader('en')).text).toBe('(empty)');
    expect(render(d.doc(d.line(' \u200b')), reader('en')).text).toBe('(empty)');
  });

  it('gives the same in plain text, with addresses written out', () => {
    const rendered = plain(d.doc(d.line(d.bold('a'), ' ', d.link('https://e.org', 'l'))), reader());
    expect(rendered).toMatchObject({ text: 'a l (https://e.org)', entities: [] });
  });

  it('has a fingerprint that changes with what people see, and begins with the state', () => {
    const of = (...blocks: d.Block[]) => renderingHash(render(d.doc(...blocks), reader()));
    expect(of(d.title('ok', 'a'))).toBe(of(d.title('ok', 'a')));
    expect(of(d.title('ok', 'a'))).not.toBe(of(d.title('ok', d.code('a'))));
    expect(of(d.title('ok', 'a'))).toMatch(/^ok\./);
  });
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({
    unit: fc.constantFrom('\ud800', '\udc00', '👩‍👩‍👧', '\u202e', 'ש', '\u0000', '\n', ' ', '</b>', '/x', '@a'),
    maxLength: 40,
  }),
  fc.constantFrom('x'.repeat(5000), '🔥'.repeat(3000), '\n'.repeat(50), ''),
);
const inline: fc.Arbitrary<d.Inline> = fc.letrec<{ one: d.Inline }>((tie) => ({
  one: fc.oneof(
    { maxDepth: 3 },
    hostile,
    hostile.map(d.code),
    fc.date({ noInvalidDate: false }).map((at) => d.time(at)),
    fc.array(tie('one'), { maxLength: 3 }).map((of) => d.bold(...of)),
    fc.array(tie('one'), { maxLength: 3 }).map((of) => d.italic(...of)),
    fc.tuple(hostile, tie('one')).map(([path, of]) => d.link(`https://e.org/${path}`, of)),
  ),
})).one;
const inlines = fc.array(inline, { maxLength: 4 });
const cells = fc.array(fc.array(hostile, { maxLength: 4 }), { maxLength: 6 });
const block: fc.Arbitrary<d.Block> = fc.oneof(
  inlines.map((of) => d.title('critical', of)),
  inlines.map((of) => d.line(...of)),
  fc.array(inlines, { maxLength: 60 }).map((items) => d.list(items)),
  fc.array(inlines, { maxLength: 60 }).map((lines) => d.quote(lines, true)),
  hostile.map(d.pre),
  cells.map((rows) => d.table(rows)),
  fc.array(fc.tuple(hostile, inlines), { maxLength: 6 }).map((rows) => d.facts(...rows)),
  fc.constant(d.gap),
);

describe('whatever is in a document', () => {
  it('is a message that Telegram accepts, or says what is in the file', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const { text, entities, files } = render({ blocks }, reader('ru'));
        expect(codePoints(text)).toBeLessThanOrEqual(4096);
        expect(text.trim()).toBe(text);
        expect(text).not.toBe('');
        expect(text.isWellFormed()).toBe(true);
        expect(/(?![\n\t])\p{Cc}|[\u202a-\u202e]/u.test(text)).toBe(false);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(32_768);
        expect(entities.length).toBeLessThanOrEqual(100);
        for (const one of entities) {
          expect(one.length).toBeGreaterThan(0);
          expect(one.offset + one.length).toBeLessThanOrEqual(text.length);
          expect(text.slice(one.offset, one.offset + one.length).isWellFormed()).toBe(true);
          for (const other of entities) {
            const [a, b] = [one.offset + one.length, other.offset + other.length];
            const apart = a <= other.offset || b <= one.offset;
            const inside = (one.offset >= other.offset && a <= b) || (other.offset >= one.offset && b <= a);
            expect(apart || inside).toBe(true);
            const isCode = one.type === 'code' || one.type === 'pre';
            // Nothing but a quote may lie around code.
            expect(one === other || !isCode || apart || other.type.endsWith('quote')).toBe(true);
          }
        }
        expect(files).toHaveLength(text.includes('Сокращено') ? 1 : 0);
      }),
      { numRuns: 70 },
    );
  });

  it('can be sent as plain text too', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 8 }), (blocks) => {
        const { text, entities } = plain({ blocks }, reader('en'));
        expect(codePoints(text)).toBeLessThanOrEqual(4096);
        expect(text).not.toBe('');
        expect(entities).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});
