import { z } from 'zod';
import { VakhtaError } from '../core/error.ts';
import { defineMessages } from '../core/i18n.ts';
import { holds } from '../core/people.ts';
import type { DoctorProbe } from '../config/doctor.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';

export const messages = defineMessages({
  en: `
    doctor-person = can be called in private
    doctor-person-unreachable = cannot be called in private: { $why }
    doctor-person-unreachable-todo = { $who } has to open a chat with the bot and press Start (or unblock it); until then the next person is called.
    doctor-person-unknown = not tried: Telegram answered { $status }
  `,
  ru: `
    doctor-person = можно вызвать лично
    doctor-person-unreachable = лично не вызвать: { $why }
    doctor-person-unreachable-todo = { $who }: нужно открыть чат с ботом и нажать «Старт» (или снять блокировку), а пока вызывают следующего.
    doctor-person-unknown = не проверено: Telegram ответил { $status }
  `,
});

const answer = z.object({ description: z.string().default('') });

/** Whoever may be called in private has to have started a chat with the bot. Asked by "typing…", which leaves nothing behind. */
export function peopleProbes({ operators, telegram }: Config, secrets: Secrets): DoctorProbe[] {
  const callable = operators.filter(({ role }) => holds(role, 'operator'));
  return callable.map(
    ({ id, name: who, telegramId }): DoctorProbe => ({
      name: `person ${id}`,
      probe: async (signal) => {
        const token = (await secrets.source(telegram.token)()).reveal();
        const response = await fetch(`${telegram.apiRoot}/bot${token}/sendChatAction`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ chat_id: telegramId, action: 'typing' }),
          signal,
        }).catch(() => {
          // The address holds the token, so no error of fetch may come through as it is.
          throw new VakhtaError('transient', 'unreachable', 'Telegram does not answer', { args: { what: 'fetch' } });
        });
        if (response.ok) return { state: 'ok', text: 'doctor-person' };
        const { description } = answer.catch({ description: '' }).parse(await response.json().catch(() => ({})));
        const isRefused = response.status === 403 || /chat not found/i.test(description);
        if (!isRefused) return { state: 'warn', text: 'doctor-person-unknown', args: { status: response.status } };
        const why = description.replace(/^(Forbidden|Bad Request): /, '');
        return { state: 'warn', text: 'doctor-person-unreachable', args: { who, why } };
      },
    }),
  );
}
