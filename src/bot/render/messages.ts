import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    icon-critical = 🔴 CRITICAL
    icon-warning = 🟠 WARNING
    icon-info = 🔵 INFO
    icon-ok = 🟢 OK
    icon-resolved = 🟢 RESOLVED
    icon-done = 🟢 DONE
    icon-running = ⏳ RUNNING
    icon-waiting = 🕓 WAITING
    icon-failed = ❌ FAILED
    icon-cancelled = ⚪ CANCELLED
    icon-unknown = ❔ UNKNOWN
    icon-silenced = 🔕 SILENCED
    icon-owned = 👤 TAKEN
    icon-question = ❓ QUESTION
    icon-digest = 📋 DIGEST
    icon-lock = 🔒 LOCKED
    icon-bell = 🔔 NOTICE
    render-months = Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec
    render-no-time = at an unknown time
    render-ago = { $time } ago
    render-in = in { $time }
    render-days = { $n } d
    render-hours = { $n } h
    render-minutes = { $n } min
    render-seconds = { $n } s
    render-more = … { $n } more
    render-more-buttons = … { $n } more { $n ->
        [one] button
       *[other] buttons
      } did not fit
    render-cut = Shortened; everything is in the file { $file }
    render-empty = (empty)
  `,
  ru: `
    icon-critical = 🔴 КРИТИЧНО
    icon-warning = 🟠 ВНИМАНИЕ
    icon-info = 🔵 СВЕДЕНИЯ
    icon-ok = 🟢 В ПОРЯДКЕ
    icon-resolved = 🟢 РЕШЕНО
    icon-done = 🟢 ГОТОВО
    icon-running = ⏳ ВЫПОЛНЯЕТСЯ
    icon-waiting = 🕓 ЖДЁТ
    icon-failed = ❌ ОШИБКА
    icon-cancelled = ⚪ ОТМЕНЕНО
    icon-unknown = ❔ НЕИЗВЕСТНО
    icon-silenced = 🔕 ЗАГЛУШЕНО
    icon-owned = 👤 В РАБОТЕ
    icon-question = ❓ ВОПРОС
    icon-digest = 📋 СВОДКА
    icon-lock = 🔒 НЕТ ДОСТУПА
    icon-bell = 🔔 УВЕДОМЛЕНИЕ
    render-months = янв фев мар апр мая июн июл авг сен окт ноя дек
    render-no-time = в неизвестное время
    render-ago = { $time } назад
    render-in = через { $time }
    render-days = { $n } д
    render-hours = { $n } ч
    render-minutes = { $n } мин
    render-seconds = { $n } с
    render-more = … ещё { $n }
    render-more-buttons = … ещё { $n } { $n ->
        [one] кнопка не поместилась
        [few] кнопки не поместились
       *[other] кнопок не поместилось
      }
    render-cut = Сокращено; всё целиком — в файле { $file }
    render-empty = (пусто)
  `,
});
