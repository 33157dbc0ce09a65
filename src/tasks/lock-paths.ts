import { z } from 'zod';
import { guestLock, machineLock, serviceLock } from '../core/locks.ts';
import type { Config } from '../config/schema.ts';
import type { Plan } from './define.ts';

/** Where the things of the configuration stand in the hierarchy of locks (core/locks.ts). Needs no credentials. */
export interface LockPaths {
  /** A host reached over SSH, or `local`: the guest that it is, when the configuration says so. */
  machine(host: string): string;
  guest(proxmox: string, vmid: number): string;
  /** The cluster of a stanza; `backupLock` of it for what leaves the cluster alone. */
  postgres(id: string): string;
  container(engine: string, name: string): string;
}

export function createLockPaths(config: Pick<Config, 'hosts' | 'postgres' | 'docker'>): LockPaths {
  const machine = (host: string): string => machineLock(host, config.hosts.find(({ id }) => id === host)?.guest);
  /** What is not in the configuration any more is a machine of its own. */
  const on = (places: readonly { readonly id: string; readonly host: string }[], id: string): string =>
    machine(places.find((one) => one.id === id)?.host ?? id);
  return {
    machine,
    guest: guestLock,
    postgres: (id) => serviceLock(on(config.postgres, id), `pg-${id}`),
    container: (engine, name) => serviceLock(serviceLock(on(config.docker, engine), 'docker'), name),
  };
}

const bound = z.object({ locks: z.array(z.string()) });

/** The paths that a plan has bound as `locks`: what is approved says what it will hold. None of a plan from before there were any. */
export const boundLocks = (plan: Plan): readonly string[] => bound.safeParse(plan.bound).data?.locks ?? [];
