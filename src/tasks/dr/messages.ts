import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    dr-word = DR
    dr-mode-drill = drill
    dr-mode-real = for real
    dr-ledger-step = Step { $n }
    dr-ledger-done = { $n } of { $of } steps were done
    dr-ledger-skipped = Step { $n } was skipped: { $reason }
    dr-minutes = { $n } min
    dr-of = step { $n } of { $of }
    dr-now = Now: { $n }. { $title }
    dr-all-done = All steps have ended: finish it.
    dr-took = Took { $time }, the target is { $target }
    dr-noted = Session #{ $number }: noted, { $where }.
    dr-noted-card = Session #{ $number } began. Its card is the checklist.
    dr-next-cli = Next: vakhta run dr done { $scenario }  ·  vakhta run dr skip { $scenario } WHY  ·  vakhta run dr abort { $scenario } WHY
    dr-finish-cli = Next: vakhta run dr finish { $scenario }
    dr-operation-cli = Does it: vakhta run { $command }
    dr-state-finished = finished
    dr-state-aborted = given up
    err-dr-no-runbook = The runbook { $name } is missing or cannot be read. It belongs to the program: install it anew.
    err-dr-none = No session of { $scenario } is under way. Start one: /dr start { $scenario }
    err-dr-live = Session #{ $number } of { $scenario } is under way already. Go on with it: /dr shows it.
    err-dr-moved = Step { $n } is not the current one any more. Look at the card.
    err-dr-moved-by = { $by } was faster: step { $n } has ended already.
    err-dr-unfinished = Step { $n } is still open. End it or skip it; or give the session up.
  `,
  ru: `
    dr-word = DR
    dr-mode-drill = учение
    dr-mode-real = всерьёз
    dr-ledger-step = Шаг { $n }
    dr-ledger-done = Выполнено шагов: { $n } из { $of }
    dr-ledger-skipped = Шаг { $n } пропущен: { $reason }
    dr-minutes = { $n } мин
    dr-of = шаг { $n } из { $of }
    dr-now = Сейчас: { $n }. { $title }
    dr-all-done = Все шаги закончены: завершите.
    dr-took = Заняло { $time }, цель — { $target }
    dr-noted = Сессия #{ $number }: записано, { $where }.
    dr-noted-card = Сессия #{ $number } началась. Чек-лист — на её карточке.
    dr-next-cli = Дальше: vakhta run dr done { $scenario }  ·  vakhta run dr skip { $scenario } ПОЧЕМУ  ·  vakhta run dr abort { $scenario } ПОЧЕМУ
    dr-finish-cli = Дальше: vakhta run dr finish { $scenario }
    dr-operation-cli = Сделает: vakhta run { $command }
    dr-state-finished = завершено
    dr-state-aborted = прекращено
    err-dr-no-runbook = Инструкции { $name } нет, или её не прочесть. Она поставляется с программой: переустановите её.
    err-dr-none = Сессии { $scenario } сейчас нет. Начните: /dr start { $scenario }
    err-dr-live = Сессия #{ $number } по { $scenario } уже идёт. Продолжайте её: её покажет /dr.
    err-dr-moved = Шаг { $n } уже не текущий. Посмотрите на карточку.
    err-dr-moved-by = { $by }: быстрее вас, шаг { $n } уже закончен.
    err-dr-unfinished = Шаг { $n } ещё открыт. Закончите его или пропустите — или прекратите сессию.
  `,
});
