import { defineMessages } from '../../core/i18n.ts';
import { definePowerOperation } from '../guest-power.ts';

export const messages = defineMessages({
  en: `
    op-guest-stop = Switch a guest off at once (Proxmox)
    op-guest-stop-arg-guest = Which guest? Its name or number.
  `,
  ru: `
    op-guest-stop = Выключить гостя сразу (Proxmox)
    op-guest-stop-arg-guest = Какого гостя? Имя или номер.
  `,
});

export default definePowerOperation({ word: 'stop', action: 'stop', risk: 'disrupt', wanted: 'stopped', messages });
