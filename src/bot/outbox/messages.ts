import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    outbox-repeat = ↻ Perhaps sent twice: Telegram did not confirm the first time.
    outbox-no-topic = The topic is gone; this belongs to “{ $topic }”.
    outbox-no-new-topic = I could not make the topic “{ $topic }”; this belongs there.
    outbox-no-picture = The picture cannot be shown: { $alt }
    outbox-superseded = ↓ A newer message stands for this one.
    outbox-delayed-unreachable = ⏱ Delayed { $time }: Telegram could not be reached.
    outbox-delayed-flood = ⏱ Delayed { $time }: Telegram asked to wait.
    outbox-delayed-budget = ⏱ Delayed { $time }: Telegram allows only so many messages a minute here.
    outbox-delayed-late = ⏱ Delayed { $time }.
    outbox-chat-lost = I cannot write to the chat “{ $chat }” any more
    outbox-chat-lost-why = Telegram says: { $reason }
    outbox-chat-lost-do = Add the bot to the chat again, or give the route another chat in the configuration. Until then, what is urgent comes here.
    outbox-not-drawn = This card could not be drawn. Error #{ $id }; the log has the details.
  `,
  ru: `
    outbox-repeat = ↻ Возможно, пришло дважды: в первый раз Telegram не подтвердил отправку.
    outbox-no-topic = Темы больше нет; сообщение относится к «{ $topic }».
    outbox-no-new-topic = Не удалось создать тему «{ $topic }»; сообщение относится к ней.
    outbox-no-picture = Картинку показать нельзя: { $alt }
    outbox-superseded = ↓ Вместо этого — более новое сообщение.
    outbox-delayed-unreachable = ⏱ Опоздало на { $time }: Telegram был недоступен.
    outbox-delayed-flood = ⏱ Опоздало на { $time }: Telegram просил подождать.
    outbox-delayed-budget = ⏱ Опоздало на { $time }: Telegram ограничивает число сообщений в минуту.
    outbox-delayed-late = ⏱ Опоздало на { $time }.
    outbox-chat-lost = Больше не могу писать в чат «{ $chat }»
    outbox-chat-lost-why = Telegram отвечает: { $reason }
    outbox-chat-lost-do = Верните бота в чат или укажите в конфигурации другой чат для маршрута. До тех пор срочное приходит сюда.
    outbox-not-drawn = Карточку не удалось нарисовать. Ошибка #{ $id }; подробности в журнале.
  `,
});
