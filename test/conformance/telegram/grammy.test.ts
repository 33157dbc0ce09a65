import { Bot, GrammyError, InputFile } from 'grammy';
import { expect, test } from 'vitest';
import { ALICE, type Harness, png, TOKEN, withSimulator } from './harness.ts';

async function withBot(h: Harness, setUp: (bot: Bot) => void, body: (bot: Bot) => Promise<void>): Promise<void> {
  const bot = new Bot(TOKEN, { client: { apiRoot: h.url } });
  setUp(bot);
  const running = bot.start({ allowed_updates: ['message', 'callback_query'] });
  try {
    await body(bot);
  } finally {
    await bot.stop();
    await running;
  }
}

test('the real client: a command, a button, an edit', () =>
  withSimulator((h) =>
    withBot(
      h,
      (bot) => {
        bot.command('start', (context) =>
          context.reply('<b>Ready?</b>', {
            parse_mode: 'HTML',
            reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] },
          }),
        );
        bot.callbackQuery('yes', async (context) => {
          await context.answerCallbackQuery({ text: 'Noted' });
          await context.editMessageText(`Ready, ${context.from.first_name}`);
        });
      },
      async () => {
        const alice = h.stage.person('alice');
        alice.says('/start');
        expect((await alice.chat.waitFor('Ready?')).entities).toEqual([{ type: 'bold', offset: 0, length: 6 }]);
        const press = await alice.presses('Yes');
        expect((await press.answered()).text).toBe('Noted');
        const card = await alice.chat.waitFor('Ready, Alice');
        expect(card).not.toHaveProperty('reply_markup');
        h.stage.expectQuiet();
      },
    ),
  ));

test('the real client: uploads and refusals', () =>
  withSimulator(async (h) => {
    const { api } = new Bot(TOKEN, { client: { apiRoot: h.url } });
    const image = new Uint8Array(await png(640, 480).arrayBuffer());
    const photo = await api.sendPhoto(ALICE, new InputFile(image, 'cpu.png'), { caption: 'CPU' });
    expect(photo.photo).toMatchObject([{ width: 640, height: 480 }]);
    const log = await api.sendDocument(ALICE, new InputFile(Buffer.from('строка'), 'log.txt'));
    expect(log.document).toMatchObject({ file_name: 'log.txt', file_size: 12 });
    const refusal = await api.sendMessage(99, 'x').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(GrammyError);
    expect(refusal).toMatchObject({ error_code: 400, description: 'Bad Request: chat not found' });
  }));

test('the real client: an update not handled because the program stopped comes again', () =>
  withSimulator(async (h) => {
    const seen: string[] = [];
    const first = new Bot(TOKEN, { client: { apiRoot: h.url } });
    await first.init();
    h.stage.person('alice').says('/one');
    const updates = await first.api.getUpdates();
    expect(updates).toHaveLength(1);
    await withBot(
      h,
      (bot) =>
        bot.on('message:text', (context) =>
          context.reply(`got ${context.message.text}`).then(() => void seen.push(context.message.text)),
        ),
      async () => {
        await h.stage.chat(ALICE).waitFor('got /one');
        expect(h.sim.state.messages(ALICE)).toHaveLength(2);
      },
    );
  }));
