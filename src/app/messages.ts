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
    doctor-ca-file = { $path } cannot be read ({ $why }); what needs it was looked at without it
    doctor-ca-file-todo = Put the CA certificate there (PEM), or correct the path in the configuration.
    err-ca-file = The CA certificate { $path } cannot be read ({ $why }). Put it there (PEM), or correct the path in the configuration.
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
    doctor-ca-file = { $path } не читается ({ $why }); то, чему он нужен, проверено без него
    doctor-ca-file-todo = Положите туда сертификат центра (PEM) или исправьте путь в конфигурации.
    err-ca-file = Сертификат центра { $path } не читается ({ $why }). Положите его туда (PEM) или исправьте путь в конфигурации.
    doctor-redis-answer = Redis отвечает, но не так, как ожидалось: { $answer }
    doctor-redis-failed = Redis недоступен ({ $why }).
    doctor-redis-failed-todo = Проверьте, что он запущен, а также адрес и пароль в queue.redis_url или REDIS_URL.
  `,
});
