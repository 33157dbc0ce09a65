import { expect, test } from 'vitest';
import { runDoctor } from '../../src/app/doctor.ts';
import { systemReadFile } from '../../src/config/files.ts';
import { parseConfig } from '../../src/config/load.ts';
import { createSecrets } from '../../src/config/secrets.ts';
import { systemClock } from '../../src/core/clock.ts';
import { freePort } from '../support/components/index.ts';

// Nothing listens there: every system is refused at once.
const port = await freePort();
const YAML = `
site: { name: Test, zone: UTC }
telegram: { token: 'env:TOKEN', api_root: 'http://127.0.0.1:${port}' }
operators: [{ id: anna, name: Anna, telegram_id: 1, role: admin }, { id: boris, name: Boris, telegram_id: 2, role: admin }]
chats: [{ id: ops, chat_id: -100 }]
routes: [{ chat: ops }]
proxmox: [{ id: pve1, url: 'https://127.0.0.1:${port}', token_id: 'watch@pve!vakhta', token: 'env:TOKEN', ca: /nowhere/pve.pem }]
certificates: { ca: /nowhere/home.pem, endpoints: [{ id: web, host: 127.0.0.1, port: ${port} }] }
`;

test('a certificate file that is missing gets its line, and everything else is looked at all the same', async () => {
  const env = { TOKEN: '1:abc' };
  const said: string[] = [];
  const code = await runDoctor({
    loaded: parseConfig(YAML, 'test.yaml', env),
    secrets: createSecrets({ env, readFile: systemReadFile }),
    warnings: [],
    language: 'en',
    print: (text) => said.push(text),
    env: { clock: systemClock },
  });
  expect(code).toBe(5);
  const text = said.join('\n');
  expect(text).toMatch(/fail +ca +\/nowhere\/pve\.pem cannot be read \(ENOENT\)/);
  expect(text).toMatch(/fail +ca +\/nowhere\/home\.pem cannot be read \(ENOENT\)/);
  expect(text).toMatch(/fail +telegram +.*ECONNREFUSED/);
  expect(text).toMatch(/fail +proxmox pve1 +.*ECONNREFUSED/);
  expect(text).toMatch(/fail +certificate web +.*ECONNREFUSED/);
});
