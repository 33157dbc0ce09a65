import { describe, expect, it } from 'vitest';
import {
  configuredSystems,
  doctor,
  doctorExitCode,
  type DoctorProbe,
  formatDoctor,
  formatSummary,
} from '../../src/config/doctor.ts';
import { messages as doctorMessages } from '../../src/config/doctor-messages.ts';
import { clockProbe, dataDirProbe, fileProbe, secretsProbe } from '../../src/config/doctor-probes.ts';
import { type Loaded, parseConfig, requireConfig } from '../../src/config/load.ts';
import { messages } from '../../src/config/messages.ts';
import { createSecrets } from '../../src/config/secrets.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { catalogue, defineMessages } from '../../src/core/i18n.ts';
import { createManualClock } from '../support/manual-clock.ts';

const probeMessages = defineMessages({
  en: 'fine = answers as { $who }\nslow = answers slowly.\nslow-todo = Look at its load.\nerr-lock-held = { $what } is held. Wait.',
  ru: 'fine = отвечает как { $who }\nslow = отвечает медленно.\nslow-todo = Посмотрите на нагрузку.\nerr-lock-held = занято: { $what }. Подождите.',
});
const texts = catalogue([messages, doctorMessages, probeMessages]);
const yaml = `site: { name: Home, zone: UTC }
telegram: { token: env:TOKEN }
operators: [{ id: a, name: A, telegram_id: 1, role: admin }, { id: b, name: B, telegram_id: 2, role: admin, totp: env:TOTP }]
chats: [{ id: ops, chat_id: -1 }]
routes: [{ chat: ops }]
prometheus: { url: "http://p:9090" }
certificates: { endpoints: [{ id: web, host: web }] }
`;
const loaded = parseConfig(yaml, 'v.yaml', {}) as Loaded & { ok: true };
const config = requireConfig(loaded);
const named = (name: string, probe: DoctorProbe['probe']): DoctorProbe => ({ name, probe });
const fine = (name: string) => named(name, async () => ({ state: 'ok', text: 'fine', args: { who: name } }));
const all = ['telegram', 'database', 'prometheus', 'certificate web'];
const clock = createManualClock();

describe('doctor', () => {
  it('prints a line for each system, aligned, with what was seen and what to do', async () => {
    const lines = await doctor(
      config,
      [
        ...all.slice(1).map(fine),
        named('telegram', async () => ({ state: 'warn', text: 'slow' })),
        named('x', async () =>
          Promise.reject(new VakhtaError('transient', 'lock-held', 'held', { args: { what: 'pg' } })),
        ),
      ],
      { timeoutMs: 3000, clock },
    );
    expect(formatDoctor(lines, texts.for('en'))).toEqual([
      'ok    database         answers as database',
      'ok    prometheus       answers as prometheus',
      'ok    certificate web  answers as certificate web',
      'warn  telegram         answers slowly. Look at its load.',
      'fail  x                pg is held. Wait.',
    ]);
    expect(formatDoctor(lines, texts.for('ru'))[3]).toBe(
      'внимание  telegram         отвечает медленно. Посмотрите на нагрузку.',
    );
    expect(formatSummary(lines, texts.for('en'))).toBe('3 ok, 1 to look at, 1 failed');
    expect(doctorExitCode(lines)).toBe(5);
    expect(clock.pending, 'no timer outlives its probe').toBe(0);
  });

  it('runs everything at the same time and leaves behind what does not answer', async () => {
    let aborted = false;
    const hang = named(
      'telegram',
      (signal) => new Promise(() => signal.addEventListener('abort', () => (aborted = true))),
    );
    const finished = doctor(
      config,
      [hang, { ...hang, name: 'database' }, fine('prometheus'), fine('certificate web')],
      { timeoutMs: 3000, clock },
    );
    await clock.untilTimers(2);
    await clock.advance(3000);
    const lines = await finished;
    expect(lines.map(({ state, text }) => `${state} ${text}`)).toEqual([
      'fail doctor-timeout',
      'fail doctor-timeout',
      'ok fine',
      'ok fine',
    ]);
    expect(formatDoctor(lines, texts.for('en'))[0]).toContain('no answer within 3 s. Check address');
    expect(aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('a system of the configuration that nobody looked at is not well', async () => {
    const lines = await doctor(config, [fine('telegram'), fine('database')], { timeoutMs: 3000, clock });
    expect(lines.slice(2)).toEqual([
      { name: 'prometheus', state: 'warn', text: 'doctor-not-looked', args: {} },
      { name: 'certificate web', state: 'warn', text: 'doctor-not-looked', args: {} },
    ]);
    expect(doctorExitCode(lines)).toBe(0);
  });

  it('knows the systems of a configuration', () => {
    expect(configuredSystems(config)).toEqual(all);
  });

  it('a probe that breaks says so', async () => {
    const lines = await doctor(
      config,
      all.map((name) =>
        named(name, () => {
          throw new TypeError('x is undefined');
        }),
      ),
      { timeoutMs: 3000, clock },
    );
    expect(formatDoctor(lines, texts.for('en'))[0]).toBe(
      'fail  telegram         the check itself failed: x is undefined Please report this to the developers.',
    );
  });
});

describe('probes of our own', () => {
  const answer = (probe: DoctorProbe) => probe.probe(new AbortController().signal);

  it('the file', async () => {
    expect(await answer(fileProbe(loaded))).toMatchObject({ state: 'ok' });
    expect(await answer(fileProbe(parseConfig('', 'v.yaml', {})))).toMatchObject({
      state: 'fail',
      args: { errors: 1 },
    });
    const warned = parseConfig(yaml.replace('role: admin }', 'role: viewer }'), 'v.yaml', {});
    expect(await answer(fileProbe(warned))).toMatchObject({ state: 'warn', args: { warnings: 1 } });
  });

  it('secrets: which reference is missing, and where it stands, and no value', async () => {
    const secrets = createSecrets({ env: { TOKEN: 'token-value' }, readFile: async () => ({ text: '', mode: 0 }) });
    expect(await answer(secretsProbe(loaded, secrets, () => []))).toEqual({
      state: 'fail',
      text: 'doctor-secrets-missing',
      args: { missing: 1, all: 2, which: 'env:TOTP (v.yaml:3, secret-env)' },
    });
    const both = createSecrets({
      env: { TOKEN: 'token-value', TOTP: 'totp-value' },
      readFile: async () => ({ text: '', mode: 0 }),
    });
    expect(await answer(secretsProbe(loaded, both, () => []))).toEqual({
      state: 'ok',
      text: 'doctor-secrets',
      args: { all: 2 },
    });
    expect(
      await answer(
        secretsProbe(loaded, both, () => [{ text: 'cfg-secret-file-mode', args: { path: '/x', mode: '644' } }]),
      ),
    ).toEqual({
      state: 'warn',
      text: 'doctor-secrets-open',
      args: { files: '/x' },
    });
  });

  it.each([
    [0, 'ok'],
    [4_999, 'ok'],
    [5_000, 'warn'],
    [-29_999, 'warn'],
    [30_000, 'fail'],
    [-30_000, 'fail'],
  ])('a clock that is %i ms off: %s', async (off, state) => {
    const read = async () => ({ here: new Date(1_000_000), there: new Date(1_000_000 + off) });
    expect(await answer(clockProbe(read))).toMatchObject({ state });
  });

  it('the data folder', async () => {
    expect(await answer(dataDirProbe('/d', async () => {}))).toMatchObject({ state: 'ok' });
    const denied = async () => Promise.reject(Object.assign(new Error('x'), { code: 'EACCES' }));
    expect(await answer(dataDirProbe('/d', denied))).toEqual({
      state: 'fail',
      text: 'doctor-data-dir-failed',
      args: { path: '/d', why: 'EACCES' },
    });
  });
});
