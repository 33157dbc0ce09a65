import { defineMessages } from '../../core/i18n.ts';
import { definePowerOperation } from '../guest-power.ts';

export const messages = defineMessages({
  en: `
    op-guest-restart = Restart a guest (Proxmox)
    op-guest-restart-arg-guest = Which guest? Its name or number.
  `,
  ru: `
    op-guest-restart = Перезапустить гостя (Proxmox)
    op-guest-restart-arg-guest = Какого гостя? Имя или номер.
  `,
});

export default definePowerOperation({
  word: 'restart',
  action: 'reboot',
  risk: 'disrupt',
  wanted: 'running',
  messages,
});
