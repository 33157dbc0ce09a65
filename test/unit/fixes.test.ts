import { describe, expect, it } from 'vitest';
import { parseConfig, requireConfig } from '../../src/config/load.ts';
import type { IncidentAlert, IncidentData } from '../../src/core/incident.ts';
import { fixProbes } from '../../src/tasks/fixes/doctor.ts';
import { type FixRule, offersFor, ruleProblem } from '../../src/tasks/fixes/offers.ts';
import { verdictOn } from '../../src/tasks/fixes/verdict.ts';
import { operations } from '../../src/tasks/operations/registry.gen.ts';

const all = new Map(operations.map((one) => [one.name, one]));

/** The rules as a configuration file gives them. */
function rules(fixes: readonly object[]): readonly FixRule[] {
  const file = {
    site: { name: 'Home', zone: 'UTC' },
    telegram: { token: 'env:TOKEN' },
    operators: [
      { id: 'anna', name: 'Anna', telegram_id: 11, role: 'admin' },
      { id: 'boris', name: 'Boris', telegram_id: 12, role: 'operator' },
    ],
    chats: [{ id: 'ops', chat_id: -100 }],
    routes: [{ chat: 'ops' }],
    fixes,
  };
  return requireConfig(parseConfig(JSON.stringify(file), 'x', {})).fixes;
}

const alert = (labels: Record<string, string>, more: Partial<IncidentAlert> = {}): IncidentAlert => ({
  fingerprint: JSON.stringify(labels),
  status: 'firing',
  labels,
  annotations: {},
  startsAt: '2026-01-05T08:00:00Z',
  endsAt: null,
  generatorUrl: '',
  extra: {},
  lastSeen: '2026-01-05T08:00:00Z',
  ...more,
});
const data = (...alerts: IncidentAlert[]): IncidentData => ({
  receiver: '',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalUrl: '',
  truncated: 0,
  seq: 0,
  alerts: Object.fromEntries(alerts.map((one) => [one.fingerprint, one])),
});

const DOWN = rules([
  {
    match: { alertname: 'ContainerDown' },
    operation: 'container.restart',
    args: { engine: 'docker1', container: '{{ name }}' },
    label: { ru: 'Перезапустить', en: 'Restart' },
    clears_minutes: 5,
  },
]);
const down = (name: string, more: Partial<IncidentAlert> = {}): IncidentAlert =>
  alert({ alertname: 'ContainerDown', name }, more);

describe('what is offered', () => {
  it('the operation with the labels of the alert in its arguments', () => {
    const { offers, refusals } = offersFor(data(down('nginx')), DOWN, all);
    expect(refusals).toEqual([]);
    expect(offers).toEqual([
      {
        operation: 'container.restart',
        args: { engine: 'docker1', container: 'nginx' },
        label: { ru: 'Перезапустить', en: 'Restart' },
        clearsMinutes: 5,
        key: 'container.restart {"container":"nginx","engine":"docker1"}',
        fingerprints: [down('nginx').fingerprint],
      },
    ]);
  });

  it('one for each target of a group, with the alerts that it is for', () => {
    const twice = alert({ alertname: 'ContainerDown', name: 'nginx', instance: 'b' });
    const { offers } = offersFor(data(down('nginx'), twice, down('redis')), DOWN, all);
    expect(offers.map(({ args, fingerprints }) => [args['container'], fingerprints.length])).toEqual([
      ['nginx', 2],
      ['redis', 1],
    ]);
  });

  it('nothing for what is over, and nothing for what no rule names', () => {
    const over = down('nginx', { status: 'resolved', endsAt: '2026-01-05T09:00:00Z' });
    expect(offersFor(data(over, alert({ alertname: 'Other' })), DOWN, all)).toEqual({ offers: [], refusals: [] });
  });

  it('what the alert’s own rule names, by label or annotation', () => {
    const own = { vakhta_operation: 'container.restart', vakhta_args: 'engine=docker1, container=web-1' };
    const byLabel = alert({ alertname: 'A', ...own });
    const byNote = alert({ alertname: 'B' }, { annotations: own });
    for (const one of [byLabel, byNote]) {
      expect(offersFor(data(one), [], all).offers).toMatchObject([
        { operation: 'container.restart', args: { engine: 'docker1', container: 'web-1' }, clearsMinutes: 10 },
      ]);
    }
  });

  it('the same by rule and by label is one', () => {
    const own = { vakhta_operation: 'container.restart', vakhta_args: 'engine=docker1,container=nginx' };
    const { offers } = offersFor(data(down('nginx', { annotations: own })), DOWN, all);
    expect(offers).toMatchObject([{ clearsMinutes: 5 }]);
    expect(offers[0]?.fingerprints).toHaveLength(1);
  });

  it.each<[string, IncidentAlert, string, string]>([
    ['a label that is not there', alert({ alertname: 'ContainerDown' }), 'unknown-label', 'name'],
    ['a value that the operation does not take', down('--help'), 'bad-arguments', 'container: no container name'],
    ['a value with more in it', down('nginx;reboot'), 'bad-arguments', 'container: no container name'],
    ['an operation that does not exist', alert({ vakhta_operation: 'rm -rf' }), 'unknown-operation', 'rm -rf'],
    ['one that only looks', alert({ vakhta_operation: 'status' }), 'no-fix', 'status'],
    ['one that belongs to a card', alert({ vakhta_operation: 'ack', vakhta_args: 'incident=1' }), 'no-fix', 'ack'],
    [
      'an argument that it does not have',
      alert({ vakhta_operation: 'container.restart', vakhta_args: 'engine=a,container=b,force=yes' }),
      'unknown-argument',
      'force',
    ],
    [
      'arguments without a value',
      alert({ vakhta_operation: 'container.restart', vakhta_args: 'nginx' }),
      'bad-arguments',
      'nginx',
    ],
  ])('not %s, and it is known why', (_what, one, code, detail) => {
    const { offers, refusals } = offersFor(data(one), DOWN, all);
    expect(offers).toEqual([]);
    expect(refusals).toEqual([expect.objectContaining({ code, detail })]);
  });

  it('a label fills in text only: nothing in it is read again', () => {
    const echo = rules([{ match: {}, operation: 'guest.restart', args: { guest: '{{a}}' } }]);
    const { offers } = offersFor(data(alert({ a: '{{b}}', b: 'pg1' })), echo, all);
    expect(offers).toMatchObject([{ args: { guest: '{{b}}' } }]);
  });

  it('a group of hundreds is no menu', () => {
    const many = Array.from({ length: 300 }, (_, n) => down(`web-${n}`));
    expect(offersFor(data(...many), DOWN, all).offers).toHaveLength(12);
  });
});

describe('what doctor says of the rules', () => {
  const of = (fix: object) => ruleProblem(rules([{ match: {}, ...fix }])[0] as FixRule, all);

  it.each<[string, object, string | undefined]>([
    ['all is well', { operation: 'container.restart', args: { engine: 'a', container: '{{name}}' } }, undefined],
    ['no such operation', { operation: 'container.restrat' }, 'unknown-operation container.restrat'],
    ['only looks', { operation: 'certs' }, 'no-fix certs'],
    ['misspelt', { operation: 'container.restart', args: { engin: 'a' } }, 'unknown-argument engin'],
    ['missing', { operation: 'container.restart', args: { engine: 'a' } }, 'bad-arguments container'],
    ['wrong', { operation: 'backup.pg', args: { stanza: 'main', type: 'huge' } }, 'bad-arguments type'],
  ])('%s', (_what, fix, expected) => {
    const found = of(fix);
    expect(found && `${found.code} ${found.detail}`).toBe(expected);
  });

  it('one line when all is well, else one for each that is not', async () => {
    const good = { match: {}, operation: 'container.restart', args: { engine: 'a', container: 'b' } };
    const lines = async (fixes: object[]) =>
      Promise.all(
        fixProbes(rules(fixes), all).map(async ({ name, probe }) => [
          name,
          (await probe(new AbortController().signal)).text,
        ]),
      );
    expect(await lines([])).toEqual([]);
    expect(await lines([good])).toEqual([['fixes', 'doctor-fixes']]);
    expect(await lines([good, { match: {}, operation: 'no.such' }])).toEqual([
      ['fixes[1]', 'doctor-fixes-unknown-operation'],
    ]);
  });
});

describe('what becomes of a fix', () => {
  const now = new Date('2026-01-05T10:00:00Z');
  const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
  const nginx = down('nginx');
  type Attempt = Parameters<typeof verdictOn>[0];
  const base: Attempt = {
    state: 'running',
    fingerprints: [nginx.fingerprint],
    clearsMinutes: 10,
    clearsBy: undefined,
    runState: 'running',
    startedAt: at(-2),
    finishedAt: undefined,
  };
  const firing = data(nginx, down('other'));
  const over = data(down('nginx', { status: 'resolved', endsAt: at(-1).toISOString() }), down('other'));
  const gone = data(down('nginx', { status: 'gone' }));
  const ended: Attempt = { ...base, runState: 'succeeded', finishedAt: at(0) };
  const waiting: Attempt = { ...ended, state: 'waiting', clearsBy: at(10) };

  it.each<[string, Attempt, IncidentData, Date, unknown]>([
    ['goes on while its run does', base, over, now, { state: 'stay' }],
    ['waits for the alert when its run has ended', ended, firing, now, { state: 'waiting', clearsBy: at(10) }],
    [
      'waits also when the run was not sure',
      { ...ended, runState: 'warning' },
      firing,
      now,
      { state: 'waiting', clearsBy: at(10) },
    ],
    ['is a success when its own alerts are over, whatever else burns', ended, over, now, { state: 'cleared' }],
    ['is a success while it waits', waiting, over, at(1), { state: 'cleared' }],
    ['is no success yet while it waits', waiting, firing, at(9), { state: 'stay' }],
    ['has not helped when the time is up', waiting, firing, at(10), { state: 'failed', why: 'still-firing' }],
    ['has helped when the end comes with the last minute', waiting, over, at(10), { state: 'cleared' }],
    ['fails with its run', { ...ended, runState: 'failed' }, firing, now, { state: 'failed', why: 'failed' }],
    ['fails when nobody answers', { ...ended, runState: 'expired' }, firing, now, { state: 'failed', why: 'expired' }],
    [
      'is dropped when a person says so',
      { ...ended, runState: 'cancelled' },
      firing,
      now,
      { state: 'dropped', why: 'cancelled' },
    ],
    [
      'is dropped when it is rejected',
      { ...ended, runState: 'rejected' },
      firing,
      now,
      { state: 'dropped', why: 'rejected' },
    ],
    [
      'takes no credit for what was over before',
      { ...ended, startedAt: at(0) },
      over,
      now,
      { state: 'dropped', why: 'before' },
    ],
    ['takes no credit for silence', waiting, gone, now, { state: 'dropped', why: 'unseen' }],
  ])('%s', (_what, attempt, incident, when, expected) => {
    expect(verdictOn(attempt, incident, when)).toEqual(expected);
  });
});
