import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-cancel = Forget the question I asked you
    cancel-done = Forgotten. Nothing was started.
    cancel-nothing = I am not asking you anything. A run is cancelled with the button on its card.
  `,
  ru: `
    cmd-cancel = Забыть вопрос, который я задал
    cancel-done = Забыто. Ничего не запущено.
    cancel-nothing = Я вас ни о чём не спрашиваю. Запуск отменяется кнопкой на его карточке.
  `,
});

export default defineCommand({
  name: 'cancel',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: async ({ t, cancelForm }) => doc(line(t((await cancelForm()) ? 'cancel-done' : 'cancel-nothing'))),
});
