import { systemClock } from '../src/core/clock.ts';
import type { TelegramSimulator } from '../src/simulators/telegram/index.ts';
import { PEOPLE } from './configuration.ts';
import { type Bench, figure, interleaved, quantile } from './figures.ts';
import { openPlace } from './place.ts';
import { install, openTelegram, SOURCE } from './program.ts';

const ROUNDS = 9;
const COMMANDS = 60;
const WARM_UP = 80;
const GIVE_UP_MS = 20_000;
/** People type slower than that; what a program does after its answer has an end before the next command. */
const PAUSE_MS = 30;

/** Command → answer, as the person sees it in the chat. */
export const reply: Bench = {
  name: 'reply',
  about: '/whoami in the Telegram simulator → answer shown, against a bare grammY bot that echoes',
  run: async (report) => {
    const place = await openPlace();
    const ours = await openTelegram();
    const theirs = await openTelegram();
    try {
      const program = await install(place, ours.url, SOURCE);
      await program.start();
      await place.module('echo-bot.ts', { BENCH_TELEGRAM: theirs.url });
      report('warming up');
      await converse(ours.telegram, WARM_UP);
      await converse(theirs.telegram, WARM_UP);
      const rounds = await interleaved(
        ROUNDS,
        {
          program: () => converse(ours.telegram, COMMANDS),
          baseline: () => converse(theirs.telegram, COMMANDS),
        },
        report,
      );
      const of = (share: number) =>
        rounds.map(({ program: mine, baseline }) => ({
          program: quantile(mine, share),
          baseline: quantile(baseline, share),
        }));
      return [figure('reply p50', 'ms', of(0.5), { at: 'most', ratio: 3 }), figure('reply p95', 'ms', of(0.95))];
    } finally {
      await place.close();
      await ours.telegram.close();
      await theirs.telegram.close();
    }
  },
};

/** One command after the other, the people in turns; milliseconds from typing to the answer in the chat. */
async function converse({ cast }: TelegramSimulator, commands: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < commands; n += 1) {
    const person = PEOPLE[n % PEOPLE.length];
    if (!person) break;
    await systemClock.sleep(PAUSE_MS);
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const giveUp = systemClock.after(GIVE_UP_MS, () => done(() => reject(new Error('a command was not answered'))));
      const done = (act: () => void): void => {
        giveUp();
        unsubscribe();
        act();
      };
      const unsubscribe = cast.subscribe((event) => {
        if (event.type !== 'message' || event.chat !== person.id) return;
        if (cast.chat(event.chat).messages.get(event.message_id)?.byBot) done(resolve);
      });
      cast.say({ as: person.id, chat: person.id, text: '/whoami' });
    });
    times.push(performance.now() - began);
  }
  return times;
}
