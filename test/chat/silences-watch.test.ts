import { describe, expect, test } from 'vitest';
import { drawRun } from '../../src/bot/cards/run.ts';
import { events } from '../../src/store/incidents.ts';
import { silence as silenceRow } from '../../src/store/silences.ts';
import { withComponents } from '../support/components/index.ts';
import { shown, shownRun } from './support/shown.ts';
import {
  labelsOf,
  MINUTE,
  openSilencing,
  OPERATIONS,
  pressOf,
  real,
  simulator,
  type Start,
} from './support/silencing.ts';

describe('with the simulator', () => {
  suite(simulator);
});
withComponents(['alertmanager'], () => {
  suite(real);
});

const A = { alertname: 'DiskFull', instance: 'a', job: 'node' };
const B = { alertname: 'DiskFull', instance: 'b', job: 'node' };

function suite(start: Start): void {
  test('a silence made elsewhere shows on the incident with its author, and its end too', async () => {
    const { fires, elsewhere, round, row, drawn, port, life, db } = await openSilencing(start);
    const id = await fires(A);
    const made = await elsewhere({ instance: 'a' }, 90);
    await round();
    expect((await row(id)).silence).toMatchObject({ id: made, by: 'olga@noc', elsewhere: true });
    const { en, ru } = await drawn('incident', id);
    expect(en.text).toMatch(/^🔕 SILENCED/u);
    expect(en.text).toMatch(/Silenced until: .* · olga@noc/u);
    expect(ru.text).toMatch(/Заглушено до: .* · olga@noc/u);
    // It may mute others too, so it is ended only where that shows.
    expect(labelsOf(en).flat()).not.toContain('🔔 End silence');
    const run = await life.requests.request({ kind: 'operator', id: 'anna' }, 'unsilence', { incident: id });
    await life.deliver();
    expect(await life.run(run.id)).toMatchObject({ state: 'failed', error: { code: 'silence-elsewhere' } });
    await port.expireSilence(made);
    await round();
    expect((await row(id)).silence).toBeUndefined();
    expect((await drawn('incident', id)).en.text).not.toContain('🔕');
    const history = (await events(db, id, 10)).map(({ kind, actor }) => `${kind} ${actor ?? ''}`.trim());
    expect(history.slice(0, 2)).toEqual(['silence-ended', 'silenced olga@noc']);
  });

  test('an incident of which only a part is silenced does not look silenced', async () => {
    const { fires, elsewhere, round, row, drawn } = await openSilencing(start);
    const id = await fires(A, B);
    await elsewhere({ instance: 'b' }, 60);
    await round();
    expect((await row(id)).silence).toMatchObject({ muted: 1, of: 2 });
    // The queries tell what is silent by this: it goes on to escalate.
    expect((await row(id)).silence).not.toHaveProperty('until');
    const { en } = await drawn('incident', id);
    expect(en.text).toMatch(/^🟠 WARNING/u);
    expect(en.text).toContain('1 of 2 alerts');
  });

  test('what resolves while it is silenced is shown within a minute', async () => {
    const { fires, elsewhere, round, row, later, quench } = await openSilencing(start);
    const id = await fires(A);
    await later(6 * MINUTE);
    await elsewhere({ instance: 'a' }, 60);
    await round();
    await later(15_000);
    await round();
    expect((await row(id)).state).toBe('firing');
    await quench(A);
    await later(15_000);
    await round();
    expect((await row(id)).state).toBe('resolved');
  });

  test('a silence until the incident is over ends with it', async () => {
    const { fires, asks, round, row, later, quench, active, drawn, db } = await openSilencing(start);
    const id = await fires(A);
    expect(await asks('anna', 'silence', { incident: id, duration: 'resolved' })).toMatchObject({ state: 'succeeded' });
    const [made] = await active();
    const lasts = (made?.endsAt.getTime() ?? 0) - (made?.startsAt.getTime() ?? 0);
    // Without the program it ends by itself.
    expect(Math.abs(lasts - 60 * MINUTE)).toBeLessThan(MINUTE);
    expect((await drawn('incident', id)).en.text).toContain('Silenced until: it is over · Anna');
    await round();
    expect(await active()).toHaveLength(1);
    await quench(A);
    await later(6 * MINUTE);
    await round();
    await round();
    expect((await row(id)).state).toBe('resolved');
    await round();
    expect(await active()).toEqual([]);
    expect((await row(id)).silence).toBeUndefined();
    expect(await silenceRow(db, made?.id ?? '')).toMatchObject({ state: 'expired', untilResolved: true });
  });

  test('a silence under which something fires is warned of once, extended with its author and comment, and its end is told', async () => {
    const { fires, asks, round, later, active, drawn, cards, port } = await openSilencing(start);
    const id = await fires(A);
    await asks('anna', 'silence', { incident: id, duration: '1h', comment: 'new disk is on its way' });
    await round();
    expect(await cards('silence')).toEqual([]);
    await later(50 * MINUTE);
    await round();
    await round();
    const [card, ...others] = await cards('silence');
    expect(others).toEqual([]);
    expect(card).toMatchObject({ chat: -1001 });
    const warning = await drawn('silence', card?.ref ?? '');
    expect(warning.en.text).toMatch(/^🔔 NOTICE · the silence ends soon/u);
    for (const word of ['1 alert: DiskFull a', 'Anna', 'new disk is on its way', `#${id}`])
      expect(warning.en.text).toContain(word);
    expect(labelsOf(warning.ru)).toEqual([
      ['⏳ +1 ч', '⏳ +4 ч', '🌅 до 09:00'],
      ['✔ Пусть кончается', '🔔 Снять сейчас'],
    ]);
    const let_ = await drawn('silence', card?.ref ?? '', 'let');
    expect(let_.en.text).toContain('as wished');
    const [before] = await active();
    const origin = { chat: -1001, shown: true };
    const run = await asks('boris', 'silence.extend', { silence: card?.ref, by: '4h' }, origin);
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    // The card itself shows it, so no other one is made.
    expect(await cards('run')).toEqual([]);
    const [after, ...more] = await active();
    expect(more).toEqual([]);
    expect(after?.id).not.toBe(before?.id);
    expect(after).toMatchObject({ createdBy: 'anna', comment: before?.comment, matchers: before?.matchers });
    expect((after?.endsAt.getTime() ?? 0) - (before?.endsAt.getTime() ?? 0)).toBe(4 * 60 * MINUTE);
    await round();
    expect((await drawn('silence', card?.ref ?? '')).en.text).toContain('the silence lasts longer');
    await port.expireSilence(after?.id ?? '');
    await round();
    const over = await drawn('silence', card?.ref ?? '');
    expect(over.en.text).toMatch(/^🟠 WARNING · the silence is over/u);
    expect(over.en.text).toContain('Fires now: 1 alert: DiskFull a');
    expect(await cards('silence')).toHaveLength(1);
  });

  test('a silence under which nothing fires is not warned of', async () => {
    const { burn, elsewhere, round, later, cards } = await openSilencing(start);
    await burn(B);
    await elsewhere({ instance: 'a' }, 60);
    await later(50 * MINUTE);
    await round();
    expect(await cards('silence')).toEqual([]);
  });

  test('one that is ended is audible again, one that is not there is said so', async () => {
    const { fires, asks, round, row, elsewhere, active } = await openSilencing(start);
    const id = await fires(A);
    const made = await elsewhere({ alertname: 'DiskFull' }, 60);
    await round();
    expect(await asks('anna', 'silence.end', { silence: made })).toMatchObject({
      state: 'succeeded',
      verified: { ok: true },
    });
    expect(await active()).toEqual([]);
    // At once, though it was not made for this incident.
    expect((await row(id)).silence).toBeUndefined();
    const missing = { state: 'failed', error: { code: 'silence-not-found' } };
    expect(await asks('anna', 'silence.end', { silence: 'nope' })).toMatchObject(missing);
    expect(await asks('anna', 'silence.extend', { silence: 'nope' })).toMatchObject(missing);
  });

  test('/silences lists ours and those of others, with what each mutes', async () => {
    const { fires, asks, round, elsewhere, life, clock } = await openSilencing(start);
    const list = async () => {
      const run = await asks('vera', 'silences', {});
      return { run, seen: await shownRun(run, life, OPERATIONS, clock.now()) };
    };
    expect((await list()).seen.en.text).toMatch(/^❔ UNKNOWN · No silences/u);
    await round();
    const empty = (await list()).seen;
    expect(empty.en.text).toBe('🔵 INFO · No silences\nEverything that fires is heard.');
    expect(empty.ru.text).toBe('🔵 СВЕДЕНИЯ · Заглушек нет\nСлышно всё, что горит.');
    const id = await fires(A, B);
    await asks('anna', 'silence', { incident: id, duration: '24h', comment: 'moving' });
    const made = await elsewhere({ instance: 'b' }, 60);
    await round();
    const { en, ru } = (await list()).seen;
    expect(en.text).toMatch(/^🔕 SILENCED · 2 silences/u);
    for (const word of [
      '1 instance="b"',
      'mutes 1 alert: DiskFull b',
      'olga@noc',
      'cable work',
      'mutes 2 alerts',
      'Anna',
      'moving',
    ])
      expect(en.text).toContain(word);
    expect(ru.text).toContain('глушит 2 алерта: DiskFull a, DiskFull b');
    expect(labelsOf(en)[0]).toEqual(['🔔 1 · End', '⏳ 1 · +1 h', '⏳ 1 · +4 h']);
    expect(en.keyboard[0]?.[0]).toMatchObject({ press: { operation: 'silence.end', args: { silence: made } } });
  });

  test('maintenance silences a place under each of its names, is ended as one, and tells what still fires', async () => {
    const { burn, asks, round, active, cards, drawn } = await openSilencing(start);
    const origin = { chat: -1001, thread: 7 };
    await burn({ alertname: 'HostDown', instance: 'db1:9100' }, { alertname: 'Lag', host: 'db1' }, B);
    const run = await asks('anna', 'maintenance', { target: 'db1', duration: '2h', comment: 'new kernel' }, origin);
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true }, result: { mutes: 2 } });
    expect(await active()).toHaveLength(4);
    await round();
    const [id = ''] = (run.result as { ids: string[] }).ids;
    expect(await asks('boris', 'silence.end', { silence: id })).toMatchObject({ state: 'succeeded' });
    expect(await active()).toEqual([]);
    await round();
    const [card, ...others] = await cards('silence');
    expect(others).toEqual([]);
    expect(card).toMatchObject({ chat: -1001, thread: 7 });
    const { en } = await drawn('silence', card?.ref ?? '');
    expect(en.text).toMatch(/^🟠 WARNING · maintenance of db1 is over/u);
    expect(en.text).toContain('2 alerts: HostDown db1:9100, Lag db1');
    expect(en.text).toContain('ended by Boris');
  });

  test('maintenance of everything, and of nothing, is refused', async () => {
    const { burn, asks, active } = await openSilencing(start);
    await burn(A, B);
    expect(await asks('anna', 'maintenance', { target: 'job=node' })).toMatchObject({
      error: { code: 'maintenance-everything' },
    });
    expect(await asks('anna', 'maintenance', { target: 'job=' })).toMatchObject({
      error: { code: 'maintenance-target' },
    });
    expect(await active()).toEqual([]);
  });
}

test('a long list is in pages', async () => {
  const { asks, round, elsewhere, life, clock } = await openSilencing(simulator);
  for (let n = 1; n <= 7; n++) await elsewhere({ instance: `host${n}` }, n * 10);
  await round();
  const run = await asks('vera', 'silences', {});
  const page = (view: string) => shown((context) => drawRun(context, run, view), life, OPERATIONS, clock.now());
  const { en: first } = await page('');
  expect(first.text).toContain('7 silences · 1 of 2');
  expect(labelsOf(first).at(-1)).toEqual(['↻ Refresh', '›']);
  expect(pressOf(first, '›')).toEqual({ kind: 'view', view: '2' });
  const { en: second } = await page('2');
  expect(second.text).toContain('7 instance="host7"');
  expect(second.text).not.toContain('host1');
  expect(labelsOf(second).map((row) => row[0])).toEqual(['🔔 6 · End', '🔔 7 · End', '‹']);
});

test('a silence until the incident is over is renewed while it fires, also after a renewal broke off', async () => {
  const { fires, asks, round, row, later, active, port } = await openSilencing(simulator);
  const id = await fires(A);
  await asks('anna', 'silence', { incident: id, duration: 'resolved' });
  const [first] = await active();
  await later(20 * MINUTE);
  await round();
  expect((await active()).map((one) => one.id)).toEqual([first?.id]);
  await later(20 * MINUTE);
  await round();
  const [second, ...others] = await active();
  expect(others).toEqual([]);
  expect(second?.id).not.toBe(first?.id);
  expect((await row(id)).silence).toMatchObject({ id: second?.id, resolved: true, by: 'anna' });
  // A renewal that died after it had made the next one: that one is taken, and no third is made.
  await later(40 * MINUTE);
  const { matchers = [], createdBy = '', comment = '' } = second ?? {};
  const endsAt = new Date((second?.endsAt.getTime() ?? 0) + 30 * MINUTE);
  const third = await port.createSilence({
    matchers,
    createdBy,
    comment,
    endsAt,
    startsAt: new Date(endsAt.getTime() - 60 * MINUTE),
  });
  await round();
  await round();
  expect((await active()).map((one) => one.id)).toEqual([third]);
});
