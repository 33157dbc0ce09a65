import { describe, expect, test } from 'vitest';
import { messages } from '../../src/core/format.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { drawLineChart, type LineChart } from '../../src/tasks/charts/line-chart.ts';
import { formatValue } from '../../src/tasks/charts/numbers.ts';
import { pngOf } from '../../src/tasks/charts/png.ts';
import { timeTicks, valueScale } from '../../src/tasks/charts/scale.ts';
import { clipText, textWidth } from '../../src/tasks/charts/svg-text.ts';

const FROM = new Date('2026-11-22T20:00:00Z');
const TO = new Date('2026-11-23T02:00:00Z');
const t = catalogue([messages]).for('en');
const line = (values: readonly (number | undefined)[]): { at: Date; value: number }[] =>
  values.flatMap((value, n) => (value === undefined ? [] : [{ at: new Date(FROM.getTime() + n * 60_000), value }]));
const chart = (more: Partial<LineChart> = {}): LineChart => ({
  theme: 'dark',
  title: 'HostDiskFull',
  subtitle: 'x',
  footer: '23 Nov',
  zone: 'Europe/Moscow',
  from: FROM,
  to: TO,
  stepSeconds: 60,
  unit: 'plain',
  series: [{ label: '', points: line([1, 2, 3]) }],
  bands: [],
  bandLabel: 'firing',
  format: (value) => formatValue(value, 'plain', t),
  ...more,
});
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('numbers', () => {
  test.each([
    [0, '0'],
    [3.14159, '3.14'],
    [97.123, '97.1'],
    [12_345, '12345'],
    [1234.5, '1235'],
    [1_230_000, '1.23 M'],
    [-0.5, '−0.5'],
    [4.2e-7, '4.2e-7'],
    [3e18, '3.00e18'],
    [Number.NaN, '—'],
    [-Infinity, '−∞'],
  ])('%d is %s', (value, text) => expect(formatValue(value, 'plain', t)).toBe(text));

  test('with a unit', () => {
    expect(formatValue(34_000_000, 'bytes', t)).toBe('34 MB');
    expect(formatValue(11_400, 'seconds', t)).toBe('3 h 10 min');
    expect(formatValue(0, 'seconds', t)).toBe('0 s');
    expect(formatValue(0.000_05, 'seconds', t)).toBe('0.05 ms');
  });
});

describe('the axes', () => {
  test('begin at zero where that costs little, and hold the threshold', () => {
    expect(valueScale([40, 60], 90, 'plain')).toMatchObject({ from: 0, ticks: [0, 20, 40, 60, 80] });
    expect(valueScale([95, 96], undefined, 'plain').from).toBeGreaterThan(90);
    expect(valueScale([1, 1, 0], 0, 'plain').ticks).toContain(1);
  });

  test('a threshold that would press the data flat stays outside', () => {
    expect(valueScale([3, 4, 5], 5e6, 'plain').to).toBeLessThan(10);
  });

  test.each([[[]], [[0]], [[7, 7]], [[-3, -2]], [[1e-9, 2e-9]], [[1e30, 2e30]], [[Number.NaN, Infinity]]])(
    'are finite, in order and few for %j',
    (values) => {
      const { from, to, ticks } = valueScale(values, undefined, 'plain');
      expect(from).toBeLessThan(to);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThan(12);
      expect(ticks.every((tick) => Number.isFinite(tick) && tick >= from && tick <= to * 1.0001)).toBe(true);
    },
  );

  test('times are round in the zone, also where it is half an hour off or the clock jumps', () => {
    const at = (zone: string): string[] =>
      timeTicks(FROM, TO, zone, 7).map((one) =>
        one.toLocaleTimeString('en-GB', { timeZone: zone, timeStyle: 'short' }),
      );
    expect(at('Europe/Moscow')).toEqual(['23:00', '00:00', '01:00', '02:00', '03:00', '04:00', '05:00']);
    expect(at('Asia/Kolkata')[0]).toBe('02:00');
    const jump = timeTicks(new Date('2026-03-29T00:00:00Z'), new Date('2026-03-29T03:00:00Z'), 'Europe/Berlin', 7);
    expect(new Set(jump.map(Number)).size).toBe(jump.length);
  });
});

describe('the chart', () => {
  test('is broken where there was nothing, and a lonely point is a dot', () => {
    const svg = drawLineChart(
      chart({ series: [{ label: '', points: line([1, 2, undefined, undefined, 5, undefined, undefined, 7, 8]) }] }),
    );
    expect(count(svg, '<path d="M')).toBe(3);
    expect(svg).toMatch(/<circle[^>]* r="5"/u);
    expect(svg).toContain('>8</tspan>');
  });

  test('values that are no numbers are gaps and never reach the picture', () => {
    const svg = drawLineChart(chart({ series: [{ label: 'a', points: line([1, Number.NaN, Infinity, 2, 3]) }] }));
    expect(svg).not.toMatch(/NaN|Infinity/u);
  });

  test('labels at the ends do not overlap', () => {
    const series = ['a', 'b', 'c', 'd', 'e', 'f'].map((label) => ({ label, points: line([5, 5, 5]) }));
    const svg = drawLineChart(chart({ series }));
    const heights = [...svg.matchAll(/y="([\d.]+)" font-size="30" fill="#\w+">[a-f] </gu)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(6);
    const sorted = heights.toSorted((a, b) => a - b);
    expect(Math.min(...sorted.slice(1).map((y, n) => y - (sorted[n] ?? 0)))).toBeGreaterThanOrEqual(30);
  });

  test('names that would be cut beside their values stand above them, whole', () => {
    const labels = ['offsite-volume:grafana', 'offsite-pg:main', 'guest:gitlab'];
    const svg = drawLineChart(chart({ series: labels.map((label) => ({ label, points: line([5, 5, 5]) })) }));
    for (const label of labels) expect(svg).toContain(`>${label}</text>`);
    const heights = [
      ...svg.matchAll(/y="([\d.]+)" font-size="(?:27|30)" fill="#\w+"(?: font-weight="bold")?>[ogv\d]/gu),
    ];
    const sorted = heights.map(([, y]) => Number(y)).toSorted((a, b) => a - b);
    expect(sorted).toHaveLength(6);
    expect(Math.min(...sorted.slice(1).map((y, n) => y - (sorted[n] ?? 0)))).toBeGreaterThanOrEqual(27);
  });

  test('names from outside are text, whatever they hold', () => {
    const svg = drawLineChart(chart({ title: '<&"\u0000\uD800диск\u0007', subtitle: 'a\u202Eb' }));
    expect(svg).toContain('&lt;&amp;&quot;');
    expect(svg).not.toContain('\u0007');
  });

  test('shows when it fired, and where the threshold is when it is out of sight', () => {
    const svg = drawLineChart(
      chart({ threshold: { value: 1e6, label: 'threshold > 1 M' }, bands: [{ from: FROM, to: TO }] }),
    );
    expect(svg).toContain('↑ threshold &gt; 1 M');
    expect(svg).toContain('>firing</text>');
  });

  test.each(['dark', 'light'] as const)('%s is an opaque PNG of its own size, with Cyrillic drawn', async (theme) => {
    const one = await pngOf(drawLineChart(chart({ theme, title: 'Диск' })));
    expect(one.bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(one).toMatchObject({ width: 1280, height: 820 });
    const without = await pngOf(drawLineChart(chart({ theme, title: '' })));
    expect(one.bytes.equals(without.bytes)).toBe(false);
  });
});

test('a long name is shortened to fit', () => {
  const short = clipText('очень длинное имя тома', 150, 30);
  expect(short.endsWith('…')).toBe(true);
  expect(textWidth(short, 30)).toBeLessThanOrEqual(150);
});
