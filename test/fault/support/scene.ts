import type { OnTestFinishedHandler } from 'vitest';
import type { Launched } from '../../support/components/index.ts';
import { type AlertSender, createSender, type Group } from './alerts.ts';
import type { Shown } from './ledger.ts';
import { dice, SEED } from './seed.ts';
import { chatOf, startWorld, type World } from './world.ts';

/** What `judge` finds when nothing went wrong. */
export const FINE = { wrong: [], lost: [], unexplained: [], wrongStorms: [] };
export const MARK = '↻ Perhaps sent twice';

/** One program, which was started and may be killed, and an Alertmanager that tells it alerts. */
export interface Scene {
  readonly world: World;
  readonly sender: AlertSender;
  /** The program that runs now. */
  program(): Launched;
  kill(): Promise<void>;
  start(): Launched;
  /** Killed at once, and started again. */
  crash(): Promise<void>;
  shown(of: Group): Shown[];
  isShown(of: Group): () => boolean;
  resolve(of: Group): void;
}

/** The program runs and is ready; everything ends with the test. */
export async function begin(name: string, atEnd: (handler: OnTestFinishedHandler) => void): Promise<Scene> {
  const world = await startWorld(dice(SEED, name));
  atEnd(() => world.stop());
  const sender = createSender(world.webhookUrl);
  let program = world.launch();
  await world.ready(program);
  const shown = (of: Group) => world.ledger.about(chatOf(of.team), `Disk full on ${of.name} `);
  const kill = () => world.kill(program);
  const start = () => (program = world.launch());
  return {
    world,
    sender,
    program: () => program,
    kill,
    start,
    crash: async () => {
      await kill();
      await world.ready(start());
    },
    shown,
    isShown: (of) => () => shown(of).length > 0,
    resolve: (of) => {
      for (const member of of.members) member.endsAt ??= new Date().toISOString();
      of.version += 1;
      sender.tell(of);
    },
  };
}
