import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packTar, unpackTar } from '../../../src/tasks/kit/archive.ts';
import { readIdentities, seal, unseal } from '../../../src/tasks/kit/seal.ts';
import { must, need, run, temporaryFolder, withComponents } from '../../support/components/index.ts';

const FILES = [
  { path: 'START-HERE.md', content: Buffer.from('# Read this\n') },
  { path: 'runbooks/ru/dr-lost-host.md', content: Buffer.from('# Потеря хоста\n') },
  { path: 'notes/blob.bin', content: Buffer.alloc(70_000, 7) },
];

/** What somebody has who has nothing but a shell, the program age and a key. */
withComponents(['age', 'age-keygen'], () => {
  let folder: string;
  let remove: () => Promise<void>;
  const at = (name: string): string => join(folder, name);

  const keyPair = async (name: string): Promise<string> => {
    await must([need('age-keygen'), '-o', at(name)]);
    return (await must([need('age-keygen'), '-y', at(name)])).trim();
  };

  beforeAll(async () => {
    ({ path: folder, remove } = await temporaryFolder());
  });
  afterAll(() => remove());

  test('age and tar open a kit by each of its keys, and by no other', async () => {
    const recipients = [await keyPair('ann.txt'), await keyPair('bob.txt')];
    await keyPair('eve.txt');
    await writeFile(at('kit.age'), await seal(packTar(FILES, new Date('2026-11-22T02:00:00Z')), recipients));
    for (const name of ['ann', 'bob']) {
      const out = at(name);
      const line =
        'mkdir "$3" && cd "$3" && "$0" -d -i "$1" "$2" | tar x && cat START-HERE.md runbooks/ru/*.md && wc -c < notes/blob.bin';
      const seen = await must(['sh', '-c', line, need('age'), at(`${name}.txt`), at('kit.age'), out]);
      expect(seen).toBe('# Read this\n# Потеря хоста\n70000\n');
    }
    const refused = await run([need('age'), '-d', '-i', at('eve.txt'), at('kit.age')]);
    expect(refused.code).not.toBe(0);
  });

  test('what age wrote, in text or in binary form, opens with a key file of age-keygen', async () => {
    const recipient = await keyPair('own.txt');
    const identities = readIdentities(await readFile(at('own.txt'), 'utf8'));
    const tar = packTar(FILES, new Date('2026-11-22T02:00:00Z'));
    await writeFile(at('plain.tar'), tar);
    for (const form of [[], ['--armor']]) {
      await must([need('age'), ...form, '-r', recipient, '-o', at('sealed.age'), at('plain.tar')]);
      expect(await unpackTar(await unseal(await readFile(at('sealed.age')), identities))).toEqual(FILES);
    }
  });
});
