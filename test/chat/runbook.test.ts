import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { drawRun } from '../../src/bot/cards/run.ts';
import { minutes } from '../../src/core/clock.ts';
import { createDrDesk } from '../../src/tasks/dr/desk.ts';
import runbook from '../../src/tasks/operations/runbook.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import { loadRunbooks } from '../../src/tasks/runbooks.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shown, shownRun } from './support/shown.ts';

const FOLDER = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));

async function open() {
  const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
  const life = await openLife({ operations: [runbook], ports });
  const { db, clock } = life;
  const runbooks = await loadRunbooks(FOLDER);
  ports.runbooks = runbooks;
  ports.dr = createDrDesk({ db, clock, config: configWith(), runbooks, version: '1' });
  const { dr } = ports;
  const ask = async (args: Record<string, unknown> = {}) => {
    const { id } = await life.requests.request(as('vera'), 'runbook', args);
    await life.deliver();
    return life.run(id);
  };
  return {
    life,
    clock,
    dr,
    runbooks,
    ask,
    draw: async (args?: Record<string, unknown>) => shownRun(await ask(args), life, [runbook], clock.now()),
  };
}

const labels = (keyboard: readonly (readonly { readonly label: string }[])[]): string[] =>
  keyboard.flat().map(({ label }) => label);

describe('/runbook', () => {
  it('lists all of them, those for disasters first, in pages', async () => {
    const { draw, runbooks } = await open();
    const { en, ru } = await draw();
    expect(en.text).toContain(`Runbooks · ${runbooks.names?.length} · 1 of 3`);
    expect(en.text.match(/dr-lost-host|alert-delivery-failing/gu)).toEqual(['dr-lost-host', 'alert-delivery-failing']);
    expect(labels(en.keyboard)).toEqual(['Next ▶']);
    expect(ru.text).toContain('Инструкции · ');
  });

  it('shows one in the language of the reader, by its name or by that of an alert', async () => {
    const { draw } = await open();
    const { en, ru } = await draw({ name: 'HostDiskFull' });
    expect(en.text.split('\n')[0]).not.toContain('#');
    expect(ru.text).not.toBe(en.text);
    expect(labels(en.keyboard)).toContain('📖 All runbooks');
    expect((await draw({ name: 'host-disk-full' })).ru.text).toBe(ru.text);
  });

  it('turns the pages of a long one, and says when it was last walked through', async () => {
    const { ask, draw, dr, life, clock } = await open();
    expect((await draw({ name: 'dr-lost-vault' })).en.text).toContain('Nobody has walked through it yet');
    const { id } = await ask();
    const { steps } = await dr.begin(id, 'lost-vault', 'drill', 'operator:anna');
    for (const { n } of steps) {
      await clock.advance(minutes(1));
      await dr.step('lost-vault', { state: 'done', by: 'operator:anna', n });
    }
    await dr.finish('lost-vault', 'operator:anna');
    const run = await ask({ name: 'dr-lost-vault' });
    const page = (view: string) =>
      shown((context) => drawRun(context, run, view), life, [runbook], clock.now(), configWith());
    const [first, second] = [await page(''), await page('1')];
    expect(first.en.text).toMatch(/Disaster: Vault is lost · 1 of \d/);
    expect(first.en.text).toContain('took 9 min');
    expect(labels(first.en.keyboard)).toEqual(['Next ▶', '🧯 Walk through it…', '📖 All runbooks']);
    expect(second.en.text).toMatch(/Disaster: Vault is lost · 2 of \d/);
    expect(second.ru.text).not.toContain(first.ru.text.slice(200, 400));
  });

  it('says where the list is when there is no such one', async () => {
    const { ask } = await open();
    expect((await ask({ name: 'nothing-such' })).error).toMatchObject({ code: 'runbook-unknown', kind: 'usage' });
  });
});
