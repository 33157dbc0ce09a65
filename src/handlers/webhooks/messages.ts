import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-webhook-malformed = This is not a webhook of Alertmanager ({ $why }). Check webhook_configs in alertmanager.yml.
    err-webhook-version = Webhook version { $version } is not known; version 4 is. Update Vakhta, or check who calls.
  `,
  ru: `
    err-webhook-malformed = Это не вебхук Alertmanager ({ $why }). Проверьте webhook_configs в alertmanager.yml.
    err-webhook-version = Версия вебхука { $version } неизвестна, понимаю версию 4. Обновите Вахту или проверьте, кто её вызывает.
  `,
});
