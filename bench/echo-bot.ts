import { Bot } from 'grammy';
import { TELEGRAM_TOKEN } from './configuration.ts';
import { serveParent } from './place.ts';

/** The baseline of `reply`: the least that a bot does. */
const bot = new Bot(TELEGRAM_TOKEN, { client: { apiRoot: process.env['BENCH_TELEGRAM'] ?? '' } });
bot.on('message:text', (context) => context.reply(context.message.text));
void bot.start({ onStart: () => serveParent(0, async () => true) });
