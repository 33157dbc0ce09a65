import type { Config } from '../../config/schema.ts';

/** What the configuration says of backups of the guests of one installation. */
export type GuestBackupSettings = NonNullable<Config['proxmox'][number]['backup']>;

/** Needs no credentials: it is only read from the configuration. */
export interface GuestSettings {
  /** By the id of the installation; nothing where backups are not configured. */
  of(id: string): GuestBackupSettings | undefined;
}

export const guestSettings = ({ proxmox }: Pick<Config, 'proxmox'>): GuestSettings => ({
  of: (id) => proxmox.find((one) => one.id === id)?.backup,
});
