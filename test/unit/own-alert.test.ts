import { describe, expect, it } from 'vitest';
import { catalogue, defineMessages } from '../../src/core/i18n.ts';
import { reduceGroup } from '../../src/core/incident.ts';
import { incidentIn, ownGroup, SAYS, spoken, titleIn } from '../../src/core/own-alert.ts';

const texts = catalogue([
  defineMessages({
    en: `
      probe = { $name } fails
      because = { $why }. { $rest }
      dns = no such name
      rest = Look at it.
    `,
    ru: `
      probe = { $name } не отвечает
      because = { $why }. { $rest }
      dns = имени нет
      rest = Посмотрите.
    `,
  }),
]);
const [en, ru] = [texts.for('en'), texts.for('ru')];
const NOW = new Date('2026-11-23T09:00:00Z');

/** As a site in Russian finds it. */
function incident(more: Readonly<Record<string, string>> = {}) {
  const { annotations, extra } = spoken(ru, {
    summary: { key: 'probe', args: { name: 'GitLab' } },
    description: { key: 'because', args: { why: { key: 'dns' }, rest: { key: 'rest' } } },
  });
  const group = ownGroup({
    key: 'gitlab',
    status: 'firing',
    labels: { alertname: 'ProbeFailed' },
    annotations: { ...annotations, runbook: 'probe-failed' },
    extra: { ...extra, ...more },
    startsAt: NOW,
  });
  return reduceGroup(undefined, group, NOW, { reopenMs: 0 }).incident;
}
const only = ({ data }: ReturnType<typeof incident>) => Object.values(data.alerts)[0];

describe('an alert of our own', () => {
  it('speaks the language of the site to whoever reads it as it is', () => {
    expect(incident().title).toBe('GitLab не отвечает');
    expect(only(incident())?.annotations['description']).toBe('имени нет. Посмотрите.');
  });

  it('speaks the language of its reader on a card, and keeps the rest', () => {
    const read = incidentIn(en, 'probe', incident());
    expect(read.title).toBe('GitLab fails');
    expect(only(read)).toMatchObject({
      annotations: { summary: 'GitLab fails', description: 'no such name. Look at it.', runbook: 'probe-failed' },
      extra: {},
    });
    expect(incidentIn(ru, 'probe', incident()).title).toBe('GitLab не отвечает');
  });

  it('is not what somebody else calls so', () => {
    expect(incidentIn(en, 'alertmanager', incident())).toEqual(incident());
  });

  it('stays as it is where there is no such text any more, or nothing that can be read', () => {
    const old = incident({ [SAYS]: JSON.stringify({ summary: { key: 'gone' } }) });
    expect(incidentIn(en, 'vakhta', old).title).toBe('GitLab не отвечает');
    for (const broken of ['', '{', '[]', '{"summary":"x"}', 'null']) {
      expect(incidentIn(en, 'vakhta', incident({ [SAYS]: broken })).title).toBe('GitLab не отвечает');
    }
    expect(titleIn(en, { title: 'GitLab не отвечает' })).toBe('GitLab не отвечает');
  });
});
