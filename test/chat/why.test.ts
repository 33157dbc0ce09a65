import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Message } from '../../src/simulators/telegram/types.ts';
import { appendAudit } from '../../src/store/audit.ts';
import type { Database } from '../../src/store/db.ts';
import { appendEvents } from '../../src/store/incidents.ts';
import { createIncidentDesk } from '../../src/tasks/incidents.ts';
import ack from '../../src/tasks/operations/ack.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { openChat } from './support/chat.ts';

async function open() {
  let config: Config | undefined;
  const chat = await openChat({
    operations: [ack],
    ports: (db: Database, given: Config) => {
      config = given;
      return { incidents: createIncidentDesk({ db, clock: systemClock }) };
    },
  });
  const { db } = chat.store;
  const fires = async (alertname: string): Promise<number> => {
    if (!config) throw new Error('no configuration');
    const writer = createIncidentWriter(config);
    const groupKey = randomUUID();
    const now = systemClock.now();
    const alerts = [{ status: 'firing', labels: { alertname, severity: 'critical' } }];
    const group = parseWebhook(JSON.stringify({ groupKey, receiver: 'vakhta', alerts }), now);
    await db.tx((tx) => writer.apply(tx, 'alertmanager', [group], now));
    const { rows } = await db.query('select id from incidents where group_key = $1', [groupKey]);
    return (rows[0] as { id: number }).id;
  };
  const why = async (id: number): Promise<string> => {
    chat.vera.says(`/why ${id}`);
    return (await chat.vera.chat.waitFor(/In the chat/u)).text ?? '';
  };
  return { ...chat, db, fires, why };
}

/** What a button of this message would send. */
function dataOf({ reply_markup }: Message, label: string): string {
  const found = reply_markup?.inline_keyboard.flat().find((button) => button.text.includes(label));
  if (!found || !('callback_data' in found)) throw new Error(`no button ${label}`);
  return found.callback_data;
}

it('the ledger tells of presses that came to nothing, and why; of other incidents nothing', async () => {
  const { ops, vera, anna, boris, mallory, db, fires, why } = await open();
  const other = await fires('Quiet');
  await ops.waitFor('Quiet');
  const id = await fires('DiskFull');
  const card = await ops.waitFor('DiskFull');
  const take = dataOf(card, 'Acknowledge');
  await vera.forges(take, card).answered();
  await mallory.forges(take, card).answered();
  await anna.forges(take, card).answered();
  await ops.waitFor(/On it: Anna/u);
  await boris.forges(take, card).answered();
  await boris.forges('v1:unknown', card).answered();
  const text = await why(id);
  expect(text).toContain('Vera was refused: Take an incident on. This needs the role “operator”');
  expect(text).toContain('somebody without a role (999) pressed a button, to no effect');
  expect(text).toContain('Boris was refused: Take an incident on. Anna was faster.');
  expect(text).toContain('Boris was refused: press a button. The button was outdated.');
  expect(text).toMatch(/Anna pressed a button: Take an incident on, run \d+: done/u);
  // As the life cycle writes it when a second person answers a run of the incident.
  const number = /run (\d+): done/u.exec(text)?.[1] ?? '';
  const fact = { actor: 'operator:boris', action: 'run.approved', subject: `run:${number}` };
  await db.tx((tx) => appendAudit(tx, fact, systemClock.now()));
  expect(await why(id)).toContain(`Boris approved run ${number}: Take an incident on`);
  expect(await why(other)).not.toMatch(/refused|approved|without a role/u);
});

it('a run that failed says why in the ledger', async () => {
  const { ops, anna, boris, db, fires, why } = await open();
  const id = await fires('DiskFull');
  await ops.waitFor('DiskFull');
  anna.says(`/ack ${id}`);
  await ops.waitFor(/On it: Anna/u);
  await anna.chat.waitFor('Проверено');
  boris.says(`/ack ${id}`);
  await expect
    .poll(async () => (await db.query(`select state from runs order by number`)).rows)
    .toEqual([{ state: 'succeeded' }, { state: 'failed' }]);
  expect(await why(id)).toMatch(/Boris: Take an incident on, run \d+: failed — .*anna already has incident/iu);
  await boris.chat.waitFor(/already has incident/u);
});

it('a long ledger is shown from both ends, and by pages', async () => {
  const { ops, vera, db, fires, why } = await open();
  const id = await fires('DiskFull');
  await ops.waitFor('DiskFull');
  const from = systemClock.now().getTime();
  const said = Array.from({ length: 60 }, (_, n) => ({
    incidentId: id,
    at: new Date(from + n * 1000),
    kind: 'commented',
    actor: 'anna',
    data: { text: `step ${n}` },
  }));
  await db.tx((tx) => appendEvents(tx, said));
  const text = await why(id);
  await vera.chat.waitFor(({ document }) => document?.file_name === `why-${id}.txt`);
  expect(text).toContain('step 59');
  expect(text).not.toContain('step 30');
  // Beside them: it came in, a card was wanted, and shown.
  await (await vera.presses('All 63 steps')).answered();
  const first = await vera.chat.waitFor('step 20');
  expect(first.text).toContain('came in');
  expect(first.text).not.toContain('step 59');
  await (await vera.presses('›')).answered();
  expect((await vera.chat.waitFor('step 30')).text).not.toContain('step 20\n');
  await (await vera.presses('›')).answered();
  await vera.chat.waitFor('step 59');
  await (await vera.presses('Summary')).answered();
  expect((await vera.chat.waitFor('came in')).text).not.toContain('step 30');
});
