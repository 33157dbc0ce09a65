import { bold, code, doc, line, list, time, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { titleIn } from '../../core/own-alert.ts';
import { incident } from '../../store/incidents.ts';
import { incidentsMeant } from '../../store/why.ts';
import { defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-why = What became of an alert, step by step: /why 12
    why-usage = Which one? The number of the incident, the name of the alert, or the beginning of a fingerprint: /why 12
    why-unknown = I know no incident “{ $what }”.
    why-several = Several are called so; here is the newest. The others:
  `,
  ru: `
    cmd-why = Что стало с алертом, по шагам: /why 12
    why-usage = Про какой? Номер инцидента, имя алерта или начало отпечатка: /why 12
    why-unknown = Не знаю инцидента «{ $what }».
    why-several = Так называются несколько; вот самый новый. Остальные:
  `,
});

const OTHERS = 5;

export default defineCommand({
  name: 'why',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: async ({ args, t, db, messageId, showCard }) => {
    const what = args.replace(/^#/u, '').trim();
    if (what === '') return doc(title('question', t('why-usage')));
    const show = (id: number): Promise<void> => showCard('why', `${messageId} ${id}`);
    const number = /^\d{1,12}$/u.test(what) ? Number(what) : undefined;
    if (number !== undefined && (await incident(db, number))) {
      await show(number);
      return undefined;
    }
    const [first, ...others] = await incidentsMeant(db, what.slice(0, 200), OTHERS + 1);
    if (!first) return doc(title('question', t('why-unknown', { what })), line(t('why-usage')));
    await show(first.id);
    if (others.length === 0) return undefined;
    return doc(
      line(bold(t('why-several'))),
      list(others.map((one) => [code(`/why ${one.id}`), ' ', time(one.startedAt), ` ${titleIn(t, one)}`])),
    );
  },
});
