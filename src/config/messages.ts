import { defineMessages } from '../core/i18n.ts';

/** What is wrong with a configuration, and how to mend it. No text ever quotes a value that could be a secret. */
export const messages = defineMessages({
  en: `
    err-config-invalid = The configuration { $file } has { $count ->
        [one] { $count } error
       *[other] { $count } errors
      }. Run “vakhta doctor” to see them with their places.
    err-secret-env = { $ref }: the environment variable { $name } is not set. Set it for this process, or change the reference.
    err-secret-empty = { $ref } is empty. Put the value there.
    err-secret-file = { $ref }: the file cannot be read ({ $why }). Check that it exists and that this process may read it.
    err-secret-no-vault = { $ref } is read from Vault, but the configuration has no vault section. Add it, or use env: or file:.

    cfg-warning = warning: { $sentence }

    cfg-no-file = the file does not exist. Copy config/vakhta.example.yaml there, or name another file with --config or VAKHTA_CONFIG.
    cfg-unreadable = the file cannot be read ({ $why }). Check its owner and mode.
    cfg-too-large = the file has more than { $most } characters. This is hardly a configuration; check the path.
    cfg-empty-file = the file is empty. Start from config/vakhta.example.yaml.
    cfg-not-a-mapping = the file must be a mapping of sections, “site:”, “telegram:” and so on. Start from config/vakhta.example.yaml.

    cfg-yaml-syntax = this is not valid YAML ({ $code }). Check indentation, quotes and brackets here and on the line above.
    cfg-yaml-duplicate-key = this key occurs twice in the same mapping. Keep one of them.
    cfg-yaml-tab = YAML does not allow tabs for indentation. Use spaces.
    cfg-yaml-indent = the indentation does not fit the lines above, or a bracket or quote is not closed. Align the line with its neighbours.
    cfg-yaml-missing-char = a character is missing: a colon and a space, a comma, or a closing bracket or quote.
    cfg-yaml-quote = a plain value cannot begin with this character. Put the value into quotes.
    cfg-yaml-escape = an unknown escape in double quotes. Use single quotes for text with backslashes.
    cfg-yaml-alias = this alias (*name) has no anchor (&name) above it. Define it first, or write the value out.
    cfg-yaml-aliases = more than { $most } aliases. Write the values out.
    cfg-yaml-documents = the file holds more than one document (“---”). Keep one.

    cfg-invalid = this value is not valid here. See docs/configuration.md.
    cfg-unknown-key = unknown key. Known here: { $known }.
    cfg-unknown-key-near = unknown key. Did you mean “{ $near }”?
    cfg-missing = “{ $key }” is missing. { $what }
    cfg-missing-secret = “{ $key }” is missing. Put the value into an environment variable and write  { $key }: env:{ $env }
    cfg-empty = the value is empty. Fill it in, or remove the line.
    cfg-wrong-type = expected { $expected ->
        [text] a text
        [integer] a whole number
        [number] a number
        [switch] true or false
        [list] a list
        [mapping] a mapping (key: value)
       *[other] something else
      }, found { $given ->
        [text] a text
        [integer] a whole number
        [number] a number
        [switch] true or false
        [list] a list
        [mapping] a mapping (key: value)
       *[other] something else
      }. { $advice ->
        [unquote] Write it without quotes.
        [quote] Put it into quotes.
        [list] Write it as a list, such as [a, b].
        [whole] Write it without a fraction.
       *[other] See docs/configuration.md.
      }
    cfg-bad-option = not one of the possible values. Possible: { $known }.
    cfg-bad-option-near = not one of the possible values. Did you mean “{ $near }”? Possible: { $known }.
    cfg-bad-key = this name is not possible here. A label begins with a letter or “_” and has letters, digits and “_” only.
    cfg-too-few = the list needs at least { $least ->
        [one] { $least } entry
       *[other] { $least } entries
      }.
    cfg-too-small = too small; the least possible value is { $least }.
    cfg-must-exceed = too small; the value must be greater than { $least }.
    cfg-too-big = too large; the greatest possible value is { $most }.

    cfg-bad-id = an id has lower-case letters, digits, “_”, “-” and “.”, begins with a letter or digit, and has 40 characters at most.
    cfg-bad-zone = unknown time zone. Use a name of the IANA base, such as Europe/Moscow, Asia/Yekaterinburg or UTC.
    cfg-bad-date = not a day. Write year, month and day, such as 2026-01-05.
    cfg-bad-date-time = not a day with a time. Write 2026-12-30 18:00; the zone is that of the section.
    cfg-time-order = it ends before it begins.
    cfg-log-source = give either host (log lines by SSH) or loki (a selector), one of the two.
    cfg-probe-target = is no target of the kind { $kind }. Write it like { $example }
    cfg-loki-missing = a selector for Loki, but there is no section loki with its address.
    cfg-bad-time = not a time of day. Write hours and minutes with two digits each, such as 08:30.
    cfg-bad-url = not a web address. Write it with http:// or https://, such as https://pve1.example.net:8006.
    cfg-bad-regex = not a valid regular expression. Check brackets and backslashes between the slashes.
    cfg-bad-chat-id = 0 is not a chat. Groups have negative ids; /whoami in the chat shows the id.
    cfg-bad-token-id = not the id of an API token. Write user@realm!name, such as vakhta@pve!watch.
    cfg-bad-fingerprint = not a SHA-256 fingerprint. Write 32 pairs of hexadecimal digits with colons, as “pvenode cert info” shows them.
    cfg-bad-host-key = not a public host key. Write type and key as “ssh-keyscan -t ed25519 HOST” prints them (without the host name), or SHA256:….
    cfg-bad-guest = not a guest. Write the id of the Proxmox and the number of the guest, such as pve1/101.

    cfg-secret-literal = a literal secret is not allowed here. Put the value into an environment variable and write  { $key }: env:{ $env }
    cfg-secret-literal-file = a literal secret is not allowed here. Put it into a file that only this process may read (chmod 600) and write  { $key }: file:/path/to/file
    cfg-secret-ref = this reference is not complete. Write env:NAME (letters, digits, “_”), file:/path or vault:mount/path#key (without “data/” after the mount).
    cfg-secret-pasted = this looks like { $kind ->
        [telegram-token] the token of a Telegram bot
        [vault-token] a Vault token
        [private-key] a private key
        [password] a password
       *[other] an API token
      }. A secret must not stand in this file, not even in a comment. Remove it, change it where it is valid, and refer to it with env:, file: or vault:.
    cfg-url-secret = an address must not hold a user name and password. Remove them, and use auth with secret references where it is offered.
    cfg-secret-file-mode = { $path } can be read by every user of this machine (mode { $mode }). Run: chmod 600 { $path }

    cfg-duplicate = “{ $value }” is used in line { $line } already. Every entry needs its own.
    cfg-nobody = this id belongs to Telegram itself (anonymous administrators, service messages), not to a person. Use the person's own id; /whoami shows it.
    cfg-unknown-ref = { $what ->
        [chat] chat
        [topic] topic
        [host] host
        [engine] Docker engine
        [proxmox] Proxmox
        [postgres] PostgreSQL cluster
        [volume] volume
       *[operator] operator
      } “{ $given }” is not configured. Configured: { $known }.
    cfg-unknown-ref-near = { $what ->
        [chat] chat
        [topic] topic
        [host] host
        [engine] Docker engine
        [proxmox] Proxmox
        [postgres] PostgreSQL cluster
        [volume] volume
       *[operator] operator
      } “{ $given }” is not configured. Did you mean “{ $near }”?
    cfg-unknown-ref-none = { $what ->
        [chat] chat
        [topic] topic
        [host] host
        [engine] Docker engine
        [proxmox] Proxmox
        [postgres] PostgreSQL cluster
        [volume] volume
       *[operator] operator
      } “{ $given }” is not configured, nor is any other. Add it, or remove this line.
    cfg-chat-no-route = nothing is ever sent to chat “{ $chat }”. Add a route or a digest that names it, or write  purpose: commands
    cfg-private-stranger = a private chat with somebody who is not an operator. Add the person to operators, or correct the id.
    cfg-route-hides = this route matches every alert, so that the ones below it are never reached. Move it to the end, or give it match or severity.
    cfg-no-default-route = the last route must take every alert that no other took. Add one with a chat only, without match and severity.
    cfg-host-local = “local” is the machine where the worker runs. Choose another id.
    cfg-webhook-missing = mode: webhook needs the section telegram.webhook with url and secret. Add it, or write  mode: polling
    cfg-auth-one = exactly one of bearer and basic is needed. Keep one, or remove auth.
    cfg-vault-missing = a vault: reference needs the section vault. Add it, or use env: or file:.
    cfg-vault-self = what opens Vault cannot be read from Vault. Use env: or file:.
    cfg-no-admin = nobody has the role admin, so that nothing destructive can be approved.
    cfg-no-second = only one person may act, so that nobody can approve their requests. Add a second operator, or set policy.solo: true
    cfg-solo-no-totp = in solo mode a step-up code stands in for the second person, but no admin has totp. Nothing destructive can be run until one has.
  `,
  ru: `
    err-config-invalid = В конфигурации { $file } { $count ->
        [one] { $count } ошибка
        [few] { $count } ошибки
       *[many] { $count } ошибок
      }. Запустите «vakhta doctor»: он покажет их с указанием места.
    err-secret-env = { $ref }: переменная окружения { $name } не задана. Задайте её для этого процесса или измените ссылку.
    err-secret-empty = { $ref }: пустое значение. Запишите туда секрет.
    err-secret-file = { $ref }: файл не читается ({ $why }). Проверьте, что он есть и что у процесса есть право на чтение.
    err-secret-no-vault = { $ref } читается из Vault, но раздела vault в конфигурации нет. Добавьте его или используйте env: либо file:.

    cfg-warning = предупреждение: { $sentence }

    cfg-no-file = файла нет. Скопируйте сюда config/vakhta.example.yaml или укажите другой файл через --config либо VAKHTA_CONFIG.
    cfg-unreadable = файл не читается ({ $why }). Проверьте владельца и права.
    cfg-too-large = в файле больше { $most } символов. Вряд ли это конфигурация: проверьте путь.
    cfg-empty-file = файл пуст. Возьмите за основу config/vakhta.example.yaml.
    cfg-not-a-mapping = файл должен состоять из разделов «site:», «telegram:» и так далее. Возьмите за основу config/vakhta.example.yaml.

    cfg-yaml-syntax = это не YAML ({ $code }). Проверьте отступы, кавычки и скобки здесь и строкой выше.
    cfg-yaml-duplicate-key = ключ повторяется в одном и том же разделе. Оставьте один.
    cfg-yaml-tab = в YAML нельзя делать отступы табуляцией. Замените её пробелами.
    cfg-yaml-indent = отступ не согласуется со строками выше, или не закрыта скобка либо кавычка. Выровняйте строку по соседним.
    cfg-yaml-missing-char = не хватает символа: двоеточия с пробелом, запятой, закрывающей скобки или кавычки.
    cfg-yaml-quote = значение без кавычек не может начинаться с этого символа. Возьмите его в кавычки.
    cfg-yaml-escape = неизвестная последовательность с обратной чертой в двойных кавычках. Для такого текста возьмите одинарные.
    cfg-yaml-alias = у ссылки (*имя) выше нет якоря (&имя). Сначала задайте его или напишите значение целиком.
    cfg-yaml-aliases = больше { $most } ссылок на якоря. Напишите значения целиком.
    cfg-yaml-documents = в файле больше одного документа («---»). Оставьте один.

    cfg-invalid = здесь такое значение недопустимо. См. docs/configuration.ru.md.
    cfg-unknown-key = неизвестный ключ. Здесь возможны: { $known }.
    cfg-unknown-key-near = неизвестный ключ. Возможно, вы имели в виду «{ $near }»?
    cfg-missing = не хватает «{ $key }». Что это такое, объясняет docs/configuration.ru.md.
    cfg-missing-secret = не хватает «{ $key }». Поместите значение в переменную окружения и напишите  { $key }: env:{ $env }
    cfg-empty = значение пустое. Заполните его или удалите строку.
    cfg-wrong-type = нужно { $expected ->
        [text] текстовое значение
        [integer] целое число
        [number] число
        [switch] true или false
        [list] значение-список
        [mapping] вложенное «ключ: значение»
       *[other] другое значение
      }, а здесь { $given ->
        [text] текст
        [integer] целое число
        [number] число
        [switch] true или false
        [list] список
        [mapping] вложенное «ключ: значение»
       *[other] другое значение
      }. { $advice ->
        [unquote] Напишите его без кавычек.
        [quote] Возьмите его в кавычки.
        [list] Напишите список, например [a, b].
        [whole] Напишите его без дробной части.
       *[other] См. docs/configuration.ru.md.
      }
    cfg-bad-option = такого варианта нет. Возможны: { $known }.
    cfg-bad-option-near = такого варианта нет. Возможно, вы имели в виду «{ $near }»? Возможны: { $known }.
    cfg-bad-key = такое имя здесь невозможно. Имя метки начинается с латинской буквы или «_» и состоит из латинских букв, цифр и «_».
    cfg-too-few = в списке должно быть не меньше { $least ->
        [one] { $least } элемента
       *[many] { $least } элементов
      }.
    cfg-too-small = слишком мало: наименьшее возможное значение — { $least }.
    cfg-must-exceed = слишком мало: значение должно быть больше { $least }.
    cfg-too-big = слишком много: наибольшее возможное значение — { $most }.

    cfg-bad-id = идентификатор состоит из строчных латинских букв, цифр, «_», «-» и «.», начинается с буквы или цифры и не длиннее 40 символов.
    cfg-bad-zone = неизвестный часовой пояс. Нужно имя из базы IANA, например Europe/Moscow, Asia/Yekaterinburg или UTC.
    cfg-bad-date = это не дата. Напишите год, месяц и день, например 2026-01-05.
    cfg-bad-date-time = это не дата со временем. Напишите 2026-12-30 18:00; часовой пояс берётся из раздела.
    cfg-time-order = конец раньше начала.
    cfg-log-source = укажите либо host (журнал по SSH), либо loki (селектор), что-то одно.
    cfg-probe-target = так цель вида { $kind } не пишут. Пример: { $example }
    cfg-loki-missing = указан селектор Loki, но раздела loki с её адресом нет.
    cfg-bad-time = это не время суток. Напишите часы и минуты двумя цифрами, например 08:30.
    cfg-bad-url = это не веб-адрес. Напишите его с http:// или https://, например https://pve1.example.net:8006.
    cfg-bad-regex = это не регулярное выражение. Проверьте скобки и обратные черты между знаками «/».
    cfg-bad-chat-id = 0 — это не чат. У групп номера отрицательные; номер покажет /whoami в этом чате.
    cfg-bad-token-id = это не идентификатор токена API. Напишите user@realm!name, например vakhta@pve!watch.
    cfg-bad-fingerprint = это не отпечаток SHA-256. Нужны 32 пары шестнадцатеричных цифр через двоеточие, как их показывает «pvenode cert info».
    cfg-bad-host-key = это не открытый ключ узла. Напишите тип и ключ так, как их печатает «ssh-keyscan -t ed25519 УЗЕЛ» (без имени узла), или SHA256:….
    cfg-bad-guest = это не гость. Напишите идентификатор Proxmox и номер гостя, например pve1/101.

    cfg-secret-literal = сам секрет здесь писать нельзя. Поместите значение в переменную окружения и напишите  { $key }: env:{ $env }
    cfg-secret-literal-file = сам секрет здесь писать нельзя. Поместите его в файл, который может прочитать только этот процесс (chmod 600), и напишите  { $key }: file:/путь/к/файлу
    cfg-secret-ref = ссылка написана не полностью. Напишите env:ИМЯ (латинские буквы, цифры, «_»), file:/путь или vault:хранилище/путь#ключ (без «data/» после хранилища).
    cfg-secret-pasted = похоже, здесь { $kind ->
        [telegram-token] токен бота Telegram
        [vault-token] токен Vault
        [private-key] закрытый ключ
        [password] пароль
       *[other] токен API
      }. Секретам не место в этом файле, даже в комментарии. Удалите его, смените там, где он действует, и сошлитесь на новый через env:, file: или vault:.
    cfg-url-secret = в адресе не должно быть имени и пароля. Уберите их; там, где есть раздел auth, сошлитесь на секрет в нём.
    cfg-secret-file-mode = { $path } может прочитать любой пользователь этой машины (права { $mode }). Выполните: chmod 600 { $path }

    cfg-duplicate = «{ $value }» уже есть в строке { $line }. Значение не должно повторяться.
    cfg-nobody = этот номер принадлежит самому Telegram (анонимные администраторы, служебные сообщения), а не человеку. Укажите номер человека; его покажет /whoami.
    cfg-unknown-ref = { $what ->
        [chat] чата
        [topic] темы
        [host] узла
        [engine] движка Docker
        [proxmox] сервера Proxmox
        [postgres] кластера PostgreSQL
        [volume] тома
       *[operator] оператора
      } «{ $given }» в конфигурации нет. Есть: { $known }.
    cfg-unknown-ref-near = { $what ->
        [chat] чата
        [topic] темы
        [host] узла
        [engine] движка Docker
        [proxmox] сервера Proxmox
        [postgres] кластера PostgreSQL
        [volume] тома
       *[operator] оператора
      } «{ $given }» в конфигурации нет. Возможно, вы имели в виду «{ $near }»?
    cfg-unknown-ref-none = { $what ->
        [chat] чата
        [topic] темы
        [host] узла
        [engine] движка Docker
        [proxmox] сервера Proxmox
        [postgres] кластера PostgreSQL
        [volume] тома
       *[operator] оператора
      } «{ $given }» в конфигурации нет, как и других. Добавьте или удалите эту строку.
    cfg-chat-no-route = в чат «{ $chat }» никогда ничего не придёт. Добавьте маршрут или сводку с этим чатом либо напишите  purpose: commands
    cfg-private-stranger = это личный чат с человеком, которого нет среди операторов. Добавьте его в operators или исправьте номер.
    cfg-route-hides = этот маршрут забирает все оповещения, и до следующих очередь не дойдёт. Перенесите его в конец или добавьте match либо severity.
    cfg-no-default-route = последний маршрут должен принимать все оставшиеся оповещения. Добавьте маршрут, в котором есть только чат, без match и severity.
    cfg-host-local = «local» — это машина, на которой работает worker. Выберите другой идентификатор.
    cfg-webhook-missing = для mode: webhook нужен раздел telegram.webhook с url и secret. Добавьте его или напишите  mode: polling
    cfg-auth-one = нужно ровно одно из двух: bearer или basic. Оставьте одно или удалите auth.
    cfg-vault-missing = для ссылки vault: нужен раздел vault. Добавьте его или используйте env: либо file:.
    cfg-vault-self = то, чем открывают Vault, нельзя прочитать из Vault. Используйте env: или file:.
    cfg-no-admin = ни у кого нет роли admin, поэтому одобрить разрушающее действие будет некому.
    cfg-no-second = действовать может только один человек, и одобрить его запросы некому. Добавьте второго оператора или напишите policy.solo: true
    cfg-solo-no-totp = в одиночном режиме второго человека заменяет одноразовый код, но ни у одного администратора нет totp. До тех пор ничего разрушающего выполнить нельзя.
  `,
});
