import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    outbox-repeat = ↻ Perhaps sent twice: Telegram did not confirm the first time.
    outbox-no-topic = The topic is gone; this belongs to “{ $topic }”.
    outbox-chat-lost = I cannot write to the chat “{ $chat }” any more
    outbox-chat-lost-why = Telegram says: { $reason }
    outbox-chat-lost-do = Add the bot to the chat again, or give the route another chat in the configuration. Until then, what is urgent comes here.
    outbox-not-drawn = This card could not be drawn. Error #{ $id }; the log has the details.
  `,
  ru: `
    outbox-repeat = ↻ Возможно, пришло дважды: в первый раз Telegram не подтвердил отправку.
    outbox-no-topic = Темы больше нет; сообщение относится к «{ $topic }».
    outbox-chat-lost = Больше не могу писать в чат «{ $chat }»
    outbox-chat-lost-why = Telegram отвечает: { $reason }
    outbox-chat-lost-do = Верните бота в чат или укажите в конфигурации другой чат для маршрута. До тех пор срочное приходит сюда.
    outbox-not-drawn = Карточку не удалось нарисовать. Ошибка #{ $id }; подробности в журнале.
  `,
});
