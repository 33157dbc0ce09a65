import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { Secret } from '../../../src/core/secret.ts';
import { deploymentsRoute, parseDeployment } from '../../../src/handlers/webhooks/deployments.ts';
import { deployments, purgeDeployments } from '../../../src/store/deployments.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { storeForTest } from '../../support/store.ts';

const NOW = new Date('2026-11-23T00:00:00Z');
/** The example of docs.gitlab.com, "Deployment events", without what is not read. */
const GITLAB = {
  object_kind: 'deployment',
  status: 'success',
  status_changed_at: '2026-11-22 21:50:00 +0200',
  deployment_id: 15,
  deployable_id: 796,
  deployable_url: 'http://10.126.0.2:3000/root/test-deployment-webhooks/-/jobs/796',
  environment: 'staging',
  project: {
    id: 30,
    name: 'test-deployment-webhooks',
    web_url: 'http://10.126.0.2:3000/root/test-deployment-webhooks',
    path_with_namespace: 'root/test-deployment-webhooks',
  },
  short_sha: '279484c0',
  user: { id: 1, name: 'Administrator', username: 'root' },
  ref: '1.0',
};
const parse = (body: unknown) => parseDeployment(JSON.stringify(body), NOW);

describe('a report', () => {
  test('of our own shape: what is not said is empty, and now', () => {
    expect(parse({ service: ' shop ', version: 17 })).toMatchObject({
      service: 'shop',
      version: '17',
      status: 'succeeded',
      at: NOW,
      by: undefined,
    });
    expect(parse({ service: 's', version: 'v', url: 'javascript:alert(1)', at: '2099-01-01T00:00:00Z' })).toMatchObject(
      {
        url: undefined,
        at: NOW,
      },
    );
  });

  test('of GitLab', () => {
    expect(parse(GITLAB)).toMatchObject({
      service: 'test-deployment-webhooks',
      version: '1.0 279484c0',
      environment: 'staging',
      by: 'Administrator',
      status: 'succeeded',
      at: new Date('2026-11-22T19:50:00Z'),
      url: GITLAB.deployable_url,
    });
    expect(parse({ ...GITLAB, status: 'canceled' }).status).toBe('cancelled');
  });

  test.each([
    ['nothing', undefined, /not JSON/u],
    ['a list', [], /not a deployment/u],
    ['no version', { service: 's' }, /version/u],
    ['an empty service', { service: ' ', version: '1' }, /service/u],
    ['a status that nobody knows', { service: 's', version: '1', status: 'perhaps' }, /unknown word perhaps/u],
    ['a time that is none', { service: 's', version: '1', at: 'yesterday' }, /no time/u],
  ])('with %s is refused', (_, body, why) =>
    expect(() => parseDeployment(body === undefined ? '{' : JSON.stringify(body), NOW)).toThrow(why),
  );

  test('has one key however often it comes, and another for another', () => {
    expect(parse(GITLAB).key).toBe(parse({ ...GITLAB, user: null }).key);
    expect(parse({ ...GITLAB, deployment_id: 16 }).key).not.toBe(parse(GITLAB).key);
    expect(parse({ ...GITLAB, status: 'failed' }).key).not.toBe(parse(GITLAB).key);
  });
});

test('is kept once, behind the token, and forgotten in time', async () => {
  const { db } = await storeForTest();
  const clock = createManualClock(NOW);
  const app = deploymentsRoute({ db, clock, log: silentLog, token: () => Promise.resolve(new Secret('t0ken')) });
  const post = async (body: string, headers: Record<string, string>): Promise<number> =>
    (await app.request('/webhooks/deployments', { method: 'POST', body, headers })).status;
  const bearer = { authorization: 'Bearer t0ken' };
  expect(await post('{}', {})).toBe(401);
  expect(await post('{}', { authorization: 'Bearer wrong' })).toBe(401);
  expect(await post('{}', bearer)).toBe(400);
  expect(await post(' '.repeat(300_000), bearer)).toBe(413);
  expect(await post(JSON.stringify(GITLAB), { 'x-gitlab-token': 't0ken' })).toBe(200);
  expect(await post(JSON.stringify(GITLAB), bearer)).toBe(200);
  const kept = await deployments(db, new Date(0), NOW, 10);
  expect(kept).toMatchObject([{ service: 'test-deployment-webhooks', status: 'succeeded' }]);
  expect(await purgeDeployments(db, NOW)).toBe(1);
});
