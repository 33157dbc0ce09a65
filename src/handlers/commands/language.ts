import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { LANGUAGES } from '../../core/people.ts';
import { defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-language = Change the language: /language ru
    language-now = I speak English with you. Change it: /language ru
    language-changed = From now on I speak English with you.
    language-unknown = I speak English and Russian: /language en or /language ru
  `,
  ru: `
    cmd-language = Сменить язык: /language en
    language-now = Говорю с вами по-русски. Сменить: /language en
    language-changed = Теперь я говорю с вами по-русски.
    language-unknown = Я говорю по-русски и по-английски: /language ru или /language en
  `,
});

export default defineCommand({
  name: 'language',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: async ({ t, args, useLanguage }) => {
    if (args === '') return doc(line(t('language-now')));
    const language = LANGUAGES.find((one) => one === args.toLowerCase());
    if (language === undefined) return doc(line(t('language-unknown')));
    const translate = await useLanguage(language);
    return doc(line(translate('language-changed')));
  },
});
