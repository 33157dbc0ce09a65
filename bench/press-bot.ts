import { Bot, InlineKeyboard } from 'grammy';
import { GROUP, TELEGRAM_TOKEN } from './configuration.ts';
import { serveParent } from './place.ts';

/** The baseline of `press`: the least that a bot does with a button. */
const bot = new Bot(TELEGRAM_TOKEN, { client: { apiRoot: process.env['BENCH_TELEGRAM'] ?? '' } });
const keyboard = new InlineKeyboard().text('✋ Acknowledge', 'ack');
const owners = new Map<number, boolean>();
bot.on('callback_query:data', async (context) => {
  await context.answerCallbackQuery();
  const id = context.callbackQuery.message?.message_id ?? 0;
  owners.set(id, !owners.get(id));
  const text = owners.get(id) ? `Handled by: ${context.from.first_name}` : 'Nobody has it';
  await context.editMessageText(text, { reply_markup: keyboard });
});
void bot.start({
  onStart: () =>
    serveParent(0, async () => {
      await bot.api.sendMessage(GROUP, 'Nobody has it', { reply_markup: keyboard });
      return true;
    }),
});
