import { defineMessages } from '../core/i18n.ts';

// Beside the module that uses them, which itself imports the whole catalogue.
export const messages = defineMessages({
  en: `
    demo-starting = Starting the database, a simulated infrastructure and the bot …
    demo-ready = Vakhta keeps watch. Open the chat:
    demo-hint-alerts = Alerts come in within seconds: press Acknowledge, or silence one.
    demo-hint-commands = Type a command: /status, /alerts, /graph 2, /watch, /backup pg main, /restore pg main, /drill restore pg:main, /slo, /help
    demo-hint-digest = The morning digest arrives at { $at }.
    demo-hint-people = Switch the person at the top: admin, operators, viewer, and an outsider.
    demo-stop = Ctrl+C ends it; nothing stays behind.
  `,
  ru: `
    demo-starting = Запускаю базу, имитацию инфраструктуры и бота …
    demo-ready = Вахта несёт дежурство. Откройте чат:
    demo-hint-alerts = Алерты придут через секунды: нажмите «Беру на себя» или заглушите.
    demo-hint-commands = Наберите команду: /status, /alerts, /graph 2, /watch, /backup pg main, /restore pg main, /drill restore pg:main, /slo, /help
    demo-hint-digest = Утренняя сводка придёт в { $at }.
    demo-hint-people = Человек переключается наверху: администратор, операторы, наблюдатель и посторонний.
    demo-stop = Ctrl+C завершает; следов не остаётся.
  `,
});
