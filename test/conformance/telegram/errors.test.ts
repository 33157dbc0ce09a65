import { expect, test } from 'vitest';
import { contract, haveContracts } from '../../support/contracts.ts';
import { chatRows } from './error-rows-chats.ts';
import { contentRows } from './error-rows-content.ts';
import { BASIC, withSimulator } from './harness.ts';

const rows = [...chatRows, ...contentRows];

test.each(rows)('$name → $code $text', async ({ code, text, provoke }) => {
  await withSimulator(async (harness) => {
    const answer = await provoke(harness);
    expect({
      ok: answer.ok,
      status: answer.status,
      error_code: answer.error_code,
      description: answer.description,
    }).toEqual({
      ok: false,
      status: code,
      error_code: code,
      description: text,
    });
  });
});

test('a migrated group tells the new id in the parameters', async () => {
  await withSimulator(async ({ sim, call }) => {
    const { chat } = await sim.cast.admin({ action: 'migrate', chat: BASIC });
    const answer = await call('sendMessage', { chat_id: BASIC, text: 'x' });
    expect(answer.parameters).toEqual({ migrate_to_chat_id: chat });
    expect((await call('sendMessage', { chat_id: chat, text: 'x' })).ok).toBe(true);
  });
});

test.skipIf(!haveContracts)('the texts of the server are those of its sources', () => {
  const sources = JSON.stringify(contract('telegram', 'telegram-errors.json')).toLowerCase();
  const bare = (text: string) =>
    JSON.stringify(text.replace(/^(bad request|forbidden): /i, '').replace("can't parse inline keyboard button: ", ''))
      .slice(1, -1)
      .toLowerCase();
  const missing = rows
    .filter((row) => row.from === 'server' && !sources.includes(bare(row.text)))
    .map((row) => row.text);
  expect(missing).toEqual([]);
});
