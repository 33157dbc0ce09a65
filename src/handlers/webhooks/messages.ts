import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-webhook-malformed = This is not a webhook of Alertmanager ({ $why }). Check webhook_configs in alertmanager.yml.
    err-webhook-version = Webhook version { $version } is not known; 0, 1, 3 and 4 are. Update Vakhta, or check who calls.
  `,
  ru: `
    err-webhook-malformed = Это не вебхук Alertmanager ({ $why }). Проверьте webhook_configs в alertmanager.yml.
    err-webhook-version = Версия вебхука { $version } неизвестна; понимаю 0, 1, 3 и 4. Обновите Вахту или проверьте, кто её вызывает.
  `,
});
