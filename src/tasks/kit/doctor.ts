import { access, constants } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import type { DoctorProbe } from '../../config/doctor.ts';
import { seal } from './seal.ts';

/** Whether a kit could be made: its public keys are keys, its notes are there. Without the section there is no line. */
export function kitProbes({ kit }: Pick<Config, 'kit'>): readonly DoctorProbe[] {
  if (!kit) return [];
  const { recipients, notes, offsite } = kit;
  return [
    {
      name: 'kit',
      probe: async () => {
        await seal(Buffer.from('probe'), recipients);
        const readable = await Promise.all(
          notes.map((path) =>
            access(path, constants.R_OK).then(
              () => true,
              () => false,
            ),
          ),
        );
        const missing = notes.filter((_, n) => !readable[n]);
        const n = recipients.length;
        if (missing.length > 0) return { state: 'fail', text: 'kit-doctor-notes', args: { files: missing.join(', ') } };
        if (n === 1) return { state: 'warn', text: 'kit-doctor-alone' };
        if (!offsite) return { state: 'warn', text: 'kit-here-only' };
        return { state: 'ok', text: 'kit-doctor-ok', args: { n } };
      },
    },
  ];
}
