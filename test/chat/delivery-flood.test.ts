import { Api } from 'grammy';
import { describe, expect, it } from 'vitest';
import { publishMenus } from '../../src/bot/menu.ts';
import { seconds } from '../../src/core/clock.ts';
import { doc, title } from '../../src/core/doc.ts';
import { silentLog } from '../../src/core/log.ts';
import { block, chatStates } from '../../src/store/chats.ts';
import { enqueue } from '../../src/store/outbox.ts';
import { DBA, isDone, LIMITS, OPS, openSenders, PACE, refused } from './support/senders.ts';

describe('Telegram asks a chat to wait', () => {
  it.each([3, 35, 600])(
    'for %i s: not one call goes there before, others go on, the critical one leaves first',
    async (wait) => {
      const senders = await openSenders({ limits: LIMITS, pace: PACE, topics: { alerts: 77 } });
      const first = senders.sender();
      await senders.want('card');
      await senders.until(() => senders.messages().length === 1);
      await senders.until(() => isDone(senders));
      senders.telegram.faults.next('sendMessage', { flood: wait }, { chat: OPS });
      await senders.want('warning', { priority: 2 });
      await senders.until(async () => (await chatStates(senders.store.db, [OPS])).get(OPS)?.blockedUntil !== undefined);
      const until = senders.telegram.state.bannedUntil(OPS)?.getTime() ?? 0;
      const before = senders.telegram.state.calls.length;
      // Every kind of call that there is.
      await senders.want('dynamic', { priority: 2, topic: 'postgres' });
      senders.draws('photo', { ...doc(title('info', 'photo')), picture: { id: await senders.picture(), alt: 'CPU' } });
      await senders.want('photo', { priority: 3 });
      senders.draws('card', 'edited');
      await senders.touch('card');
      const { db } = senders.store;
      const parcel = { chat: OPS, priority: 3, kind: 'delete', body: { messageId: 1 } } as const;
      await enqueue(db, parcel, senders.clock.now());
      await senders.want('critical', { priority: 0 });
      await senders.want('elsewhere', { chat: DBA });
      const api = new Api('4242:test-token', { apiRoot: senders.telegramUrl });
      const menu = { scope: { type: 'chat', chat_id: OPS } as const, commands: [{ command: 'a', description: 'b' }] };
      await publishMenus({ api, db, clock: senders.clock, log: silentLog }, [menu]);
      await senders.until(() => senders.messages(DBA).length === 1);
      // A restart in between changes nothing.
      await first.stop();
      senders.sender();
      await senders.until(() => isDone(senders), wait * 2 + 100);
      const calls = senders.telegram.state.calls.slice(before).filter((call) => call.chat_id === OPS);
      expect(calls.filter((call) => call.at.getTime() < until)).toEqual([]);
      expect(senders.telegram.state.calls.filter(({ method }) => method === 'setMyCommands')).toEqual([]);
      expect(refused(senders)).toHaveLength(1);
      expect(
        senders
          .lines()
          .filter((line) => line !== '')
          .slice(1, 2),
      ).toEqual(['🔴 CRITICAL · critical']);
      expect(new Set(calls.map(({ method }) => method))).toEqual(
        new Set(['sendMessage', 'editMessageText', 'deleteMessage', 'sendPhoto', 'createForumTopic']),
      );
    },
  );

  it('hears of it from another process at once', async () => {
    const senders = await openSenders();
    senders.sender();
    await senders.want('first');
    await senders.until(() => senders.messages().length === 1);
    const end = new Date(senders.clock.now().getTime() + seconds(20));
    await block(senders.store.db, OPS, end);
    await senders.want('second');
    await senders.until(() => senders.messages().length === 2);
    expect(senders.clock.now().getTime()).toBeGreaterThanOrEqual(end.getTime());
  });
});
