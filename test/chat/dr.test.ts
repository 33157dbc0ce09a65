import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import drCard from '../../src/bot/cards/dr.ts';
import type { Press } from '../../src/core/doc.ts';
import { minutes } from '../../src/core/clock.ts';
import type { Operation } from '../../src/tasks/define.ts';
import { addDrNote } from '../../src/store/dr.ts';
import { cardsOf } from '../../src/store/cards.ts';
import { restoreDrills } from '../../src/store/recovery.ts';
import { createDrDesk, type DrDesk } from '../../src/tasks/dr/desk.ts';
import dr from '../../src/tasks/operations/dr.ts';
import abort from '../../src/tasks/operations/dr-abort.ts';
import back from '../../src/tasks/operations/dr-back.ts';
import done from '../../src/tasks/operations/dr-done.ts';
import finish from '../../src/tasks/operations/dr-finish.ts';
import skip from '../../src/tasks/operations/dr-skip.ts';
import start from '../../src/tasks/operations/dr-start.ts';
import { loadRunbooks } from '../../src/tasks/runbooks.ts';
import { as, lifeOperation, openLife } from './support/life.ts';
import { configWith, shown, shownRun } from './support/shown.ts';

const FOLDER = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));
const outside = { acted: [] };
/** Stands for the operation that the first step of `lost-vault` offers. */
const status = lifeOperation({ name: 'status', risk: 'change' }, outside);
const OPERATIONS: readonly Operation[] = [dr, start, done, skip, back, finish, abort, status];
const CHAT = -1001;

async function open() {
  const config = configWith({ chats: [{ id: 'ops', chat_id: CHAT, topics: { alerts: 7 } }] });
  const ports: { dr?: DrDesk } = {};
  const life = await openLife({ operations: OPERATIONS, ports });
  const { db, clock } = life;
  const runbooks = await loadRunbooks(FOLDER);
  ports.dr = createDrDesk({ db, clock, config, runbooks, version: '1.2.3' });
  const desk = ports.dr;
  const ask = async (who: string, operation: string, args: Record<string, unknown>, origin = {}) => {
    const actor = who === 'root' ? ({ kind: 'cli', id: 'root' } as const) : as(who);
    const run = await life.requests.request(actor, operation, args, { origin });
    await life.deliver();
    return life.run(run.id);
  };
  const begin = async (who = 'anna', scenario = 'lost-vault', mode = 'drill') =>
    (await ask(who, 'dr.start', { scenario, mode }, { chat: CHAT, thread: 7 })).id;
  const draw = async (id: string) => {
    const [one] = await cardsOf(db, 'dr', id);
    if (!one) throw new Error('no card');
    return shown(
      async (context) => {
        const doc = await drCard.render(context, one);
        if (doc === 'gone') throw new Error('gone');
        return doc;
      },
      life,
      OPERATIONS,
      clock.now(),
      config,
    );
  };
  /** The press that stands behind the button with these words, made as the chat makes it. */
  const press = async (who: string, id: string, words: RegExp, more: Record<string, unknown> = {}) => {
    const button = (await draw(id)).en.keyboard.flat().find(({ label }) => words.test(label));
    if (!button || button.kind !== 'press') throw new Error(`no button ${words.source}`);
    const asked: Press = button.press;
    if (asked.kind !== 'operation') throw new Error('no operation');
    return ask(who, asked.operation, { ...asked.args, ...more }, { chat: CHAT, dr: id, shown: true });
  };
  return { life, db, clock, desk, ask, begin, draw, press, config };
}

describe('a walk through a checklist', () => {
  it('is led by the card: steps are done by several people, timed, and the time enters the ledger', async () => {
    const { life, db, clock, begin, draw, press, ask } = await open();
    const id = await begin();
    const first = await draw(id);
    expect(first.en.text).toMatch(/Disaster: Vault is lost · step 1 of 9/);
    expect(first.en.text).toMatch(/▶ 1\. Restart nothing else · about 1 min/);
    expect(first.en.text).toContain('▫ 2. See what it has');
    expect(first.en.text).toContain('30 min, 30 min of it left');
    expect(first.ru.text).toContain('Катастрофа: потерян Vault · шаг 1 из 9');
    expect(first.ru.text).toContain('Скажите всем: никаких выкладок');
    expect(first.en.keyboard.map((row) => row.map(({ label }) => label))).toEqual([
      ['✓ Step 1 is done'],
      ['⏭ Skip…', '✖ Give up…'],
    ]);
    await clock.advance(minutes(2));
    expect((await press('boris', id, /Step 1 is done/)).state).toBe('succeeded');
    const second = await draw(id);
    expect(second.en.text).toMatch(/✓ 1\. Restart nothing else · 2 min · Boris/);
    expect(second.en.text).toMatch(/▶ 2\. See what it has/);
    // The operation of the step takes the usual way, and shows on the card.
    const run = await press('anna', id, /▶ /, { what: 'vault' });
    expect(run).toMatchObject({ operation: 'status', state: 'succeeded', origin: { dr: id } });
    expect((await draw(id)).en.text).toMatch(/↳ .*#\d+ · done/);
    await press('anna', id, /Step 2 is done/);
    const skipped = await press('boris', id, /Skip/, { reason: 'was not sealed' });
    expect(skipped.state).toBe('succeeded');
    expect((await draw(id)).ru.text).toMatch(/⏭ 3\. Распечатайте · Boris: was not sealed/);
    await press('anna', id, /Back to step 3/);
    expect((await draw(id)).en.text).toMatch(/▶ 3\. Unseal it/);
    expect((await ask('anna', 'dr.finish', { scenario: 'lost-vault' })).error?.code).toBe('dr-unfinished');
    for (let n = 3; n <= 9; n++) {
      await clock.advance(minutes(1));
      expect((await press(n % 2 === 0 ? 'anna' : 'boris', id, /is done/)).state).toBe('succeeded');
    }
    const ready = await draw(id);
    expect(ready.en.text).toContain('All steps have ended');
    await clock.advance(minutes(50));
    await press('anna', id, /Finish/);
    const over = await draw(id);
    expect(over.en.text).toMatch(/finished in 9 min$/m);
    expect(over.en.keyboard.flat().map(({ label }) => label)).toEqual(['🧯 Drill again']);
    expect(await restoreDrills(db, {})).toMatchObject([
      {
        id,
        target: 'dr:lost-vault',
        trigger: 'person',
        actor: 'operator:anna',
        state: 'passed',
        rtoMs: minutes(9),
        versions: { vakhta: '1.2.3' },
        source: '#1 drill',
      },
    ]);
    const list = await shownRun(await ask('vera', 'dr', {}), life, OPERATIONS, clock.now());
    expect(list.en.text).toContain('5 of 6 checklists were never walked through');
    expect(list.en.text).toMatch(/Disaster: Vault is lost lost-vault .*took 9 min, drill/);
    expect(list.ru.text).toMatch(/ни разу: 5 из 6/);
  });

  it('goes on after a restart, in another process, where it stood', async () => {
    const { life, db, clock, config, begin, press, draw } = await open();
    const id = await begin('anna', 'ransomware', 'real');
    await press('anna', id, /Step 1 is done/);
    const fresh = createDrDesk({ db, clock, config, runbooks: () => undefined, version: '2' });
    // Even without its runbook: what is to be done was kept when it began.
    const { steps } = await fresh.step('ransomware', { state: 'done', by: 'operator:boris', n: 2 });
    expect(steps.filter(({ state }) => state === 'done')).toHaveLength(2);
    const card = await draw(id);
    expect(card.en.text).toMatch(/🔴.*Disaster: ransomware · step 3 of 11/);
    expect(card.ru.text).toContain('всерьёз');
    expect(await life.run(id)).toMatchObject({ state: 'succeeded' });
  });

  it('takes of two presses on one step the first, and a press of an ended session not at all', async () => {
    const { begin, ask, press, draw } = await open();
    const id = await begin();
    const step = { scenario: 'lost-vault', session: id, step: 1 };
    expect((await ask('anna', 'dr.done', step)).state).toBe('succeeded');
    expect((await ask('boris', 'dr.done', step)).error).toMatchObject({
      code: 'dr-moved',
      text: 'err-dr-moved-by',
      args: { by: 'anna', n: '1' },
    });
    // Her own second press changes nothing.
    expect((await ask('anna', 'dr.done', step)).state).toBe('succeeded');
    expect((await draw(id)).en.text).toContain('step 2 of 9');
    expect((await ask('boris', 'dr.start', { scenario: 'lost-vault' })).error?.code).toBe('dr-live');
    await press('boris', id, /Give up/, { reason: 'false alarm' });
    expect((await draw(id)).en.text).toMatch(/given up[\s\S]*Why: false alarm/);
    const again = await begin('boris');
    expect(again).not.toBe(id);
    expect((await ask('anna', 'dr.done', { ...step, step: 2 })).error?.code).toBe('dr-none');
    expect((await draw(again)).en.text).toContain('step 1 of 9');
  });

  it('that skipped a step has proven nothing of it', async () => {
    const { db, begin, press, ask } = await open();
    const id = await begin('anna', 'lost-telegram');
    await press('anna', id, /Skip/, { reason: 'is reachable' });
    for (let n = 2; n <= 8; n++) await press('anna', id, /is done/);
    await ask('anna', 'dr.finish', { scenario: 'lost-telegram' });
    const [drill] = await restoreDrills(db, {});
    expect(drill).toMatchObject({ target: 'dr:lost-telegram', state: 'failed' });
    expect(drill?.proofs.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it('shows what people said, newest last, and keeps a message once', async () => {
    const { db, clock, begin, draw } = await open();
    const id = await begin();
    for (let n = 1; n <= 7; n++) {
      const note = { by: 'operator:boris', text: `note ${n}`, chat: CHAT, message: n };
      await addDrNote(db, id, note, clock.now());
      await addDrNote(db, id, note, clock.now());
    }
    const { en } = await draw(id);
    expect(en.text).toContain('… and 2 before');
    expect(en.text.match(/Boris: note \d/g)).toEqual([3, 4, 5, 6, 7].map((n) => `Boris: note ${n}`));
  });

  it('can be walked through from the command line; its card waits in the chat', async () => {
    const { life, db, clock, ask } = await open();
    const run = await ask('root', 'dr.start', { scenario: 'lost-telegram', mode: 'real' });
    const { en, ru } = await shownRun(run, life, OPERATIONS, clock.now());
    expect(en.text).toMatch(/▶ 1\. Find out whose fault it is — 3 min/);
    expect(en.text).toContain('vakhta doctor');
    expect(en.text).toContain('vakhta run dr done lost-telegram');
    expect(ru.text).toContain('vakhta run dr skip lost-telegram ПОЧЕМУ');
    const next = await ask('root', 'dr.done', { scenario: 'lost-telegram' });
    const after = await shownRun(next, life, OPERATIONS, clock.now());
    expect(after.en.text).toMatch(/Now: 2\. Tell the others/);
    const [card] = await cardsOf(db, 'dr', run.id);
    expect(card).toMatchObject({ chat: CHAT });
  });
});
