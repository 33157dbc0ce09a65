import { expect, it } from 'vitest';
import { days, minutes } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { picture } from '../../src/store/pictures.ts';
import { restoreDrills } from '../../src/store/recovery.ts';
import slo from '../../src/tasks/operations/slo.ts';
import type { GoalSettings } from '../../src/core/recovery.ts';
import { createSloDesk, drawSlo, sloRows } from '../../src/tasks/recovery/slo.ts';
import { as } from './support/life.ts';
import { goodReport, openRecovery } from './support/recovery.ts';
import { shownRun } from './support/shown.ts';

const id = (n: number): string => `0199b1a0-0000-7000-8000-0000000000${String(n).padStart(2, '0')}`;

it('/slo holds each target to its own goal, and says whose it is', async () => {
  const sections = { recovery: { goals: [{ for: 'guest', rto_minutes: 60, rpo_minutes: 1560 }] } };
  const { life, recovery, config, ports } = await openRecovery([slo], { sections });
  const { db, clock } = life;
  ports.slo = createSloDesk({ db, clock, config, catalogue: catalogue(allMessages) });
  await recovery.begin(id(1), 'pg:main', as('anna'));
  await recovery.ended(id(1), goodReport({ rtoMs: minutes(31) }));
  await recovery.begin(id(2), 'guest:gitlab', as('anna'));
  await recovery.ended(id(2), goodReport({ rtoMs: minutes(40), rpoMs: minutes(1200) }));
  const run = await life.requests.request(as('vera'), 'slo', {});
  await life.deliver();
  const { en, ru } = await shownRun(await life.run(run.id), life, [slo], clock.now());
  expect(en.text).toContain('RTO · 1 of 2 miss their goals');
  expect(en.text).toMatch(/✘ pg:main 31 min .* · goal 30 min/u);
  expect(en.text).toMatch(/✔ guest:gitlab 40 min .* · goal 1 h \(guest\)/u);
  expect(ru.text).toContain('хуже своей нормы: 1 из 2');
});

it('/slo says how to begin, then shows what was measured against the goals, as picture and in words', async () => {
  const { life, recovery, config, ports } = await openRecovery([slo]);
  const { db, clock } = life;
  ports.slo = createSloDesk({ db, clock, config, catalogue: catalogue(allMessages) });
  const ask = async (args: Record<string, unknown> = {}) => {
    const run = await life.requests.request(as('vera'), 'slo', args);
    await life.deliver();
    const ended = await life.run(run.id);
    return { ended, ...(await shownRun(ended, life, [slo], clock.now())) };
  };
  expect((await ask()).en.text).toContain('Nothing was measured yet');

  let n = 0;
  for (const [target, rtoMinutes, rpoMinutes] of [
    ['pg:main', 10, 1],
    ['pg:main', 12, undefined],
    ['guest:gitlab', 40, undefined],
    ['pg:main', 20, 90],
  ] as const) {
    await clock.advance(days(7));
    n += 1;
    await recovery.begin(id(n), target, as('anna'));
    const { rpoMs: _rpo, ...report } = goodReport({ rtoMs: rtoMinutes * 60_000 });
    await recovery.ended(id(n), rpoMinutes === undefined ? report : { ...report, rpoMs: rpoMinutes * 60_000 });
  }
  await recovery.begin(id(50), 'volume:etc', as('anna'));
  await recovery.broke(id(50), { key: 'recovery-lost' });
  await recovery.begin(id(51), 'volume:wiki', as('anna'));
  await recovery.broke(id(51), { key: 'err-cancelled', args: { by: 'anna' } });

  const { ended, en } = await ask();
  expect(en.text).toContain('RTO · 2 of 3 miss the goal of 30 min');
  expect(en.text).toContain('✔ pg:main 20 min · median 12 min · worst 20 min');
  expect(en.text).toContain('✘ guest:gitlab 40 min');
  expect(en.text).toContain('✘ volume:etc no good drill');
  expect(en.text).toContain('1 of 1 drills failed');
  expect(en.text).not.toContain('wiki');
  const shown = ended.result as { picture: string };
  expect(await picture(db, shown.picture)).toMatchObject({ mime: 'image/png' });
  const rpo = await ask({ metric: 'rpo', theme: 'light' });
  expect(rpo.en.text).toContain('RPO · 1 of 1 miss the goal of 1 h');
  expect(rpo.en.text).toContain('✘ pg:main 1 h 30 min · median 1 min 0 s · worst 1 h 30 min'.replace(' 0 s', ''));
  expect(rpo.en.text).toContain('· guest:gitlab cannot be told');

  const drills = await restoreDrills(db);
  const drawn = (settings: GoalSettings) =>
    drawSlo({
      metric: 'rto',
      theme: 'dark',
      t: catalogue(allMessages).for('ru'),
      zone: 'Europe/Moscow',
      from: new Date(clock.now().getTime() - days(90)),
      to: clock.now(),
      rows: sloRows(drills, settings),
      drills,
    });
  const svg = drawn({ rtoMinutes: 30, rpoMinutes: 60 });
  expect(svg).toContain('норма 30 мин');
  expect(svg).toContain('width="1280"');
  expect(svg.match(/<circle [^>]*r="7"/gu)).toHaveLength(3);
  // Goals that differ: each against its own, the values in words at the ends.
  const shares = drawn({ rtoMinutes: 30, rpoMinutes: 60, goals: [{ for: 'guest', rtoMinutes: 80 }] });
  expect(shares).toContain('100 % — норма каждой цели');
  expect(shares).toContain('40 мин');
  // What lies before the ninety days is forgotten by /slo, not by the ledger.
  await clock.advance(days(100));
  expect((await ask()).en.text).toContain('Nothing was measured yet');
  expect(await recovery.ledger()).toHaveLength(6);
});
