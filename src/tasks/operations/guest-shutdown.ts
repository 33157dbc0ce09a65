import { defineMessages } from '../../core/i18n.ts';
import { definePowerOperation } from '../guest-power.ts';

export const messages = defineMessages({
  en: `
    op-guest-shutdown = Shut a guest down in order (Proxmox)
    op-guest-shutdown-arg-guest = Which guest? Its name or number.
  `,
  ru: `
    op-guest-shutdown = Корректно выключить гостя (Proxmox)
    op-guest-shutdown-arg-guest = Какого гостя? Имя или номер.
  `,
});

export default definePowerOperation({
  word: 'shutdown',
  action: 'shutdown',
  risk: 'disrupt',
  wanted: 'stopped',
  messages,
});
