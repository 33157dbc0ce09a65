import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseWebhook, payloadBySchema, readPayload } from '../../src/core/alertmanager.ts';
import { systemRandom } from '../../src/core/random.ts';
import { type Incident, incidentData, reduceGroup } from '../../src/core/incident.ts';
import { toJson } from '../../src/core/json.ts';
import { Files } from '../../src/simulators/telegram/files.ts';
import { Flood } from '../../src/simulators/telegram/flood.ts';
import type { Context } from '../../src/simulators/telegram/methods/define.ts';
import { methods } from '../../src/simulators/telegram/methods/index.ts';
import { Params } from '../../src/simulators/telegram/params.ts';
import { Profile } from '../../src/simulators/telegram/profile.ts';
import { Updates } from '../../src/simulators/telegram/updates.ts';
import { World } from '../../src/simulators/telegram/world.ts';
import type { Rendered } from '../../src/bot/render.ts';
import { show } from '../conformance/webhook/support.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { payloads } from '../support/payloads.ts';

const SEED = 20_261_123;
const RUNS = 10_000;
const T0 = new Date('2026-03-01T03:00:00Z');
const CHAT = -1_001;

/** The simulator's own methods with all they check, without HTTP between. */
function telegram(): (rendered: Rendered) => void {
  const clock = createManualClock(T0);
  const random = systemRandom;
  const updates = new Updates(clock, random);
  const bot = { id: 1, is_bot: true, first_name: 'Vakhta', username: 'vakhta_bot' };
  const world = new World({
    clock,
    random,
    updates,
    bot,
    privacy: 'on',
    cast: [{ id: 7, first_name: 'Anna', username: 'anna', language_code: 'ru' }],
    chats: [{ id: CHAT, title: 'ops', members: [7] }],
  });
  const context: Context = {
    world,
    updates,
    webhook: {} as never,
    flood: new Flood(clock, undefined),
    files: new Files(random),
    profile: new Profile(),
    signal: undefined,
  };
  const send = methods.get('sendmessage')!;
  return ({ text, entities, keyboard }) => {
    const buttons = keyboard.map((row) =>
      row.map((button) => {
        if (button.kind === 'url') return { text: button.label, url: button.url };
        if (button.kind === 'copy') return { text: button.label, copy_text: { text: button.text } };
        return { text: button.label, callback_data: 'v1:0123456789abcdef' };
      }),
    );
    send(context, new Params({ chat_id: CHAT, text, entities, reply_markup: { inline_keyboard: buttons } }));
    const { messages } = world.chat(CHAT);
    const [shown] = [...messages.values()].slice(-1);
    // What was sent is what is shown: nothing was taken away at the ends, nothing was made of it.
    expect(shown?.message.text).toBe(text);
    messages.clear();
  };
}

const reduce = (known: Incident | undefined, body: string, at: Date): Incident =>
  reduceGroup(known, parseWebhook(body, at), at, { reopenMs: 600_000 }).incident;

describe('ten thousand payloads', () => {
  test('are read by hand as the schema reads them', () => {
    fc.assert(
      fc.property(payloads, (body) => {
        const json: unknown = JSON.parse(body);
        const bySchema = payloadBySchema(json);
        expect(readPayload(json)).toEqual({ ...bySchema, truncatedAlerts: bySchema.truncatedAlerts ?? 0 });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  test('each becomes a card that Telegram accepts as it is, and so does the end of it', { timeout: 120_000 }, () => {
    const accept = telegram();
    let sent = 0;
    fc.assert(
      fc.property(payloads, (body) => {
        const opened = reduce(undefined, body, T0);
        // As PostgreSQL gives it back.
        const incident = { ...opened, data: incidentData.parse(JSON.parse(toJson(opened.data))) };
        const language = sent % 2 === 0 ? 'ru' : 'en';
        accept(show(incident, { now: T0, language }));
        if (sent % 10 === 0) {
          accept(show(incident, { now: T0, language, view: 'details' }));
          const later = new Date(T0.getTime() + 60_000);
          accept(show(reduce(incident, body.replaceAll('"firing"', '"resolved"'), later), { now: later, language }));
        }
        sent += 1;
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    expect(sent).toBe(RUNS);
  });
});

test.each([
  ['no object', '[]'],
  ['no alerts', '{"alerts":[]}'],
  ['labels that are no object', '{"alerts":[{"labels":"x"}]}'],
  ['an alert that is no object', '{"alerts":[1]}'],
  ['a group key that is no text', '{"groupKey":{},"alerts":[{"labels":{}}]}'],
  ['a version that is no text', '{"version":[],"alerts":[{"labels":{}}]}'],
  ['common labels that are no object', '{"commonLabels":[],"alerts":[{"labels":{}}]}'],
])('%s is left to the schema, which refuses it', (_, body) => {
  const json: unknown = JSON.parse(body);
  expect(readPayload(json)).toBeUndefined();
  expect(() => payloadBySchema(json)).toThrow(/webhook body is not an alert group/u);
});
