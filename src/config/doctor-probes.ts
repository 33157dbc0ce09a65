import { toVakhtaError } from '../core/error.ts';
import type { DoctorAnswer, DoctorProbe } from './doctor.ts';
import type { Loaded } from './load.ts';
import type { Finding } from './sections/common.ts';
import { formatSecretRef } from './secret-ref.ts';
import type { Secrets } from './secrets.ts';

/** The file itself. Its problems are printed one by one before; this line counts them. */
export const fileProbe = (loaded: Loaded): DoctorProbe => ({
  name: 'configuration',
  probe: async () => {
    const errors = loaded.problems.filter(({ severity }) => severity === 'error').length;
    const warnings = loaded.problems.length - errors;
    if (errors > 0) return { state: 'fail', text: 'doctor-file-errors', args: { file: loaded.file, errors } };
    if (warnings > 0) return { state: 'warn', text: 'doctor-file-warnings', args: { file: loaded.file, warnings } };
    return { state: 'ok', text: 'doctor-file', args: { file: loaded.file } };
  },
});

/**
 * Every secret reference of the file, read once and thrown away. Says which cannot be read, by name and line; never a
 * value. `warnings` are what `createSecrets` reported meanwhile (files that others can read).
 */
export const secretsProbe = (
  loaded: Loaded & { readonly ok: true },
  secrets: Secrets,
  warnings: () => readonly Finding[],
): DoctorProbe => ({
  name: 'secrets',
  probe: async (): Promise<DoctorAnswer> => {
    const answers = await Promise.all(
      loaded.references.map(async ({ ref, line }) => {
        try {
          await secrets.source(ref)();
          return undefined;
        } catch (thrown) {
          return `${formatSecretRef(ref)} (${loaded.file}:${line}, ${toVakhtaError(thrown).code})`;
        }
      }),
    );
    const all = answers.length;
    const missing = answers.filter((one) => one !== undefined);
    if (missing.length > 0) {
      return {
        state: 'fail',
        text: 'doctor-secrets-missing',
        args: { missing: missing.length, all, which: missing.join(', ') },
      };
    }
    const open = warnings().flatMap(({ args }) => (args?.path === undefined ? [] : [String(args.path)]));
    if (open.length > 0) return { state: 'warn', text: 'doctor-secrets-open', args: { files: open.join(' ') } };
    return { state: 'ok', text: 'doctor-secrets', args: { all } };
  },
});

/** Difference from another clock (a database's `now()`, a Date header) from which codes and certificates go wrong. */
const SKEW_WARN_MS = 5_000;
const SKEW_FAIL_MS = 30_000;

/** Compares this machine's clock with another's, both read at the same time. */
export const clockProbe = (read: (signal: AbortSignal) => Promise<{ here: Date; there: Date }>): DoctorProbe => ({
  name: 'clock',
  probe: async (signal) => {
    const { here, there } = await read(signal);
    const off = Math.abs(here.getTime() - there.getTime());
    const args = { seconds: Math.round(off / 1000) };
    if (off >= SKEW_FAIL_MS) return { state: 'fail', text: 'doctor-clock-off', args };
    if (off >= SKEW_WARN_MS) return { state: 'warn', text: 'doctor-clock-off', args };
    return { state: 'ok', text: 'doctor-clock', args };
  },
});

/** `write` makes and removes a file in the folder, or rejects as Node does. */
export const dataDirProbe = (dataDir: string, write: () => Promise<void>): DoctorProbe => ({
  name: 'data_dir',
  probe: async () => {
    try {
      await write();
      return { state: 'ok', text: 'doctor-data-dir', args: { path: dataDir } };
    } catch (thrown) {
      const why = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
      return { state: 'fail', text: 'doctor-data-dir-failed', args: { path: dataDir, why } };
    }
  },
});
