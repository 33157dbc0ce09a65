import { systemClock } from '../src/core/clock.ts';
import type { TelegramSimulator } from '../src/simulators/telegram/index.ts';
import {
  type Alertmanager,
  nativeReceiver,
  noAlertmanager,
  openAlertmanager,
  type Pace,
  webhookReceiver,
} from './alertmanager.ts';
import { GROUP } from './configuration.ts';
import { type Bench, type Figure, figure, interleaved, quantile } from './figures.ts';
import { openPlace } from './place.ts';
import { install, openTelegram, SOURCE } from './program.ts';

const ROUNDS = 7;
const ALERTS = 10;
/** With a group_wait of a second. */
const FEW = 5;
const WARM_UP = 20;
const GIVE_UP_MS = 20_000;
/** Longer than either side needs to come to rest after a message, and slow enough to stay a row of lone alerts, not a storm. */
const PAUSE_MS = 400;
/** `group_wait` of the two parts: what people set to hear of things quickly, and none at all. */
const WAITS = ['1s', '0s'] as const;

/** One alert given to Alertmanager → its message in the chat, by way of Vakhta and by Alertmanager's own receiver. */
export const latency: Bench = {
  name: 'latency',
  about: 'one alert posted to Alertmanager → message in the chat, against its own telegram receiver',
  run: async (report) => {
    const why = noAlertmanager();
    if (why !== undefined) throw new Error(why);
    const place = await openPlace();
    const ours = await openTelegram();
    const theirs = await openTelegram();
    const managers: Alertmanager[] = [];
    const open = async (receiver: object, groupWait: string): Promise<Alertmanager> => {
      const pace: Pace = { groupBy: ['alertname'], groupWait, groupInterval: '1h', repeatInterval: '24h' };
      const opened = await openAlertmanager(receiver, pace);
      managers.push(opened);
      return opened;
    };
    try {
      const program = await install(place, ours.url, SOURCE);
      await program.start();
      const figures: Figure[] = [];
      for (const wait of WAITS) {
        const program_ = await open(webhookReceiver(program.url), wait);
        const native = await open(nativeReceiver(theirs.url), wait);
        // Alerts of a round are given one after the other, not at once: each is alone.
        const measureOurs = () => alone(program_, ours.telegram, wait === '0s' ? ALERTS : FEW);
        const measureTheirs = () => alone(native, theirs.telegram, wait === '0s' ? ALERTS : FEW);
        report(`group_wait ${wait}, warming up`);
        await alone(program_, ours.telegram, wait === '0s' ? WARM_UP : 3);
        await alone(native, theirs.telegram, wait === '0s' ? WARM_UP : 3);
        const rounds = await interleaved(
          wait === '0s' ? ROUNDS : 3,
          { program: measureOurs, baseline: measureTheirs },
          (progress) => report(`group_wait ${wait}, ${progress}`),
        );
        const of = (share: number) =>
          rounds.map((round) => ({
            program: quantile(round.program, share),
            baseline: quantile(round.baseline, share),
          }));
        const aim = wait === '1s' ? ({ at: 'most', ratio: 1.1 } as const) : undefined;
        figures.push(
          figure(`alert to message p50, group_wait ${wait}`, 'ms', of(0.5), aim),
          figure(`alert to message p95, group_wait ${wait}`, 'ms', of(0.95)),
        );
      }
      return figures;
    } finally {
      for (const manager of managers) await manager.stop();
      await place.close();
      await ours.telegram.close();
      await theirs.telegram.close();
    }
  },
};

let counter = 0;

/** One alert after the other, each a group of its own; milliseconds from posting it to its message in the chat. */
async function alone(manager: Alertmanager, { cast }: TelegramSimulator, alerts: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < alerts; n += 1) {
    const name = `Alert${(counter += 1)}x`;
    await systemClock.sleep(PAUSE_MS);
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const giveUp = systemClock.after(GIVE_UP_MS, () => settle(() => reject(new Error(`no message about ${name}`))));
      const settle = (act: () => void): void => {
        giveUp();
        unsubscribe();
        act();
      };
      const unsubscribe = cast.subscribe((event) => {
        if (event.type !== 'message' || event.chat !== GROUP) return;
        if (cast.chat(GROUP).messages.get(event.message_id)?.message.text?.includes(name)) settle(resolve);
      });
      manager
        .post([
          {
            labels: { alertname: name, instance: 'web1:9100', severity: 'critical' },
            annotations: { summary: `${name} fires` },
          },
        ])
        .catch((error: unknown) => settle(() => reject(error)));
    });
    times.push(performance.now() - began);
  }
  return times;
}
