import { defineMessages } from '../core/i18n.ts';

export const messages = defineMessages({
  en: `
    cfg-range-order = the last one ({ $to }) is smaller than the first ({ $from }). Exchange them.
    cfg-port-production = port { $port } is the one of the running cluster, and lies in the range of scratch clusters. Choose another range.
    cfg-absolute = a path from the root is needed, as /var/lib/vakhta.
    cfg-scratch-inside = scratch clusters must not lie inside the data folder of the running one ({ $dir }). Choose a folder beside it.
    cfg-scratch-no-cluster = restores need the section cluster too: it says where the programs of PostgreSQL are.
    cfg-offsite-wal-g = WAL-G has one repository only. Remove offsite_repo.
    cfg-volume-source = give either engine and volume, or paths.
    cfg-before-engine = containers and their commands need the Docker engine of the volume: add engine and volume.
    cfg-stop-and-pause = “{ $name }” is paused and stopped. Keep one of the two.
    cfg-target = “{ $target }” is no target. Write pg:ID, guest:NAME, volume:ID, offsite-pg:ID or offsite-volume:ID.
    cfg-target-place = { $target } cannot be tried out yet: postgres.{ $id } needs the sections cluster and scratch.
    cfg-target-offsite = there is no copy elsewhere of { $id }. Add { $key }, or remove this line.
    cfg-target-guest = guests cannot be tried out yet: no entry of proxmox has the section backup.drill.
    cfg-goal-for = “{ $given }” is neither a kind (pg, guest, volume, offsite-pg, offsite-volume) nor a target (guest:gitlab).
    cfg-goal-empty = a goal needs rto_minutes, rpo_minutes, or both.
  `,
  ru: `
    cfg-range-order = последнее значение ({ $to }) меньше первого ({ $from }). Поменяйте их местами.
    cfg-port-production = порт { $port } занят рабочим кластером и попадает в диапазон временных. Выберите другой диапазон.
    cfg-absolute = нужен путь от корня, например /var/lib/vakhta.
    cfg-scratch-inside = временные кластеры не должны лежать внутри каталога данных рабочего ({ $dir }). Выберите каталог рядом.
    cfg-scratch-no-cluster = для восстановлений нужен и раздел cluster: в нём сказано, где программы PostgreSQL.
    cfg-offsite-wal-g = у WAL-G только один репозиторий. Уберите offsite_repo.
    cfg-volume-source = укажите либо engine и volume, либо paths.
    cfg-before-engine = контейнерам и командам в них нужен движок Docker этого тома: добавьте engine и volume.
    cfg-stop-and-pause = «{ $name }» и замораживается, и останавливается. Оставьте что-то одно.
    cfg-target = «{ $target }» — не цель. Напишите pg:ID, guest:ИМЯ, volume:ID, offsite-pg:ID или offsite-volume:ID.
    cfg-target-place = { $target } пока нельзя пробно восстановить: в postgres.{ $id } нужны разделы cluster и scratch.
    cfg-target-offsite = у { $id } нет копии на другой площадке. Добавьте { $key } или уберите эту строку.
    cfg-target-guest = гостей пока нельзя пробно восстановить: ни у одного proxmox нет раздела backup.drill.
    cfg-goal-for = «{ $given }» — ни вид (pg, guest, volume, offsite-pg, offsite-volume), ни цель (guest:gitlab).
    cfg-goal-empty = у нормы должно быть rto_minutes, rpo_minutes или оба.
  `,
});
