import { bold, doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-start = What this is
    start-hello = I keep watch over { $site }, { $name }.
    start-what = Alerts come to the chat, decisions go out: what fires, what was backed up, what is about to expire.
    start-next = /help shows what you may do.
  `,
  ru: `
    cmd-start = Что это такое
    start-hello = Несу вахту: { $site }. Здравствуйте, { $name }.
    start-what = Оповещения приходят в чат, решения уходят отсюда: что горит, что сохранено, что скоро истекает.
    start-next = /help покажет, что вам доступно.
  `,
});

export default defineCommand({
  name: 'start',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: ({ t, config, operator, user }) =>
    doc(
      line(bold(t('start-hello', { site: config.site.name, name: operator?.name ?? user.name }))),
      line(t('start-what')),
      line(t('start-next')),
    ),
});
