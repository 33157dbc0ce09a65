import { defineMessages } from '../core/i18n.ts';

export const messages = defineMessages({
  en: `
    bot-outsider = I work for a closed group and do not know you. If you belong to it, give an administrator your Telegram id: { $id }
    bot-anonymous = You write as an anonymous administrator, and I cannot know who you are. Write as yourself.
    bot-strange-chat = This chat is not in my configuration, so I do not talk about my work here. Its id: { $id }
    bot-unknown-command = There is no command { $command }. /help shows what there is.
    bot-hint = I understand commands: /help shows them.
    bot-denied = This needs the role “{ $role }”; yours is “{ $own }”.
    bot-surplus = I do not know what to do with: { $words }
    bot-wrong = “{ $word }” is not right for { $argument }: { $reason }
    bot-usage = The right form:
    bot-which = Which one?
    bot-gave-up = That did not work, and it is my fault. Error #{ $id }: tell it to whoever runs me.
    bot-toast-outsider = You have no access here.
    bot-toast-not-yours = This question was put to somebody else.
    bot-toast-lost = { $who } was faster, at { $time }.
    bot-toast-stale = This button is out of date; look at the card again.
    bot-toast-working = Working on it …
    bot-toast-answer = Answer in the chat.
    bot-form-cancel = /cancel forgets the question.
    bot-form-choose = Choose, or type the answer.
    bot-form-reply = Answer this message.
    bot-form-restarted = I was updated while I was asking. Once more:
    bot-form-wrong = “{ $word }” will not do: { $reason }
    bot-form-target = Type exactly what is to be destroyed:
    bot-form-target-wrong = That is not the name. Nothing was started. Type exactly:
    bot-form-code = Now the six-digit code of your authenticator. I delete the message at once.
    bot-form-code-wrong = A code has six digits. Once more:
    bot-form-over = This question is closed; nothing was started.
  `,
  ru: `
    bot-outsider = Я работаю для закрытой группы и вас не знаю. Если вы из неё, передайте администратору свой id в Telegram: { $id }
    bot-anonymous = Вы пишете как анонимный администратор, и я не могу знать, кто вы. Напишите от своего имени.
    bot-strange-chat = Этого чата нет в моей конфигурации, поэтому о работе я здесь не говорю. Его id: { $id }
    bot-unknown-command = Команды { $command } нет. Что есть — покажет /help.
    bot-hint = Я понимаю команды: их покажет /help.
    bot-denied = Для этого нужна роль «{ $role }», а у вас «{ $own }».
    bot-surplus = Не знаю, что делать с этим: { $words }
    bot-wrong = «{ $word }» не подходит для { $argument }: { $reason }
    bot-usage = Правильно так:
    bot-which = Что именно?
    bot-gave-up = Не получилось, и это моя вина. Ошибка #{ $id }: сообщите её тому, кто меня обслуживает.
    bot-toast-outsider = У вас здесь нет доступа.
    bot-toast-not-yours = Этот вопрос задан другому человеку.
    bot-toast-lost = { $who } успел(а) раньше, в { $time }.
    bot-toast-stale = Кнопка устарела; посмотрите на карточку ещё раз.
    bot-toast-working = Выполняю …
    bot-toast-answer = Ответьте в чате.
    bot-form-cancel = /cancel — забыть вопрос.
    bot-form-choose = Выберите или напишите ответ.
    bot-form-reply = Ответьте на это сообщение.
    bot-form-restarted = Пока я спрашивал, меня обновили. Ещё раз:
    bot-form-wrong = «{ $word }» не подойдёт: { $reason }
    bot-form-target = Введите точно, что будет уничтожено:
    bot-form-target-wrong = Это не то имя. Ничего не запущено. Введите точно:
    bot-form-code = Теперь шестизначный код из приложения-аутентификатора. Сообщение я сразу удалю.
    bot-form-code-wrong = В коде шесть цифр. Ещё раз:
    bot-form-over = Вопрос закрыт; ничего не запущено.
  `,
});
