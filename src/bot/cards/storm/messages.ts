import { defineMessages } from '../../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    storm-head = Storm: { $incidents ->
        [one] { $incidents } incident
       *[other] { $incidents } incidents
    }, { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    }
    storm-head-calm = Storm calms down: { $incidents ->
        [one] { $incidents } incident
       *[other] { $incidents } incidents
    }, { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    }
    storm-head-over = Storm over: { $incidents ->
        [one] { $incidents } incident
       *[other] { $incidents } incidents
    }, { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    } in { $time }
    storm-since = Since
    storm-lasted = Lasted
    storm-for = { $time } as of { $clock }
    storm-severity = { $incidents ->
        [one] { $incidents } incident
       *[other] { $incidents } incidents
    }, { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    } · { $firing ->
        [0] all over
       *[other] { $firing } still { $firing ->
            [one] fires
           *[other] fire
        }
    }
    storm-shared = In common
    storm-raging = New incidents are collected here. { $own ->
        [0] None of them has a card of its own.
        [one] { $own } of them has a card of its own.
       *[other] { $own } of them have cards of their own.
    } All are counted above.
    storm-calm = Nothing new since { $clock }. What still fires gets cards of its own, the heaviest first: { $left } to go.
    storm-over-all = Everything is over.
    storm-over-some = { $over ->
        [0] Nothing is over
       *[other] { $over } over
    }, { $firing ->
        [0] nothing fires.
        [one] { $firing } still fires and has a card of its own.
       *[other] { $firing } still fire and have cards of their own.
    }
    storm-folded = { $n ->
        [one] { $n } of them is
       *[other] { $n } of them are
    } folded into other incidents.
    storm-criticals = Critical, still firing
    storm-more = … and { $n } more under “All”
    storm-ack = ✋ Acknowledge all ({ $n })
    storm-all = ☰ All { $n }
    storm-back = ‹ Back
    storm-earlier = ‹ { $page }
    storm-later = { $page } ›
    storm-file = 📄 As a file
    storm-page = Incidents { $from }–{ $to } of { $n }
    storm-line = { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    }
    storm-firing = firing
    storm-resolved = over
    storm-empty = Nothing of it is kept any more.
  `,
  ru: `
    storm-head = Шквал: { $incidents ->
        [one] { $incidents } инцидент
        [few] { $incidents } инцидента
       *[many] { $incidents } инцидентов
    }, { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    }
    storm-head-calm = Шквал стихает: { $incidents ->
        [one] { $incidents } инцидент
        [few] { $incidents } инцидента
       *[many] { $incidents } инцидентов
    }, { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    }
    storm-head-over = Шквал прошёл: { $incidents ->
        [one] { $incidents } инцидент
        [few] { $incidents } инцидента
       *[many] { $incidents } инцидентов
    }, { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    } за { $time }
    storm-since = Начался
    storm-lasted = Длился
    storm-for = { $time } на { $clock }
    storm-severity = { $incidents ->
        [one] { $incidents } инцидент
        [few] { $incidents } инцидента
       *[many] { $incidents } инцидентов
    }, { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    } · { $firing ->
        [0] всё погасло
       *[other] ещё горит: { $firing }
    }
    storm-shared = Общее
    storm-raging = Новые инциденты собираются здесь. { $own ->
        [0] Своих карточек у них нет.
       *[other] Своя карточка есть у { $own }.
    } Посчитаны все.
    storm-calm = С { $clock } ничего нового. Всё, что ещё горит, получает свои карточки, самое тяжёлое — первым. Осталось: { $left }.
    storm-over-all = Всё погасло.
    storm-over-some = Погасло: { $over }. { $firing ->
        [0] Ничего не горит.
       *[other] Ещё горит: { $firing }, у каждого своя карточка.
    }
    storm-folded = Свёрнуто в другие инциденты: { $n }.
    storm-criticals = Критичные, ещё горят
    storm-more = … и ещё { $n } — в полном списке
    storm-ack = ✋ Беру всё на себя ({ $n })
    storm-all = ☰ Все { $n }
    storm-back = ‹ Назад
    storm-earlier = ‹ { $page }
    storm-later = { $page } ›
    storm-file = 📄 Файлом
    storm-page = Инциденты { $from }–{ $to } из { $n }
    storm-line = { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    }
    storm-firing = горит
    storm-resolved = погас
    storm-empty = Записей о нём больше нет.
  `,
});
