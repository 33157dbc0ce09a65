import { systemClock } from '../src/core/clock.ts';
import type { TelegramSimulator } from '../src/simulators/telegram/index.ts';
import { GROUP, PEOPLE, WEBHOOK_TOKEN } from './configuration.ts';
import { type Bench, figure, interleaved, quantile } from './figures.ts';
import { payload } from './payload.ts';
import { openPlace } from './place.ts';
import { install, openTelegram, SOURCE } from './program.ts';

const ROUNDS = 7;
const PRESSES = 40;
const WARM_UP = 20;
const GIVE_UP_MS = 20_000;
const PAUSE_MS = 30;

interface Times {
  readonly answered: readonly number[];
  readonly shown: readonly number[];
}

/** Press of "Acknowledge" → the button's spinner ends; → the chat shows whose it is. */
export const press: Bench = {
  name: 'press',
  about: 'a button pressed in the Telegram simulator → answered, and → the owner shown on the card, against a bare bot',
  run: async (report) => {
    const place = await openPlace();
    const ours = await openTelegram();
    const theirs = await openTelegram();
    try {
      const program = await install(place, ours.url, SOURCE);
      await program.start();
      const shown = messageOf(ours.telegram);
      const response = await fetch(`${program.url}/webhooks/alertmanager`, {
        method: 'POST',
        headers: { authorization: `Bearer ${WEBHOOK_TOKEN}`, 'content-type': 'application/json' },
        body: payload(1),
      });
      if (!response.ok) throw new Error(`the webhook was answered ${response.status}`);
      const card = await shown;
      const bare = await place.module('press-bot.ts', { BENCH_TELEGRAM: theirs.url });
      const said = messageOf(theirs.telegram);
      await bare.ask('send');
      const message = await said;
      report('warming up');
      await presses(ours.telegram, card, WARM_UP);
      await presses(theirs.telegram, message, WARM_UP);
      const rounds = await interleaved(
        ROUNDS,
        {
          program: () => presses(ours.telegram, card, PRESSES),
          baseline: () => presses(theirs.telegram, message, PRESSES),
        },
        report,
      );
      const of = (what: keyof Times, share: number) =>
        rounds.map(({ program: mine, baseline }) => ({
          program: quantile(mine[what], share),
          baseline: quantile(baseline[what], share),
        }));
      return [
        figure('press answered p50', 'ms', of('answered', 0.5)),
        figure('press answered p95', 'ms', of('answered', 0.95)),
        figure('owner shown p50', 'ms', of('shown', 0.5)),
        figure('owner shown p95', 'ms', of('shown', 0.95)),
      ];
    } finally {
      await place.close();
      await ours.telegram.close();
      await theirs.telegram.close();
    }
  },
};

/** The id of the next message of the bot in the group. */
function messageOf({ cast }: TelegramSimulator): Promise<number> {
  return new Promise((resolve) => {
    const unsubscribe = cast.subscribe((event) => {
      if (event.type !== 'message' || event.chat !== GROUP) return;
      unsubscribe();
      resolve(event.message_id);
    });
  });
}

/** The same person takes it on and gives it back in turns; milliseconds from the press. */
async function presses({ cast }: TelegramSimulator, id: number, count: number): Promise<Times> {
  const answered: number[] = [];
  const shown: number[] = [];
  const as = PEOPLE[0]?.id ?? 0;
  for (let n = 0; n < count; n += 1) {
    await systemClock.sleep(PAUSE_MS);
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const seen = { answer: false, edit: false };
      const done = (act: () => void): void => {
        giveUp();
        unsubscribe();
        act();
      };
      const giveUp = systemClock.after(GIVE_UP_MS, () => done(() => reject(new Error('a press led to nothing'))));
      let query = '';
      const unsubscribe = cast.subscribe((event) => {
        if (event.type === 'callback_answer' && event.callback_query_id === query) {
          answered.push(performance.now() - began);
          seen.answer = true;
        }
        if (event.type === 'edit' && event.chat === GROUP && event.message_id === id) {
          shown.push(performance.now() - began);
          seen.edit = true;
        }
        if (seen.answer && seen.edit) done(resolve);
      });
      query = cast.press({ as, chat: GROUP, message_id: id, row: 0, col: 0 }).callback_query_id;
    });
  }
  return { answered, shown };
}
