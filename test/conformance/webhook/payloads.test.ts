import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { incidentData } from '../../../src/core/incident.ts';
import { contractPath, haveContracts } from '../../support/contracts.ts';
import { incidentOfBodies, show } from './support.ts';

const FOLDER = 'alertmanager-webhooks';
const NOW = new Date('2026-11-23T09:40:00Z');

const files = haveContracts ? readdirSync(contractPath(FOLDER)).filter((name) => name.endsWith('.json')) : [];
if (!haveContracts) process.stderr.write('SKIPPED: recorded webhook payloads are not here (VAKHTA_CONTRACTS)\n');

/** The body as it came over the wire: recorded requests keep their bytes. */
function bodyOf(file: string): string {
  const text = readFileSync(contractPath(FOLDER, file), 'utf8');
  return file.endsWith('.raw-request.json') ? (JSON.parse(text) as { rawBody: string }).rawBody : text;
}

type Strings = Readonly<Record<string, unknown>>;
interface Sent {
  readonly groupLabels?: Strings;
  readonly commonLabels?: Strings;
  readonly commonAnnotations?: Strings;
  readonly alerts: readonly { labels?: Strings; annotations?: Strings; generatorURL?: string; silenceURL?: string }[];
}

/** Everything that a payload tells people. */
function toldBy(body: string): string[] {
  const { alerts, groupLabels = {}, commonLabels = {}, commonAnnotations = {} } = JSON.parse(body) as Sent;
  const values = [groupLabels, commonLabels, commonAnnotations].flatMap((one) => Object.values(one));
  for (const { labels = {}, annotations = {}, generatorURL = '', silenceURL = '' } of alerts) {
    values.push(...Object.values(labels), ...Object.values(annotations), generatorURL, silenceURL);
  }
  return [...new Set(values.map(String).filter((value) => value !== ''))];
}

/** Line breaks are shown in their own ways; everything else has to be there as it was sent. */
const flat = (text: string): string => text.replaceAll(/\s+/gu, ' ').trim();

describe.skipIf(!haveContracts)('each recorded payload', () => {
  test('is here', () => {
    expect(files.length).toBeGreaterThanOrEqual(40);
    expect(files.filter((file) => file.endsWith('.raw-request.json')).length).toBeGreaterThanOrEqual(2);
  });

  describe.each(files)('%s', (file) => {
    test.each(['ru', 'en'] as const)('is shown without loss in %s', (language) => {
      const body = bodyOf(file);
      const incident = incidentOfBodies([body], NOW);
      const kept = { ...incident, data: incidentData.parse(JSON.parse(JSON.stringify(incident.data))) };
      const face = show(kept, { now: NOW, language });
      const details = show(kept, { now: NOW, language, view: 'details' });
      const shown = flat([face.text, details.text, ...details.files.map(({ text }) => text)].join('\n'));
      const lost = toldBy(body).filter((value) => !shown.includes(flat(value)));
      expect(lost).toEqual([]);
    });

    test('makes a card that says it once, in few lines, without a hole', () => {
      const incident = incidentOfBodies([bodyOf(file)], NOW);
      for (const language of ['ru', 'en'] as const) {
        const { text, files: attached, keyboard } = show(incident, { now: NOW, language });
        const lines = text.split('\n');
        expect(lines[0]).toMatch(
          /^(?:🔴 (?:CRITICAL|КРИТИЧНО)|🟠 (?:WARNING|ВНИМАНИЕ)|🔵 (?:INFO|СВЕДЕНИЯ)|🟢 (?:RESOLVED|РЕШЕНО)) · .+ · #12$/u,
        );
        // One of the recorded sentences is a single letter.
        const title = incident.title.length > 3 ? incident.title : `· ${incident.title} ·`;
        expect(text.split(title)).toHaveLength(2);
        expect(lines.filter((line) => /^(?:•|[\p{L} ]+:)\s*$/u.test(line))).toEqual([]);
        expect(text).not.toMatch(/undefined|null|NaN|\{[a-z-]+\}|\[object/u);
        expect(attached).toEqual([]);
        expect(Array.from(text).length).toBeLessThan(2500);
        expect(keyboard.every((row) => row.length <= 3)).toBe(true);
      }
    });
  });

  test('of one group, in the order of delivery, ends in its right state', () => {
    const one = incidentOfBodies(
      ['02-grouped-two-firing', '10-mixed-firing-resolved', '15-resolved-rest-of-group'].map((name) =>
        bodyOf(`recorded-am-0.25--${name}.json`),
      ),
      NOW,
    );
    expect(one.state).toBe('resolved');
    expect(Object.values(one.data.alerts).map(({ status }) => status)).toEqual(['resolved', 'resolved']);
    const cut = incidentOfBodies(
      ['01-truncated-firing', '08-truncated-mixed-resolved-first', '16-truncated-after-resolved-left'].map((name) =>
        bodyOf(`recorded-am-0.25--${name}.json`),
      ),
      NOW,
    );
    expect(cut).toMatchObject({ state: 'firing', data: { truncated: 2 } });
    expect(Object.values(cut.data.alerts).filter(({ status }) => status === 'firing')).toHaveLength(3);
  });
});
