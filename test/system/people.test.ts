import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, startInstallation, WEBHOOK_TOKEN } from '../support/installation.ts';

const SLOW = { timeoutMs: 90_000 };

/** The first of the rotation has the watch, whenever the test runs. */
const starts = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
let here: Installation;

beforeAll(async () => {
  here = await startInstallation({
    sections: {
      alertmanager: { url: 'http://127.0.0.1:9', webhook_token: 'env:T_WEBHOOK_TOKEN' },
      watch: { rotation: { people: ['boris', 'anna'], starts } },
      escalation: { steps: [{ after_minutes: 0, to: 'watch' }] },
    },
  });
  await here.open('start');
});
afterAll(() => here?.stop());

test('the program calls the one on watch; acknowledged in private, it is taken in the group', async () => {
  const boris = here.person('boris');
  const alerts = [
    {
      status: 'firing',
      labels: { alertname: 'DiskFull', severity: 'critical' },
      annotations: { summary: 'db1 is full' },
    },
  ];
  const answer = await fetch(here.webhookUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${WEBHOOK_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ version: '4', groupKey: 'g', groupLabels: { alertname: 'DiskFull' }, alerts }),
  });
  expect(answer.status).toBe(200);
  await here.group.waitFor('db1 is full', SLOW);
  const page = await boris.chat.waitFor(/db1 is full[\s\S]*🔔/u, SLOW);
  await boris.presses(/✋/u, { on: page, ...SLOW });
  await here.group.waitFor(/db1 is full[\s\S]*Занимается: Борис/u, SLOW);
  here.stage.ignore(/./u);
});
