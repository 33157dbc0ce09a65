import fc from 'fast-check';

/** Text as the worst of senders write it. */
const hostile = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      '<b>bold</b> &amp; _*[x](http://y)`~|{}',
      '<&_*[',
      '```\n<script>\n```',
      'שלום עולם مرحبا',
      '\u202Eevil\u2066 \u200F',
      '👩‍👩‍👧‍👦🔥🇷🇺',
      'e\u0301'.repeat(40),
      'a\0b',
      '\uD800',
      'x\uDC00y',
      '',
      ' ',
      '\n\n\n',
      '\u00A0\u2007\u3164',
      '__proto__',
      'constructor',
      'tg://user?id=1 @admin /start #tag https://example.org/?a=b&c=d',
      '{{ template "x" }}',
      '%s %d ${x} { $n }',
    ),
  },
);
const long = fc
  .tuple(fc.constantFrom('слово ', 'x', '🔥', '<&', '\n', 'https://example.org/'), fc.integer({ min: 200, max: 3000 }))
  .map(([piece, times]) => piece.repeat(times));
/** 50 kB and more. */
const huge = fc
  .tuple(fc.constantFrom('слово ', 'строка\n', '👩‍👩‍👧‍👦', '<&_*[', 'x'), hostile)
  .map(([piece, end]) => piece.repeat(Math.ceil(50_000 / piece.length)) + end);
const value = fc.oneof(
  { weight: 60, arbitrary: hostile },
  { weight: 3, arbitrary: long },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.constant({ a: ['<&'] })) },
);
const names = fc.oneof(
  fc.constantFrom(
    'alertname',
    'instance',
    'severity',
    'summary',
    'description',
    'runbook_url',
    'job',
    'title',
    'message',
  ),
  hostile,
);
const dictionary = fc.dictionary(names, value, { maxKeys: 5 });
const instant = fc.oneof(
  hostile,
  fc.constantFrom('2026-03-01T02:59:00Z', '0001-01-01T00:00:00Z', '2026-03-01T02:59:30Z'),
);
const status = fc.constantFrom('firing', 'firing', 'resolved', 'strange');
const alert = fc.record(
  {
    status,
    labels: dictionary,
    annotations: dictionary,
    startsAt: instant,
    endsAt: instant,
    generatorURL: value,
    fingerprint: fc.oneof(hostile, fc.constantFrom('abcdef0123456789', '0f')),
    silenceURL: value,
  },
  { requiredKeys: ['labels'] },
);
const many = fc.tuple(fc.integer({ min: 100, max: 500 }), hostile).map(([count, text]) =>
  Array.from({ length: count }, (_, n) => ({
    status: n % 3 === 0 ? 'resolved' : 'firing',
    labels: { alertname: 'Many', instance: `host-${n}`, odd: text },
    annotations: { summary: `${n} ${text}` },
    startsAt: '2026-03-01T02:59:00Z',
  })),
);
const words = huge.map((description) => [
  { status: 'firing', labels: { alertname: 'Wordy' }, annotations: { description, summary: description } },
]);

/** Bodies of webhooks that are accepted, however strange: markup, RTL, emoji, lone surrogates, 50 kB of words, 500 alerts. */
export const payloads: fc.Arbitrary<string> = fc
  .record(
    {
      alerts: fc.oneof(
        { weight: 300, arbitrary: fc.array(alert, { minLength: 1, maxLength: 4 }) },
        { weight: 2, arbitrary: words },
        { weight: 1, arbitrary: many },
      ),
      version: fc.constantFrom('4', '1', 4, null),
      groupKey: hostile,
      receiver: value,
      status,
      groupLabels: dictionary,
      commonLabels: dictionary,
      commonAnnotations: dictionary,
      truncatedAlerts: fc.constantFrom<unknown>(0, 0, 0, 3, -1, 1.5, '7', null, 'x', true),
      externalURL: value,
    },
    { requiredKeys: ['alerts'] },
  )
  .map((body) => JSON.stringify(body));
