// Made by `npm run generate` from the files of the folder. Do not edit.
import type { Operation } from '../define.ts';
import ack from './ack.ts';
import backupPg from './backup-pg.ts';
import certs from './certs.ts';
import containerRestart from './container-restart.ts';
import digest from './digest.ts';
import guestRestart from './guest-restart.ts';
import guestShutdown from './guest-shutdown.ts';
import guestStart from './guest-start.ts';
import guestStop from './guest-stop.ts';
import probes from './probes.ts';
import silence from './silence.ts';
import status from './status.ts';
import unack from './unack.ts';
import unsilence from './unsilence.ts';

export const operations: readonly Operation[] = [
  ack,
  backupPg,
  certs,
  containerRestart,
  digest,
  guestRestart,
  guestShutdown,
  guestStart,
  guestStop,
  probes,
  silence,
  status,
  unack,
  unsilence,
];
