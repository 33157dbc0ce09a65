import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkKit } from '../../src/cli/kit.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { Secret } from '../../src/core/secret.ts';
import { type Config, fileSchema, resolve } from '../../src/config/schema.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { type KitFile, packTar, sha256, unpackTar } from '../../src/tasks/kit/archive.ts';
import { openKit } from '../../src/tasks/kit/check.ts';
import { restoreCommands } from '../../src/tasks/kit/commands.ts';
import { type KitInputs, kitFiles, MANIFEST } from '../../src/tasks/kit/contents.ts';
import { kitProbes } from '../../src/tasks/kit/doctor.ts';
import { readIdentities, seal, unseal } from '../../src/tasks/kit/seal.ts';
import { loadRunbooks } from '../../src/tasks/runbooks.ts';
import { finds } from '../support/canaries.ts';

const AT = new Date('2026-11-22T02:00:00Z');
const RUNBOOKS = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));

async function key(): Promise<{ readonly identity: Secret; readonly recipient: string }> {
  const identity = await generateIdentity();
  return { identity: new Secret(identity), recipient: await identityToRecipient(identity) };
}

const config = (sections: Record<string, unknown> = {}): Config =>
  resolve(
    fileSchema.parse({
      site: { id: 'home', name: 'Home', zone: 'Europe/Moscow', language: 'ru' },
      telegram: { token: 'env:TOKEN' },
      operators: [{ id: 'ada', name: 'Ada', telegram_id: 104, role: 'admin' }],
      chats: [{ id: 'ops', chat_id: -1001 }],
      routes: [{ chat: 'ops' }],
      hosts: [
        { id: 'db1', address: 'db1.lan', user: 'vakhta', private_key: 'env:KEY', host_key: `SHA256:${'a'.repeat(43)}` },
      ],
      postgres: [
        { id: 'main', stanza: 'main', host: 'db1', run_as: 'postgres', offsite_repo: 2 },
        { id: 'shop', stanza: 'shop', host: 'db1', driver: 'wal-g' },
      ],
      proxmox: [
        {
          id: 'pve1',
          url: 'https://pve1.lan:8006',
          token_id: 'vakhta@pve!token',
          token: 'vault:secret/pve#token',
          backup: { storage: 'nfs' },
        },
      ],
      restic: [
        {
          id: 'files',
          host: 'db1',
          run_as: 'backup',
          repository: '/srv/my restic',
          password: 'env:RESTIC_KEY',
          volumes: [{ id: 'etc', paths: ['/etc'] }],
          offsite: {
            repository: 's3:s3.example/b',
            password: 'env:OFFSITE_KEY',
            env: { AWS_SECRET_ACCESS_KEY: 'env:S3' },
          },
        },
      ],
      ...sections,
    }),
    {},
  );

async function inputs(changes: Partial<KitInputs> = {}): Promise<KitInputs> {
  return {
    name: 'vakhta-kit-home-20261122T020000Z.age',
    at: AT,
    version: '1.2.3',
    config: config(),
    configText: 'site: { name: Home }\n',
    board: {
      at: AT,
      states: [
        {
          target: 'pg:main',
          state: 'ok',
          line: { key: 'kit-line-ok' },
          notes: [],
          backups: [{ label: '20261122-010000F', kind: 'full', at: AT, sizeBytes: 1e9 }],
        },
      ],
      sources: [],
    },
    inventories: new Map([
      [
        'proxmox.pve1.inventory',
        {
          nodes: [{ name: 'pve1', status: 'online' }],
          guests: [
            { vmid: 101, name: 'gitlab', node: 'pve1', type: 'lxc', status: 'running', addresses: ['10.0.0.5'] },
          ],
        },
      ],
    ]),
    programs: { pgbackrest: '2.45' },
    notes: [
      { path: '/etc/vakhta/unseal.md', content: Buffer.from('three of five') },
      { path: '/root/unseal.md', content: Buffer.from('the other one') },
    ],
    runbooks: await loadRunbooks(RUNBOOKS),
    catalogue: catalogue(allMessages),
    redact: createRedactor().redact,
    ...changes,
  };
}

const textOf = (files: readonly KitFile[], path: string): string =>
  files.find((one) => one.path === path)?.content.toString() ?? `${path} is missing`;

describe('the archive of a kit', () => {
  it('holds the same bytes for the same files, whatever they are', async () => {
    const files = [
      { path: 'a.md', content: Buffer.from('') },
      { path: `notes/${'n'.repeat(60)}`, content: Buffer.from([0, 255, 10, 13]) },
      { path: 'c.json', content: Buffer.alloc(1024, 'x') },
    ];
    const packed = packTar(files, AT);
    expect(packTar(files, AT).equals(packed)).toBe(true);
    expect(await unpackTar(packed)).toEqual(files);
  });

  it('is refused when it was cut off or altered', async () => {
    const packed = packTar([{ path: 'a', content: Buffer.alloc(2000, 'x') }], AT);
    await expect(unpackTar(packed.subarray(0, 1200))).rejects.toMatchObject({ code: 'kit-damaged' });
    packed[3] = 0x7a;
    await expect(unpackTar(packed)).rejects.toMatchObject({ code: 'kit-damaged' });
  });
});

describe('the seal of a kit', () => {
  it('opens for each of its recipients, and for nobody else', async () => {
    const [ann, bob, eve] = await Promise.all([key(), key(), key()]);
    const sealed = Buffer.from(await seal(Buffer.from('content'), [ann.recipient, bob.recipient]));
    expect(sealed.toString()).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    for (const { identity } of [ann, bob]) expect((await unseal(sealed, [identity])).toString()).toBe('content');
    expect((await unseal(sealed, [eve.identity, bob.identity])).toString()).toBe('content');
    await expect(unseal(sealed, [eve.identity])).rejects.toMatchObject({ kind: 'usage', code: 'kit-wrong-key' });
  });

  it('is found broken when a byte of it was changed, or its end is missing', async () => {
    const { identity, recipient } = await key();
    const sealed = await seal(Buffer.alloc(5000, 'x'), [recipient]);
    const at = Math.floor(sealed.length / 2);
    const other = sealed[at] === 'A' ? 'B' : 'A';
    const altered = Buffer.from(`${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`);
    await expect(unseal(altered, [identity])).rejects.toMatchObject({ code: 'kit-damaged' });
    await expect(unseal(Buffer.from(sealed.slice(0, at)), [identity])).rejects.toMatchObject({ code: 'kit-damaged' });
    await expect(unseal(Buffer.from('no kit at all'), [identity])).rejects.toMatchObject({ code: 'kit-damaged' });
  });

  it('names the public key that is none, and never quotes a secret one', async () => {
    await expect(seal(Buffer.from('x'), ['age1nonsense'])).rejects.toMatchObject({ code: 'kit-bad-recipient' });
    const bad = 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ';
    const thrown = await unseal(Buffer.from(''), [new Secret(bad)]).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'kit-bad-identity' });
    expect(String(thrown) + JSON.stringify(thrown)).not.toContain('QQQQ');
  });

  it('reads key files as age-keygen writes them', async () => {
    const { identity, recipient } = await key();
    const file = `# created: 2026-11-22\r\n# public key: ${recipient}\r\n${identity.reveal()}\r\n`;
    expect(readIdentities(file).map((one) => one.reveal())).toEqual([identity.reveal()]);
    for (const text of ['', '# only words\n', 'age1abc\n', `${identity.reveal()}\nssh-ed25519 AAAA\n`]) {
      expect(() => readIdentities(text)).toThrowError(expect.objectContaining({ code: 'kit-bad-identity' }));
    }
  });
});

describe('a kit', () => {
  const make = async (files: readonly KitFile[], recipients: readonly string[]) =>
    Buffer.from(await seal(packTar(files, AT), recipients));

  it('holds what is needed, in both languages, and is whole when it is opened', async () => {
    const { identity, recipient } = await key();
    const files = kitFiles(await inputs());
    const { manifest, files: found } = await openKit(await make(files, [recipient]), [identity]);
    expect(manifest).toMatchObject({ site: 'home', version: '1.2.3', madeAt: AT });
    expect(found).toEqual(files);
    const paths = files.map(({ path }) => path);
    for (const path of ['START-HERE.md', 'START-HERE.ru.md', 'config/vakhta.yaml', 'inventory.json', 'versions.json']) {
      expect(paths).toContain(path);
    }
    for (const scenario of ['lost-host', 'lost-vault', 'ransomware']) {
      expect(paths).toContain(`runbooks/en/dr-${scenario}.md`);
      expect(paths).toContain(`runbooks/ru/dr-${scenario}.md`);
    }
    expect(textOf(files, 'notes/unseal.md')).toBe('three of five');
    expect(textOf(files, 'notes/2-unseal.md')).toBe('the other one');
    expect(textOf(files, 'backups.md')).toContain('`20261122-010000F` · full · 2026-11-22 05:00 +03:00, 1.0 GB');
    expect(textOf(files, 'inventory.ru.md')).toContain('- 101 gitlab (CT, pve1, running) 10.0.0.5');
    expect(textOf(files, 'START-HERE.ru.md')).toContain('Аварийный набор: Home');
    expect(textOf(files, 'SHA256SUMS')).toContain(`${sha256(textOf(files, 'restore.md'))}  restore.md\n`);
    for (const { content } of files.filter(({ path }) => /^[^/]+\.md$/u.test(path))) {
      expect(content.toString()).not.toMatch(/\bkit-doc-|\{ ?\$/);
    }
  });

  it('is refused when a file is missing, was altered or does not belong to it', async () => {
    const { identity, recipient } = await key();
    const files = kitFiles(await inputs());
    const check = async (its: readonly KitFile[]) => openKit(await make(its, [recipient]), [identity]);
    await expect(check(files.filter(({ path }) => path !== 'restore.md'))).rejects.toThrow('restore.md is missing');
    const altered = files.map((one) =>
      one.path === 'restore.md' ? { ...one, content: Buffer.from('rm -rf /') } : one,
    );
    await expect(check(altered)).rejects.toThrow('restore.md was altered');
    await expect(check([...files, { path: 'x', content: Buffer.from('') }])).rejects.toThrow('x does not belong');
    await expect(check(files.filter(({ path }) => path !== MANIFEST))).rejects.toThrow(`${MANIFEST} is missing`);
  });

  it('says what it could not get', async () => {
    const files = kitFiles(
      await inputs({ configText: undefined, board: undefined, inventories: new Map(), notes: [] }),
    );
    expect(textOf(files, 'START-HERE.md')).toContain('The configuration is missing');
    expect(textOf(files, 'backups.md')).toContain('Nobody had looked at the backups');
    expect(textOf(files, 'inventory.md')).toContain('Nobody had looked');
    expect(files.some(({ path }) => path.startsWith('config/'))).toBe(false);
  });

  it('names secrets by where they are found, and holds none, even when one was pasted somewhere', async () => {
    const secrets = { pasted: 'hunter2-canary-value', learned: 'canary-of-the-vault-77' };
    const redactor = createRedactor();
    redactor.learn(secrets.learned);
    const files = kitFiles(
      await inputs({
        configText: `repository: rest:https://me:${secrets.pasted}@backup.example/r\nnote: ${secrets.learned}\n`,
        redact: (text) => redactor.redact(text),
      }),
    );
    expect(
      finds(
        secrets,
        files.map(({ path, content }) => [path, content.toString()] as const),
      ),
    ).toEqual([]);
    const restore = textOf(files, 'restore.md');
    for (const place of [
      'vakhta@pve!token: vault:secret/pve#token',
      'RESTIC_PASSWORD: env:RESTIC_KEY',
      'AWS_SECRET_ACCESS_KEY: env:S3',
    ]) {
      expect(restore).toContain(place);
    }
  });
});

describe('vakhta kit check', () => {
  it('tries several keys, tells what is in it, and refuses what was cut off or is not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vakhta-kit-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const at = (name: string): string => join(folder, name);
    const [ann, eve] = [await key(), await key()];
    const sealed = await seal(packTar(kitFiles(await inputs()), AT), [ann.recipient]);
    await writeFile(at('ann.txt'), `# comment\n${ann.identity.reveal()}\n`);
    await writeFile(at('eve.txt'), eve.identity.reveal());
    await writeFile(at('kit.age'), sealed);
    await writeFile(at('cut.age'), sealed.slice(0, sealed.length / 2));
    const printed: string[] = [];
    const t = catalogue(allMessages).for('en');
    const check = (file: string, ...identities: string[]) =>
      checkKit(at(file), identities.map(at), { t, print: (text) => void printed.push(text) });
    await check('kit.age', 'eve.txt', 'ann.txt');
    expect(printed.at(-1)).toMatch(
      /^The kit is whole: \d+ files, made 2026-11-22T02:00:00\.000Z for home by Vakhta 1\.2\.3\.$/,
    );
    expect(printed.join('\n')).toMatch(/ \d+ {2}runbooks\/ru\/dr-lost-host\.md/);
    await expect(check('kit.age', 'eve.txt')).rejects.toMatchObject({ code: 'kit-wrong-key' });
    await expect(check('cut.age', 'ann.txt')).rejects.toMatchObject({ code: 'kit-damaged' });
    const gone = { code: 'kit-file', args: { path: at('no.age'), why: 'ENOENT' } };
    await expect(check('no.age', 'ann.txt')).rejects.toMatchObject(gone);
  });
});

describe('the line of doctor', () => {
  const say = async (kit: Record<string, unknown>) =>
    kitProbes(config({ kit }))[0]?.probe(new AbortController().signal);

  it('says whether a kit could be made, and what speaks against it', async () => {
    const [ann, bob] = [(await key()).recipient, (await key()).recipient];
    const offsite = { host: 'db1', dir: '/srv/kit' };
    expect(kitProbes(config())).toEqual([]);
    expect(await say({ recipients: [ann, bob], offsite })).toEqual({
      state: 'ok',
      text: 'kit-doctor-ok',
      args: { n: 2 },
    });
    expect(await say({ recipients: [ann], offsite })).toMatchObject({ state: 'warn', text: 'kit-doctor-alone' });
    expect(await say({ recipients: [ann, bob] })).toMatchObject({ state: 'warn', text: 'kit-here-only' });
    const gone = await say({ recipients: [ann, bob], offsite, notes: [RUNBOOKS, '/nowhere/a.md'] });
    expect(gone).toEqual({ state: 'fail', text: 'kit-doctor-notes', args: { files: '/nowhere/a.md' } });
    await expect(say({ recipients: [ann, 'age1qqqq'] })).rejects.toMatchObject({ code: 'kit-bad-recipient' });
  });
});

describe('the restore commands', () => {
  const commands = new Map(restoreCommands(config()).map((one) => [one.target, one]));

  it('are those of the tools, with what the configuration knows filled in', () => {
    expect(commands.get('pg:main')).toMatchObject({ where: 'ssh -p 22 vakhta@db1.lan' });
    expect(commands.get('pg:main')?.lines).toEqual(
      expect.arrayContaining([
        'sudo -n -u postgres pgbackrest --stanza=main info',
        'sudo -n -u postgres pgbackrest --stanza=main --pg1-path=DATA_DIR --repo=2 --delta restore',
      ]),
    );
    expect(commands.get('pg:shop')?.lines.join('\n')).toContain('backup-fetch DATA_DIR LATEST');
    expect(commands.get('guest:* (pve1)')?.lines).toContain('pct restore NEW_VMID VOLUME --storage local-lvm');
  });

  it('quote what a shell would read otherwise, and hand over what sudo would drop', () => {
    const restic = commands.get('volume:* (files)')?.lines ?? [];
    expect(restic[0]).toBe(
      `sudo -n -u backup --preserve-env=RESTIC_PASSWORD,AWS_SECRET_ACCESS_KEY restic -r '/srv/my restic' snapshots --host db1`,
    );
    expect(restic[1]).toContain('restore latest');
    expect(restic[1]).toContain('volume=etc --target /restore/etc');
    expect(commands.get('offsite-volume:* (files)')?.lines[1]).toContain('-r s3:s3.example/b');
  });
});
