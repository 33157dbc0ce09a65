import { parseAlertFilter, filterWords } from '../../core/alert-filter.ts';
import { doc, line, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { splitWords } from '../command-line.ts';
import { defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-alerts = What fires now: /alerts critical nginx free
    alerts-nobody = I know nobody by the name “{ $name }”.
    alerts-usage = Words that can be combined: critical, warning, info · mine, free, @name · a part of a service, host or alert.
  `,
  ru: `
    cmd-alerts = Что горит сейчас: /alerts critical nginx free
    alerts-nobody = Не знаю никого по имени «{ $name }».
    alerts-usage = Слова можно сочетать: critical, warning, info · mine, free, @имя · часть имени службы, хоста или алерта.
  `,
});

export default defineCommand({
  name: 'alerts',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: async ({ args, t, operator, config, messageId, showCard }) => {
    const person = (name: string): string | undefined =>
      config.operators.find((one) => one.id.toLowerCase() === name || one.name.toLowerCase() === name)?.id;
    const parsed = parseAlertFilter(splitWords(args), operator?.id, person);
    if (!parsed.ok)
      return doc(title('question', t('alerts-nobody', { name: parsed.unknown })), line(t('alerts-usage')));
    // A list for each time it is asked for: the message's number keeps them apart.
    await showCard('alerts', [String(messageId), ...filterWords(parsed.filter)].join(' '));
    return undefined;
  },
});
