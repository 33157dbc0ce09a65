import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    vault-probe-ok = Vault { $version } is unsealed, the AppRole login works
    vault-probe-standby = Vault { $version } is unsealed, but this address is a standby; the AppRole login works
    err-vault-settings = The Vault settings are not usable: { $problem }
    err-vault-reference = “{ $reference }” is no Vault reference. Write mount/path#key without “data/”, e.g. secret/postgres/main#password
    err-vault-sealed = Vault is sealed. Unseal it (vault operator unseal); nothing that needs a secret works until then
    err-vault-uninitialised = Vault is not initialised. Run vault operator init and configure it first
    err-vault-standby = This Vault address is a standby that forwards nothing ({ $problem }). Point the configuration at the active node
    err-vault-login = Vault refuses the AppRole login ({ $problem }). Check role id and secret id: the secret id may be expired or used up
    err-vault-denied = Vault does not let Vakhta read { $path }. Add it to the policy of the AppRole (capability read)
    err-vault-no-mount = Vault has no KV v2 engine at the beginning of { $path }. Check the mount (vault secrets list)
    err-vault-no-secret = There is no secret at { $path } in Vault. Create it (vault kv put) or correct the path
    err-vault-no-key = The secret { $path } has no key “{ $key }” (it has: { $keys }). Correct the key or add it
    err-vault-not-text = The key “{ $key }” of { $path } holds a structure, not text. Store it as text
    err-vault-secret-deleted = Version { $version } of the secret { $path } is deleted. Restore it (vault kv undelete) or write a new version
    err-vault-busy = Vault asks to wait ({ $problem }). Try again later
    err-vault-unreachable = Vault cannot be reached ({ $problem }). Check the address, the network and whether Vault runs
    err-vault-tls = Vault's certificate is not trusted ({ $problem }). Name its CA (ca) in the configuration
    err-vault-failed = Vault reports an error: { $problem }
    err-vault-answer = The answer of Vault cannot be understood ({ $problem }). Check that the address leads to Vault itself
  `,
  ru: `
    vault-probe-ok = Vault { $version } распечатан, вход по AppRole работает
    vault-probe-standby = Vault { $version } распечатан, но этот адрес — резервный узел; вход по AppRole работает
    err-vault-settings = Настройки Vault непригодны: { $problem }
    err-vault-reference = «{ $reference }» — не ссылка на секрет Vault. Пишите mount/path#key без «data/», например secret/postgres/main#password
    err-vault-sealed = Vault запечатан. Распечатайте его (vault operator unseal): до этого не работает ничего, чему нужен секрет
    err-vault-uninitialised = Vault не инициализирован. Сначала выполните vault operator init и настройте его
    err-vault-standby = Этот адрес Vault — резервный узел, который не перенаправляет запросы ({ $problem }). Укажите в конфигурации активный узел
    err-vault-login = Vault отклонил вход по AppRole ({ $problem }). Проверьте role id и secret id: возможно, secret id истёк или исчерпан
    err-vault-denied = Vault не разрешает читать { $path }. Добавьте путь в политику AppRole (право read)
    err-vault-no-mount = В Vault нет хранилища KV v2 в начале пути { $path }. Проверьте точку монтирования (vault secrets list)
    err-vault-no-secret = В Vault нет секрета { $path }. Создайте его (vault kv put) или исправьте путь
    err-vault-no-key = В секрете { $path } нет ключа «{ $key }» (есть: { $keys }). Исправьте ключ или добавьте его
    err-vault-not-text = Ключ «{ $key }» секрета { $path } содержит структуру, а не текст. Сохраните его как текст
    err-vault-secret-deleted = Версия { $version } секрета { $path } удалена. Восстановите её (vault kv undelete) или запишите новую
    err-vault-busy = Vault просит подождать ({ $problem }). Повторите позже
    err-vault-unreachable = Vault недоступен ({ $problem }). Проверьте адрес, сеть и работает ли Vault
    err-vault-tls = Сертификату Vault нет доверия ({ $problem }). Укажите его центр сертификации (ca) в конфигурации
    err-vault-failed = Vault сообщает об ошибке: { $problem }
    err-vault-answer = Ответ Vault не удалось разобрать ({ $problem }). Проверьте, что адрес ведёт на сам Vault
  `,
});
