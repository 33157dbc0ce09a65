import { defineMessages } from '../core/i18n.ts';

// Beside the module that uses them, which itself imports the whole catalogue.
export const messages = defineMessages({
  en: `
    doctor-telegram = the bot is @{ $name }
    doctor-telegram-token = Telegram does not know this token. Ask @BotFather for the right one and mend telegram.token.
    doctor-telegram-privacy = the bot is @{ $name }; privacy mode is on, so in groups it sees commands and replies only
    doctor-database = PostgreSQL { $version } answers
    doctor-database-embedded = PostgreSQL comes along, its data in { $dir }
    doctor-redis = Redis answers
    doctor-redis-answer = Redis answers, but not as expected: { $answer }
    doctor-redis-failed = Redis cannot be used ({ $why }).
    doctor-redis-failed-todo = Check that it is running, and address and password in queue.redis_url or REDIS_URL.
  `,
  ru: `
    doctor-telegram = бот — @{ $name }
    doctor-telegram-token = Telegram не знает этого токена. Возьмите верный у @BotFather и исправьте telegram.token.
    doctor-telegram-privacy = бот — @{ $name }; включён режим приватности: в группах он видит только команды и ответы
    doctor-database = PostgreSQL { $version } отвечает
    doctor-database-embedded = PostgreSQL встроенный, данные в { $dir }
    doctor-redis = Redis отвечает
    doctor-redis-answer = Redis отвечает, но не так, как ожидалось: { $answer }
    doctor-redis-failed = Redis недоступен ({ $why }).
    doctor-redis-failed-todo = Проверьте, что он запущен, а также адрес и пароль в queue.redis_url или REDIS_URL.
  `,
});
