import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-scratch-run-over = The run has ended meanwhile, so nothing more was made for it. Ask again.
  `,
  ru: `
    err-scratch-run-over = Запуск тем временем завершился, поэтому ничего больше для него не создано. Запросите снова.
  `,
});
