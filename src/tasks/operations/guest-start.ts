import { defineMessages } from '../../core/i18n.ts';
import { definePowerOperation } from '../guest-power.ts';

export const messages = defineMessages({
  en: `
    op-guest-start = Start a guest (Proxmox)
    op-guest-start-arg-guest = Which guest? Its name or number.
  `,
  ru: `
    op-guest-start = Запустить гостя (Proxmox)
    op-guest-start-arg-guest = Какого гостя? Имя или номер.
  `,
});

export default definePowerOperation({ word: 'start', action: 'start', risk: 'change', wanted: 'running', messages });
