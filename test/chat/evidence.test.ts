import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { systemClock } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Executor } from '../../src/integrations/exec/executor.ts';
import type { Prometheus, Range } from '../../src/integrations/prometheus/port.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { addDeployment } from '../../src/store/deployments.ts';
import type { Database } from '../../src/store/db.ts';
import { insertRun } from '../../src/store/runs.ts';
import { createEvidence } from '../../src/tasks/evidence/evidence.ts';
import { createTraitsIndex } from '../../src/tasks/evidence/traits.ts';
import { createIncidentDesk } from '../../src/tasks/incidents.ts';
import ack from '../../src/tasks/operations/ack.ts';
import graph from '../../src/tasks/operations/graph.ts';
import logs from '../../src/tasks/operations/logs.ts';
import { several } from '../../src/tasks/several.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { type ChatTest, openChat, OPS } from './support/chat.ts';

const signal = new AbortController().signal;
const NO: Prometheus = {
  query: () => Promise.resolve([]),
  queryRange: () => Promise.resolve([]),
  rules: () => Promise.resolve([]),
  targets: () => Promise.resolve([]),
  alerts: () => Promise.resolve([]),
  probe: () => Promise.resolve({ state: 'ok', text: 'prometheus-ok' }),
};
const rising: Prometheus = {
  ...NO,
  queryRange: (_expr: string, { from, stepSeconds }: Range) =>
    Promise.resolve([
      {
        metric: { instance: 'pg' },
        points: Array.from({ length: 361 }, (_, n) => ({
          at: new Date(from.getTime() + n * stepSeconds * 1000),
          value: n / 4,
        })),
      },
    ]),
};
const host: Executor = {
  run: () =>
    Promise.resolve({
      code: 0,
      stdout: `${new Date(Date.now() - 300_000).toISOString().slice(0, 19)}+0000 pg postgres[7]: FATAL: password=hunter2 refused\n`,
      stderr: '',
      truncated: false,
    }),
  describe: () => 'pg',
  probe: () => Promise.resolve({ state: 'ok', text: 'x' }),
};

interface Open extends ChatTest {
  /** Fires as Alertmanager would say it; the number of the incident. */
  fires(labels: Readonly<Record<string, string>>, more?: Readonly<Record<string, unknown>>): Promise<number>;
}

async function open(options: { readonly prometheus?: Prometheus | undefined } = {}): Promise<Open> {
  const prometheus = 'prometheus' in options ? options.prometheus : rising;
  let config: Config | undefined;
  const chat = await openChat({
    operations: [ack, graph, logs],
    sections: {
      storm: { cards: 100 },
      hosts: [HOST],
      logs: [{ match: { instance: 'pg' }, host: '{{instance}}', unit: 'postgresql' }],
    },
    ports: (db: Database, given: Config) => {
      config = given;
      const incidents = createIncidentDesk({ db, clock: systemClock });
      const evidence = createEvidence({
        db,
        clock: systemClock,
        config: given,
        catalogue: catalogue(allMessages),
        incidents,
        prometheus,
        loki: undefined,
        hosts: several([['pg', host]]),
        redact: (text) => text.replaceAll('hunter2', '[redacted]'),
      });
      return { incidents, evidence };
    },
  });
  const { db } = chat.store;
  return {
    ...chat,
    fires: async (labels, more = {}) => {
      if (!config) throw new Error('no configuration');
      const writer = createIncidentWriter(config);
      const groupKey = randomUUID();
      const alert = { status: 'firing', labels, ...more };
      const now = systemClock.now();
      const group = parseWebhook(JSON.stringify({ groupKey, receiver: 'vakhta', alerts: [alert] }), now);
      await db.tx((tx) => writer.apply(tx, 'alertmanager', [group], now));
      const { rows } = await db.query('select id from incidents where group_key = $1', [groupKey]);
      await createTraitsIndex({ db }).round(signal);
      return (rows[0] as { id: number }).id;
    },
  };
}

const HOST = {
  id: 'pg',
  address: '127.0.0.1',
  user: 'vakhta',
  private_key: 'env:KEY',
  host_key: 'SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8',
};
const DISK = { alertname: 'DiskFull', severity: 'critical', instance: 'pg', service: 'postgres' };
const generatorURL = 'http://prometheus.lan:9090/graph?g0.expr=disk_percent+%3E+80';

describe('the evidence of an incident', () => {
  it('is one press away: graph as a picture, log lines redacted, both in reply to the card', async () => {
    const chat = await open();
    const id = await chat.fires(DISK, { generatorURL, annotations: { summary: 'pg: disk is full' } });
    const card = await chat.ops.waitFor('disk is full');
    await (await chat.vera.presses('More', { chat: OPS })).answered();
    await chat.ops.waitFor(/generatorURL/u);

    await (await chat.vera.presses('Graph', { chat: OPS })).answered();
    const photo = await chat.ops.waitFor(({ photo: sizes }) => sizes !== undefined);
    expect(photo.photo?.at(-1)).toMatchObject({ width: 1280, height: 820 });
    expect(photo.caption).toContain('pg: disk is full');
    expect(photo.caption).toContain('Now: 90');
    expect(photo.caption).toContain('Threshold: > 80');
    expect(photo.caption).toContain('Rule: disk_percent');
    expect(photo.reply_to_message?.message_id).toBe(card.message_id);

    await (await chat.vera.presses('Log', { chat: OPS, on: card })).answered();
    const log = await chat.ops.waitFor('Log of postgresql · pg');
    expect(log.text).toMatch(/\d\d:\d\d:\d\d postgres\[7\]: FATAL: password=\[redacted\] refused/u);
    expect(log.text).toContain(`#${id}`);
  });

  it('a piece that is not there says why', async () => {
    const chat = await open({ prometheus: undefined });
    const id = await chat.fires({ ...DISK, instance: 'other' }, { generatorURL });
    await chat.ops.waitFor('DiskFull');
    chat.anna.says(`/graph ${id}`);
    expect((await chat.anna.chat.waitFor('Графика')).text).toContain('Prometheus не настроен');
    chat.anna.says(`/logs ${id}`);
    expect((await chat.anna.chat.waitFor('Строк журнала')).text).toContain('Ни одна запись раздела logs');
  });

  it('what changed before it, and what was like it', async () => {
    const chat = await open();
    const { db } = chat.store;
    const before = await chat.fires(DISK);
    await chat.ops.waitFor('DiskFull');
    await db.query(
      `update incidents set state = 'resolved', owner = 'boris', started_at = now() - interval '2 days',
         resolved_at = now() - interval '47 hours', current = false where id = $1`,
      [before],
    );
    const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
    const run = {
      operation: 'test.swap',
      args: { what: 'pg' },
      actor: { kind: 'operator', id: 'anna' },
      state: 'succeeded',
    } as const;
    await insertRun(db, { ...run, id: randomUUID() }, ago(50));
    await insertRun(db, { ...run, id: randomUUID(), args: { what: 'web' } }, ago(40));
    await insertRun(db, { ...run, id: randomUUID(), origin: { incident: before } }, ago(2880));
    const deployed = { version: '17.6', status: 'succeeded', by: 'ci' } as const;
    await addDeployment(db, { ...deployed, key: 'a', service: 'Postgres', at: ago(23) }, ago(23));
    await addDeployment(db, { ...deployed, key: 'b', service: 'gitlab', at: ago(30) }, ago(30));
    await addDeployment(db, { ...deployed, key: 'c', service: 'old', at: ago(60 * 30) }, ago(30));

    await chat.fires(DISK, { annotations: { summary: 'again' } });
    const card = await chat.ops.waitFor('again');
    await (await chat.vera.presses('More', { on: card, chat: OPS })).answered();
    await (await chat.vera.presses('Changes', { on: card, chat: OPS })).answered();
    const { text = '' } = await chat.ops.waitFor('What changed');
    const lines = text.split('\n');
    expect(lines.filter((line) => line.includes('before') && line.includes('•'))).toHaveLength(3);
    expect(text).toMatch(/• \d+ \w+ \d\d:\d\d deployed Postgres 17\.6 · ci · 23 min before/u);
    expect(text).toMatch(/Change something · done · Anna · 50 min before/u);
    expect(text.indexOf('gitlab')).toBeGreaterThan(text.indexOf('Elsewhere'));
    expect(text).not.toContain('old');
    expect(text).toMatch(new RegExp(`#${before} .* · 1 h · handled by Boris · helped: Change something`, 'u'));
  });
});

describe('/alerts', () => {
  it('lists what fires by weight, filters, and says when nothing does', async () => {
    const chat = await open();
    chat.vera.says('/alerts', { chat: OPS });
    await chat.ops.waitFor(/OK · Nothing fires/u);
    await chat.fires({ alertname: 'Slow', severity: 'warning', instance: 'web', service: 'shop' });
    await chat.ops.waitFor('Slow');
    const disk = await chat.fires(DISK);
    await chat.ops.waitFor('DiskFull');
    chat.vera.says('/alerts', { chat: OPS });
    const { text = '', reply_to_message: to } = await chat.ops.waitFor('2 incidents fire');
    expect(text.indexOf('DiskFull')).toBeLessThan(text.indexOf('Slow'));
    expect(to?.text).toBe('/alerts');
    await (await chat.anna.presses('Acknowledge', { chat: OPS, on: 'DiskFull · #' })).answered();
    await chat.ops.waitFor(/On it: Anna/u);

    chat.anna.says('/alerts mine');
    expect((await chat.anna.chat.waitFor(/1 из 2/u)).text).toContain(`#${disk} DiskFull`);
    chat.anna.says('/alerts free shop');
    expect((await chat.anna.chat.waitFor(/Slow/u)).text).toContain('никто не взял');
    chat.anna.says('/alerts critical shop');
    await chat.anna.chat.waitFor(/Такого не горит; других инцидентов: 2/u);
    chat.anna.says('/alerts @nobody');
    await chat.anna.chat.waitFor(/Не знаю никого/u);
    await (await chat.anna.presses('Все', { on: /Такого не горит/u })).answered();
    await chat.anna.chat.waitFor(/Горят 2 инцидента/u);
  });

  it('has pages', async () => {
    const chat = await open();
    for (let n = 1; n <= 13; n += 1) {
      await chat.fires({ alertname: `Alert${n}`, severity: 'warning', instance: `host${n}` });
      await chat.ops.waitFor(new RegExp(`Alert${n} · #`, 'u'));
    }
    chat.vera.says('/alerts');
    const first = await chat.vera.chat.waitFor('13 incidents fire');
    expect(first.text).toContain('Alert10');
    expect(first.text).not.toContain('Alert11');
    await (await chat.vera.presses('›')).answered();
    expect((await chat.vera.chat.waitFor('Alert13')).text).not.toContain('Alert10');
  });
});

describe('/why', () => {
  it('tells what became of an alert, by number, name or fingerprint', async () => {
    const chat = await open();
    const id = await chat.fires(DISK, {
      startsAt: new Date(Date.now() - 90_000).toISOString(),
      fingerprint: 'abcdef0123456789',
    });
    const card = await chat.ops.waitFor('DiskFull');
    await (await chat.anna.presses('Acknowledge', { chat: OPS })).answered();
    await chat.ops.waitFor(/On it: Anna/u);
    // The card shows the owner before the run has seen that it is so.
    await expect
      .poll(async () => (await chat.store.db.query(`select state from runs where operation = 'ack'`)).rows)
      .toEqual([{ state: 'succeeded' }]);
    chat.vera.says(`/why ${id}`);
    const { text = '' } = await chat.vera.chat.waitFor(/In the chat/u);
    const steps = text.split('\n').filter((line) => /\d\d:\d\d:\d\d/u.test(line));
    const order = [
      'began to burn',
      'came in: 1 alert',
      'card for ops',
      `message ${card.message_id} in ops`,
      'Anna is on it',
    ];
    const places = order.map((words) => steps.findIndex((line) => line.includes(words)));
    expect(places.every((place, n) => place >= 0 && place > (places[n - 1] ?? -1))).toBe(true);
    expect(text).toMatch(/Anna pressed a button: .*, run \d+: done/u);

    chat.vera.says('/why diskfull');
    await chat.vera.chat.waitFor(/In the chat/u);
    chat.vera.says('/why abcdef01');
    await chat.vera.chat.waitFor(/In the chat/u);
    chat.vera.says('/why NoSuchAlert');
    await chat.vera.chat.waitFor(/I know no incident “NoSuchAlert”/u);
    chat.vera.says('/why');
    await chat.vera.chat.waitFor(/Which one/u);
  });

  it('says what held a message up', async () => {
    const chat = await open();
    chat.telegram.faults.next('sendMessage', { flood: 3 }, { chat: OPS });
    const id = await chat.fires(DISK);
    await chat.ops.waitFor('DiskFull');
    // People see a message before it is noted that they do.
    await expect
      .poll(async () => (await chat.store.db.query('select state from outbox')).rows)
      .toEqual([{ state: 'sent' }]);
    chat.vera.says(`/why ${id}`);
    const { text = '' } = await chat.vera.chat.waitFor(/In the chat/u);
    // The three seconds of the ban at least, and whatever the machine takes.
    const [, late] = /message \d+ in ops, late by ([\d.]+) s: Telegram asked to wait \(429\)/u.exec(text) ?? [];
    const [, after] = /In the chat: ([\d.]+) s after it came in/u.exec(text) ?? [];
    expect(Number(late)).toBeGreaterThanOrEqual(3);
    expect(Number(after)).toBeGreaterThanOrEqual(3);
  });
});
