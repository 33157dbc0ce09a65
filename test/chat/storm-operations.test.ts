import { describe, expect, it } from 'vitest';
import type { WriterConfig } from '../../src/tasks/watch/writer.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { ALERTMANAGER } from '../../src/tasks/incidents.ts';
import ack from '../../src/tasks/operations/storm-ack.ts';
import stormList from '../../src/tasks/operations/storm-list.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import { createStormDesk } from '../../src/tasks/storms.ts';
import { as, openLife } from './support/life.ts';
import { configWith } from './support/shown.ts';

/** A storm of twelve: eight have cards of their own. */
async function openStorm() {
  const ports: { storms?: Ports['storms'] } = {};
  const life = await openLife({ operations: [ack, stormList], ports });
  ports.storms = createStormDesk(life);
  const config: WriterConfig = configWith({});
  const writer = createIncidentWriter(config);
  const tell = (groups: readonly string[], status = 'firing') => {
    const now = life.clock.now();
    const alerts = [{ status, labels: { alertname: 'Slow', severity: 'warning' }, startsAt: now.toISOString() }];
    const parsed = groups.map((groupKey) => parseWebhook(JSON.stringify({ groupKey, alerts }), now));
    return life.db.tx((tx) => writer.apply(tx, ALERTMANAGER, parsed, now));
  };
  const groups = Array.from({ length: 12 }, (_, n) => `g${n}`);
  await tell(groups);
  const rows = async (text: string): Promise<Record<string, unknown>[]> =>
    (await life.db.query(text)).rows as Record<string, unknown>[];
  const revisions = () => rows(`select kind, ref, rev from cards where kind <> 'run' order by kind, ref::int`);
  return { ...life, tell, rows, revisions };
}

describe('acknowledging a whole storm', () => {
  it('takes on what fires and nobody has, and draws the cards of just those', async () => {
    const life = await openStorm();
    expect(await life.revisions()).toHaveLength(9);
    await life.tell(['g0', 'g11'], 'resolved');
    await life.db.query(`update incidents set owner = 'boris' where group_key in ('g1', 'g10')`);
    const before = await life.revisions();
    const asked = await life.requests.request(as('anna'), 'storm.ack', { storm: 1 });
    await life.deliver();
    const run = await life.run(asked.id);
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(await life.rows(`select owner, count(*)::int as n from incidents group by owner order by owner`)).toEqual([
      { owner: 'anna', n: 8 },
      { owner: 'boris', n: 2 },
      { owner: null, n: 2 },
    ]);
    expect(await life.rows(`select distinct kind, actor from incident_events where actor is not null`)).toEqual([
      { kind: 'acknowledged', actor: 'anna' },
    ]);
    // g2 to g7, and the storm; g1 is Boris's, g0 is over.
    const after = await life.revisions();
    const drawn = after
      .filter((one, n) => one['rev'] !== before[n]?.['rev'])
      .map(({ kind, ref }) => [kind, ref].join(' '));
    expect(drawn).toEqual([
      'incident 3',
      'incident 4',
      'incident 5',
      'incident 6',
      'incident 7',
      'incident 8',
      'storm 1',
    ]);
  });

  it('by two at once gives each incident to one of them', async () => {
    const life = await openStorm();
    const both = await Promise.all(
      ['anna', 'boris'].map((who) => life.requests.request(as(who), 'storm.ack', { storm: 1 })),
    );
    await life.deliver();
    const taken = await Promise.all(
      both.map(async ({ id }) => (await life.run(id)).result as { readonly incidents: readonly number[] }),
    );
    const all = taken.flatMap(({ incidents }) => incidents);
    expect(all).toHaveLength(12);
    expect(new Set(all).size).toBe(12);
    expect(await life.rows(`select count(*)::int as n from incident_events where kind = 'acknowledged'`)).toEqual([
      { n: 12 },
    ]);
  });

  it('whose worker died is found out: what was taken is not taken again', async () => {
    const life = await openStorm();
    const desk = createStormDesk(life);
    const mine = await desk.ack(1, 'anna');
    expect(mine).toHaveLength(12);
    expect(await desk.ack(1, 'anna')).toEqual([]);
    expect(await desk.unowned(1)).toBe(0);
    await expect(desk.ack(99, 'anna')).rejects.toMatchObject({ kind: 'usage', code: 'no-storm' });
  });
});

describe('the list of a storm', () => {
  it('is a file with every incident, firing ones first', async () => {
    const life = await openStorm();
    await life.tell(['g3'], 'resolved');
    const asked = await life.requests.request(as('vera'), 'storm.list', { storm: 1 });
    await life.deliver();
    const run = await life.run(asked.id);
    expect(run.state).toBe('succeeded');
    for (const [language, words] of [
      ['en', ['firing', 'over', '12 incidents, 12 alerts']],
      ['ru', ['горит', 'погас', '12 инцидентов, 12 алертов']],
    ] as const) {
      const t = catalogue(allMessages).for(language);
      const { file } = stormList.report(run.result, run.args, { t, language, now: life.clock.now() });
      const lines = file?.text.trim().split('\n') ?? [];
      expect(lines[0]).toContain(words[2]);
      expect(lines.slice(2)).toHaveLength(12);
      expect(lines.slice(2, 13).every((one) => one.includes(words[0]))).toBe(true);
      expect(lines.at(-1)).toContain(`#4\t${words[1]}`);
    }
  });
});
