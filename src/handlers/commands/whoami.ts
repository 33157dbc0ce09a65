import { code, doc, facts, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-whoami = Who I am for the bot, and which chat this is
    whoami-name = Name
    whoami-role = Role
    whoami-id = Telegram id
    whoami-chat = Chat id
    whoami-language = Language
    whoami-zone = Time zone
    whoami-totp = Step-up codes
    whoami-totp-yes = set up
    whoami-totp-no = not set up: operators[].totp in the configuration
    language-en = English
    language-ru = Russian
  `,
  ru: `
    cmd-whoami = Кто я для бота и что это за чат
    whoami-name = Имя
    whoami-role = Роль
    whoami-id = Id в Telegram
    whoami-chat = Id чата
    whoami-language = Язык
    whoami-zone = Часовой пояс
    whoami-totp = Одноразовые коды
    whoami-totp-yes = настроены
    whoami-totp-no = не настроены: operators[].totp в конфигурации
    language-en = английский
    language-ru = русский
  `,
});

export default defineCommand({
  name: 'whoami',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: ({ t, operator, user, chat, language, zone }) =>
    operator
      ? doc(
          facts(
            [t('whoami-name'), operator.name],
            [t('whoami-role'), t(`role-${operator.role}`)],
            [t('whoami-id'), code(String(user.id))],
            [t('whoami-chat'), code(String(chat.id))],
            [t('whoami-language'), t(`language-${language}`)],
            [t('whoami-zone'), zone],
          ),
          line(`${t('whoami-totp')}: ${t(operator.hasTotp ? 'whoami-totp-yes' : 'whoami-totp-no')}`),
        )
      : undefined,
});
