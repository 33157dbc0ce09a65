import { expect, test } from 'vitest';
import { assignWords } from '../../src/handlers/command-line.ts';
import { nextMissing } from '../../src/handlers/command-line.ts';
import silence from '../../src/tasks/operations/silence.ts';
import { labelsOf, MINUTE, openSilencing, pressOf, simulator } from './support/silencing.ts';

const A = { alertname: 'DiskFull', instance: 'a', job: 'node' };
const B = { alertname: 'DiskFull', instance: 'b', job: 'node' };
const OTHER = { alertname: 'Load', instance: 'a', job: 'node' };

const viewOf = (press: ReturnType<typeof pressOf>): string => {
  if (press.kind !== 'view') throw new Error('the button changes no view');
  return press.view;
};
const argsOf = (press: ReturnType<typeof pressOf>) => {
  if (press.kind !== 'operation') throw new Error('the button asks for nothing');
  return press.args;
};

test('the picker says what would be silenced now, in both languages', async () => {
  const { fires, burn, round, drawn } = await openSilencing(simulator);
  const id = await fires(A);
  await burn(B, OTHER);
  await round();
  const face = await drawn('incident', id);
  expect(labelsOf(face.en).slice(0, 2)).toEqual([['✋ Acknowledge'], expect.arrayContaining(['🔕 Silence…'])]);
  const { en, ru } = await drawn('incident', id, viewOf(pressOf(face.en, '🔕 Silence…')));
  expect(en.text.split('\n').slice(1)).toEqual([
    'What would be silenced',
    'alertname="DiskFull" instance="a" job="node"',
    'Now 1 alert · as of 12:00',
    '• DiskFull a',
  ]);
  expect(ru.text).toContain('Сейчас 1 алерт · на 12:00');
  expect(labelsOf(en)).toEqual([
    ['‹ Back', '🎯 Only this', '📣 Whole alert'],
    ['🔕 15 min', '🔕 1 h', '🔕 4 h'],
    ['🔕 24 h', '🌅 until 09:00', '✅ until resolved'],
    ['☑ alertname=DiskFull', '☑ instance=a'],
    ['☑ job=node'],
    ['💬 With a comment…'],
  ]);
});

test('labels are taken off and put back one by one, up to the whole alert, and what is pressed is what was shown', async () => {
  const { fires, burn, round, drawn, asks, active, row } = await openSilencing(simulator);
  const id = await fires(A);
  await burn(B, OTHER);
  await round();
  const first = (await drawn('incident', id, 'silence')).en;
  const wider = (await drawn('incident', id, viewOf(pressOf(first, '☑ instance=a')))).en;
  expect(wider.text).toContain('Now 2 alerts, 1 of them of another incident');
  expect(wider.text).toContain('• DiskFull b');
  const whole = (await drawn('incident', id, viewOf(pressOf(wider, '📣 Whole alert')))).en;
  expect(labelsOf(whole).slice(3, 5)).toEqual([['☑ alertname=DiskFull', '☐ instance=a'], ['☐ job=node']]);
  const run = await asks('anna', 'silence', argsOf(pressOf(whole, '🔕 4 h')), { incident: id, chat: -1001 });
  expect(run).toMatchObject({ state: 'succeeded', result: { matchers: 'alertname="DiskFull"', mutes: 2 } });
  expect(run.plan?.lines.map(({ key, args }) => [key, args?.['n']])).toEqual([
    ['silence-plan', undefined],
    ['silence-plan-mutes', 2],
    ['silence-plan-others', 1],
  ]);
  expect((await active()).map(({ matchers }) => matchers)).toEqual([
    [{ name: 'alertname', value: 'DiskFull', isRegex: false, isEqual: true }],
  ]);
  // The card is back at its face, and shows it, with the way back.
  const face = (await drawn('incident', id)).en;
  expect(face.text).toMatch(/^🔕 SILENCED/u);
  expect(labelsOf(face).flat()).toContain('🔔 End silence');
  expect(await asks('anna', 'unsilence', { incident: id })).toMatchObject({ state: 'succeeded' });
  expect((await row(id)).silence).toBeUndefined();
});

test('one instance of several can be chosen', async () => {
  const { fires, round, drawn, asks, row } = await openSilencing(simulator);
  const id = await fires(A, B);
  await round();
  const first = (await drawn('incident', id, 'silence')).en;
  expect(labelsOf(first).flat()).toEqual(expect.arrayContaining(['☐ instance=a', '☐ instance=b', '☑ job=node']));
  const only = (await drawn('incident', id, viewOf(pressOf(first, '☐ instance=b')))).en;
  expect(only.text).toContain('Now 1 alert ·');
  await asks('anna', 'silence', argsOf(pressOf(only, '🔕 1 h')), { incident: id });
  expect((await row(id)).silence).toMatchObject({ muted: 1, of: 2 });
  expect((await drawn('incident', id)).en.text).toMatch(/^🟠 WARNING/u);
});

test('a choice that covers everything is refused on the card and by the operation', async () => {
  const { fires, burn, round, drawn, asks, active } = await openSilencing(simulator);
  const id = await fires(A);
  await burn(OTHER);
  await round();
  const first = (await drawn('incident', id, 'silence')).en;
  const second = (await drawn('incident', id, viewOf(pressOf(first, '☑ instance=a')))).en;
  const { en: broad, ru } = await drawn('incident', id, viewOf(pressOf(second, '☑ alertname=DiskFull')));
  expect(broad.text).toContain('⚠ This choice mutes every alert that Alertmanager has now');
  expect(ru.text).toContain('⚠ Такой выбор заглушит все нынешние алерты');
  expect(labelsOf(broad).flat().join()).not.toContain('1 h');
  const empty = (await drawn('incident', id, viewOf(pressOf(broad, '☑ job=node')))).en;
  expect(empty.text).toContain('⚠ Nothing in this choice tells the incident from others');
  const refused = async (name: string, value: string, isRegex = false): Promise<string | undefined> => {
    const matchers = [{ name, value, isRegex, isEqual: true }];
    return (await asks('anna', 'silence', { incident: id, matchers })).error?.code;
  };
  expect(await refused('job', 'node')).toBe('silence-everything');
  expect(await refused('alertname', '.*', true)).toBe('silence-match-all');
  expect(await refused('alertname', 'Other')).toBe('silence-not-incident');
  expect(await active()).toEqual([]);
});

test('until 09:00 is nine in the morning of whoever presses', async () => {
  const { fires, asks, active, life } = await openSilencing(simulator);
  const boris = life.people.get('boris');
  if (!boris) throw new Error('no boris');
  life.people.set('boris', { ...boris, zone: 'Asia/Tokyo' });
  const ends = async (who: string): Promise<string | undefined> => {
    const id = await fires({ ...A, instance: who });
    await asks(who, 'silence', { incident: id, duration: '09:00' });
    return (await active()).find(({ createdBy }) => createdBy === who)?.endsAt.toISOString();
  };
  // It is 12:00 in Moscow, 18:00 in Tokyo.
  expect(await ends('anna')).toBe('2026-11-24T06:00:00.000Z');
  expect(await ends('boris')).toBe('2026-11-24T00:00:00.000Z');
});

test('a comment is asked for when it is wanted, and is the rest of the command', async () => {
  const { fires, round, drawn, asks, active } = await openSilencing(simulator);
  const id = await fires(A);
  await round();
  const first = (await drawn('incident', id, 'silence')).en;
  const talking = (await drawn('incident', id, viewOf(pressOf(first, '💬 With a comment…')))).en;
  expect(talking.text).toContain('A comment is asked for after the choice of the time.');
  const args = argsOf(pressOf(talking, '🔕 1 h'));
  expect(nextMissing(silence, args)?.name).toBe('comment');
  expect(nextMissing(silence, argsOf(pressOf(first, '🔕 1 h')))).toBeUndefined();
  const typed = assignWords(silence, [String(id), '4h', 'new', 'disk', 'comes']);
  expect(typed).toMatchObject({ ok: true, args: { incident: id, duration: '4h', comment: 'new disk comes' } });
  await asks('anna', 'silence', { ...args, comment: 'new disk comes' });
  const [made] = await active();
  expect(made?.comment).toMatch(/^#\d+: new disk comes \(Vakhta, run [0-9a-f-]+\)$/u);
});

test('without knowledge of Alertmanager it says so; what it knew before has its time', async () => {
  const { fires, round, later, drawn } = await openSilencing(simulator);
  const id = await fires(A);
  expect((await drawn('incident', id, 'silence')).en.text).toContain('Alertmanager has not been asked yet');
  await round();
  await later(10 * MINUTE);
  expect((await drawn('incident', id, 'silence')).ru.text).toContain('на 12:00');
});
