import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../src/core/clock.ts';
import { title } from '../../src/core/doc.ts';
import { beginDrill, drillFailed, drillReceived } from '../../src/store/drills.ts';
import { observe } from '../../src/store/observations.ts';
import { saveProbeState } from '../../src/store/probes.ts';
import { HEARTBEAT } from '../../src/tasks/watcher/heartbeat.ts';
import { appendWebhooks, purgeSetAside, setAside } from '../../src/store/webhook-log.ts';
import { WATCHDOG } from '../../src/tasks/watcher/signals.ts';
import { watcherState } from '../../src/tasks/watcher/state.ts';
import { judgeWatcher, watcherBlocks } from '../../src/tasks/watcher/state-doc.ts';
import { openLife } from './support/life.ts';
import { configWith, shown } from './support/shown.ts';

const DRILL = '01890000-0000-7000-8000-000000000001';

async function open(sections: Readonly<Record<string, unknown>>) {
  const config = configWith(sections);
  const life = await openLife();
  const { db, clock } = life;
  const look = async () => {
    const data = await watcherState(db, clock, config);
    const now = clock.now();
    const drawn = await shown(
      ({ t, language }) => ({
        blocks: [title('info', t('status-head')), ...watcherBlocks(data, { t, language, now })],
      }),
      life,
      [],
      now,
    );
    const lines = (text: string): string[] => text.split('\n').slice(1);
    return { ...judgeWatcher(data), en: lines(drawn.en.text), ru: lines(drawn.ru.text) };
  };
  return { db, clock, look };
}

const ALL = {
  watchdog: { match: { alertname: 'Watchdog' }, missing_minutes: 5 },
  heartbeat: { url: 'env:PING', every_seconds: 60 },
  drill: { chat: 'ops', at: '11:00' },
  probes: [
    { id: 'gitlab', name: 'GitLab', kind: 'http', target: 'https://gitlab.example.net' },
    { id: 'dns', kind: 'tcp', target: 'dns.example.net:53' },
  ],
};

describe('the watch over the watch, on /status and in the digest', () => {
  it('says nothing of what is not configured', async () => {
    const { look } = await open({});
    expect(await look()).toEqual({ warning: 0, unknown: 0, en: [], ru: [] });
  });

  it('does not call well what nobody has seen', async () => {
    const { look } = await open(ALL);
    expect(await look()).toEqual({
      warning: 0,
      unknown: 4,
      en: ['Probes: unknown: GitLab, dns', 'Watchdog: has not come yet', 'Outside switch: no signal is sent'],
      ru: ['Проверки: неизвестно: GitLab, dns', 'Watchdog: ещё не приходил', 'Внешний контроль: сигналы не уходят'],
    });
  });

  it('tells of webhooks that could not be applied, as long as they are kept', async () => {
    const { db, clock, look } = await open({});
    await appendWebhooks(db, ['{}', '[]'], clock.now());
    expect((await look()).en).toEqual([]);
    await setAside(db, 1, clock.now());
    expect(await look()).toMatchObject({
      warning: 0,
      en: ['Webhooks: one could not be applied and is kept, last 23 Nov 12:00'],
      ru: ['Вебхуки: 1 не обработан и сохранён, последний — 23 ноя 12:00'],
    });
    await clock.advance(minutes(5));
    await setAside(db, 2, clock.now());
    expect((await look()).en).toEqual(['Webhooks: 2 could not be applied and are kept, last 23 Nov 12:05']);
    await purgeSetAside(db, new Date(clock.now().getTime() + 1));
    expect((await look()).en).toEqual([]);
  });

  it('is one line each, what is wrong in words', async () => {
    const { db, clock, look } = await open(ALL);
    const now = clock.now();
    await observe(db, WATCHDOG, true, {}, now);
    await observe(db, HEARTBEAT, true, { faults: [], reachedAt: now }, now);
    const up = { state: 'up', since: now, checkedAt: now, latencyMs: 5, failures: 0, successes: 1 } as const;
    await saveProbeState(db, 'gitlab', up);
    await saveProbeState(db, 'dns', { ...up, state: 'down', reason: 'ECONNREFUSED' });
    await beginDrill(db, { id: DRILL, via: 'alertmanager', startedBy: 'anna', startedAt: now, answerBy: now });
    await clock.advance(seconds(20));
    expect(await look()).toMatchObject({
      warning: 0,
      unknown: 0,
      en: [
        'Probes: failing: dns (ECONNREFUSED) · 1 answers',
        'Watchdog: came 20 s ago',
        'Outside switch: signal 20 s ago',
        'Last drill: under way · 23 Nov 12:00',
      ],
    });
    await drillReceived(db, DRILL, clock.now());
    await drillFailed(db, DRILL, 'pressed');
    await observe(db, HEARTBEAT, false, { faults: ['critical-late', 'worker'] }, clock.now());
    const bad = await look();
    expect(bad).toMatchObject({ warning: 2, unknown: 0 });
    expect(bad.en).toContain('Outside switch: alarmed: a critical message waits, no worker lives');
    expect(bad.ru).toContain('Внешний контроль: поднята тревога: критичное сообщение ждёт, нет живого воркера');
    expect(bad.ru).toContain('Последнее учение: никто не ответил · 23 ноя 12:00');
    await observe(db, HEARTBEAT, false, { faults: [], error: 'ENOTFOUND' }, clock.now());
    expect((await look()).en).toContain('Outside switch: cannot be reached (ENOTFOUND)');
    await clock.advance(minutes(6));
    const old = await look();
    expect(old.en).toContain('Watchdog: does not arrive, last 23 Nov 12:00');
    expect(old.en).toContain('Outside switch: no signal is sent');
    expect(old.unknown).toBe(2);
  });
});
