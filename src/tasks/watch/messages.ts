import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    incident-event-paged = { $person ->
        [chat] said again in the chat
       *[other] { $person } was called
    }
    incident-event-held = held back for { $person } until { $until }: quiet hours
    incident-event-ack-expired = nothing was done for { $minutes } min: { $who } is not on it any more
    incident-event-handed-over = { $actor } gave it to { $to }
    incident-event-commented = { $actor }: { $text }
    page-why-watch = You are on watch, and nobody has taken it on.
    page-why-second = Nobody has taken it on. You are second.
    page-why-admins = Nobody has taken it on.
    page-why-everybody = Nobody has taken it on.
    page-why-repeat = Still nobody has taken it on.
    page-why-ack-expired = { $who } took it on; nothing was done for { $minutes } min. Who takes it?
    page-why-handed-over = { $who } hands it over to you.
    err-watch-no-person = { $who } cannot be on watch. Who can: { $people }
    err-watch-has-it = { $who } has the watch already.
    err-watch-nothing-to-cancel = The watch follows the configuration; nothing was taken or given by command.
    err-handover-self = Incident #{ $id } is in the name of { $who } already.
    err-handover-moved = Meanwhile somebody else took incident #{ $id }. Look at its card.
    err-handover-no-person = { $who } cannot take an incident on. Who can: { $people }
  `,
  ru: `
    incident-event-paged = { $person ->
        [chat] повторено в чате
       *[other] отправлен вызов: { $person }
    }
    incident-event-held = тихие часы, отложено до { $until }: { $person }
    incident-event-ack-expired = { $minutes } мин без действий: { $who } больше не занимается
    incident-event-handed-over = { $actor } передаёт инцидент: { $to }
    incident-event-commented = { $actor }: { $text }
    page-why-watch = Вы на вахте, и инцидентом никто не занимается.
    page-why-second = Инцидентом никто не занимается. Вы следующий на вахте.
    page-why-admins = Инцидентом никто не занимается.
    page-why-everybody = Инцидентом никто не занимается.
    page-why-repeat = Инцидентом всё ещё никто не занимается.
    page-why-ack-expired = { $who } занимается инцидентом, но { $minutes } мин ничего не происходит. Кто возьмёт?
    page-why-handed-over = Вам передаёт инцидент { $who }.
    err-watch-no-person = { $who } не может нести вахту. Могут: { $people }
    err-watch-has-it = Вахту уже несёт { $who }.
    err-watch-nothing-to-cancel = Вахта идёт по конфигурации, командой её никто не менял.
    err-handover-self = Инцидентом #{ $id } уже занимается { $who }.
    err-handover-moved = Инцидент #{ $id } тем временем взял кто-то другой. Посмотрите на карточку.
    err-handover-no-person = { $who } не может заниматься инцидентами. Могут: { $people }
  `,
});
