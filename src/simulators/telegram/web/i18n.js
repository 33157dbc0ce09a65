/** @typedef {import('./types.js').Language} Language */

const TEXTS = {
  en: {
    appTitle: 'Vakhta chat',
    youAre: 'You are',
    switchPerson: 'Switch person',
    chats: 'Chats',
    general: 'General',
    topics: 'Topics',
    themeDark: 'Dark theme',
    themeLight: 'Light theme',
    back: 'Back to chats',
    bot: 'bot',
    members: { one: '{n} member', other: '{n} members' },
    unread: { one: '{n} unread message', other: '{n} unread messages' },
    edited: 'edited',
    today: 'Today',
    yesterday: 'Yesterday',
    newMessages: 'New messages',
    message: 'Message',
    send: 'Send',
    reply: 'Reply',
    copyText: 'Copy text',
    replyTo: 'Reply to {name}',
    cancelReply: 'Cancel reply',
    commands: 'Commands',
    noCommands: 'No commands for you in this chat',
    copied: 'Copied',
    copyCode: 'Copy the code',
    copies: 'copies text',
    opensLink: 'opens a link',
    pinned: 'Pinned message',
    photo: 'Photo',
    document: 'File',
    download: 'Download',
    openPhoto: 'Open the photo',
    close: 'Close',
    unsupported: 'This kind of message is not drawn here',
    deletedMessage: 'Deleted message',
    messageNotFound: 'That message is no longer there',
    spoiler: 'Hidden text: press to show',
    expand: 'Show all',
    collapse: 'Show less',
    scrollDown: 'To the newest messages',
    typing: 'typing',
    sendingFile: 'sending a file',
    sendingPhoto: 'sending a photo',
    offline: 'No connection. Reconnecting…',
    retry: 'Retry',
    start: 'Start',
    emptyPrivate: 'No messages yet',
    emptyPrivateHint: 'Press Start and {bot} will introduce itself.',
    emptyTopic: 'No messages',
    emptyGroup: 'Nothing here yet',
    emptyGroupHint: 'Cards and conversations of this topic will appear here.',
    noChat: 'Choose a chat',
    noChatHint: 'Your chats are on the left.',
    noChats: 'No chats',
    topicClosed: 'The topic is closed',
    loadFailed: 'Could not load: {why}',
    sendFailed: 'Not sent: {why}',
    pressFailed: 'The button did not work: {why}',
    ok: 'OK',
    pinnedBy: '{name} pinned “{what}”',
    topicCreated: 'The topic “{what}” was created',
    topicEdited: 'The topic is now called “{what}”',
    topicWasClosed: '{name} closed the topic',
    topicReopened: '{name} reopened the topic',
    joined: '{name} joined: {what}',
    left: '{what} left the group',
    renamed: '{name} renamed the group to “{what}”',
    migrated: 'The group became a supergroup',
    you: 'You',
    roles: { viewer: 'viewer', operator: 'operator', admin: 'admin', outsider: 'outsider' },
  },
  ru: {
    appTitle: 'Чат «Вахта»',
    youAre: 'Вы',
    switchPerson: 'Сменить участника',
    chats: 'Чаты',
    general: 'Общее',
    topics: 'Темы',
    themeDark: 'Тёмная тема',
    themeLight: 'Светлая тема',
    back: 'Назад к чатам',
    bot: 'бот',
    members: { one: '{n} участник', few: '{n} участника', many: '{n} участников', other: '{n} участника' },
    unread: {
      one: '{n} непрочитанное сообщение',
      few: '{n} непрочитанных сообщения',
      many: '{n} непрочитанных сообщений',
      other: '{n} непрочитанного сообщения',
    },
    edited: 'изменено',
    today: 'Сегодня',
    yesterday: 'Вчера',
    newMessages: 'Новые сообщения',
    message: 'Сообщение',
    send: 'Отправить',
    reply: 'Ответить',
    copyText: 'Копировать текст',
    replyTo: 'Ответ: {name}',
    cancelReply: 'Не отвечать',
    commands: 'Команды',
    noCommands: 'В этом чате для вас нет команд',
    copied: 'Скопировано',
    copyCode: 'Копировать код',
    copies: 'копирует текст',
    opensLink: 'открывает ссылку',
    pinned: 'Закреплённое сообщение',
    photo: 'Фотография',
    document: 'Файл',
    download: 'Скачать',
    openPhoto: 'Открыть фотографию',
    close: 'Закрыть',
    unsupported: 'Такие сообщения здесь не показываются',
    deletedMessage: 'Удалённое сообщение',
    messageNotFound: 'Этого сообщения больше нет',
    spoiler: 'Скрытый текст: нажмите, чтобы показать',
    expand: 'Показать всё',
    collapse: 'Свернуть',
    scrollDown: 'К новым сообщениям',
    typing: 'печатает',
    sendingFile: 'отправляет файл',
    sendingPhoto: 'отправляет фотографию',
    offline: 'Нет связи. Подключаемся…',
    retry: 'Повторить',
    start: 'Начать',
    emptyPrivate: 'Сообщений пока нет',
    emptyPrivateHint: 'Нажмите «Начать», и {bot} представится.',
    emptyTopic: 'Нет сообщений',
    emptyGroup: 'Здесь пока пусто',
    emptyGroupHint: 'Карточки и переписка этой темы появятся здесь.',
    noChat: 'Выберите чат',
    noChatHint: 'Ваши чаты — слева.',
    noChats: 'Чатов нет',
    topicClosed: 'Тема закрыта',
    loadFailed: 'Не удалось загрузить: {why}',
    sendFailed: 'Не отправлено: {why}',
    pressFailed: 'Кнопка не сработала: {why}',
    ok: 'Понятно',
    pinnedBy: '{name}: закреплено «{what}»',
    topicCreated: 'Создана тема «{what}»',
    topicEdited: 'Тема теперь называется «{what}»',
    topicWasClosed: '{name}: тема закрыта',
    topicReopened: '{name}: тема снова открыта',
    joined: 'В группе теперь {what}',
    left: '{what}: выход из группы',
    renamed: '{name}: группа теперь называется «{what}»',
    migrated: 'Группа стала супергруппой',
    you: 'Вы',
    roles: { viewer: 'наблюдатель', operator: 'оператор', admin: 'администратор', outsider: 'посторонний' },
  },
};

/** @typedef {keyof typeof TEXTS.en} TextKey */

/** @type {Language} */
let language = 'en';
let plural = new Intl.PluralRules('en');

/** @returns {Language} */
export const currentLanguage = () => language;

/** @param {string | undefined} code  A Telegram `language_code`: "ru", "en-GB". */
export function setLanguage(code) {
  language = code?.toLowerCase().startsWith('ru') ? 'ru' : 'en';
  plural = new Intl.PluralRules(language);
  document.documentElement.lang = language;
}

/**
 * A text in the person's language; `n` chooses the plural form.
 * @param {TextKey} key @param {Record<string, string | number>} [args] @returns {string}
 */
export function t(key, args = {}) {
  /** @type {string | Record<string, string>} */
  const entry = TEXTS[language][key];
  const text = typeof entry === 'string' ? entry : (entry[plural.select(Number(args.n ?? 0))] ?? entry.other ?? '');
  return text.replace(/\{(\w+)\}/g, (_, name) => String(args[name] ?? ''));
}

/** @param {string | undefined} role @returns {string} */
export function roleName(role) {
  /** @type {Record<string, string>} */
  const roles = TEXTS[language].roles;
  const key = role ?? 'outsider';
  return roles[key] ?? key;
}
