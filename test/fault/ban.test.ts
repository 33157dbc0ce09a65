import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/components/index.ts';
import { group } from './support/alerts.ts';
import { judge } from './support/judge.ts';
import { begin, FINE } from './support/scene.ts';
import { chatOf } from './support/world.ts';

const EAST = chatOf('east');

describe('killed', () => {
  it('while a chat is banned for a minute: not one call to it before the end, and other chats go on', async () => {
    const scene = await begin('ban', onTestFinished);
    const { world, sender } = scene;
    const banned = group(1, 'east', 'critical');
    const other = group(2, 'west', 'warning');
    // Long enough for a program that starts on a busy machine.
    world.telegram.faults.next('sendMessage', { flood: 60 }, { chat: EAST });
    sender.tell(banned);
    await sender.idle();
    const isNoted = async () =>
      (await world.rows('select 1 from chat_state where blocked_until is not null')).length > 0;
    await until('the ban in the database', isNoted);
    const end = world.telegram.state.bannedUntil(EAST)?.getTime() ?? 0;
    expect(end).toBeGreaterThan(Date.now() + 20_000);
    await scene.crash();
    sender.tell(other);
    scene.resolve(banned);
    await until('the other chat', scene.isShown(other));
    expect(Date.now()).toBeLessThan(end);
    expect(scene.shown(banned)).toEqual([]);
    await sender.idle();
    await world.drained(180_000);
    const calls = world.telegram.state.calls.filter(
      ({ chat_id: chat, method }) => chat === EAST && /^(send|edit)/i.test(method),
    );
    expect(calls.map(({ outcome, at }) => [outcome, at.getTime() >= end])).toEqual([
      [429, false],
      [200, true],
    ]);
    expect(await judge(world, [banned, other], sender)).toMatchObject({ ...FINE, messages: 2, explained: 0 });
  });
});
