import { defineMessages } from '../../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    incident-word-critical = critical
    incident-word-warning = warning
    incident-word-info = info
    incident-unconfirmed = no longer reported
    incident-since = Since
    incident-for = { $time } as of { $clock }
    incident-lasted = Lasted
    incident-alert = Alert
    incident-alerts = Alerts
    incident-n-firing = { $n } firing
    incident-n-resolved = { $n } over
    incident-n-gone = { $n } no longer reported
    incident-n-unnamed = { $n } more not named (max_alerts)
    incident-all-over = all { $n } over
    incident-where = Where
    incident-owner = On it
    incident-was-owner = Handled by
    incident-since-clock = since { $clock }
    incident-more = … and { $n } more under 🔎
    incident-ended-unseen = Went quiet without an end: { $n }. They were silenced or inhibited and may still burn, so look for yourself.
    incident-only-unnamed = Every alert that was named is over. { $n ->
        [one] { $n } more was
       *[other] { $n } more were
    } not named by Alertmanager and may still fire.
    incident-ack = ✋ Acknowledge
    incident-unack = Give back
    incident-look = 🔎 More…
    incident-graph = 📈 Graph
    incident-logs = 📜 Log
    incident-changes = 🕓 Changes
    incident-back = ‹ Back
    incident-runbook = 📖 Runbook
    incident-source = 🔗 Source
    incident-in-common = In common
    incident-group = Group
    incident-in-file = { $n ->
        [0] Long texts are shortened; everything is in the file { $file }.
       *[other] { $n } more alerts and everything in full are in the file { $file }.
    }
    incident-status-firing = firing since
    incident-status-resolved = over
    incident-status-gone = no longer reported, last seen
    incident-history = History
    incident-event-opened = appeared
    incident-event-reopened = came back
    incident-event-resolved = over
    incident-event-severity = was { $from }, now { $to }
    incident-event-alert-fired = { $one ->
        [yes] firing: { $what }
       *[no] { $n } alerts fired
    }
    incident-event-alert-resolved = { $one ->
        [yes] over: { $what }
       *[no] { $n } alerts over
    }
    incident-event-alert-gone = { $one ->
        [yes] no longer reported: { $what }
       *[no] { $n } alerts no longer reported
    }
    incident-event-acknowledged = { $actor } is on it
    incident-event-released = { $actor } gave it back
    incident-event-silenced = { $actor } silenced it
    incident-event-unsilenced = { $actor } ended the silence
    incident-event-silence-ended = the silence is over
  `,
  ru: `
    incident-word-critical = критично
    incident-word-warning = внимание
    incident-word-info = к сведению
    incident-unconfirmed = больше не сообщают
    incident-since = Началось
    incident-for = { $time } на { $clock }
    incident-lasted = Длилось
    incident-alert = Алерт
    incident-alerts = Алерты
    incident-n-firing = горит: { $n }
    incident-n-resolved = погасло: { $n }
    incident-n-gone = без вестей: { $n }
    incident-n-unnamed = не названо: { $n } (max_alerts)
    incident-all-over = погасли все { $n }
    incident-where = Где
    incident-owner = Занимается
    incident-was-owner = Кто занимался
    incident-since-clock = с { $clock }
    incident-more = … и ещё { $n } — под 🔎
    incident-ended-unseen = Замолчали без отбоя: { $n }. Их заглушили или подавили, и они могут ещё гореть — проверьте сами.
    incident-only-unnamed = Всё, что было названо, погасло. Ещё { $n ->
        [one] { $n } алерт
        [few] { $n } алерта
       *[other] { $n } алертов
    } Alertmanager не назвал: возможно, горит.
    incident-ack = ✋ Беру на себя
    incident-unack = Снять с себя
    incident-look = 🔎 Ещё…
    incident-graph = 📈 График
    incident-logs = 📜 Журнал
    incident-changes = 🕓 Изменения
    incident-back = ‹ Назад
    incident-runbook = 📖 Инструкция
    incident-source = 🔗 Источник
    incident-in-common = Общее
    incident-group = Группа
    incident-in-file = { $n ->
        [0] Длинные тексты сокращены; целиком — в файле { $file }.
        [one] Ещё { $n } алерт и полные тексты — в файле { $file }.
        [few] Ещё { $n } алерта и полные тексты — в файле { $file }.
       *[other] Ещё { $n } алертов и полные тексты — в файле { $file }.
    }
    incident-status-firing = горит с
    incident-status-resolved = погас
    incident-status-gone = без вестей с
    incident-history = История
    incident-event-opened = начался
    incident-event-reopened = вернулся
    incident-event-resolved = закончился
    incident-event-severity = было «{ $from }», стало «{ $to }»
    incident-event-alert-fired = { $one ->
        [yes] загорелся { $what }
       *[no] загорелось алертов: { $n }
    }
    incident-event-alert-resolved = { $one ->
        [yes] погас { $what }
       *[no] погасло алертов: { $n }
    }
    incident-event-alert-gone = { $one ->
        [yes] без вестей: { $what }
       *[no] без вестей алертов: { $n }
    }
    incident-event-acknowledged = занимается { $actor }
    incident-event-released = { $actor } больше не занимается
    incident-event-silenced = поставлена заглушка: { $actor }
    incident-event-unsilenced = заглушка снята: { $actor }
    incident-event-silence-ended = заглушка закончилась
  `,
});
